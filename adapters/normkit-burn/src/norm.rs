//! A kernel of the user's own as a module.

use crate::op::{NormOp, or_panic};
use burn::module::{Module, Param};
use burn::nn::Initializer;
use burn::tensor::{Device, Tensor, TensorData};
use normkit::{Kernel, NormLayer};
use normkit_adapter::Error;

/// The operation of a kernel with its parameters: a module for kinds that have no running statistics. `P`: the axes of the parameters,
/// which are as many as there are normalized ones.
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use normkit::normalize;
/// use normkit_burn::Norm;
///
/// #[normalize(kind = "rms", shape = [_, 48])]
/// pub struct Hidden;
///
/// # fn main() -> Result<(), normkit_burn::Error> {
/// let device = Device::flex().autodiff();
/// let layer = Hidden::new();                        // trained before, or loaded
/// let norm = Norm::from_layer(Hidden::KERNEL, &layer, &device)?;
/// let grads = norm.forward(Tensor::<2>::ones([2, 48], &device)).sum().backward();
/// assert!(norm.weight.as_ref().unwrap().grad(&grads).is_some());
/// # Ok(())
/// # }
/// ```
#[derive(Module, Debug)]
pub struct Norm<const P: usize = 1> {
    /// What each normalized element is multiplied with, if the kernel has it.
    pub weight: Option<Param<Tensor<P>>>,
    /// What is added after that, if the kernel has it.
    pub bias: Option<Param<Tensor<P>>>,
    #[module(skip)]
    op: NormOp,
}

impl<const P: usize> Norm<P> {
    /// With these parameters.
    ///
    /// # Errors
    /// If there are more or fewer than the kernel has, or it has running statistics.
    pub fn new(op: NormOp, weight: Option<Tensor<P>>, bias: Option<Tensor<P>>) -> Result<Self, Error> {
        op.call().module_params()?;
        op.call().check_params(usize::from(weight.is_some()) + usize::from(bias.is_some()))?;
        Ok(Norm { weight: weight.map(Param::from_tensor), bias: bias.map(Param::from_tensor), op })
    }

    /// With a weight of ones and a bias of zeros, as far as the kernel has them.
    ///
    /// # Errors
    /// If the kernel has running statistics.
    pub fn init(op: NormOp, dims: [usize; P], device: &Device) -> Result<Self, Error> {
        let names = op.call().module_params()?;
        let param = |name: &str, values: Initializer| names.contains(&name).then(|| values.init(dims, device));
        Ok(Norm { weight: param("weight", Initializer::Ones), bias: param("bias", Initializer::Zeros), op })
    }

    /// The operation.
    #[must_use]
    pub fn op(&self) -> NormOp {
        self.op
    }

    /// Normalizes `x`.
    ///
    /// # Panics
    /// Where [`try_forward`](Self::try_forward) gives an error, with its message.
    #[track_caller]
    pub fn forward<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        or_panic(self.try_forward(x))
    }

    /// As [`forward`](Self::forward), with an error where that panics.
    ///
    /// # Errors
    /// If a tensor is of another type, backend, rank or size than the kernel takes.
    pub fn try_forward<const D: usize>(&self, x: Tensor<D>) -> Result<Tensor<D>, Error> {
        let params: Vec<Tensor<P>> = [&self.weight, &self.bias].into_iter().flatten().map(Param::val).collect();
        self.op.try_forward(x, params)
    }
}

impl Norm<1> {
    /// With the parameters of an annotated layer. A layer whose `eps` is known at run time only wants [`NormOp::with_eps`] and
    /// [`new`](Self::new).
    ///
    /// # Errors
    /// If `kernel` is not that of the layer, or has running statistics.
    pub fn from_layer(kernel: Kernel, layer: &dyn NormLayer, device: &Device) -> Result<Self, Error> {
        if kernel.spec() != layer.spec() {
            return Err(Error::Other(format!("expected a layer of {:?}, found {:?}", kernel.spec(), layer.spec())));
        }
        let mut norm = Norm { weight: None, bias: None, op: NormOp::new(kernel) };
        norm.op.call().module_params()?;
        for (name, values) in layer.params() {
            let param = Some(Param::from_tensor(tensor(name, values, device)?));
            if name == "bias" { norm.bias = param } else { norm.weight = param }
        }
        Ok(norm)
    }
}

fn tensor(name: &str, values: normkit::Tensor<'_>, device: &Device) -> Result<Tensor<1>, Error> {
    use normkit::Tensor as T;
    let n = [values.len()];
    let data = match values {
        T::F16(values) => TensorData::new(values.to_vec(), n),
        T::Bf16(values) => TensorData::new(values.to_vec(), n),
        T::F32(values) => TensorData::new(values.to_vec(), n),
        T::F64(values) => TensorData::new(values.to_vec(), n),
        _ => return Err(Error::Other(format!("`{name}`: expected elements of f16, bf16, f32 or f64"))),
    };
    let dtype = data.dtype();
    Ok(Tensor::from_data(data, (device, dtype)))
}
