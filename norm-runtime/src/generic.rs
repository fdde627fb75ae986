//! Normalization as a person would write it in a hurry: one element after the other.
//!
//! These functions are what the generated kernels are measured against, not what anyone should use: they sum in one chain,
//! take the variance in a second pass about the rounded mean, compute statistics once more in the backward pass, and leave
//! vectors to the compiler. But they are no straw men: they walk through memory in the order it lies in, wherever that is
//! as easily written. [`mod@reference`] is the oracle that tests compare to.
//!
//! | functions | `x`, `y`, `dy`, `dx` | parameters and their gradients |
//! |---|---|---|
//! | `rms_*`, `layer_*` | `[rows, n]` | `[n]` |
//! | `rms_*_middle`, `layer_*_middle` | `[outer, n, inner]` | `[n]` |
//! | `batch_*`, `instance_*`, `group_*` | `[outer, channels, inner]` (NCHW: `inner` is H x W) | `[channels]` |
//! | `batch_*_last`, `instance_*_last`, `group_*_last` | `[outer, spatial, channels]` (NHWC) | `[channels]` |
//! | `weight_*` | `[outer, kept, inner]` (`v`, `w`, `dw`, `dv`) | `[kept]` (`g`, `dg`) |
//!
//! Gradients of parameters are added to (those of weight normalization all are), other outputs are written.
//!
//! They index as people do, which is part of what is measured.
//!
//! # Panics
//! All functions here panic on slices of other lengths, as indexing does.

#![allow(clippy::needless_range_loop, reason = "written as people write it")]
#![allow(clippy::too_many_arguments, reason = "a layer's backward pass has that many")]

mod channels;
mod channels_last;
mod middle;
pub mod reference;
mod rows;
#[cfg(test)]
mod tests;
mod weight;

pub use channels::{
    Running, batch_backward, batch_backward_frozen, batch_forward, batch_forward_train, group_backward, group_forward,
    instance_backward, instance_forward,
};
pub use channels_last::{
    batch_backward_frozen_last, batch_backward_last, batch_forward_last, batch_forward_train_last, group_backward_last,
    group_forward_last, instance_backward_last, instance_forward_last,
};
pub use middle::{layer_backward_middle, layer_forward_middle, rms_backward_middle, rms_forward_middle};
pub use rows::{layer_backward, layer_forward, rms_backward, rms_forward};
pub use weight::{weight_backward, weight_forward};
