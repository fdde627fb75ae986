//! A kernel of the user's own as a module.

use crate::call::error;
use crate::op::NormOp;
use candle_core::{Device, Module, Result, Shape, Tensor, Var, bail};
use candle_nn::{Init, VarBuilder};
use normkit::{Kernel, NormLayer};

/// The operation of a kernel with its parameters: a module for kinds that have no running statistics.
///
/// ```
/// use candle_core::{Device, Module, Tensor};
/// use normkit::normalize;
/// use normkit_candle::Norm;
///
/// #[normalize(kind = "rms", shape = [_, 48])]
/// pub struct Hidden;
///
/// # fn main() -> candle_core::Result<()> {
/// let layer = Hidden::new();                        // trained before, or loaded
/// let norm = Norm::from_layer(Hidden::KERNEL, &layer, &Device::Cpu)?;
/// let y = norm.forward(&Tensor::ones((2, 48), candle_core::DType::F32, &Device::Cpu)?)?;
/// let grads = y.sqr()?.sum_all()?.backward()?;
/// assert!(norm.vars()?.iter().all(|var| grads.get(var).is_some()));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Norm {
    op: NormOp,
    params: Vec<Tensor>,
}

impl Norm {
    /// With these parameters: weight and bias, as far as the kernel has them.
    ///
    /// # Errors
    /// If there are more or fewer than the kernel has, or it has running statistics.
    pub fn new(op: NormOp, params: Vec<Tensor>) -> Result<Self> {
        op.call().module_params().and_then(|_| op.call().check_params(params.len())).map_err(error)?;
        Ok(Norm { op, params })
    }

    /// With `weight` and `bias` of a checkpoint, or of variables that start at 1 and 0.
    ///
    /// # Errors
    /// If one is missing or of another shape; and as [`new`](Self::new).
    pub fn load<S: Into<Shape>>(op: NormOp, shape: S, vb: VarBuilder) -> Result<Self> {
        let shape = shape.into();
        let get = |name: &&str| vb.get_with_hints(&shape, name, Init::Const(if *name == "bias" { 0.0 } else { 1.0 }));
        let params = op.call().module_params().map_err(error)?.iter().map(get).collect::<Result<_>>()?;
        Self::new(op, params)
    }

    /// With the parameters of an annotated layer, as new variables. A layer whose `eps` is known at run time only wants
    /// [`NormOp::with_eps`] and [`new`](Self::new).
    ///
    /// # Errors
    /// If `kernel` is not that of the layer; and as [`new`](Self::new).
    pub fn from_layer(kernel: Kernel, layer: &dyn NormLayer, device: &Device) -> Result<Self> {
        if kernel.spec() != layer.spec() {
            bail!("expected a layer of {:?}, found {:?}", kernel.spec(), layer.spec())
        }
        let params =
            layer.params().into_iter().map(|(name, values)| var(name, values, device)).collect::<Result<_>>()?;
        Self::new(NormOp::new(kernel), params)
    }

    /// The operation.
    #[must_use]
    pub fn op(&self) -> &NormOp {
        &self.op
    }

    /// The parameters, in their order.
    #[must_use]
    pub fn params(&self) -> &[Tensor] {
        &self.params
    }

    /// The parameters as variables, for optimizers.
    ///
    /// # Errors
    /// If one of them is no variable.
    pub fn vars(&self) -> Result<Vec<Var>> {
        let var = |tensor: &Tensor| match tensor.is_variable() {
            true => Var::from_tensor(tensor),
            false => bail!("expected a variable, found a tensor of shape {:?}", tensor.dims()),
        };
        self.params.iter().map(var).collect()
    }
}

impl Module for Norm {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        self.op.forward(x, &self.params.iter().collect::<Vec<_>>())
    }
}

fn var(name: &str, values: normkit::Tensor<'_>, device: &Device) -> Result<Tensor> {
    use normkit::Tensor as T;
    let var = match values {
        T::F16(values) => Var::from_slice(values, values.len(), device),
        T::Bf16(values) => Var::from_slice(values, values.len(), device),
        T::F32(values) => Var::from_slice(values, values.len(), device),
        T::F64(values) => Var::from_slice(values, values.len(), device),
        _ => bail!("`{name}`: expected elements of f16, bf16, f32 or f64"),
    };
    var.map(Var::into_inner)
}
