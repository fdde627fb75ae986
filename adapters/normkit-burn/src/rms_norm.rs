//! RMS normalization over the last axis, in place of burn's.

use crate::on_flex;
use crate::op::{NormOp, or_panic};
use burn::config::Config;
use burn::module::{Content, DisplaySettings, Module, ModuleDisplay, Param};
use burn::nn::Initializer;
use burn::tensor::{Device, Tensor};
use normkit_adapter::{Error, kernels::RMS};

/// Makes an [`RmsNorm`], as [`burn::nn::RmsNormConfig`] makes burn's.
#[derive(Config, Debug)]
pub struct RmsNormConfig {
    /// The size of the last axis.
    pub d_model: usize,
    /// What is added to the mean square inside the root. Default: 1e-5
    #[config(default = 1e-5)]
    pub epsilon: f64,
}

impl RmsNormConfig {
    /// A layer with a weight of ones.
    ///
    /// # Panics
    /// If `epsilon` is not positive, as burn's.
    #[must_use]
    pub fn init(&self, device: &Device) -> RmsNorm {
        assert!(self.epsilon > 0.0, "epsilon must be positive.");
        RmsNorm { gamma: Initializer::Ones.init([self.d_model], device), epsilon: self.epsilon }
    }
}

/// RMS normalization over the last axis, as [`burn::nn::RmsNorm`].
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use normkit_burn::RmsNormConfig;
///
/// let device = Device::flex();
/// let norm = RmsNormConfig::new(4).with_epsilon(1e-12).init(&device);
/// let y = norm.forward(Tensor::<2>::from_floats([[2.0, -2.0, 2.0, -2.0]], &device));
/// assert_eq!(y.into_data().try_into_vec::<f32>().unwrap(), [1.0, -1.0, 1.0, -1.0]);
/// ```
#[derive(Module, Debug)]
#[module(custom_display)]
pub struct RmsNorm {
    /// What each normalized element is multiplied with.
    pub gamma: Param<Tensor<1>>,
    /// What is added to the mean square inside the root.
    pub epsilon: f64,
}

impl RmsNorm {
    /// Normalizes `x: [..., d_model]` over its last axis.
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
    /// If a tensor is of another type, backend or size than the other.
    pub fn try_forward<const D: usize>(&self, x: Tensor<D>) -> Result<Tensor<D>, Error> {
        if !on_flex(&x) {
            return Ok(burn::nn::RmsNorm::from(self.clone()).forward(x));
        }
        let x = x.dequantize();
        NormOp::of(&RMS, x.dtype(), self.epsilon)?.try_forward(x, self.gamma.val())
    }
}

impl From<burn::nn::RmsNorm> for RmsNorm {
    fn from(layer: burn::nn::RmsNorm) -> Self {
        RmsNorm { gamma: layer.gamma, epsilon: layer.epsilon }
    }
}

impl From<RmsNorm> for burn::nn::RmsNorm {
    fn from(layer: RmsNorm) -> Self {
        burn::nn::RmsNorm { gamma: layer.gamma, epsilon: layer.epsilon }
    }
}

impl ModuleDisplay for RmsNorm {
    fn custom_settings(&self) -> Option<DisplaySettings> {
        DisplaySettings::new().with_new_line_after_attribute(false).optional()
    }

    fn custom_content(&self, content: Content) -> Option<Content> {
        let [d_model] = self.gamma.shape().dims();
        content.add("d_model", &d_model).add("epsilon", &self.epsilon).optional()
    }
}
