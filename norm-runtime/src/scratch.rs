//! Memory of the thread's own for partial sums: it grows once and is then reused.

use crate::dtype::Compute;
use crate::param::Param;
use core::cell::Cell;

/// More than are ever in use at once but for work that a waiting thread takes over.
const KEPT: usize = 8;

thread_local! {
    static SCRATCH: Cell<Vec<Param<f64>>> = const { Cell::new(Vec::new()) };
}

/// Calls `work` with `len` elements, aligned to 64 bytes, of unspecified finite or non-finite content.
///
/// In nested use the inner call has memory of its own, which is kept as well.
pub(crate) fn with<A: Compute, R>(len: usize, work: impl FnOnce(&mut [A]) -> R) -> R {
    let needed = (len * size_of::<A>()).div_ceil(size_of::<f64>());
    // At the thread's end there may be no such memory any more.
    let kept = SCRATCH.try_with(|scratch| {
        let mut all = scratch.take();
        let last = all.pop();
        scratch.set(all);
        last
    });
    let kept = kept.ok().flatten();
    let mut memory = kept.filter(|m| m.len() >= needed).unwrap_or_else(|| Param::filled(0.0, needed));
    let start = memory.as_mut_ptr().cast::<A>();
    // SAFETY: the memory holds at least `needed * 8 >= len * size_of::<A>()` bytes, is aligned to 64, initialized, valid
    // as floats of either size, and borrowed by nobody else while this owns `memory`.
    let result = work(unsafe { core::slice::from_raw_parts_mut(start, len) });
    let _ = SCRATCH.try_with(|scratch| {
        let mut all = scratch.take();
        if all.len() < KEPT {
            all.push(memory);
        }
        scratch.set(all);
    });
    result
}

#[cfg(test)]
mod tests {
    #[test]
    fn grows_and_nests() {
        super::with::<f32, _>(10, |a| {
            a.fill(1.0);
            super::with::<f64, _>(1000, |b| b.fill(2.0));
            assert!(a.iter().all(|&v| v == 1.0));
        });
        super::with::<f32, _>(10_000, |a| assert_eq!(a.len(), 10_000));
    }
}
