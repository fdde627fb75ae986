//! Every kernel against the f64 oracle: both techniques, both types, all affine forms, all levels, sizes from 1 to past every
//! unroll and tail boundary.

// Of what tests need, lints warn; this silences them.
#![allow(deprecated)]

use normkit::generic::reference::Problem;
use normkit::{Saved, norm};
use normkit_tests::{Numbers, at_each_level, error};

/// One kernel, whatever its signature, over f64 slices.
struct Case {
    name: &'static str,
    n: usize,
    centred: bool,
    eps: f64,
    /// Relative to the largest value: f32 or f64.
    tolerance: f64,
    run: RunFn,
}

/// x, dy, weight, bias.
type RunFn = fn(&[f64], &[f64], &[f64], &[f64]) -> Run;

struct Run {
    y: Vec<f64>,
    inplace: Vec<f64>,
    y_train: Vec<f64>,
    dx: Vec<f64>,
    dweight: Option<Vec<f64>>,
    dbias: Option<Vec<f64>>,
    mean: Vec<f64>,
    rstd: Vec<f64>,
}

fn narrow<T: From<f32> + Copy>(values: &[f64]) -> Vec<T> {
    values.iter().map(|&v| T::from(v as f32)).collect()
}

fn widen<T: Into<f64> + Copy>(values: &[T]) -> Vec<f64> {
    values.iter().map(|&v| v.into()).collect()
}

fn less_one<T: Into<f64> + Copy>(grad: &[T]) -> Vec<f64> {
    grad.iter().map(|&v| v.into() - 1.0).collect()
}

/// What the four methods give; `$params` are the parameters in the order of arguments, `$grads` their gradients.
macro_rules! run {
    ($kernel:expr, $t:ident, $w:ident $b:ident $dw:ident $db:ident, [$($param:ident),*], [$($weight:ident)?], [$($grad:ident),*]) => {
        |x, dy, weight, bias| {
            let kernel = $kernel;
            let (x, dy): (Vec<$t>, Vec<$t>) = (narrow(x), narrow(dy));
            let ($w, $b): (Vec<$t>, Vec<$t>) = (narrow(weight), narrow(bias));
            let n = $w.len();
            let mut y = vec![<$t>::NAN; x.len()];
            kernel.forward((&x, [x.len() / n, n]), $(&$param,)* &mut y).unwrap();
            let mut inplace = x.clone();
            kernel.forward_inplace((&mut inplace, [x.len() / n, n]), $(&$param,)*).unwrap();
            let mut saved = Saved::default();
            let mut y_train = vec![<$t>::NAN; x.len()];
            kernel.forward_train((&x, [x.len() / n, n]), $(&$param,)* &mut y_train, &mut saved).unwrap();
            let mut dx = vec![<$t>::NAN; x.len()];
            // Gradients are added to: they start at 1 here, and 1 is subtracted below.
            let (mut $dw, mut $db) = (vec![1.0 as $t; n], vec![1.0 as $t; n]);
            kernel.backward((&x, [x.len() / n, n]), &dy, $(&$weight,)? &saved, &mut dx, $(&mut $grad),*).unwrap();
            let _ = (&$b, &mut $dw, &mut $db);
            let grads: Vec<(&str, Vec<f64>)> = vec![$((stringify!($grad), less_one(&$grad))),*];
            let grad = |name| grads.iter().find(|(grad, _)| *grad == name).map(|(_, values)| values.clone());
            Run {
                y: widen(&y), inplace: widen(&inplace), y_train: widen(&y_train), dx: widen(&dx),
                dweight: grad("dweight"), dbias: grad("dbias"), mean: widen(saved.mean()), rstd: widen(saved.rstd()),
            }
        }
    };
}

