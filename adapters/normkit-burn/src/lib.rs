//! normkit's normalization layers for [burn]: SIMD kernels with gradients, on tensors that you already have.
//!
//! # Drop-in modules
//!
//! [`RmsNorm`], [`LayerNorm`], [`BatchNorm`], [`GroupNorm`], [`InstanceNorm`] and their configs have the fields and methods of burn's, and
//! read the same records: a model is switched over by changing `use burn::nn::` to `use normkit_burn::` for these names.
//!
//! ```
//! use burn::module::Module;
//! use burn::nn::{Linear, LinearConfig};
//! use burn::tensor::{Device, Distribution, Tensor};
//! use normkit_burn::{RmsNorm, RmsNormConfig};       // were burn::nn's
//!
//! #[derive(Module, Debug)]
//! struct Block {
//!     norm: RmsNorm,
//!     linear: Linear,
//! }
//!
//! let device = Device::flex().autodiff();
//! let block = Block {
//!     norm: RmsNormConfig::new(64).with_epsilon(1e-6).init(&device),
//!     linear: LinearConfig::new(64, 64).init(&device),
//! };
//! let x = Tensor::<3>::random([2, 10, 64], Distribution::Default, &device);
//! let grads = block.linear.forward(block.norm.forward(x)).sum().backward();
//! assert_eq!(block.norm.gamma.grad(&grads).unwrap().dims(), [64]);
//! ```
//!
//! On the Flex backend, with and without autodiff, they run kernels that are specialised for the usual sizes, and for all others the kernels
//! for lengths known at run time; on other backends they call burn's own layers.
//!
//! # Kernels of your own
//!
//! [`NormOp`] makes an operation of any annotated layer's kernel, or of what [`norm!`](normkit::norm) gives, over parameters that are
//! tensors. [`Norm`] is a module of such an operation and its parameters.
//!
//! ```
//! use burn::tensor::{Device, Distribution, Tensor};
//! use normkit_burn::NormOp;
//!
//! let device = Device::flex().autodiff();
//! let norm = NormOp::new(normkit::norm!(kind = "rms", shape = [_, 96], eps = 1e-6).kernel());
//! let x = Tensor::<3>::random([2, 5, 96], Distribution::Default, &device).require_grad();      // leading axes are rows
//! let weight = Tensor::<1>::ones([96], &device).require_grad();
//! let grads = norm.forward(x.clone(), weight.clone()).sum().backward();
//! assert_eq!(x.grad(&grads).unwrap().dims(), [2, 5, 96]);
//! assert_eq!(weight.grad(&grads).unwrap().dims(), [96]);
//! ```
//!
//! # Tensors
//!
//! - `f32`, `f64`, `f16` and `bf16`; parameters are of the same type in the modules, and of the kernel's type in [`NormOp`]. Half types are
//!   computed in f32 and rounded once.
//! - Quantized tensors and parameters are made numbers first, as by burn's own layers.
//! - Contiguous tensors, and such as are strided along outer axes (a part of a fused projection, the heads of one), are read where they
//!   are. What is strided along normalized axes, reversed or broadcast is copied first, as burn's own operations do: its tensors do not
//!   show how they lie.
//! - Gradients are those of `x` and of every parameter; operations in the graph keep the statistics of their forward pass, so that the
//!   backward pass does not compute them again. What is kept of `x` is for the graph to say: with gradient checkpointing it may be computed
//!   again.
//! - What does not fit (another type, backend, rank or size) is an [`Error`] that names the argument, what was expected and what was found:
//!   `try_forward` gives it, and `forward` panics with it, as burn's layers do.
//! - Calls on tensors of 8 MB or more are shared out among the threads of rayon, unless within `normkit::single_threaded`.

mod backend;
mod batch_norm;
mod flex;
mod group_norm;
mod instance_norm;
mod layer_norm;
mod norm;
mod op;
mod params;
mod rms_norm;

pub use batch_norm::{BatchNorm, BatchNormConfig};
pub use group_norm::{GroupNorm, GroupNormConfig};
pub use instance_norm::{InstanceNorm, InstanceNormConfig};
pub use layer_norm::{LayerNorm, LayerNormConfig};
pub use norm::Norm;
pub use normkit_adapter::Error;
pub use op::{NormOp, Statistics};
pub use params::Params;
pub use rms_norm::{RmsNorm, RmsNormConfig};

use burn::backend::DispatchDevice;
use burn::tensor::Tensor;

/// Whether a tensor is where normkit has kernels.
fn on_flex<const D: usize>(x: &Tensor<D>) -> bool {
    match x.device().as_dispatch() {
        DispatchDevice::Flex(_) => true,
        DispatchDevice::Autodiff(_) => matches!(x.device().inner().as_dispatch(), DispatchDevice::Flex(_)),
        #[allow(unreachable_patterns, reason = "what other backends there are is for features of burn to say")]
        _ => false,
    }
}

/// Refuses tensors without that many channels.
fn check_channels<const D: usize>(kind: &str, x: &Tensor<D>, channels: usize) -> Result<(), Error> {
    match &x.dims()[..] {
        [_, found, ..] if *found == channels => Ok(()),
        found => {
            Err(Error::Other(format!("{kind}: `x`: expected [N, {channels}] or [N, {channels}, ...], found {found:?}")))
        }
    }
}

/// Runs the code of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
