//! AVX-512 with AVX512-BF16, for kernels over bf16: vectors of 32 numbers, in two registers.
//!
//! One instruction makes 32 numbers bf16, in the time that sixteen take with an instruction of their own (or five without any). Of rms
//! normalization of 64 rows of 768, four rows together, with the instruction for sixteen: sums that take their elements as they lie in a
//! register, the even and the odd ones, leave 0.9 of the time, and pairs with them 0.75.
//!
//! The instruction takes subnormals for zeros, so they are looked for, which is a fifth of the time of rms and an eighth of that of layer
//! normalization of these rows; to look for zeros in what comes out instead, one test for two, takes as long.

use core::arch::x86_64::__m512;

/// A vector: the first sixteen numbers, and the next.
#[derive(Clone, Copy, Debug)]
pub struct Pair(__m512, __m512);

/// Input and output of one type, from that of sixteen elements.
macro_rules! pairs {
    ($element:ident, $scalar:ty) => {
        use super::Pair;
        use crate::arch::avx512::$element as half;

        /// A vector.
        pub type V = Pair;
        /// Elements in a vector.
        pub const LANES: usize = 32;

        /// Reads a vector.
        ///
        /// # Safety
        /// `p` is valid for reading `LANES` elements.
        #[cfg_attr(not(unoptimized), inline)]
        #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512bf16,avx2,fma,f16c")]
        pub unsafe fn load(p: *const $scalar) -> V {
            // SAFETY: the caller's contract.
            unsafe { Pair(half::load(p), half::load(p.add(half::LANES))) }
        }
        /// Reads the first `count` elements; the other lanes are those of `fill`.
        ///
        /// # Safety
        /// `p` is valid for reading `count` elements, `count < LANES`.
        #[cfg_attr(not(unoptimized), inline)]
        #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512bf16,avx2,fma,f16c")]
        pub unsafe fn load_part(p: *const $scalar, count: usize, fill: V) -> V {
            let (first, second) = split(count);
            // SAFETY: the two parts are `count` elements, and nothing is read of a part of none.
            unsafe { Pair(half::load_part(p, first, fill.0), half::load_part(p.wrapping_add(16), second, fill.1)) }
        }
        /// Writes the first `count` lanes.
        ///
        /// # Safety
        /// `p` is valid for writing `count` elements, `count < LANES`.
        #[cfg_attr(not(unoptimized), inline)]
        #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512bf16,avx2,fma,f16c")]
        pub unsafe fn store_part(p: *mut $scalar, v: V, count: usize) {
            let (first, second) = split(count);
            // SAFETY: the two parts are `count` elements, and nothing is written of a part of none.
            unsafe {
                half::store_part(p, v.0, first);
                half::store_part(p.wrapping_add(16), v.1, second);
            }
        }

        /// How many elements are among the first sixteen, and how many are not.
        #[cfg_attr(not(unoptimized), inline)]
        fn split(count: usize) -> (usize, usize) {
            (if count < 16 { count } else { 16 }, count.saturating_sub(16))
        }
    };
}

/// Arithmetic in `f32`, and its elements.
pub mod f32 {
    pairs!(f32, f32);

    /// All lanes zero.
    #[cfg_attr(not(unoptimized), inline)]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512bf16,avx2,fma,f16c")]
    pub fn zero() -> V {
        Pair(half::zero(), half::zero())
    }
    /// All lanes `a`.
    #[cfg_attr(not(unoptimized), inline)]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512bf16,avx2,fma,f16c")]
    pub fn splat(a: f32) -> V {
        Pair(half::splat(a), half::splat(a))
    }
    /// `a + b`.
    #[cfg_attr(not(unoptimized), inline)]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512bf16,avx2,fma,f16c")]
    pub fn add(a: V, b: V) -> V {
        Pair(half::add(a.0, b.0), half::add(a.1, b.1))
    }
    /// `a - b`.
    #[cfg_attr(not(unoptimized), inline)]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512bf16,avx2,fma,f16c")]
    pub fn sub(a: V, b: V) -> V {
        Pair(half::sub(a.0, b.0), half::sub(a.1, b.1))
    }
    /// `a * b`.
    #[cfg_attr(not(unoptimized), inline)]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512bf16,avx2,fma,f16c")]
    pub fn mul(a: V, b: V) -> V {
        Pair(half::mul(a.0, b.0), half::mul(a.1, b.1))
    }
    /// `a * b + c`, rounded once.
    #[cfg_attr(not(unoptimized), inline)]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512bf16,avx2,fma,f16c")]
    pub fn fma(a: V, b: V, c: V) -> V {
        Pair(half::fma(a.0, b.0, c.0), half::fma(a.1, b.1, c.1))
    }
    /// `c - a * b`, rounded once.
    #[cfg_attr(not(unoptimized), inline)]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512bf16,avx2,fma,f16c")]
    pub fn fnma(a: V, b: V, c: V) -> V {
        Pair(half::fnma(a.0, b.0, c.0), half::fnma(a.1, b.1, c.1))
    }
    /// The sum of the lanes.
    #[cfg_attr(not(unoptimized), inline)]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512bf16,avx2,fma,f16c")]
    pub fn sum(v: V) -> f32 {
        half::sum(half::add(v.0, v.1))
    }
    /// The sums of four vectors.
    #[cfg_attr(not(unoptimized), inline)]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512bf16,avx2,fma,f16c")]
    pub fn sum4(a: V, b: V, c: V, d: V) -> [f32; 4] {
        half::sum4(half::add(a.0, a.1), half::add(b.0, b.1), half::add(c.0, c.1), half::add(d.0, d.1))
    }
    /// Writes a vector.
    ///
    /// # Safety
    /// `p` is valid for writing `LANES` elements.
    #[cfg_attr(not(unoptimized), inline)]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512bf16,avx2,fma,f16c")]
    pub unsafe fn store(p: *mut f32, v: V) {
        // SAFETY: the caller's contract.
        unsafe {
            half::store(p, v.0);
            half::store(p.add(half::LANES), v.1);
        }
    }
}

