//! The loss `sum(y * dy)` moves as the gradients say when one input does: every technique in f64, every gradient.

mod random;

use normkit_tests::open;
use normkit_tests::{BatchInputs, Inputs, Numbers, Place, Sets, WeightInputs};
use proptest::prelude::*;
use random::for_all;

const STEP: f64 = 1e-5;

/// Sizes of `[n, a, b]`, a seed, and a mean.
fn strategy() -> impl Strategy<Value = ([usize; 3], u64, f64)> {
    (1..4_usize, 1..4_usize, 1..6_usize, any::<u64>(), -5.0..5.0_f64)
        .prop_map(|(n, a, b, seed, mean)| ([n, a, b], seed, mean))
}

/// Each element of `at(inputs)` moved by a step both ways.
fn check<I: Clone>(
    what: &str,
    gradient: &[f64],
    inputs: &I,
    at: fn(&mut I) -> &mut Vec<f64>,
    loss: impl Fn(&I) -> f64,
) {
    let mut inputs = inputs.clone();
    assert_eq!(gradient.len(), at(&mut inputs).len(), "{what}");
    for (i, gradient) in gradient.iter().enumerate() {
        let value = at(&mut inputs)[i];
        let mut nudged = |by: f64| {
            at(&mut inputs)[i] = value + by;
            loss(&inputs)
        };
        let numeric = (nudged(STEP) - nudged(-STEP)) / (2.0 * STEP);
        at(&mut inputs)[i] = value;
        assert!((gradient - numeric).abs() < 2e-6, "{what}[{i}]: {gradient:e}, by differences {numeric:e}");
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Nearly equal elements have a steep gradient that differences cannot follow: within each set they are 0.2 apart.
fn spread(x: &mut [f64], sets: Sets, dims: &[usize], seed: u64, mean: f64) {
    let (set_of, [count, ..]) = (sets.set_of(dims), sets.counts(dims));
    let (mut numbers, mut seen) = (Numbers(seed), vec![0_u32; count]);
    for (x, set) in x.iter_mut().zip(set_of) {
        *x = mean + f64::from(seen[set] % 7) + 0.4 * numbers.next_unit();
        seen[set] += 1;
    }
}

#[test]
fn instances_groups_and_channels() {
    let kernels = open::three_axes_f64();
    for_all("differences", 150, &(0..kernels.len(), strategy()), |(kernel, (dims, seed, mean))| {
        let open::Open { kernel, sets, .. } = &kernels[kernel];
        let mut dims = dims;
        if let Sets::Groups { axis, groups } = *sets {
            dims[axis] *= groups;
        }
        let mut inputs = Inputs::<f64>::random(*sets, &dims, seed, mean, 1.0, kernel.spec.eps);
        spread(&mut inputs.x, *sets, &dims, seed, mean);
        let found = kernel.run_in(&dims, &inputs);
        let place = Place::contiguous(&dims);
        let loss = |inputs: &Inputs<f64>| {
            let mut y = vec![0.0; inputs.x.len()];
            (kernel.forward)(place.view(&inputs.x), inputs.params(), place.view_mut(&mut y)).unwrap();
            dot(&y, &inputs.dy)
        };
        let what = |part: &str| format!("{part} of {} over {dims:?}", kernel.name);
        check(&what("dx"), &found.dx, &inputs, |inputs| &mut inputs.x, loss);
        check(&what("dweight"), &found.dweight, &inputs, |inputs| &mut inputs.weight, loss);
        check(&what("dbias"), &found.dbias, &inputs, |inputs| &mut inputs.bias, loss);
    });
}

#[test]
fn batches_in_training_and_with_fixed_statistics() {
    let kernels = open::batch_three_axes_f64();
    for_all("differences of batches", 150, &(0..kernels.len(), strategy()), |(kernel, (dims, seed, mean))| {
        let open::OpenBatch { kernel, axis } = &kernels[kernel];
        let mut dims = dims;
        dims[0] += 1;
        let sets = Sets::Each { axis: *axis };
        let mut inputs = BatchInputs::<f64>::random(*axis, &dims, seed, mean, 1.0, 1e-5);
        spread(&mut inputs.inputs.x, sets, &dims, seed, mean);
        let place = Place::contiguous(&dims);
        let what = |part: &str| format!("{part} of {} over {dims:?}", kernel.name);

        let found = kernel.train_in(&dims, &inputs.inputs);
        let loss = |inputs: &BatchInputs<f64>| {
            let inputs = &inputs.inputs;
            let (mut y, mut saved) = (vec![0.0; inputs.x.len()], normkit::Saved::default());
            (kernel.train)(place.view(&inputs.x), inputs.params(), place.view_mut(&mut y), &mut saved).unwrap();
            dot(&y, &inputs.dy)
        };
        check(&what("dx"), &found.dx, &inputs, |inputs| &mut inputs.inputs.x, loss);
        check(&what("dweight"), &found.dweight, &inputs, |inputs| &mut inputs.inputs.weight, loss);
        check(&what("dbias"), &found.dbias, &inputs, |inputs| &mut inputs.inputs.bias, loss);

        let found = kernel.infer_in(&dims, &inputs);
        let loss = |inputs: &BatchInputs<f64>| {
            let (mut y, params) = (vec![0.0; inputs.inputs.x.len()], inputs.inputs.params());
            (kernel.forward)(place.view(&inputs.inputs.x), inputs.running(), params, place.view_mut(&mut y)).unwrap();
            dot(&y, &inputs.inputs.dy)
        };
        check(&what("frozen dx"), &found.dx, &inputs, |inputs| &mut inputs.inputs.x, loss);
        check(&what("frozen dweight"), &found.dweight, &inputs, |inputs| &mut inputs.inputs.weight, loss);
        check(&what("frozen dbias"), &found.dbias, &inputs, |inputs| &mut inputs.inputs.bias, loss);
    });
}

#[test]
fn weights() {
    let kernels = open::weight_f64();
    for_all("differences of weights", 150, &(0..2_usize, strategy()), |(axis, (dims, seed, mean))| {
        let kernel = &kernels[axis];
        let mut inputs = WeightInputs::<f64>::random(axis, &dims, seed, 0.0, 1.0);
        // No norm near 0.
        spread(&mut inputs.v, Sets::Each { axis }, &dims, seed, mean.abs() + 1.0);
        let found = kernel.run_in(&dims, &inputs);
        let place = Place::contiguous(&dims);
        let loss = |inputs: &WeightInputs<f64>| {
            let mut w = vec![0.0; inputs.v.len()];
            (kernel.forward)(place.view(&inputs.v), &inputs.g, place.view_mut(&mut w)).unwrap();
            dot(&w, &inputs.dw)
        };
        let what = |part: &str| format!("{part} of {} over {dims:?}", kernel.name);
        check(&what("dv"), &found.dv, &inputs, |inputs| &mut inputs.v, loss);
        check(&what("dg"), &found.dg, &inputs, |inputs| &mut inputs.g, loss);
    });
}

/// A wrong gradient is seen.
#[test]
#[should_panic(expected = "by differences")]
fn a_wrong_gradient_is_seen() {
    let inputs = vec![1.0, 2.0];
    check("square", &[2.0, 4.01], &inputs, |inputs| inputs, |x| x.iter().map(|v| v * v).sum());
}
