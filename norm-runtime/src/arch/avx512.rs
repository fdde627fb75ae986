//! AVX-512 with F, BW, VL and DQ.

pub(super) mod halves;

use super::arithmetic;
pub use halves::{bf16, f16};

/// Arithmetic in `f32`, and its elements.
pub mod f32 {
    super::arithmetic! {
        "avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,f16c", f32, __m512, 16,
        zero: _mm512_setzero_ps, splat: _mm512_set1_ps, add: _mm512_add_ps, sub: _mm512_sub_ps, mul: _mm512_mul_ps,
        fma: _mm512_fmadd_ps, fnma: _mm512_fnmadd_ps, load: _mm512_loadu_ps, store: _mm512_storeu_ps, stream: _mm512_stream_ps
    }
    use crate::arch::sse;
    use core::arch::x86_64::{
        __m128, __mmask16, _mm_add_ps, _mm_storeu_ps, _mm256_add_ps, _mm256_castps256_ps128, _mm256_extractf128_ps,
        _mm512_castps512_ps256, _mm512_extractf32x8_ps, _mm512_mask_loadu_ps, _mm512_mask_storeu_ps,
    };

    #[cfg_attr(not(unoptimized), inline)]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,f16c")]
    fn to_128(v: V) -> __m128 {
        let half = _mm256_add_ps(_mm512_castps512_ps256(v), _mm512_extractf32x8_ps::<1>(v));
        _mm_add_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps::<1>(half))
    }

    /// The sum of the lanes.
    #[cfg_attr(not(unoptimized), inline)]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,f16c")]
    pub fn sum(v: V) -> f32 {
        sse::sum_f32(to_128(v))
    }

    /// The sums of four vectors.
    #[cfg_attr(not(unoptimized), inline)]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,f16c")]
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
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,f16c")]
    pub unsafe fn load_part(p: *const f32, count: usize, fill: V) -> V {
        // SAFETY: lanes outside of the mask are not read; those inside are the caller's contract.
        unsafe { _mm512_mask_loadu_ps(fill, ((1_u32 << count) - 1) as __mmask16, p) }
    }

    /// Writes the first `count` lanes.
    ///
    /// # Safety
    /// `p` is valid for writing `count` elements, `count <= LANES`.
    #[cfg_attr(not(unoptimized), inline)]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,f16c")]
    pub unsafe fn store_part(p: *mut f32, v: V, count: usize) {
        // SAFETY: lanes outside of the mask are not written; those inside are the caller's contract.
        unsafe { _mm512_mask_storeu_ps(p, ((1_u32 << count) - 1) as __mmask16, v) }
    }
}

/// Arithmetic in `f64`, and its elements.
pub mod f64 {
    super::arithmetic! {
        "avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,f16c", f64, __m512d, 8,
        zero: _mm512_setzero_pd, splat: _mm512_set1_pd, add: _mm512_add_pd, sub: _mm512_sub_pd, mul: _mm512_mul_pd,
        fma: _mm512_fmadd_pd, fnma: _mm512_fnmadd_pd, load: _mm512_loadu_pd, store: _mm512_storeu_pd, stream: _mm512_stream_pd
    }
    use core::arch::x86_64::{
        __mmask8, _mm256_add_pd, _mm512_castpd512_pd256, _mm512_extractf64x4_pd, _mm512_mask_loadu_pd,
        _mm512_mask_storeu_pd,
    };

    /// The sum of the lanes.
    #[cfg_attr(not(unoptimized), inline)]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,f16c")]
    pub fn sum(v: V) -> f64 {
        crate::arch::avx2::f64::sum(_mm256_add_pd(_mm512_castpd512_pd256(v), _mm512_extractf64x4_pd::<1>(v)))
    }

    /// The sums of four vectors.
    #[cfg_attr(not(unoptimized), inline)]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,f16c")]
    pub fn sum4(a: V, b: V, c: V, d: V) -> [f64; 4] {
        [sum(a), sum(b), sum(c), sum(d)]
    }

    /// Reads the first `count` elements; the other lanes are those of `fill`.
    ///
    /// # Safety
    /// `p` is valid for reading `count` elements, `count <= LANES`.
    #[cfg_attr(not(unoptimized), inline)]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,f16c")]
    pub unsafe fn load_part(p: *const f64, count: usize, fill: V) -> V {
        // SAFETY: lanes outside of the mask are not read; those inside are the caller's contract.
        unsafe { _mm512_mask_loadu_pd(fill, ((1_u32 << count) - 1) as __mmask8, p) }
    }

    /// Writes the first `count` lanes.
    ///
    /// # Safety
    /// `p` is valid for writing `count` elements, `count <= LANES`.
    #[cfg_attr(not(unoptimized), inline)]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,f16c")]
    pub unsafe fn store_part(p: *mut f64, v: V, count: usize) {
        // SAFETY: lanes outside of the mask are not written; those inside are the caller's contract.
        unsafe { _mm512_mask_storeu_pd(p, ((1_u32 << count) - 1) as __mmask8, v) }
    }
}
