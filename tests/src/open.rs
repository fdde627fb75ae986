//! Kernels whose sizes are all known only at run time, compiled once for all tests.

use crate::sets::Sets;
use crate::{Batch, Kernel, WeightNorm, batch, kernel, weight_norm};

/// Parts of the channels in the group kernels of this module.
pub const GROUPS: usize = 4;

/// A kernel and its axes.
#[allow(missing_docs, reason = "named after their types")]
pub struct Open<T: normkit::Compute> {
    pub kernel: Kernel<T>,
    pub sets: Sets,
}

const FIRST: usize = 1;
const LAST: usize = 2;

/// Kernels over three axes: with the channels first or last.
macro_rules! three_axes {
    ($t:ident ($($eps:ident)?) $($value:tt)*) => {
        vec![
            Open {
                kernel: kernel!($t, weight bias $($eps)?; kind = "instance", shape = [_, _, _] $($value)*),
                sets: Sets::Instance { axis: FIRST },
            },
            Open {
                kernel: kernel!($t, weight bias $($eps)?; kind = "instance", shape = [_, _, _], axis = -1 $($value)*),
                sets: Sets::Instance { axis: LAST },
            },
            Open {
                kernel: kernel!($t, weight bias $($eps)?; kind = "group", shape = [_, _, _], groups = 4 $($value)*),
                sets: Sets::Groups { axis: FIRST, groups: GROUPS },
            },
            Open {
                kernel: kernel!(
                    $t, weight bias $($eps)?; kind = "group", shape = [_, _, _], axis = -1, groups = 4 $($value)*
                ),
                sets: Sets::Groups { axis: LAST, groups: GROUPS },
            },
            Open {
                kernel: kernel!($t, weight bias $($eps)?; kind = "layer", shape = [_, _, _], axis = 1 $($value)*),
                sets: Sets::Over(&[1]),
            },
        ]
    };
}

/// Instance, instance with channels last, group, group with channels last, layer over axis 1; `eps` is given at run time.
#[must_use]
pub fn three_axes() -> Vec<Open<f32>> {
    three_axes!(f32(eps), eps = _)
}

/// The same in `f64`, with the usual `eps`.
#[must_use]
pub fn three_axes_f64() -> Vec<Open<f64>> {
    three_axes!(f64())
}

/// Instance over images, `[N, C, H, W]`.
#[must_use]
pub fn instance_images() -> Kernel<f32> {
    kernel!(f32, weight bias; kind = "instance", shape = [_, _, _, _])
}

/// Group over images with the channels last, `[N, H, W, C]`.
#[must_use]
pub fn group_images_last() -> Kernel<f32> {
    kernel!(f32, weight bias; kind = "group", shape = [_, _, _, _], axis = -1, groups = 4)
}

/// Layer over columns of tensors of three axes: axis 1 with `rms`; axes 0 and 2, around a kept one; axis 0.
#[must_use]
pub fn other_axes() -> Vec<Open<f32>> {
    vec![
        Open { kernel: kernel!(f32, weight; kind = "rms", shape = [_, _, _], axis = 1), sets: Sets::Over(&[1]) },
        Open {
            kernel: kernel!(f32, weight bias; kind = "layer", shape = [_, _, _], axis = [0, 2]),
            sets: Sets::Over(&[0, 2]),
        },
        Open {
            kernel: kernel!(f32, weight bias; kind = "layer", shape = [_, _, _], axis = [0, 1]),
            sets: Sets::Over(&[0, 1]),
        },
    ]
}

/// A batch kernel with the axis of its channels.
#[allow(missing_docs, reason = "named after their types")]
pub struct OpenBatch<T: normkit::Compute> {
    pub kernel: Batch<T>,
    pub axis: usize,
}

macro_rules! batch_kernels {
    ($t:ident ($($eps:ident)?) $($value:tt)*) => {
        vec![
            OpenBatch { kernel: batch!($t, weight bias $($eps)?; shape = [_, _, _] $($value)*), axis: FIRST },
            OpenBatch { kernel: batch!($t, weight bias $($eps)?; shape = [_, _, _], axis = -1 $($value)*), axis: LAST },
        ]
    };
}

/// Batch over three axes: with the channels first and last; `eps` is given at run time.
#[must_use]
pub fn batch_three_axes() -> Vec<OpenBatch<f32>> {
    batch_kernels!(f32(eps), eps = _)
}

/// The same in `f64`, with the usual `eps`.
#[must_use]
pub fn batch_three_axes_f64() -> Vec<OpenBatch<f64>> {
    batch_kernels!(f64())
}

/// Batch over `[N, C]`.
#[must_use]
pub fn batch_columns() -> Batch<f32> {
    batch!(f32, weight bias; shape = [_, _])
}

/// Batch over images, `[N, C, H, W]`.
#[must_use]
pub fn batch_images() -> Batch<f32> {
    batch!(f32, weight bias; shape = [_, _, _, _])
}

/// Weight over two axes, keeping the first.
#[must_use]
pub fn weight_rows() -> WeightNorm<f32> {
    weight_norm!(f32, g; shape = [_, _])
}

/// Weight over two axes, keeping the last.
#[must_use]
pub fn weight_columns() -> WeightNorm<f32> {
    weight_norm!(f32, g; shape = [_, _], axis = 1)
}

/// Weight over three axes, keeping the one in the middle.
#[must_use]
pub fn weight_middle() -> WeightNorm<f32> {
    weight_norm!(f32, g; shape = [_, _, _], axis = 1)
}

/// Weight in `f64`, keeping the first axis and the one in the middle.
#[must_use]
pub fn weight_f64() -> [WeightNorm<f64>; 2] {
    [weight_norm!(f64, g; shape = [_, _, _]), weight_norm!(f64, g; shape = [_, _, _], axis = 1)]
}
