//! A kernel as plain data: its description and its passes, for code that takes any kernel, such as an adapter to another
//! library of tensors.

use crate::dtype::Element;
use crate::error::NormError;
use crate::rows::{self, BackwardArgs, ForwardArgs};
pub use crate::rows::{ParamGrads, Params};
use crate::saved::Saved;
pub use crate::sets::Fixed;
use crate::sets::{self, Selects};
use crate::spec::{Affine, Cast, Spec};
use crate::view::{View, ViewMut};
use core::any::Any;
use core::fmt;
use core::ops::Deref;

/// What the passes of a kernel over elements of `T` with parameters of `P` are selected from.
#[derive(Debug)]
#[allow(missing_docs, reason = "named after the passes")]
pub enum Passes<T: Element, P: 'static> {
    /// Of rows.
    Rows { forward: rows::Select<ForwardArgs<T, P>>, backward: rows::Select<BackwardArgs<T, P>> },
    /// Of all else.
    Sets { forward: Selects<T, P, ForwardArgs<T, P>>, backward: Selects<T, P, BackwardArgs<T, P>> },
}

/// The passes of a kernel, of any types.
#[doc(hidden)]
pub type AnyPasses = &'static (dyn Any + Send + Sync);

/// A kernel, whatever its technique, shape and types: `KERNEL` of a layer, `kernel()` of what `norm!` gives.
///
/// For code that is written once for all kernels. Which types it has kernels for is told at run time, by [`Kernel::of`].
///
/// ```
/// use norm_runtime::NormError;
/// use norm_runtime::kernel::{Kernel, Params};
///
/// fn run(kernel: Kernel, x: &[f32], weight: &[f32], y: &mut [f32]) -> Result<(), NormError> {
///     let params = Params { weight: Some(weight), bias: None };
///     match kernel.of::<f32, f32>() {
///         Some(kernel) => kernel.forward(x.into(), params, 1e-6, y.into(), None),
///         None => todo!("a kernel over another type"),
///     }
/// }
/// ```
#[derive(Clone, Copy)]
pub struct Kernel {
    spec: &'static Spec,
    passes: &'static [AnyPasses],
}

impl Kernel {
    /// # Safety
    /// Each of `passes` is a [`Passes`] whose kernels keep to the contract of [`ForwardArgs`] and [`BackwardArgs`], or of
    /// [`SetArgs`](sets::SetArgs), for this description.
    #[doc(hidden)]
    #[must_use]
    pub const unsafe fn new(spec: &'static Spec, passes: &'static [AnyPasses]) -> Self {
        Kernel { spec, passes }
    }

    /// What stands where the macro refused a layer, so that code that uses it compiles as far as it can.
    #[doc(hidden)]
    #[must_use]
    pub const fn refused() -> Self {
        const NONE: Spec = Spec {
            kind: "",
            shape: &[],
            roles: &[],
            groups: None,
            centred: false,
            of_sum: false,
            affine: Affine::None,
            eps: 0.0,
            running: None,
            cast: Cast::Once,
            dtype: "",
            param: "",
        };
        Kernel { spec: &NONE, passes: &[] }
    }

    /// What it was generated for.
    #[must_use]
    pub fn spec(&self) -> &'static Spec {
        self.spec
    }

    /// The kernels over elements of `T` with parameters of `P`, if there are any.
    #[must_use]
    pub fn of<T: KernelElement<P>, P: Element<Compute = T::Compute>>(&self) -> Option<KernelOf<T, P>> {
        let passes = self.passes.iter().find_map(|passes| passes.downcast_ref())?;
        Some(KernelOf { spec: self.spec, passes })
    }

    /// The same for another number of groups, as models read it from a config; `None` if this is no group normalization, or
    /// `groups` is 0.
    ///
    /// The description of the new kernel is kept until the program ends: keep what this gives, and ask once for each number.
    #[must_use]
    pub fn with_groups(&self, groups: usize) -> Option<Kernel> {
        let now = self.spec.groups?;
        if groups == 0 {
            return None;
        }
        if groups == now {
            return Some(*self);
        }
        // How many channels share their statistics is no part of the kernels: they are selected by, and run over, single channels.
        let spec = Box::leak(Box::new(Spec { groups: Some(groups), ..*self.spec }));
        Some(Kernel { spec, passes: self.passes })
    }
}