/// Both techniques with all parameters in f32, and the longer sum of layer norm in f64: the cases of every size.
macro_rules! usual {
    ($axis:tt, $n:literal) => {
        [
            Case { name: "rms f32", n: $n, centred: false, eps: 1e-6, tolerance: 2e-6, run:
                run!(norm!(kind = "rms", shape = [_, $axis], eps = 1e-6), f32, weight bias dweight dbias, [weight], [weight], [dweight]) },
            Case { name: "layer f32", n: $n, centred: true, eps: 1e-5, tolerance: 2e-6, run:
                run!(norm!(kind = "layer", shape = [_, $axis]), f32, weight bias dweight dbias, [weight, bias], [weight], [dweight, dbias]) },
            Case { name: "layer f64", n: $n, centred: true, eps: 1e-5, tolerance: 3e-14, run:
                run!(norm!(kind = "layer", shape = [_, $axis], dtype = f64), f64, weight bias dweight dbias, [weight, bias], [weight], [dweight, dbias]) },
        ]
    };
}

/// The other parameters and types.
macro_rules! others {
    ($axis:tt, $n:literal) => {
        [
            Case { name: "rms f32 without weight", n: $n, centred: false, eps: 1e-6, tolerance: 2e-6, run:
                run!(norm!(kind = "rms", shape = [_, $axis], affine = false), f32, weight bias dweight dbias, [], [], []) },
            Case { name: "rms f64", n: $n, centred: false, eps: 0.25, tolerance: 3e-14, run:
                run!(norm!(kind = "rms", shape = [_, $axis], eps = 0.25, dtype = f64), f64, weight bias dweight dbias, [weight], [weight], [dweight]) },
            Case { name: "layer f32 with weight", n: $n, centred: true, eps: 1e-5, tolerance: 2e-6, run:
                run!(norm!(kind = "layer", shape = [_, $axis], affine = weight), f32, weight bias dweight dbias, [weight], [weight], [dweight]) },
            Case { name: "layer f32 without parameters", n: $n, centred: true, eps: 1e-3, tolerance: 2e-6, run:
                run!(norm!(kind = "layer", shape = [_, $axis], eps = 1e-3, affine = false), f32, weight bias dweight dbias, [], [], []) },
        ]
    };
}

macro_rules! cases {
    ($case:ident: $($n:literal)*) => { [$($case!($n, $n)),*].into_iter().flatten().collect::<Vec<Case>>() };
}

fn check(case: &Case, rows: usize, level: normkit::Level, mean: f64, deviation: f64) {
    let Case { n, centred, eps, tolerance, .. } = *case;
    let mut numbers = Numbers((n * 31 + rows) as u64);
    let (x, dy) = (numbers.normal(rows * n, mean, deviation), numbers.normal(rows * n, 0.0, 1.0));
    let (weight, bias) = (numbers.normal(n, 1.0, 0.5), numbers.normal(n, 0.0, 0.5));
    let run = (case.run)(&x, &dy, &weight, &bias);
    let problem = Problem::rows(rows, n, centred, eps);
    let given = |values: &Option<Vec<f64>>| values.is_some();
    let (has_weight, has_bias) = (given(&run.dweight), given(&run.dbias));
    let expected = problem.forward(&x, has_weight.then_some(&weight[..]), has_bias.then_some(&bias[..]));
    let gradient = problem.backward(&x, &dy, has_weight.then_some(&weight[..]));
    let what =
        |part: &str| format!("{part} of {} n={n} rows={rows} at {level}, mean {mean} deviation {deviation}", case.name);
    let compare = |part: &str, found: &[f64], expected: &[f64], scale: f64| {
        let error = error(found, expected, scale);
        assert!(error <= tolerance, "{}: error {error:e} of {tolerance:e}", what(part));
    };
    compare("y", &run.y, &expected.y, 1.0);
    assert_eq!(run.y, run.inplace, "{}", what("in place"));
    assert_eq!(run.y, run.y_train, "{}", what("training"));
    // A row whose elements are nearly equal has a large rstd; the error of dx is relative to it.
    let largest = expected.rstd.iter().fold(1.0_f64, |m, &r| m.max(r));
    compare("dx", &run.dx, &gradient.dx, largest);
    if let Some(dweight) = &run.dweight {
        compare("dweight", dweight, &gradient.dweight, (rows as f64).sqrt().max(1.0));
    }
    if let Some(dbias) = &run.dbias {
        compare("dbias", dbias, &gradient.dbias, (rows as f64).sqrt().max(1.0));
    }
    compare("rstd", &run.rstd, &expected.rstd, f64::MIN_POSITIVE);
    if centred {
        compare("mean", &run.mean, &expected.mean, 1.0);
    }
}