/// Elements of the half type of that name, of parameters.
pub mod f16 {
    pairs!(f16, crate::dtype::f16);
}

/// Elements of the half type of that name.
pub mod bf16 {
    use crate::arch::avx512::halves as integer;
    use core::arch::x86_64::{
        __m512bh, __m512i, _mm512_and_si512, _mm512_castsi512_ps, _mm512_castsi512_si256, _mm512_cvtne2ps_pbh,
        _mm512_extracti64x4_epi64, _mm512_fpclass_ps_mask, _mm512_loadu_si512, _mm512_set1_epi32, _mm512_slli_epi32,
        _mm512_storeu_si512, _mm512_stream_si512,
    };

    pairs!(bf16, crate::dtype::bf16);

    /// All lanes as bf16, in order; `None` if there are subnormals among them, which the instruction takes for zeros.
    #[cfg_attr(not(unoptimized), inline)]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512bf16,avx2,fma,f16c")]
    fn narrow(v: V) -> Option<__m512i> {
        const SUBNORMAL: i32 = 0x20;
        if (_mm512_fpclass_ps_mask::<SUBNORMAL>(v.0) | _mm512_fpclass_ps_mask::<SUBNORMAL>(v.1)) != 0 {
            return None;
        }
        // SAFETY: both are 512 bits, and any of them are a value of either.
        Some(unsafe { core::mem::transmute::<__m512bh, __m512i>(_mm512_cvtne2ps_pbh(v.1, v.0)) })
    }

    /// Each lane as the nearest value of the half type.
    #[cfg_attr(not(unoptimized), inline)]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512bf16,avx2,fma,f16c")]
    pub fn round(v: V) -> V {
        match narrow(v) {
            Some(bits) => Pair(
                integer::bf16_to_f32(_mm512_castsi512_si256(bits)),
                integer::bf16_to_f32(_mm512_extracti64x4_epi64::<1>(bits)),
            ),
            None => Pair(integer::bf16::round(v.0), integer::bf16::round(v.1)),
        }
    }
    /// Reads a vector whose lanes may be in any order, the same for all vectors of this type.
    ///
    /// # Safety
    /// `p` is valid for reading `LANES` elements.
    #[cfg_attr(not(unoptimized), inline)]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512bf16,avx2,fma,f16c")]
    pub unsafe fn load_any(p: *const crate::dtype::bf16) -> V {
        // SAFETY: the caller's contract; an element is 16 bits.
        let both = unsafe { _mm512_loadu_si512(p.cast()) };
        let odd = _mm512_and_si512(both, _mm512_set1_epi32(0xffff_0000_u32 as i32));
        Pair(_mm512_castsi512_ps(_mm512_slli_epi32::<16>(both)), _mm512_castsi512_ps(odd))
    }
    /// Writes a vector.
    ///
    /// # Safety
    /// `p` is valid for writing `LANES` elements.
    #[cfg_attr(not(unoptimized), inline)]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512bf16,avx2,fma,f16c")]
    pub unsafe fn store(p: *mut crate::dtype::bf16, v: V) {
        // SAFETY: the caller's contract; an element is 16 bits.
        unsafe {
            match narrow(v) {
                Some(bits) => _mm512_storeu_si512(p.cast(), bits),
                None => {
                    half::store(p, v.0);
                    half::store(p.add(half::LANES), v.1);
                }
            }
        }
    }
    /// Writes a vector past the caches.
    ///
    /// # Safety
    /// `p` is valid for writing `LANES` elements, and aligned to the size of that many.
    #[cfg_attr(not(unoptimized), inline)]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512bf16,avx2,fma,f16c")]
    pub unsafe fn stream(p: *mut crate::dtype::bf16, v: V) {
        // SAFETY: the caller's contract; an element is 16 bits.
        unsafe {
            match narrow(v) {
                Some(bits) => _mm512_stream_si512(p.cast(), bits),
                None => {
                    half::stream(p, v.0);
                    half::stream(p.add(half::LANES), v.1);
                }
            }
        }
    }
}