impl fmt::Debug for Kernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Kernel").field(self.spec).finish()
    }
}

/// Element types that there are entry points for, with parameters of `P`: all of [`Element`], with parameters that are computed
/// in the same type.
pub trait KernelElement<P: Element<Compute = Self::Compute>>: rows::Entry<P> + sets::Entry<P> {}

impl<T: rows::Entry<P> + sets::Entry<P>, P: Element<Compute = T::Compute>> KernelElement<P> for T {}

/// A [`Kernel`] over elements of `T` with parameters of `P`.
///
/// Its passes are those of a layer, with one signature for all techniques; one that the technique does not have is an error. A
/// parameter that is missing is taken for an empty one, and one too many is expected to be empty: both are errors.
///
/// Of weight normalization, `x` is `weight_v`, and `weight` is `weight_g`.
#[derive(Clone, Copy, Debug)]
pub struct KernelOf<T: Element, P: 'static> {
    spec: &'static Spec,
    passes: &'static Passes<T, P>,
}

impl<T: KernelElement<P>, P: Element<Compute = T::Compute>> KernelOf<T, P> {
    /// Normalizes `x` into `y`; with `saved`, keeps there what [`backward`](Self::backward) needs. Batch normalization takes the
    /// statistics of the batch.
    ///
    /// # Errors
    /// See [`NormError`]; nothing has been written then.
    pub fn forward(
        &self,
        x: View<'_, T>,
        params: Params<'_, P>,
        eps: T::Compute,
        y: ViewMut<'_, T>,
        saved: Option<&mut Saved<T::Compute>>,
    ) -> Result<(), NormError> {
        let (spec, params) = (self.spec, self.exactly(params)?);
        // SAFETY: the passes were generated for this description, which says what parameters there are.
        unsafe {
            match *self.passes {
                Passes::Rows { forward, .. } => rows::Entry::forward(spec, forward, x, params, eps, y, saved),
                Passes::Sets { forward, .. } => sets::Entry::forward(spec, forward, x, params, eps, y, saved, None),
            }
        }
    }

    /// Writes the gradient of `x` into `dx` and adds the gradients of the parameters to `grads`.
    ///
    /// # Errors
    /// See [`NormError`]; nothing has been written then. Weight normalization has
    /// [`backward_of_param`](Self::backward_of_param) instead.
    pub fn backward(
        &self,
        x: View<'_, T>,
        dy: View<'_, T>,
        params: Params<'_, P>,
        saved: &Saved<T::Compute>,
        dx: ViewMut<'_, T>,
        grads: ParamGrads<'_, T::Compute>,
    ) -> Result<(), NormError> {
        let spec = self.spec;
        let (params, grads) = (self.exactly_weight(params)?, self.exactly_grads(grads)?);
        // SAFETY: the passes were generated for this description, which says what parameters there are; `x` is none.
        unsafe {
            match *self.passes {
                Passes::Rows { backward, .. } => rows::Entry::backward(spec, backward, x, dy, params, saved, dx, grads),
                Passes::Sets { backward, .. } if !spec.of_sum => {
                    sets::Entry::backward(spec, backward, x, dy, params, saved, dx, grads)
                }
                Passes::Sets { .. } => Err(self.has_no("backward")),
            }
        }
    }

    /// As [`backward`](Self::backward), where `x` is a parameter itself, as in weight normalization: `dx` is of the type that is
    /// computed in, and added to.
    ///
    /// # Errors
    /// See [`NormError`]; nothing has been written then.
    pub fn backward_of_param(
        &self,
        x: View<'_, T>,
        dy: View<'_, T>,
        params: Params<'_, P>,
        saved: &Saved<T::Compute>,
        dx: ViewMut<'_, T::Compute>,
        grads: ParamGrads<'_, T::Compute>,
    ) -> Result<(), NormError> {
        let spec = self.spec;
        let Passes::Sets { backward, .. } = *self.passes else {
            return Err(self.has_no("backward_of_param"));
        };
        if !spec.of_sum {
            return Err(self.has_no("backward_of_param"));
        }
        let (params, grads) = (self.exactly_weight(params)?, self.exactly_grads(grads)?);
        // SAFETY: the passes were generated for this description, of a parameter, which says what other ones there are.
        unsafe { sets::Entry::backward_of_param(spec, backward, x, dy, params, saved, dx, grads) }
    }

