//! Instance normalization over axis 1, in place of burn's.

use crate::group_norm::affine;
use crate::op::{NormOp, or_panic};
use crate::{check_channels, on_flex};
use burn::config::Config;
use burn::module::{Content, DisplaySettings, Module, ModuleDisplay, Param};
use burn::nn::Initializer;
use burn::tensor::{Device, Tensor};
use normkit_adapter::{
    Error,
    kernels::{INSTANCE, INSTANCE_NO_AFFINE},
};

/// Makes an [`InstanceNorm`], as [`burn::nn::InstanceNormConfig`] makes burn's.
#[derive(Config, Debug)]
pub struct InstanceNormConfig {
    /// The number of channels.
    pub num_channels: usize,
    /// What is added to the variance inside the root. Default: 1e-5
    #[config(default = 1e-5)]
    pub epsilon: f64,
    /// Whether there are a weight and a bias. Default: true
    #[config(default = true)]
    pub affine: bool,
}

impl InstanceNormConfig {
    /// A layer with, unless the config says otherwise, a weight of ones and a bias of zeros.
    #[must_use]
    pub fn init(&self, device: &Device) -> InstanceNorm {
        InstanceNorm {
            gamma: self.affine.then(|| Initializer::Ones.init([self.num_channels], device)),
            beta: self.affine.then(|| Initializer::Zeros.init([self.num_channels], device)),
            num_channels: self.num_channels,
            epsilon: self.epsilon,
            affine: self.affine,
        }
    }
}

/// Instance normalization over axis 1 of `[N, C, ...]`, as [`burn::nn::InstanceNorm`]: each channel of each sample by itself, without
/// running statistics.
///
/// ```
/// use burn::tensor::{Device, Distribution, Tensor};
/// use normkit_burn::InstanceNormConfig;
///
/// let device = Device::flex();
/// let norm = InstanceNormConfig::new(3).with_affine(false).init(&device);
/// let y = norm.forward(Tensor::<4>::random([2, 3, 8, 8], Distribution::Normal(3.0, 1.0), &device));
/// assert!(y.mean_dim(3).mean_dim(2).abs().max().into_scalar::<f32>() < 1e-5);
/// ```
#[derive(Module, Debug)]
#[module(custom_display)]
pub struct InstanceNorm {
    /// What each normalized element is multiplied with, for each channel.
    pub gamma: Option<Param<Tensor<1>>>,
    /// What is added after that, for each channel.
    pub beta: Option<Param<Tensor<1>>>,
    /// The number of channels.
    pub num_channels: usize,
    /// What is added to the variance inside the root.
    pub epsilon: f64,
    /// Whether there are a weight and a bias.
    pub affine: bool,
}

impl InstanceNorm {
    /// Normalizes each channel of each sample of `x: [N, C, ...]`.
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
    /// If a tensor is of another type, backend, rank or size than the others.
    pub fn try_forward<const D: usize>(&self, x: Tensor<D>) -> Result<Tensor<D>, Error> {
        if !on_flex(&x) {
            return Ok(burn::nn::InstanceNorm::from(self.clone()).forward(x));
        }
        let x = x.dequantize();
        check_channels("instance", &x, self.num_channels)?;
        match affine("instance", self.affine, &self.gamma, &self.beta)? {
            Some(params) => NormOp::of(&INSTANCE, x.dtype(), self.epsilon)?.try_forward(x, params),
            None => NormOp::of(&INSTANCE_NO_AFFINE, x.dtype(), self.epsilon)?.try_forward(x, ()),
        }
    }
}

impl From<burn::nn::InstanceNorm> for InstanceNorm {
    fn from(layer: burn::nn::InstanceNorm) -> Self {
        let burn::nn::InstanceNorm { gamma, beta, num_channels, epsilon, affine } = layer;
        InstanceNorm { gamma, beta, num_channels, epsilon, affine }
    }
}

impl From<InstanceNorm> for burn::nn::InstanceNorm {
    fn from(layer: InstanceNorm) -> Self {
        let InstanceNorm { gamma, beta, num_channels, epsilon, affine } = layer;
        burn::nn::InstanceNorm { gamma, beta, num_channels, epsilon, affine }
    }
}

impl ModuleDisplay for InstanceNorm {
    fn custom_settings(&self) -> Option<DisplaySettings> {
        DisplaySettings::new().with_new_line_after_attribute(false).optional()
    }

    fn custom_content(&self, content: Content) -> Option<Content> {
        content
            .add("num_channels", &self.num_channels)
            .add("epsilon", &self.epsilon)
            .add("affine", &self.affine)
            .optional()
    }
}
