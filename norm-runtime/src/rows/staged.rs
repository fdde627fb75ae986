//! Rows that do not lie together: normalized axes with others between them, such as axes 1 and 3 of `[N, C, H, W]`.
//!
//! Each row is gathered into memory of the thread's own, which stays in the caches, goes through the kernel for rows of its
//! length, and is put back. Rows are too short, and their pieces too many, for this to cost more than the kernel itself.

use super::{BackwardArgs, ForwardArgs, ParamGrads, Select, check_backward, check_eps, no_kernel, partial::sum_blocks};
use crate::dtype::Element;
use crate::error::NormError;
use crate::level::Level;
use crate::saved::{Places, Saved};
use crate::scratch::Memory;
use crate::shape::{Operand, Steps, check_memory, inner_axis, partial_product, product, resolve_dims, strides};
use crate::spec::{Role, Spec};
use crate::threads::{self, Shared};
use crate::untyped::ParamPlaces;

/// Where the pieces of rows lie.
struct Pieces<const K: usize> {
    /// From row to row.
    rows: Steps<K>,
    /// From piece to piece.
    pieces: Steps<K>,
    /// Elements of a piece.
    len: usize,
}

impl<const K: usize> Pieces<K> {
    fn new(
        spec: &'static Spec,
        operands: [Operand<'_>; K],
        param: Option<(&'static str, usize)>,
    ) -> Result<Self, NormError> {
        let dims = resolve_dims(spec, &operands, param)?;
        let dims = &dims[..spec.shape.len()];
        let total = product(operands[0].arg, dims)?;
        let inner = inner_axis(spec.roles);
        check_memory(&operands, total, inner)?;
        let all = strides(&operands, dims);
        let len = partial_product(dims[inner..].iter().copied());
        let mut made = Pieces { rows: Steps::NONE, pieces: Steps::NONE, len };
        for (role, steps) in [(Role::Kept, &mut made.rows), (Role::Normalized, &mut made.pieces)] {
            steps.go_along(&all, dims, &|axis| axis < inner && spec.roles[axis] == role);
        }
        // Rows without elements are no rows.
        if total == 0 {
            made.rows = Steps::NONE;
        }
        Ok(made)
    }

    /// Elements of a row.
    fn n(&self) -> usize {
        self.pieces.total.saturating_mul(self.len)
    }

    /// Calls `piece(where it is in operand k, where it is in the gathered row)` for the pieces of a row.
    fn for_each(&self, k: usize, row: usize, piece: &mut dyn FnMut(usize, usize)) {
        let start = self.rows.offsets(row)[k];
        self.pieces.for_each(&mut |first, count, at| {
            for i in 0..count {
                piece(start + at[k] + i * self.pieces.strides[k], (first + i) * self.len);
            }
        });
    }

    /// # Safety
    /// `from` is operand `k`; `to` has room for a row and is not part of it.
    unsafe fn gather<T>(&self, k: usize, row: usize, from: *const T, to: *mut T) {
        // SAFETY: the caller's contract; the pieces are within the operand, as has been checked.
        self.for_each(k, row, &mut |at, i| unsafe {
            core::ptr::copy_nonoverlapping(from.add(at), to.add(i), self.len)
        });
    }

    /// # Safety
    /// As for [`Pieces::gather`], the other way round.
    unsafe fn put_back<T>(&self, k: usize, row: usize, from: *const T, to: *mut T) {
        // SAFETY: the caller's contract; the pieces are within the operand, as has been checked.
        self.for_each(k, row, &mut |at, i| unsafe {
            core::ptr::copy_nonoverlapping(from.add(i), to.add(at), self.len)
        });
    }
}

/// # Safety
/// As for [`super::forward`]; the operands are at `x` and `y`, which are the same or do not overlap.
pub(super) unsafe fn forward<T: Element>(
    spec: &'static Spec,
    select: Select<ForwardArgs<T, ()>>,
    operands: [Operand<'_>; 2],
    (x, y): (*const T, *mut T),
    params: ParamPlaces<'_>,
    eps: T::Compute,
    mut saved: Option<&mut Saved<T::Compute>>,
) -> Result<(), NormError> {
    let pieces = Pieces::new(spec, operands, params.len().map(|len| ("weight", len)))?;
    let (n, rows) = (pieces.n(), pieces.rows.total);
    params.check("weight", n)?;
    check_eps(eps)?;
    let kernel = select(n).ok_or_else(|| no_kernel(spec, n))?.at(Level::current()?);
    if let Some(saved) = saved.as_deref_mut() {
        saved.resize(rows, spec.centred);
    }
    if rows == 0 {
        return Ok(());
    }
    let all = threads::pieces((2 * size_of::<T>()).saturating_mul(n * rows), rows);
    // SAFETY: pieces are rows of their own, of `y` and of the statistics; the call waits for all of them.
    let shared = unsafe { Shared::new((x, y, params, Places::of(saved))) };
    let run = |piece: usize, memory: &mut [T::Compute]| {
        let (x, y, params, saved) = shared.get();
        let buffer = memory.as_mut_ptr().cast::<T>();
        for row in threads::piece(piece, all, rows) {
            let [mean, residual, rstd] = saved.at(row);
            let (weight, bias) = params.at(0);
            // SAFETY: the buffer holds a row, elements being no larger than the type that they are computed in, and is
            // input and output of the kernel, as its contract allows; statistics have room for all rows, parameters `n`
            // elements. The caller answers for the kernel and the operands.
            unsafe {
                pieces.gather(0, row, x, buffer);
                kernel(&ForwardArgs {
                    x: buffer,
                    y: buffer,
                    weight,
                    bias,
                    rows: 1,
                    x_stride: n,
                    y_stride: n,
                    n,
                    eps,
                    together: true,
                    stream: false,
                    mean,
                    residual,
                    rstd,
                });
                pieces.put_back(1, row, buffer, y);
            }
        }
    };
    threads::for_each(all, &|piece| run(piece, Memory::default().elements(n)));
    Ok(())
}

/// # Safety
/// As for [`super::backward`]; the operands are at `x`, `dy` and `dx`.
pub(super) unsafe fn backward<T: Element>(
    spec: &'static Spec,
    select: Select<BackwardArgs<T, ()>>,
    operands: [Operand<'_>; 3],
    (x, dy, dx): (*const T, *const T, *mut T),
    params: ParamPlaces<'_>,
    saved: &Saved<T::Compute>,
    grads: ParamGrads<'_, T::Compute>,
) -> Result<(), NormError> {
    let pieces = Pieces::new(spec, operands, params.len().map(|len| ("weight", len)))?;
    let (n, rows) = (pieces.n(), pieces.rows.total);
    check_backward(spec, (n, rows), params, saved, &grads)?;
    let kernel = select(n).ok_or_else(|| no_kernel(spec, n))?.at(Level::current()?);
    if rows == 0 {
        return Ok(());
    }
    let bytes = (3 * size_of::<T>()).saturating_mul(n * rows);
    // SAFETY: pieces are rows of their own, of `dx`; the call waits for all of them.
    let shared = unsafe { Shared::new((x, dy, dx, params, saved)) };
    sum_blocks((n, rows), bytes, 3 * n, grads, &|rows, dweight, dbias, memory| {
        let (x, dy, dx, params, saved) = shared.get();
        let buffer = memory.as_mut_ptr().cast::<T>();
        for row in rows {
            // SAFETY: the buffer holds three rows, elements being no larger than the type that they are computed in;
            // `saved` holds all rows, parameters `n` elements, and the partial gradients are padded and aligned. The
            // caller answers for the kernel and the operands.
            unsafe {
                let (x_row, dy_row, dx_row) = (buffer, buffer.add(n), buffer.add(2 * n));
                pieces.gather(0, row, x, x_row);
                pieces.gather(1, row, dy, dy_row);
                kernel(&BackwardArgs {
                    x: x_row,
                    dy: dy_row,
                    dx: dx_row,
                    weight: params.at(0).0,
                    mean: saved.mean().as_ptr().wrapping_add(row),
                    residual: saved.residual().as_ptr().wrapping_add(row),
                    rstd: saved.rstd().as_ptr().add(row),
                    dweight,
                    dbias,
                    rows: 1,
                    x_stride: n,
                    dy_stride: n,
                    dx_stride: n,
                    n,
                    stream: false,
                });
                pieces.put_back(2, row, dx_row, dx);
            }
        }
    });
    Ok(())
}
