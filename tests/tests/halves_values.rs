//! Half types at the ends of their range, and what is not a number.

// Of what tests need, lints warn; this silences them.
#![allow(deprecated)]

use normkit::{Element, Level, bf16, f16};
use normkit_tests::rounding::Format;
use normkit_tests::{
    Inputs, Kernel, Numbers, Outputs, Sets, at_each_level_of_halves, bits, kernel, narrow, wide, widen,
};

const TOLERANCE: f64 = 2e-6;

/// A kernel with one of the lengths that it takes.
type Subject<'a, T> = (&'a Kernel<T>, usize);

/// Both techniques, with the length known or not, `eps` given at run time.
macro_rules! kernels {
    ($t:ident) => {
        [
            (kernel!($t, weight bias eps; kind = "layer", shape = [_, _], eps = _), &[5, 16, 33, 257][..]),
            (kernel!($t, weight eps; kind = "rms", shape = [_, _], eps = _), &[5, 16, 33, 257]),
            (kernel!($t, weight bias eps; kind = "layer", shape = [_, 20], eps = _), &[20]),
            (kernel!($t, weight eps; kind = "rms", shape = [_, 20], eps = _), &[20]),
            (kernel!($t, weight bias eps; kind = "layer", shape = [_, 100], eps = _), &[100]),
            (kernel!($t, weight eps; kind = "rms", shape = [_, 100], eps = _), &[100]),
        ]
    };
}

fn each<T: Element>(name: &str, kernels: &[(Kernel<T>, &[usize])], test: impl Fn(Subject<T>, Level)) {
    at_each_level_of_halves(&format!("{name} of {}", T::NAME), |level| {
        for (kernel, lengths) in kernels {
            for &n in *lengths {
                test((kernel, n), level);
            }
        }
    });
}

fn each_bf16(name: &str, test: impl Fn(Subject<bf16>, Level)) {
    each(name, &kernels!(bf16), test);
}

fn each_f16(name: &str, test: impl Fn(Subject<f16>, Level)) {
    each(name, &kernels!(f16), test);
}

const ROWS: usize = 5;

/// About normal numbers times `magnitude`.
fn random<T: Element>(n: usize, magnitude: f64, eps: f64) -> Inputs<T> {
    Inputs::random(Sets::Over(&[1]), &[ROWS, n], n as u64 + 5, 0.0, magnitude, eps)
}

/// The output is the oracle's, rounded once; the error of the arithmetic is relative to its largest value.
fn y_near<T: Element>((kernel, n): Subject<T>, inputs: &Inputs<T>, what: &str) -> Outputs<T> {
    let (found, expected) = (kernel.run([inputs.x.len() / n, n], inputs), kernel.oracle(n, inputs));
    let what = format!("{} of {n}, {what}", kernel.name);
    let format = Format::of::<T>().unwrap();
    format.rounded_once(&what, &widen(&found.y), &expected.y, f64::MIN_POSITIVE, TOLERANCE);
    found
}

/// The same for the gradient of x, whose terms are of the size of `rstd` times `dy` times the weight.
fn dx_near<T: Element>((kernel, n): Subject<T>, inputs: &Inputs<T>, what: &str) {
    let (found, expected) = (kernel.run([inputs.x.len() / n, n], inputs), kernel.oracle(n, inputs));
    let largest = |values: &[f64]| values.iter().fold(0.0_f64, |m, v| m.max(v.abs()));
    let scale = largest(&expected.rstd) * largest(&widen(&inputs.dy)) * largest(&widen(&inputs.weight));
    let what = format!("dx of {} of {n}, {what}", kernel.name);
    Format::of::<T>().unwrap().rounded_once(&what, &widen(&found.dx), &expected.dx, scale, TOLERANCE);
}

// ---- subnormals, zeros ----

