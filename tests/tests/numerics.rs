//! Inputs on which normalization is commonly computed badly. `--nocapture` prints the errors that were found.
//!
//! Where a case is about cancellation, the textbook formula `E[x^2] - E[x]^2` is computed beside the kernel and must miss
//! the bound: a case that it passes shows nothing.

// Of what tests need, lints warn; this silences them.
#![allow(deprecated)]

use normkit::generic::reference::Problem;
use normkit::{Compute, Level, Saved};
use normkit_tests::{Inputs, Kernel, Numbers, at_each_level, bits, error, kernel, narrow, widen};

/// Layer norm of any length and eps.
fn layer() -> Kernel<f32> {
    kernel!(f32, weight bias eps; kind = "layer", shape = [_, _], eps = _)
}

/// RMS norm of any length and eps.
fn rms() -> Kernel<f32> {
    kernel!(f32, weight eps; kind = "rms", shape = [_, _], eps = _)
}

/// The same for rows of 256.
fn layer_256() -> Kernel<f32> {
    kernel!(f32, weight bias eps; kind = "layer", shape = [_, 256], eps = _)
}

/// The same for rows of 256.
fn rms_256() -> Kernel<f32> {
    kernel!(f32, weight eps; kind = "rms", shape = [_, 256], eps = _)
}

/// Weight 1, bias 0, and some output gradient.
fn plain(x: Vec<f32>, n: usize, eps: f64) -> Inputs<f32> {
    let dy = narrow(&Numbers(77).normal(x.len(), 0.0, 1.0));
    Inputs { x, dy, weight: vec![1.0; n], bias: vec![0.0; n], eps: eps as f32 }
}

/// The largest error in units of `max(1, |expected|)`.
fn scaled(found: &[f32], expected: &[f64]) -> f64 {
    assert_eq!(found.len(), expected.len());
    let each = found.iter().zip(expected).map(|(f, e)| (f64::from(*f) - e).abs() / e.abs().max(1.0));
    each.fold(0.0, |m: f64, e| if e > m || e.is_nan() { e } else { m })
}

/// The largest error in units of the last place of the expected value.
fn ulps(found: &[f32], expected: &[f64]) -> (f64, f64) {
    let each = found.iter().zip(expected).map(|(f, e)| {
        let ulp = f64::from((*e as f32).abs().next_up()) - f64::from((*e as f32).abs());
        (f64::from(*f) - e).abs() / ulp
    });
    let each: Vec<f64> = each.collect();
    (each.iter().fold(0.0, |m: f64, e| m.max(*e)), each.iter().sum::<f64>() / each.len() as f64)
}

/// The error relative to the largest value expected.
fn relative(found: &[f32], expected: &[f64]) -> f64 {
    error(&widen(found), expected, f64::MIN_POSITIVE)
}

/// Mean and one over the deviation by the textbook formula in `f32`, in 16 chains as vectors would have it.
fn naive_statistics(x: &[f32], centred: bool, eps: f32) -> (f32, f32) {
    let (mut sums, mut squares) = ([0.0_f32; 16], [0.0_f32; 16]);
    for (i, &v) in x.iter().enumerate() {
        sums[i % 16] += v;
        squares[i % 16] += v * v;
    }
    let n = x.len() as f32;
    let mean = if centred { sums.iter().sum::<f32>() / n } else { 0.0 };
    let variance = squares.iter().sum::<f32>() / n - mean * mean;
    (mean, 1.0 / (variance + eps).sqrt())
}

/// Rows without parameters by the textbook formula.
fn naive_forward(inputs: &Inputs<f32>, centred: bool) -> Vec<f32> {
    let rows = inputs.x.chunks_exact(inputs.weight.len());
    rows.flat_map(|x| {
        let (mean, rstd) = naive_statistics(x, centred, inputs.eps);
        x.iter().map(move |v| (v - mean) * rstd)
    })
    .collect()
}

