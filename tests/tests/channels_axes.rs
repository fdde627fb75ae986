//! Rms and layer norm over axes that are not the last, and weight norm over any axis, against the f64 oracle.

// Of what tests need, lints warn; this silences them.
#![allow(deprecated)]

use normkit_tests::check::{Case, Check, WeightCase, check_all};
use normkit_tests::open::{self, Open};
use normkit_tests::{Inputs, Kernel, Sets, WeightNorm, at_each_level, kernel, weight_norm};

struct Owned<T: normkit::Compute> {
    kernel: Kernel<T>,
    axes: &'static [usize],
    rest: Vec<usize>,
}

impl<T: normkit::Compute> Check for Owned<T> {
    fn check(&self, n: usize, level: normkit::Level) {
        Case { kernel: &self.kernel, sets: Sets::Over(self.axes), rest: self.rest.clone() }.check(n, level);
    }
    fn name(&self) -> &'static str {
        self.kernel.name
    }
}

struct OwnedWeight<T: normkit::Compute> {
    kernel: WeightNorm<T>,
    axis: usize,
    rest: Vec<usize>,
}

impl<T: normkit::Compute> Check for OwnedWeight<T> {
    fn check(&self, n: usize, level: normkit::Level) {
        WeightCase { kernel: &self.kernel, axis: self.axis, rest: self.rest.clone() }.check(n, level);
    }
    fn name(&self) -> &'static str {
        self.kernel.name
    }
}

/// `[first, dims]` over these axes; `first` is `_` or a number, which then is all that axis 0 is checked with.
macro_rules! over {
    ($($t:ident $kind:literal ($($form:ident)*) [$first:tt $(, $dim:literal)*] [$($axis:literal),*] $(, $affine:tt)?;)*) => {
        vec![$({
            let kernel = kernel!(
                $t, $($form)*; kind = $kind, shape = [$first $(, $dim)*], axis = [$($axis),*] $(, affine = $affine)?
            );
            Box::new(Owned { kernel, axes: &[$($axis),*], rest: vec![$($dim),*] }) as Box<dyn Check>
        }),*]
    };
}

/// `[first, dims]`, keeping one axis.
macro_rules! keeping {
    ($($t:ident ($($form:ident)*) [$first:tt $(, $dim:literal)*] $axis:literal;)*) => {
        vec![$({
            let kernel = weight_norm!($t, $($form)*; shape = [$first $(, $dim)*], axis = $axis);
            Box::new(OwnedWeight { kernel, axis: $axis, rest: vec![$($dim),*] }) as Box<dyn Check>
        }),*]
    };
}

/// ConvNeXt's channels-first layer norm.
#[test]
fn channels_between_batch_and_space() {
    let cases = over! {
        f32 "layer" (weight bias) [_, 3, 7, 7] [1];
        f32 "layer" (weight bias) [_, 16, 16] [1];
        f32 "layer" (weight bias) [_, 96, 14, 14] [1];
        f32 "layer" (weight bias) [_, 1, 17] [1];
        f32 "layer" (weight bias) [_, 129, 33] [1];
        f32 "layer" (weight) [_, 31, 1] [1], weight;
        f32 "layer" () [_, 64, 65] [1], false;
        f32 "rms" (weight) [_, 5, 49] [1];
        f32 "rms" () [_, 17, 129] [1], false;
        f64 "layer" (weight bias) [_, 17, 7, 7] [1];
        f64 "rms" (weight) [_, 33, 17] [1];
    };
    check_all("axis 1", &cases, &[0, 1, 2, 3]);
}

/// Several axes, with kept ones before, between and after them.
#[test]
fn any_axes() {
    let cases = over! {
        f32 "layer" (weight bias) [_, 3, 5, 17] [1, 2];
        f32 "layer" (weight bias) [_, 3, 5, 17] [1, 3];
        f32 "rms" (weight) [_, 4, 3, 5, 2] [1, 3];
        f32 "layer" (weight bias) [_, 6, 3, 33] [2];
        f64 "layer" (weight bias) [_, 4, 3, 5, 2] [2, 4];
    };
    check_all("several axes", &cases, &[0, 1, 2, 3, 9]);
    // Axis 0 among them.
    let cases = over! {
        f32 "layer" (weight bias) [9, 33] [0];
        f32 "rms" (weight) [9, 17, 3] [0];
        f32 "layer" (weight bias) [9, 5, 16] [0, 2];
        f32 "layer" (weight bias) [9, 5, 31] [0, 1];
    };
    check_all("axis 0", &cases, &[9]);
}

const SIZES: [usize; 14] = [1, 2, 3, 5, 15, 16, 17, 31, 33, 49, 64, 65, 128, 129];

