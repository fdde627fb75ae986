//! Views of the arrays of the crate `ndarray`.
//!
//! What a call may have strided is known only where it is checked, against its shape. So a conversion keeps dims and strides as they
//! are, whatever they are, and never fails or copies.

use crate::view::{Layout, MAX_RANK, Memory, View, ViewMut};
use core::marker::PhantomData;
use ndarray::{ArrayBase, ArrayRef, ArrayView, ArrayViewMut, Data, DataMut, Dimension};

/// How the elements of an array lie, and how many there are from the first to the last.
fn layout<T, D: Dimension>(array: &ArrayRef<T, D>) -> (Layout, usize) {
    let (shape, steps) = (array.shape(), array.strides());
    let rank = shape.len();
    if rank > MAX_RANK {
        return (Layout::TooManyAxes { rank }, 0);
    }
    let mut dims = [0; MAX_RANK];
    dims[..rank].copy_from_slice(shape);
    if array.is_standard_layout() {
        let layout = if rank == 1 { Layout::Flat } else { Layout::Dims { rank, dims, strides: None } };
        return (layout, array.len());
    }
    let mut strides = [0; MAX_RANK];
    strides[..rank].copy_from_slice(steps);
    // Arrays without elements are of standard layout. One that is reversed begins at its last element, and is refused.
    let reversed = shape.iter().zip(steps).any(|(&dim, &step)| dim > 1 && step < 0);
    let reach: usize = shape.iter().zip(steps).map(|(&dim, &step)| (dim - 1) * step.unsigned_abs()).sum();
    (Layout::Array { rank, dims, strides }, if reversed { 0 } else { reach + 1 })
}

impl<'a, T, D: Dimension> From<&'a ArrayRef<T, D>> for View<'a, T> {
    fn from(array: &'a ArrayRef<T, D>) -> Self {
        let (layout, len) = layout(array);
        View { data: Memory::new(array.as_ptr(), len), layout, lifetime: PhantomData }
    }
}

impl<'a, T, D: Dimension> From<&'a mut ArrayRef<T, D>> for ViewMut<'a, T> {
    fn from(array: &'a mut ArrayRef<T, D>) -> Self {
        let (layout, len) = layout(array);
        ViewMut { data: Memory::new(array.as_mut_ptr(), len), layout, lifetime: PhantomData }
    }
}

impl<'a, T, S: Data<Elem = T>, D: Dimension> From<&'a ArrayBase<S, D>> for View<'a, T> {
    fn from(array: &'a ArrayBase<S, D>) -> Self {
        View::from(&**array)
    }
}

impl<'a, T, S: DataMut<Elem = T>, D: Dimension> From<&'a mut ArrayBase<S, D>> for ViewMut<'a, T> {
    fn from(array: &'a mut ArrayBase<S, D>) -> Self {
        ViewMut::from(&mut **array)
    }
}

impl<'a, T, D: Dimension> From<ArrayView<'a, T, D>> for View<'a, T> {
    fn from(array: ArrayView<'a, T, D>) -> Self {
        let View { data, layout, .. } = View::from(&array);
        // The elements are borrowed for `'a`, whatever becomes of the array view.
        View { data, layout, lifetime: PhantomData }
    }
}

impl<'a, T, D: Dimension> From<ArrayViewMut<'a, T, D>> for ViewMut<'a, T> {
    fn from(mut array: ArrayViewMut<'a, T, D>) -> Self {
        let ViewMut { data, layout, .. } = ViewMut::from(&mut array);
        // The elements are borrowed for `'a`, which ends with no drop of the array view.
        ViewMut { data, layout, lifetime: PhantomData }
    }
}

impl<'a, T, D: Dimension> From<ArrayViewMut<'a, T, D>> for View<'a, T> {
    fn from(array: ArrayViewMut<'a, T, D>) -> Self {
        View::from(ViewMut::from(array))
    }
}
