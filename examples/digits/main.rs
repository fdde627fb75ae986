//! Compares normalization techniques on handwritten digits: none and all six, at batch sizes 2, 8, 32 and 128.
//!
//! ```text
//! cargo run --release --example digits
//! cargo run --release --example digits -- --technique batch,group --batch 2,32 --seed 7
//! ```
//!
//! A small convolutional network is trained on 600 images of 8x8 pixels and tested on 1197 others, once for each technique and batch
//! size, from the same start and on the same batches. Techniques for images normalize what the convolutions give; weight normalization
//! normalizes the weights. All of it runs on annotated layers (`layers.rs`, `weights.rs`); everything else is plain Rust.
//!
//! What is measured, and how to read it:
//!
//! - **test accuracy**, and **epochs to 95 %** of the test images (between epochs by interpolation).
//! - **depends on batch**: the scores of one image, in training mode, vary with the images around it: their deviation over several
//!   batches, relative to their deviation over images; after the first epoch and after the last one. Only batch normalization does
//!   that, and the more the smaller the batch: at 2 the statistics of a channel are little more than the other image's.
//! - **norm., µs/image**: time in the normalization layers, forward and backward, on the generated kernels and on plain scalar code,
//!   which gets the same arrays at every call; their results are compared as well (`compare.rs`).
//! - **bytes** of parameters and running statistics, and of what the backward pass needs for one image.
//!
//! Prints the table and its checks, and draws four charts: training curves, what the batch size does, the norm of each layer's
//! gradient over training, and all techniques side by side, on a scale of 0 to 100 in each respect (`score.rs`). Exits with 0 if all
//! checks hold, 1 if not or if something went wrong, 2 if the arguments are wrong.

mod args;
mod chart;
mod check;
mod compare;
mod conv;
mod data;
mod dependence;
mod layers;
mod linear;
mod matrix;
mod model;
mod optimizer;
mod progress;
mod scalar;
mod score;
mod table;
mod technique;
mod train;
mod trial;
mod weights;

use std::error::Error;
use std::fmt::Display;
use std::fs;
use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;
use normkit::Level;

use args::Args;
use check::{Check, checks, summary};
use data::Digits;
use table::table;
use trial::trials;

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Whether all checks hold.
fn run(args: &Args) -> Result<bool, Box<dyn Error>> {
    // before the work, so that a wrong directory is known at once
    fs::create_dir_all(&args.out).map_err(|e| format!("cannot make the directory {}: {e}", args.out.display()))?;
    if cfg!(debug_assertions) {
        eprintln!("note: built without optimization, the times mean little; use --release");
    }

    let level = Level::current()?;
    let digits = Digits::load()?;
    let epochs = args.epochs();
    print(format_args!(
        "{} images to train on, {} to test; {epochs} epochs; seed {}; kernels for {}",
        digits.train.len(),
        digits.test.len(),
        args.seed,
        level.name()
    ))?;
    let trials = trials(&digits, &args.techniques(), &args.batches(), args.seed, epochs)?;
    print(table(&trials))?;

    let checks = checks(&trials, epochs, digits.train.len());
    for check in summary(&checks) {
        print(check)?;
    }
    for (name, svg) in chart::charts(&trials, epochs)? {
        let file = args.out.join(name);
        fs::write(&file, svg).map_err(|e| format!("cannot write {}: {e}", file.display()))?;
        print(format_args!("chart: {}", file.display()))?;
    }
    let good = checks.iter().all(Check::holds);
    if !good {
        eprintln!("error: a check failed, see above");
    }
    Ok(good)
}

/// A line to the standard output; `println!` would panic where that is a closed pipe or a full disk.
fn print(line: impl Display) -> Result<(), String> {
    writeln!(io::stdout(), "{line}").map_err(|e| format!("cannot print: {e}"))
}