/// The gradient of x, without parameters, by the textbook formula.
fn naive_backward(inputs: &Inputs<f32>, centred: bool) -> Vec<f32> {
    let n = inputs.weight.len();
    let rows = inputs.x.chunks_exact(n).zip(inputs.dy.chunks_exact(n));
    rows.flat_map(|(x, dy)| {
        let (mean, rstd) = naive_statistics(x, centred, inputs.eps);
        let h: Vec<f32> = x.iter().map(|v| (v - mean) * rstd).collect();
        let mean_g = if centred { dy.iter().sum::<f32>() / n as f32 } else { 0.0 };
        let mean_gh = dy.iter().zip(&h).map(|(g, h)| g * h).sum::<f32>() / n as f32;
        dy.iter().zip(h).map(move |(g, h)| rstd * (g - mean_g - h * mean_gh)).collect::<Vec<_>>()
    })
    .collect()
}

/// Not less than, and NaN is as bad as can be.
fn misses(error: f64, bound: f64) -> bool {
    error.is_nan() || error > bound
}

// ---- cancellation ----

#[test]
fn layer_forward_far_from_zero() {
    const BOUND: f64 = 1e-6;
    let cases: Vec<_> = [1e2, 1e3, 1e4, 1e5, 1e6]
        .into_iter()
        .flat_map(|mean| [1.0, -1.0].map(|sign| sign * mean))
        .map(|mean| {
            let x = narrow(&Numbers(mean as u64).normal(9 * 256, mean, 1.0));
            (format!("mean {mean:e}"), plain(x, 256, 1e-5))
        })
        .collect();
    far_from_zero("far from zero", &cases, BOUND);
}

/// Rows `base + step * i`, rounded as `f32` rounds them.
#[test]
fn layer_forward_of_ramps() {
    const BOUND: f64 = 1e-6;
    let ramps = [(100.0, 1e-3), (1e3, 1e-3), (1e4, 1e-3), (1e6, 1e-3), (1e6, 1.0), (1e7, 1.0), (-1e6, 1e-2)];
    let cases: Vec<_> = ramps
        .into_iter()
        .map(|(base, step): (f64, f64)| {
            let x: Vec<f64> = (0..5 * 256).map(|i| base + step * f64::from(i % 256)).collect();
            (format!("{base:e} + {step:e} i"), plain(narrow(&x), 256, 1e-5))
        })
        .collect();
    far_from_zero("ramps", &cases, BOUND);
    let four = plain(narrow(&[4e4, 4e4 + 1.0, 4e4 + 2.0, 4e4 + 3.0]), 4, 1e-5);
    far_from_zero("four", &[("4e4 + i".to_string(), four)], BOUND);
}

/// The first elements are nothing like the rest: a pivot taken from them alone is far from the mean.
#[test]
fn outliers_first() {
    let kernels = [(64, layer()), (256, layer()), (256, layer_256()), (4096, layer()), (8192, layer())];
    for size in [1e4, -1e6] {
        at_each_level("outliers first", |level| {
            for (n, kernel) in &kernels {
                for outliers in [1, 4] {
                    let mut x = narrow::<f32>(&Numbers(*n as u64).normal(3 * n, 0.0, 1.0));
                    x[*n..n + outliers].fill(size);
                    let inputs = plain(x, *n, 1e-5);
                    let (found, expected) = (kernel.run([3, *n], &inputs), kernel.oracle(*n, &inputs));
                    let (y, dx) = (scaled(&found.y, &expected.y), relative(&found.dx, &expected.dx));
                    let what = format!("{level}, n {n}, {outliers} of {size:e}: y {y:.1e}, dx {dx:.1e}");
                    println!("outliers first at {what}");
                    assert!(y <= 1e-6 && dx <= 5e-7, "{what}");
                }
            }
        });
    }
    // One sweep about the first element, without a guard, must miss the bound.
    let n = 4096;
    let mut x = narrow::<f32>(&Numbers(n as u64).normal(n, 0.0, 1.0));
    x[..4].fill(1e4);
    let inputs = plain(x, n, 1e-5);
    let shifted = Inputs { x: inputs.x.iter().map(|v| v - inputs.x[0]).collect(), ..inputs.clone() };
    let naive = scaled(&naive_forward(&shifted, true), &layer().oracle(n, &inputs).y);
    assert!(misses(naive, 1e-6), "without a guard the error is {naive:e}: this test shows nothing");
}

