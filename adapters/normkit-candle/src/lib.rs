//! normkit's normalization layers for [candle](candle_core): SIMD kernels with gradients, on tensors that you already have.
//!
//! # Drop-in modules
//!
//! [`RmsNorm`], [`LayerNorm`], [`BatchNorm`] and [`GroupNorm`] have the constructors and methods of candle-nn's, and read the same
//! checkpoints: a model is switched over by changing `use candle_nn::` to `use normkit_candle::` for these names.
//! [`InstanceNorm`] is new, after the pattern of `GroupNorm`.
//!
//! ```
//! use candle_core::{DType, Device, Module, Tensor};
//! use candle_nn::{VarBuilder, VarMap};
//! use normkit_candle::{layer_norm, rms_norm};       // were candle_nn's
//!
//! # fn main() -> candle_core::Result<()> {
//! let vars = VarMap::new();
//! let vb = VarBuilder::from_varmap(&vars, DType::F32, &Device::Cpu);
//! let first = layer_norm(768, 1e-5, vb.pp("first"))?;
//! let second = rms_norm(768, 1e-6, vb.pp("second"))?;
//!
//! let x = Tensor::randn(0f32, 1., (4, 16, 768), &Device::Cpu)?;
//! let loss = second.forward(&first.forward(&x)?)?.sqr()?.mean_all()?;
//! let grads = loss.backward()?;
//! for var in vars.all_vars() {
//!     assert!(grads.get(&var).is_some());           // candle's own fused layers give none, silently
//! }
//! # Ok(())
//! # }
//! ```
//!
//! On the CPU they run kernels that are specialised for the usual sizes, and for all others the kernels for lengths known at run
//! time; on CUDA and Metal devices they call candle's own layers.
//!
//! # Kernels of your own
//!
//! [`NormOp`] makes an operation of any annotated layer's kernel, or of what [`norm!`](normkit::norm) gives, over parameters that are
//! tensors. [`Norm`] is a module of such an operation and its parameters.
//!
//! ```
//! use candle_core::{Device, Tensor, Var};
//! use normkit_candle::NormOp;
//!
//! # fn main() -> candle_core::Result<()> {
//! let norm = NormOp::new(normkit::norm!(kind = "rms", shape = [_, 96], eps = 1e-6).kernel());
//! let x = Var::randn(0f32, 1., (2, 5, 96), &Device::Cpu)?;     // leading axes are rows
//! let weight = Var::ones(96, candle_core::DType::F32, &Device::Cpu)?;
//! let y = norm.forward(&x, &[&weight])?;
//! let grads = y.sqr()?.sum_all()?.backward()?;
//! assert_eq!(grads.get(&x).unwrap().dims(), [2, 5, 96]);
//! assert_eq!(grads.get(&weight).unwrap().dims(), [96]);
//! # Ok(())
//! # }
//! ```
//!
//! # Tensors
//!
//! - `f32`, `f64`, `f16` and `bf16`; parameters are of the same type in the modules, and of the kernel's type in [`NormOp`]. Half types are
//!   computed in f32 and rounded once.
//! - Contiguous tensors, and such as are strided along outer axes (a part of a fused projection, the heads of one), are read where they
//!   are. What is strided along normalized axes is an error that says so, never a copy.
//! - Gradients are those of `x` and of every parameter; operations in the graph keep the statistics of their forward pass, so that the
//!   backward pass does not compute them again. There are no second derivatives: like candle's own, gradients have no graph.
//! - What does not fit (another type, device, rank or size) is a [`candle_core::Error`] that names the argument, what was
//!   expected and what was found.
//! - Calls on tensors of 8 MB or more are shared out among the threads of rayon, unless within `normkit::single_threaded`.

mod batch_norm;
mod call;
mod group_norm;
mod layer_norm;
mod module;
mod op;

pub use batch_norm::{BatchNorm, batch_norm};
pub use candle_nn::{BatchNormConfig, LayerNormConfig};
pub use group_norm::{GroupNorm, InstanceNorm, group_norm, instance_norm};
pub use layer_norm::{LayerNorm, RmsNorm, layer_norm, layer_norm_no_bias, rms_norm};
pub use module::Norm;
pub use op::{NormOp, Statistics};

/// Runs the code of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
