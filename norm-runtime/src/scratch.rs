//! Memory of the thread's own for partial sums: it grows once and is then reused.

use crate::dtype::Compute;
use crate::param::Param;
use core::cell::Cell;

/// More than are ever in use at once but for work that a waiting thread takes over.
const KEPT: usize = 8;

thread_local! {
    static SCRATCH: Cell<Vec<Param<f64>>> = const { Cell::new(Vec::new()) };
}

/// Elements aligned to 64 bytes, of unspecified finite or non-finite content.
///
/// In nested use the inner one is memory of its own, which is kept as well.
#[derive(Default)]
pub(crate) struct Memory(Option<Param<f64>>);

impl Memory {
    /// `len` elements.
    pub(crate) fn elements<A: Compute>(&mut self, len: usize) -> &mut [A] {
        debug_assert!(self.0.is_none(), "asked for once");
        let memory = self.0.insert(take((len * size_of::<A>()).div_ceil(size_of::<f64>())));
        // SAFETY: the memory holds at least `len * size_of::<A>()` bytes, is aligned to 64, initialized, and valid as floats of either
        // size; what is borrowed of it is borrowed of `self`.
        unsafe { core::slice::from_raw_parts_mut(memory.as_mut_ptr().cast::<A>(), len) }
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        if let Some(memory) = self.0.take() {
            keep(memory);
        }
    }
}

/// At least so many elements of what is kept, or new ones. (At the thread's end there may be no such memory any more.)
fn take(len: usize) -> Param<f64> {
    let kept = SCRATCH.try_with(|scratch| {
        let mut all = scratch.take();
        let last = all.pop();
        scratch.set(all);
        last
    });
    kept.ok().flatten().filter(|memory| memory.len() >= len).unwrap_or_else(|| Param::filled(0.0, len))
}

fn keep(memory: Param<f64>) {
    let _ = SCRATCH.try_with(|scratch| {
        let mut all = scratch.take();
        if all.len() < KEPT {
            all.push(memory);
        }
        scratch.set(all);
    });
}

/// How far apart, in bytes, arrays are that loops go through together: a load from what was stored at the same place of another page
/// shortly before waits for the store, as processors compare the lower twelve bits of addresses first. Sums over columns took 1.2
/// to 4 times as long where the array that a loop loads from started less than this before the one that it stores to.
const PAGE: usize = 4096;

/// Bytes that an array of so many elements needs at any place of a page.
pub(crate) const fn room<U>(len: usize) -> usize {
    (len * size_of::<U>()).next_multiple_of(64) + PAGE
}

/// The next `len` elements of `memory` that start at byte `place` of a page, a multiple of 64.
pub(crate) fn carve<'a, A: Compute, U: Copy>(memory: &mut &'a mut [A], place: usize, len: usize) -> &'a mut [U] {
    const { assert!(size_of::<U>() <= 8) };
    assert!(place.is_multiple_of(64));
    let size = size_of::<A>();
    let skip = (place.wrapping_sub(memory.as_ptr().addr()) & (PAGE - 1)) / size;
    let words = (len * size_of::<U>()).next_multiple_of(64) / size;
    let (_, rest) = core::mem::take(memory).split_at_mut(skip);
    let (part, rest) = rest.split_at_mut(words);
    *memory = rest;
    // SAFETY: `part` holds at least `len` elements' bytes, initialized and exclusively borrowed for 'a; its start is a multiple of
    // 64, as `place` is, and every U used here (f32, f64, u8) is valid for any bits.
    unsafe { core::slice::from_raw_parts_mut(part.as_mut_ptr().cast::<U>(), len) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grows_and_nests() {
        let mut memory = Memory::default();
        let a: &mut [f32] = memory.elements(10);
        a.fill(1.0);
        Memory::default().elements::<f64>(1000).fill(2.0);
        assert!(a.iter().all(|&v| v == 1.0));
        drop(memory);
        assert_eq!(Memory::default().elements::<f32>(10_000).len(), 10_000);
    }

    #[test]
    fn arrays_start_at_their_places() {
        let places = [640, 64, 0, 3520, 640];
        for len in [0, 1, 15, 16, 1000, 1024] {
            let mut memory = Memory::default();
            let mut memory: &mut [f64] = memory.elements(places.len() * room::<f64>(len) / size_of::<f64>());
            let bounds = memory.as_ptr_range();
            let (start, end) = (bounds.start.addr(), bounds.end.addr());
            let mut last = start;
            for place in places {
                let array: &mut [f32] = carve(&mut memory, place, len);
                assert_eq!((array.as_ptr().addr() % 4096, array.len()), (place, len));
                assert!(array.as_ptr().addr() >= last && array.as_ptr_range().end.addr() <= end);
                last = array.as_ptr_range().end.addr();
                array.fill(1.0);
            }
        }
    }
}
