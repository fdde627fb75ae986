//! Normalization of images and of layers' weights: batch, instance, group, weight, and layer over the channels.
//!
//! `generated` knows all sizes but the first, `runtime` the channels alone: its batch and spatial sizes come with the call.

use crate::Workload;
use crate::tensors::{Pass, Run, Sizes, Tensors, WORKS, workload};
use normkit::{generic, norm};

/// Adds a forward and a backward workload of a kind with weight and bias, whose statistics are of the input alone.
///
/// In brackets: the keys but for the shape; the shape of the generated kernel; the shape of the runtime one.
macro_rules! forward_and_backward {
    (
        $all:ident, $kind:literal, $sizes_name:literal, $dims:expr, $params:literal, [$($keys:tt)*], [$($fixed:tt)*],
        [$($open:tt)*], $generic_forward:expr, $generic_backward:expr
    ) => {{
        const DIMS: [usize; 4] = $dims;
        let sizes = Sizes { elements: DIMS.iter().product(), params: $params };
        let runs: [Run; 3] = [
            ("generated", |t| {
                norm!($($keys)*, shape = [$($fixed)*]).forward(&t.x, &t.weight, &t.bias, &mut t.y).expect(WORKS)
            }),
            ("runtime", |t| {
                norm!($($keys)*, shape = [$($open)*])
                    .forward((&t.x, DIMS), &t.weight, &t.bias, (&mut t.y, DIMS))
                    .expect(WORKS)
            }),
            ("generic", $generic_forward),
        ];
        let name = concat!($kind, "_fwd_f32_", $sizes_name).to_owned();
        $all.push(workload(name, sizes, Pass::Forward, |_| {}, runs.to_vec()));
        let runs: [Run; 3] = [
            ("generated", |t| {
                norm!($($keys)*, shape = [$($fixed)*])
                    .backward(&t.x, &t.dy, &t.weight, &t.saved, &mut t.y, &mut t.dweight, &mut t.dbias)
                    .expect(WORKS)
            }),
            ("runtime", |t| {
                let (x, dy, dx) = ((&t.x, DIMS), (&t.dy, DIMS), (&mut t.y, DIMS));
                norm!($($keys)*, shape = [$($open)*])
                    .backward(x, dy, &t.weight, &t.saved, dx, &mut t.dweight, &mut t.dbias)
                    .expect(WORKS)
            }),
            ("generic", $generic_backward),
        ];
        let prepare: fn(&mut Tensors) = |t| {
            norm!($($keys)*, shape = [$($fixed)*])
                .forward_train(&t.x, &t.weight, &t.bias, &mut t.y, &mut t.saved)
                .expect(WORKS)
        };
        let name = concat!($kind, "_bwd_f32_", $sizes_name).to_owned();
        $all.push(workload(name, sizes, Pass::Backward, prepare, runs.to_vec()));
    }};
}