fn far_from_zero(name: &str, cases: &[(String, Inputs<f32>)], bound: f64) {
    let kernels = [layer(), layer_256()];
    for (what, inputs) in cases {
        let expected = kernels[0].oracle(inputs.weight.len(), inputs);
        let naive = scaled(&naive_forward(inputs, true), &expected.y);
        assert!(misses(naive, bound), "{what}: the naive formula has {naive:e}: this case shows nothing");
        println!("{name}, {what}: naive {naive:.1e}");
    }
    at_each_level(name, |level| {
        let mut worst = 0.0_f64;
        for (what, inputs) in cases {
            let n = inputs.weight.len();
            for kernel in kernels.iter().filter(|kernel| kernel.spec.param_len().is_none_or(|len| len == n)) {
                let found = kernel.run([inputs.x.len() / n, n], inputs);
                let error = scaled(&found.y, &kernel.oracle(n, inputs).y);
                assert!(!misses(error, bound), "{} at {level}, {what}: {error:e}", kernel.name);
                worst = worst.max(error);
            }
        }
        println!("{name} at {level}: worst {worst:.1e}");
    });
}

#[test]
fn layer_backward_far_from_zero() {
    const BOUND: f64 = 2e-6;
    at_each_level("backward far from zero", |level| {
        for (mean, deviation) in [(1e4, 1.0), (1e6, 1.0), (-1e6, 0.3), (1e4, 1e-2)] {
            let x = narrow(&Numbers(3).normal(33 * 256, mean, deviation));
            let inputs = plain(x, 256, 1e-5);
            let expected = layer().oracle(256, &inputs);
            let naive = relative(&naive_backward(&inputs, true), &expected.dx);
            assert!(misses(naive, BOUND), "the naive formula has {naive:e}: this case shows nothing");
            for kernel in [layer(), layer_256()] {
                let found = kernel.run([33, 256], &inputs);
                let dx = relative(&found.dx, &expected.dx);
                let dweight = relative(&found.dweight, &expected.dweight);
                println!(
                    "backward at {level}, mean {mean:e} deviation {deviation:e}: dx {dx:.1e} (naive {naive:.1e}), \
                     dweight {dweight:.1e}"
                );
                assert!(dx <= BOUND && dweight <= BOUND, "{}: {dx:e} {dweight:e}", kernel.name);
            }
        }
    });
}

// ---- magnitude ----

/// What is finite comes out finite and right, though its square overflows or vanishes.
#[test]
fn magnitudes() {
    const BOUND: f64 = 1e-5;
    let of = |scale: f64, n: usize| -> Vec<f32> {
        narrow(&Numbers(n as u64).normal(5 * n, 0.0, 1.0).iter().map(|v| v * scale).collect::<Vec<_>>())
    };
    // The sizes of the elements of one row, which may be of any magnitude between these two.
    let mixed = |low: f64, high: f64, n: usize| -> Vec<f32> {
        let mut numbers = Numbers(n as u64);
        let each = (0..5 * n).map(|_| {
            let size = 10_f64.powf(low + (high - low) * (numbers.next_unit() + 1.0) / 2.0);
            size * numbers.next_unit().signum()
        });
        narrow(&each.collect::<Vec<_>>())
    };
    let mut cases = Vec::new();
    for n in [1, 3, 4, 17, 256, 1000] {
        for (scale, eps) in [
            (1e20, 1e-5),
            (1e30, 1e-5),
            (1e37, 1e-5),
            (1e20, 0.0),
            (1e30, 0.0),
            (1e-25, 0.0),
            (1e-30, 0.0),
            (1e-25, 1e-5),
            (1e-25, 1e-30),
            (1.0, 1e38),
        ] {
            cases.push((format!("{scale:e}, n {n}, eps {eps:e}"), plain(of(scale, n), n, eps)));
        }
        for (low, high, eps) in
            [(-30.0, 30.0, 1e-5), (-30.0, 0.0, 1e-5), (0.0, 37.0, 0.0), (-37.0, -20.0, 0.0), (-25.0, -15.0, 1e-30)]
        {
            cases.push((format!("1e{low} to 1e{high}, n {n}, eps {eps:e}"), plain(mixed(low, high, n), n, eps)));
        }
    }
    let mut bitten = 0;
    at_each_level("magnitudes", |level| {
        let (mut worst_y, mut worst_dx) = (0.0_f64, 0.0_f64);
        for (what, inputs) in &cases {
            let n = inputs.weight.len();
            for kernel in [layer(), layer_256(), rms(), rms_256()] {
                if kernel.spec.param_len().is_some_and(|len| len != n) {
                    continue;
                }
                // 0 / 0, as below.
                if n == 1 && kernel.spec.centred && inputs.eps == 0.0 {
                    continue;
                }
                let (found, expected) = (kernel.run([5, n], inputs), kernel.oracle(n, inputs));
                let what = format!("{} at {level}, {what}", kernel.name);
                let all = [&found.y, &found.dx, &found.dweight, &found.dbias];
                assert!(all.iter().all(|values| values.iter().all(|v| v.is_finite())), "{what}: not finite");
                let y = relative(&found.y, &expected.y);
                assert!(y <= BOUND, "{what}: y {y:e}");
                // dx is a small difference of large terms where a row of a few elements is normalized.
                let largest = expected.rstd.iter().fold(f64::MIN_POSITIVE, |m, &r| m.max(r));
                let dx = error(&widen(&found.dx), &expected.dx, largest);
                assert!(dx <= BOUND, "{what}: dx {dx:e}");
                (worst_y, worst_dx) = (worst_y.max(y), worst_dx.max(dx));
                if misses(relative(&naive_forward(inputs, kernel.spec.centred), &expected.y), BOUND) {
                    bitten += 1;
                }
            }
        }
        println!("magnitudes at {level}: worst y {worst_y:.1e}, dx {worst_dx:.1e}");
    });
    println!("magnitudes: the naive formula misses {bitten}");
    assert!(bitten > cases.len(), "the naive formula misses only {bitten}");
}

