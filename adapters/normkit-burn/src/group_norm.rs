//! Group normalization over axis 1, in place of burn's.

use crate::op::{NormOp, or_panic};
use crate::{check_channels, on_flex};
use burn::config::Config;
use burn::module::{Content, DisplaySettings, Module, ModuleDisplay, Param};
use burn::nn::Initializer;
use burn::tensor::{Device, Tensor};
use normkit_adapter::{Error, kernels};

/// Makes a [`GroupNorm`], as [`burn::nn::GroupNormConfig`] makes burn's.
#[derive(Config, Debug)]
pub struct GroupNormConfig {
    /// The number of groups of channels.
    pub num_groups: usize,
    /// The number of channels.
    pub num_channels: usize,
    /// What is added to the variance inside the root. Default: 1e-5
    #[config(default = 1e-5)]
    pub epsilon: f64,
    /// Whether there are a weight and a bias. Default: true
    #[config(default = true)]
    pub affine: bool,
}

impl GroupNormConfig {
    /// A layer with, unless the config says otherwise, a weight of ones and a bias of zeros.
    ///
    /// # Panics
    /// If the groups do not divide the channels, as burn's.
    #[must_use]
    pub fn init(&self, device: &Device) -> GroupNorm {
        assert!(
            self.num_groups > 0 && self.num_channels.is_multiple_of(self.num_groups),
            "The number of channels must be divisible by the number of groups"
        );
        GroupNorm {
            gamma: self.affine.then(|| Initializer::Ones.init([self.num_channels], device)),
            beta: self.affine.then(|| Initializer::Zeros.init([self.num_channels], device)),
            num_groups: self.num_groups,
            num_channels: self.num_channels,
            epsilon: self.epsilon,
            affine: self.affine,
        }
    }
}

/// Group normalization over axis 1 of `[N, C, ...]`, as [`burn::nn::GroupNorm`].
///
/// ```
/// use burn::tensor::{Device, Distribution, Tensor};
/// use normkit_burn::GroupNormConfig;
///
/// let device = Device::flex();
/// let norm = GroupNormConfig::new(4, 32).init(&device);
/// let y = norm.forward(Tensor::<4>::random([2, 32, 5, 5], Distribution::Normal(3.0, 1.0), &device));
/// assert!(y.mean().into_scalar::<f32>().abs() < 1e-5);
/// ```
#[derive(Module, Debug)]
#[module(custom_display)]
pub struct GroupNorm {
    /// What each normalized element is multiplied with, for each channel.
    pub gamma: Option<Param<Tensor<1>>>,
    /// What is added after that, for each channel.
    pub beta: Option<Param<Tensor<1>>>,
    /// The number of groups of channels.
    pub num_groups: usize,
    /// The number of channels.
    pub num_channels: usize,
    /// What is added to the variance inside the root.
    pub epsilon: f64,
    /// Whether there are a weight and a bias.
    pub affine: bool,
}

impl GroupNorm {
    /// Normalizes each group of channels of each sample of `x: [N, C, ...]`.
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
    /// If a tensor is of another type, backend, rank or size than the others, or the groups do not divide the channels.
    pub fn try_forward<const D: usize>(&self, x: Tensor<D>) -> Result<Tensor<D>, Error> {
        if !on_flex(&x) {
            return Ok(burn::nn::GroupNorm::from(self.clone()).forward(x));
        }
        let x = x.dequantize();
        check_channels("group", &x, self.num_channels)?;
        let params = affine("group", self.affine, &self.gamma, &self.beta)?;
        let dtype = x.dtype().name();
        let kernel = match params {
            Some(_) => kernels::group(dtype, self.num_groups),
            None => kernels::group_no_affine(dtype, self.num_groups),
        }?;
        let op = NormOp::new(kernel).with_eps(self.epsilon);
        match params {
            Some(params) => op.try_forward(x, params),
            None => op.try_forward(x, ()),
        }
    }
}

/// Weight and bias of a layer that says whether it has them.
pub fn affine(
    kind: &str,
    affine: bool,
    gamma: &Option<Param<Tensor<1>>>,
    beta: &Option<Param<Tensor<1>>>,
) -> Result<Option<(Tensor<1>, Tensor<1>)>, Error> {
    match (affine, gamma, beta) {
        (false, _, _) => Ok(None),
        (true, Some(gamma), Some(beta)) => Ok(Some((gamma.val(), beta.val()))),
        (true, _, _) => {
            Err(Error::Other(format!("{kind}: expected a weight and a bias, as `affine` says, found none")))
        }
    }
}

impl From<burn::nn::GroupNorm> for GroupNorm {
    fn from(layer: burn::nn::GroupNorm) -> Self {
        let burn::nn::GroupNorm { gamma, beta, num_groups, num_channels, epsilon, affine } = layer;
        GroupNorm { gamma, beta, num_groups, num_channels, epsilon, affine }
    }
}

impl From<GroupNorm> for burn::nn::GroupNorm {
    fn from(layer: GroupNorm) -> Self {
        let GroupNorm { gamma, beta, num_groups, num_channels, epsilon, affine } = layer;
        burn::nn::GroupNorm { gamma, beta, num_groups, num_channels, epsilon, affine }
    }
}

impl ModuleDisplay for GroupNorm {
    fn custom_settings(&self) -> Option<DisplaySettings> {
        DisplaySettings::new().with_new_line_after_attribute(false).optional()
    }

    fn custom_content(&self, content: Content) -> Option<Content> {
        content
            .add("num_groups", &self.num_groups)
            .add("num_channels", &self.num_channels)
            .add("epsilon", &self.epsilon)
            .add("affine", &self.affine)
            .optional()
    }
}
