//! AVX2 with FMA and F16C.
//!
//! Tails: masked loads cost what full ones do, but masked stores are slow on several cores, so the store of a part is split
//! by powers of two.

mod halves;

use super::arithmetic;
pub use halves::{bf16, f16};

/// Arithmetic in `f32`, and its elements.
pub mod f32 {
    super::arithmetic! {
        "avx2,fma,f16c", f32, __m256, 8,
        zero: _mm256_setzero_ps, splat: _mm256_set1_ps, add: _mm256_add_ps, sub: _mm256_sub_ps, mul: _mm256_mul_ps,
        fma: _mm256_fmadd_ps, fnma: _mm256_fnmadd_ps, load: _mm256_loadu_ps, store: _mm256_storeu_ps, stream: _mm256_stream_ps
    }
    use crate::arch::sse;
    use core::arch::x86_64::{
        __m128, _mm_add_ps, _mm_castps_si128, _mm_movehl_ps, _mm_store_ss, _mm_storel_epi64, _mm_storeu_ps,
        _mm256_blendv_ps, _mm256_castps256_ps128, _mm256_castsi256_ps, _mm256_extractf128_ps, _mm256_loadu_si256,
        _mm256_maskload_ps,
    };

    #[cfg_attr(not(unoptimized), inline)]
    #[target_feature(enable = "avx2,fma,f16c")]
    fn to_128(v: V) -> __m128 {
        _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps::<1>(v))
    }

    /// The sum of the lanes.
    #[cfg_attr(not(unoptimized), inline)]
    #[target_feature(enable = "avx2,fma,f16c")]
    pub fn sum(v: V) -> f32 {
        sse::sum_f32(to_128(v))
    }

    /// The sums of four vectors.
    #[cfg_attr(not(unoptimized), inline)]
    #[target_feature(enable = "avx2,fma,f16c")]
    pub fn sum4(a: V, b: V, c: V, d: V) -> [f32; 4] {
        let sums = sse::sum4_f32(to_128(a), to_128(b), to_128(c), to_128(d));
        let mut out = [0.0; 4];
        // SAFETY: `out` holds the four elements that are written.
        unsafe { _mm_storeu_ps(out.as_mut_ptr(), sums) };
        out
    }

    /// Reads the first `count` elements; the other lanes are those of `fill`.
    ///
    /// # Safety
    /// `p` is valid for reading `count` elements, `count <= LANES`.
    #[cfg_attr(not(unoptimized), inline)]
    #[target_feature(enable = "avx2,fma,f16c")]
    pub unsafe fn load_part(p: *const f32, count: usize, fill: V) -> V {
        static SLIDE: [i32; 16] = [-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0];
        // SAFETY: `count <= 8`, so the eight entries from `8 - count` are within the sixteen; lanes outside of the mask
        // are not read, those inside are the caller's contract.
        unsafe {
            let mask = _mm256_loadu_si256(SLIDE.as_ptr().add(8 - count).cast());
            _mm256_blendv_ps(fill, _mm256_maskload_ps(p, mask), _mm256_castsi256_ps(mask))
        }
    }

    /// Writes the first `count` lanes.
    ///
    /// # Safety
    /// `p` is valid for writing `count` elements, `count < LANES`.
    #[cfg_attr(not(unoptimized), inline)]
    #[target_feature(enable = "avx2,fma,f16c")]
    pub unsafe fn store_part(p: *mut f32, v: V, count: usize) {
        let mut rest = _mm256_castps256_ps128(v);
        let mut at = p;
        // SAFETY: the three steps write 4, 2 and 1 elements where `count` has those bits, so `count` in all.
        unsafe {
            if count & 4 != 0 {
                _mm_storeu_ps(at, rest);
                rest = _mm256_extractf128_ps::<1>(v);
                at = at.add(4);
            }
            if count & 2 != 0 {
                // Not `_mm_store_sd`, which asks for the alignment of an f64.
                _mm_storel_epi64(at.cast(), _mm_castps_si128(rest));
                rest = _mm_movehl_ps(rest, rest);
                at = at.add(2);
            }
            if count & 1 != 0 {
                _mm_store_ss(at, rest);
            }
        }
    }
}

/// Arithmetic in `f64`, and its elements.
pub mod f64 {
    super::arithmetic! {
        "avx2,fma,f16c", f64, __m256d, 4,
        zero: _mm256_setzero_pd, splat: _mm256_set1_pd, add: _mm256_add_pd, sub: _mm256_sub_pd, mul: _mm256_mul_pd,
        fma: _mm256_fmadd_pd, fnma: _mm256_fnmadd_pd, load: _mm256_loadu_pd, store: _mm256_storeu_pd, stream: _mm256_stream_pd
    }
    use core::arch::x86_64::{
        _mm_add_pd, _mm_add_sd, _mm_cvtsd_f64, _mm_store_sd, _mm_storeu_pd, _mm_unpackhi_pd, _mm256_blendv_pd,
        _mm256_castpd256_pd128, _mm256_castsi256_pd, _mm256_extractf128_pd, _mm256_loadu_si256, _mm256_maskload_pd,
    };

    /// The sum of the lanes.
    #[cfg_attr(not(unoptimized), inline)]
    #[target_feature(enable = "avx2,fma,f16c")]
    pub fn sum(v: V) -> f64 {
        let pair = _mm_add_pd(_mm256_castpd256_pd128(v), _mm256_extractf128_pd::<1>(v));
        _mm_cvtsd_f64(_mm_add_sd(pair, _mm_unpackhi_pd(pair, pair)))
    }

    /// The sums of four vectors.
    #[cfg_attr(not(unoptimized), inline)]
    #[target_feature(enable = "avx2,fma,f16c")]
    pub fn sum4(a: V, b: V, c: V, d: V) -> [f64; 4] {
        [sum(a), sum(b), sum(c), sum(d)]
    }

    /// Reads the first `count` elements; the other lanes are those of `fill`.
    ///
    /// # Safety
    /// `p` is valid for reading `count` elements, `count <= LANES`.
    #[cfg_attr(not(unoptimized), inline)]
    #[target_feature(enable = "avx2,fma,f16c")]
    pub unsafe fn load_part(p: *const f64, count: usize, fill: V) -> V {
        static SLIDE: [i64; 8] = [-1, -1, -1, -1, 0, 0, 0, 0];
        // SAFETY: `count <= 4`, so the four entries from `4 - count` are within the eight; lanes outside of the mask are
        // not read, those inside are the caller's contract.
        unsafe {
            let mask = _mm256_loadu_si256(SLIDE.as_ptr().add(4 - count).cast());
            _mm256_blendv_pd(fill, _mm256_maskload_pd(p, mask), _mm256_castsi256_pd(mask))
        }
    }

    /// Writes the first `count` lanes.
    ///
    /// # Safety
    /// `p` is valid for writing `count` elements, `count < LANES`.
    #[cfg_attr(not(unoptimized), inline)]
    #[target_feature(enable = "avx2,fma,f16c")]
    pub unsafe fn store_part(p: *mut f64, v: V, count: usize) {
        let mut rest = _mm256_castpd256_pd128(v);
        let mut at = p;
        // SAFETY: the two steps write 2 and 1 elements where `count` has those bits, so `count` in all.
        unsafe {
            if count & 2 != 0 {
                _mm_storeu_pd(at, rest);
                rest = _mm256_extractf128_pd::<1>(v);
                at = at.add(2);
            }
            if count & 1 != 0 {
                _mm_store_sd(at, rest);
            }
        }
    }
}
