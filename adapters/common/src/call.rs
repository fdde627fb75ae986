//! One application of a kernel.

use crate::argument::Argument;
use crate::error::Error;
use crate::kept::{Keep, Kept};
use crate::scalar::{Scalar, Values};
use normkit::kernel::{Fixed, KernelElement, KernelOf, ParamGrads, Params};
use normkit::{Affine, Compute, Element, Kernel, Saved, Tensor, ViewMut, bf16, f16};

/// A kernel and its `eps`, over tensors of types that are known at run time.
///
/// Arguments are `x`, or `weight_v` of weight normalization, and the parameters that the kernel has: [`names`](Self::names) tells
/// which. Leading axes that are normalized apart (rows), and the axes of an image behind its channels, may be any number, as long as
/// they merge into as many as the kernel's shape has.
#[derive(Clone, Copy, Debug)]
pub struct Call {
    kernel: Kernel,
    eps: f64,
}

/// The statistics that an output was normalized with.
#[derive(Clone, Copy, Debug)]
pub enum Statistics<'a> {
    /// Those of `x`, which the forward pass kept.
    Kept(&'a Kept),
    /// A mean and a variance that were given, and are constants.
    Given(&'a [Argument<'a>; 2]),
}

/// `$call` with the type of elements and that of parameters.
macro_rules! dispatch {
    ($this:expr, $x:expr, $method:ident($($argument:expr),*)) => {
        match ($x.elements(), $this.kernel.spec().param) {
            (Tensor::F32(_), "f32") => $this.$method::<f32, f32>($($argument),*),
            (Tensor::F32(_), "f16") => $this.$method::<f32, f16>($($argument),*),
            (Tensor::F32(_), "bf16") => $this.$method::<f32, bf16>($($argument),*),
            (Tensor::F16(_), "f32") => $this.$method::<f16, f32>($($argument),*),
            (Tensor::F16(_), "f16") => $this.$method::<f16, f16>($($argument),*),
            (Tensor::F16(_), "bf16") => $this.$method::<f16, bf16>($($argument),*),
            (Tensor::Bf16(_), "f32") => $this.$method::<bf16, f32>($($argument),*),
            (Tensor::Bf16(_), "f16") => $this.$method::<bf16, f16>($($argument),*),
            (Tensor::Bf16(_), "bf16") => $this.$method::<bf16, bf16>($($argument),*),
            (Tensor::F64(_), "f64") => $this.$method::<f64, f64>($($argument),*),
            _ => Err($this.wrong_type(0, $x.dtype())),
        }
    };
}

impl Call {
    /// A call of this kernel, with the `eps` that it was generated with.
    #[must_use]
    pub fn new(kernel: Kernel) -> Self {
        Call { kernel, eps: kernel.spec().eps }
    }

    /// The same with another `eps`, as read from a config.
    #[must_use]
    pub fn with_eps(self, eps: f64) -> Self {
        Call { eps, ..self }
    }

    /// The kernel.
    #[must_use]
    pub fn kernel(&self) -> Kernel {
        self.kernel
    }

    /// What is added to the mean square inside the root.
    #[must_use]
    pub fn eps(&self) -> f64 {
        self.eps
    }

    /// The names of the arguments, `x` first.
    #[must_use]
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

