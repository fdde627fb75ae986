//! One application of a kernel: what candle keeps in its graph.

use crate::layout::view;
use candle_core::{CpuStorage, CustomOp1, CustomOp2, CustomOp3, DType, Device, Error, Layout, Result, Shape, Storage};
use candle_core::{Tensor, WithDType, backend::BackendStorage, bail};
use core::any::Any;
use normkit::kernel::{Fixed, KernelElement, KernelOf, ParamGrads, Params};
use normkit::{Affine, Compute, Element, Kernel, NormError, Saved, ViewMut, bf16, f16};
use std::sync::{Arc, OnceLock};

/// What the forward pass kept: a [`Saved`] of the type that is computed in.
pub type Kept = Arc<OnceLock<Box<dyn Any + Send + Sync>>>;

/// Types that are in candle and in normkit.
pub trait Scalar: WithDType + Element {}

impl<T: WithDType + Element> Scalar for T {}

/// A kernel, and what it takes beside tensors that have gradients.
#[derive(Clone)]
pub struct Call {
    pub kernel: Kernel,
    pub eps: f64,
    /// The mean and the variance that are given, instead of those of `x`.
    pub fixed: Option<[Tensor; 2]>,
    /// Where statistics are kept, if they are.
    pub kept: Option<Kept>,
}

/// An argument as candle passes it to an operation.
type Argument<'a> = (&'a CpuStorage, &'a Layout);

/// `$call` with the type of elements and that of parameters: `dispatch!(self, x.dtype(), method(arguments))`.
macro_rules! dispatch {
    ($this:expr, $dtype:expr, $method:ident($($argument:expr),*)) => {
        match ($dtype, $this.kernel.spec().param) {
            (DType::F32, "f32") => $this.$method::<f32, f32>($($argument),*),
            (DType::F32, "f16") => $this.$method::<f32, f16>($($argument),*),
            (DType::F32, "bf16") => $this.$method::<f32, bf16>($($argument),*),
            (DType::F16, "f32") => $this.$method::<f16, f32>($($argument),*),
            (DType::F16, "f16") => $this.$method::<f16, f16>($($argument),*),
            (DType::F16, "bf16") => $this.$method::<f16, bf16>($($argument),*),
            (DType::BF16, "f32") => $this.$method::<bf16, f32>($($argument),*),
            (DType::BF16, "f16") => $this.$method::<bf16, f16>($($argument),*),
            (DType::BF16, "bf16") => $this.$method::<bf16, bf16>($($argument),*),
            (DType::F64, "f64") => $this.$method::<f64, f64>($($argument),*),
            (found, _) => Err($this.wrong_type(found)),
        }
    };
}