/// Adds the training, inference and backward workloads of batch normalization.
macro_rules! batch {
    (
        $all:ident, $sizes_name:literal, $dims:expr, $params:literal, [$($axis:tt)*], [$($fixed:tt)*], [$($open:tt)*],
        $scalar_dims:expr, $scalar_train:ident, $scalar_infer:ident, $scalar_backward:ident
    ) => {{
        const DIMS: [usize; $dims.len()] = $dims;
        let sizes = Sizes { elements: DIMS.iter().product(), params: $params };
        let runs: [Run; 3] = [
            ("generated", |t| {
                let kernel = norm!(kind = "batch", axis = $($axis)*, shape = [$($fixed)*]);
                kernel.forward_train(&t.x, &t.weight, &t.bias, &mut t.y, &mut t.saved).expect(WORKS);
                kernel
                    .update_running(&t.saved, &mut t.running_mean, &mut t.running_var, &mut t.batches)
                    .expect(WORKS);
            }),
            ("runtime", |t| {
                let kernel = norm!(kind = "batch", axis = $($axis)*, shape = [$($open)*]);
                kernel
                    .forward_train((&t.x, DIMS), &t.weight, &t.bias, (&mut t.y, DIMS), &mut t.saved)
                    .expect(WORKS);
                kernel
                    .update_running(&t.saved, &mut t.running_mean, &mut t.running_var, &mut t.batches)
                    .expect(WORKS);
            }),
            ("generic", |t| {
                let running =
                    generic::Running { mean: &mut t.running_mean, var: &mut t.running_var, momentum: 0.1 };
                generic::$scalar_train(
                    &t.x,
                    Some(&t.weight),
                    Some(&t.bias),
                    1e-5,
                    $scalar_dims,
                    Some(running),
                    &mut t.y,
                );
            }),
        ];
        let name = concat!("batch_train_f32_", $sizes_name).to_owned();
        $all.push(workload(name, sizes, Pass::Forward, |_| {}, runs.to_vec()));
        let runs: [Run; 3] = [
            ("generated", |t| {
                norm!(kind = "batch", axis = $($axis)*, shape = [$($fixed)*])
                    .forward(&t.x, &t.running_mean, &t.running_var, &t.weight, &t.bias, &mut t.y)
                    .expect(WORKS)
            }),
            ("runtime", |t| {
                let (x, y) = ((&t.x, DIMS), (&mut t.y, DIMS));
                norm!(kind = "batch", axis = $($axis)*, shape = [$($open)*])
                    .forward(x, &t.running_mean, &t.running_var, &t.weight, &t.bias, y)
                    .expect(WORKS)
            }),
            ("generic", |t| {
                generic::$scalar_infer(
                    &t.x,
                    &t.running_mean,
                    &t.running_var,
                    Some(&t.weight),
                    Some(&t.bias),
                    1e-5,
                    $scalar_dims,
                    &mut t.y,
                );
            }),
        ];
        let name = concat!("batch_infer_f32_", $sizes_name).to_owned();
        $all.push(workload(name, sizes, Pass::Forward, |_| {}, runs.to_vec()));
        let runs: [Run; 3] = [
            ("generated", |t| {
                norm!(kind = "batch", axis = $($axis)*, shape = [$($fixed)*])
                    .backward(&t.x, &t.dy, &t.weight, &t.saved, &mut t.y, &mut t.dweight, &mut t.dbias)
                    .expect(WORKS)
            }),
            ("runtime", |t| {
                let (x, dy, dx) = ((&t.x, DIMS), (&t.dy, DIMS), (&mut t.y, DIMS));
                norm!(kind = "batch", axis = $($axis)*, shape = [$($open)*])
                    .backward(x, dy, &t.weight, &t.saved, dx, &mut t.dweight, &mut t.dbias)
                    .expect(WORKS)
            }),
            ("generic", |t| {
                generic::$scalar_backward(
                    &t.x,
                    &t.dy,
                    Some(&t.weight),
                    1e-5,
                    $scalar_dims,
                    &mut t.y,
                    Some(&mut t.dweight),
                    Some(&mut t.dbias),
                );
            }),
        ];
        let prepare: fn(&mut Tensors) = |t| {
            norm!(kind = "batch", axis = $($axis)*, shape = [$($fixed)*])
                .forward_train(&t.x, &t.weight, &t.bias, &mut t.y, &mut t.saved)
                .expect(WORKS)
        };
        let name = concat!("batch_bwd_f32_", $sizes_name).to_owned();
        $all.push(workload(name, sizes, Pass::Backward, prepare, runs.to_vec()));
    }};
}

/// The scalar functions of a kind with weight and bias: `(forward, backward)`, and what comes after eps.
macro_rules! scalar {
    ($forward:ident, $backward:ident, $($rest:expr),*) => {
        (
            |t: &mut Tensors| generic::$forward(&t.x, Some(&t.weight), Some(&t.bias), 1e-5, $($rest,)* &mut t.y),
            |t: &mut Tensors| {
                generic::$backward(
                    &t.x,
                    &t.dy,
                    Some(&t.weight),
                    1e-5,
                    $($rest,)*
                    &mut t.y,
                    Some(&mut t.dweight),
                    Some(&mut t.dbias),
                )
            },
        )
    };
}

fn batch(all: &mut Vec<Workload>) {
    batch!(
        all,
        "32x64x56x56",
        [32, 64, 56, 56],
        64,
        [1],
        [_, 64, 56, 56],
        [_, 64, _, _],
        [32, 64, 56 * 56],
        batch_forward_train,
        batch_forward,
        batch_backward
    );
    batch!(
        all,
        "32x64x56x56_cl",
        [32, 56, 56, 64],
        64,
        [-1],
        [_, 56, 56, 64],
        [_, _, _, 64],
        [32, 56 * 56, 64],
        batch_forward_train_last,
        batch_forward_last,
        batch_backward_last
    );
    batch!(
        all,
        "256x1024",
        [256, 1024],
        1024,
        [1],
        [_, 1024],
        [_, _],
        [256, 1, 1024],
        batch_forward_train_last,
        batch_forward_last,
        batch_backward_last
    );
}