/// Rows whose sums, and whose distances from the mean, are beyond the largest number of the type.
const LARGEST: [[f32; 4]; 5] = [
    [3e38, 3e38, 3e38, -3e38],
    [3e38, -3e38, -3e38, -3e38],
    [f32::MAX, f32::MAX, 0.0, f32::MAX],
    [f32::MAX, f32::MIN, f32::MAX, f32::MIN],
    [1e38, 2e38, -1e38, 1.0],
];

#[test]
fn the_largest_numbers_forward() {
    at_each_level("the largest numbers", |level| {
        for kernel in [layer(), rms()] {
            for x in LARGEST {
                let inputs = plain(x.to_vec(), 4, 1e-5);
                let mut y = [f32::NAN; 4];
                (kernel.forward)((&inputs.x).into(), inputs.params(), (&mut y).into()).unwrap();
                let expected = kernel.oracle(4, &inputs).y;
                let error = relative(&y, &expected);
                assert!(error <= 1e-5, "{} at {level} of {x:?}: {y:?}, not {expected:?}", kernel.name);
            }
        }
    });
}

/// dx is of the order of 1e-39 there, where `f32` has no more than 18 bits.
#[test]
fn the_largest_numbers_backward() {
    let mut failures = Vec::new();
    at_each_level("the largest numbers backward", |level| {
        for kernel in [layer(), rms()] {
            for x in LARGEST {
                let inputs = plain(x.to_vec(), 4, 1e-5);
                let (found, expected) = (kernel.run([1, 4], &inputs), kernel.oracle(4, &inputs));
                let dx = error(&widen(&found.dx), &expected.dx, expected.rstd[0]);
                let dweight = relative(&found.dweight, &expected.dweight);
                if misses(dx, 1e-5) || misses(dweight, 1e-5) {
                    failures.push(format!(
                        "{} at {level} of {x:?}:\n  dx {:?}, not {:?},\n  dweight {:?}, not {:?}",
                        kernel.name, found.dx, expected.dx, found.dweight, expected.dweight
                    ));
                }
            }
        }
    });
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn denormals() {
    at_each_level("denormals", |level| {
        for n in [1, 5, 256] {
            let x: Vec<f32> = (0..3 * n).map(|i| f32::from_bits(71_362 + i as u32 % 7)).collect();
            for kernel in [rms(), layer()] {
                let inputs = plain(x.clone(), n, 1e-6);
                let (found, expected) = (kernel.run([3, n], &inputs), kernel.oracle(n, &inputs));
                if kernel.spec.centred {
                    // The mean of denormals has no more bits than they have.
                    assert!(found.y.iter().all(|v| v.abs() < 1e-40), "{:?}", found.y);
                } else {
                    assert!(relative(&found.y, &expected.y) < 1e-5, "{} at {level}, n {n}", kernel.name);
                }
                assert!(found.dx.iter().all(|v| v.is_finite()));
                // Without eps anything may come out, but nothing may go wrong; also between denormals and zeros.
                let zeros = x.iter().enumerate().map(|(i, &v)| if i % 3 == 0 { 0.0 } else { v }).collect();
                for x in [x.clone(), zeros, vec![f32::from_bits(1); 3 * n]] {
                    let _ = kernel.run([3, n], &plain(x, n, 0.0));
                }
            }
        }
    });
}

// ---- rows without deviation ----

fn random_params(n: usize, x: Vec<f32>, eps: f64) -> Inputs<f32> {
    let mut numbers = Numbers(n as u64);
    let dy = narrow(&numbers.normal(x.len(), 0.0, 1.0));
    let (weight, bias) = (narrow(&numbers.normal(n, 1.0, 0.5)), narrow(&numbers.normal(n, 0.0, 0.5)));
    Inputs { x, dy, weight, bias, eps: eps as f32 }
}

#[test]
fn constant_rows() {
    at_each_level("constant rows", |level| {
        for n in [1, 2, 3, 4, 5, 64, 100, 256, 1000] {
            for kernel in [layer(), layer_256()] {
                if kernel.spec.param_len().is_some_and(|len| len != n) {
                    continue;
                }
                for value in [0.0, 0.1, -0.1, 1234.0, 1e-20, 1e6, 1e15, -1e30] {
                    let inputs = random_params(n, vec![value; 5 * n], 1e-5);
                    let found = kernel.run([5, n], &inputs);
                    let what = format!("{} at {level}, n {n} of {value:e}", kernel.name);
                    assert!(found.y.chunks_exact(n).all(|y| y == inputs.bias), "{what}: not the bias");
                    assert!(found.dweight.iter().all(|&v| v == 0.0), "{what}: dweight {:?}", found.dweight);
                    let expected = kernel.oracle(n, &inputs);
                    let dx = error(&widen(&found.dx), &expected.dx, expected.rstd[0]);
                    assert!(dx < 2e-6, "{what}: dx {dx:e}");
                    // 0 / 0, as PyTorch has it.
                    let found = kernel.run([5, n], &Inputs { eps: 0.0, ..inputs });
                    assert!(found.y.iter().all(|v| v.is_nan()), "{what}, eps 0: {:?}", found.y);
                }
            }
        }
        // The naive formula does not see that 1234 is constant.
        let inputs = plain(vec![1234.1; 256], 256, 1e-5);
        assert!(naive_forward(&inputs, true).iter().any(|&v| v != 0.0), "this case shows nothing");
    });
}

/// Equal only after rounding to f32: 1e15, 1e15 + 1, ...
#[test]
fn rows_that_rounding_made_constant() {
    at_each_level("rounded to constant", |_| {
        let x: Vec<f64> = (0..256).map(|i| 1e15 + f64::from(i)).collect();
        let found = layer_256().run([1, 256], &plain(narrow(&x), 256, 1e-5));
        assert!(found.y.iter().all(|&v| v == 0.0));
    });
}

#[test]
fn zero_rows_of_rms() {
    at_each_level("zero rows", |level| {
        for n in [1, 3, 16, 100, 256] {
            for kernel in [rms(), rms_256()] {
                if kernel.spec.param_len().is_some_and(|len| len != n) {
                    continue;
                }
                let inputs = random_params(n, vec![0.0; 5 * n], 1e-6);
                let found = kernel.run([5, n], &inputs);
                assert!(found.y.iter().all(|&v| v == 0.0) && found.dweight.iter().all(|&v| v == 0.0));
                let expected = kernel.oracle(n, &inputs);
                let dx = relative(&found.dx, &expected.dx);
                assert!(dx < 1e-6, "{} at {level}, n {n}: dx {dx:e}", kernel.name);
                let found = kernel.run([5, n], &Inputs { eps: 0.0, ..inputs });
                assert!(found.y.iter().chain(&found.dx).all(|v| v.is_nan()), "0 / 0, as PyTorch has it");
            }
        }
    });
}

/// Zeros of either sign keep it without a mean; with one, x - mean is +0.
#[test]
fn negative_zero() {
    at_each_level("negative zero", |_| {
        for n in [1, 7, 40, 256] {
            let mut x = narrow::<f32>(&Numbers(4).normal(5 * n, 0.0, 1.0));
            x.iter_mut().step_by(3).for_each(|v| *v = -0.0);
            x.iter_mut().skip(1).step_by(3).for_each(|v| *v = 0.0);
            x[2 * n..3 * n].fill(-0.0);
            let inputs = plain(x, n, 1e-6);
            let y = rms().run([5, n], &inputs).y;
            for (x, y) in inputs.x.iter().zip(&y).filter(|(x, _)| **x == 0.0) {
                assert_eq!(x.to_bits(), y.to_bits(), "n {n}");
            }
            let y = layer().run([5, n], &inputs).y;
            assert_eq!(bits(&y[2 * n..3 * n]), vec![0.0_f64.to_bits(); n], "n {n}");
        }
    });
}

#[test]
fn a_reduction_over_one_element() {
    at_each_level("one element", |_| {
        let fixed = kernel!(f32, weight bias eps; kind = "layer", shape = [_, 1], eps = _);
        for kernel in [layer(), fixed] {
            let mut x = narrow::<f32>(&Numbers(8).normal(99, 3.0, 2.0));
            x.extend([0.0, -0.0, 1e30, -1e30, 1e-30, f32::MAX, 0.1]);
            let rows = x.len();
            let inputs = Inputs { bias: vec![0.75], ..random_params(1, x, 1e-5) };
            let found = kernel.run([rows, 1], &inputs);
            assert!(found.y.iter().all(|&v| v == 0.75), "{:?}", found.y);
            assert!(found.dx.iter().chain(&found.dweight).all(|&v| v == 0.0), "{:?} {:?}", found.dx, found.dweight);
        }
    });
}

// ---- what is not finite ----

#[test]
fn what_is_not_finite_stays_in_its_row() {
    at_each_level("not finite", |level| {
        for (kernel, n) in [(layer(), 39), (layer_256(), 256), (rms(), 39), (rms_256(), 256), (layer(), 3), (rms(), 3)]
        {
            let clean = random_params(n, narrow(&Numbers(6).normal(9 * n, 1.0, 1.0)), 1e-5);
            let of_clean = kernel.run([9, n], &clean);
            for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
                for row in [0, 3, 4, 8] {
                    for at in [0, 1, 2, n / 2, n - 1] {
                        let mut inputs = clean.clone();
                        inputs.x[row * n + at] = bad;
                        let found = kernel.run([9, n], &inputs);
                        let what = format!("{} at {level}, n {n}, {bad} at {at} of row {row}", kernel.name);
                        let own = row * n..(row + 1) * n;
                        let others = |values: &[f32]| bits(&[&values[..own.start], &values[own.end..]].concat());
                        assert_eq!(others(&found.y), others(&of_clean.y), "{what}: y of other rows");
                        assert_eq!(others(&found.dx), others(&of_clean.dx), "{what}: dx of other rows");
                        let y = &found.y[own.clone()];
                        if kernel.spec.centred || bad.is_nan() {
                            assert!(y.iter().all(|v| v.is_nan()), "{what}: {y:?}");
                        } else {
                            for (i, &v) in y.iter().enumerate() {
                                assert!(if i == at { v.is_nan() } else { v == 0.0 }, "{what}: {y:?}");
                            }
                        }
                        assert!(found.dx[own].iter().any(|v| v.is_nan()), "{what}: dx hides it");
                        if kernel.has_bias() {
                            assert_eq!(bits(&found.dbias), bits(&of_clean.dbias), "{what}: dbias");
                        }
                    }
                }
            }
        }
    });
}