/// All elements of `x` are subnormal: flushed to zero they would give zeros.
#[test]
fn subnormal_inputs() {
    fn test<T: Element>(subject: Subject<T>, ulp: f64, level: Level) {
        let n = subject.1;
        let mut inputs = random::<T>(n, 1.0, 0.0);
        let mut numbers = Numbers(n as u64);
        inputs.x = narrow(&(0..ROWS * n).map(|_| (numbers.next_unit() * 60.0).round() * ulp).collect::<Vec<_>>());
        inputs.bias = narrow(&vec![0.0; n]);
        let found = y_near(subject, &inputs, &format!("subnormal x at {level}"));
        assert!(widen(&found.y).iter().any(|y| y.abs() > 0.5));
    }
    each_bf16("subnormal inputs", |subject, level| test(subject, 2_f64.powi(-133), level));
    each_f16("subnormal inputs", |subject, level| test(subject, 2_f64.powi(-24), level));
}

/// Many outputs are subnormal, and rounded to the grid of these.
#[test]
fn subnormal_outputs() {
    fn test<T: Element>(subject: Subject<T>, weight: f32, level: Level) {
        let mut inputs = random::<T>(subject.1, 1.0, 1e-5);
        inputs.weight = narrow(&vec![f64::from(weight); subject.1]);
        inputs.bias = narrow(&vec![0.0; subject.1]);
        let found = y_near(subject, &inputs, &format!("subnormal y at {level}"));
        let largest = 2_f64.powi(if T::NAME == "f16" { -14 } else { -126 });
        let subnormal = widen(&found.y).iter().filter(|y| **y != 0.0 && y.abs() < largest).count();
        assert!(subnormal * 3 > found.y.len(), "{subnormal} of {}", found.y.len());
    }
    each_bf16("subnormal outputs", |subject, level| test(subject, f32::MIN_POSITIVE, level));
    each_f16("subnormal outputs", |subject, level| test(subject, 2e-5, level));
    each_f16("nearly vanishing outputs", |subject, level| {
        let mut inputs = random::<f16>(subject.1, 1.0, 1e-5);
        inputs.weight.fill(2e-7);
        inputs.bias.fill(0.0);
        y_near(subject, &inputs, &format!("nearly vanishing y at {level}"));
    });
}

/// Zeros keep their sign, and so does what vanishes when it is rounded.
#[test]
fn signs_of_zeros() {
    fn test<T: Element>((kernel, n): Subject<T>, vanishing: f64) {
        let mut inputs = random::<T>(n, 1.0, 1e-5);
        (inputs.weight, inputs.bias) = (narrow(&vec![1.0; n]), narrow(&vec![0.0; n]));
        if !kernel.spec.centred {
            for (i, x) in inputs.x.iter_mut().enumerate().filter(|(i, _)| i % 3 == 0) {
                *x = narrow(&[if i % 2 == 0 { 0.0 } else { -0.0 }])[0];
            }
            let found = kernel.run([ROWS, n], &inputs);
            for (x, y) in inputs.x.iter().zip(&found.y).filter(|(x, _)| wide(**x) == 0.0) {
                assert_eq!(wide(*y).to_bits(), wide(*x).to_bits(), "{} of {n}", kernel.name);
            }
        }
        // Whatever is no zero before is one after: only the sign is left of it.
        inputs.weight = narrow(&vec![vanishing; n]);
        inputs.bias = narrow(&vec![-0.0; n]);
        let (found, expected) = (kernel.run([ROWS, n], &inputs), kernel.oracle(n, &inputs));
        for (y, e) in widen(&found.y).into_iter().zip(expected.y).filter(|(_, e)| e.abs() > vanishing / 100.0) {
            assert_eq!(y.to_bits(), 0.0_f64.copysign(e).to_bits(), "{} of {n}: {e:e}", kernel.name);
        }
    }
    // Numbers of f32 that lie far below the smallest of the half type.
    each_bf16("signs of zeros", |subject, _| test(subject, 2_f64.powi(-139)));
    each_f16("signs of zeros", |subject, _| test(subject, 1e-12));
}