    /// The names of the parameters, for a module that holds them and takes `x`.
    ///
    /// # Errors
    /// If the kernel has running statistics, which such a module has no place for, or is one of a parameter.
    pub fn module_params(&self) -> Result<&'static [&'static str], Error> {
        let spec = self.kernel.spec();
        if spec.running.is_some() || spec.of_sum {
            let message = "a module takes kernels of x, without running statistics; this kind has `NormOp`";
            return Err(Error::Other(format!("{}: {message}", spec.kind)));
        }
        Ok(&self.names()[1..])
    }

    /// Refuses another number of parameters than the kernel has.
    ///
    /// # Errors
    /// If `found` is another.
    pub fn check_params(&self, found: usize) -> Result<(), Error> {
        let names = &self.names()[1..];
        if found == names.len() {
            return Ok(());
        }
        let (kind, expected, names) = (self.kernel.spec().kind, names.len(), names.join(", "));
        Err(Error::Other(format!("{kind}: expected {expected} parameters ({names}), found {found}")))
    }

    /// Refuses a kernel that does not keep the statistics of a batch, for running statistics to follow.
    ///
    /// # Errors
    /// If it is not one of batch normalization.
    pub fn check_keeps_batch(&self) -> Result<(), Error> {
        let spec = self.kernel.spec();
        if spec.running.is_none() {
            let message = "only batch normalization keeps the statistics of a batch";
            return Err(Error::Other(format!("{}: {message}", spec.kind)));
        }
        Ok(())
    }

    /// That the argument of this index is of another type than the kernel takes.
    #[must_use]
    pub fn wrong_type(&self, index: usize, found: &str) -> Error {
        let spec = self.kernel.spec();
        let (name, expected) = (self.names()[index], if index == 0 { spec.dtype } else { spec.param });
        Error::Other(format!("{}: `{name}`: expected elements of {expected}, found {found}", spec.kind))
    }

    /// `y`, and what was kept, if `keep` says so. Batch normalization takes the statistics of the batch.
    ///
    /// # Errors
    /// If an argument is of another type, rank or size than the kernel takes, or lies where it cannot take it from.
    pub fn forward(&self, arguments: &[Argument<'_>], keep: bool) -> Result<(Values, Option<Kept>), Error> {
        dispatch!(self, self.x(arguments)?, forward_of(arguments, None, keep))
    }

    /// `y`, normalized with a mean and a variance that are given: batch normalization's inference.
    ///
    /// # Errors
    /// As [`forward`](Self::forward); and if a variance is negative.
    pub fn infer(&self, arguments: &[Argument<'_>], given: &[Argument<'_>; 2]) -> Result<Values, Error> {
        let (y, _) = dispatch!(self, self.x(arguments)?, forward_of(arguments, Some(given), false))?;
        Ok(y)
    }

    /// The gradients of all arguments, in their order, from that of `y`.
    ///
    /// # Errors
    /// As [`forward`](Self::forward); and if `dy` is not contiguous.
    pub fn backward(
        &self,
        arguments: &[Argument<'_>],
        dy: &Argument<'_>,
        statistics: Statistics<'_>,
    ) -> Result<Vec<Values>, Error> {
        dispatch!(self, self.x(arguments)?, backward_of(arguments, dy, statistics))
    }

    /// `x`, of as many arguments as there should be.
    fn x<'a, 'b>(&self, arguments: &'b [Argument<'a>]) -> Result<&'b Argument<'a>, Error> {
        let Some((x, params)) = arguments.split_first() else {
            return Err(Error::Other(format!("{}: expected a tensor", self.kernel.spec().kind)));
        };
        self.check_params(params.len())?;
        Ok(x)
    }

    fn of<T: Scalar + KernelElement<P>, P: Element<Compute = T::Compute>>(&self) -> Result<KernelOf<T, P>, Error> {
        self.kernel.of().ok_or_else(|| self.wrong_type(0, T::NAME))
    }

    fn error(&self, error: normkit::NormError) -> Error {
        Error::of(self.kernel.spec().kind, error)
    }

    /// The elements of the parameter of this index, if there is one.
    fn param<'a, P: Scalar>(&self, arguments: &[Argument<'a>], index: usize) -> Result<Option<&'a [P]>, Error> {
        let Some(argument) = arguments.get(index) else { return Ok(None) };
        let values = argument.slice(self.kernel.spec(), self.names()[index])?;
        values.map(Some).ok_or_else(|| self.wrong_type(index, argument.dtype()))
    }

    fn given<'a, P: Scalar>(&self, given: &[Argument<'a>; 2]) -> Result<Fixed<'a, P>, Error> {
        let spec = self.kernel.spec();
        let values = |index: usize, name: &'static str| {
            let (argument, kind, expected) = (&given[index], spec.kind, spec.param);
            let found = argument.dtype();
            let wrong = || Error::Other(format!("{kind}: `{name}`: expected elements of {expected}, found {found}"));
            argument.slice(spec, name)?.ok_or_else(wrong)
        };
        Ok(Fixed { mean: values(0, "running_mean")?, var: values(1, "running_var")? })
    }

    fn forward_of<T, P>(
        &self,
        arguments: &[Argument<'_>],
        given: Option<&[Argument<'_>; 2]>,
        keep: bool,
    ) -> Result<(Values, Option<Kept>), Error>
    where
        T: Scalar + KernelElement<P>,
        P: Scalar<Compute = T::Compute>,
    {
        let (spec, kernel) = (self.kernel.spec(), self.of::<T, P>()?);
        let params = Params { weight: self.param(arguments, 1)?, bias: self.param(arguments, 2)? };
        let given = given.map(|given| self.given(given)).transpose()?;
        let x = &arguments[0];
        let view = x.view::<T>(spec, self.names()[0])?.ok_or_else(|| self.wrong_type(0, x.dtype()))?;
        let eps = T::Compute::from_f64(self.eps);
        let mut saved = keep.then(Saved::<T::Compute>::default);
        let fill = |y: ViewMut<'_, T>| match given {
            Some(given) => kernel.infer(view, given, params, eps, y),
            None => kernel.forward(view, params, eps, y, saved.as_mut()),
        };
        // SAFETY: a kernel writes all of `y` where it returns `Ok`, and reads none of it.
        let y = unsafe { filled(x.count(), fill) }.map_err(|error| self.error(error))?;
        Ok((T::values(y), saved.map(Keep::keep)))
    }

    fn backward_of<T, P>(
        &self,
        arguments: &[Argument<'_>],
        dy: &Argument<'_>,
        statistics: Statistics<'_>,
    ) -> Result<Vec<Values>, Error>
    where
        T: Scalar + KernelElement<P>,
        P: Scalar<Compute = T::Compute>,
    {
        let (spec, kernel) = (self.kernel.spec(), self.of::<T, P>()?);
        let x = &arguments[0];
        let view = x.view::<T>(spec, self.names()[0])?.ok_or_else(|| self.wrong_type(0, x.dtype()))?;
        // The dims are those that `x` is taken with: merged by itself, a gradient might get others.
        let wrong =
            || Error::Other(format!("{}: `dy`: expected elements of {}, found {}", spec.kind, T::NAME, dy.dtype()));
        let dy = dy.slice::<T>(spec, "dy")?.ok_or_else(wrong)?.into();
        let params = Params { weight: self.param::<P>(arguments, 1)?, bias: None };
        let zeros = |index: usize| arguments.get(index).map(|param| vec![T::Compute::default(); param.count()]);
        let (mut dweight, mut dbias) = (zeros(1), zeros(2));
        let grads = ParamGrads { weight: dweight.as_deref_mut(), bias: dbias.as_deref_mut() };
        let dx = match statistics {
            Statistics::Kept(kept) if spec.of_sum => {
                let mut dx = vec![T::Compute::default(); x.count()];
                let saved = self.saved(kept)?;
                let result = kernel.backward_of_param(view, dy, params, saved, (&mut dx).into(), grads);
                result.map(|()| dx.into_iter().map(T::narrow).collect())
            }
            Statistics::Kept(kept) => {
                let saved = self.saved(kept)?;
                // SAFETY: a kernel writes all of `dx` where it returns `Ok`, and reads none of it.
                unsafe { filled(x.count(), |dx| kernel.backward(view, dy, params, saved, dx, grads)) }
            }
            Statistics::Given(given) => {
                let (given, eps) = (self.given(given)?, T::Compute::from_f64(self.eps));
                // SAFETY: as above.
                unsafe { filled(x.count(), |dx| kernel.backward_frozen(view, dy, given, params, eps, dx, grads)) }
            }
        };
        let dx = T::values(dx.map_err(|error| self.error(error))?);
        let narrow = |grad: Vec<T::Compute>| P::values(grad.into_iter().map(P::narrow).collect());
        Ok([Some(dx), dweight.map(narrow), dbias.map(narrow)].into_iter().flatten().collect())
    }

    fn saved<'a, A: Keep>(&self, kept: &'a Kept) -> Result<&'a Saved<A>, Error> {
        let kind = self.kernel.spec().kind;
        A::kept(kept).ok_or_else(|| Error::Other(format!("{kind}: the forward pass kept statistics of another type")))
    }
}

/// As many elements as `fill` writes.
///
/// # Safety
/// Where `fill` returns `Ok` it has written all elements of the view, and read none of them.
unsafe fn filled<T: Element, E>(count: usize, fill: impl FnOnce(ViewMut<'_, T>) -> Result<(), E>) -> Result<Vec<T>, E> {
    let mut elements = Vec::with_capacity(count);
    // SAFETY: the caller's contract.
    fill(unsafe { ViewMut::unfilled(&mut elements.spare_capacity_mut()[..count]) })?;
    // SAFETY: there is room for as many, and all of them have been written.
    unsafe { elements.set_len(count) };
    Ok(elements)
}