#[test]
fn nan_in_the_weight_stays_in_its_column() {
    at_each_level("NaN in the weight", |level| {
        for (kernel, n) in [(layer(), 39), (layer_256(), 256), (rms(), 39), (rms_256(), 256)] {
            let clean = random_params(n, narrow(&Numbers(6).normal(5 * n, 1.0, 1.0)), 1e-5);
            let of_clean = kernel.run([5, n], &clean);
            for at in [0, 1, n / 2, n - 1] {
                let mut inputs = clean.clone();
                inputs.weight[at] = f32::NAN;
                let found = kernel.run([5, n], &inputs);
                for (i, (a, b)) in found.y.iter().zip(&of_clean.y).enumerate() {
                    let fine = if i % n == at { a.is_nan() } else { a.to_bits() == b.to_bits() };
                    assert!(fine, "{} at {level}, weight[{at}] is NaN, y[{i}] is {a}, not {b}", kernel.name);
                }
                // The gradients of parameters do not depend on the weight.
                assert_eq!(bits(&found.dweight), bits(&of_clean.dweight));
                assert_eq!(bits(&found.dbias), bits(&of_clean.dbias));
                assert!(found.dx.iter().all(|v| v.is_nan()), "each element of dx depends on each weight");
            }
        }
        // A weight of 0 hides nothing.
        let mut inputs = random_params(39, narrow(&Numbers(6).normal(39, 1.0, 1.0)), 1e-5);
        inputs.weight.fill(0.0);
        inputs.x[5] = f32::NAN;
        assert!(layer().run([1, 39], &inputs).y.iter().all(|v| v.is_nan()));
    });
}

