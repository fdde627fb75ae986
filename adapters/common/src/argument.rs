//! Tensors in memory as the views of a kernel: axes are merged, or added, until there are as many as the kernel's shape has.

use crate::error::Error;
use crate::scalar::{self, Scalar};
use core::ops::Range;
use normkit::{Dim, Spec, Tensor, View};

/// One axis of a tensor: its size, and the elements from one index to the next.
type Axis = (usize, isize);

/// A tensor in memory: elements of a type that is known at run time, and where they lie.
#[derive(Clone, Copy, Debug)]
pub struct Argument<'a> {
    elements: Tensor<'a>,
    dims: &'a [usize],
    strides: Strides<'a>,
    start: usize,
}

/// The elements from one index to the next of each axis, as libraries count them.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs, reason = "named after the types")]
pub enum Strides<'a> {
    Unsigned(&'a [usize]),
    Signed(&'a [isize]),
}

impl<'a> From<&'a [usize]> for Strides<'a> {
    fn from(strides: &'a [usize]) -> Self {
        Strides::Unsigned(strides)
    }
}

impl<'a> From<&'a [isize]> for Strides<'a> {
    fn from(strides: &'a [isize]) -> Self {
        Strides::Signed(strides)
    }
}

impl Strides<'_> {
    /// That of an axis; 0 where it is missing, or beyond all memory.
    fn of(&self, axis: usize) -> isize {
        match self {
            Strides::Unsigned(strides) => strides.get(axis).map_or(0, |&stride| stride.try_into().unwrap_or(0)),
            Strides::Signed(strides) => strides.get(axis).copied().unwrap_or(0),
        }
    }
}

impl<'a> Argument<'a> {
    /// A tensor of these dims, which starts at element `start` of the memory.
    #[must_use]
    pub fn new(elements: Tensor<'a>, dims: &'a [usize], strides: impl Into<Strides<'a>>, start: usize) -> Self {
        Argument { elements, dims, strides: strides.into(), start }
    }

