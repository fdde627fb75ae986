//! The sizes of this machine's caches, which decide what is done at once and which stores go past them.

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

/// Whether so many bytes are at hand: within a few times the second-level cache, so that several streams through them cost nothing.
///
/// Four rows of 1024 together are as fast as one after the other up to there (1.1 times as fast within the cache itself, 1.3 where
/// rows are short); at sixteen times its size, half as fast.
pub(crate) fn is_near(bytes: usize) -> bool {
    bytes <= 4 * sizes().l2
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
