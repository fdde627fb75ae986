//! Inputs on which normalization is commonly computed badly, for every technique with channels, in both layouts.
//!
//! Where a case is about cancellation, the textbook formula `E[x^2] - E[x]^2` in f32 is computed beside the kernel and must miss
//! the bound: a case that it passes shows nothing.

// Of what tests need, lints warn; this silences them.
#![allow(deprecated)]

use normkit::Level;
use normkit_tests::open;
use normkit_tests::{
    BatchInputs, Expected, Inputs, Numbers, Outputs, Sets, at_each_level, batch, error, kernel, widen,
};

type Run = Box<dyn Fn(&[usize], &Inputs<f32>) -> Outputs<f32>>;

/// A kernel in training, over sets of any size or of the size that it was made for. All take `eps` at run time.
struct Subject {
    name: &'static str,
    sets: Sets,
    run: Run,
    fixed: Option<Vec<usize>>,
}

fn subjects() -> Vec<Subject> {
    let mut subjects = Vec::new();
    for open::Open { kernel, sets, .. } in open::three_axes() {
        let name = kernel.name;
        let run: Run = Box::new(move |dims, inputs| kernel.run_in(dims, inputs));
        subjects.push(Subject { name, sets, run, fixed: None });
    }
    for open::OpenBatch { kernel, axis } in open::batch_three_axes() {
        let name = kernel.name;
        let run: Run = Box::new(move |dims, inputs| kernel.train_in(dims, inputs));
        subjects.push(Subject { name, sets: Sets::Each { axis }, run, fixed: None });
    }
    let mut fixed = |kernel: normkit_tests::Kernel<f32>, sets, dims: &[usize]| {
        let name = kernel.name;
        let run: Run = Box::new(move |dims, inputs| kernel.run_in(dims, inputs));
        subjects.push(Subject { name, sets, run, fixed: Some(dims.to_vec()) });
    };
    fixed(
        kernel!(f32, weight bias eps; kind = "instance", shape = [_, 3, 14, 14], eps = _),
        Sets::Instance { axis: 1 },
        &[2, 3, 14, 14],
    );
    fixed(
        kernel!(f32, weight bias eps; kind = "group", shape = [_, 7, 7, 34], axis = -1, groups = 2, eps = _),
        Sets::Groups { axis: 3, groups: 2 },
        &[2, 7, 7, 34],
    );
    fixed(
        kernel!(f32, weight bias eps; kind = "layer", shape = [_, 192, 21], axis = 1, eps = _),
        Sets::Over(&[1]),
        &[2, 192, 21],
    );
    let mut fixed = |kernel: normkit_tests::Batch<f32>, axis, dims: &[usize]| {
        let name = kernel.name;
        let run: Run = Box::new(move |dims, inputs| kernel.train_in(dims, inputs));
        subjects.push(Subject { name, sets: Sets::Each { axis }, run, fixed: Some(dims.to_vec()) });
    };
    fixed(batch!(f32, weight bias eps; shape = [_, 3, 7, 7], eps = _), 1, &[5, 3, 7, 7]);
    fixed(batch!(f32, weight bias eps; shape = [_, 49, 21], axis = -1, eps = _), 2, &[5, 49, 21]);
    fixed(batch!(f32, weight bias eps; shape = [_, 40], eps = _), 1, &[300, 40]);
    subjects
}

impl Subject {
    /// Dims with sets of about `members` elements.
    fn dims(&self, members: usize) -> Vec<usize> {
        if let Some(fixed) = &self.fixed {
            return fixed.clone();
        }
        match self.sets {
            Sets::Instance { axis: 1 } => vec![2, 3, members],
            Sets::Instance { .. } => vec![2, members, 19],
            Sets::Groups { axis: 1, groups } => vec![2, 2 * groups, members.div_ceil(2)],
            Sets::Groups { groups, .. } => vec![2, members.div_ceil(3), 3 * groups],
            Sets::Over(_) => vec![2, members, 19],
            Sets::Each { axis: 1 } => vec![4, 3, members.div_ceil(4)],
            Sets::Each { .. } => vec![4, members.div_ceil(4), 19],
        }
    }