    /// The memory, which tells the type.
    pub(crate) fn elements(&self) -> Tensor<'a> {
        self.elements
    }

    /// How many elements the tensor has, of all that are in the memory.
    pub(crate) fn count(&self) -> usize {
        self.dims.iter().product()
    }

    /// The name of the type of elements, as descriptions of kernels have it.
    pub(crate) fn dtype(&self) -> &'static str {
        scalar::name(self.elements)
    }

    fn axes(&self) -> impl DoubleEndedIterator<Item = Axis> {
        self.dims.iter().enumerate().map(|(axis, dim)| (*dim, self.strides.of(axis)))
    }

    fn strides(&self) -> Vec<isize> {
        self.axes().map(|axis| axis.1).collect()
    }

    /// The axes that a contiguous tensor of these dims has.
    fn contiguous_axes(&self) -> Vec<Axis> {
        let mut axes: Vec<Axis> = self.axes().collect();
        let mut stride = 1_isize;
        for (dim, own) in axes.iter_mut().rev() {
            *own = stride;
            stride = times(*dim, stride).unwrap_or(isize::MAX);
        }
        axes
    }

    fn is_contiguous(&self) -> bool {
        let mut expected = 1_isize;
        let mut follows = |(dim, stride): Axis| {
            let same = dim == 1 || stride == expected;
            expected = times(dim, expected).unwrap_or(isize::MAX);
            same
        };
        // Where there are no elements strides mean nothing.
        self.count() == 0 || self.axes().rev().all(&mut follows)
    }

    /// All elements, in their order; of a tensor that has them like that in memory.
    ///
    /// # Errors
    /// If it has not, or they are of another type, which is told by `None`.
    pub(crate) fn slice<T: Scalar>(&self, spec: &Spec, arg: &'static str) -> Result<Option<&'a [T]>, Error> {
        let Some(elements) = T::of(self.elements) else { return Ok(None) };
        if !self.is_contiguous() {
            let (kind, strides) = (spec.kind, self.strides());
            let message = format!("{kind}: `{arg}`: expected a contiguous tensor, found strides {strides:?}");
            return Err(Error::Place { arg, message });
        }
        let end = self.start.saturating_add(self.count());
        elements.get(self.start..end).map(Some).ok_or_else(|| self.short(spec, arg, end, elements.len()))
    }

    /// The elements as the kernel takes them, without a copy.
    ///
    /// # Errors
    /// If the axes cannot be merged into those of the kernel's shape, or the elements are of another type, which is told by `None`.
    pub(crate) fn view<T: Scalar>(&self, spec: &Spec, arg: &'static str) -> Result<Option<View<'a, T>>, Error> {
        let kind = spec.kind;
        let Some(elements) = T::of(self.elements) else { return Ok(None) };
        let is_contiguous = self.is_contiguous();
        let axes = if self.count() == 0 { self.contiguous_axes() } else { self.axes().collect() };
        let Some(axes) = fit(spec, axes) else {
            let message = format!(
                "{kind}: `{arg}`: expected {} axes, or more that are merged into those, found {:?} with strides {:?}",
                spec.shape.len(),
                self.dims,
                self.strides(),
            );
            return Err(match fit(spec, self.contiguous_axes()) {
                Some(_) => Error::Place { arg, message },
                None => Error::Other(message),
            });
        };
        if is_contiguous {
            let end = self.start.saturating_add(self.count());
            let elements = elements.get(self.start..end).ok_or_else(|| self.short(spec, arg, end, elements.len()))?;
            return of_rank(elements, &axes, None).map(Some).ok_or_else(|| too_many(kind, arg, axes.len()));
        }
        let elements = elements.get(self.start..).ok_or_else(|| self.short(spec, arg, self.start, elements.len()))?;
        let Some(strides) = axes.iter().map(|&(dim, stride)| forward(dim, stride)).collect::<Option<Vec<usize>>>()
        else {
            let strides = self.strides();
            let message = format!("{kind}: `{arg}`: expected strides of at least 0, found {strides:?}");
            return Err(Error::Place { arg, message });
        };
        of_rank(elements, &axes, Some(&strides)).map(Some).ok_or_else(|| too_many(kind, arg, axes.len()))
    }

    fn short(&self, spec: &Spec, arg: &str, expected: usize, found: usize) -> Error {
        Error::Other(format!("{}: `{arg}`: expected {expected} elements in memory, found {found}", spec.kind))
    }
}

fn too_many(kind: &str, arg: &str, found: usize) -> Error {
    Error::Other(format!("{kind}: `{arg}`: expected at most 8 axes, found {found}"))
}

fn times(dim: usize, stride: isize) -> Option<isize> {
    isize::try_from(dim).ok()?.checked_mul(stride)
}

/// A stride that leads on; along axes of one element any does.
fn forward(dim: usize, stride: isize) -> Option<usize> {
    if dim <= 1 { Some(stride.unsigned_abs()) } else { usize::try_from(stride).ok() }
}

/// As many axes as the shape has; `None` if they cannot be merged into as many.
///
/// Only neighbouring axes that one call steps through evenly are merged, and only where the kernel does the same along all of
/// them: rows along the leading ones, the positions of a channel along those of the image.
fn fit(spec: &Spec, axes: Vec<Axis>) -> Option<Vec<Axis>> {
    let rank = spec.shape.len();
    if axes.len() == rank {
        return Some(axes);
    }
    let flexible = flexible(spec);
    let rigid_behind = rank - flexible.end;
    let last = axes.len().checked_sub(rigid_behind).filter(|&last| last >= flexible.start)?;
    let mut fitted = axes[..flexible.start].to_vec();
    let merged = merge(&axes[flexible.start..last]);
    fitted.resize(flexible.start + flexible.len().checked_sub(merged.len())?, (1, 1));
    fitted.extend(merged);
    fitted.extend(&axes[last..]);
    Some(fitted)
}

/// The axes of the shape that may be any number of axes of a tensor.
fn flexible(spec: &Spec) -> Range<usize> {
    let rank = spec.shape.len();
    let range = match spec.channel_axis() {
        None => 0..spec.leading(),
        Some(channel) if channel + 1 == rank => 1.min(channel)..channel,
        Some(channel) => channel + 1..rank,
    };
    let open = spec.shape[range.clone()].iter().all(|dim| *dim == Dim::Any);
    if open { range } else { range.start..range.start }
}

/// As few axes as there can be.
fn merge(axes: &[Axis]) -> Vec<Axis> {
    let mut merged: Vec<Axis> = Vec::new();
    for &(dim, stride) in axes.iter().filter(|(dim, _)| *dim != 1) {
        match merged.last_mut() {
            Some((outer, outer_stride)) if times(dim, stride) == Some(*outer_stride) => {
                *outer *= dim;
                *outer_stride = stride;
            }
            _ => merged.push((dim, stride)),
        }
    }
    merged
}

/// Dims and strides as arrays, which views are made from.
fn of_rank<'a, T>(data: &'a [T], axes: &[Axis], strides: Option<&[usize]>) -> Option<View<'a, T>> {
    fn view<'a, T, const D: usize>(data: &'a [T], axes: &[Axis], strides: Option<&[usize]>) -> View<'a, T> {
        let dims: [usize; D] = core::array::from_fn(|axis| axes[axis].0);
        match strides {
            None => (data, dims).into(),
            Some(strides) => (data, dims, core::array::from_fn::<_, D, _>(|axis| strides[axis])).into(),
        }
    }
    let view = match axes.len() {
        1 => view::<T, 1>,
        2 => view::<T, 2>,
        3 => view::<T, 3>,
        4 => view::<T, 4>,
        5 => view::<T, 5>,
        6 => view::<T, 6>,
        7 => view::<T, 7>,
        8 => view::<T, 8>,
        _ => return None,
    };
    Some(view(data, axes, strides))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_take_any_leading_axes() {
        let kernel = normkit::norm!(kind = "rms", shape = [_, _, 8]);
        let fit = |axes: &[Axis]| fit(kernel.spec(), axes.to_vec());
        assert_eq!(fit(&[(8, 1)]), Some(vec![(1, 1), (1, 1), (8, 1)]));
        assert_eq!(fit(&[(5, 8), (8, 1)]), Some(vec![(1, 1), (5, 8), (8, 1)]));
        assert_eq!(fit(&[(2, 40), (1, 7), (5, 8), (8, 1)]), Some(vec![(1, 1), (10, 8), (8, 1)]));
        // Tokens follow each other evenly across the batch, heads do not.
        assert_eq!(fit(&[(2, 300), (10, 30), (3, 8), (8, 1)]), Some(vec![(20, 30), (3, 8), (8, 1)]));
        assert_eq!(fit(&[(2, 999), (10, 30), (3, 8), (8, 1)]), None);
        assert_eq!(fit(&[]), None);
    }

    #[test]
    fn channels_take_any_axes_of_an_image() {
        let first = normkit::norm!(kind = "batch", shape = [_, _, _]);
        let last = normkit::norm!(kind = "batch", shape = [_, _, _], axis = -1);
        assert_eq!(fit(first.spec(), vec![(2, 5), (5, 1)]), Some(vec![(2, 5), (5, 1), (1, 1)]));
        assert_eq!(fit(first.spec(), vec![(2, 90), (5, 12), (4, 3), (3, 1)]), Some(vec![(2, 90), (5, 12), (12, 1)]));
        assert_eq!(fit(first.spec(), vec![(2, 90), (5, 12), (4, 9), (3, 1)]), None);
        assert_eq!(fit(last.spec(), vec![(2, 60), (4, 15), (3, 5), (5, 1)]), Some(vec![(2, 60), (12, 5), (5, 1)]));
        assert_eq!(fit(last.spec(), vec![(5, 1)]), None);
    }

    #[test]
    fn fixed_axes_are_themselves() {
        let fixed = normkit::norm!(kind = "rms", shape = [4, 8]);
        assert_eq!(fit(fixed.spec(), vec![(2, 32), (4, 8), (8, 1)]), None);
        assert_eq!(fit(fixed.spec(), vec![(4, 9), (8, 1)]), Some(vec![(4, 9), (8, 1)]));
    }

    #[test]
    fn axes_that_lead_back_are_refused_in_words() {
        let kernel = normkit::norm!(kind = "rms", shape = [_, 2]);
        let x = [0_f32; 6];
        let view = |strides: [isize; 2], start| {
            Argument::new(Tensor::F32(&x), &[3, 2], &strides[..], start).view::<f32>(kernel.spec(), "x").map(|_| ())
        };
        assert_eq!(view([2, 1], 0), Ok(()));
        let message = |result: Result<(), Error>| result.unwrap_err().to_string();
        assert_eq!(message(view([-2, 1], 4)), "rms: `x`: expected strides of at least 0, found [-2, 1]");
        assert_eq!(message(view([2, 1], 1)), "rms: `x`: expected 7 elements in memory, found 6");
        assert_eq!(message(view([3, 1], 7)), "rms: `x`: expected 7 elements in memory, found 6");
    }
}
