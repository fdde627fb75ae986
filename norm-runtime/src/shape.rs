//! Shapes of a call: what the caller said of its tensors, checked against the description and each other.

use crate::error::NormError;
use crate::spec::{Dim, Role, Spec};
use crate::view::{Layout, MAX_RANK, check_strides};
use core::ops::Range;

/// One tensor of a call, without its memory.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Operand<'a> {
    pub(crate) arg: &'static str,
    pub(crate) len: usize,
    layout: &'a Layout,
}

impl<'a> Operand<'a> {
    #[inline]
    pub(crate) fn new(arg: &'static str, len: usize, layout: &'a Layout) -> Self {
        Operand { arg, len, layout }
    }

    pub(crate) fn is_strided(&self) -> bool {
        matches!(self.layout, Layout::Dims { strides: Some(_), .. } | Layout::Array { .. })
    }

    /// The elements from one index to the next along each axis, for a tensor of these dims.
    fn strides(&self, dims: &[usize]) -> [usize; MAX_RANK] {
        match *self.layout {
            Layout::Dims { strides: Some(strides), .. } => return strides,
            Layout::Array { strides, .. } => return strides.map(isize::cast_unsigned),
            _ => {}
        }
        let mut strides = [1_usize; MAX_RANK];
        for axis in (1..dims.len()).rev() {
            strides[axis - 1] = strides[axis].wrapping_mul(dims[axis]);
        }
        strides
    }
}

