//! Half types against the f64 oracle, for rows and columns: every output is the oracle's, rounded once. Both half types, parameters
//! of every type beside them, all affine forms, all levels, sizes that cross the edges of every vector and tail.

// Of what tests need, lints warn; this silences them.
#![allow(deprecated)]

use normkit::{Element, Level, bf16, f16};
use normkit_tests::check::{Case, Check, case, check_all};
use normkit_tests::{Inputs, Kernel, Place, Sets, at_each_level_of_halves, bits, kernel};

const ROWS: Sets = Sets::Over(&[1]);

/// Rows of a fixed length, of both techniques and types.
macro_rules! fixed_rows {
    ($($n:literal: $layer:ident $(/ $p:ident)?, $rms:ident $(/ $q:ident)?;)*) => {
        vec![$(
            case(kernel!($layer $(/ $p)?, weight bias; kind = "layer", shape = [_, $n]), ROWS, &[$n]),
            case(kernel!($rms $(/ $q)?, weight; kind = "rms", shape = [_, $n]), ROWS, &[$n])
        ),*]
    };
}

#[test]
fn fixed_lengths() {
    let cases = fixed_rows! {
        1: bf16, f16;
        7: f16 / f16, bf16 / bf16;
        16: bf16 / bf16, f16 / f16;
        20: f16, bf16 / f16;
        24: bf16 / f16, f16;
        33: f16 / bf16, bf16;
        100: bf16 / bf16, f16 / bf16;
        128: f16, bf16;
        768: bf16, f16 / f16;
    };
    check_all("fixed lengths", &cases, &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
}

#[test]
fn fixed_lengths_with_other_parameters() {
    let cases = [
        case(kernel!(bf16,; kind = "rms", shape = [_, 100], affine = false), ROWS, &[100]),
        case(kernel!(f16 / bf16, weight; kind = "layer", shape = [_, 100], affine = weight), ROWS, &[100]),
        case(kernel!(f16,; kind = "layer", shape = [_, 17], affine = false, eps = 1e-3), ROWS, &[17]),
        case(kernel!(bf16 / bf16, weight bias eps; kind = "layer", shape = [_, 64], eps = _), ROWS, &[64]),
        // The other way round: narrow parameters of wide elements.
        case(kernel!(f32 / bf16, weight bias; kind = "layer", shape = [_, 37]), ROWS, &[37]),
        case(kernel!(f32 / f16, weight; kind = "rms", shape = [_, _]), ROWS, &[85]),
    ];
    check_all("fixed lengths with other parameters", &cases, &[0, 1, 2, 3, 4, 5, 9]);
}

/// All of them where vectors and tails change, the common ones of models, and one past all schedules.
fn lengths() -> impl Iterator<Item = usize> {
    let around = (48..=300).filter(|n| [0, 1, 7].contains(&(n % 8)));
    (1..=40).chain(around).chain([768, 1000, 1024, 4099])
}

fn any_length<T: Element, P: Element<Compute = T::Compute>>(name: &str, kernel: &Kernel<T, P>) {
    at_each_level_of_halves(name, |level| {
        for n in lengths() {
            let case = Case { kernel, sets: ROWS, rest: vec![n] };
            for rows in [1, 2 + n % 8] {
                case.check(rows, level);
            }
        }
    });
}

#[test]
fn layer_of_bf16_at_run_time() {
    any_length("layer of bf16", &kernel!(bf16, weight bias; kind = "layer", shape = [_, _]));
}

#[test]
fn layer_of_f16_at_run_time() {
    any_length("layer of f16", &kernel!(f16 / f16, weight bias; kind = "layer", shape = [_, _]));
}

#[test]
fn rms_of_bf16_at_run_time() {
    any_length("rms of bf16", &kernel!(bf16 / bf16, weight; kind = "rms", shape = [_, _]));
}

#[test]
fn rms_of_f16_at_run_time() {
    any_length("rms of f16", &kernel!(f16 / bf16, weight; kind = "rms", shape = [_, _]));
}

/// Over an axis that is not the last, and over two with one between them.
#[test]
fn fixed_columns() {
    const MIDDLE: Sets = Sets::Over(&[1]);
    const AROUND: Sets = Sets::Over(&[1, 3]);
    let cases = [
        case(kernel!(bf16 / bf16, weight; kind = "rms", shape = [_, 24, 49], axis = 1), MIDDLE, &[24, 49]),
        case(kernel!(f16, weight bias; kind = "layer", shape = [_, 7, 33], axis = 1), MIDDLE, &[7, 33]),
        case(kernel!(bf16 / f16, weight bias; kind = "layer", shape = [_, 5, 4, 7], axis = [1, 3]), AROUND, &[5, 4, 7]),
        case(kernel!(f16 / f16, weight; kind = "rms", shape = [_, 3, 2, 17], axis = [1, 3]), AROUND, &[3, 2, 17]),
    ];
    check_all("fixed columns", &cases, &[0, 1, 2, 3, 9]);
}

#[test]
fn columns_at_run_time() {
    let layer = kernel!(bf16, weight bias; kind = "layer", shape = [_, _, _], axis = 1);
    let rms = kernel!(f16 / f16, weight; kind = "rms", shape = [_, _, _], axis = 1);
    at_each_level_of_halves("columns at run time", |level| {
        for (i, n) in lengths().take(60).enumerate() {
            // Columns, and how many lie side by side.
            for rest in [vec![n, 1 + i % 9], vec![1 + i % 9, n]] {
                Case { kernel: &layer, sets: Sets::Over(&[1]), rest: rest.clone() }.check(1 + i % 3, level);
                Case { kernel: &rms, sets: Sets::Over(&[1]), rest }.check(1 + i % 3, level);
            }
        }
        Case { kernel: &layer, sets: Sets::Over(&[1]), rest: vec![1000, 33] }.check(2, level);
        Case { kernel: &rms, sets: Sets::Over(&[1]), rest: vec![1000, 33] }.check(2, level);
    });
}

#[test]
fn around_an_axis_at_run_time() {
    let layer = kernel!(f16 / bf16, weight bias; kind = "layer", shape = [_, _, _, _], axis = [1, 3]);
    let rms = kernel!(bf16, weight; kind = "rms", shape = [_, _, _, _], axis = [1, 3]);
    at_each_level_of_halves("around an axis at run time", |level| {
        for rest in [[1, 1, 1], [2, 3, 5], [7, 2, 16], [5, 9, 17], [3, 33, 8], [16, 4, 31], [9, 2, 100], [0, 3, 4]] {
            for n in [1, 3] {
                Case { kernel: &layer, sets: Sets::Over(&[1, 3]), rest: rest.to_vec() }.check(n, level);
                Case { kernel: &rms, sets: Sets::Over(&[1, 3]), rest: rest.to_vec() }.check(n, level);
            }
        }
    });
}

/// Kernels take several rows at a time: which ones must not show.
fn alone<T: Element, P: Element<Compute = T::Compute>>(kernel: &Kernel<T, P>, n: usize) {
    const COUNT: usize = 9;
    let inputs = Inputs::<T, P>::random(ROWS, &[COUNT, n], n as u64, 1.0, 1.0, kernel.spec.eps);
    let together = kernel.run([COUNT, n], &inputs);
    for row in 0..COUNT {
        let of = |values: &[T]| values[row * n..(row + 1) * n].to_vec();
        let one = kernel.run([1, n], &Inputs { x: of(&inputs.x), dy: of(&inputs.dy), ..inputs.clone() });
        for (part, one, all) in [("y", &one.y, &together.y), ("dx", &one.dx, &together.dx)] {
            assert_eq!(bits(one), bits(&of(all)), "{}: {part} of row {row} of {n} alone", kernel.name);
        }
    }
}

#[test]
fn a_row_alone_has_the_same_bits() {
    let fixed = (kernel!(bf16 / bf16, weight bias; kind = "layer", shape = [_, 36]), 36);
    let fixed_f16 = (kernel!(f16, weight; kind = "rms", shape = [_, 52]), 52);
    let any = kernel!(f16 / f16, weight bias; kind = "layer", shape = [_, _]);
    let any_bf16 = kernel!(bf16, weight; kind = "rms", shape = [_, _]);
    at_each_level_of_halves("a row alone", |_| {
        alone(&fixed.0, fixed.1);
        alone(&fixed_f16.0, fixed_f16.1);
        for n in [1, 3, 8, 15, 16, 31, 64, 100, 129, 1000] {
            alone(&any, n);
            alone(&any_bf16, n);
        }
    });
}

/// A part of a vector ends anywhere: between rows nothing may be written, and the same bits come out as without gaps.
fn apart<T: Element, P: Element<Compute = T::Compute>>(kernel: &Kernel<T, P>, n: usize, level: Level) {
    for rows in [1, 2, 5] {
        let inputs = Inputs::<T, P>::random(ROWS, &[rows, n], n as u64, 0.0, 1.0, kernel.spec.eps);
        let place = |gap| Place::strided(&[rows, n], 1, &[0], 1, gap);
        let found = kernel.run_at(&inputs, &[place(1), place(2), place(3), place(5)]);
        let expected = kernel.run([rows, n], &inputs);
        for (part, a, b) in [("y", &found.y, &expected.y), ("dx", &found.dx, &expected.dx)] {
            assert_eq!(bits(a), bits(b), "{} of {n} at {level}: {part} of {rows} rows apart", kernel.name);
        }
    }
}

macro_rules! each_apart {
    ($level:ident: $($n:literal)*) => { $(
        apart(&kernel!(bf16 / bf16, weight; kind = "rms", shape = [_, $n]), $n, $level);
        apart(&kernel!(f16, weight bias; kind = "layer", shape = [_, $n]), $n, $level);
    )* };
}

#[test]
fn nothing_is_written_between_rows() {
    let any = kernel!(bf16, weight bias; kind = "layer", shape = [_, _]);
    let any_f16 = kernel!(f16 / f16, weight; kind = "rms", shape = [_, _]);
    at_each_level_of_halves("rows apart", |level| {
        // Every part of the widest vector, alone and after whole ones; one element past each unroll.
        each_apart!(level: 1 2 3 5 6 9 13 17 18 19 23 31 65 257);
        for n in (1..=70).chain([129, 257, 513, 1025]) {
            apart(&any, n, level);
            apart(&any_f16, n, level);
        }
    });
}
