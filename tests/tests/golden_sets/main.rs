//! The product against PyTorch, wherever the elements that are normalized together lie: every file of `golden/sets`
//! (written by `golden/generate.py`, all outputs float64) through the kernels of `norm!` in f32 and f64, some of them
//! through kernels that learn their sizes at run time and through annotated layers, at every level of this machine.
//!
//! `cargo test -p normkit-tests --test golden_sets -- --nocapture` prints which levels ran and the worst errors.

// Of what tests need, lints warn; this silences them.
#![allow(deprecated)]

#[macro_use]
mod tables;

mod axes;
mod batch;
mod channels;
mod layers;
mod run;
mod weight;

use normkit_tests::at_each_level;
use normkit_tests::golden::{Report, largest};
use run::{Mode, Run, read_all};

#[test]
fn agrees_with_pytorch_at_every_level() {
    let mut run = Run { golden: read_all(), report: Report::default() };
    at_each_level("golden sets", |level| {
        run.report.level = level.to_string();
        axes::kernels(&mut run);
        batch::kernels(&mut run);
        channels::kernels(&mut run);
        weight::kernels(&mut run);
        layers::all(&mut run);
    });
    run.report.finish(run.golden.keys());
}

/// What this test takes for normalized together is what the files do: their means, over those elements.
#[test]
fn sets_are_those_of_the_files() {
    for (name, golden) in read_all() {
        let x = golden.file.get("x");
        assert_eq!(golden.set_of.len(), x.len(), "{name}");
        let sets = golden.set_of.iter().max().unwrap() + 1;
        let (mut sums, mut squares, mut counts) = (vec![0.0; sets], vec![0.0; sets], vec![0.0; sets]);
        for (&set, x) in golden.set_of.iter().zip(x) {
            sums[set] += x;
            squares[set] += x * x;
            counts[set] += 1.0;
        }
        let eps: f64 = golden.file.metadata["eps"].parse().unwrap();
        let agree = |tensor: &str, expected: Vec<f64>| {
            let got = golden.file.get(tensor);
            assert_eq!(got.len(), expected.len(), "{name} {tensor}");
            let error = got.iter().zip(&expected).map(|(got, expected)| (got - expected).abs()).fold(0.0, f64::max);
            assert!(error <= 1e-12 * largest(got), "{name} {tensor}: {error:e}");
        };
        match golden.kind.as_str() {
            "weight" => agree("rstd", squares.iter().map(|square| 1.0 / square.sqrt()).collect()),
            "rms" => {
                let rstd = |(square, count): (&f64, &f64)| 1.0 / (square / count + eps).sqrt();
                agree("rstd", squares.iter().zip(&counts).map(rstd).collect());
            }
            _ if golden.mode == Mode::Eval => assert_eq!(golden.file.get("running_mean").len(), sets, "{name}"),
            _ => agree("mean", sums.iter().zip(&counts).map(|(sum, count)| sum / count).collect()),
        }
    }
}
