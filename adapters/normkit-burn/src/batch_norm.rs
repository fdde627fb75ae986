//! Batch normalization over axis 1, in place of burn's.

use crate::op::{NormOp, or_panic};
use crate::{check_channels, on_flex};
use burn::config::Config;
use burn::module::{Content, DisplaySettings, Flag, Module, ModuleDisplay, Param, RunningState};
use burn::nn::Initializer;
use burn::tensor::{Device, Tensor};
use normkit_adapter::{
    Error,
    kernels::{BATCH, BATCH_COLUMNS},
};

/// Makes a [`BatchNorm`], as [`burn::nn::BatchNormConfig`] makes burn's.
#[derive(Config, Debug)]
pub struct BatchNormConfig {
    /// The number of channels; more than none.
    pub num_features: usize,
    /// What is added to the variance inside the root; finite and positive. Default: 1e-5
    #[config(default = 1e-5)]
    pub epsilon: f64,
    /// The share of a batch in the running statistics, in 0..=1. Default: 0.1
    #[config(default = 0.1)]
    pub momentum: f64,
}

impl BatchNormConfig {
    /// A layer with a weight of ones and a bias of zeros, and the running statistics mean 0 and variance 1.
    ///
    /// # Panics
    /// As burn's: if `num_features` is 0, `epsilon` is not finite and positive, or `momentum` is not in 0..=1.
    #[must_use]
    pub fn init(&self, device: &Device) -> BatchNorm {
        assert!(self.num_features > 0, "num_features must be greater than zero.");
        assert!(self.epsilon.is_finite() && self.epsilon > 0.0, "epsilon must be finite and positive.");
        assert!((0.0..=1.0).contains(&self.momentum), "momentum must be finite and within [0, 1].");
        BatchNorm {
            gamma: Initializer::Ones.init([self.num_features], device),
            beta: Initializer::Zeros.init([self.num_features], device),
            training: Param::from_bool(true),
            running_mean: RunningState::new(Tensor::zeros([self.num_features], device)),
            running_var: RunningState::new(Tensor::ones([self.num_features], device)),
            momentum: self.momentum,
            epsilon: self.epsilon,
        }
    }
}

/// Batch normalization over axis 1 of `[N, C]` or `[N, C, ...]`, as [`burn::nn::BatchNorm`].
///
/// As there, training normalizes with the statistics of the batch and lets the running ones follow: on a device with autodiff, unless the
/// layer is frozen. Where burn differs: its running variance is the biased one, ours that of `n - 1` degrees of freedom, as PyTorch's. A
/// batch of one value for each channel has none, and is an error here, as in PyTorch, which changes nothing. A batch of nothing changes
/// nothing.
///
/// ```
/// use burn::module::Module;
/// use burn::tensor::{Device, Distribution, Tensor};
/// use normkit_burn::BatchNormConfig;
///
/// let device = Device::flex().autodiff();
/// let norm = BatchNormConfig::new(8).init(&device);
/// let x = Tensor::<4>::random([4, 8, 6, 6], Distribution::Normal(5.0, 2.0), &device);
/// let y = norm.forward(x.clone());                  // the batch's statistics; the running ones follow
/// assert!(y.mean().into_scalar::<f32>().abs() < 1e-5);
/// assert!(norm.running_mean.value_sync().mean().into_scalar::<f32>() > 0.3);
/// norm.valid().forward(x.without_autodiff());       // the running ones
/// ```
#[derive(Module, Debug)]
#[module(custom_display)]
pub struct BatchNorm {
    /// What each normalized element is multiplied with.
    pub gamma: Param<Tensor<1>>,
    /// What is added after that.
    pub beta: Param<Tensor<1>>,
    /// Whether the layer takes part in training, where the rest of a model does.
    pub training: Param<Flag>,
    /// The running mean of each channel.
    pub running_mean: RunningState<Tensor<1>>,
    /// The running variance of each channel.
    pub running_var: RunningState<Tensor<1>>,
    /// The share of a batch in the running statistics.
    pub momentum: f64,
    /// What is added to the variance inside the root.
    pub epsilon: f64,
}

impl BatchNorm {
    /// Normalizes `x: [N, C, ...]`: with the statistics of the batch in training, with the running ones otherwise.
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
    /// If a tensor is of another type, backend, rank or size than the others; in training if a channel has only one value, otherwise if a
    /// running variance is negative.
    pub fn try_forward<const D: usize>(&self, x: Tensor<D>) -> Result<Tensor<D>, Error> {
        if !on_flex(&x) {
            return Ok(burn::nn::BatchNorm::from(self.clone()).forward(x));
        }
        let x = x.dequantize();
        let device = x.device();
        check_channels("batch", &x, self.gamma.shape()[0])?;
        let family = if D == 2 { &BATCH_COLUMNS } else { &BATCH };
        let (op, params) = (NormOp::of(family, x.dtype(), self.epsilon)?, (self.gamma.val(), self.beta.val()));
        if !(device.is_autodiff() && self.training.is_enabled()) {
            let (mean, var) = (self.running_mean.value(), self.running_var.value());
            return op.try_forward_fixed(x, mean.to_device(&device), var.to_device(&device), params);
        }
        let (y, statistics) = op.try_forward_train(x, params)?;
        let running = [&self.running_mean, &self.running_var];
        let now = running.map(|state| state.value_sync().to_device(&device));
        for (state, value) in running.into_iter().zip(statistics.follow(now, self.momentum, true)?) {
            state.update(value);
        }
        Ok(y)
    }
}

impl From<burn::nn::BatchNorm> for BatchNorm {
    fn from(layer: burn::nn::BatchNorm) -> Self {
        let burn::nn::BatchNorm { gamma, beta, training, running_mean, running_var, momentum, epsilon } = layer;
        BatchNorm { gamma, beta, training, running_mean, running_var, momentum, epsilon }
    }
}

/// With the same running statistics, which both then let follow.
impl From<BatchNorm> for burn::nn::BatchNorm {
    fn from(layer: BatchNorm) -> Self {
        let BatchNorm { gamma, beta, training, running_mean, running_var, momentum, epsilon } = layer;
        burn::nn::BatchNorm { gamma, beta, training, running_mean, running_var, momentum, epsilon }
    }
}

impl ModuleDisplay for BatchNorm {
    fn custom_settings(&self) -> Option<DisplaySettings> {
        DisplaySettings::new().with_new_line_after_attribute(false).optional()
    }

    fn custom_content(&self, content: Content) -> Option<Content> {
        let [num_features] = self.beta.shape().dims();
        let content =
            content.add("num_features", &num_features).add("momentum", &self.momentum).add("epsilon", &self.epsilon);
        match self.training.is_enabled() {
            true => content.optional(),
            false => content.add("training", &self.training).optional(),
        }
    }
}
