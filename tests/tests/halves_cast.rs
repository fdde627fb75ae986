//! `cast = before_weight`: the normalized element is rounded to the half type before the weight is applied, as Llama checkpoints expect.

// Of what tests need, lints warn; this silences them.
#![allow(deprecated)]

use normkit::{Element, Level, bf16, f16};
use normkit_tests::rounding::Format;
use normkit_tests::{Inputs, Kernel, Numbers, Sets, at_each_level_of_halves, bits, kernel, narrow, widen};

/// The error of `f32` arithmetic, relative to the larger of 1 and the largest value.
const TOLERANCE: f64 = 2e-6;

/// The gradient of the weight, and what it may be off by where `f32` and `f64` round an element to different sides.
struct Dweight {
    sum: Vec<f64>,
    unsure: Vec<f64>,
}

/// A kernel, and the same without the key.
struct Pair<T: Element, P: Element<Compute = T::Compute>> {
    before: Kernel<T, P>,
    once: Kernel<T, P>,
    sets: Sets,
}

/// `pair!(bf16 / bf16, weight; ROWS; keys of norm!)`.
macro_rules! pair {
    ($t:ident $(/ $p:ident)?, $($form:ident)*; $sets:expr; $($keys:tt)*) => {
        Pair {
            before: kernel!($t $(/ $p)?, $($form)*; $($keys)*, cast = before_weight),
            once: kernel!($t $(/ $p)?, $($form)*; $($keys)*),
            sets: $sets,
        }
    };
}

const ROWS: Sets = Sets::Over(&[1]);

impl<T: Element, P: Element<Compute = T::Compute>> Pair<T, P> {
    /// Against the definition in `f64`; `magnitude` is that of x.
    fn check(&self, dims: &[usize], magnitude: f64, level: Level) {
        let (kernel, sets) = (&self.before, self.sets);
        let format = Format::of::<T>().unwrap();
        let [_, _, params] = sets.counts(dims);
        let eps = if magnitude == 1.0 { kernel.spec.eps } else { 0.0 };
        let seed = dims.iter().fold(3, |seed, dim| seed * 31 + *dim as u64);
        let inputs = Inputs::<T, P>::random(sets, dims, seed, 0.0, magnitude, eps);
        let found = kernel.run_in(dims, &inputs);
        let what = format!("{} over {dims:?} at {level}, magnitude {magnitude:e}", kernel.name);

        // What is normalized, in f64 and rounded; and whether f32 may take it for the neighbour.
        let problem = sets.problem(dims, kernel.spec.centred, eps);
        let normalized = problem.forward(&widen(&inputs.x), None, None).y;
        let (weight, bias, param_of) = (widen(&inputs.weight), widen(&inputs.bias), sets.param_of(dims));
        let affine = |value: f64, i: usize| {
            let scaled = if kernel.has_weight() { value * weight[param_of[i]] } else { value };
            if kernel.has_bias() { scaled + bias[param_of[i]] } else { scaled }
        };
        let largest = (0..normalized.len()).fold(1.0_f64, |m, i| m.max(affine(normalized[i], i).abs()));
        let (mut inexact, y) = (0, widen(&found.y));
        let dy = widen(&inputs.dy);
        let mut dweight = Dweight { sum: vec![0.0; params], unsure: vec![0.0; params] };
        for (i, &normalized) in normalized.iter().enumerate() {
            let slack = TOLERANCE * normalized.abs().max(0.5);
            let [rounded, low, high] = [0.0, -slack, slack].map(|by| format.round(normalized + by));
            let expected = affine(rounded, i);
            inexact += usize::from(y[i] != format.round(expected));
            let near = |candidate: f64| {
                let value = affine(candidate, i);
                (y[i] - value).abs() <= format.half_ulp(value) * (1.0 + 1e-9) + TOLERANCE * largest
            };
            assert!(near(rounded) || near(low) || near(high), "{what}: [{i}] is {}, not {expected}", y[i]);
            dweight.sum[param_of[i]] += dy[i] * rounded;
            dweight.unsure[param_of[i]] += (dy[i] * (high - low)).abs();
        }
        assert!(inexact <= 1 + y.len() / 200, "{what}: {inexact} of {} elements are not as defined", y.len());

        if kernel.has_weight() {
            let scale = dweight.sum.iter().fold((y.len() as f64 / params as f64).sqrt(), |m, d| m.max(d.abs()));
            let each = widen(&found.dweight).into_iter().zip(dweight.sum.iter().zip(&dweight.unsure));
            for (i, (found, (expected, unsure))) in each.enumerate() {
                let error = (found - expected).abs();
                assert!(error <= TOLERANCE * scale + unsure, "{what}: dweight[{i}] is {found}, not {expected}");
            }
        }

        // The gradient of x knows nothing of it.
        let once = self.once.run_in(dims, &inputs);
        assert_eq!(bits(&found.dx), bits(&once.dx), "{what}: dx");
        assert_eq!(bits(&found.dbias), bits(&once.dbias), "{what}: dbias");
        assert_eq!((found.saved.rstd(), found.saved.mean()), (once.saved.rstd(), once.saved.mean()), "{what}");
    }
}

