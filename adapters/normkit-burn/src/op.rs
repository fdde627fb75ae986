//! A kernel as an operation on tensors.

use crate::backend::{Normalize, Pass};
use crate::flex;
use crate::params::Params;
use burn::backend::{Dispatch, DispatchTensor, TensorMetadata};
use burn::tensor::{DType, Device, Tensor, TensorData};
use normkit::Kernel;
use normkit_adapter::{Call, Error, Kept, kernels::Family};
use std::sync::Arc;

/// A kernel as an operation on tensors, with gradients for `x` and for every parameter.
///
/// Of any kernel: `KERNEL` of an annotated layer, or `kernel()` of what [`norm!`](normkit::norm) gives. [`Params`] are tensors, in the
/// order weight, bias, as many as the kernel has. Of weight normalization, `x` is `weight_v` and the parameter `weight_g`.
///
/// Leading axes that are normalized apart (rows), and the axes of an image behind its channels, may be any number: a kernel of shape
/// `[_, 768]` takes `[768]`, `[tokens, 768]`, `[batch, tokens, 768]`.
///
/// There are kernels on burn's Flex backend alone: for tensors on other ones this is an error, where the modules fall back to burn's.
///
/// ```
/// use burn::tensor::{Device, Distribution, Tensor};
/// use normkit::normalize;
/// use normkit_burn::NormOp;
///
/// #[normalize(kind = "layer", shape = [_, 32])]
/// pub struct Hidden;
///
/// let device = Device::flex().autodiff();
/// let op = NormOp::new(Hidden::KERNEL);
/// let x = Tensor::<3>::random([3, 7, 32], Distribution::Default, &device);
/// let weight = Tensor::<1>::ones([32], &device).require_grad();
/// let bias = Tensor::<1>::zeros([32], &device).require_grad();
/// let grads = op.forward(x, (weight, bias.clone())).sum().backward();
/// assert_eq!(bias.grad(&grads).unwrap().into_data().try_into_vec::<f32>().unwrap(), [21.0; 32]);
/// ```
#[derive(Clone, Copy, Debug)]
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
    /// # Panics
    /// Where [`try_forward`](Self::try_forward) gives an error, with its message.
    #[track_caller]
    pub fn forward<const D: usize>(&self, x: Tensor<D>, params: impl Params) -> Tensor<D> {
        or_panic(self.try_forward(x, params))
    }

    /// As [`forward`](Self::forward), with an error where that panics.
    ///
    /// # Errors
    /// If a tensor is of another type, backend, rank or size than the kernel takes.
    pub fn try_forward<const D: usize>(&self, x: Tensor<D>, params: impl Params) -> Result<Tensor<D>, Error> {
        self.apply(x, params, Pass::new(self.0)).map(|(y, _)| y)
    }

    /// Normalizes `x` with the statistics of the batch, and gives them too, for running statistics to follow. Batch normalization only.
    ///
    /// # Errors
    /// As [`try_forward`](Self::try_forward); and where a channel has only one value.
    pub fn try_forward_train<const D: usize>(
        &self,
        x: Tensor<D>,
        params: impl Params,
    ) -> Result<(Tensor<D>, Statistics), Error> {
        self.0.check_keeps_batch()?;
        let (y, kept) = self.apply(x, params, Pass::new(self.0).keeping())?;
        Ok((y, Statistics(kept.expect("a pass that was asked for its statistics keeps them"))))
    }

    /// Normalizes `x` with statistics that are given: batch normalization's inference. Gradients take them for constants.
    ///
    /// # Errors
    /// As [`try_forward`](Self::try_forward); and if a variance is negative.
    pub fn try_forward_fixed<const D: usize>(
        &self,
        x: Tensor<D>,
        mean: Tensor<1>,
        var: Tensor<1>,
        params: impl Params,
    ) -> Result<Tensor<D>, Error> {
        let given = |tensor: Tensor<1>, name| {
            let tensor = tensor.dequantize().into_dispatch();
            self.check(&tensor, name)?;
            flex::primitive(tensor).ok_or_else(|| Error::Other(format!("`{name}`: expected a tensor of numbers")))
        };
        let pass = Pass::new(self.0).given(given(mean, "running_mean")?, given(var, "running_var")?);
        self.apply(x, params, pass).map(|(y, _)| y)
    }

    /// The operation of a family's kernel on tensors of the type of `x`.
    pub(crate) fn of(family: &Family, dtype: DType, eps: f64) -> Result<Self, Error> {
        Ok(NormOp::new(family.of(dtype.name())?).with_eps(eps))
    }

    pub(crate) fn call(&self) -> Call {
        self.0
    }

    fn apply<const D: usize>(
        &self,
        x: Tensor<D>,
        params: impl Params,
        mut pass: Pass,
    ) -> Result<(Tensor<D>, Option<Arc<Kept>>), Error> {
        let (x, params) = (x.dequantize().into_dispatch(), params.into_tensors());
        self.0.check_params(params.len())?;
        for (index, (tensor, name)) in [&x].into_iter().chain(&params).zip(self.0.names()).enumerate() {
            self.check(tensor, name)?;
            if !flex::is_known(tensor.dtype()) {
                return Err(self.0.wrong_type(index, tensor.dtype().name()));
            }
        }
        let mut params = params.into_iter();
        let y = match (params.next(), params.next()) {
            (None, _) => Dispatch::normalize(x, &mut pass),
            (Some(weight), None) => Dispatch::normalize_with(x, weight, &mut pass),
            (Some(weight), Some(bias)) => Dispatch::normalize_with_both(x, weight, bias, &mut pass),
        };
        let kept = pass.outcome()?;
        Ok((Tensor::from_dispatch(y), kept))
    }

    /// Refuses tensors of other backends.
    fn check(&self, tensor: &DispatchTensor, name: &str) -> Result<(), Error> {
        if flex::is_here(&tensor.kind) {
            return Ok(());
        }
        let (kind, device) = (self.kernel().spec().kind, tensor.device());
        Err(Error::Other(format!("{kind}: `{name}`: expected a tensor on Flex, found one on {device:?}")))
    }
}

