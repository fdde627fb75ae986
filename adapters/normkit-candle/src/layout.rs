//! Candle's layouts as the views of a kernel: axes are merged, or added, until there are as many as the kernel's shape has.

use candle_core::{Layout, Result, bail};
use core::ops::Range;
use normkit::{Dim, Element, Spec, View};

/// One axis of a tensor: its size, and the elements from one index to the next.
type Axis = (usize, usize);

/// The elements of a tensor as the kernel takes them, without a copy.
///
/// # Errors
/// If the axes cannot be merged into those of the kernel's shape.
pub fn view<'a, T: Element>(spec: &Spec, arg: &str, data: &'a [T], layout: &Layout) -> Result<View<'a, T>> {
    let (dims, start) = (layout.dims(), layout.start_offset());
    // Where there are no elements strides mean nothing.
    let is_contiguous = layout.is_contiguous() || layout.shape().elem_count() == 0;
    let contiguous = Layout::contiguous(layout.shape());
    let strides = if is_contiguous { contiguous.stride() } else { layout.stride() };
    let axes = dims.iter().copied().zip(strides.iter().copied()).collect();
    let Some(axes) = fit(spec, axes) else {
        bail!(
            "{}: `{arg}`: expected {} axes, {} found {dims:?} with strides {:?}",
            spec.kind,
            spec.shape.len(),
            "or more that are merged into those,",
            layout.stride(),
        )
    };
    let data = if is_contiguous { &data[start..start + layout.shape().elem_count()] } else { &data[start..] };
    match of_rank(data, &axes, is_contiguous) {
        Some(view) => Ok(view),
        None => bail!("{}: `{arg}`: expected at most 8 axes, found {}", spec.kind, axes.len()),
    }
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
            Some((outer, outer_stride)) if *outer_stride == dim * stride => {
                *outer *= dim;
                *outer_stride = stride;
            }
            _ => merged.push((dim, stride)),
        }
    }
    merged
}

/// Dims and strides as arrays, which views are made from.
fn of_rank<'a, T>(data: &'a [T], axes: &[Axis], is_contiguous: bool) -> Option<View<'a, T>> {
    fn view<'a, T, const D: usize>(data: &'a [T], axes: &[Axis], is_contiguous: bool) -> View<'a, T> {
        let dims: [usize; D] = core::array::from_fn(|axis| axes[axis].0);
        if is_contiguous {
            return (data, dims).into();
        }
        (data, dims, core::array::from_fn::<_, D, _>(|axis| axes[axis].1)).into()
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
    Some(view(data, axes, is_contiguous))
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
        let fit = |spec: &Spec, axes: &[Axis]| fit(spec, axes.to_vec());
        assert_eq!(fit(first.spec(), &[(2, 5), (5, 1)]), Some(vec![(2, 5), (5, 1), (1, 1)]));
        assert_eq!(fit(first.spec(), &[(2, 90), (5, 12), (4, 3), (3, 1)]), Some(vec![(2, 90), (5, 12), (12, 1)]));
        assert_eq!(fit(first.spec(), &[(2, 90), (5, 12), (4, 9), (3, 1)]), None);
        assert_eq!(fit(last.spec(), &[(2, 60), (4, 15), (3, 5), (5, 1)]), Some(vec![(2, 60), (12, 5), (5, 1)]));
        assert_eq!(fit(last.spec(), &[(5, 1)]), None);
    }

    #[test]
    fn fixed_axes_are_themselves() {
        let fixed = normkit::norm!(kind = "rms", shape = [4, 8]);
        assert_eq!(fit(fixed.spec(), vec![(2, 32), (4, 8), (8, 1)]), None);
        assert_eq!(fit(fixed.spec(), vec![(4, 9), (8, 1)]), Some(vec![(4, 9), (8, 1)]));
    }
}
