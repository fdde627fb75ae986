//! Techniques and layouts that are the same give the same, whatever the tensor.

// Of what tests need, lints warn; this silences them.
#![allow(deprecated)]

mod random;
mod tensors;

use normkit::Compute;
use normkit_tests::check::near_by;
use normkit_tests::open::{self, GROUPS, OpenBatch};
use normkit_tests::{BatchInputs, Inputs, Kernel, Outputs, Sets, WeightInputs, kernel, widen};
use random::for_all;
use tensors::{Tensor, tensor, unless_one_value};

/// `[n, a, b]` becomes `[n, b, a]`.
fn transposed<T: Copy>(values: &[T], [n, a, b]: [usize; 3]) -> Vec<T> {
    let at = |i: usize, j: usize, k: usize| values[(i * a + j) * b + k];
    (0..n).flat_map(|i| (0..b).flat_map(move |k| (0..a).map(move |j| (i, j, k)))).map(|(i, j, k)| at(i, j, k)).collect()
}

fn transposed_inputs<T: Compute>(inputs: &Inputs<T>, dims: [usize; 3]) -> Inputs<T> {
    Inputs { x: transposed(&inputs.x, dims), dy: transposed(&inputs.dy, dims), ..inputs.clone() }
}

/// Both within the bounds of one oracle, so within twice that of each other.
fn near_each_other<T: Compute>(what: &str, a: &Outputs<T>, b: &Outputs<T>, per_param: usize) {
    let bound = 8e-6;
    let largest = a.saved.rstd().iter().fold(0.0_f64, |m, r| m.max(r.to_f64()));
    let root = (per_param as f64).sqrt().max(1.0);
    near_by(what, "y", &a.y, &widen(&b.y), 1.0, bound);
    near_by(what, "dx", &a.dx, &widen(&b.dx), largest, bound);
    near_by(what, "dweight", &a.dweight, &widen(&b.dweight), root, bound);
    near_by(what, "dbias", &a.dbias, &widen(&b.dbias), root, bound);
    near_by(what, "rstd", a.saved.rstd(), &widen(b.saved.rstd()), f64::MIN_POSITIVE, bound);
}

fn transposed_outputs<T: Compute>(outputs: Outputs<T>, dims: [usize; 3]) -> Outputs<T> {
    Outputs { y: transposed(&outputs.y, dims), dx: transposed(&outputs.dx, dims), ..outputs }
}

/// The first kernel over `[n, c, s]`, the second over the same with the channels last.
fn layouts_agree(name: &str, first: &Kernel<f32>, last: &Kernel<f32>, sets: Sets) {
    for_all(name, 300, &tensor(), |tensor| {
        let inputs = tensor.inputs::<f32>(sets, first.spec.eps);
        let a = first.run_in(&tensor.first(), &inputs);
        let b = last.run_in(&tensor.last(), &transposed_inputs(&inputs, tensor.first()));
        near_each_other(name, &a, &transposed_outputs(b, tensor.last()), tensor.n * tensor.spatial);
    });
}

/// The kernels of [`open::three_axes`] by name.
fn named() -> [Kernel<f32>; 5] {
    let kernels: Vec<_> = open::three_axes().into_iter().map(|open| open.kernel).collect();
    let Ok(named) = kernels.try_into() else { panic!("there are five") };
    named
}

#[test]
fn channels_last_equals_channels_first() {
    let [instance, instance_last, group, group_last, _] = named();
    layouts_agree("instances in both layouts", &instance, &instance_last, Sets::Instance { axis: 1 });
    let groups = Sets::Groups { axis: 1, groups: GROUPS };
    layouts_agree("groups in both layouts", &group, &group_last, groups);
}

#[test]
fn batches_in_both_layouts() {
    let kernels = open::batch_three_axes();
    for_all("batches in both layouts", 300, &tensor(), |tensor| {
        unless_one_value(&tensor, |tensor| {
            let (first, last) = (tensor.first(), tensor.last());
            let inputs =
                BatchInputs::<f32>::random(1, &first, tensor.seed, 3.0 * tensor.deviation, tensor.deviation, 1e-5);
            let turned = BatchInputs { inputs: transposed_inputs(&inputs.inputs, first), ..inputs.clone() };
            let a = kernels[0].kernel.train_in(&first, &inputs.inputs);
            let b = kernels[1].kernel.train_in(&last, &turned.inputs);
            near_each_other("batch", &a, &transposed_outputs(b, last), tensor.n * tensor.spatial);
            let a = kernels[0].kernel.infer_in(&first, &inputs);
            let b = kernels[1].kernel.infer_in(&last, &turned);
            near_by("inference", "y", &a.y, &widen(&transposed(&b.y, last)), 1.0, 2e-6);
            near_by("inference", "dx", &a.dx, &widen(&transposed(&b.dx, last)), f64::MIN_POSITIVE, 2e-6);
            let root = ((tensor.n * tensor.spatial) as f64).sqrt();
            near_by("inference", "dweight", &a.dweight, &widen(&b.dweight), root, 4e-6);
            near_by("inference", "dbias", &a.dbias, &widen(&b.dbias), root, 4e-6);
        });
    });
}

