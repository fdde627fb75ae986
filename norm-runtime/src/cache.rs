//! The sizes of this machine's caches, which decide what is done at once and which stores go past them.

use core::sync::atomic::{AtomicBool, Ordering};
use std::sync::OnceLock;

/// Bytes of the caches that one core reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Caches {
    /// The core's own second level.
    pub(crate) l2: usize,
    /// The last level, or what of it one core complex shares.
    pub(crate) last: usize,
}

/// Where the processor does not tell: small enough for any machine of the last ten years.
const UNKNOWN: Caches = Caches { l2: 256 << 10, last: 8 << 20 };

static CACHES: OnceLock<Caches> = OnceLock::new();

/// The sizes, detected once.
pub(crate) fn sizes() -> Caches {
    *CACHES.get_or_init(|| detect().unwrap_or(UNKNOWN))
}

/// From the processor's own description of its caches: leaf 4 of `cpuid` (Intel), leaf 0x8000001d (AMD); both have one
/// subleaf a cache, in the same layout.
#[cfg(all(target_arch = "x86_64", not(miri)))]
#[allow(unused_unsafe, reason = "`__cpuid` is safe on some compilers")]
fn detect() -> Option<Caches> {
    use core::arch::x86_64::{__cpuid, __cpuid_count};
    // SAFETY: every x86_64 processor has `cpuid`; leaves past the largest that it names are not asked for.
    let leaf = unsafe {
        match () {
            () if __cpuid(0x8000_0000).eax >= 0x8000_001d && __cpuid_count(0x8000_001d, 0).eax & 31 != 0 => 0x8000_001d,
            () if __cpuid(0).eax >= 4 => 4,
            () => return None,
        }
    };
    let mut caches = Caches { l2: 0, last: 0 };
    for index in 0..16 {
        // SAFETY: as above.
        let it = unsafe { __cpuid_count(leaf, index) };
        let (kind, level) = (it.eax & 31, it.eax >> 5 & 7);
        if kind == 0 {
            break;
        }
        let part = |low: u32, bits: u32| ((it.ebx >> low & ((1 << bits) - 1)) + 1) as usize;
        let bytes = part(22, 10) * part(12, 10) * part(0, 12) * (it.ecx as usize + 1);
        // Kind 2 holds instructions.
        if kind != 2 {
            if level == 2 {
                caches.l2 = bytes;
            }
            caches.last = caches.last.max(bytes);
        }
    }
    (caches.l2 != 0).then_some(caches)
}

#[cfg(not(all(target_arch = "x86_64", not(miri))))]
fn detect() -> Option<Caches> {
    None
}

/// Whether rows of `n` elements, of tensors of so many bytes in all, are best taken together: where all are within a few times the second-level
/// cache, so that several streams through them cost nothing, or rows are so short that several are one stream.
///
/// Four rows of 1024 together are as fast as one after the other up to there (1.1 times as fast within the cache itself, 1.3 where
/// rows are short); at sixteen times its size, half as fast. Over 8192 rows, eight times its size, together is 1.25 times as fast at 100 and
/// 128 elements in layer normalization, 1.15 in rms, 1.09 and 1.03 at 256.
pub(crate) fn takes_together<T>(bytes: usize, n: usize) -> bool {
    const SHORT: usize = 1024;
    bytes <= 4 * sizes().l2 || n <= SHORT / size_of::<T>()
}

static ASSUMED_FAR: AtomicBool = AtomicBool::new(false);

/// Whether so many bytes exceed all caches, so that stores had better go past them.
pub(crate) fn is_far(bytes: usize) -> bool {
    bytes > sizes().last || ASSUMED_FAR.load(Ordering::Relaxed)
}

/// Makes kernels store past the caches however small tensors are, or as sizes say again. For tests, as
/// [`Level::force`](crate::Level::force).
pub fn assume_far(far: bool) {
    ASSUMED_FAR.store(far, Ordering::Relaxed);
}