// ---- sums over many rows ----

#[test]
fn gradients_over_many_rows() {
    const ROWS: usize = 65_536;
    const N: usize = 64;
    const BOUND: f64 = 1e-6;
    let mut numbers = Numbers(1);
    let x = narrow::<f32>(&numbers.normal(ROWS * N, 0.5, 1.0));
    let dy = narrow::<f32>(&numbers.normal(ROWS * N, 1.0, 1.0));
    let inputs = Inputs { x, dy, weight: vec![1.0; N], bias: vec![0.0; N], eps: 1e-5 };
    let fixed: [Kernel<f32>; 2] = [
        kernel!(f32, weight bias; kind = "layer", shape = [_, 64], eps = 1e-5),
        kernel!(f32, weight; kind = "rms", shape = [_, 64], eps = 1e-5),
    ];
    let expected = fixed.each_ref().map(|kernel| {
        let (mut dweight, mut dbias) = ([0.0; N], [0.0; N]);
        let mut in_f32 = [0.0_f32; N];
        for (x, dy) in inputs.x.chunks_exact(N).zip(inputs.dy.chunks_exact(N)) {
            let mean = if kernel.spec.centred { x.iter().map(|&v| f64::from(v)).sum::<f64>() / 64.0 } else { 0.0 };
            let square = x.iter().map(|&v| (f64::from(v) - mean).powi(2)).sum::<f64>() / 64.0;
            let rstd = 1.0 / (square + 1e-5).sqrt();
            for i in 0..N {
                dweight[i] += f64::from(dy[i]) * (f64::from(x[i]) - mean) * rstd;
                dbias[i] += f64::from(dy[i]);
                in_f32[i] += dy[i];
            }
        }
        let naive = relative(&in_f32, &dbias);
        assert!(misses(naive, BOUND), "row after row in f32 has {naive:e}: this case shows nothing");
        (dweight, dbias)
    });
    at_each_level("many rows", |level| {
        for (kernel, (dweight, dbias)) in fixed.iter().zip(&expected) {
            let mut saved = Saved::default();
            let mut y = vec![0.0; inputs.x.len()];
            (kernel.train)((&inputs.x).into(), inputs.params(), (&mut y).into(), &mut saved).unwrap();
            let (mut dw, mut db) = ([0.0; N], [0.0; N]);
            let dx = &mut y;
            (kernel.backward)(
                (&inputs.x).into(),
                (&inputs.dy).into(),
                inputs.params(),
                &saved,
                dx.into(),
                &mut dw,
                &mut db,
            )
            .unwrap();
            let weight_error = relative(&dw, dweight);
            let bias_error = if kernel.has_bias() { relative(&db, dbias) } else { 0.0 };
            println!("{} rows of {} at {level}: dweight {weight_error:.1e}, dbias {bias_error:.1e}", ROWS, kernel.name);
            assert!(weight_error <= BOUND && bias_error <= BOUND, "{weight_error:e} {bias_error:e}");
        }
    });
}

