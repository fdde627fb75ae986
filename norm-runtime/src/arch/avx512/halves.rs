//! Half types: sixteen at a time, in half a register.

use super::f32 as vectors;
use crate::arch::halves;
use core::arch::x86_64::{
    __m256i, __m512, __m512i, _MM_FROUND_NO_EXC, _MM_FROUND_TO_NEAREST_INT, _mm512_add_epi32, _mm512_and_si512,
    _mm512_castps_si512, _mm512_castsi256_si512, _mm512_castsi512_ps, _mm512_castsi512_si256, _mm512_cvtph_ps,
    _mm512_cvtps_ph, _mm512_fixupimm_ps, _mm512_maskz_permutexvar_epi16, _mm512_permutexvar_epi16, _mm512_set_epi16,
    _mm512_set1_epi32, _mm512_srli_epi32,
};

halves!(f16, "avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,f16c", widen: super::f16_to_f32, narrow: super::f32_to_f16, round: super::round_to_f16);
halves!(bf16, "avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,f16c", widen: super::bf16_to_f32, narrow: super::f32_to_bf16, round: super::round_to_bf16);

#[cfg_attr(not(unoptimized), inline)]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,f16c")]
fn f16_to_f32(half: __m256i) -> __m512 {
    _mm512_cvtph_ps(half)
}

/// To the nearest, ties to even, whatever the mode of the processor; it never flushes subnormals.
#[cfg_attr(not(unoptimized), inline)]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,f16c")]
fn f32_to_f16(v: __m512) -> __m256i {
    _mm512_cvtps_ph::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>(v)
}

#[cfg_attr(not(unoptimized), inline)]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,f16c")]
fn round_to_f16(v: __m512) -> __m512 {
    f16_to_f32(f32_to_f16(v))
}

/// One shuffle, where an extension and a shift (or, the other way, a shift and a truncation) would be two, on ports that are scarce. The places
/// are a constant, not a table: a table was read again for every vector.
#[cfg_attr(not(unoptimized), inline)]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,f16c")]
pub(in crate::arch) fn bf16_to_f32(half: __m256i) -> __m512 {
    #[rustfmt::skip]
    let places = _mm512_set_epi16(
        15, 0, 14, 0, 13, 0, 12, 0, 11, 0, 10, 0, 9, 0, 8, 0, 7, 0, 6, 0, 5, 0, 4, 0, 3, 0, 2, 0, 1, 0, 0, 0,
    );
    _mm512_castsi512_ps(_mm512_maskz_permutexvar_epi16(0xaaaa_aaaa, places, _mm512_castsi256_si512(half)))
}

/// The bf16 in the upper halves, anything in the lower ones.
#[cfg_attr(not(unoptimized), inline)]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,f16c")]
fn rounded_to_bf16(v: __m512) -> __m512i {
    let bits = _mm512_castps_si512(v);
    // Ties go to the even one: just under half of the last place, and one more where that place is odd.
    let odd = _mm512_and_si512(_mm512_srli_epi32::<16>(bits), _mm512_set1_epi32(1));
    let rounded = _mm512_add_epi32(_mm512_add_epi32(bits, _mm512_set1_epi32(0x7fff)), odd);
    // A NaN could be rounded to an infinity; it is made quiet instead: of the sixteen answers that the instruction has for kinds of
    // numbers, the two for NaNs are 2, that NaN made quiet, and all others 0, what was rounded.
    let answers = _mm512_set1_epi32(0x22);
    _mm512_castps_si512(_mm512_fixupimm_ps::<0>(_mm512_castsi512_ps(rounded), v, answers))
}

#[cfg_attr(not(unoptimized), inline)]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,f16c")]
pub(in crate::arch) fn f32_to_bf16(v: __m512) -> __m256i {
    #[rustfmt::skip]
    let places = _mm512_set_epi16(
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 31, 29, 27, 25, 23, 21, 19, 17, 15, 13, 11, 9, 7, 5, 3, 1,
    );
    _mm512_castsi512_si256(_mm512_permutexvar_epi16(places, rounded_to_bf16(v)))
}

#[cfg_attr(not(unoptimized), inline)]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,f16c")]
fn round_to_bf16(v: __m512) -> __m512 {
    _mm512_castsi512_ps(_mm512_and_si512(rounded_to_bf16(v), _mm512_set1_epi32(0xffff_0000_u32 as i32)))
}

/// Vectors of sixteen 16-bit lanes. As [`crate::arch`] says of `load` and the others.
pub(in crate::arch) mod io {
    use core::arch::x86_64::{
        __m256i, __m512, __mmask16, _mm256_extract_epi16, _mm256_loadu_si256, _mm256_mask_storeu_epi16,
        _mm256_maskz_loadu_epi16, _mm256_storeu_si256, _mm256_stream_si256, _mm512_mask_mov_ps,
    };

    #[cfg_attr(not(unoptimized), inline)]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,f16c")]
    pub unsafe fn load(p: *const u16) -> __m256i {
        // SAFETY: the caller's contract; the instruction needs no alignment.
        unsafe { _mm256_loadu_si256(p.cast()) }
    }

    #[cfg_attr(not(unoptimized), inline)]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,f16c")]
    pub unsafe fn store(p: *mut u16, v: __m256i) {
        // SAFETY: the caller's contract; the instruction needs no alignment.
        unsafe { _mm256_storeu_si256(p.cast(), v) }
    }

    #[cfg_attr(not(unoptimized), inline)]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,f16c")]
    pub unsafe fn stream(p: *mut u16, v: __m256i) {
        // SAFETY: the caller's contract.
        unsafe { _mm256_stream_si256(p.cast(), v) }
    }

    #[cfg_attr(not(unoptimized), inline)]
    fn mask(count: usize) -> __mmask16 {
        ((1_u32 << count) - 1) as __mmask16
    }

    #[cfg_attr(not(unoptimized), inline)]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,f16c")]
    pub unsafe fn load_part(p: *const u16, count: usize) -> __m256i {
        // SAFETY: lanes outside of the mask are not read; those inside are the caller's contract.
        unsafe { _mm256_maskz_loadu_epi16(mask(count), p.cast()) }
    }

    #[cfg_attr(not(unoptimized), inline)]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,f16c")]
    pub unsafe fn store_part(p: *mut u16, v: __m256i, count: usize) {
        // Of a masked store of narrowed lanes, with a constant mask of one lane, LLVM 22 makes a store of the four bytes before they
        // were narrowed: https://github.com/llvm/llvm-project/issues/179489.
        if count == 1 {
            // SAFETY: the caller's contract.
            unsafe { p.write(_mm256_extract_epi16::<0>(v) as u16) };
            return;
        }
        // SAFETY: lanes outside of the mask are not written; those inside are the caller's contract.
        unsafe { _mm256_mask_storeu_epi16(p.cast(), mask(count), v) }
    }

    #[cfg_attr(not(unoptimized), inline)]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,f16c")]
    pub unsafe fn blend(v: __m512, count: usize, fill: __m512) -> __m512 {
        _mm512_mask_mov_ps(fill, mask(count), v)
    }
}
