//! Tensors of burn's Flex backend as normkit takes them.

use burn::backend::flex::FlexTensor;
use burn::backend::{BackendTensor, DispatchTensor, DispatchTensorKind};
use burn::tensor::{DType, Shape, TensorData};
use normkit_adapter::{Argument, Values};

/// Whether a tensor is on the Flex backend, tracked or not.
pub fn is_here(kind: &DispatchTensorKind) -> bool {
    match kind {
        DispatchTensorKind::Flex(_) => true,
        DispatchTensorKind::Autodiff(inner) => is_here(inner),
        #[allow(unreachable_patterns, reason = "what other backends there are is for features of burn to say")]
        _ => false,
    }
}

/// The tensor of the Flex backend within a tensor of numbers that is there, without its graph.
pub fn primitive(tensor: DispatchTensor) -> Option<FlexTensor> {
    let inner = match tensor.kind {
        DispatchTensorKind::Autodiff(inner) => *inner,
        kind => kind,
    };
    match inner {
        DispatchTensorKind::Flex(BackendTensor::Float(tensor)) => Some(tensor),
        DispatchTensorKind::Flex(BackendTensor::Autodiff(tensor)) => Some(tensor.into_primitive()),
        _ => None,
    }
}

/// Whether normkit has kernels over elements of this type.
pub fn is_known(dtype: DType) -> bool {
    matches!(dtype, DType::F16 | DType::BF16 | DType::F32 | DType::F64)
}

/// A tensor as normkit takes it, if it has kernels for its type.
pub fn argument(tensor: &FlexTensor) -> Option<Argument<'_>> {
    let elements = match tensor.dtype() {
        DType::F16 => normkit::Tensor::F16(tensor.storage()),
        DType::BF16 => normkit::Tensor::Bf16(tensor.storage()),
        DType::F32 => normkit::Tensor::F32(tensor.storage()),
        DType::F64 => normkit::Tensor::F64(tensor.storage()),
        _ => return None,
    };
    let layout = tensor.layout();
    Some(Argument::new(elements, layout.shape(), layout.strides(), layout.start_offset()))
}

/// A tensor of what normkit gives.
pub fn tensor(values: Values, shape: &Shape) -> FlexTensor {
    let shape = shape.clone();
    FlexTensor::from_data(match values {
        Values::F16(values) => TensorData::new(values, shape),
        Values::Bf16(values) => TensorData::new(values, shape),
        Values::F32(values) => TensorData::new(values, shape),
        Values::F64(values) => TensorData::new(values, shape),
    })
}
