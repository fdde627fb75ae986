//! Memory for parameters.

use crate::dtype::Element;
use core::fmt;
use core::ops::{Deref, DerefMut};
use core::ptr::NonNull;
use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};

#[cfg(feature = "serde")]
mod serial;

const ALIGN: usize = 64;

/// A parameter: a slice on the heap, aligned to 64 bytes, so that no vector of it straddles two cache lines.
///
/// It derefs to `[T]`.
///
/// ```
/// let mut weight = norm_runtime::Param::filled(1.0_f32, 768);
/// weight[3] = 0.5;
/// assert_eq!(weight.len(), 768);
/// assert_eq!(weight.as_ptr() as usize % 64, 0);
/// ```
pub struct Param<T: Element> {
    data: NonNull<T>,
    len: usize,
}

// SAFETY: a `Param` owns its elements and hands them out by the rules of references, like a boxed slice.
unsafe impl<T: Element> Send for Param<T> {}
// SAFETY: as above; there is no interior mutability.
unsafe impl<T: Element> Sync for Param<T> {}

impl<T: Element> Param<T> {
    /// `len` copies of `value`.
    ///
    /// # Panics
    /// If `len` elements are more than an allocation may hold, as `Vec` does.
    #[must_use]
    pub fn filled(value: T, len: usize) -> Self {
        let data = if len == 0 {
            NonNull::dangling()
        } else {
            let layout = Self::layout(len);
            // SAFETY: `len` is not 0 and elements are not zero-sized, so the layout is not zero-sized.
            let raw = unsafe { alloc(layout) }.cast::<T>();
            let Some(data) = NonNull::new(raw) else { handle_alloc_error(layout) };
            for i in 0..len {
                // SAFETY: `i < len`, within the allocation of `len` elements just made.
                unsafe { data.add(i).write(value) };
            }
            data
        };
        Param { data, len }
    }

    fn layout(len: usize) -> Layout {
        Layout::array::<T>(len).and_then(|layout| layout.align_to(ALIGN)).expect("a parameter fits the address space")
    }
}

impl<T: Element> Drop for Param<T> {
    fn drop(&mut self) {
        if self.len != 0 {
            // SAFETY: a `Param` of `len != 0` elements was allocated by `filled` with this same layout.
            unsafe { dealloc(self.data.as_ptr().cast(), Self::layout(self.len)) };
        }
    }
}

impl<T: Element> Deref for Param<T> {
    type Target = [T];
    #[cfg_attr(not(unoptimized), inline)]
    fn deref(&self) -> &[T] {
        // SAFETY: `data` points to `len` elements that `filled` has written (or dangles with `len == 0`), owned by `self`.
        unsafe { core::slice::from_raw_parts(self.data.as_ptr(), self.len) }
    }
}

impl<T: Element> DerefMut for Param<T> {
    #[cfg_attr(not(unoptimized), inline)]
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: as in `deref`; `&mut self` makes it the only reference.
        unsafe { core::slice::from_raw_parts_mut(self.data.as_ptr(), self.len) }
    }
}

impl<T: Element> From<&[T]> for Param<T> {
    fn from(values: &[T]) -> Self {
        let mut param = Param::filled(T::default(), values.len());
        param.copy_from_slice(values);
        param
    }
}

impl<T: Element> Clone for Param<T> {
    fn clone(&self) -> Self {
        Param::from(&**self)
    }
}

impl<T: Element> fmt::Debug for Param<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: Element> PartialEq for Param<T> {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

/// A type that a layer may keep a parameter in.
pub trait Storage<T: Element> {
    /// `len` copies of `value`; arrays know their length and are made with no other.
    fn filled(value: T, len: usize) -> Self;
    /// The elements.
    fn as_slice(&self) -> &[T];
    /// The elements, to be written.
    fn as_mut_slice(&mut self) -> &mut [T];
}

macro_rules! storage {
    ([$($generics:tt)*] $ty:ty, |$value:ident, $len:ident| $filled:expr) => {
        impl<T: Element, $($generics)*> Storage<T> for $ty {
            #[cfg_attr(not(unoptimized), inline)]
            fn filled($value: T, $len: usize) -> Self {
                $filled
            }
            #[cfg_attr(not(unoptimized), inline)]
            fn as_slice(&self) -> &[T] {
                &self[..]
            }
            #[cfg_attr(not(unoptimized), inline)]
            fn as_mut_slice(&mut self) -> &mut [T] {
                &mut self[..]
            }
        }
    };
}

storage!([const N: usize] [T; N], |value, len| {
    debug_assert_eq!(len, N);
    [value; N]
});
storage!([] Vec<T>, |value, len| vec![value; len]);
storage!([] Param<T>, |value, len| Param::filled(value, len));
// By way of a `Vec`, so that the array never lies on the stack.
storage!([const N: usize] Box<[T; N]>, |value, len| {
    debug_assert_eq!(len, N);
    match <Box<[T; N]>>::try_from(vec![value; N].into_boxed_slice()) {
        Ok(array) => array,
        Err(_) => unreachable!("a slice of N elements is an array of N"),
    }
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_and_filled() {
        assert!(Param::filled(1.0_f64, 0).is_empty());
        let p = Param::filled(2.0_f32, 33);
        assert_eq!(p.iter().sum::<f32>(), 66.0);
        assert_eq!(p.clone(), p);
        assert_eq!(p.as_ptr() as usize % ALIGN, 0);
    }
}
