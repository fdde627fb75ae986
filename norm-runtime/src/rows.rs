//! The entry points of kernels over rows: checks first, then the level's kernel on each stretch of rows.
//!
//! Nothing is written before every argument has been checked.

mod entry;
mod partial;
mod staged;
mod walk;

pub use entry::Entry;

use crate::cache;
use crate::dtype::{Compute, Element};
use crate::error::NormError;
use crate::level::Level;
use crate::saved::{Places, Saved};
use crate::shape::Operand;
use crate::spec::{Affine, Spec};
use crate::threads::{self, Shared};
use crate::untyped::ParamPlaces;
use crate::view::{View, ViewMut};
use core::ops::Range;
use partial::sum_blocks;
use walk::Walk;

/// What a forward kernel works on.
///
/// `x` and `y` hold `rows` rows of `n` elements, `x_stride` and `y_stride` elements apart; `y` may be `x`. `weight` and `bias`
/// hold `n` elements each (of kernels over channels, one for each row), or are null where the kernel has none. `together` lets
/// kernels take several rows in step, which gives the same bits: beyond the caches that many streams are too many for the prefetchers.
/// `stream` asks for stores past the caches, one row at a time; rows have at least 256 bytes then. `rstd` (and, if the mean is
/// subtracted, `mean` and `residual`) hold `rows` elements, or are null if nothing is kept.
#[derive(Debug)]
#[repr(C)]
#[allow(missing_docs, reason = "described together above")]
pub struct ForwardArgs<T: Element, P> {
    pub x: *const T,
    pub y: *mut T,
    pub weight: *const P,
    pub bias: *const P,
    pub rows: usize,
    pub x_stride: usize,
    pub y_stride: usize,
    pub n: usize,
    pub eps: T::Compute,
    pub mean: *mut T::Compute,
    pub residual: *mut T::Compute,
    pub rstd: *mut T::Compute,
    pub together: bool,
    pub stream: bool,
}

/// What a backward kernel works on.
///
/// As [`ForwardArgs`]; `dweight` and `dbias` hold `n` elements rounded up to [`PADDING`], aligned to 64 bytes, and are added
/// to. They are null where the kernel has no such parameter. Of kernels over channels both hold one element for each row, which is
/// written. Where `x` is a parameter itself, `dx` is one's gradient: of the type that is computed in, and added to.
#[derive(Debug)]
#[repr(C)]
#[allow(missing_docs, reason = "described together above")]
pub struct BackwardArgs<T: Element, P> {
    pub x: *const T,
    pub dy: *const T,
    pub dx: *mut T,
    pub weight: *const P,
    pub mean: *const T::Compute,
    pub residual: *const T::Compute,
    pub rstd: *const T::Compute,
    pub dweight: *mut T::Compute,
    pub dbias: *mut T::Compute,
    pub rows: usize,
    pub x_stride: usize,
    pub dy_stride: usize,
    pub dx_stride: usize,
    pub n: usize,
    pub stream: bool,
}

/// The partial gradients of parameters are padded to a multiple of this, so that kernels use whole vectors on them.
pub const PADDING: usize = 32;

/// A kernel.
///
/// # Safety
/// The arguments are as [`ForwardArgs`] or [`BackwardArgs`] says, and the machine has the kernel's instruction set.
pub type Kernel<Args> = unsafe fn(&Args);

/// The same kernel for each instruction set.
#[derive(Debug)]
#[repr(C)]
#[allow(missing_docs, reason = "named after the levels; `avx512_bf16` is for AVX-512 with the conversions to bf16")]
pub struct Kernels<Args> {
    #[cfg(target_arch = "x86_64")]
    pub avx512_bf16: Kernel<Args>,
    #[cfg(target_arch = "x86_64")]
    pub avx512: Kernel<Args>,
    #[cfg(target_arch = "x86_64")]
    pub avx2: Kernel<Args>,
    pub portable: Kernel<Args>,
}

impl<Args> Kernels<Args> {
    #[cfg_attr(not(unoptimized), inline)]
    pub(crate) fn at(&self, level: Level) -> Kernel<Args> {
        match level {
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 if crate::level::converts_to_bf16() => self.avx512_bf16,
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => self.avx512,
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => self.avx2,
            _ => self.portable,
        }
    }
}

/// The kernels of one pass, by the length of the row; `None` if there is none for it.
pub type Select<Args> = fn(usize) -> Option<&'static Kernels<Args>>;

