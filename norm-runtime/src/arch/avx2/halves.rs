//! Half types: eight at a time, in half a register.

use super::f32 as vectors;
use crate::arch::halves;
use core::arch::x86_64::{
    __m128i, __m256, __m256i, _CMP_UNORD_Q, _MM_FROUND_TO_NEAREST_INT, _mm_packus_epi32, _mm256_add_epi32,
    _mm256_and_si256, _mm256_blendv_epi8, _mm256_castps_si256, _mm256_castsi256_ps, _mm256_castsi256_si128,
    _mm256_cmp_ps, _mm256_cvtepu16_epi32, _mm256_cvtph_ps, _mm256_cvtps_ph, _mm256_extracti128_si256, _mm256_or_si256,
    _mm256_set1_epi32, _mm256_slli_epi32, _mm256_srli_epi32,
};

halves!(f16, "avx2,fma,f16c", widen: super::f16_to_f32, narrow: super::f32_to_f16, round: super::round_to_f16);
halves!(bf16, "avx2,fma,f16c", widen: super::bf16_to_f32, narrow: super::f32_to_bf16, round: super::round_to_bf16);

#[cfg_attr(not(unoptimized), inline)]
#[target_feature(enable = "avx2,fma,f16c")]
fn f16_to_f32(half: __m128i) -> __m256 {
    _mm256_cvtph_ps(half)
}

/// To the nearest, ties to even, whatever the mode of the processor; it never flushes subnormals.
#[cfg_attr(not(unoptimized), inline)]
#[target_feature(enable = "avx2,fma,f16c")]
fn f32_to_f16(v: __m256) -> __m128i {
    _mm256_cvtps_ph::<{ _MM_FROUND_TO_NEAREST_INT }>(v)
}

#[cfg_attr(not(unoptimized), inline)]
#[target_feature(enable = "avx2,fma,f16c")]
fn round_to_f16(v: __m256) -> __m256 {
    f16_to_f32(f32_to_f16(v))
}

#[cfg_attr(not(unoptimized), inline)]
#[target_feature(enable = "avx2,fma,f16c")]
fn bf16_to_f32(half: __m128i) -> __m256 {
    _mm256_castsi256_ps(_mm256_slli_epi32::<16>(_mm256_cvtepu16_epi32(half)))
}

/// The bf16 in the upper halves, anything in the lower ones.
#[cfg_attr(not(unoptimized), inline)]
#[target_feature(enable = "avx2,fma,f16c")]
fn rounded_to_bf16(v: __m256) -> __m256i {
    let bits = _mm256_castps_si256(v);
    // Ties go to the even one: just under half of the last place, and one more where that place is odd.
    let odd = _mm256_and_si256(_mm256_srli_epi32::<16>(bits), _mm256_set1_epi32(1));
    let rounded = _mm256_add_epi32(_mm256_add_epi32(bits, _mm256_set1_epi32(0x7fff)), odd);
    // A NaN could be rounded to an infinity; it is made quiet instead.
    let quiet = _mm256_or_si256(bits, _mm256_set1_epi32(0x0040_0000));
    let nan = _mm256_castps_si256(_mm256_cmp_ps::<_CMP_UNORD_Q>(v, v));
    _mm256_blendv_epi8(rounded, quiet, nan)
}

#[cfg_attr(not(unoptimized), inline)]
#[target_feature(enable = "avx2,fma,f16c")]
fn f32_to_bf16(v: __m256) -> __m128i {
    let upper = _mm256_srli_epi32::<16>(rounded_to_bf16(v));
    _mm_packus_epi32(_mm256_castsi256_si128(upper), _mm256_extracti128_si256::<1>(upper))
}

#[cfg_attr(not(unoptimized), inline)]
#[target_feature(enable = "avx2,fma,f16c")]
fn round_to_bf16(v: __m256) -> __m256 {
    _mm256_castsi256_ps(_mm256_and_si256(rounded_to_bf16(v), _mm256_set1_epi32(0xffff_0000_u32 as i32)))
}

