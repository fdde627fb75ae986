//! The entry points, compiled once here, instead of in every crate that has a layer: what depends on the type of parameters for each pair
//! of types, all else for each type of elements.
//!
//! With these compiled in the user's crate, its first layer cost several times what its kernels do.

use super::{BackwardArgs, ForwardArgs, ParamGrads, Params, Select};
use crate::dtype::{Element, bf16, f16, with_each_pair};
use crate::error::NormError;
use crate::saved::Saved;
use crate::spec::Spec;
use crate::untyped::{ParamPlaces, select_untyped, untyped, widen_at};
use crate::view::{View, ViewMut};

/// Kernels over elements of this type with parameters of type `P`.
pub trait Entry<P: Element<Compute = Self::Compute>>: Element {
    /// Normalizes `x` into `y`; with `saved`, keeps the statistics there.
    ///
    /// # Errors
    /// See [`NormError`]; nothing has been written then.
    ///
    /// # Safety
    /// Each kernel that `select(n)` gives keeps to the contract of [`ForwardArgs`] for rows of `n` elements and the affine
    /// parameters of `spec`, on a machine with its level's instruction set.
    unsafe fn forward(
        spec: &'static Spec,
        select: Select<ForwardArgs<Self, P>>,
        x: View<'_, Self>,
        params: Params<'_, P>,
        eps: Self::Compute,
        y: ViewMut<'_, Self>,
        saved: Option<&mut Saved<Self::Compute>>,
    ) -> Result<(), NormError>;

    /// Normalizes `x` in place.
    ///
    /// # Errors
    /// See [`NormError`]; nothing has been written then.
    ///
    /// # Safety
    /// Each kernel that `select(n)` gives keeps to the contract of [`ForwardArgs`] for rows of `n` elements and the affine
    /// parameters of `spec`, on a machine with its level's instruction set.
    unsafe fn forward_inplace(
        spec: &'static Spec,
        select: Select<ForwardArgs<Self, P>>,
        x: ViewMut<'_, Self>,
        params: Params<'_, P>,
        eps: Self::Compute,
    ) -> Result<(), NormError>;

    /// Writes the gradient of `x` into `dx` and adds the gradients of the parameters to `grads`.
    ///
    /// # Errors
    /// See [`NormError`]; nothing has been written then.
    ///
    /// # Safety
    /// As for [`Entry::forward`], with [`BackwardArgs`].
    #[allow(clippy::too_many_arguments, reason = "a backward pass has that many")]
    unsafe fn backward(
        spec: &'static Spec,
        select: Select<BackwardArgs<Self, P>>,
        x: View<'_, Self>,
        dy: View<'_, Self>,
        params: Params<'_, P>,
        saved: &Saved<Self::Compute>,
        dx: ViewMut<'_, Self>,
        grads: ParamGrads<'_, Self::Compute>,
    ) -> Result<(), NormError>;

    /// Normalizes one row whose magnitude leaves the range of the fast kernels.
    ///
    /// # Safety
    /// As for the kernel that was given `args`; `row < args.rows` and `n` is the length of its rows.
    unsafe fn careful_row(args: &ForwardArgs<Self, P>, row: usize, n: usize, spec: &'static Spec);

    /// The gradients of one row in which `x - mean` may overflow.
    ///
    /// # Safety
    /// As for the kernel that was given `args`; `row < args.rows` and `n` is the length of its rows.
    unsafe fn careful_backward_row(args: &BackwardArgs<Self, P>, row: usize, n: usize, spec: &'static Spec);
}

macro_rules! entries {
    ($($t:ident with $p:ident),*) => { $(
        impl Entry<$p> for $t {
            unsafe fn forward(
                spec: &'static Spec,
                select: Select<ForwardArgs<Self, $p>>,
                x: View<'_, Self>,
                params: Params<'_, $p>,
                eps: Self::Compute,
                y: ViewMut<'_, Self>,
                saved: Option<&mut Saved<Self::Compute>>,
            ) -> Result<(), NormError> {
                // SAFETY: the caller's contract is the same.
                unsafe { super::forward(spec, select_untyped(select), x, ParamPlaces::of(&params), eps, y, saved) }
            }

            unsafe fn forward_inplace(
                spec: &'static Spec,
                select: Select<ForwardArgs<Self, $p>>,
                x: ViewMut<'_, Self>,
                params: Params<'_, $p>,
                eps: Self::Compute,
            ) -> Result<(), NormError> {
                // SAFETY: the caller's contract is the same.
                unsafe { super::forward_inplace(spec, select_untyped(select), x, ParamPlaces::of(&params), eps) }
            }

            unsafe fn backward(
                spec: &'static Spec,
                select: Select<BackwardArgs<Self, $p>>,
                x: View<'_, Self>,
                dy: View<'_, Self>,
                params: Params<'_, $p>,
                saved: &Saved<Self::Compute>,
                dx: ViewMut<'_, Self>,
                grads: ParamGrads<'_, Self::Compute>,
            ) -> Result<(), NormError> {
                // SAFETY: the caller's contract is the same.
                unsafe { super::backward(spec, select_untyped(select), x, dy, ParamPlaces::of(&params), saved, dx, grads) }
            }

            #[cold]
            unsafe fn careful_row(args: &ForwardArgs<Self, $p>, row: usize, n: usize, spec: &'static Spec) {
                // SAFETY: the caller's contract is the same.
                unsafe { crate::careful::row(untyped(args), widen_at::<$p>, row, n, spec) }
            }

            #[cold]
            unsafe fn careful_backward_row(args: &BackwardArgs<Self, $p>, row: usize, n: usize, spec: &'static Spec) {
                // SAFETY: the caller's contract is the same.
                unsafe { crate::careful::backward_row(untyped(args), widen_at::<$p>, row, n, spec) }
            }
        }
    )* };
}

with_each_pair!(entries);