// ---- what is not a number ----

/// NaN and infinity in a row do to that row what they do in `f32`, and nothing to the others.
#[test]
fn not_a_number_stays_in_its_row() {
    fn test<T: Element>((kernel, n): Subject<T>, of_bits: fn(u16) -> T, level: Level) {
        let inputs = random::<T>(n, 1.0, 1e-5);
        let clean = kernel.run([ROWS, n], &inputs);
        let infinity = if T::NAME == "f16" { 0x7c00 } else { 0x7f80 };
        // Infinities of both signs; NaN: quiet, signaling, with all bits set.
        let values = [infinity, infinity | 0x8000, infinity | 0x60, infinity | 1, 0x7fff, 0xffff];
        for (case, value) in values.into_iter().enumerate() {
            for at in [0, n / 2, n - 1] {
                let (row, mut spoilt) = (case % ROWS, inputs.clone());
                spoilt.x[row * n + at] = of_bits(value);
                let found = kernel.run([ROWS, n], &spoilt);
                for i in 0..ROWS * n {
                    let what = format!("{} of {n} at {level}: {value:#x} at {at}, [{i}]", kernel.name);
                    let (y, dx) = (wide(found.y[i]), wide(found.dx[i]));
                    if i / n != row {
                        assert_eq!(y, wide(clean.y[i]), "{what}");
                        assert_eq!(dx, wide(clean.dx[i]), "{what}");
                    } else if case < 2 && !kernel.spec.centred && i % n != at {
                        // All others are nothing beside an infinity.
                        assert_eq!(y, 0.0, "{what}");
                    } else {
                        assert!(y.is_nan(), "{what}: {y}");
                    }
                }
            }
        }
    }
    each_bf16("not a number", |subject, level| test(subject, bf16::from_bits, level));
    each_f16("not a number", |subject, level| test(subject, f16::from_bits, level));
}

/// A NaN of any payload is stored as NaN: rounded as a number it could become an infinity or a zero.
#[test]
fn nan_of_any_payload_is_stored_as_nan() {
    fn test<T: Element<Compute = f32>>((kernel, n): Subject<T>, level: Level) {
        let inputs = random::<T>(n, 1.0, 1e-5);
        for payload in [0x7fc0_0000, 0x7f80_0001, 0x7f80_1fff, 0x7fff_ffff, 0xffff_ffff, 0xff80_0001, 0x7fff_8000] {
            for at in [0, n / 3, n - 1] {
                let mut spoilt = inputs.clone();
                spoilt.weight[at] = f32::from_bits(payload);
                let found = kernel.run([ROWS, n], &spoilt);
                for (i, y) in widen(&found.y).into_iter().enumerate() {
                    let what = format!("{} of {n} at {level}: {payload:#x} at {at}, [{i}] is {y}", kernel.name);
                    assert_eq!(y.is_nan(), i % n == at, "{what}");
                }
            }
        }
    }
    each_bf16("payloads", test);
    each_f16("payloads", test);
}

// ---- the ends of the range ----

