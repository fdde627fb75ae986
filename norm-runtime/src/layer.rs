//! The object-safe view of a layer, for code that walks models: checkpoints, optimizers, counts.

use crate::dtype::{bf16, f16};
use crate::spec::Spec;

/// A named slice of a layer, by element type.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Tensor<'a> {
    /// `f16` elements.
    F16(&'a [f16]),
    /// `bf16` elements.
    Bf16(&'a [bf16]),
    /// `f32` elements.
    F32(&'a [f32]),
    /// `f64` elements.
    F64(&'a [f64]),
    /// Integers: the number of batches tracked.
    I64(&'a [i64]),
}

/// As [`Tensor`], to be written.
#[derive(Debug, PartialEq)]
#[non_exhaustive]
pub enum TensorMut<'a> {
    /// `f16` elements.
    F16(&'a mut [f16]),
    /// `bf16` elements.
    Bf16(&'a mut [bf16]),
    /// `f32` elements.
    F32(&'a mut [f32]),
    /// `f64` elements.
    F64(&'a mut [f64]),
    /// Integers: the number of batches tracked.
    I64(&'a mut [i64]),
}

impl Tensor<'_> {
    /// The number of elements.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Tensor::F16(s) => s.len(),
            Tensor::Bf16(s) => s.len(),
            Tensor::F32(s) => s.len(),
            Tensor::F64(s) => s.len(),
            Tensor::I64(s) => s.len(),
        }
    }

    /// Whether there are no elements.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl TensorMut<'_> {
    /// The same elements, to be read.
    #[must_use]
    pub fn as_tensor(&self) -> Tensor<'_> {
        match self {
            TensorMut::F16(s) => Tensor::F16(s),
            TensorMut::Bf16(s) => Tensor::Bf16(s),
            TensorMut::F32(s) => Tensor::F32(s),
            TensorMut::F64(s) => Tensor::F64(s),
            TensorMut::I64(s) => Tensor::I64(s),
        }
    }
}

macro_rules! conversions {
    ($($t:ident => $variant:ident),*) => { $(
        impl<'a> From<&'a [$t]> for Tensor<'a> {
            fn from(s: &'a [$t]) -> Self {
                Tensor::$variant(s)
            }
        }
        impl<'a> From<&'a mut [$t]> for TensorMut<'a> {
            fn from(s: &'a mut [$t]) -> Self {
                TensorMut::$variant(s)
            }
        }
    )* };
}

conversions!(f16 => F16, bf16 => Bf16, f32 => F32, f64 => F64, i64 => I64);

/// A normalization layer, whatever its technique, shape and type.
pub trait NormLayer {
    /// What the layer was generated for.
    fn spec(&self) -> &'static Spec;
    /// The parameters (what an optimizer changes), by field name.
    fn params(&self) -> Vec<(&'static str, Tensor<'_>)>;
    /// As [`NormLayer::params`], to be written.
    fn params_mut(&mut self) -> Vec<(&'static str, TensorMut<'_>)>;
    /// The buffers (running statistics: saved with the parameters, changed by no optimizer), by field name.
    fn buffers(&self) -> Vec<(&'static str, Tensor<'_>)> {
        Vec::new()
    }
    /// As [`NormLayer::buffers`], to be written.
    fn buffers_mut(&mut self) -> Vec<(&'static str, TensorMut<'_>)> {
        Vec::new()
    }
    /// The plan: what was generated for each instruction set, and why.
    fn plan(&self) -> &'static str;
}

/// What `norms` of a model gives, from its layers.
#[doc(hidden)]
pub fn norms<T, const N: usize>(layers: [T; N]) -> core::array::IntoIter<T, N> {
    layers.into_iter()
}
