//! Types of elements, told at run time.

use crate::kept::Keep;
use normkit::{Element, Tensor, bf16, f16};

/// A type that tensors and kernels have elements of.
pub(crate) trait Scalar: Element<Compute: Keep> {
    /// The elements, if they are of this type.
    fn of(elements: Tensor<'_>) -> Option<&[Self]>;

    /// Of this type.
    fn values(values: Vec<Self>) -> Values;
}

/// What a call gives: elements of a type that is known at run time.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs, reason = "named after the types")]
pub enum Values {
    F16(Vec<f16>),
    Bf16(Vec<bf16>),
    F32(Vec<f32>),
    F64(Vec<f64>),
}

macro_rules! scalars {
    ($($variant:ident $t:ty;)*) => {
        $(impl Scalar for $t {
            fn of(elements: Tensor<'_>) -> Option<&[Self]> {
                match elements {
                    Tensor::$variant(elements) => Some(elements),
                    _ => None,
                }
            }

            fn values(values: Vec<Self>) -> Values {
                Values::$variant(values)
            }
        })*
    };
}

scalars! {
    F16 f16;
    Bf16 bf16;
    F32 f32;
    F64 f64;
}

/// The name of the type, as descriptions of kernels have it.
pub(crate) fn name(elements: Tensor<'_>) -> &'static str {
    match elements {
        Tensor::F16(_) => "f16",
        Tensor::Bf16(_) => "bf16",
        Tensor::F32(_) => "f32",
        Tensor::F64(_) => "f64",
        _ => "i64",
    }
}