    /// Weight 1, bias 0, and in each set the numbers that `set` gives for its index and size.
    fn inputs(&self, dims: &[usize], eps: f64, set: impl Fn(usize, usize) -> Vec<f64>) -> Inputs<f32> {
        let (set_of, [count, members, params]) = (self.sets.set_of(dims), self.sets.counts(dims));
        let mut values: Vec<_> = (0..count).map(|index| set(index, members).into_iter()).collect();
        let x: Vec<f64> = set_of.iter().map(|&set| values[set].next().unwrap()).collect();
        let dy = Numbers(77).normal(x.len(), 0.0, 1.0);
        Inputs::new(&x, &dy, &vec![1.0; params], &vec![0.0; params], eps)
    }

    fn expected(&self, dims: &[usize], inputs: &Inputs<f32>) -> Expected {
        inputs.expected(self.sets, dims, true, true, true)
    }

    /// With `weight` 1 and `bias` 0, by the textbook formula in `f32`, in 16 chains as vectors would have it.
    fn naive(&self, dims: &[usize], inputs: &Inputs<f32>) -> Vec<f32> {
        let (set_of, [count, members, _]) = (self.sets.set_of(dims), self.sets.counts(dims));
        let mut sums = vec![([0.0_f32; 16], [0.0_f32; 16], 0); count];
        for (&x, &set) in inputs.x.iter().zip(&set_of) {
            let (sum, squares, seen) = &mut sums[set];
            sum[*seen % 16] += x;
            squares[*seen % 16] += x * x;
            *seen += 1;
        }
        let n = members as f32;
        let statistics: Vec<(f32, f32)> = sums
            .iter()
            .map(|(sum, squares, _)| {
                let mean = sum.iter().sum::<f32>() / n;
                (mean, 1.0 / (squares.iter().sum::<f32>() / n - mean * mean + inputs.eps).sqrt())
            })
            .collect();
        inputs.x.iter().zip(&set_of).map(|(x, &set)| (x - statistics[set].0) * statistics[set].1).collect()
    }
}

/// The largest error in units of `max(1, |expected|)`.
fn scaled(found: &[f32], expected: &[f64]) -> f64 {
    assert_eq!(found.len(), expected.len());
    let each = found.iter().zip(expected).map(|(f, e)| (f64::from(*f) - e).abs() / e.abs().max(1.0));
    each.fold(0.0, |m: f64, e| if e > m || e.is_nan() { e } else { m })
}

/// Not less than, and NaN is as bad as can be.
fn misses(error: f64, bound: f64) -> bool {
    error.is_nan() || error > bound
}

fn shown([y, dx, dweight]: [f64; 3]) -> String {
    format!("y {y:.1e}, dx {dx:.1e}, dweight {dweight:.1e}")
}