impl Call {
    /// The names of the arguments, `x` first.
    pub fn names(&self) -> &'static [&'static str] {
        let spec = self.kernel.spec();
        match spec.affine {
            Affine::None if spec.of_sum => &["weight_v"],
            Affine::None => &["x"],
            Affine::Weight if spec.of_sum => &["weight_v", "weight_g"],
            Affine::Weight => &["x", "weight"],
            Affine::WeightAndBias => &["x", "weight", "bias"],
        }
    }

    /// An error of normkit's as one of candle's.
    pub fn error(&self, error: NormError) -> Error {
        let help = match error {
            NormError::Stride { .. } => "; help: `contiguous()` makes a copy that fits",
            _ => "",
        };
        Error::msg(format!("{}: {error}{help}", self.kernel.spec().kind))
    }

    fn wrong_type(&self, found: DType) -> Error {
        let spec = self.kernel.spec();
        let (kind, x) = (spec.kind, self.names()[0]);
        Error::msg(format!("{kind}: `{x}`: expected elements of {}, found {}", spec.dtype, found.as_str()))
    }

    /// Refuses tensors of other types than the kernel's, and those that are not on the CPU.
    pub fn check(&self, tensors: &[&Tensor]) -> Result<()> {
        let spec = self.kernel.spec();
        let (kind, names) = (spec.kind, self.names());
        if tensors.len() != names.len() {
            let (expected, found) = (names.len() - 1, tensors.len() - 1);
            bail!("{kind}: expected {expected} parameters ({}), found {found}", names[1..].join(", "))
        }
        let fixed = self.fixed.iter().flatten().zip(["running_mean", "running_var"]);
        let params = tensors[1..].iter().copied().zip(names[1..].iter().copied());
        for (tensor, name) in params.chain(fixed) {
            if tensor.dtype().as_str() != spec.param {
                bail!("{kind}: `{name}`: expected elements of {}, found {}", spec.param, tensor.dtype().as_str())
            }
            check_device(kind, name, tensor)?;
        }
        check_device(kind, names[0], tensors[0])
    }

    fn of<T: Scalar + KernelElement<P>, P: Element<Compute = T::Compute>>(&self) -> Result<KernelOf<T, P>> {
        self.kernel.of().ok_or_else(|| self.wrong_type(T::DTYPE))
    }

    fn eps<A: Compute>(&self) -> A {
        A::from_f64(self.eps)
    }

    /// `y`, from `x` and the parameters.
    pub fn forward(&self, arguments: &[Argument<'_>]) -> Result<(CpuStorage, Shape)> {
        let [(x, _), ..] = arguments else { bail!("{}: expected a tensor", self.kernel.spec().kind) };
        dispatch!(self, x.dtype(), forward_of(arguments))
    }

    fn forward_of<T, P>(&self, arguments: &[Argument<'_>]) -> Result<(CpuStorage, Shape)>
    where
        T: Scalar + KernelElement<P>,
        P: Scalar<Compute = T::Compute>,
    {
        let kernel = self.of::<T, P>()?;
        let (names, (storage, layout)) = (self.names(), arguments[0]);
        let x = view(self.kernel.spec(), names[0], T::cpu_storage_as_slice(storage)?, layout)?;
        let param = |index: usize| match arguments.get(index) {
            Some((storage, layout)) => self.slice::<P>(names[index], storage, layout).map(Some),
            None => Ok(None),
        };
        let params = Params { weight: param(1)?, bias: param(2)? };
        let fill = |y: ViewMut<'_, T>| match &self.fixed {
            Some(fixed) => self.with_fixed(fixed, |fixed| kernel.infer(x, fixed, params, self.eps(), y)),
            None => {
                let mut saved = self.kept.as_ref().map(|_| Saved::<T::Compute>::default());
                kernel.forward(x, params, self.eps(), y, saved.as_mut()).map_err(|error| self.error(error))?;
                if let (Some(kept), Some(saved)) = (&self.kept, saved) {
                    // Candle runs the forward pass of a call once, so this sets it.
                    let _ = kept.set(Box::new(saved));
                }
                Ok(())
            }
        };
        // SAFETY: a kernel writes all of `y` where it returns `Ok`, and reads none of it.
        let y = unsafe { filled(layout.shape().elem_count(), fill) }?;
        Ok((T::to_cpu_storage_owned(y), layout.shape().clone()))
    }

    /// The gradients of `x` and of the parameters: of those that have a graph.
    pub fn backward(&self, arguments: &[&Tensor], dy: &Tensor) -> Result<Vec<Option<Tensor>>> {
        dispatch!(self, arguments[0].dtype(), backward_of(arguments, dy))
    }

    fn backward_of<T, P>(&self, arguments: &[&Tensor], dy: &Tensor) -> Result<Vec<Option<Tensor>>>
    where
        T: Scalar + KernelElement<P>,
        P: Scalar<Compute = T::Compute>,
    {
        let (spec, kernel, names) = (self.kernel.spec(), self.of::<T, P>()?, self.names());
        // How a gradient lies is candle's choice, not the user's, so a copy is no surprise; there hardly ever is one.
        let dy = dy.contiguous()?;
        let (storages, layouts): (Vec<_>, Vec<_>) = arguments.iter().map(|tensor| tensor.storage_and_layout()).unzip();
        let (dy_storage, dy_layout) = dy.storage_and_layout();
        let x = view(spec, names[0], T::cpu_storage_as_slice(cpu(&storages[0])?)?, layouts[0])?;
        // The dims are those that `x` is taken with: merged by itself, a contiguous gradient might get others.
        let dy = self.slice::<T>("dy", cpu(&dy_storage)?, dy_layout)?.into();
        let weight = match arguments.len() {
            1 => None,
            _ => Some(self.slice::<P>(names[1], cpu(&storages[1])?, layouts[1])?),
        };
        let params = Params { weight, bias: None };
        let zeros =
            |index: usize| layouts.get(index).map(|layout| vec![T::Compute::default(); layout.shape().elem_count()]);
        let (mut dweight, mut dbias) = (zeros(1), zeros(2));
        let grads = ParamGrads { weight: dweight.as_deref_mut(), bias: dbias.as_deref_mut() };
        let count = layouts[0].shape().elem_count();
        let dx = if spec.of_sum {
            let mut dx = vec![T::Compute::default(); count];
            let result = kernel.backward_of_param(x, dy, params, self.saved()?, (&mut dx).into(), grads);
            result.map_err(|error| self.error(error))?;
            dx.into_iter().map(T::narrow).collect()
        } else {
            let fill = |dx: ViewMut<'_, T>| match &self.fixed {
                Some(fixed) => {
                    self.with_fixed(fixed, |fixed| kernel.backward_frozen(x, dy, fixed, params, self.eps(), dx, grads))
                }
                None => kernel.backward(x, dy, params, self.saved()?, dx, grads).map_err(|error| self.error(error)),
            };
            // SAFETY: a kernel writes all of `dx` where it returns `Ok`, and reads none of it.
            unsafe { filled(count, fill) }?
        };
        let narrow =
            |grad: Option<Vec<T::Compute>>| grad.map(|grad| grad.into_iter().map(P::narrow).collect::<Vec<P>>());
        let mut all = vec![gradient(arguments[0], dx)?];
        for (tensor, grad) in arguments[1..].iter().zip([narrow(dweight), narrow(dbias)]) {
            all.push(gradient(tensor, grad.unwrap_or_default())?);
        }
        Ok(all)
    }

    /// The elements of a parameter, in their order.
    fn slice<'a, P: Scalar>(&self, name: &str, storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [P]> {
        match layout.contiguous_offsets() {
            Some((start, end)) => Ok(&P::cpu_storage_as_slice(storage)?[start..end]),
            None => bail!(
                "{}: `{name}`: expected a contiguous parameter, found strides {:?}; help: `contiguous()` makes a copy that is",
                self.kernel.spec().kind,
                layout.stride(),
            ),
        }
    }

    /// Runs a pass over statistics that are given.
    fn with_fixed<P: Scalar>(
        &self,
        [mean, var]: &[Tensor; 2],
        pass: impl FnOnce(Fixed<'_, P>) -> core::result::Result<(), NormError>,
    ) -> Result<()> {
        let ((mean, mean_layout), (var, var_layout)) = (mean.storage_and_layout(), var.storage_and_layout());
        let fixed = Fixed {
            mean: self.slice("running_mean", cpu(&mean)?, mean_layout)?,
            var: self.slice("running_var", cpu(&var)?, var_layout)?,
        };
        pass(fixed).map_err(|error| self.error(error))
    }

    fn saved<A: Compute>(&self) -> Result<&Saved<A>> {
        let kept = self.kept.as_ref().and_then(|kept| kept.get()).and_then(|kept| kept.downcast_ref());
        kept.ok_or_else(|| Error::msg(format!("{}: the forward pass kept no statistics", self.kernel.spec().kind)))
    }
}

