//! Half types against the f64 oracle, for channels: batch, instance and group norm in both layouts, weight norm along any axis.

use normkit::{Saved, bf16, f16};
use normkit_tests::check::{BatchCase, Case, Check, WeightCase, case, check_all};
use normkit_tests::rounding::Format;
use normkit_tests::{BatchInputs, Sets, at_each_level_of_halves, batch, kernel, narrow, weight_norm, widen};

const FIRST: Sets = Sets::Instance { axis: 1 };
const LAST: Sets = Sets::Instance { axis: 2 };

const SPATIAL: [usize; 16] = [1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 33, 49, 64, 100, 129, 1000];
const CHANNELS: [usize; 11] = [1, 3, 7, 8, 9, 16, 17, 32, 33, 65, 128];

/// `[channels, spatial]`, or the other way round; both crossed sparsely.
fn sizes() -> Vec<[usize; 2]> {
    let along = SPATIAL.iter().map(|&s| [4, s]);
    let across = CHANNELS.iter().flat_map(|&c| [[c, 9], [c, 49]]);
    along.chain(across).chain([[320, 17], [4, 0]]).collect()
}

#[test]
fn instances() {
    let cases = [
        case(kernel!(bf16 / bf16, weight bias; kind = "instance", shape = [_, 3, 7, 7]), FIRST, &[3, 7, 7]),
        case(kernel!(f16, weight; kind = "instance", shape = [_, 2, 100], affine = weight), FIRST, &[2, 100]),
        case(kernel!(f16 / bf16,; kind = "instance", shape = [_, 17, 33], axis = -1, affine = false), LAST, &[17, 33]),
        case(kernel!(bf16, weight bias; kind = "instance", shape = [_, 49, 20], axis = -1), LAST, &[49, 20]),
    ];
    check_all("instances", &cases, &[0, 1, 2, 3, 9]);
    let first = kernel!(f16 / f16, weight bias; kind = "instance", shape = [_, _, _]);
    let last = kernel!(bf16 / f16, weight bias; kind = "instance", shape = [_, _, _], axis = -1);
    at_each_level_of_halves("instances at run time", |level| {
        for [c, s] in sizes() {
            for n in [1, 2] {
                Case { kernel: &first, sets: FIRST, rest: vec![c, s] }.check(n, level);
                Case { kernel: &last, sets: LAST, rest: vec![s, c] }.check(n, level);
            }
        }
    });
}

#[test]
fn groups() {
    const fn of(axis: usize, groups: usize) -> Sets {
        Sets::Groups { axis, groups }
    }
    let cases = [
        case(kernel!(f16 / f16, weight bias; kind = "group", shape = [_, 6, 5, 5], groups = 3), of(1, 3), &[6, 5, 5]),
        case(
            kernel!(bf16, weight; kind = "group", shape = [_, 8, 33], groups = 2, affine = weight),
            of(1, 2),
            &[8, 33],
        ),
        case(
            kernel!(bf16 / bf16, weight bias; kind = "group", shape = [_, 15, 32], axis = -1, groups = 8),
            of(2, 8),
            &[15, 32],
        ),
        case(
            kernel!(f16,; kind = "group", shape = [_, 17, 34], axis = -1, groups = 2, affine = false),
            of(2, 2),
            &[17, 34],
        ),
    ];
    check_all("groups", &cases, &[0, 1, 2, 3, 9]);
    let first = kernel!(bf16, weight bias; kind = "group", shape = [_, _, _], groups = 4);
    let last = kernel!(f16 / bf16, weight bias; kind = "group", shape = [_, _, _], axis = -1, groups = 4);
    at_each_level_of_halves("groups at run time", |level| {
        for [c, s] in sizes() {
            let c = c.next_multiple_of(4);
            for n in [1, 2] {
                Case { kernel: &first, sets: of(1, 4), rest: vec![c, s] }.check(n, level);
                Case { kernel: &last, sets: of(2, 4), rest: vec![s, c] }.check(n, level);
            }
        }
    });
}

/// Training, inference and the gradients of both.
#[test]
fn batches() {
    const SECOND: Sets = Sets::Each { axis: 1 };
    let cases = [
        case(batch!(bf16 / bf16, weight bias; shape = [_, 17]), SECOND, &[17]),
        case(batch!(f16, weight bias; shape = [_, 64]), SECOND, &[64]),
        case(batch!(f16 / f16, weight bias; shape = [_, 5, 7, 7]), SECOND, &[5, 7, 7]),
        case(batch!(bf16, weight; shape = [_, 3, 65]), SECOND, &[3, 65]),
        case(batch!(bf16 / f16, weight bias; shape = [_, 7, 7, 20], axis = -1), Sets::Each { axis: 3 }, &[7, 7, 20]),
        case(batch!(f16 / bf16,; shape = [_, 9, 33], axis = -1), Sets::Each { axis: 2 }, &[9, 33]),
    ];
    check_all("batches", &cases, &[0, 1, 2, 3, 5, 70]);
}