/// The parameters of a call.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs, reason = "the fields are the parameters' names")]
pub struct Params<'a, P> {
    pub weight: Option<&'a [P]>,
    pub bias: Option<&'a [P]>,
}

impl<A: Compute> Params<'_, A> {
    /// Weight and bias at an index: 1 and 0 where there is none.
    pub(crate) fn at(&self, index: usize) -> (f64, f64) {
        let value = |values: Option<&[A]>, none: f64| values.map_or(none, |v| v[index].to_f64());
        (value(self.weight, 1.0), value(self.bias, 0.0))
    }
}

/// Refuses an `eps` that is not finite or less than 0.
pub(crate) fn check_eps<A: Compute>(eps: A) -> Result<(), NormError> {
    if eps >= A::default() && eps.is_finite() { Ok(()) } else { Err(NormError::Eps { found: eps.to_f64() }) }
}

pub(crate) fn check_len<P>(arg: &'static str, values: Option<&[P]>, n: usize) -> Result<(), NormError> {
    check_found(arg, values.map(<[P]>::len), n)
}

/// Refuses another length than `expected`.
pub(crate) fn check_found(arg: &'static str, found: Option<usize>, expected: usize) -> Result<(), NormError> {
    match found {
        Some(found) if found != expected => Err(NormError::Length { arg, expected, found }),
        _ => Ok(()),
    }
}

/// Whether stores of rows of `n` elements, of tensors of so many bytes, go past the caches: rows of a few vectors at least.
fn streams<T>(n: usize, bytes: usize) -> bool {
    n >= 256 / size_of::<T>() && cache::is_far(bytes)
}

/// The error for a length that passed the checks of the shape but has no kernel.
fn no_kernel(spec: &'static Spec, found: usize) -> NormError {
    NormError::Length { arg: "x", expected: spec.param_len().unwrap_or(0), found }
}

/// The number that the elements of a row of fewer than 16 are taken relative to: near their mean.
///
/// The mean of the first four, or the first alone where there are fewer than four. For equal elements it is exactly that
/// element. (Longer rows take the mean of their first 16: with four, the rounding of layer norm's variance at 8192
/// elements was twice as large.)
///
/// # Safety
/// `x` is valid for reading `n >= 1` elements.
#[cfg_attr(not(unoptimized), inline)]
pub unsafe fn pivot<T: Element>(x: *const T, n: usize) -> T::Compute {
    // SAFETY: the caller's contract; elements 1 to 3 are read only where there are four.
    unsafe {
        if n < 4 {
            return x.read().widen();
        }
        let quarter = T::Compute::from_f64(0.25);
        let part = |i: usize| x.add(i).read().widen() * quarter;
        (part(0) + part(1)) + (part(2) + part(3))
    }
}

/// Normalizes `x` into `y`; with `saved`, keeps the statistics there.
///
/// # Errors
/// See [`NormError`]; nothing has been written then.
///
/// # Safety
/// Each kernel that `select(n)` gives keeps to the contract of [`ForwardArgs`] for rows of `n` elements and the affine
/// parameters of `spec`, on a machine with its level's instruction set.
unsafe fn forward<T: Element>(
    spec: &'static Spec,
    select: Select<ForwardArgs<T, ()>>,
    x: View<'_, T>,
    params: ParamPlaces<'_>,
    eps: T::Compute,
    y: ViewMut<'_, T>,
    saved: Option<&mut Saved<T::Compute>>,
) -> Result<(), NormError> {
    let operands = [Operand::new("x", x.data.len(), &x.layout), Operand::new("y", y.data.len(), &y.layout)];
    let (x, y) = (x.data.as_ptr(), y.data.as_mut_ptr());
    if !spec.is_over_rows() {
        // SAFETY: the caller's contract; the operands are these two views.
        return unsafe { staged::forward(spec, select, operands, (x, y), params, eps, saved) };
    }
    let mut walk = Walk::NONE;
    walk.lay_out(spec, &operands, params.len())?;
    // SAFETY: the caller's contract; the operands of the walk are these two views.
    unsafe { forward_walk(spec, select, &walk, x, y, params, eps, saved) }
}

