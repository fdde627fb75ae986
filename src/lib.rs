//! Normalization layers for CPUs: SIMD kernels generated at compile time, with gradients.

pub use norm_macros::{norm, normalize};
pub use norm_runtime::{
    Affine, Compute, Dim, Element, Level, NormError, NormLayer, Param, Saved, Spec, Tensor, TensorMut, View, ViewMut,
    generic,
};

#[doc(hidden)]
pub use norm_runtime as __private;
