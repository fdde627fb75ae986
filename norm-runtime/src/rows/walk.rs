//! How rows lie in memory: what the caller said, checked, and merged into as few stretches as possible.

use crate::error::NormError;
use crate::spec::{Dim, Spec};
use crate::view::{Layout, MAX_RANK, check_strides};
use core::ops::Range;

/// One tensor of a call, without its memory.
#[derive(Clone, Copy, Debug)]
pub(super) struct Operand<'a> {
    arg: &'static str,
    len: usize,
    layout: &'a Layout,
}

impl<'a> Operand<'a> {
    #[inline]
    pub(super) fn new(arg: &'static str, len: usize, layout: &'a Layout) -> Self {
        Operand { arg, len, layout }
    }

    fn is_strided(&self) -> bool {
        matches!(self.layout, Layout::Dims { strides: Some(_), .. })
    }
}

/// Rows of `K` operands in step.
///
/// The innermost axis is what one call of a kernel covers; the others are counted through.
#[derive(Debug, PartialEq)]
pub(super) struct Walk<const K: usize> {
    /// Elements in a row.
    pub(super) n: usize,
    /// Rows in all.
    pub(super) total_rows: usize,
    /// Rows along the innermost axis.
    inner_rows: usize,
    /// For each operand, the elements from one row to the next along the innermost axis.
    pub(super) strides: [usize; K],
    /// The axes outside of that, outermost first.
    outer: [OuterAxis<K>; MAX_RANK],
    outer_len: usize,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct OuterAxis<const K: usize> {
    size: usize,
    strides: [usize; K],
}

impl<const K: usize> Walk<K> {
    /// Checks all operands against the shape and each other. `param_len` is the length of the weight, where there is one.
    pub(super) fn new(
        spec: &'static Spec,
        operands: [Operand<'_>; K],
        param_len: Option<usize>,
    ) -> Result<Self, NormError> {
        let mut given: Option<(&'static str, [usize; MAX_RANK])> = None;
        for operand in &operands {
            let Some(dims) = check_dims(spec, operand)? else { continue };
            match given {
                None => given = Some((operand.arg, dims)),
                Some((_, first)) => {
                    if let Some(axis) = (0..spec.shape.len()).find(|&axis| dims[axis] != first[axis]) {
                        let (expected, found) = (first[axis], dims[axis]);
                        return Err(NormError::Dims { arg: operand.arg, axis, expected, found });
                    }
                }
            }
        }
        let lead = spec.leading;
        let (n, total_rows) = match given {
            Some((arg, dims)) => (product(arg, &dims[lead..spec.shape.len()])?, product(arg, &dims[..lead])?),
            None => from_length(spec, &operands[0], param_len)?,
        };
        // Rows without elements are no rows.
        let total_rows = if n == 0 { 0 } else { total_rows };
        let total = total_rows.checked_mul(n).ok_or(NormError::TooLarge { arg: operands[0].arg })?;
        for operand in &operands {
            if !operand.is_strided() && operand.len != total {
                return Err(NormError::Length { arg: operand.arg, expected: total, found: operand.len });
            }
        }
        let mut walk = Walk {
            n,
            total_rows,
            inner_rows: total_rows,
            strides: [n; K],
            outer: [OuterAxis { size: 0, strides: [0; K] }; MAX_RANK],
            outer_len: 0,
        };
        // Where there are no elements no memory is touched, and strides mean nothing.
        if let Some((_, dims)) = given
            && total != 0
            && operands.iter().any(Operand::is_strided)
        {
            for operand in &operands {
                check_operand_strides(operand, lead)?;
            }
            walk.merge(&dims[..lead], &operands);
        }
        Ok(walk)
    }

    /// Fills in strides and outer axes: neighbouring axes that every operand steps through evenly become one.
    fn merge(&mut self, dims: &[usize], operands: &[Operand<'_>; K]) {
        let mut contiguous = self.n;
        let mut axes: [OuterAxis<K>; MAX_RANK] = self.outer;
        let mut len = 0;
        // From the innermost axis outwards; reversed at the end.
        for axis in (0..dims.len()).rev() {
            let strides = core::array::from_fn(|k| match operands[k].layout {
                Layout::Dims { strides: Some(strides), .. } => strides[axis],
                _ => contiguous,
            });
            contiguous *= dims[axis];
            if dims[axis] == 1 {
                continue;
            }
            let inner: Option<&mut OuterAxis<K>> = axes[..len].last_mut();
            match inner {
                Some(inner) if (0..K).all(|k| inner.strides[k].checked_mul(inner.size) == Some(strides[k])) => {
                    inner.size *= dims[axis];
                }
                _ => {
                    axes[len] = OuterAxis { size: dims[axis], strides };
                    len += 1;
                }
            }
        }
        if len > 0 {
            self.inner_rows = axes[0].size;
            self.strides = axes[0].strides;
            axes[1..len].reverse();
            self.outer_len = len - 1;
            self.outer[..len - 1].copy_from_slice(&axes[1..len]);
        }
    }

    /// Calls `stretch(first row, rows, offset of the first row in each operand)` for all rows, in order.
    pub(super) fn for_each(&self, stretch: impl FnMut(usize, usize, [usize; K])) {
        self.for_each_in(0..self.total_rows, stretch);
    }

    /// As [`Walk::for_each`], for a range of rows.
    pub(super) fn for_each_in(&self, range: Range<usize>, mut stretch: impl FnMut(usize, usize, [usize; K])) {
        if self.outer_len == 0 {
            // The usual case, without its divisions.
            if !range.is_empty() {
                stretch(range.start, range.len(), self.strides.map(|stride| range.start * stride));
            }
            return;
        }
        let mut row = range.start;
        while row < range.end {
            let within = row % self.inner_rows;
            let rows = (self.inner_rows - within).min(range.end - row);
            let mut rest = row / self.inner_rows;
            let mut offsets: [usize; K] = core::array::from_fn(|k| within * self.strides[k]);
            for axis in self.outer[..self.outer_len].iter().rev() {
                for (offset, stride) in offsets.iter_mut().zip(axis.strides) {
                    *offset += rest % axis.size * stride;
                }
                rest /= axis.size;
            }
            stretch(row, rows, offsets);
            row += rows;
        }
    }
}

fn product(arg: &'static str, dims: &[usize]) -> Result<usize, NormError> {
    dims.iter().try_fold(1_usize, |p, &d| p.checked_mul(d)).ok_or(NormError::TooLarge { arg })
}

/// The dims that the operand came with, checked against the shape.
fn check_dims(spec: &'static Spec, operand: &Operand<'_>) -> Result<Option<[usize; MAX_RANK]>, NormError> {
    let arg = operand.arg;
    let expected_rank = spec.shape.len();
    let dims = match *operand.layout {
        Layout::Flat => return Ok(None),
        Layout::TooManyAxes { rank } => return Err(NormError::Rank { arg, expected: expected_rank, found: rank }),
        // Arrays tell the last axis; with a shape of other than two axes they are as good as a bare slice.
        Layout::Arrays { .. } if expected_rank != 2 => return Ok(None),
        Layout::Arrays { n } => {
            let mut dims = [0; MAX_RANK];
            dims[0] = operand.len.checked_div(n).unwrap_or(0);
            dims[1] = n;
            dims
        }
        Layout::Dims { rank, .. } if rank != expected_rank => {
            return Err(NormError::Rank { arg, expected: expected_rank, found: rank });
        }
        Layout::Dims { dims, .. } => dims,
    };
    for (axis, (&admitted, &found)) in spec.shape.iter().zip(&dims).enumerate() {
        check_dim(arg, axis, admitted, found)?;
    }
    Ok(Some(dims))
}

fn check_dim(arg: &'static str, axis: usize, admitted: Dim, found: usize) -> Result<(), NormError> {
    match admitted {
        Dim::Fixed(expected) if expected != found => Err(NormError::Dims { arg, axis, expected, found }),
        Dim::OneOf(family) if !family.contains(&found) => Err(NormError::NotInFamily { arg, family, found }),
        _ => Ok(()),
    }
}

/// The length of a row and the number of rows, from a bare slice and the weight.
fn from_length(spec: &'static Spec, x: &Operand<'_>, param_len: Option<usize>) -> Result<(usize, usize), NormError> {
    let (arg, len) = (x.arg, x.len);
    let n = match spec.normalized_len() {
        Some(n) => n,
        None => open_len(spec, x, param_len)?,
    };
    if n == 0 {
        return if len == 0 { Ok((0, 0)) } else { Err(NormError::Length { arg, expected: 0, found: len }) };
    }
    let leading = &spec.shape[..spec.leading];
    let fixed = leading.iter().try_fold(n, |p, dim| match dim {
        Dim::Fixed(d) => p.checked_mul(*d),
        _ => Some(p),
    });
    let fixed = fixed.ok_or(NormError::TooLarge { arg })?;
    if leading.iter().all(|dim| matches!(dim, Dim::Fixed(_))) && len != fixed {
        return Err(NormError::Length { arg, expected: fixed, found: len });
    }
    if !len.is_multiple_of(fixed) {
        return Err(NormError::NotAMultiple { arg, of: fixed, found: len });
    }
    // The other leading axes are open: `len / fixed` is their product, which tells a family's size if it is the only one.
    let mut open = leading.iter().filter(|dim| !matches!(dim, Dim::Fixed(_)));
    let first = open.next();
    let is_family = |dim: &&Dim| matches!(dim, Dim::OneOf(_));
    match (first, open.next()) {
        (Some(Dim::OneOf(family)), None) if !family.contains(&(len / fixed)) => {
            Err(NormError::NotInFamily { arg, family, found: len / fixed })
        }
        (Some(_), Some(_)) if leading.iter().any(|dim| is_family(&dim)) => Err(NormError::DimsNeeded { arg }),
        _ => Ok((n, len / n)),
    }
}

/// The length of a row whose shape leaves one axis open: the weight's, or what fixed leading axes leave of `x`.
fn open_len(spec: &'static Spec, x: &Operand<'_>, param_len: Option<usize>) -> Result<usize, NormError> {
    let arg = x.arg;
    let open = spec.trailing().iter().filter(|dim| !matches!(dim, Dim::Fixed(_))).count();
    let rows = spec.shape[..spec.leading].iter().try_fold(1_usize, |rows, dim| match dim {
        Dim::Fixed(d) => rows.checked_mul(*d),
        _ => None,
    });
    let len = match (param_len, rows) {
        _ if open != 1 => return Err(NormError::DimsNeeded { arg }),
        (Some(len), _) => len,
        (None, Some(rows)) if x.len.is_multiple_of(rows) => x.len / rows,
        (None, Some(of)) => return Err(NormError::NotAMultiple { arg, of, found: x.len }),
        (None, None) => return Err(NormError::DimsNeeded { arg }),
    };
    check_row_len(if param_len.is_some() { "weight" } else { arg }, spec, len)?;
    Ok(len)
}

/// Checks that parameters of `len` elements fit the normalized axes.
pub(super) fn check_param_len(spec: &'static Spec, len: usize) -> Result<(), NormError> {
    check_row_len("weight", spec, len)
}

fn check_row_len(arg: &'static str, spec: &'static Spec, len: usize) -> Result<(), NormError> {
    // Elements have at most 8 bytes.
    if len > isize::MAX as usize / 8 {
        return Err(NormError::TooLarge { arg });
    }
    let fixed: usize = spec
        .trailing()
        .iter()
        .map(|dim| match dim {
            Dim::Fixed(d) => *d,
            _ => 1,
        })
        .product();
    if !len.is_multiple_of(fixed) {
        return Err(NormError::NotAMultiple { arg, of: fixed, found: len });
    }
    let mut open = spec.trailing().iter().filter(|dim| !matches!(dim, Dim::Fixed(_)));
    match (open.next(), open.next()) {
        (Some(dim), None) => check_dim(arg, spec.leading, *dim, len / fixed),
        _ => Ok(()),
    }
}

/// The strides of one operand: normalized axes contiguous, nothing overlapping, nothing past the end.
fn check_operand_strides(operand: &Operand<'_>, leading: usize) -> Result<(), NormError> {
    let arg = operand.arg;
    let Layout::Dims { rank, dims, strides: Some(strides) } = *operand.layout else { return Ok(()) };
    let mut expected = 1;
    for axis in (leading..rank).rev() {
        if dims[axis] > 1 && strides[axis] != expected {
            return Err(NormError::Stride { arg, axis, expected, found: strides[axis] });
        }
        expected *= dims[axis];
    }
    check_strides(arg, operand.len, &dims[..rank], &strides[..rank])
}

#[cfg(test)]
mod tests;