/// Vectors of eight 16-bit lanes. As [`crate::arch`] says of `load` and the others.
///
/// There are no masked loads of 16-bit lanes, so a part is put together by powers of two, from its end, and taken apart so.
mod io {
    use core::arch::x86_64::{
        __m128i, __m256, _mm_cvtsi32_si128, _mm_loadl_epi64, _mm_loadu_si32, _mm_loadu_si128, _mm_or_si128,
        _mm_setzero_si128, _mm_slli_si128, _mm_srli_si128, _mm_storel_epi64, _mm_storeu_si16, _mm_storeu_si32,
        _mm_storeu_si128, _mm_stream_si128, _mm256_blendv_ps, _mm256_loadu_ps,
    };

    #[cfg_attr(not(unoptimized), inline)]
    #[target_feature(enable = "avx2,fma,f16c")]
    pub unsafe fn load(p: *const u16) -> __m128i {
        // SAFETY: the caller's contract; the instruction needs no alignment.
        unsafe { _mm_loadu_si128(p.cast()) }
    }

    #[cfg_attr(not(unoptimized), inline)]
    #[target_feature(enable = "avx2,fma,f16c")]
    pub unsafe fn store(p: *mut u16, v: __m128i) {
        // SAFETY: the caller's contract; the instruction needs no alignment.
        unsafe { _mm_storeu_si128(p.cast(), v) }
    }

    #[cfg_attr(not(unoptimized), inline)]
    #[target_feature(enable = "avx2,fma,f16c")]
    pub unsafe fn stream(p: *mut u16, v: __m128i) {
        // SAFETY: the caller's contract.
        unsafe { _mm_stream_si128(p.cast(), v) }
    }

    #[cfg_attr(not(unoptimized), inline)]
    #[target_feature(enable = "avx2,fma,f16c")]
    pub unsafe fn load_part(p: *const u16, count: usize) -> __m128i {
        let mut v = _mm_setzero_si128();
        let mut end = count;
        // SAFETY: the three steps read 1, 2 and 4 elements that end at `end` where `count` has those bits, so `count` in all, from
        // the last to the first.
        unsafe {
            if count & 1 != 0 {
                end -= 1;
                v = _mm_cvtsi32_si128(i32::from(p.add(end).read()));
            }
            if count & 2 != 0 {
                end -= 2;
                v = _mm_or_si128(_mm_slli_si128::<4>(v), _mm_loadu_si32(p.add(end).cast()));
            }
            if count & 4 != 0 {
                end -= 4;
                v = _mm_or_si128(_mm_slli_si128::<8>(v), _mm_loadl_epi64(p.add(end).cast()));
            }
        }
        v
    }

    #[cfg_attr(not(unoptimized), inline)]
    #[target_feature(enable = "avx2,fma,f16c")]
    pub unsafe fn store_part(p: *mut u16, v: __m128i, count: usize) {
        let (mut rest, mut at) = (v, p);
        // SAFETY: the three steps write 4, 2 and 1 elements where `count` has those bits, so `count` in all.
        unsafe {
            if count & 4 != 0 {
                _mm_storel_epi64(at.cast(), rest);
                rest = _mm_srli_si128::<8>(rest);
                at = at.add(4);
            }
            if count & 2 != 0 {
                _mm_storeu_si32(at.cast(), rest);
                rest = _mm_srli_si128::<4>(rest);
                at = at.add(2);
            }
            if count & 1 != 0 {
                _mm_storeu_si16(at.cast(), rest);
            }
        }
    }

    #[cfg_attr(not(unoptimized), inline)]
    #[target_feature(enable = "avx2,fma,f16c")]
    pub unsafe fn blend(v: __m256, count: usize, fill: __m256) -> __m256 {
        static SLIDE: [i32; 16] = [-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0];
        // SAFETY: `count <= 8`, so the eight entries from `8 - count` are within the sixteen.
        let mask = unsafe { _mm256_loadu_ps(SLIDE.as_ptr().add(8 - count).cast()) };
        _mm256_blendv_ps(fill, v, mask)
    }
}