fn check_all(name: &str, cases: &[Case], rows: &[usize]) {
    at_each_level(name, |level| {
        for case in cases {
            for &rows in rows {
                check(case, rows, level, 0.0, 1.0);
                check(case, rows, level, 10.0, 1.0);
            }
            if case.centred {
                check(case, 3, level, 1e4, 1.0);
            }
        }
    });
}

#[test]
fn sizes_around_vectors() {
    let cases = cases!(usual: 1 2 3 4 5 6 7 8 9 12 15 16 17 23 24 25 31 32 33 40);
    check_all("sizes around vectors", &cases, &[0, 1, 2, 3, 4, 5, 9]);
}

#[test]
fn sizes_around_schedules() {
    let cases = cases!(usual: 47 49 63 64 65 80 81 96 97 100 112 113 127 128 129 144 161 192 193 223 225);
    check_all("sizes around schedules", &cases, &[1, 2, 3, 4, 5, 11]);
}

#[test]
fn long_rows() {
    let cases = cases!(usual: 256 257 385 447 449 512 769 1000 1023 1024 4096 4097 8192);
    check_all("long rows", &cases, &[1, 2, 5]);
}

#[test]
fn other_parameters_and_types() {
    let cases = cases!(others: 1 3 7 17 64 100 128 257 769 4097);
    check_all("other parameters and types", &cases, &[0, 1, 2, 3, 4, 5]);
}

/// Blocks of gradients: 1024 rows at 64 elements and fewer, 64 at 1024 and more.
#[test]
fn many_rows() {
    check_all("many rows", &cases!(usual: 3 66), &[1023, 1025, 2049, 3100]);
    check_all("many rows", &cases!(usual: 1025), &[63, 64, 65, 129, 200]);
}

#[test]
fn length_at_run_time() {
    at_each_level("length at run time", |level| {
        for n in (1..=35).chain([63, 64, 65, 100, 127, 128, 129, 257, 769, 4097]) {
            for case in usual!(_, 0).into_iter().chain(others!(_, 0)) {
                let case = Case { n, ..case };
                for rows in [1, 2, 5] {
                    check(&case, rows, level, 0.0, 1.0);
                }
                check(&case, 3, level, 100.0, 1.0);
            }
        }
    });
}

#[test]
fn families_pick_by_length() {
    at_each_level("families", |_| {
        let kernel = norm!(kind = "layer", shape = [_, 24 | 100 | _], eps = 1e-5);
        for n in [24, 100, 31] {
            let mut numbers = Numbers(n as u64);
            let x = numbers.normal(5 * n, 1.0, 2.0);
            let (weight, bias) = (numbers.normal(n, 1.0, 0.5), numbers.normal(n, 0.0, 0.5));
            let mut y = vec![0.0_f32; 5 * n];
            let (weight32, bias32): (Vec<f32>, Vec<f32>) = (narrow(&weight), narrow(&bias));
            kernel.forward(&narrow::<f32>(&x), &weight32, &bias32, &mut y).unwrap();
            let expected = Problem::rows(5, n, true, 1e-5).forward(&x, Some(&weight), Some(&bias));
            assert!(error(&widen(&y), &expected.y, 1.0) < 2e-6, "n={n}");
        }
    });
}