/// Rows of ones: the output is the weight, so that it can be placed about what is rounded to infinity.
#[test]
fn outputs_overflow_where_rounding_does() {
    fn test<T: Element<Compute = f32>>((kernel, n): Subject<T>, largest: f64, level: Level) {
        if kernel.spec.centred {
            return;
        }
        let format = Format::of::<T>().unwrap();
        // Halfway between the largest number and what would be the next.
        let edge = largest + format.half_ulp(largest);
        let steps = [0.5, 0.9, largest / edge, 1.0 - 1e-5, 1.0 + 1e-5, 1.1, -1.0 - 1e-5, -1.0 + 1e-5];
        let weight: Vec<f64> =
            (0..n).map(|i| (edge * steps[i % steps.len()]).clamp(-f64::from(f32::MAX), f64::from(f32::MAX))).collect();
        let mut inputs = random::<T>(n, 1.0, 0.0);
        inputs.x = narrow(&vec![1.0; ROWS * n]);
        inputs.weight = narrow(&weight);
        let found = kernel.run([ROWS, n], &inputs);
        for (i, y) in widen(&found.y).into_iter().enumerate() {
            let expected = format.round(f64::from(inputs.weight[i % n]));
            assert_eq!(y, expected, "{} of {n} at {level}: [{i}], {:e}", kernel.name, inputs.weight[i % n]);
        }
    }
    each_bf16("overflow", |subject, level| test(subject, 255.0 * 2_f64.powi(120), level));
    each_f16("overflow", |subject, level| test(subject, 65504.0, level));
}

/// Rows of ones again, with weights halfway between neighbours: these go to the even one, those next to them to the nearer.
#[test]
fn ties_go_to_the_even() {
    fn test<T: Element<Compute = f32>>((kernel, n): Subject<T>, level: Level) {
        if kernel.spec.centred {
            return;
        }
        let format = Format::of::<T>().unwrap();
        let mut inputs = random::<T>(n, 1.0, 0.0);
        inputs.x = narrow(&vec![1.0; ROWS * n]);
        inputs.weight = (0..n)
            .map(|i| {
                let value = format.round(1.0 + i as f64 / 40.0);
                let tie = (value + format.half_ulp(value)) as f32;
                [tie, -tie, tie.next_up(), tie.next_down(), -tie.next_up()][i / 3 % 5]
            })
            .collect();
        let found = kernel.run([ROWS, n], &inputs);
        let exact = found.saved.rstd().iter().all(|rstd| *rstd == 1.0);
        assert!(exact || n != 16, "{} of {n} at {level}: {:?}", kernel.name, found.saved.rstd());
        for (i, y) in widen(&found.y).into_iter().enumerate().filter(|_| exact) {
            let expected = format.round(f64::from(inputs.weight[i % n]));
            assert_eq!(y, expected, "{} of {n} at {level}: [{i}], {:e}", kernel.name, inputs.weight[i % n]);
        }
    }
    each_bf16("ties", test);
    each_f16("ties", test);
}

/// Gradients of elements that lie close together are large: past 65504 they are infinite, below not.
#[test]
fn gradients_overflow_where_rounding_does() {
    each_f16("overflow of gradients", |subject, level| {
        let mut inputs = random::<f16>(subject.1, 2e-3, 0.0);
        inputs.dy = narrow(&Numbers(3).normal(inputs.x.len(), 0.0, 60.0));
        let found = subject.0.run([ROWS, subject.1], &inputs);
        dx_near(subject, &inputs, &format!("large gradients at {level}"));
        let infinite = widen(&found.dx).iter().filter(|dx| dx.is_infinite()).count();
        assert!(infinite > 0 && infinite < found.dx.len(), "{infinite} of {}", found.dx.len());
    });
}

#[test]
fn sixty_thousands_of_f16() {
    each_f16("sixty thousands", |subject, level| {
        let n = subject.1;
        let mut numbers = Numbers(n as u64);
        let signs: Vec<f64> = (0..ROWS * n).map(|_| 60000.0 * numbers.next_unit().signum()).collect();
        let near: Vec<f64> = (0..ROWS * n).map(|_| 60000.0 + 5000.0 * numbers.next_unit()).collect();
        let most: Vec<f64> = (0..ROWS * n).map(|i| if i % 3 == 0 { -65504.0 } else { 65504.0 }).collect();
        for (what, x) in [("of both signs", signs), ("close together", near), ("the largest", most)] {
            let inputs = Inputs { x: narrow(&x), ..random::<f16>(n, 1.0, 1e-5) };
            y_near(subject, &inputs, &format!("{what} at {level}"));
            dx_near(subject, &inputs, &format!("{what} at {level}"));
        }
    });
}

