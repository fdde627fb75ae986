//! One application of a kernel: what candle keeps in its graph.

use candle_core::{CpuStorage, CustomOp1, CustomOp2, CustomOp3, Device, Error, Layout, Result, Shape, Storage};
use candle_core::{Tensor, WithDType, backend::BackendStorage, bail};
use normkit_adapter::{Argument, Call, Kept, Statistics, Values};
use std::sync::{Arc, OnceLock};

/// A call, and what it takes beside tensors that have gradients.
#[derive(Clone)]
pub struct Op {
    pub call: Call,
    /// The mean and the variance that are given, instead of those of `x`.
    pub fixed: Option<[Tensor; 2]>,
    /// Where statistics are kept, if they are.
    pub kept: Option<Arc<OnceLock<Kept>>>,
}

/// An error of normkit's as one of candle's.
pub fn error(error: normkit_adapter::Error) -> Error {
    let help = match error {
        normkit_adapter::Error::Place { .. } => "; help: `contiguous()` makes a copy that fits",
        _ => "",
    };
    Error::msg(format!("{error}{help}"))
}

impl Op {
    /// Refuses tensors of other types than the kernel's, and those that are not on the CPU.
    pub fn check(&self, tensors: &[&Tensor]) -> Result<()> {
        let (spec, names) = (self.call.kernel().spec(), self.call.names());
        self.call.check_params(tensors.len() - 1).map_err(error)?;
        let fixed = self.fixed.iter().flatten().zip(["running_mean", "running_var"]);
        let params = tensors[1..].iter().copied().zip(names[1..].iter().copied());
        for (tensor, name) in params.chain(fixed) {
            if tensor.dtype().as_str() != spec.param {
                bail!("{}: `{name}`: expected elements of {}, found {}", spec.kind, spec.param, tensor.dtype().as_str())
            }
            check_device(spec.kind, name, tensor)?;
        }
        check_device(spec.kind, names[0], tensors[0])
    }

    /// `y`, from `x` and the parameters.
    fn forward(&self, tensors: &[(&CpuStorage, &Layout)]) -> Result<(CpuStorage, Shape)> {
        let arguments = self.arguments(tensors)?;
        let y = match &self.fixed {
            Some(fixed) => with_fixed(fixed, |fixed| self.call.infer(&arguments, fixed))?,
            None => {
                let (y, statistics) = self.call.forward(&arguments, self.kept.is_some()).map_err(error)?;
                if let (Some(kept), Some(statistics)) = (&self.kept, statistics) {
                    // Candle runs the forward pass of a call once, so this sets it.
                    let _ = kept.set(statistics);
                }
                y
            }
        };
        Ok((storage(y), tensors[0].1.shape().clone()))
    }

    /// The gradients of `x` and of the parameters: of those that have a graph.
    fn backward(&self, tensors: &[&Tensor], dy: &Tensor) -> Result<Vec<Option<Tensor>>> {
        // How a gradient lies is candle's choice, not the user's, so a copy is no surprise; there hardly ever is one.
        let dy = dy.contiguous()?;
        let (dy_storage, dy_layout) = dy.storage_and_layout();
        let (storages, layouts): (Vec<_>, Vec<_>) = tensors.iter().map(|tensor| tensor.storage_and_layout()).unzip();
        let storages = storages.iter().map(|storage| cpu(storage)).collect::<Result<Vec<_>>>()?;
        let arguments = self.arguments(&storages.into_iter().zip(layouts).collect::<Vec<_>>())?;
        let dy = argument(cpu(&dy_storage)?, dy_layout)
            .ok_or_else(|| error(self.call.wrong_type(0, dy.dtype().as_str())))?;
        let gradients = match &self.fixed {
            Some(fixed) => with_fixed(fixed, |fixed| self.call.backward(&arguments, &dy, Statistics::Given(fixed)))?,
            None => {
                let none =
                    || Error::msg(format!("{}: the forward pass kept no statistics", self.call.kernel().spec().kind));
                let kept = self.kept.as_ref().and_then(|kept| kept.get()).ok_or_else(none)?;
                self.call.backward(&arguments, &dy, Statistics::Kept(kept)).map_err(error)?
            }
        };
        tensors.iter().zip(gradients).map(|(tensor, values)| gradient(tensor, values)).collect()
    }

    fn arguments<'a>(&self, tensors: &[(&'a CpuStorage, &'a Layout)]) -> Result<Vec<Argument<'a>>> {
        let argument = |(index, (storage, layout)): (usize, &(&'a CpuStorage, &'a Layout))| {
            argument(storage, layout).ok_or_else(|| error(self.call.wrong_type(index, storage.dtype().as_str())))
        };
        tensors.iter().enumerate().map(argument).collect()
    }
}