// ---- accuracy on ordinary rows ----

/// The kernels of the lengths that are measured, and the one of any length.
macro_rules! lengths {
    ("rms", $($n:literal)*) => {
        vec![
            $(($n, kernel!(f32, weight; kind = "rms", shape = [_, $n], eps = 1e-5)), ($n, rms()),)*
        ]
    };
    ("layer", $($n:literal)*) => {
        vec![
            $(($n, kernel!(f32, weight bias; kind = "layer", shape = [_, $n], eps = 1e-5)), ($n, layer()),)*
        ]
    };
}

/// What `measure(found, expected)` says of forward passes over 256 rows of each length. `bounds` are for AVX-512, for AVX2 and
/// for the portable level: the fewer accumulators, the more elements each of them sums.
fn measured(
    name: &str,
    kernels: &[(usize, Kernel<f32>)],
    x: impl Fn(&mut Numbers, usize) -> Vec<f64>,
    bounds: [f64; 3],
    measure: impl Fn(&[f32], &[f64]) -> f64,
) {
    let mut cases: Vec<(usize, Inputs<f32>, Vec<f64>)> = Vec::new();
    for (n, kernel) in kernels {
        if cases.iter().all(|case| case.0 != *n) {
            let inputs = plain(narrow(&x(&mut Numbers(*n as u64), 256 * n)), *n, 1e-5);
            let problem = Problem::rows(256, *n, kernel.spec.centred, inputs.eps.to_f64());
            let y = problem.forward(&widen(&inputs.x), None, None).y;
            cases.push((*n, inputs, y));
        }
    }
    let mut missed = Vec::new();
    at_each_level(name, |level| {
        for (n, inputs, expected) in &cases {
            let each = kernels.iter().filter(|(len, _)| len == n).map(|(_, kernel)| {
                let mut y = vec![f32::NAN; inputs.x.len()];
                (kernel.forward)((&inputs.x, [256, *n]).into(), inputs.params(), (&mut y, [256, *n]).into()).unwrap();
                measure(&y, expected)
            });
            let each: Vec<f64> = each.collect();
            let [avx512, avx2, portable] = bounds;
            let bound = match level {
                Level::Avx512 => avx512,
                Level::Avx2 => avx2,
                Level::Portable => portable,
            };
            let what = format!("{name} at {level}, n {n}: {each:.2?} (fixed, any length) of {bound}");
            println!("{what}");
            if each.iter().any(|&e| misses(e, bound)) {
                missed.push(what);
            }
        }
    });
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

/// With about one element in 500 a hundred times larger.
fn with_outliers(numbers: &mut Numbers, len: usize) -> Vec<f64> {
    let each = (0..len).map(|_| numbers.next_normal() * if numbers.next_unit() > 0.996 { 100.0 } else { 1.0 });
    each.map(|v| f64::from(v as f32)).collect()
}

#[test]
fn rms_in_units_of_the_last_place() {
    let kernels = lengths!("rms", 64 128 1024 4096 8192);
    let max = |found: &[f32], expected: &[f64]| ulps(found, expected).0;
    measured("rms ULP", &kernels, |numbers, len| numbers.normal(len, 0.0, 1.0), [3.0, 3.0, 3.0], max);
    measured("rms ULP with outliers", &kernels, with_outliers, [3.6, 4.2, 4.5], max);
    let mean = |found: &[f32], expected: &[f64]| ulps(found, expected).1;
    measured("rms mean ULP", &kernels, |numbers, len| numbers.normal(len, 0.0, 1.0), [0.6, 0.6, 0.7], mean);
}

#[test]
fn layer_in_units_of_rounding() {
    let kernels = lengths!("layer", 64 128 1024 4096 8192);
    let units = |found: &[f32], expected: &[f64]| scaled(found, expected) * f64::from(1 << 23);
    measured("layer N(0,1)", &kernels, |numbers, len| numbers.normal(len, 0.0, 1.0), [2.5, 2.5, 3.0], units);
    measured("layer N(10,1)", &kernels, |numbers, len| numbers.normal(len, 10.0, 1.0), [2.5, 2.5, 2.6], units);
    measured("layer with outliers", &kernels, with_outliers, [2.5, 3.0, 3.2], units);
}

/// What the tests here measure with: an error of a known size is found to be of that size.
#[test]
fn the_measures() {
    assert!((scaled(&[1.0, 100.0], &[1.0, 101.0]) - 1.0 / 101.0).abs() < 1e-15);
    assert_eq!(scaled(&[0.25], &[0.5]), 0.25);
    assert!(misses(scaled(&[f32::NAN, 1.0], &[1.0, 1.0]), 1.0));
    assert_eq!(ulps(&[1.0 + 2.0 * f32::EPSILON, -4.0], &[1.0, -4.0]), (2.0, 1.0));
    assert!((relative(&[1e-30, 3e-30], &[1e-30, 2e-30]) - 0.5).abs() < 1e-6);
}
