//! Tensors of the caller's, as kernels take them.

use crate::error::NormError;
use crate::shape::{Operand, check_memory, given_dims};
use crate::spec::Spec;
use core::fmt;
use core::marker::PhantomData;
use core::mem::MaybeUninit;

/// The most axes that dims and strides may have.
pub const MAX_RANK: usize = 8;

/// How the elements of a view lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layout {
    /// A bare slice: row after row, the dims told by its length.
    Flat,
    /// A slice of arrays: contiguous rows of `n`.
    Arrays { n: usize },
    /// Dims, and strides where they are not those of contiguous elements.
    Dims { rank: usize, dims: [usize; MAX_RANK], strides: Option<[usize; MAX_RANK]> },
    /// Dims and strides of an array that is not contiguous. It is made before anyone knows which strides its argument may have,
    /// so strides may be negative here, and are refused when a call checks them.
    #[cfg_attr(not(feature = "ndarray"), allow(dead_code, reason = "made of arrays of `ndarray` alone"))]
    Array { rank: usize, dims: [usize; MAX_RANK], strides: [isize; MAX_RANK] },
    /// More than [`MAX_RANK`] axes.
    TooManyAxes { rank: usize },
}

impl Layout {
    fn new<const D: usize>(dims: [usize; D], strides: Option<[usize; D]>) -> Self {
        fn widen<const D: usize>(a: [usize; D]) -> [usize; MAX_RANK] {
            let mut wide = [0; MAX_RANK];
            wide[..D].copy_from_slice(&a);
            wide
        }
        if D > MAX_RANK {
            return Layout::TooManyAxes { rank: D };
        }
        Layout::Dims { rank: D, dims: widen(dims), strides: strides.map(widen) }
    }
}

/// Elements to be read, with what the caller said of their shape.
///
/// From a slice, an array, a `Vec`, a slice of arrays (`&[[T; N]]`), `(slice, [dims])`, or, where rows do not follow each
/// other directly, `(slice, [dims], [strides])` with strides counted in elements; with the feature `ndarray`, from its arrays
/// as well. The normalized axes must be
/// contiguous; the others may be strided, as a head's slice of a fused QKV buffer is:
///
/// ```
/// # use norm_runtime::View;
/// let (tokens, heads, head_dim) = (10, 4, 64);
/// let qkv = vec![0.0_f32; tokens * 3 * heads * head_dim];
/// let k = &qkv[heads * head_dim..];
/// let view = View::from((k, [tokens, heads, head_dim], [3 * heads * head_dim, head_dim, 1]));
/// ```
pub struct View<'a, T> {
    pub(crate) data: Memory<*const T>,
    pub(crate) layout: Layout,
    pub(crate) lifetime: PhantomData<&'a [T]>,
}

/// Elements to be written; as [`View`].
pub struct ViewMut<'a, T> {
    pub(crate) data: Memory<*mut T>,
    pub(crate) layout: Layout,
    pub(crate) lifetime: PhantomData<&'a mut [T]>,
}

/// Where the elements of a view are: from the first that dims and strides reach to the last.
///
/// No slice, as what lies between strided rows may be another's to write: two heads of one array, say, that
/// `multi_slice_mut` gave out.
#[derive(Clone, Copy)]
pub(crate) struct Memory<P> {
    start: P,
    len: usize,
}

impl<P> Memory<P> {
    #[cfg_attr(not(unoptimized), inline)]
    pub(crate) fn new(start: P, len: usize) -> Self {
        Memory { start, len }
    }

    #[cfg_attr(not(unoptimized), inline)]
    pub(crate) fn len(&self) -> usize {
        self.len
    }
}

impl<T> Memory<*const T> {
    #[cfg_attr(not(unoptimized), inline)]
    pub(crate) fn as_ptr(&self) -> *const T {
        self.start
    }
}

impl<T> Memory<*mut T> {
    #[cfg_attr(not(unoptimized), inline)]
    pub(crate) fn as_mut_ptr(&self) -> *mut T {
        self.start
    }
}

impl<'a, T> View<'a, T> {
    /// The elements of a slice.
    #[cfg_attr(not(unoptimized), inline)]
    fn of(data: &'a [T], layout: Layout) -> Self {
        View { data: Memory::new(data.as_ptr(), data.len()), layout, lifetime: PhantomData }
    }
}

impl<'a, T> ViewMut<'a, T> {
    /// The elements of a slice.
    #[cfg_attr(not(unoptimized), inline)]
    fn of(data: &'a mut [T], layout: Layout) -> Self {
        ViewMut { data: Memory::new(data.as_mut_ptr(), data.len()), layout, lifetime: PhantomData }
    }
}

// SAFETY: a `View` is a reference to its elements, like the slice or the array that it was made from.
unsafe impl<T: Sync> Send for View<'_, T> {}
// SAFETY: as above.
unsafe impl<T: Sync> Sync for View<'_, T> {}
// SAFETY: a `ViewMut` is a unique reference to its elements, like the slice or the array that it was made from.
unsafe impl<T: Send> Send for ViewMut<'_, T> {}
// SAFETY: as above; shared, it gives out no elements.
unsafe impl<T: Sync> Sync for ViewMut<'_, T> {}