/// As many elements as `fill` writes.
///
/// # Safety
/// Where `fill` returns `Ok` it has written all elements of the view, and read none of them.
unsafe fn filled<T: Element>(count: usize, fill: impl FnOnce(ViewMut<'_, T>) -> Result<()>) -> Result<Vec<T>> {
    let mut elements = Vec::with_capacity(count);
    // SAFETY: the caller's contract.
    fill(unsafe { ViewMut::unfilled(&mut elements.spare_capacity_mut()[..count]) })?;
    // SAFETY: there is room for as many, and all of them have been written.
    unsafe { elements.set_len(count) };
    Ok(elements)
}

/// The gradient of a tensor, if it has a graph.
fn gradient<T: WithDType>(of: &Tensor, values: Vec<T>) -> Result<Option<Tensor>> {
    of.track_op().then(|| Tensor::from_vec(values, of.shape(), &Device::Cpu)).transpose()
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

impl CustomOp1 for Call {
    fn name(&self) -> &'static str {
        self.kernel.spec().kind
    }

    fn cpu_fwd(&self, x: &CpuStorage, x_layout: &Layout) -> Result<(CpuStorage, Shape)> {
        self.forward(&[(x, x_layout)])
    }

    fn bwd(&self, x: &Tensor, _: &Tensor, dy: &Tensor) -> Result<Option<Tensor>> {
        let [dx] = own(self.backward(&[x], dy)?)?;
        Ok(dx)
    }
}

impl CustomOp2 for Call {
    fn name(&self) -> &'static str {
        self.kernel.spec().kind
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

impl CustomOp3 for Call {
    fn name(&self) -> &'static str {
        self.kernel.spec().kind
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
