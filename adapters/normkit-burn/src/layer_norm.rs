//! Layer normalization over the last axis, in place of burn's.

use crate::on_flex;
use crate::op::{NormOp, or_panic};
use burn::config::Config;
use burn::module::{Content, DisplaySettings, Module, ModuleDisplay, Param};
use burn::nn::Initializer;
use burn::tensor::{Device, Tensor};
use normkit_adapter::{
    Error,
    kernels::{LAYER, LAYER_NO_BIAS},
};

/// Makes a [`LayerNorm`], as [`burn::nn::LayerNormConfig`] makes burn's.
#[derive(Config, Debug)]
pub struct LayerNormConfig {
    /// The size of the last axis.
    pub d_model: usize,
    /// What is added to the variance inside the root. Default: 1e-5
    #[config(default = 1e-5)]
    pub epsilon: f64,
    /// Whether there is a bias. Default: true
    #[config(default = true)]
    pub bias: bool,
}

impl LayerNormConfig {
    /// A layer with a weight of ones and, unless the config says otherwise, a bias of zeros.
    #[must_use]
    pub fn init(&self, device: &Device) -> LayerNorm {
        LayerNorm {
            gamma: Initializer::Ones.init([self.d_model], device),
            beta: self.bias.then(|| Initializer::Zeros.init([self.d_model], device)),
            epsilon: self.epsilon,
        }
    }
}

/// Layer normalization over the last axis, as [`burn::nn::LayerNorm`].
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use normkit_burn::LayerNormConfig;
///
/// let device = Device::flex();
/// let norm = LayerNormConfig::new(3).init(&device);
/// let y = norm.forward(Tensor::<2>::from_floats([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], &device));
/// assert_eq!(y.into_data().try_into_vec::<f32>().unwrap()[4], 0.0);
/// ```
#[derive(Module, Debug)]
#[module(custom_display)]
pub struct LayerNorm {
    /// What each normalized element is multiplied with.
    pub gamma: Param<Tensor<1>>,
    /// What is added after that, if there is one.
    pub beta: Option<Param<Tensor<1>>>,
    /// What is added to the variance inside the root. Burn's layer keeps it to itself, so that there is no `From` of it.
    pub epsilon: f64,
}

impl LayerNorm {
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
    /// If a tensor is of another type, backend or size than the others.
    pub fn try_forward<const D: usize>(&self, x: Tensor<D>) -> Result<Tensor<D>, Error> {
        if !on_flex(&x) {
            return Ok(burn::nn::LayerNorm::from(self.clone()).forward(x));
        }
        let x = x.dequantize();
        match &self.beta {
            Some(beta) => NormOp::of(&LAYER, x.dtype(), self.epsilon)?.try_forward(x, (self.gamma.val(), beta.val())),
            None => NormOp::of(&LAYER_NO_BIAS, x.dtype(), self.epsilon)?.try_forward(x, self.gamma.val()),
        }
    }
}

impl From<LayerNorm> for burn::nn::LayerNorm {
    fn from(layer: LayerNorm) -> Self {
        let config = burn::nn::LayerNormConfig::new(layer.gamma.shape()[0]).with_epsilon(layer.epsilon);
        // Its parameters are not made before they are asked for, and these never are.
        let mut theirs = config.with_bias(layer.beta.is_some()).init(&layer.gamma.device());
        theirs.gamma = layer.gamma;
        theirs.beta = layer.beta;
        theirs
    }
}

impl ModuleDisplay for LayerNorm {
    fn custom_settings(&self) -> Option<DisplaySettings> {
        DisplaySettings::new().with_new_line_after_attribute(false).optional()
    }

    fn custom_content(&self, content: Content) -> Option<Content> {
        let [d_model] = self.gamma.shape().dims();
        content.add("d_model", &d_model).add("epsilon", &self.epsilon).add("bias", &self.beta.is_some()).optional()
    }
}