#[test]
fn any_magnitude_of_bf16() {
    each_bf16("any magnitude", |subject, level| {
        for magnitude in [1e-38, 1e-30, 1e-25, 1e-19, 1e-10, 1e10, 1e19, 1e25, 1e30, 3e37] {
            let inputs = random::<bf16>(subject.1, magnitude, 0.0);
            y_near(subject, &inputs, &format!("{magnitude:e} at {level}"));
            if (1e-31..=1e31).contains(&magnitude) {
                dx_near(subject, &inputs, &format!("{magnitude:e} at {level}"));
            }
        }
    });
}

// ---- nothing to normalize ----

#[test]
fn constant_rows() {
    fn test<T: Element>((kernel, n): Subject<T>, level: Level) {
        let mut inputs = random::<T>(n, 1.0, 1e-5);
        for (i, x) in inputs.x.iter_mut().enumerate() {
            *x = narrow(&[[0.0, 1.0, -3.0, 1000.0, 0.0078125][i / n]])[0];
        }
        let found = y_near((kernel, n), &inputs, &format!("constant rows at {level}"));
        if kernel.spec.centred {
            let format = Format::of::<T>().unwrap();
            let expected: Vec<f64> = widen(&inputs.bias).into_iter().map(|b| format.round(b)).collect();
            for row in widen(&found.y).chunks(n) {
                assert_eq!(row, expected, "{} of {n} at {level}", kernel.name);
            }
        }
        // Without eps there is no answer for a row of zeros; nor, where the mean is subtracted, for any of these.
        let others = random::<T>(n, 1.0, 0.0);
        let x: Vec<T> = [vec![T::default(); n], others.x[n..].to_vec()].concat();
        let found = kernel.run([ROWS, n], &Inputs { x, ..others.clone() });
        let clean = kernel.run([ROWS, n], &others);
        assert!(widen(&found.y[..n]).iter().all(|y| y.is_nan()), "{} of {n} at {level}", kernel.name);
        assert_eq!(bits(&found.y[n..]), bits(&clean.y[n..]), "{} of {n} at {level}", kernel.name);
    }
    each_bf16("constant rows", test);
    each_f16("constant rows", test);
}

/// A mean is the one element: what is normalized is 0, whatever it was, and so are its gradients.
#[test]
fn one_element_has_no_gradient() {
    fn test<T: Element>(fixed: &Kernel<T>, any: &Kernel<T>, level: Level) {
        let mut inputs = random::<T>(1, 1000.0, 1e-5);
        inputs.bias = narrow(&[0.75]);
        for kernel in [fixed, any] {
            let found = kernel.run([ROWS, 1], &inputs);
            assert!(widen(&found.y).iter().all(|y| *y == 0.75), "{} at {level}", kernel.name);
            assert!(widen(&found.dx).iter().all(|dx| *dx == 0.0), "{} at {level}", kernel.name);
            assert_eq!(widen(&found.dweight), [0.0], "{} at {level}", kernel.name);
        }
        let empty = Inputs { x: Vec::new(), dy: Vec::new(), ..inputs };
        let found = any.run([0, 1], &empty);
        assert_eq!((widen(&found.dweight), widen(&found.dbias)), (vec![0.0], vec![0.0]));
    }
    let bf16s = [
        kernel!(bf16, weight bias; kind = "layer", shape = [_, 1]),
        kernel!(bf16, weight bias; kind = "layer", shape = [_, _]),
    ];
    let f16s = [
        kernel!(f16, weight bias; kind = "layer", shape = [_, 1]),
        kernel!(f16, weight bias; kind = "layer", shape = [_, _]),
    ];
    at_each_level_of_halves("one element", |level| {
        test(&bf16s[0], &bf16s[1], level);
        test(&f16s[0], &f16s[1], level);
    });
}