#[test]
fn layer_over_channels_equals_rows_of_the_transposed() {
    let [_, _, _, _, layer] = named();
    let rows = kernel!(f32, weight bias; kind = "layer", shape = [_, _, _], axis = -1);
    layouts_agree("layer over channels", &layer, &rows, Sets::Over(&[1]));
}

#[test]
fn one_group_equals_layer_over_all_but_the_batch() {
    let group = kernel!(f32,; kind = "group", shape = [_, _, _], groups = 1, affine = false);
    let layer = kernel!(f32,; kind = "layer", shape = [_, _, _], axis = 1.., affine = false);
    for_all("one group", 300, &tensor(), |tensor| {
        let inputs = tensor.inputs::<f32>(Sets::Groups { axis: 1, groups: 1 }, 1e-5);
        let dims = tensor.first();
        let (a, b) = (group.run_in(&dims, &inputs), layer.run_in(&dims, &inputs));
        near_each_other("one group", &a, &b, 1);
    });
}

#[test]
fn groups_of_one_channel_equal_instances() {
    let group = kernel!(f32, weight bias; kind = "group", shape = [_, 12, _], groups = 12);
    let last = kernel!(f32, weight bias; kind = "group", shape = [_, _, 12], axis = -1, groups = 12);
    let [instance, instance_last, ..] = named();
    for_all("groups of one channel", 300, &tensor(), |tensor| {
        let tensor = Tensor { channels: 12, ..tensor };
        for (group, instance, sets) in
            [(&group, &instance, Sets::Instance { axis: 1 }), (&last, &instance_last, Sets::Instance { axis: 2 })]
        {
            let (dims, inputs) = (tensor.dims(sets), tensor.inputs::<f32>(sets, 1e-5));
            let (a, b) = (group.run_in(&dims, &inputs), instance.run_in(&dims, &inputs));
            near_each_other(group.name, &a, &b, tensor.n * tensor.spatial);
        }
    });
}

#[test]
fn a_batch_of_one_equals_its_instance() {
    let [instance, instance_last, ..] = named();
    let kernels = open::batch_three_axes();
    for_all("a batch of one", 300, &tensor(), |tensor| {
        let tensor = Tensor { n: 1, ..tensor };
        unless_one_value(&tensor, |tensor| {
            for (OpenBatch { kernel, axis }, instance) in kernels.iter().zip([&instance, &instance_last]) {
                let sets = Sets::Instance { axis: *axis };
                let (dims, inputs) = (tensor.dims(sets), tensor.inputs::<f32>(sets, 1e-5));
                let (a, b) = (kernel.train_in(&dims, &inputs), instance.run_in(&dims, &inputs));
                near_each_other(kernel.name, &a, &b, tensor.spatial);
            }
        });
    });
}

#[test]
fn weight_rows_equal_rms_without_eps() {
    let rms = kernel!(f32,; kind = "rms", shape = [_, _], eps = 0, affine = false);
    let (rows, columns) = (open::weight_rows(), open::weight_columns());
    for_all("weight and rms", 300, &tensor(), |tensor| {
        let (a, b) = (tensor.channels, tensor.spatial);
        let inputs = WeightInputs::<f32>::random(0, &[a, b], tensor.seed, 0.0, tensor.deviation);
        let y = rms
            .run_in(
                &[a, b],
                &Inputs { x: inputs.v.clone(), dy: inputs.dw.clone(), ..Inputs::new(&[], &[], &[], &[], 0.0) },
            )
            .y;
        let root = (b as f64).sqrt();
        let scaled = |i: usize| f64::from(y[i]) * f64::from(inputs.g[i / b]) / root;
        let expected: Vec<f64> = (0..a * b).map(scaled).collect();
        let found = rows.run_in(&[a, b], &inputs);
        near_by("weight", "w", &found.w, &expected, f64::MIN_POSITIVE, 1e-6);
        // Keeping the other axis of the transposed.
        let turn = |values: &[f32]| transposed(values, [1, a, b]);
        let turned = WeightInputs { v: turn(&inputs.v), dw: turn(&inputs.dw), g: inputs.g.clone() };
        let other = columns.run_in(&[b, a], &turned);
        near_by("weight", "w of columns", &turn(&found.w), &widen(&other.w), f64::MIN_POSITIVE, 2e-6);
        let largest = found.saved.rstd().iter().fold(0.0_f64, |m, r| m.max(f64::from(*r)));
        near_by("weight", "dv of columns", &turn(&found.dv), &widen(&other.dv), largest, 4e-6);
        near_by("weight", "dg of columns", &found.dg, &widen(&other.dg), 1.0, 4e-6);
    });
}