/// All subjects on sets of these sizes, filled by `set`: y within 1e-6, gradients within 2e-6 of their scale. The naive formula
/// must miss the first bound for at least one of the sets where `cancels`.
fn accurate(name: &str, sizes: &[usize], cancels: bool, set: &dyn Fn(usize, usize) -> Vec<f64>) {
    let subjects = subjects();
    let mut cases = Vec::new();
    for subject in &subjects {
        for &size in if subject.fixed.is_some() { &sizes[..1] } else { sizes } {
            let dims = subject.dims(size);
            let inputs = subject.inputs(&dims, 1e-5, set);
            let expected = subject.expected(&dims, &inputs);
            let naive = scaled(&subject.naive(&dims, &inputs), &expected.y);
            assert!(!cancels || misses(naive, 1e-6), "{name}, {dims:?}: naive {naive:e}, this case shows nothing");
            cases.push((subject, dims, inputs, expected));
        }
    }
    let mut missed = Vec::new();
    at_each_level(name, |level| {
        let mut worst = [0.0_f64; 3];
        for (subject, dims, inputs, expected) in &cases {
            let found = (subject.run)(dims, inputs);
            let largest = expected.rstd.iter().fold(0.0_f64, |m, &r| m.max(r));
            let root = (inputs.x.len() as f64 / inputs.weight.len() as f64).sqrt();
            let errors = [
                scaled(&found.y, &expected.y),
                error(&widen(&found.dx), &expected.dx, largest),
                error(&widen(&found.dweight), &expected.dweight, root),
            ];
            if errors.iter().zip([1e-6, 2e-6, 2e-6]).any(|(&error, bound)| misses(error, bound)) {
                missed.push(format!("{name} at {level}, {} over {dims:?}: {}", subject.name, shown(errors)));
            }
            worst = core::array::from_fn(|i| worst[i].max(errors[i]));
        }
        println!("{name} at {level}: worst {}", shown(worst));
    });
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

// ---- cancellation ----

#[test]
fn far_from_zero() {
    for mean in [1e2, -1e3, 1e4, -1e5, 1e6] {
        accurate(&format!("mean {mean:e}"), &[256, 4096, 33], true, &|index, members| {
            Numbers(index as u64 + 1).normal(members, mean, 1.0)
        });
    }
}

/// Sets whose means are far apart: what serves one is far from the next.
#[test]
fn sets_far_from_each_other() {
    accurate("sets far apart", &[256, 1000], true, &|index, members| {
        let mean = [0.0, 1e6, -1e3, 1e5, 1.0][index % 5];
        Numbers(index as u64).normal(members, mean, 1.0)
    });
}

/// Sorted numbers: what comes first is far from the mean, and the mean moves all along.
#[test]
fn trends_along_the_set() {
    let sorted = |mut values: Vec<f64>, falls: bool| {
        values.sort_by(f64::total_cmp);
        if falls {
            values.reverse();
        }
        values
    };
    accurate("sorted", &[256, 4096], false, &|index, members| {
        sorted(Numbers(index as u64).normal(members, 0.0, 1.0), index % 2 == 0)
    });
    accurate("sorted, far from zero", &[256, 4096], true, &|index, members| {
        sorted(Numbers(index as u64).normal(members, 1e4, 1.0), index % 2 == 0)
    });
    accurate("counting", &[256, 4096], false, &|_, members| (0..members).map(|i| i as f64).collect());
    accurate("steep", &[256, 4096], false, &|index, members| {
        let falls = if index % 2 == 0 { -1.0 } else { 1.0 };
        (0..members).map(|i| falls * (i as f64).powi(2)).collect()
    });
    for (base, step) in [(100.0, 1e-3), (1e4, 1e-2), (1e6, 1.0)] {
        accurate(&format!("{base} + {step} i"), &[256, 4096], true, &|_, members| {
            (0..members).map(|i| f64::from((base + step * i as f64) as f32)).collect()
        });
    }
}

/// Each sample (or part of a set) has a mean of its own, far from the others': the mean of the first says nothing.
#[test]
fn steps_along_the_set() {
    accurate("steps", &[256, 4096], false, &|index, members| {
        let noise = Numbers(index as u64).normal(members, 0.0, 1.0);
        let step = |i: usize| [0.0, 1e3, -1e3, 5e3][4 * i / members];
        noise.iter().enumerate().map(|(i, v)| f64::from((v + step(i)) as f32)).collect()
    });
}

/// The first elements are nothing like the rest.
#[test]
fn outliers_first() {
    for (outliers, size) in [(1, 1e4), (1, -1e6), (4, 1e4), (16, -1e4), (64, 1e4)] {
        accurate(&format!("{outliers} of {size:e} first"), &[256, 4096], false, &|index, members| {
            let mut values = Numbers(index as u64).normal(members, 0.0, 1.0);
            // In every other set, so that one that is computed again lies beside one that is not.
            if index % 2 == 0 {
                values[..outliers.min(members / 4)].fill(size);
            }
            values
        });
    }
}

/// A channel of 32 images of 56 x 56: more than a cache holds, and more terms than a chain of additions bears.
#[test]
fn a_large_channel() {
    let (first, columns) = (open::batch_images(), open::batch_columns());
    at_each_level("a large channel", |level| {
        for mean in [0.0, 1e3, 1e6] {
            let dims = [32, 1, 56, 56];
            let inputs = Inputs::<f32>::random(Sets::Each { axis: 1 }, &dims, 5, mean, 1.0, 1e-5);
            let expected = first.expected(1, &dims, &inputs);
            let long = [32 * 56 * 56, 1];
            for (name, found) in
                [("images", first.train_in(&dims, &inputs)), ("columns", columns.train_in(&long, &inputs))]
            {
                let y = error(&widen(&found.y), &expected.y, 1.0);
                let dx = error(&widen(&found.dx), &expected.dx, 1.0);
                let variance = (f64::from(found.saved.variance()[0]) / expected.var[0] - 1.0).abs();
                let dweight = error(&widen(&found.dweight), &expected.dweight, 316.0);
                println!("{name} at {level}, mean {mean:e}: y {y:.1e}, dx {dx:.1e}, variance {variance:.1e}");
                assert!(y <= 1e-6 && dx <= 1e-6 && variance <= 1e-6 && dweight <= 2e-6, "{y:e} {dx:e} {variance:e}");
            }
        }
    });
}

#[test]
fn inference_far_from_zero() {
    let mut kernels = open::batch_three_axes();
    kernels.push(open::OpenBatch { kernel: batch!(f32, weight bias eps; shape = [_, 19, 33], eps = _), axis: 1 });
    at_each_level("inference far from zero", |level| {
        for open::OpenBatch { kernel, axis } in &kernels {
            let dims = if *axis == 1 { [3, 19, 33] } else { [3, 33, 19] };
            for mean in [0.0, 1e2, -1e3, 1e4, -1e5, 1e6] {
                let inputs = BatchInputs::<f32>::random(*axis, &dims, 9, mean, 1.0, 1e-5);
                let expected = inputs.expected_frozen(*axis, &dims, true, true);
                let found = kernel.infer_in(&dims, &inputs);
                let what = format!("{} at {level}, mean {mean:e}", kernel.name);
                let y = scaled(&found.y, &expected.y);
                assert!(!misses(y, 1e-6), "{what}: y {y:e}");
                let dweight = error(&widen(&found.dweight), &expected.dweight, 10.0);
                assert!(!misses(dweight, 2e-6), "{what}: dweight {dweight:e}");
                // Folded to one multiplication and one addition, x times scale has lost what the mean takes off.
                let channels = Sets::Each { axis: *axis }.param_of(&dims);
                let folded: Vec<f32> = channels
                    .iter()
                    .zip(&inputs.inputs.x)
                    .map(|(&c, x)| {
                        let scale = inputs.inputs.weight[c] / (inputs.var[c] + 1e-5).sqrt();
                        scale * x + (inputs.inputs.bias[c] - inputs.mean[c] * scale)
                    })
                    .collect();
                assert!(mean.abs() < 1e3 || misses(scaled(&folded, &expected.y), 1e-6), "{what} shows nothing");
            }
        }
    });
}

// ---- sets without deviation ----

#[test]
fn constant_sets_are_exactly_the_bias() {
    let subjects = subjects();
    at_each_level("constant sets", |level| {
        for subject in &subjects {
            for size in [4, 7, 16, 49, 100, 1000] {
                let dims = subject.dims(size);
                for value in [0.0, 0.1, -0.1, 1234.0, 1e-20, 1e6, 1e15, -1e30] {
                    let mut inputs = subject.inputs(&dims, 1e-5, |_, members| vec![value; members]);
                    let mut numbers = Numbers(size as u64);
                    inputs.weight.fill_with(|| numbers.next_unit() as f32);
                    inputs.bias.fill_with(|| numbers.next_unit() as f32);
                    let found = (subject.run)(&dims, &inputs);
                    let what = format!("{} over {dims:?} of {value:e} at {level}", subject.name);
                    let params = subject.sets.param_of(&dims);
                    assert!(found.y.iter().zip(&params).all(|(y, &p)| *y == inputs.bias[p]), "{what}: not the bias");
                    assert!(found.dweight.iter().all(|&v| v == 0.0), "{what}: dweight {:?}", found.dweight);
                    let expected = subject.expected(&dims, &inputs);
                    let dx = error(&widen(&found.dx), &expected.dx, expected.rstd[0]);
                    assert!(dx < 2e-6, "{what}: dx {dx:e}");
                }
            }
        }
        let subject = &subjects[0];
        let inputs = subject.inputs(&[1, 1, 256], 1e-5, |_, members| vec![1234.1; members]);
        assert!(subject.naive(&[1, 1, 256], &inputs).iter().any(|&v| v != 0.0), "this case shows nothing");
    });
}

/// A constant set beside others.
#[test]
fn some_constant_sets() {
    let subjects = subjects();
    at_each_level("some constant sets", |level| {
        for subject in &subjects {
            let dims = subject.dims(100);
            let set = |index: usize, members: usize| match index % 3 {
                0 => vec![0.1; members],
                1 => vec![0.0; members],
                _ => Numbers(index as u64).normal(members, 3.0, 1.0),
            };
            let inputs = subject.inputs(&dims, 1e-5, set);
            let (found, expected) = ((subject.run)(&dims, &inputs), subject.expected(&dims, &inputs));
            let what = format!("{} over {dims:?} at {level}", subject.name);
            for (i, set) in subject.sets.set_of(&dims).into_iter().enumerate() {
                let exact = set % 3 == 2 || found.y[i] == 0.0;
                assert!(exact, "{what}: y[{i}] of the constant set {set} is {}", found.y[i]);
            }
            let y = scaled(&found.y, &expected.y);
            assert!(y <= 1e-6, "{what}: y {y:e}");
        }
    });
}

#[test]
fn one_element_in_a_set() {
    let kernels = open::three_axes();
    let fixed = kernel!(f32, weight bias; kind = "instance", shape = [_, 5, 1, 1]);
    at_each_level("one element", |level: Level| {
        let check = |kernel: &normkit_tests::Kernel<f32>, sets: Sets, dims: &[usize]| {
            let mut inputs = Inputs::<f32>::random(sets, dims, 8, 3.0, 2.0, 1e-5);
            for (i, x) in [0.0, -0.0, 1e30, -1e30, 1e-30, f32::MAX, 0.1].into_iter().enumerate() {
                inputs.x[i] = x;
            }
            let found = kernel.run_in(dims, &inputs);
            let what = format!("{} over {dims:?} at {level}", kernel.name);
            let params = sets.param_of(dims);
            assert!(found.y.iter().zip(&params).all(|(y, &p)| *y == inputs.bias[p]), "{what}: {:?}", found.y);
            assert!(found.dx.iter().chain(&found.dweight).all(|&v| v == 0.0), "{what}: {:?}", found.dx);
        };
        for open::Open { kernel, sets, .. } in &kernels {
            match sets {
                Sets::Instance { axis: 1 } => check(kernel, *sets, &[5, 7, 1]),
                Sets::Instance { .. } => check(kernel, *sets, &[5, 1, 7]),
                Sets::Groups { axis: 1, .. } => check(kernel, *sets, &[5, 4, 1]),
                Sets::Groups { .. } => check(kernel, *sets, &[5, 1, 4]),
                _ => check(kernel, *sets, &[5, 1, 7]),
            }
        }
        check(&fixed, Sets::Instance { axis: 1 }, &[5, 5, 1, 1]);
    });
}