/// A tensor as normkit takes it, if it has kernels for its type.
fn argument<'a>(storage: &'a CpuStorage, layout: &'a Layout) -> Option<Argument<'a>> {
    let elements = match storage {
        CpuStorage::F16(values) => normkit::Tensor::F16(values),
        CpuStorage::BF16(values) => normkit::Tensor::Bf16(values),
        CpuStorage::F32(values) => normkit::Tensor::F32(values),
        CpuStorage::F64(values) => normkit::Tensor::F64(values),
        _ => return None,
    };
    Some(Argument::new(elements, layout.dims(), layout.stride(), layout.start_offset()))
}

fn storage(values: Values) -> CpuStorage {
    match values {
        Values::F16(values) => CpuStorage::F16(values),
        Values::Bf16(values) => CpuStorage::BF16(values),
        Values::F32(values) => CpuStorage::F32(values),
        Values::F64(values) => CpuStorage::F64(values),
    }
}

/// Runs a pass over statistics that are given.
fn with_fixed<R>(
    [mean, var]: &[Tensor; 2],
    pass: impl FnOnce(&[Argument<'_>; 2]) -> core::result::Result<R, normkit_adapter::Error>,
) -> Result<R> {
    let ((mean, mean_layout), (var, var_layout)) = (mean.storage_and_layout(), var.storage_and_layout());
    match (argument(cpu(&mean)?, mean_layout), argument(cpu(&var)?, var_layout)) {
        (Some(mean), Some(var)) => pass(&[mean, var]).map_err(error),
        _ => bail!("running statistics: expected elements of f32 | f64 | f16 | bf16"),
    }
}

/// The gradient of a tensor, if it has a graph.
fn gradient(of: &Tensor, values: Values) -> Result<Option<Tensor>> {
    fn tensor<T: WithDType>(values: Vec<T>, of: &Tensor) -> Result<Tensor> {
        Tensor::from_vec(values, of.shape(), &Device::Cpu)
    }
    let values = || match values {
        Values::F16(values) => tensor(values, of),
        Values::Bf16(values) => tensor(values, of),
        Values::F32(values) => tensor(values, of),
        Values::F64(values) => tensor(values, of),
    };
    of.track_op().then(values).transpose()
}

fn cpu(storage: &Storage) -> Result<&CpuStorage> {
    match storage {
        Storage::Cpu(storage) => Ok(storage),
        _ => bail!("expected a tensor on the CPU"),
    }
}

fn check_device(kind: &str, name: &str, tensor: &Tensor) -> Result<()> {
    match tensor.device() {
        Device::Cpu => Ok(()),
        other => bail!("{kind}: `{name}`: expected a tensor on the CPU, found one on {:?}", other.location()),
    }
}

fn own<const N: usize>(grads: Vec<Option<Tensor>>) -> Result<[Option<Tensor>; N]> {
    grads.try_into().map_err(|grads: Vec<_>| Error::msg(format!("expected {N} gradients, found {}", grads.len())))
}

impl CustomOp1 for Op {
    fn name(&self) -> &'static str {
        self.call.kernel().spec().kind
    }

    fn cpu_fwd(&self, x: &CpuStorage, x_layout: &Layout) -> Result<(CpuStorage, Shape)> {
        self.forward(&[(x, x_layout)])
    }

    fn bwd(&self, x: &Tensor, _: &Tensor, dy: &Tensor) -> Result<Option<Tensor>> {
        let [dx] = own(self.backward(&[x], dy)?)?;
        Ok(dx)
    }
}

impl CustomOp2 for Op {
    fn name(&self) -> &'static str {
        self.call.kernel().spec().kind
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        weight: &CpuStorage,
        weight_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        self.forward(&[(x, x_layout), (weight, weight_layout)])
    }

    fn bwd(&self, x: &Tensor, weight: &Tensor, _: &Tensor, dy: &Tensor) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let [dx, dweight] = own(self.backward(&[x, weight], dy)?)?;
        Ok((dx, dweight))
    }
}

impl CustomOp3 for Op {
    fn name(&self) -> &'static str {
        self.call.kernel().spec().kind
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        weight: &CpuStorage,
        weight_layout: &Layout,
        bias: &CpuStorage,
        bias_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        self.forward(&[(x, x_layout), (weight, weight_layout), (bias, bias_layout)])
    }

    fn bwd(
        &self,
        x: &Tensor,
        weight: &Tensor,
        bias: &Tensor,
        _: &Tensor,
        dy: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let [dx, dweight, dbias] = own(self.backward(&[x, weight, bias], dy)?)?;
        Ok((dx, dweight, dbias))
    }
}