/// The strides of operands of these dims.
pub(crate) fn strides<const K: usize>(operands: &[Operand<'_>; K], dims: &[usize]) -> [[usize; MAX_RANK]; K] {
    operands.map(|operand| operand.strides(dims))
}

/// The dims that operands came with, checked against the shape and each other; the first operand that had any is named.
pub(crate) fn given_dims(
    spec: &'static Spec,
    operands: &[Operand<'_>],
) -> Result<Option<(&'static str, [usize; MAX_RANK])>, NormError> {
    let mut given: Option<(&'static str, [usize; MAX_RANK])> = None;
    for operand in operands {
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
    Ok(given)
}

/// Refuses contiguous operands of another length, and strided ones whose axes from `inner` on are not contiguous.
pub(crate) fn check_memory(operands: &[Operand<'_>], total: usize, inner: usize) -> Result<(), NormError> {
    for operand in operands {
        if operand.is_strided() {
            // Where there are no elements no memory is touched, and strides mean nothing.
            if total != 0 {
                check_operand_strides(operand, inner)?;
            }
        } else if operand.len != total {
            return Err(NormError::Length { arg: operand.arg, expected: total, found: operand.len });
        }
    }
    Ok(())
}

/// The number of elements of dims; 0 where one of them is, whatever the others.
pub(crate) fn product(arg: &'static str, dims: &[usize]) -> Result<usize, NormError> {
    if dims.contains(&0) {
        return Ok(0);
    }
    dims.iter().try_fold(1_usize, |product, &dim| product.checked_mul(dim)).ok_or(NormError::TooLarge { arg })
}

/// The product of some of the dims of a tensor, whose product of all is known. Only beside a 0 can it be too large, where it only
/// has to differ from any that is not.
pub(crate) fn partial_product(dims: impl IntoIterator<Item = usize>) -> usize {
    dims.into_iter().fold(1, usize::saturating_mul)
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
        Layout::Dims { rank, .. } | Layout::Array { rank, .. } if rank != expected_rank => {
            return Err(NormError::Rank { arg, expected: expected_rank, found: rank });
        }
        Layout::Dims { dims, .. } | Layout::Array { dims, .. } => dims,
    };
    for (axis, (&admitted, &found)) in spec.shape.iter().zip(&dims).enumerate() {
        check_dim(arg, axis, admitted, found)?;
    }
    Ok(Some(dims))
}

pub(crate) fn check_dim(arg: &'static str, axis: usize, admitted: Dim, found: usize) -> Result<(), NormError> {
    match admitted {
        Dim::Fixed(expected) if expected != found => Err(NormError::Dims { arg, axis, expected, found }),
        Dim::OneOf(family) if !family.contains(&found) => Err(NormError::NotInFamily { arg, family, found }),
        _ => Ok(()),
    }
}

/// Checks that parameters of `len` elements fit the axes that they extend along.
///
/// # Errors
/// If they do not.
pub fn check_param_len(arg: &'static str, spec: &'static Spec, len: usize) -> Result<(), NormError> {
    open_param_dim(arg, spec, len)?;
    match spec.groups {
        Some(groups) if !len.is_multiple_of(groups) => Err(NormError::Groups { arg, groups, channels: len }),
        _ => Ok(()),
    }
}

/// The elements of a weight of these dims, and those along one of its axes.
#[must_use]
pub fn weight_lens(dims: &[usize], axis: usize) -> (usize, usize) {
    (partial_product(dims.iter().copied()), dims[axis])
}

/// Checks dims that are given for a tensor to come.
///
/// # Errors
/// If they contradict the shape, or are too large.
pub fn check_given(arg: &'static str, spec: &'static Spec, dims: &[usize]) -> Result<(), NormError> {
    for (axis, (&admitted, &found)) in spec.shape.iter().zip(dims).enumerate() {
        check_dim(arg, axis, admitted, found)?;
    }
    // A 0 among them does not make the others fit: parameters extend along some of them.
    let dims: [usize; MAX_RANK] = core::array::from_fn(|axis| dims.get(axis).map_or(1, |&dim| dim.max(1)));
    match product(arg, &dims)? {
        // Elements have at most 8 bytes.
        len if len > isize::MAX as usize / 8 => Err(NormError::TooLarge { arg }),
        _ => Ok(()),
    }
}

/// The one open axis that parameters of `len` elements extend along, with its size; `None` if there is none, or several.
pub(crate) fn open_param_dim(
    arg: &'static str,
    spec: &'static Spec,
    len: usize,
) -> Result<Option<(usize, usize)>, NormError> {
    // Elements have at most 8 bytes.
    if len > isize::MAX as usize / 8 {
        return Err(NormError::TooLarge { arg });
    }
    let axes = || spec.dims_of(spec.param_role());
    let fixed: usize = axes().map(|(_, dim)| if let Dim::Fixed(d) = dim { d } else { 1 }).product();
    let mut open = axes().filter(|(_, dim)| !matches!(dim, Dim::Fixed(_)));
    match (open.next(), open.next()) {
        (None, _) if len != fixed => Err(NormError::Length { arg, expected: fixed, found: len }),
        (None, _) => Ok(None),
        _ if !len.is_multiple_of(fixed) => Err(NormError::NotAMultiple { arg, of: fixed, found: len }),
        (Some((axis, dim)), None) => {
            check_dim(arg, axis, dim, len / fixed)?;
            Ok(Some((axis, len / fixed)))
        }
        _ => Ok(None),
    }
}

/// The strides of one operand: inner axes contiguous, nothing overlapping, nothing past the end.
fn check_operand_strides(operand: &Operand<'_>, inner: usize) -> Result<(), NormError> {
    let Operand { arg, len, .. } = *operand;
    match *operand.layout {
        Layout::Dims { rank, dims, strides: Some(strides) } => {
            check_inner_strides(arg, &dims[..rank], &strides[..rank], inner)?;
            check_strides(arg, len, &dims[..rank], &strides[..rank])
        }
        Layout::Array { rank, dims, strides } => check_array_strides(arg, len, &dims[..rank], &strides[..rank], inner),
        _ => Ok(()),
    }
}

/// The axes from `inner` on are contiguous.
fn check_inner_strides(arg: &'static str, dims: &[usize], strides: &[usize], inner: usize) -> Result<(), NormError> {
    let mut expected = 1;
    for axis in (inner..dims.len()).rev() {
        if dims[axis] > 1 && strides[axis] != expected {
            return Err(NormError::Stride { arg, axis, expected, found: strides[axis] });
        }
        expected *= dims[axis];
    }
    Ok(())
}

/// As [`check_operand_strides`], of an array: one that is reversed, or broadcast, has no smallest stride to go by.
fn check_array_strides(
    arg: &'static str,
    len: usize,
    dims: &[usize],
    strides: &[isize],
    inner: usize,
) -> Result<(), NormError> {
    let magnitudes: [usize; MAX_RANK] = core::array::from_fn(|axis| strides.get(axis).map_or(0, |s| s.unsigned_abs()));
    let magnitudes = &magnitudes[..dims.len()];
    let backward = (0..dims.len()).find(|&axis| dims[axis] > 1 && strides[axis] <= 0);
    let checked = check_inner_strides(arg, dims, magnitudes, inner).and_then(|()| match backward {
        Some(axis) => Err(NormError::Stride { arg, axis, expected: dims[axis + 1..].iter().product(), found: 0 }),
        None => check_strides(arg, len, dims, magnitudes),
    });
    checked.map_err(|error| match error {
        NormError::Stride { arg, axis, expected, .. } => {
            NormError::ArrayStride { arg, axis, expected, found: strides[axis] }
        }
        other => other,
    })
}

/// The steps along a set of axes, for `K` operands at once: neighbouring axes that every operand steps through evenly are
/// one. The innermost is what one call of a kernel covers; the others are counted through.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Steps<const K: usize> {
    /// In all.
    pub(crate) total: usize,
    /// Along the innermost axis.
    run: usize,
    /// For each operand, the elements from one step to the next along the innermost axis.
    pub(crate) strides: [usize; K],
    /// The axes outside of that, outermost first.
    outer: [OuterAxis<K>; MAX_RANK],
    outer_len: usize,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct OuterAxis<const K: usize> {
    size: usize,
    strides: [usize; K],
}

impl<const K: usize> Steps<K> {
    /// No steps.
    pub(crate) const NONE: Self = Steps {
        total: 0,
        run: 0,
        strides: [0; K],
        outer: [OuterAxis { size: 0, strides: [0; K] }; MAX_RANK],
        outer_len: 0,
    };

    /// Makes [`Steps::NONE`] `total` steps, `stride` elements apart in each operand.
    #[inline]
    pub(crate) fn space_evenly(&mut self, total: usize, stride: usize) {
        (self.total, self.run, self.strides) = (total, total, [stride; K]);
    }

    /// Makes [`Steps::NONE`] those along the axes of `dims` that `chosen` says, of operands whose product of all dims is known and that
    /// have these strides.
    pub(crate) fn go_along(
        &mut self,
        strides: &[[usize; MAX_RANK]; K],
        dims: &[usize],
        chosen: &dyn Fn(usize) -> bool,
    ) {
        let axes = (0..dims.len()).filter(|&axis| chosen(axis));
        let total = partial_product(axes.clone().map(|axis| dims[axis]));
        self.space_evenly(total, 0);
        if total == 0 {
            return;
        }
        // From the innermost axis outwards, which is the one that calls of kernels cover.
        let mut axes = axes.rev().filter(|&axis| dims[axis] != 1);
        let at = |axis: usize| core::array::from_fn(|k| strides[k][axis]);
        let Some(innermost) = axes.next() else { return };
        (self.run, self.strides) = (dims[innermost], at(innermost));
        let mut len = 0;
        for axis in axes {
            let next = OuterAxis { size: dims[axis], strides: at(axis) };
            let (size, inner) = match self.outer[..len].last_mut() {
                Some(inner) => (&mut inner.size, &inner.strides),
                None => (&mut self.run, &self.strides),
            };
            if (0..K).all(|k| inner[k].checked_mul(*size) == Some(next.strides[k])) {
                *size = size.saturating_mul(next.size);
            } else {
                self.outer[len] = next;
                len += 1;
            }
        }
        self.outer_len = len;
        self.outer[..len].reverse();
    }

    /// Calls `stretch(first step, steps, offset of the first step in each operand)` for all steps, in order.
    pub(crate) fn for_each(&self, stretch: &mut dyn FnMut(usize, usize, [usize; K])) {
        self.for_each_in(0..self.total, stretch);
    }

    /// As [`Steps::for_each`], for a range of steps.
    #[cfg_attr(not(unoptimized), inline)]
    pub(crate) fn for_each_in(&self, range: Range<usize>, stretch: &mut dyn FnMut(usize, usize, [usize; K])) {
        let mut step = range.start;
        while step < range.end {
            let (steps, offsets) = self.stretch_from(step, range.end);
            stretch(step, steps, offsets);
            step += steps;
        }
    }

    /// How many evenly spaced steps there are from `step` on, none of them past `end`, and where the first is.
    fn stretch_from(&self, step: usize, end: usize) -> (usize, [usize; K]) {
        if self.outer_len == 0 {
            // The usual case, without its divisions.
            return (end - step, self.strides.map(|stride| step * stride));
        }
        let within = step % self.run;
        let mut rest = step / self.run;
        let mut offsets: [usize; K] = core::array::from_fn(|k| within * self.strides[k]);
        for axis in self.outer[..self.outer_len].iter().rev() {
            for (offset, stride) in offsets.iter_mut().zip(axis.strides) {
                *offset += rest % axis.size * stride;
            }
            rest /= axis.size;
        }
        ((self.run - within).min(end - step), offsets)
    }

    /// Where one step is, in each operand.
    pub(crate) fn offsets(&self, step: usize) -> [usize; K] {
        self.stretch_from(step, step + 1).1
    }

    /// Whether every step lies a multiple of `elements` from the first one, in operand `k`.
    pub(crate) fn keeps_aligned(&self, k: usize, elements: usize) -> bool {
        let aligned = |stride: usize| stride.is_multiple_of(elements);
        (self.run <= 1 || aligned(self.strides[k]))
            && self.outer[..self.outer_len].iter().all(|axis| aligned(axis.strides[k]))
    }
}

/// The dims of a call: as given, or from the length of the first operand and of the parameters.
///
/// # Errors
/// If they contradict the shape, or do not follow from the lengths.
pub(crate) fn resolve_dims<const K: usize>(
    spec: &'static Spec,
    operands: &[Operand<'_>; K],
    param: Option<(&'static str, usize)>,
) -> Result<[usize; MAX_RANK], NormError> {
    if let Some((_, dims)) = given_dims(spec, operands)? {
        return Ok(dims);
    }
    let Operand { arg, len, .. } = operands[0];
    let mut dims = [1; MAX_RANK];
    let known = match param {
        Some((arg, len)) => open_param_dim(arg, spec, len)?,
        None => None,
    };
    let mut unknown = None;
    for (axis, dim) in spec.shape.iter().enumerate() {
        match (*dim, known) {
            (Dim::Fixed(n), _) => dims[axis] = n,
            (_, Some((open, n))) if open == axis => dims[axis] = n,
            _ if unknown.is_some() => return Err(NormError::DimsNeeded { arg }),
            _ => unknown = Some(axis),
        }
    }
    let Some(axis) = unknown else { return Ok(dims) };
    let of = product(arg, &dims)?;
    if of == 0 {
        dims[axis] = 0;
    } else if len.is_multiple_of(of) {
        dims[axis] = len / of;
    } else {
        return Err(NormError::NotAMultiple { arg, of, found: len });
    }
    check_dim(arg, axis, spec.shape[axis], dims[axis])?;
    Ok(dims)
}

/// The first of the last axes that are all of one role: what lies contiguous in memory.
pub(crate) fn inner_axis(roles: &[Role]) -> usize {
    let Some(last) = roles.last() else { return 0 };
    roles.len() - roles.iter().rev().take_while(|role| *role == last).count()
}

#[cfg(test)]
pub(crate) mod tests;
