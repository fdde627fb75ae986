//! Group normalization over axis 1, in place of candle-nn's, and instance normalization, which candle-nn has not.

use crate::call::error;
use crate::op::NormOp;
use candle_core::{Module, Result, Tensor, bail};
use candle_nn::{Init, VarBuilder};
use normkit_adapter::kernels::{INSTANCE, INSTANCE_NO_AFFINE, group};

/// Group normalization over axis 1 of `[N, C, ...]`, as [`candle_nn::GroupNorm`].
///
/// ```
/// use candle_core::{DType, Device, Module, Tensor};
/// use candle_nn::VarBuilder;
/// use normkit_candle::group_norm;
///
/// # fn main() -> candle_core::Result<()> {
/// let norm = group_norm(4, 32, 1e-5, VarBuilder::from_varmap(&candle_nn::VarMap::new(), DType::F32, &Device::Cpu))?;
/// let y = norm.forward(&Tensor::randn(3f32, 1., (2, 32, 5, 5), &Device::Cpu)?)?;
/// assert!(y.mean_all()?.to_scalar::<f32>()?.abs() < 1e-5);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct GroupNorm {
    inner: candle_nn::GroupNorm,
    weight: Tensor,
    bias: Tensor,
    num_channels: usize,
    num_groups: usize,
    eps: f64,
}

impl GroupNorm {
    /// With weight and bias of one element for each channel.
    ///
    /// # Errors
    /// If the groups do not divide the channels.
    pub fn new(weight: Tensor, bias: Tensor, num_channels: usize, num_groups: usize, eps: f64) -> Result<Self> {
        if num_groups == 0 {
            bail!("group: expected at least 1 group, found 0")
        }
        let inner = candle_nn::GroupNorm::new(weight.clone(), bias.clone(), num_channels, num_groups, eps)?;
        Ok(GroupNorm { inner, weight, bias, num_channels, num_groups, eps })
    }
}

impl Module for GroupNorm {
    /// Normalizes each group of channels of each sample of `x`.
    ///
    /// # Errors
    /// If a tensor is of another type, device, rank or size than the others, or an image is not contiguous.
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        if !x.device().is_cpu() {
            return self.inner.forward(x);
        }
        check_channels("group", x, self.num_channels)?;
        let kernel = group(x.dtype().as_str(), self.num_groups).map_err(error)?;
        NormOp::new(kernel).with_eps(self.eps).forward(x, &[&self.weight, &self.bias])
    }
}

/// As [`candle_nn::group_norm()`]: `weight` and `bias` of `num_channels` elements.
///
/// # Errors
/// If a tensor is missing or of another size, or the groups do not divide the channels.
pub fn group_norm(num_groups: usize, num_channels: usize, eps: f64, vb: VarBuilder) -> Result<GroupNorm> {
    let (weight, bias) = weight_and_bias(num_channels, &vb)?;
    GroupNorm::new(weight, bias, num_channels, num_groups, eps)
}

/// Instance normalization over axis 1 of `[N, C, ...]`: each channel of each sample by itself, without running statistics.
///
/// ```
/// use candle_core::{Device, Module, Tensor};
/// use normkit_candle::InstanceNorm;
///
/// # fn main() -> candle_core::Result<()> {
/// let norm = InstanceNorm::new_no_affine(3, 1e-5);  // PyTorch's `InstanceNorm2d(3)`
/// let y = norm.forward(&Tensor::randn(3f32, 1., (2, 3, 8, 8), &Device::Cpu)?)?;
/// assert!(y.flatten_from(2)?.mean(2)?.abs()?.max_all()?.to_scalar::<f32>()? < 1e-5);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct InstanceNorm {
    weight_and_bias: Option<(Tensor, Tensor)>,
    num_channels: usize,
    eps: f64,
}

impl InstanceNorm {
    /// With weight and bias of one element for each channel.
    ///
    /// # Errors
    /// If one of them has another number of elements.
    pub fn new(weight: Tensor, bias: Tensor, num_channels: usize, eps: f64) -> Result<Self> {
        for (name, tensor) in [("weight", &weight), ("bias", &bias)] {
            if tensor.dims() != [num_channels] {
                bail!("instance: `{name}`: expected shape [{num_channels}], found {:?}", tensor.dims())
            }
        }
        Ok(InstanceNorm { weight_and_bias: Some((weight, bias)), num_channels, eps })
    }

    /// Without weight and bias, which is PyTorch's default.
    #[must_use]
    pub fn new_no_affine(num_channels: usize, eps: f64) -> Self {
        InstanceNorm { weight_and_bias: None, num_channels, eps }
    }

    /// Weight and bias, where there are any.
    #[must_use]
    pub fn weight_and_bias(&self) -> Option<(&Tensor, &Tensor)> {
        self.weight_and_bias.as_ref().map(|(weight, bias)| (weight, bias))
    }

    /// What is added to the variance inside the root.
    #[must_use]
    pub fn eps(&self) -> f64 {
        self.eps
    }

    /// On other devices: candle's group normalization, a group for each channel.
    fn forward_elsewhere(&self, x: &Tensor) -> Result<Tensor> {
        let constant = |value: f64| Tensor::full(value, self.num_channels, x.device())?.to_dtype(x.dtype());
        let (weight, bias) = match &self.weight_and_bias {
            Some((weight, bias)) => (weight.clone(), bias.clone()),
            None => (constant(1.0)?, constant(0.0)?),
        };
        candle_nn::GroupNorm::new(weight, bias, self.num_channels, self.num_channels, self.eps)?.forward(x)
    }
}

impl Module for InstanceNorm {
    /// Normalizes each channel of each sample of `x`.
    ///
    /// # Errors
    /// If a tensor is of another type, device, rank or size than the others, or an image is not contiguous.
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        if !x.device().is_cpu() {
            return self.forward_elsewhere(x);
        }
        check_channels("instance", x, self.num_channels)?;
        match &self.weight_and_bias {
            Some((weight, bias)) => NormOp::of(&INSTANCE, x, self.eps)?.forward(x, &[weight, bias]),
            None => NormOp::of(&INSTANCE_NO_AFFINE, x, self.eps)?.forward(x, &[]),
        }
    }
}

/// `weight` and `bias` of `num_channels` elements, as [`group_norm`] has them.
///
/// # Errors
/// If a tensor is missing or of another size.
pub fn instance_norm(num_channels: usize, eps: f64, vb: VarBuilder) -> Result<InstanceNorm> {
    let (weight, bias) = weight_and_bias(num_channels, &vb)?;
    InstanceNorm::new(weight, bias, num_channels, eps)
}

fn weight_and_bias(num_channels: usize, vb: &VarBuilder) -> Result<(Tensor, Tensor)> {
    let get = |name: &str, value: f64| vb.get_with_hints(num_channels, name, Init::Const(value));
    Ok((get("weight", 1.0)?, get("bias", 0.0)?))
}

fn check_channels(kind: &str, x: &Tensor, channels: usize) -> Result<()> {
    match x.dims() {
        [_, found, _, ..] if *found == channels => Ok(()),
        found => bail!("{kind}: `x`: expected [N, {channels}, ...] of at least 3 axes, found {found:?}"),
    }
}
