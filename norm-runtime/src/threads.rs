//! Work shared out among threads: those of the rayon pool that the caller is in, or of the global one.
//!
//! Results do not depend on it: what is shared out are whole rows and sets, and partial sums whose bounds and order of addition
//! follow from the shape alone.

use core::cell::Cell;
use core::ops::Range;
use core::sync::atomic::{AtomicUsize, Ordering};

/// Bytes of tensors from which on it pays to share a call out, whether threads are awake or not, which nothing tells. One that has just
/// ended something else begins within a microsecond; one that sleeps takes 20 to 60, in which one core goes through 2 to 4 MB.
///
/// Two threads in rms normalization were 1.1 to 1.8 times as fast as one at 1 MB where they were awake, and 0.6 times where they slept; at
/// 4 MB 1.6 to 1.9 and 0.7 to 0.9; at 8 MB 1.6 to 2.1 and 1.1 to 1.2; layer normalization's gradient at 8 MB 1.6 to 1.8 and 0.8 to 1.0
/// (`normkit-bench threads`).
const PAYS: usize = 8 << 20;

static LEAST: AtomicUsize = AtomicUsize::new(PAYS);

/// Shares calls out from so many bytes on, or with `None` from where it pays. For tests, as
/// [`Level::force`](crate::Level::force).
pub fn share_from(bytes: Option<usize>) {
    LEAST.store(bytes.unwrap_or(PAYS), Ordering::Relaxed);
}

thread_local! {
    static ALONE: Cell<bool> = const { Cell::new(false) };
}

/// Calls `work`, in which every call of a kernel stays on this thread.
///
/// Without it a call on tensors of eight megabytes or more is shared out among the threads of the rayon pool that it is made in (the
/// global one, where that is none), unless the feature `rayon` is off. Results are the same bit for bit.
///
/// ```
/// use norm_runtime::single_threaded;
///
/// let sum: i32 = single_threaded(|| (1..=3).sum());
/// assert_eq!(sum, 6);
/// ```
pub fn single_threaded<R>(work: impl FnOnce() -> R) -> R {
    /// Also where `work` panics.
    struct Restore(bool);
    impl Drop for Restore {
        fn drop(&mut self) {
            ALONE.set(self.0);
        }
    }
    let _restore = Restore(ALONE.replace(true));
    work()
}

/// In how many pieces a call on so many bytes is to be done, `most` at the most: some for each thread, so that those that started
/// late find some left.
pub(crate) fn pieces(bytes: usize, most: usize) -> usize {
    let least = LEAST.load(Ordering::Relaxed);
    if bytes < least || most < 2 || ALONE.get() {
        return 1;
    }
    match available() {
        1 => 1,
        threads => (4 * threads).min(bytes / (least / 8).max(1)).min(most).max(1),
    }
}

#[cfg(feature = "rayon")]
fn available() -> usize {
    rayon::current_num_threads()
}

#[cfg(not(feature = "rayon"))]
fn available() -> usize {
    1
}

/// Calls `work` for each piece, on any thread and in any order. (One for all closures: copies, with those of rayon that they call, were
/// nine tenths of the compiled library.)
#[cfg_attr(not(unoptimized), inline)]
pub(crate) fn for_each(pieces: usize, work: &(dyn Fn(usize) + Sync)) {
    if pieces == 1 {
        work(0);
    } else {
        halve(0..pieces, work);
    }
}

fn halve(range: Range<usize>, work: &(dyn Fn(usize) + Sync)) {
    match range.len() {
        0 => {}
        1 => work(range.start),
        len => {
            let middle = range.start + len / 2;
            join(|| halve(range.start..middle, work), || halve(middle..range.end, work));
        }
    }
}

#[cfg(feature = "rayon")]
fn join(first: impl FnOnce() + Send, second: impl FnOnce() + Send) {
    rayon::join(first, second);
}

#[cfg(not(feature = "rayon"))]
fn join(first: impl FnOnce(), second: impl FnOnce()) {
    first();
    second();
}

/// Piece `index` of `pieces` of `total`, about equal.
pub(crate) fn piece(index: usize, pieces: usize, total: usize) -> Range<usize> {
    // No product of the two, which might not fit.
    let (each, more) = (total / pieces, total % pieces);
    let start = |index: usize| index * each + index.min(more);
    start(index)..start(index + 1)
}

/// What pieces have in common though it holds pointers.
#[derive(Clone, Copy)]
pub(crate) struct Shared<T>(T);

// SAFETY: only `Shared::new` makes one, whose caller answers for what is done through the pointers.
unsafe impl<T> Sync for Shared<T> {}
// SAFETY: as above.
unsafe impl<T> Send for Shared<T> {}

impl<T: Copy> Shared<T> {
    /// # Safety
    /// What is written through pointers in it by one piece is neither read nor written by another, and what it refers to lives until
    /// all pieces are done.
    pub(crate) unsafe fn new(value: T) -> Self {
        Shared(value)
    }

    /// What it holds. (A method, so that closures capture the whole.)
    pub(crate) fn get(&self) -> T {
        self.0
    }
}

/// One slot of `slots` for each of the pieces.
///
/// # Safety
/// `slots` holds `len` elements for each index that it is called with, and lives as long as 'a; no two calls that overlap in time
/// have the same index.
pub(crate) unsafe fn slot<'a, A>(slots: Shared<*mut A>, index: usize, len: usize) -> &'a mut [A] {
    // SAFETY: the caller's contract.
    unsafe { core::slice::from_raw_parts_mut(slots.get().add(index * len), len) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_cover_everything_once() {
        for (pieces, total) in [(1, 0), (1, 7), (3, 7), (7, 7), (8, 3), (4, 1000)] {
            let all: Vec<usize> = (0..pieces).flat_map(|i| piece(i, pieces, total)).collect();
            assert_eq!(all, (0..total).collect::<Vec<_>>(), "{pieces} of {total}");
        }
    }

    #[test]
    fn each_piece_is_done_once() {
        let done: Vec<AtomicUsize> = (0..100).map(|_| AtomicUsize::new(0)).collect();
        for_each(done.len(), &|i| {
            done[i].fetch_add(1, Ordering::Relaxed);
        });
        assert!(done.iter().all(|count| count.load(Ordering::Relaxed) == 1));
    }

    #[test]
    fn small_and_single_threaded_calls_stay_whole() {
        assert_eq!(pieces(1000, 100), 1);
        assert_eq!(single_threaded(|| pieces(1 << 30, 100)), 1);
        assert_eq!(pieces(1 << 30, 1), 1);
        assert!(std::panic::catch_unwind(|| single_threaded(|| panic!("on purpose"))).is_err());
        assert!(!ALONE.get(), "restored after a panic");
    }

    #[test]
    #[cfg(feature = "rayon")]
    fn large_calls_are_shared_out_in_the_callers_pool() {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(3).build().unwrap();
        assert_eq!(pool.install(|| pieces(1 << 30, 1000)), 12);
        assert_eq!(pool.install(|| pieces(1 << 30, 5)), 5);
        let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        assert_eq!(pool.install(|| pieces(1 << 30, 1000)), 1);
    }
}