/// Orders streaming stores before whatever the caller does next.
pub(crate) fn fence(streamed: bool) {
    #[cfg(target_arch = "x86_64")]
    if streamed {
        // SAFETY: every x86_64 processor has SSE.
        unsafe { core::arch::x86_64::_mm_sfence() };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = streamed;
}

/// How many elements from `p` on come before the first that a vector of `lanes` elements may be streamed to.
#[cfg_attr(not(unoptimized), inline)]
#[must_use]
pub fn to_aligned<T>(p: *const T, lanes: usize) -> usize {
    let bytes = lanes * size_of::<T>();
    (p.addr().wrapping_neg() & (bytes - 1)) / size_of::<T>()
}

/// The ends of rows that are written past the caches, which takes whole vectors alone: where rows follow one another, the end of one waits
/// for the start of the next, and is streamed with it as one vector.
#[derive(Debug)]
#[repr(align(64))]
pub struct Line {
    /// The end of the row before.
    lanes: [u64; 8],
    /// The start and the end of this row.
    parts: [[u64; 8]; 2],
    /// How many bytes of it there are.
    holds: usize,
    /// Whether each row starts where the one before it ends.
    joins: bool,
}

/// An empty one.
#[cfg_attr(not(unoptimized), inline)]
#[must_use]
pub fn line(joins: bool) -> Line {
    Line { lanes: [0; 8], parts: [[0; 8]; 2], holds: 0, joins }
}

/// Where the part of a row goes that starts at its element `i`: room for a vector. (A function, as [`crate::finish::row`] is.)
#[cfg_attr(not(unoptimized), inline)]
#[must_use]
pub fn part_at<T>(line: &mut Line, i: usize) -> *mut T {
    line.parts[usize::from(i > 0)].as_mut_ptr().cast()
}

/// Puts the parts of a row of `n` elements in place, the rest of which has been streamed to `row` in vectors of `lanes`; the end of it
/// waits, if there are `more` rows and they follow one another.
///
/// # Safety
/// The row is longer than a vector, and valid for writing. What comes before its first whole vector is at `part_at(line, 0)`, what comes
/// after its last at `part_at(line, i)` for another `i`; if `line` holds the end of a row, it is that of the row before.
#[cfg_attr(not(unoptimized), inline)]
pub unsafe fn end_row<T>(line: &mut Line, row: *mut T, n: usize, lanes: usize, more: bool) {
    // SAFETY: the caller's contract.
    unsafe { put_parts(line, row.cast(), n * size_of::<T>(), lanes * size_of::<T>(), more) };
}

/// [`end_row`] in bytes, once for all types.
#[cold]
unsafe fn put_parts(line: &mut Line, row: *mut u8, bytes: usize, vector: usize, more: bool) {
    let before = to_aligned(row, vector);
    let after = (bytes - before) % vector;
    let [start, end] = line.parts.each_ref().map(|part| part.as_ptr().cast::<u8>());
    let held = line.lanes.as_mut_ptr().cast::<u8>();
    let waits = line.joins && more;
    // SAFETY: the caller's contract. A part is less than a vector, which is no more than 64 bytes; where a row starts behind the end of one
    // that waits, the two parts are one whole vector that may be streamed to, the memory of which is both rows'.
    unsafe {
        if before > 0 && line.holds > 0 {
            core::ptr::copy_nonoverlapping(start, held.add(vector - before), before);
            stream_bytes(row.sub(vector - before), held, vector);
        } else {
            core::ptr::copy_nonoverlapping(start, row, before);
        }
        core::ptr::copy_nonoverlapping(end, if waits { held } else { row.add(bytes - after) }, after);
    }
    line.holds = if waits { after } else { 0 };
}

/// Writes so many bytes past the caches, where the processor can.
///
/// # Safety
/// `from` and `to` are valid for them, `to` is aligned to 16 bytes, and they are a multiple of 16.
unsafe fn stream_bytes(to: *mut u8, from: *const u8, bytes: usize) {
    for at in (0..bytes).step_by(16) {
        // SAFETY: the caller's contract; every x86_64 processor has SSE2.
        unsafe {
            #[cfg(target_arch = "x86_64")]
            {
                use core::arch::x86_64::{_mm_loadu_si128, _mm_stream_si128};
                _mm_stream_si128(to.add(at).cast(), _mm_loadu_si128(from.add(at).cast()));
            }
            #[cfg(not(target_arch = "x86_64"))]
            core::ptr::copy_nonoverlapping(from.add(at), to.add(at), 16);
        }
    }
}

/// Puts what it holds before `row`, with plain stores: for where the start of the row is written in another way.
///
/// # Safety
/// If it holds the end of a row, that is the row before this one.
#[cfg_attr(not(unoptimized), inline)]
pub unsafe fn put_line<T>(line: &mut Line, row: *mut T) {
    let held = core::mem::take(&mut line.holds);
    // SAFETY: the caller's contract; `line` holds that many bytes.
    unsafe { core::ptr::copy_nonoverlapping(line.lanes.as_ptr().cast::<u8>(), row.cast::<u8>().sub(held), held) };
}

/// Asks so many times for the cache line at `p`, which need not be there.
#[cfg_attr(not(unoptimized), inline)]
pub fn prefetch<const TIMES: usize, T>(p: *const T) {
    #[cfg(target_arch = "x86_64")]
    for _ in 0..TIMES {
        // SAFETY: every x86_64 processor has SSE; the instruction reads nothing and faults at no address.
        unsafe { core::arch::x86_64::_mm_prefetch::<{ core::arch::x86_64::_MM_HINT_T1 }>(p.cast()) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = p;
}

#[cfg(test)]
mod tests {
    #[test]
    fn sizes_are_plausible() {
        let caches = super::sizes();
        println!("{caches:?}");
        assert!((64 << 10..=64 << 20).contains(&caches.l2) && caches.last >= caches.l2);
    }
}
