//! Which instruction set runs: detected once, cached, forced where wanted.

use crate::error::NormError;
use core::fmt;
use core::sync::atomic::{AtomicU8, Ordering};

/// An instruction set that kernels are generated for.
///
/// The best one that the machine has is picked at run time. [`Level::force`] overrides that for tests, the
/// environment variable `NORMKIT_LEVEL` (`avx512`, `avx2`, `portable`) for users.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Level {
    /// What the program was compiled for: SSE2, NEON, WASM SIMD, or scalar code.
    Portable = 1,
    /// AVX2 with FMA and F16C.
    Avx2 = 2,
    /// AVX-512 with F, BW, VL and DQ.
    Avx512 = 3,
}

const UNKNOWN: u8 = 0;
const REFUSED: u8 = u8::MAX;

static CURRENT: AtomicU8 = AtomicU8::new(UNKNOWN);
static REFUSED_VALUE: std::sync::OnceLock<&'static str> = std::sync::OnceLock::new();

/// All levels, best first.
const ALL: [Level; 3] = [Level::Avx512, Level::Avx2, Level::Portable];

impl Level {
    /// The name as `NORMKIT_LEVEL` takes it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Level::Portable => "portable",
            Level::Avx2 => "avx2",
            Level::Avx512 => "avx512",
        }
    }

    /// Whether this machine has it.
    #[must_use]
    pub fn is_available(self) -> bool {
        match self {
            Level::Portable => true,
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => {
                is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") && is_x86_feature_detected!("f16c")
            }
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => {
                Level::Avx2.is_available()
                    && is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512bw")
                    && is_x86_feature_detected!("avx512vl")
                    && is_x86_feature_detected!("avx512dq")
            }
            #[cfg(not(target_arch = "x86_64"))]
            Level::Avx2 | Level::Avx512 => false,
        }
    }

    /// The levels that this machine has, best first.
    #[must_use]
    pub fn available() -> Vec<Level> {
        ALL.into_iter().filter(|level| level.is_available()).collect()
    }

    /// The level that kernels run at.
    ///
    /// # Errors
    /// [`NormError::Level`] if `NORMKIT_LEVEL` names no level, or one that this machine lacks. The message lists
    /// what there is.
    #[inline]
    pub fn current() -> Result<Level, NormError> {
        match CURRENT.load(Ordering::Relaxed) {
            1 => Ok(Level::Portable),
            2 => Ok(Level::Avx2),
            3 => Ok(Level::Avx512),
            _ => Level::detect(),
        }
    }

    #[cold]
    fn detect() -> Result<Level, NormError> {
        if let Some(requested) = REFUSED_VALUE.get().filter(|_| CURRENT.load(Ordering::Relaxed) == REFUSED) {
            return Err(NormError::Level { requested });
        }
        let requested = std::env::var_os("NORMKIT_LEVEL").map(|value| value.to_string_lossy().into_owned());
        match Level::choose(requested.as_deref()) {
            Some(level) => Ok(Level::settle(level as u8).unwrap_or(level)),
            None => {
                // Leaked once per process: the error is `Copy` and has to name the value.
                let requested = REFUSED_VALUE.get_or_init(|| requested.unwrap_or_default().leak());
                Level::settle(REFUSED).ok_or(NormError::Level { requested })
            }
        }
    }

    /// Keeps what was detected, unless another thread has settled it meanwhile: then that level is it.
    fn settle(code: u8) -> Option<Level> {
        match CURRENT.compare_exchange(UNKNOWN, code, Ordering::Relaxed, Ordering::Relaxed) {
            Err(other) => ALL.into_iter().find(|&level| level as u8 == other),
            Ok(_) => None,
        }
    }

    /// The level for a value of `NORMKIT_LEVEL`; `None` where the value cannot be served. Unset and empty mean the best.
    fn choose(requested: Option<&str>) -> Option<Level> {
        let mut candidates = ALL.into_iter().filter(|level| level.is_available());
        match requested {
            None | Some("") => candidates.next(),
            Some(name) => candidates.find(|level| level.name() == name),
        }
    }

    /// Makes all kernels of this process run at `level`, or, with `None`, at what is detected again.
    ///
    /// For tests and measurements: it takes effect for all threads.
    ///
    /// # Errors
    /// [`NormError::Level`] if this machine lacks the level; nothing changes then.
    pub fn force(level: Option<Level>) -> Result<(), NormError> {
        let code = match level {
            None => UNKNOWN,
            Some(level) if level.is_available() => level as u8,
            Some(level) => return Err(NormError::Level { requested: level.name() }),
        };
        CURRENT.store(code, Ordering::Relaxed);
        Ok(())
    }
}

static CONVERTS_TO_BF16: AtomicU8 = AtomicU8::new(UNKNOWN);

/// Whether kernels at [`Level::Avx512`] use the instructions of AVX512-BF16. They round to the same bits, but
/// kernels add up 32 lanes then, not 16.
#[inline]
#[must_use]
pub fn converts_to_bf16() -> bool {
    match CONVERTS_TO_BF16.load(Ordering::Relaxed) {
        UNKNOWN => detect_bf16(),
        known => known == 1,
    }
}

#[cold]
fn detect_bf16() -> bool {
    #[cfg(target_arch = "x86_64")]
    let found = is_x86_feature_detected!("avx512bf16");
    #[cfg(not(target_arch = "x86_64"))]
    let found = false;
    let code = if found { 1 } else { 2 };
    // Another thread may have said what is to be used meanwhile.
    match CONVERTS_TO_BF16.compare_exchange(UNKNOWN, code, Ordering::Relaxed, Ordering::Relaxed) {
        Err(other) => other == 1,
        Ok(_) => found,
    }
}

/// Keeps kernels from using the instructions of AVX512-BF16, or lets them again where the machine has them. For tests, as
/// [`Level::force`].
pub fn avoid_bf16(avoid: bool) {
    CONVERTS_TO_BF16.store(if avoid { 2 } else { UNKNOWN }, Ordering::Relaxed);
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn portable_is_always_there_and_last() {
        assert_eq!(Level::available().last(), Some(&Level::Portable));
    }

    #[test]
    fn names_are_chosen_and_others_refused() {
        assert_eq!(Level::choose(Some("portable")), Some(Level::Portable));
        assert_eq!(Level::choose(None), Level::available().first().copied());
        assert_eq!(Level::choose(Some("")), Level::choose(None));
        assert_eq!(Level::choose(Some("AVX512")), None);
        assert_eq!(Level::choose(Some("sse9")), None);
    }

    #[test]
    fn a_refusal_lists_what_there_is() {
        let text = NormError::Level { requested: "sse9" }.to_string();
        assert!(text.contains("`sse9`") && text.contains("portable"), "{text}");
    }
}