/// Normalizes `x` in place.
///
/// # Errors
/// See [`NormError`]; nothing has been written then.
///
/// # Safety
/// As for [`forward`].
unsafe fn forward_inplace<T: Element>(
    spec: &'static Spec,
    select: Select<ForwardArgs<T, ()>>,
    x: ViewMut<'_, T>,
    params: ParamPlaces<'_>,
    eps: T::Compute,
) -> Result<(), NormError> {
    let operands = [Operand::new("x", x.data.len(), &x.layout); 2];
    let data = x.data.as_mut_ptr();
    if !spec.is_over_rows() {
        // SAFETY: the caller's contract; both operands are this view.
        return unsafe { staged::forward(spec, select, operands, (data, data), params, eps, None) };
    }
    let mut walk = Walk::NONE;
    walk.lay_out(spec, &operands, params.len())?;
    // SAFETY: the caller's contract; both operands of the walk are this view.
    unsafe { forward_walk(spec, select, &walk, data, data, params, eps, None) }
}

/// # Safety
/// As for [`forward`]; `walk` was made for operands at `x` and `y`, which are the same or do not overlap.
#[allow(clippy::too_many_arguments, reason = "one call for both of the above")]
unsafe fn forward_walk<T: Element>(
    spec: &'static Spec,
    select: Select<ForwardArgs<T, ()>>,
    walk: &Walk<2>,
    x: *const T,
    y: *mut T,
    params: ParamPlaces<'_>,
    eps: T::Compute,
    mut saved: Option<&mut Saved<T::Compute>>,
) -> Result<(), NormError> {
    let n = walk.n;
    params.check("weight", n)?;
    check_eps(eps)?;
    let kernel = select(n).ok_or_else(|| no_kernel(spec, n))?.at(Level::current()?);
    if let Some(saved) = saved.as_deref_mut() {
        saved.resize(walk.rows.total, spec.centred);
    }
    if n == 0 {
        return Ok(());
    }
    let bytes = (2 * size_of::<T>()).saturating_mul(walk.rows.total * n);
    // In place, a line is in the caches already when it is written.
    let stream = x != y.cast_const() && streams::<T>(n, bytes);
    let together = !stream && cache::takes_together::<T>(bytes, n);
    let pieces = threads::pieces(bytes, walk.rows.total);
    // SAFETY: pieces are rows of their own, of `y` and of the statistics; the call waits for all of them.
    let shared = unsafe { Shared::new((x, y, params, Places::of(saved))) };
    threads::for_each(pieces, &|piece| {
        let (x, y, params, saved) = shared.get();
        walk.rows.for_each_in(threads::piece(piece, pieces, walk.rows.total), &mut |first, rows, offsets| {
            let [mean, residual, rstd] = saved.at(first);
            let (weight, bias) = params.at(0);
            // SAFETY: the walk has checked that `rows` rows from these offsets lie within the operands, and that rows of `y` do
            // not overlap; parameters have `n` elements; statistics have room for all rows; the level is available. The
            // caller answers for the kernel itself.
            unsafe {
                kernel(&ForwardArgs {
                    x: x.add(offsets[0]),
                    y: y.add(offsets[1]),
                    weight,
                    bias,
                    rows,
                    x_stride: walk.rows.strides[0],
                    y_stride: walk.rows.strides[1],
                    n,
                    eps,
                    together,
                    stream,
                    mean,
                    residual,
                    rstd,
                });
            }
        });
        cache::fence(stream);
    });
    Ok(())
}

/// The gradients of the parameters of a call.
#[derive(Debug)]
#[allow(missing_docs, reason = "the fields are the parameters' names")]
pub struct ParamGrads<'a, A> {
    pub weight: Option<&'a mut [A]>,
    pub bias: Option<&'a mut [A]>,
}

