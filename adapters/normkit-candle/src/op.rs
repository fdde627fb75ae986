//! A kernel as an operation on tensors.

use crate::call::{Op, error};
use candle_core::{DType, Error, Result, Tensor, Var, bail};
use normkit::Kernel;
use normkit_adapter::{Call, Kept, kernels::Family};
use std::sync::{Arc, OnceLock};

/// A kernel as an operation on tensors, with gradients for `x` and for every parameter.
///
/// Of any kernel: `KERNEL` of an annotated layer, or `kernel()` of what [`norm!`](normkit::norm) gives. Parameters are tensors, in
/// the order weight, bias, as many as the kernel has; where they are variables, optimizers see their gradients. Of weight
/// normalization, `x` is `weight_v` and the parameter `weight_g`.
///
/// Leading axes that are normalized apart (rows), and the axes of an image behind its channels, may be any number: a kernel of shape
/// `[_, 768]` takes `[768]`, `[tokens, 768]`, `[batch, tokens, 768]`, as long as they merge into as many axes as the shape has.
///
/// ```
/// use candle_core::{Device, Tensor, Var};
/// use normkit::normalize;
/// use normkit_candle::NormOp;
///
/// #[normalize(kind = "layer", shape = [_, 32])]
/// pub struct Hidden;
///
/// # fn main() -> candle_core::Result<()> {
/// let op = NormOp::new(Hidden::KERNEL);
/// let x = Tensor::randn(0f32, 1., (3, 7, 32), &Device::Cpu)?;
/// let (weight, bias) = (Var::new(&[2f32; 32], &Device::Cpu)?, Var::new(&[1f32; 32], &Device::Cpu)?);
/// let y = op.forward(&x, &[&weight, &bias])?;
/// let grads = y.sum_all()?.backward()?;
/// assert_eq!(grads.get(&bias).unwrap().to_vec1::<f32>()?, [21.0; 32]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct NormOp(Call);

impl NormOp {
    /// The operation of this kernel, with the `eps` that it was generated with.
    #[must_use]
    pub fn new(kernel: Kernel) -> Self {
        NormOp(Call::new(kernel))
    }

    /// The same with another `eps`, as read from a config.
    #[must_use]
    pub fn with_eps(self, eps: f64) -> Self {
        NormOp(self.0.with_eps(eps))
    }

    /// The kernel.
    #[must_use]
    pub fn kernel(&self) -> Kernel {
        self.0.kernel()
    }

    /// What is added to the mean square inside the root.
    #[must_use]
    pub fn eps(&self) -> f64 {
        self.0.eps()
    }

    /// Normalizes `x`. Batch normalization takes the statistics of the batch.
    ///
    /// # Errors
    /// If a tensor is of another type, device, rank or size than the kernel takes, or strided along normalized axes.
    pub fn forward(&self, x: &Tensor, params: &[&Tensor]) -> Result<Tensor> {
        let has_graph = x.track_op() || params.iter().any(|param| param.track_op());
        self.apply(x, params, None, has_graph.then(Arc::default))
    }

    /// Normalizes `x` with the statistics of the batch, and gives them too, for running statistics to follow. Batch normalization only.
    ///
    /// # Errors
    /// As [`forward`](Self::forward); and where a channel has only one value.
    pub fn forward_train(&self, x: &Tensor, params: &[&Tensor]) -> Result<(Tensor, Statistics)> {
        self.0.check_keeps_batch().map_err(error)?;
        let kept: Arc<OnceLock<Kept>> = Arc::default();
        let y = self.apply(x, params, None, Some(kept.clone()))?;
        Ok((y, Statistics(kept)))
    }

    /// Normalizes `x` with statistics that are given: batch normalization's inference. Gradients take them for constants.
    ///
    /// # Errors
    /// As [`forward`](Self::forward); and if a variance is negative.
    pub fn forward_fixed(&self, x: &Tensor, mean: &Tensor, var: &Tensor, params: &[&Tensor]) -> Result<Tensor> {
        self.apply(x, params, Some([mean.detach(), var.detach()]), None)
    }

    /// The operation of a family's kernel on tensors of the type of `x`.
    ///
    /// # Errors
    /// If there is none.
    pub(crate) fn of(family: &Family, x: &Tensor, eps: f64) -> Result<Self> {
        Ok(NormOp::new(family.of(x.dtype().as_str()).map_err(error)?).with_eps(eps))
    }

    pub(crate) fn call(&self) -> Call {
        self.0
    }

    fn apply(
        &self,
        x: &Tensor,
        params: &[&Tensor],
        fixed: Option<[Tensor; 2]>,
        kept: Option<Arc<OnceLock<Kept>>>,
    ) -> Result<Tensor> {
        let op = Op { call: self.0, fixed, kept };
        let arguments: Vec<&Tensor> = [x].into_iter().chain(params.iter().copied()).collect();
        op.check(&arguments)?;
        match arguments[..] {
            [x] => x.apply_op1(op),
            [x, weight] => x.apply_op2(weight, op),
            [x, weight, bias] => x.apply_op3(weight, bias, op),
            _ => bail!("{}: expected at most 2 parameters, found {}", self.kernel().spec().kind, params.len()),
        }
    }
}

/// The statistics of a batch: the mean and the biased variance of each channel.
#[derive(Debug)]
pub struct Statistics(Arc<OnceLock<Kept>>);

impl Statistics {
    /// Lets running statistics follow: `running = (1 - momentum) * running + momentum * batch`. `unbiased`: the variance of `n - 1`
    /// degrees of freedom, as PyTorch's and candle's running variance is; of `n` otherwise.
    ///
    /// # Errors
    /// If the variables are of another type or size.
    pub fn update(&self, mean: &Var, var: &Var, momentum: f64, unbiased: bool) -> Result<()> {
        let kept = self.0.get().ok_or_else(|| Error::msg("batch: the forward pass kept no statistics"))?;
        let numbers = |running: &Var| running.to_dtype(DType::F64)?.to_vec1::<f64>();
        let new = kept.follow([numbers(mean)?, numbers(var)?], momentum, unbiased).map_err(error)?;
        for (running, new) in [mean, var].into_iter().zip(new) {
            running.set(&Tensor::new(new, running.device())?.to_dtype(running.dtype())?)?;
        }
        Ok(())
    }
}