/// What burn's own layers do where something does not fit.
#[track_caller]
pub fn or_panic<T>(result: Result<T, Error>) -> T {
    match result {
        Ok(value) => value,
        Err(error) => panic!("{error}"),
    }
}

/// The statistics of a batch: the mean and the variance of each channel.
#[derive(Clone, Debug)]
pub struct Statistics(Arc<Kept>);

impl Statistics {
    /// What running statistics become: `(1 - momentum) * running + momentum * batch`, of the mean and of the variance. `unbiased`: with the
    /// variance of `n - 1` degrees of freedom, as PyTorch's running variance is; of `n` otherwise, as burn's is.
    ///
    /// What is given has no graph.
    ///
    /// # Errors
    /// If there are more or fewer than the batch has channels.
    pub fn follow(&self, running: [Tensor<1>; 2], momentum: f64, unbiased: bool) -> Result<[Tensor<1>; 2], Error> {
        let places = running.each_ref().map(|tensor| (tensor.device(), tensor.dtype()));
        let [mean, var] = running.map(numbers);
        let [mean_after, var_after] = self.0.follow([mean?, var?], momentum, unbiased)?;
        let [of_mean, of_var] = places;
        Ok([tensor(mean_after, of_mean), tensor(var_after, of_var)])
    }
}

fn numbers(tensor: Tensor<1>) -> Result<Vec<f64>, Error> {
    let data = tensor.into_data().convert_dtype(DType::F64);
    data.try_into_vec().map_err(|error| Error::Other(format!("running statistics: {error:?}")))
}

fn tensor(values: Vec<f64>, (device, dtype): (Device, DType)) -> Tensor<1> {
    let channels = values.len();
    Tensor::from_data(TensorData::new(values, [channels]).convert_dtype(dtype), (&device, dtype))
}