/// Writes the gradient of `x` into `dx` and adds the gradients of the parameters to `grads`.
///
/// Rows are taken in blocks whose size depends on `n` alone. Each block sums its gradients of parameters in memory of
/// its own, and the blocks are added up in a fixed binary tree: the error grows with the logarithm of the rows, and
/// the result is the same however the blocks are shared out.
///
/// # Errors
/// See [`NormError`]; nothing has been written then.
///
/// # Safety
/// As for [`forward`], with [`BackwardArgs`].
#[allow(clippy::too_many_arguments, reason = "a backward pass has that many")]
unsafe fn backward<T: Element>(
    spec: &'static Spec,
    select: Select<BackwardArgs<T, ()>>,
    x: View<'_, T>,
    dy: View<'_, T>,
    params: ParamPlaces<'_>,
    saved: &Saved<T::Compute>,
    dx: ViewMut<'_, T>,
    grads: ParamGrads<'_, T::Compute>,
) -> Result<(), NormError> {
    let operands = [
        Operand::new("x", x.data.len(), &x.layout),
        Operand::new("dy", dy.data.len(), &dy.layout),
        Operand::new("dx", dx.data.len(), &dx.layout),
    ];
    let memory = (x.data.as_ptr(), dy.data.as_ptr(), dx.data.as_mut_ptr());
    if !spec.is_over_rows() {
        // SAFETY: the caller's contract; the operands are these three views.
        return unsafe { staged::backward(spec, select, operands, memory, params, saved, grads) };
    }
    let mut walk = Walk::NONE;
    walk.lay_out(spec, &operands, params.len())?;
    // SAFETY: the caller's contract; the operands of the walk are these three views.
    unsafe { backward_walk(spec, select, &walk, memory, params, saved, grads) }
}

/// # Safety
/// As for [`backward`]; `walk` was made for operands at `x`, `dy` and `dx`, the last of which overlaps neither of the others.
unsafe fn backward_walk<T: Element>(
    spec: &'static Spec,
    select: Select<BackwardArgs<T, ()>>,
    walk: &Walk<3>,
    (x, dy, dx): (*const T, *const T, *mut T),
    params: ParamPlaces<'_>,
    saved: &Saved<T::Compute>,
    grads: ParamGrads<'_, T::Compute>,
) -> Result<(), NormError> {
    let n = walk.n;
    check_backward(spec, (n, walk.rows.total), params, saved, &grads)?;
    let kernel = select(n).ok_or_else(|| no_kernel(spec, n))?.at(Level::current()?);
    if n == 0 {
        return Ok(());
    }
    let bytes = (3 * size_of::<T>()).saturating_mul(walk.rows.total * n);
    let stream = streams::<T>(n, bytes);
    // SAFETY: pieces are rows of their own, of `dx`; the call waits for all of them.
    let shared = unsafe { Shared::new((x, dy, dx, params, saved)) };
    let run = |rows: Range<usize>, dweight: *mut T::Compute, dbias: *mut T::Compute| {
        let (x, dy, dx, params, saved) = shared.get();
        walk.rows.for_each_in(rows, &mut |first, rows, offsets| {
            // SAFETY: as in `forward_walk`; `saved` holds all rows; the partial gradients are padded and aligned.
            unsafe {
                kernel(&BackwardArgs {
                    x: x.add(offsets[0]),
                    dy: dy.add(offsets[1]),
                    dx: dx.add(offsets[2]),
                    weight: params.at(0).0,
                    mean: saved.mean().as_ptr().wrapping_add(first),
                    residual: saved.residual().as_ptr().wrapping_add(first),
                    rstd: saved.rstd().as_ptr().add(first),
                    dweight,
                    dbias,
                    rows,
                    x_stride: walk.rows.strides[0],
                    dy_stride: walk.rows.strides[1],
                    dx_stride: walk.rows.strides[2],
                    n,
                    stream,
                });
            }
        });
        cache::fence(stream);
    };
    if spec.affine == Affine::None {
        let pieces = threads::pieces(bytes, walk.rows.total);
        threads::for_each(pieces, &|piece| {
            let null = core::ptr::null_mut();
            run(threads::piece(piece, pieces, walk.rows.total), null, null);
        });
    } else {
        sum_blocks((n, walk.rows.total), bytes, 0, grads, &|rows, dweight, dbias, _| run(rows, dweight, dbias));
    }
    Ok(())
}

/// Checks what a backward pass of `rows` rows of `n` elements takes beside its tensors.
fn check_backward<A: Compute>(
    spec: &'static Spec,
    (n, rows): (usize, usize),
    params: ParamPlaces<'_>,
    saved: &Saved<A>,
    grads: &ParamGrads<'_, A>,
) -> Result<(), NormError> {
    params.check("weight", n)?;
    check_len("dweight", grads.weight.as_deref(), n)?;
    check_len("dbias", grads.bias.as_deref(), n)?;
    check_len("saved", Some(saved.rstd()), rows)?;
    if spec.centred {
        check_len("saved", Some(saved.mean()), rows)?;
    }
    Ok(())
}
