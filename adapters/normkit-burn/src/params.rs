//! The parameters of an operation.

use burn::backend::DispatchTensor;
use burn::tensor::Tensor;

/// The parameters of an operation, in the order weight, bias: `()` for none, a tensor, two of them, or a `Vec`.
pub trait Params: sealed::Tensors {}

impl<T: sealed::Tensors> Params for T {}

/// Which tensors are burn's own, and how they are routed, is for this crate to know.
pub(crate) mod sealed {
    use super::DispatchTensor;

    pub trait Tensors {
        /// Numbers, where they are quantized.
        fn into_tensors(self) -> Vec<DispatchTensor>;
    }
}

impl sealed::Tensors for () {
    fn into_tensors(self) -> Vec<DispatchTensor> {
        Vec::new()
    }
}

impl<const P: usize> sealed::Tensors for Tensor<P> {
    fn into_tensors(self) -> Vec<DispatchTensor> {
        vec![self.dequantize().into_dispatch()]
    }
}

impl<const P: usize, const Q: usize> sealed::Tensors for (Tensor<P>, Tensor<Q>) {
    fn into_tensors(self) -> Vec<DispatchTensor> {
        vec![self.0.dequantize().into_dispatch(), self.1.dequantize().into_dispatch()]
    }
}

impl<const P: usize> sealed::Tensors for Vec<Tensor<P>> {
    fn into_tensors(self) -> Vec<DispatchTensor> {
        self.into_iter().map(|tensor| tensor.dequantize().into_dispatch()).collect()
    }
}
