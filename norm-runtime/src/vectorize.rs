//! Loops over slices, compiled for each level.
//!
//! For what is not worth a kernel, and too much for the instructions that every machine has: statistics of many columns, in f64. The
//! compiler makes vectors of such loops, of as many lanes as it may. No operation is fused or put in another order, so results are the same
//! bits at every level.

use crate::level::Level;

/// Runs `work` with the instructions of the current level, if it is an `#[inline(always)]` closure: others are compiled without them.
#[inline]
pub(crate) fn vectorize<R>(work: impl FnOnce() -> R) -> R {
    #[cfg(target_arch = "x86_64")]
    {
        #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,f16c")]
        fn avx512<R>(work: impl FnOnce() -> R) -> R {
            work()
        }
        #[target_feature(enable = "avx2,fma,f16c")]
        fn avx2<R>(work: impl FnOnce() -> R) -> R {
            work()
        }
        match Level::current() {
            // SAFETY: a level is only ever current on a machine that has its instructions.
            Ok(Level::Avx512) => return unsafe { avx512(work) },
            // SAFETY: as above.
            Ok(Level::Avx2) => return unsafe { avx2(work) },
            _ => {}
        }
    }
    work()
}
