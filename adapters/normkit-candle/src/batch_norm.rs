//! Batch normalization over axis 1, in place of candle-nn's.

use crate::op::NormOp;
use candle_core::{ModuleT, Result, Tensor, Var, bail};
use candle_nn::{BatchNormConfig, VarBuilder};
use normkit_adapter::kernels::{BATCH, BATCH_COLUMNS, BATCH_COLUMNS_NO_AFFINE, BATCH_NO_AFFINE};

/// Batch normalization over axis 1 of `[N, C]` or `[N, C, ...]`, as [`candle_nn::BatchNorm`].
///
/// Training normalizes with the statistics of the batch, and lets the running ones follow: with the unbiased variance, as PyTorch and
/// candle do. Where candle differs: a batch of one value for each channel makes its running variance infinite or NaN, and is an
/// error here, as in PyTorch. `num_batches_tracked` is not kept, as candle does not.
///
/// ```
/// use candle_core::{DType, Device, ModuleT, Tensor};
/// use candle_nn::{VarBuilder, VarMap};
/// use normkit_candle::batch_norm;
///
/// # fn main() -> candle_core::Result<()> {
/// let vars = VarMap::new();
/// let norm = batch_norm(8, 1e-5, VarBuilder::from_varmap(&vars, DType::F32, &Device::Cpu))?;
/// let x = Tensor::randn(5f32, 2., (4, 8, 6, 6), &Device::Cpu)?;
/// let y = norm.forward_t(&x, true)?;                // the batch's statistics; the running ones follow
/// assert!(y.mean_all()?.to_scalar::<f32>()?.abs() < 1e-5);
/// assert!(norm.running_mean().mean_all()?.to_scalar::<f32>()? > 0.3);
/// norm.forward_t(&x, false)?;                       // the running ones
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct BatchNorm {
    inner: candle_nn::BatchNorm,
    remove_mean: bool,
}

impl BatchNorm {
    /// With momentum 0.1.
    ///
    /// # Errors
    /// If a tensor has not `num_features` elements, or `eps` is negative.
    pub fn new(
        num_features: usize,
        running_mean: Tensor,
        running_var: Tensor,
        weight: Tensor,
        bias: Tensor,
        eps: f64,
    ) -> Result<Self> {
        candle_nn::BatchNorm::new(num_features, running_mean, running_var, weight, bias, eps).map(Self::from)
    }

    /// Without weight and bias, with momentum 0.1.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn new_no_bias(num_features: usize, running_mean: Tensor, running_var: Tensor, eps: f64) -> Result<Self> {
        candle_nn::BatchNorm::new_no_bias(num_features, running_mean, running_var, eps).map(Self::from)
    }

    /// With this momentum.
    ///
    /// # Errors
    /// As [`new`](Self::new), and if the momentum is not in 0..=1.
    pub fn new_with_momentum(
        num_features: usize,
        running_mean: Tensor,
        running_var: Tensor,
        weight: Tensor,
        bias: Tensor,
        eps: f64,
        momentum: f64,
    ) -> Result<Self> {
        use candle_nn::BatchNorm as Inner;
        Inner::new_with_momentum(num_features, running_mean, running_var, weight, bias, eps, momentum).map(Self::from)
    }

    /// Without weight and bias, with this momentum.
    ///
    /// # Errors
    /// As [`new_with_momentum`](Self::new_with_momentum).
    pub fn new_no_bias_with_momentum(
        num_features: usize,
        running_mean: Tensor,
        running_var: Tensor,
        eps: f64,
        momentum: f64,
    ) -> Result<Self> {
        use candle_nn::BatchNorm as Inner;
        Inner::new_no_bias_with_momentum(num_features, running_mean, running_var, eps, momentum).map(Self::from)
    }

    /// The running mean of each channel.
    #[must_use]
    pub fn running_mean(&self) -> &Tensor {
        self.inner.running_mean()
    }

    /// The running variance of each channel.
    #[must_use]
    pub fn running_var(&self) -> &Tensor {
        self.inner.running_var()
    }

    /// What is added to the variance inside the root.
    #[must_use]
    pub fn eps(&self) -> f64 {
        self.inner.eps()
    }

    /// Weight and bias, where there are any.
    #[must_use]
    pub fn weight_and_bias(&self) -> Option<(&Tensor, &Tensor)> {
        self.inner.weight_and_bias()
    }

    /// The share of a batch in the running statistics.
    #[must_use]
    pub fn momentum(&self) -> f64 {
        self.inner.momentum()
    }

    /// Normalizes `x` with the statistics of the batch, and lets the running ones follow.
    ///
    /// # Errors
    /// If a tensor is of another type, device, rank or size than the others, a channel has only one value, or an image is not contiguous.
    pub fn forward_train(&self, x: &Tensor) -> Result<Tensor> {
        if !x.device().is_cpu() || !self.remove_mean {
            return self.inner.forward_train(x);
        }
        let (y, statistics) = self.op(x)?.forward_train(x, &self.params())?;
        let (mean, var) = (Var::from_tensor(self.running_mean())?, Var::from_tensor(self.running_var())?);
        statistics.update(&mean, &var, self.momentum(), true)?;
        Ok(y)
    }

    fn forward_eval(&self, x: &Tensor) -> Result<Tensor> {
        if !x.device().is_cpu() {
            return self.inner.forward_t(x, false);
        }
        self.op(x)?.forward_fixed(x, self.running_mean(), self.running_var(), &self.params())
    }

    fn params(&self) -> Vec<&Tensor> {
        self.weight_and_bias().into_iter().flat_map(|(weight, bias)| [weight, bias]).collect()
    }

    fn op(&self, x: &Tensor) -> Result<NormOp> {
        let features = self.running_mean().elem_count();
        match x.dims() {
            [_, found, ..] if *found == features => {}
            found => bail!("batch: `x`: expected [N, {features}] or [N, {features}, ...], found {found:?}"),
        }
        let family = match (x.rank(), self.weight_and_bias()) {
            (2, Some(_)) => &BATCH_COLUMNS,
            (2, None) => &BATCH_COLUMNS_NO_AFFINE,
            (_, Some(_)) => &BATCH,
            (_, None) => &BATCH_NO_AFFINE,
        };
        NormOp::of(family, x, self.eps())
    }
}

/// Layers of which all constructors but [`candle_nn::batch_norm()`] with `remove_mean: false` subtract the mean; this takes it for
/// granted.
impl From<candle_nn::BatchNorm> for BatchNorm {
    fn from(inner: candle_nn::BatchNorm) -> Self {
        BatchNorm { inner, remove_mean: true }
    }
}

impl ModuleT for BatchNorm {
    /// [`forward_train`](BatchNorm::forward_train), or normalizes `x` with the running statistics.
    ///
    /// # Errors
    /// As those of `forward_train`; and if a running variance is negative.
    fn forward_t(&self, x: &Tensor, train: bool) -> Result<Tensor> {
        if train { self.forward_train(x) } else { self.forward_eval(x) }
    }
}

/// As [`candle_nn::batch_norm()`]: `running_mean`, `running_var` and, unless `config` says otherwise, `weight` and `bias` of
/// `num_features` elements.
///
/// Training without `remove_mean` is candle's own, on any device.
///
/// # Errors
/// If a tensor is missing or of another size, or `eps` is negative.
pub fn batch_norm<C: Into<BatchNormConfig>>(num_features: usize, config: C, vb: VarBuilder) -> Result<BatchNorm> {
    let config = config.into();
    let inner = candle_nn::batch_norm(num_features, config, vb)?;
    Ok(BatchNorm { inner, remove_mean: config.remove_mean })
}