fn group_and_instance(all: &mut Vec<Workload>) {
    let (forward, backward) = scalar!(group_forward, group_backward, [4, 320, 64 * 64], 32);
    forward_and_backward!(
        all,
        "group",
        "4x320x64x64_g32",
        [4, 320, 64, 64],
        320,
        [kind = "group", groups = 32],
        [_, 320, 64, 64],
        [_, 320, _, _],
        forward,
        backward
    );
    let (forward, backward) = scalar!(group_forward_last, group_backward_last, [4, 64 * 64, 320], 32);
    forward_and_backward!(
        all,
        "group",
        "4x320x64x64_g32_cl",
        [4, 64, 64, 320],
        320,
        [kind = "group", groups = 32, axis = -1],
        [_, 64, 64, 320],
        [_, _, _, 320],
        forward,
        backward
    );
    let (forward, backward) = scalar!(instance_forward, instance_backward, [8, 64, 128 * 128]);
    forward_and_backward!(
        all,
        "instance",
        "8x64x128x128",
        [8, 64, 128, 128],
        64,
        [kind = "instance"],
        [_, 64, 128, 128],
        [_, 64, _, _],
        forward,
        backward
    );
}

/// Layer normalization over the channels of an image, as in ConvNeXt.
fn layer(all: &mut Vec<Workload>) {
    let (forward, backward) = scalar!(layer_forward_middle, layer_backward_middle, [8, 192, 28 * 28]);
    forward_and_backward!(
        all,
        "layer",
        "8x192x28x28_ax1",
        [8, 192, 28, 28],
        192,
        [kind = "layer", axis = 1],
        [_, 192, 28, 28],
        [_, 192, _, _],
        forward,
        backward
    );
}

/// Weight normalization: `x` is `v`, `dy` is `dw`; `y` is `w`, and in the backward pass the gradient of `v`, which is added to.
fn weight(all: &mut Vec<Workload>) {
    let sizes = Sizes { elements: 512 * 1536, params: 512 };
    let runs: [Run; 3] = [
        ("generated", |t| norm!(kind = "weight", shape = [512, 1536]).forward(&t.x, &t.weight, &mut t.y).expect(WORKS)),
        ("runtime", |t| {
            norm!(kind = "weight", shape = [_, _])
                .forward((&t.x, [512, 1536]), &t.weight, (&mut t.y, [512, 1536]))
                .expect(WORKS)
        }),
        ("generic", |t| generic::weight_forward(&t.x, Some(&t.weight), [1, 512, 1536], &mut t.y)),
    ];
    all.push(workload("weight_fwd_f32_512x1536".to_owned(), sizes, Pass::Forward, |_| {}, runs.to_vec()));
    let runs: [Run; 3] = [
        ("generated", |t| {
            norm!(kind = "weight", shape = [512, 1536])
                .backward(&t.x, &t.dy, &t.weight, &t.saved, &mut t.y, &mut t.dweight)
                .expect(WORKS)
        }),
        ("runtime", |t| {
            let (v, dw, dv) = ((&t.x, [512, 1536]), (&t.dy, [512, 1536]), (&mut t.y, [512, 1536]));
            norm!(kind = "weight", shape = [_, _])
                .backward(v, dw, &t.weight, &t.saved, dv, &mut t.dweight)
                .expect(WORKS)
        }),
        ("generic", |t| {
            generic::weight_backward(&t.x, &t.dy, Some(&t.weight), [1, 512, 1536], &mut t.y, Some(&mut t.dweight));
        }),
    ];
    let prepare: fn(&mut Tensors) = |t| {
        norm!(kind = "weight", shape = [512, 1536]).forward_train(&t.x, &t.weight, &mut t.y, &mut t.saved).expect(WORKS)
    };
    all.push(workload("weight_bwd_f32_512x1536".to_owned(), sizes, Pass::BackwardAdding, prepare, runs.to_vec()));
}

/// The shapes that models for images use, and the weight of a linear layer.
#[must_use]
pub fn workloads() -> Vec<Workload> {
    let mut all = Vec::new();
    batch(&mut all);
    group_and_instance(&mut all);
    layer(&mut all);
    weight(&mut all);
    all
}
