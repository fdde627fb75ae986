//! Half types: sixteen at a time, in half a register.

use crate::arch::halves;
use core::arch::x86_64::*;

halves!(f16, "avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,f16c", widen: super::f16_to_f32, narrow: super::f32_to_f16, round: super::round_to_f16);
halves!(bf16, "avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,f16c", widen: super::bf16_to_f32, narrow: super::f32_to_bf16, round: super::round_to_bf16);

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,f16c")]
fn f16_to_f32(half: __m256i) -> __m512 {
    _mm512_cvtph_ps(half)
}

/// To the nearest, ties to even, whatever the mode of the processor; it never flushes subnormals.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,f16c")]
fn f32_to_f16(v: __m512) -> __m256i {
    _mm512_cvtps_ph::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>(v)
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,f16c")]
fn round_to_f16(v: __m512) -> __m512 {
    f16_to_f32(f32_to_f16(v))
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,f16c")]
fn bf16_to_f32(half: __m256i) -> __m512 {
    _mm512_castsi512_ps(_mm512_slli_epi32::<16>(_mm512_cvtepu16_epi32(half)))
}

/// The bf16 in the upper halves, anything in the lower ones.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,f16c")]
fn rounded_to_bf16(v: __m512) -> __m512i {
    let bits = _mm512_castps_si512(v);
    // Ties go to the even one: just under half of the last place, and one more where that place is odd.
    let odd = _mm512_and_si512(_mm512_srli_epi32::<16>(bits), _mm512_set1_epi32(1));
    let rounded = _mm512_add_epi32(_mm512_add_epi32(bits, _mm512_set1_epi32(0x7fff)), odd);
    // A NaN could be rounded to an infinity; it is made quiet instead.
    let nan = _mm512_cmp_ps_mask::<_CMP_UNORD_Q>(v, v);
    _mm512_mask_or_epi32(rounded, nan, bits, _mm512_set1_epi32(0x0040_0000))
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,f16c")]
fn f32_to_bf16(v: __m512) -> __m256i {
    _mm512_cvtepi32_epi16(_mm512_srli_epi32::<16>(rounded_to_bf16(v)))
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,f16c")]
fn round_to_bf16(v: __m512) -> __m512 {
    _mm512_castsi512_ps(_mm512_and_si512(rounded_to_bf16(v), _mm512_set1_epi32(0xffff_0000_u32 as i32)))
}

/// Vectors of sixteen 16-bit lanes. As [`crate::arch`] says of `load` and the others.
mod io {
    use core::arch::x86_64::*;

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,f16c")]
    pub unsafe fn load(p: *const u16) -> __m256i {
        // SAFETY: the caller's contract; the instruction needs no alignment.
        unsafe { _mm256_loadu_si256(p.cast()) }
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,f16c")]
    pub unsafe fn store(p: *mut u16, v: __m256i) {
        // SAFETY: the caller's contract; the instruction needs no alignment.
        unsafe { _mm256_storeu_si256(p.cast(), v) }
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,f16c")]
    pub unsafe fn stream(p: *mut u16, v: __m256i) {
        // SAFETY: the caller's contract.
        unsafe { _mm256_stream_si256(p.cast(), v) }
    }

    #[inline]
    fn mask(count: usize) -> __mmask16 {
        ((1_u32 << count) - 1) as __mmask16
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,f16c")]
    pub unsafe fn load_part(p: *const u16, count: usize) -> __m256i {
        // SAFETY: lanes outside of the mask are not read; those inside are the caller's contract.
        unsafe { _mm256_maskz_loadu_epi16(mask(count), p.cast()) }
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,f16c")]
    pub unsafe fn store_part(p: *mut u16, v: __m256i, count: usize) {
        // One lane that was narrowed from 32 bits, under a mask known at compile time, is stored in 32 bits by LLVM 22, over the
        // element that follows: https://github.com/llvm/llvm-project/issues/179489.
        if count == 1 {
            // SAFETY: the caller's contract.
            return unsafe { p.write_unaligned(_mm256_extract_epi16::<0>(v) as u16) };
        }
        // SAFETY: lanes outside of the mask are not written; those inside are the caller's contract.
        unsafe { _mm256_mask_storeu_epi16(p.cast(), mask(count), v) }
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,f16c")]
    pub unsafe fn blend(v: __m512, count: usize, fill: __m512) -> __m512 {
        _mm512_mask_mov_ps(fill, mask(count), v)
    }
}