#[test]
fn axes_at_run_time() {
    let first = open::three_axes().into_iter().filter(|open| open.sets == Sets::Over(&[1]));
    let kernels: Vec<Open<f32>> = first.chain(open::other_axes()).collect();
    at_each_level("axes at run time", |level| {
        for Open { kernel, sets, .. } in &kernels {
            for size in SIZES {
                for n in [1, 2, 3] {
                    Case { kernel, sets: *sets, rest: vec![size, 7] }.check(n, level);
                    Case { kernel, sets: *sets, rest: vec![7, size] }.check(n, level);
                }
                Case { kernel, sets: *sets, rest: vec![3, 5] }.check(size, level);
            }
            Case { kernel, sets: *sets, rest: vec![320, 49] }.check(2, level);
            Case { kernel, sets: *sets, rest: vec![33, 1000] }.check(2, level);
            Case { kernel, sets: *sets, rest: vec![2, 9] }.check(300, level);
        }
    });
}

#[test]
fn weights() {
    let cases = keeping! {
        f32 (g) [9, 1] 0;
        f32 (g) [9, 17] 0;
        f32 (g) [9, 3, 3, 3] 0;
        f32 (g) [9, 1000] 0;
        f32 () [9, 64] 0;
        f32 (g) [9, 3] 1;
        f32 (g) [9, 33] 1;
        f32 (g) [9, 16, 9] 1;
        f32 () [9, 129] 1;
        f32 (g) [9, 4, 5] 2;
        f64 (g) [9, 17] 0;
        f64 (g) [9, 17] 1;
    };
    check_all("weights", &cases, &[9]);
    let cases = keeping!(f32 (g) [512, 300] 0; f32 (g) [300, 129] 1;);
    check_all("a weight of rows", &cases[..1], &[512]);
    check_all("a weight of columns", &cases[1..], &[300]);
}

#[test]
fn weights_at_run_time() {
    let (rows, columns, middle) = (open::weight_rows(), open::weight_columns(), open::weight_middle());
    let wide = open::weight_f64();
    at_each_level("weights at run time", |level| {
        for size in SIZES.into_iter().chain([257, 1000]) {
            for n in [1, 2, 3, 17] {
                WeightCase { kernel: &rows, axis: 0, rest: vec![size] }.check(n, level);
                WeightCase { kernel: &columns, axis: 1, rest: vec![size] }.check(n, level);
                WeightCase { kernel: &middle, axis: 1, rest: vec![size, 9] }.check(n, level);
                WeightCase { kernel: &middle, axis: 1, rest: vec![5, size] }.check(n, level);
                WeightCase { kernel: &wide[0], axis: 0, rest: vec![3, size] }.check(n, level);
                WeightCase { kernel: &wide[1], axis: 1, rest: vec![size, 3] }.check(n, level);
            }
        }
        for n in [0, 5] {
            WeightCase { kernel: &rows, axis: 0, rest: vec![7] }.check(n, level);
        }
        WeightCase { kernel: &columns, axis: 1, rest: vec![0] }.check(3, level);
    });
}
/// Without a mean, a zero keeps its sign, and infinity leaves zeros beside it, as in rows; with one, all of -0 gives +0.
#[test]
fn zeros_and_infinities_over_channels() {
    let rms = open::other_axes().swap_remove(0).kernel;
    let layer = open::three_axes().swap_remove(4).kernel;
    let fixed = kernel!(f32, weight; kind = "rms", shape = [_, 9, 21], axis = 1);
    at_each_level("zeros and infinities", |level| {
        let (dims, sets) = ([2, 9, 21], Sets::Over(&[1]));
        let set_of = sets.set_of(&dims);
        for kernel in [&rms, &fixed] {
            let clean = Inputs::<f32>::random(sets, &dims, 5, 0.0, 1.0, kernel.spec.eps);
            let of_clean = kernel.run_in(&dims, &clean);
            for at in [0, 5, 20, 200, 377] {
                for value in [0.0, -0.0, f32::INFINITY, f32::NEG_INFINITY, f32::NAN] {
                    let mut inputs = clean.clone();
                    inputs.x[at] = value;
                    let y = kernel.run_in(&dims, &inputs).y;
                    for (i, &v) in y.iter().enumerate() {
                        let fine = match (set_of[i] == set_of[at], i == at) {
                            (false, _) => v.to_bits() == of_clean.y[i].to_bits(),
                            _ if value.is_nan() => v.is_nan(),
                            (_, true) if value == 0.0 => {
                                v == 0.0
                                    && (v.is_sign_negative() != inputs.weight[i / 21 % 9].is_sign_negative())
                                        == value.is_sign_negative()
                            }
                            (_, true) => v.is_nan(),
                            _ => value == 0.0 || v == 0.0,
                        };
                        assert!(fine, "{} at {level}, {value} at {at}: y[{i}] is {v}", kernel.name);
                    }
                }
            }
        }
        let inputs = Inputs::<f32> { x: vec![-0.0; 378], ..Inputs::random(sets, &dims, 5, 0.0, 1.0, 1e-5) };
        let inputs = Inputs { weight: vec![1.0; 9], bias: vec![0.0; 9], ..inputs };
        assert!(layer.run_in(&dims, &inputs).y.iter().all(|v| v.to_bits() == 0), "{level}: -0 stays");
    });
}
