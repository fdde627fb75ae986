//! Layer and RMS normalization over the last axis, in place of candle-nn's.

use crate::op::NormOp;
use candle_core::{Module, Result, Tensor};
use candle_nn::{LayerNormConfig, VarBuilder};
use normkit_adapter::kernels::{LAYER, LAYER_NO_BIAS, RMS};

/// Layer normalization over the last axis, as [`candle_nn::LayerNorm`].
///
/// ```
/// use candle_core::{Device, Module, Tensor};
/// use normkit_candle::LayerNorm;
///
/// # fn main() -> candle_core::Result<()> {
/// let (weight, bias) = (Tensor::new(&[1f32, 1., 1.], &Device::Cpu)?, Tensor::new(&[0f32, 0., 1.], &Device::Cpu)?);
/// let y = LayerNorm::new(weight, bias, 1e-5).forward(&Tensor::new(&[[[1f32, 2., 3.], [4., 5., 6.]]], &Device::Cpu)?)?;
/// assert_eq!(y.flatten_to(1)?.to_vec2::<f32>()?[1][1], 0.0);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct LayerNorm(candle_nn::LayerNorm);

impl LayerNorm {
    /// With weight and bias of one element for each of the last axis.
    #[must_use]
    pub fn new(weight: Tensor, bias: Tensor, eps: f64) -> Self {
        LayerNorm(candle_nn::LayerNorm::new(weight, bias, eps))
    }

    /// Without a bias.
    #[must_use]
    pub fn new_no_bias(weight: Tensor, eps: f64) -> Self {
        LayerNorm(candle_nn::LayerNorm::new_no_bias(weight, eps))
    }

    /// RMS normalization: without a bias, and without the mean subtracted.
    #[must_use]
    pub fn rms_norm(weight: Tensor, eps: f64) -> Self {
        LayerNorm(candle_nn::LayerNorm::rms_norm(weight, eps))
    }

    /// What each normalized element is multiplied with.
    #[must_use]
    pub fn weight(&self) -> &Tensor {
        self.0.weight()
    }

    /// What is added to it then.
    #[must_use]
    pub fn bias(&self) -> Option<&Tensor> {
        self.0.bias()
    }

    /// What is added to the variance inside the root.
    #[must_use]
    pub fn eps(&self) -> f64 {
        self.0.eps()
    }

    /// Whether the mean is subtracted; without it, this is RMS normalization.
    #[must_use]
    pub fn remove_mean(&self) -> bool {
        self.0.remove_mean()
    }
}

impl From<candle_nn::LayerNorm> for LayerNorm {
    fn from(layer: candle_nn::LayerNorm) -> Self {
        LayerNorm(layer)
    }
}

impl Module for LayerNorm {
    /// Normalizes `x` over its last axis.
    ///
    /// # Errors
    /// If a tensor is of another type, device or size than the others, or `x` is strided along its last axis.
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        if !x.device().is_cpu() {
            return self.0.forward(x);
        }
        let (weight, eps) = (self.weight(), self.eps());
        match (self.remove_mean(), self.bias()) {
            (true, Some(bias)) => NormOp::of(&LAYER, x, eps)?.forward(x, &[weight, bias]),
            (true, None) => NormOp::of(&LAYER_NO_BIAS, x, eps)?.forward(x, &[weight]),
            (false, None) => NormOp::of(&RMS, x, eps)?.forward(x, &[weight]),
            (false, Some(bias)) => NormOp::of(&RMS, x, eps)?.forward(x, &[weight])?.broadcast_add(bias),
        }
    }
}

/// As [`candle_nn::layer_norm()`]: `weight` (or `gamma`) of `size` elements and, unless `config` says otherwise, `bias` (or `beta`).
///
/// # Errors
/// If a tensor is missing or of another size.
pub fn layer_norm<C: Into<LayerNormConfig>>(size: usize, config: C, vb: VarBuilder) -> Result<LayerNorm> {
    candle_nn::layer_norm(size, config, vb).map(LayerNorm)
}

/// As [`candle_nn::layer_norm_no_bias()`].
///
/// # Errors
/// If the weight is missing or of another size.
pub fn layer_norm_no_bias(size: usize, eps: f64, vb: VarBuilder) -> Result<LayerNorm> {
    candle_nn::layer_norm_no_bias(size, eps, vb).map(LayerNorm)
}

/// RMS normalization over the last axis, as [`candle_nn::RmsNorm`].
///
/// ```
/// use candle_core::{Device, Module, Tensor};
/// use normkit_candle::RmsNorm;
///
/// # fn main() -> candle_core::Result<()> {
/// let norm = RmsNorm::new(Tensor::ones(4, candle_core::DType::F32, &Device::Cpu)?, 0.0);
/// let y = norm.forward(&Tensor::new(&[[2f32, -2., 2., -2.]], &Device::Cpu)?)?;
/// assert_eq!(y.to_vec2::<f32>()?, [[1.0, -1.0, 1.0, -1.0]]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct RmsNorm(LayerNorm);

impl RmsNorm {
    /// With a weight of one element for each of the last axis.
    #[must_use]
    pub fn new(weight: Tensor, eps: f64) -> Self {
        RmsNorm(LayerNorm::rms_norm(weight, eps))
    }

    /// The same as a [`LayerNorm`] that does not subtract the mean.
    #[must_use]
    pub fn into_inner(self) -> LayerNorm {
        self.0
    }

    /// What each normalized element is multiplied with.
    #[must_use]
    pub fn weight(&self) -> &Tensor {
        self.0.weight()
    }

    /// What is added to the mean square inside the root.
    #[must_use]
    pub fn eps(&self) -> f64 {
        self.0.eps()
    }

    /// The same as [`forward`](Module::forward), which has gradients here; in candle-nn this is the slower way that has them.
    ///
    /// # Errors
    /// As those of `forward`.
    pub fn forward_diff(&self, x: &Tensor) -> Result<Tensor> {
        if !x.device().is_cpu() {
            // Candle's own with gradients, which its `forward` has not.
            return self.0.0.forward(x);
        }
        self.forward(x)
    }
}

impl From<candle_nn::RmsNorm> for RmsNorm {
    fn from(layer: candle_nn::RmsNorm) -> Self {
        RmsNorm(LayerNorm(layer.into_inner()))
    }
}

impl Module for RmsNorm {
    /// Normalizes `x` over its last axis.
    ///
    /// # Errors
    /// If a tensor is of another type, device or size than the others, or `x` is strided along its last axis.
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        if !x.device().is_cpu() {
            return candle_nn::RmsNorm::new(self.weight().clone(), self.eps()).forward(x);
        }
        self.0.forward(x)
    }
}

/// As [`candle_nn::rms_norm()`]: `weight` (or `gamma`) of `size` elements.
///
/// # Errors
/// If the weight is missing or of another size.
pub fn rms_norm(size: usize, eps: f64, vb: VarBuilder) -> Result<RmsNorm> {
    candle_nn::rms_norm(size, eps, vb).map(RmsNorm::from)
}