impl<T> Clone for View<'_, T> {
    #[cfg_attr(not(unoptimized), inline)]
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for View<'_, T> {}

impl<T> fmt::Debug for View<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("View").field("len", &self.data.len).field("layout", &self.layout).finish()
    }
}

impl<T> fmt::Debug for ViewMut<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ViewMut").field("len", &self.data.len).field("layout", &self.layout).finish()
    }
}

/// The conversions of `View` and `ViewMut`, which differ only in the references.
macro_rules! conversions {
    ($view:ident $(, $mutable:tt)?) => {
        impl<'a, T> From<&'a $($mutable)? [T]> for $view<'a, T> {
            #[cfg_attr(not(unoptimized), inline)]
            fn from(data: &'a $($mutable)? [T]) -> Self {
                $view::of(data, Layout::Flat)
            }
        }
        impl<'a, T, const N: usize> From<&'a $($mutable)? [T; N]> for $view<'a, T> {
            #[cfg_attr(not(unoptimized), inline)]
            fn from(data: &'a $($mutable)? [T; N]) -> Self {
                $view::of(data, Layout::Flat)
            }
        }
        impl<'a, T> From<&'a $($mutable)? Vec<T>> for $view<'a, T> {
            #[cfg_attr(not(unoptimized), inline)]
            fn from(data: &'a $($mutable)? Vec<T>) -> Self {
                $view::of(data, Layout::Flat)
            }
        }
        impl<'a, T> From<&'a $($mutable)? Box<[T]>> for $view<'a, T> {
            #[cfg_attr(not(unoptimized), inline)]
            fn from(data: &'a $($mutable)? Box<[T]>) -> Self {
                $view::of(data, Layout::Flat)
            }
        }
        impl<'a, T: crate::dtype::Element> From<&'a $($mutable)? crate::param::Param<T>> for $view<'a, T> {
            #[cfg_attr(not(unoptimized), inline)]
            fn from(data: &'a $($mutable)? crate::param::Param<T>) -> Self {
                $view::of(data, Layout::Flat)
            }
        }
        impl<'a, T, const N: usize> From<&'a $($mutable)? [[T; N]]> for $view<'a, T> {
            #[cfg_attr(not(unoptimized), inline)]
            fn from(data: &'a $($mutable)? [[T; N]]) -> Self {
                $view::of(conversions!(@flatten data $($mutable)?), Layout::Arrays { n: N })
            }
        }
        impl<'a, T, const N: usize, const M: usize> From<&'a $($mutable)? [[T; N]; M]> for $view<'a, T> {
            #[cfg_attr(not(unoptimized), inline)]
            fn from(data: &'a $($mutable)? [[T; N]; M]) -> Self {
                $view::of(conversions!(@flatten data $($mutable)?), Layout::Arrays { n: N })
            }
        }
        impl<'a, T, const N: usize> From<&'a $($mutable)? Vec<[T; N]>> for $view<'a, T> {
            #[cfg_attr(not(unoptimized), inline)]
            fn from(data: &'a $($mutable)? Vec<[T; N]>) -> Self {
                $view::of(conversions!(@flatten data $($mutable)?), Layout::Arrays { n: N })
            }
        }
        conversions!(@shaped $view ($($mutable)?) [] [T]);
        conversions!(@shaped $view ($($mutable)?) [] Vec<T>);
        conversions!(@shaped $view ($($mutable)?) [] Box<[T]>);
        conversions!(@shaped $view ($($mutable)?) [const N: usize,] [T; N]);
        conversions!(@shaped $view ($($mutable)?) [] crate::param::Param<T>, crate::dtype::Element);
    };
    (@shaped $view:ident ($($mutable:tt)?) [$($generics:tt)*] $of:ty $(, $bound:path)?) => {
        impl<'a, T $(: $bound)?, $($generics)* const D: usize> From<(&'a $($mutable)? $of, [usize; D])> for $view<'a, T> {
            #[cfg_attr(not(unoptimized), inline)]
            fn from((data, dims): (&'a $($mutable)? $of, [usize; D])) -> Self {
                $view::of(data, Layout::new(dims, None))
            }
        }
        impl<'a, T $(: $bound)?, $($generics)* const D: usize> From<(&'a $($mutable)? $of, [usize; D], [usize; D])>
            for $view<'a, T>
        {
            #[cfg_attr(not(unoptimized), inline)]
            fn from((data, dims, strides): (&'a $($mutable)? $of, [usize; D], [usize; D])) -> Self {
                $view::of(data, Layout::new(dims, Some(strides)))
            }
        }
    };
    (@flatten $data:ident mut) => { $data.as_flattened_mut() };
    (@flatten $data:ident) => { $data.as_flattened() };
}

conversions!(View);
conversions!(ViewMut, mut);