#[test]
fn rows() {
    let rms = pair!(bf16 / bf16, weight; ROWS; kind = "rms", shape = [_, 100]);
    let layer = pair!(f16 / bf16, weight bias; ROWS; kind = "layer", shape = [_, 24]);
    let plain = pair!(bf16,; ROWS; kind = "layer", shape = [_, 33], affine = false);
    let any_rms = pair!(f16 / f16, weight; ROWS; kind = "rms", shape = [_, _]);
    let any_layer = pair!(bf16, weight bias; ROWS; kind = "layer", shape = [_, _]);
    at_each_level_of_halves("rows", |level| {
        for rows in [1, 2, 3, 4, 5, 9, 300] {
            rms.check(&[rows, 100], 1.0, level);
            layer.check(&[rows, 24], 1.0, level);
            plain.check(&[rows, 33], 1.0, level);
        }
        for n in (1..=40).chain([63, 64, 65, 100, 127, 128, 129, 257, 768, 1000, 4099]) {
            for rows in [1, 2 + n % 7] {
                any_rms.check(&[rows, n], 1.0, level);
                any_layer.check(&[rows, n], 1.0, level);
            }
        }
    });
}

/// Rows that the fast formula does not hold for take another way, and round there as well.
#[test]
fn rows_of_any_magnitude() {
    let fixed = pair!(bf16 / bf16, weight eps; ROWS; kind = "rms", shape = [_, 100], eps = _);
    let any = pair!(bf16, weight bias eps; ROWS; kind = "layer", shape = [_, _], eps = _);
    at_each_level_of_halves("rows of any magnitude", |level| {
        for magnitude in [1e-30, 1e-20, 1e-3, 1e3, 1e20, 1e30] {
            fixed.check(&[5, 100], magnitude, level);
            any.check(&[5, 77], magnitude, level);
        }
    });
}

/// Channels of images, normalized over axis 1; and around an axis.
#[test]
fn columns() {
    let fixed = pair!(bf16 / bf16, weight; Sets::Over(&[1]); kind = "rms", shape = [_, 24, 7, 5], axis = 1);
    let any = pair!(f16, weight; Sets::Over(&[1]); kind = "rms", shape = [_, _, _, _], axis = 1);
    let layer = pair!(bf16, weight bias; Sets::Over(&[1]); kind = "layer", shape = [_, _, _], axis = 1);
    let around = pair!(bf16 / f16, weight; Sets::Over(&[1, 3]); kind = "rms", shape = [_, _, _, _], axis = [1, 3]);
    at_each_level_of_halves("columns", |level| {
        for n in [1, 3] {
            fixed.check(&[n, 24, 7, 5], 1.0, level);
            for [c, h, w] in [[3, 7, 7], [16, 1, 9], [33, 4, 8], [64, 3, 11], [5, 16, 16], [1, 3, 3], [200, 2, 3]] {
                any.check(&[n, c, h, w], 1.0, level);
                layer.check(&[n, c, h * w], 1.0, level);
                around.check(&[n, c, h, w], 1.0, level);
            }
        }
    });
}

#[test]
fn columns_of_any_magnitude() {
    const OVER: Sets = Sets::Over(&[1]);
    let rms = pair!(bf16 / bf16, weight eps; OVER; kind = "rms", shape = [_, _, _], axis = 1, eps = _);
    let layer = pair!(bf16, weight bias eps; OVER; kind = "layer", shape = [_, 12, _], axis = 1, eps = _);
    at_each_level_of_halves("columns of any magnitude", |level| {
        for magnitude in [1e-30, 1e-20, 1e-3, 1e3, 1e20, 1e30] {
            rms.check(&[2, 9, 21], magnitude, level);
            layer.check(&[3, 12, 18], magnitude, level);
        }
    });
}

/// The two are different functions, also of ordinary numbers.
#[test]
fn before_and_once_differ() {
    let pair = pair!(bf16 / bf16, weight; ROWS; kind = "rms", shape = [_, 256], eps = 0);
    at_each_level_of_halves("before and once", |level| {
        let mut numbers = Numbers(1);
        let inputs = Inputs::<bf16, bf16> {
            x: narrow(&numbers.normal(4 * 256, 0.0, 1.0)),
            dy: narrow(&numbers.normal(4 * 256, 0.0, 1.0)),
            weight: narrow(&numbers.normal(256, 1.0, 0.5)),
            bias: Vec::new(),
            eps: 0.0,
        };
        let (before, once) = (pair.before.run([4, 256], &inputs), pair.once.run([4, 256], &inputs));
        let differ = bits(&before.y).iter().zip(bits(&once.y)).filter(|(a, b)| **a != *b).count();
        // About a quarter: either rounding moves by up to half an ulp.
        assert!((100..500).contains(&differ), "{differ} of 1024 at {level}");
        assert_ne!(before.dweight, once.dweight, "{level}");
        assert_eq!(bits(&before.dx), bits(&once.dx), "{level}");
    });
}