#[test]
fn batches_at_run_time() {
    let columns = batch!(bf16, weight bias; shape = [_, _]);
    let first = batch!(f16 / f16, weight bias; shape = [_, _, _]);
    let last = batch!(bf16 / bf16, weight bias eps; shape = [_, _, _], axis = -1, eps = _);
    at_each_level_of_halves("batches at run time", |level| {
        for [c, s] in sizes() {
            for n in [1, 3] {
                BatchCase { kernel: &first, axis: 1, rest: vec![c, s] }.check(n, level);
                BatchCase { kernel: &last, axis: 2, rest: vec![s, c] }.check(n, level);
            }
        }
        for c in CHANNELS {
            for n in [1, 2, 9, 300, 1100] {
                BatchCase { kernel: &columns, axis: 1, rest: vec![c] }.check(n, level);
            }
        }
    });
}

/// Running statistics are of the parameters' type: each step rounds them once.
#[test]
fn running_statistics() {
    let kernel = batch!(f16 / bf16, weight bias; shape = [_, _, _], momentum = 0.25);
    at_each_level_of_halves("running statistics", |level| {
        let dims = [3, 17, 21];
        let mut found = BatchInputs::<f16, bf16>::random(1, &dims, 7, 1.0, 1.0, 1e-5);
        let (mut tracked, mut saved) = (0, Saved::default());
        for step in 1..=3 {
            let inputs = BatchInputs::<f16, bf16>::random(1, &dims, 100 + step, 1.0, 1.0, 1e-5).inputs;
            let mut y = vec![f16::ZERO; inputs.x.len()];
            (kernel.train)((&inputs.x, dims).into(), inputs.params(), (&mut y, dims).into(), &mut saved).unwrap();
            let expected = kernel.expected(1, &dims, &inputs);
            let n = (dims[0] * dims[2]) as f64;
            let follow = |running: &[bf16], batch: &[f64], factor: f64| -> Vec<f64> {
                widen(running).iter().zip(batch).map(|(r, b)| 0.75 * r + 0.25 * b * factor).collect()
            };
            let mean = follow(&found.mean, &expected.mean, 1.0);
            let var = follow(&found.var, &expected.var, n / (n - 1.0));
            (kernel.update)(&saved, &mut found.mean, &mut found.var, &mut tracked).unwrap();
            let what = format!("at {level}, step {step}");
            Format::BF16.rounded_once(&format!("running mean {what}"), &widen(&found.mean), &mean, 1.0, 2e-6);
            Format::BF16.rounded_once(&format!("running var {what}"), &widen(&found.var), &var, 1.0, 2e-6);
            assert_eq!(tracked, step as i64);
        }
    });
}

/// Both `v` and the weight are of the half type, the lengths of theirs, the gradients of `f32`.
#[test]
fn weights() {
    let each = |axis| Sets::Each { axis };
    let cases = [
        case(weight_norm!(bf16, g; shape = [5, 100]), each(0), &[100]),
        case(weight_norm!(f16 / f16, g; shape = [5, 3, 3, 3]), each(0), &[3, 3, 3]),
        case(weight_norm!(bf16 / bf16,; shape = [5, 33]), each(0), &[33]),
    ];
    check_all("weights", &cases, &[5]);
    let rows = weight_norm!(f16 / bf16, g; shape = [_, _]);
    let columns = weight_norm!(bf16 / bf16, g; shape = [_, _], axis = 1);
    let middle = weight_norm!(f16, g; shape = [_, _, _], axis = 1);
    at_each_level_of_halves("weights at run time", |level| {
        for n in (1..=40).chain([63, 64, 65, 100, 128, 257, 768, 1000]) {
            for m in [1, 1 + n % 9] {
                WeightCase { kernel: &rows, axis: 0, rest: vec![n] }.check(m, level);
                WeightCase { kernel: &columns, axis: 1, rest: vec![n] }.check(m, level);
                WeightCase { kernel: &columns, axis: 1, rest: vec![m] }.check(n, level);
                WeightCase { kernel: &middle, axis: 1, rest: vec![m, n] }.check(2, level);
            }
        }
    });
}

/// A weight whose vector is zero has no direction; the others are not touched by that.
#[test]
fn a_vector_of_zeros_is_nan_alone() {
    let kernel = weight_norm!(bf16, g; shape = [_, _]);
    at_each_level_of_halves("a vector of zeros", |_| {
        let mut v = narrow::<bf16>(&[1.0; 3 * 21]);
        v[21..42].fill(bf16::ZERO);
        let mut w = vec![bf16::ZERO; v.len()];
        (kernel.forward)((&v, [3, 21]).into(), &[2.0; 3], (&mut w, [3, 21]).into()).unwrap();
        for (i, w) in widen(&w).into_iter().enumerate() {
            assert_eq!(w.is_nan(), (21..42).contains(&i), "[{i}] is {w}");
        }
    });
}