impl<'a, T> From<ViewMut<'a, T>> for View<'a, T> {
    #[cfg_attr(not(unoptimized), inline)]
    fn from(view: ViewMut<'a, T>) -> Self {
        let Memory { start, len } = view.data;
        View { data: Memory::new(start.cast_const(), len), layout: view.layout, lifetime: PhantomData }
    }
}

impl<T> ViewMut<'_, T> {
    /// The same memory for a shorter while.
    #[cfg_attr(not(unoptimized), inline)]
    pub fn reborrow(&mut self) -> ViewMut<'_, T> {
        ViewMut { data: self.data, layout: self.layout, lifetime: PhantomData }
    }
}

impl<'a, T: crate::dtype::Element> ViewMut<'a, T> {
    /// Memory that has been allocated and not yet filled, of as many elements as the call writes. Filling it first would take as long as
    /// normalizing into it.
    ///
    /// A call that returns `Ok` has written every element of what it writes, and has read none of them before.
    ///
    /// # Safety
    /// It is passed as what a call writes (`y` of a forward pass, `dx`), to nothing that reads it, and nothing is read unless that call
    /// has returned `Ok`.
    #[must_use]
    pub unsafe fn unfilled(memory: &'a mut [MaybeUninit<T>]) -> Self {
        let data = Memory::new(memory.as_mut_ptr().cast::<T>(), memory.len());
        ViewMut { data, layout: Layout::Flat, lifetime: PhantomData }
    }
}

/// Copies the elements of a weight of these dims, which have to lie together, to a parameter; `dims` are empty where the shape
/// tells them.
///
/// # Errors
/// If the number of elements, or the dims, are others; nothing is written then.
pub fn copy<T: Copy>(spec: &'static Spec, from: View<'_, T>, dims: &[usize], to: &mut [T]) -> Result<(), NormError> {
    let operand = Operand::new("weight", from.data.len(), &from.layout);
    if let Some((arg, given)) = given_dims(spec, &[operand])?
        && let Some((axis, (&expected, found))) = dims.iter().zip(given).enumerate().find(|(_, (d, g))| **d != *g)
    {
        return Err(NormError::Dims { arg, axis, expected, found });
    }
    check_memory(&[operand], to.len(), 0)?;
    if from.data.len() < to.len() {
        return Err(NormError::Length { arg: "weight", expected: to.len(), found: from.data.len() });
    }
    // SAFETY: the elements lie together, which the strides have been checked for, there are as many, and the view borrows them.
    // `to` is a unique reference, which nothing else overlaps.
    unsafe { core::ptr::copy_nonoverlapping(from.data.as_ptr(), to.as_mut_ptr(), to.len()) };
    Ok(())
}

/// Refuses strides under which two elements would be the same memory, and dims that reach past the buffer.
///
/// Axes are taken from the smallest stride to the largest; each stride must be at least the extent of all the axes
/// below it. That admits every permutation of axes and refuses some exotic interleavings that do not overlap.
pub(crate) fn check_strides(arg: &'static str, len: usize, dims: &[usize], strides: &[usize]) -> Result<(), NormError> {
    if dims.contains(&0) {
        return Ok(());
    }
    let mut order: [usize; MAX_RANK] = core::array::from_fn(|axis| axis);
    let order = &mut order[..dims.len()];
    // Ties (equal strides) go from the last axis to the first, so that the outer one is named at fault.
    order.sort_by_key(|&axis| (strides[axis], core::cmp::Reverse(axis)));
    let mut extent = 1_usize;
    for &axis in order.iter().filter(|&&axis| dims[axis] > 1) {
        if strides[axis] < extent {
            return Err(NormError::Stride { arg, axis, expected: extent, found: strides[axis] });
        }
        extent = (dims[axis] - 1)
            .checked_mul(strides[axis])
            .and_then(|reach| reach.checked_add(extent))
            .ok_or(NormError::TooLarge { arg })?;
    }
    if extent > len {
        return Err(NormError::TooShort { arg, expected: extent, found: len });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strides_that_overlap_are_refused() {
        assert_eq!(check_strides("x", 100, &[4, 8], &[8, 1]), Ok(()));
        assert_eq!(check_strides("x", 29, &[4, 8], &[7, 1]), Err(stride(0, 8, 7)));
        assert_eq!(check_strides("x", 100, &[4, 8], &[0, 1]), Err(stride(0, 1, 0)));
        assert_eq!(check_strides("x", 96, &[2, 3, 8], &[8, 32, 1]), Ok(()));
        assert_eq!(
            check_strides("x", 71, &[2, 3, 8], &[8, 32, 1]),
            Err(NormError::TooShort { arg: "x", expected: 80, found: 71 })
        );
        assert_eq!(check_strides("x", 0, &[0, 8], &[0, 1]), Ok(()));
        assert_eq!(check_strides("x", 8, &[1, 8], &[0, 1]), Ok(()));
        assert_eq!(check_strides("x", 8, &[usize::MAX, 8], &[usize::MAX, 1]), Err(NormError::TooLarge { arg: "x" }));
    }

    fn stride(axis: usize, expected: usize, found: usize) -> NormError {
        NormError::Stride { arg: "x", axis, expected, found }
    }
}