    /// Normalizes `x` into `y` with statistics that are given: batch normalization's inference.
    ///
    /// # Errors
    /// See [`NormError`]; nothing has been written then.
    pub fn infer(
        &self,
        x: View<'_, T>,
        fixed: Fixed<'_, P>,
        params: Params<'_, P>,
        eps: T::Compute,
        y: ViewMut<'_, T>,
    ) -> Result<(), NormError> {
        match *self.passes {
            Passes::Sets { forward: Selects::Sweeps([_, output]), .. } if self.spec.running.is_some() => {
                let params = self.exactly(params)?;
                // SAFETY: the passes were generated for this description, which says what parameters there are.
                unsafe { sets::Entry::infer(self.spec, output, x, fixed, params, eps, y) }
            }
            _ => Err(self.has_no("infer")),
        }
    }

    /// The gradients of [`infer`](Self::infer), whose statistics do not depend on `x`: writes that of `x` into `dx` and adds those of
    /// the parameters to `grads`.
    ///
    /// # Errors
    /// See [`NormError`]; nothing has been written then.
    #[allow(clippy::too_many_arguments, reason = "a backward pass has that many")]
    pub fn backward_frozen(
        &self,
        x: View<'_, T>,
        dy: View<'_, T>,
        fixed: Fixed<'_, P>,
        params: Params<'_, P>,
        eps: T::Compute,
        dx: ViewMut<'_, T>,
        grads: ParamGrads<'_, T::Compute>,
    ) -> Result<(), NormError> {
        match *self.passes {
            Passes::Sets { forward: Selects::Sweeps([_, output]), backward: Selects::Sweeps([gradient_sums, _]) }
                if self.spec.running.is_some() =>
            {
                let (params, grads) = (self.exactly_weight(params)?, self.exactly_grads(grads)?);
                let passes = [gradient_sums, output];
                // SAFETY: the passes were generated for this description, which says what parameters there are.
                unsafe { sets::Entry::backward_frozen(self.spec, passes, x, dy, fixed, params, eps, dx, grads) }
            }
            _ => Err(self.has_no("backward_frozen")),
        }
    }

    /// The parameters that the technique has, and no other.
    fn exactly<'a>(&self, params: Params<'a, P>) -> Result<Params<'a, P>, NormError> {
        let [(weight, has_weight), (bias, has_bias)] = self.has();
        Ok(Params { weight: exactly(weight, has_weight, params.weight)?, bias: exactly(bias, has_bias, params.bias)? })
    }

    /// As [`exactly`](Self::exactly), for gradients, in which the bias has no part.
    fn exactly_weight<'a>(&self, params: Params<'a, P>) -> Result<Params<'a, P>, NormError> {
        let [(weight, has_weight), _] = self.has();
        Ok(Params { weight: exactly(weight, has_weight, params.weight)?, bias: None })
    }

    fn exactly_grads<'a, A>(&self, grads: ParamGrads<'a, A>) -> Result<ParamGrads<'a, A>, NormError> {
        let [(_, has_weight), (_, has_bias)] = self.has();
        Ok(ParamGrads {
            weight: exactly(if self.spec.of_sum { "dweight_g" } else { "dweight" }, has_weight, grads.weight)?,
            bias: exactly("dbias", has_bias, grads.bias)?,
        })
    }

    /// The names of weight and bias, and whether they are there.
    fn has(&self) -> [(&'static str, bool); 2] {
        let weight = if self.spec.of_sum { "weight_g" } else { "weight" };
        [(weight, self.spec.affine != Affine::None), ("bias", self.spec.affine == Affine::WeightAndBias)]
    }

    fn has_no(&self, pass: &'static str) -> NormError {
        NormError::Pass { pass, kind: self.spec.kind }
    }
}

/// The values of a parameter, or none where there is none; missing ones are empty, which checks of lengths refuse.
fn exactly<S: Default + Deref<Target = [A]>, A>(
    arg: &'static str,
    has: bool,
    values: Option<S>,
) -> Result<Option<S>, NormError> {
    match values {
        Some(values) if !has && !values.is_empty() => Err(NormError::Length { arg, expected: 0, found: values.len() }),
        values => Ok(has.then(|| values.unwrap_or_default())),
    }
}
