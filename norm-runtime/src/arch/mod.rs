//! The vector vocabulary: for each instruction set and compute type, the same functions under the same names.
//!
//! A module such as `avx512::f32` serves as arithmetic (`V`, `add`, `fma`, `sum` ...) and as input and output of elements
//! that are stored in the type that they are computed in (`load`, `store` ...). Functions carry the instruction set's
//! `#[target_feature]` and, where anything is optimized, `#[inline]`: inside a kernel of the same level they melt into straight-line code.
//!
//! Modules of half types (`avx512::bf16`) are input and output alone: arithmetic is in `f32`, and `load` and `store` convert, to the
//! same bits at every level. Values are rounded to the nearest, ties to even; subnormals are kept; a NaN stays one, made quiet, with the
//! upper bits of its payload. The
//! conversion of AVX512-BF16 takes subnormals for zeros: `avx512_bf16` looks for them first.
//!
//! Contracts, the same at every level:
//! - `load(p)` reads `LANES` elements from `p`, `store(p, v)` writes as many; no alignment is needed.
//! - `load_any(p)` is `load(p)` with the lanes in an order of its own, where that is less work: for sums over them.
//! - `stream(p, v)` is a store that goes past the caches where the level has one; `p` is aligned to the vector's size.
//! - `load_part(p, count, fill)` reads the first `count` elements (`1 <= count < LANES`) and no memory past them; the
//!   lanes from `count` on are those of `fill`. `store_part(p, v, count)` writes the first `count` lanes only. With a
//!   constant `count` they compile to constant masks or fixed splits.
//! - `fma(a, b, c)` is `a * b + c`, rounded once where the level has the instruction; `fnma(a, b, c)` is `c - a * b`.
//! - `sum(v)` adds the lanes in a fixed tree; `sum4` does so for four vectors at once, in the same tree, so that a row's
//!   sum does not depend on the rows beside it.
//! - `round(v)`, of half types, is what `load` gives after `store`.

#[cfg(target_arch = "x86_64")]
#[allow(clippy::missing_safety_doc, reason = "it also asks this of safe functions that have target features")]
pub mod avx2;
#[cfg(target_arch = "x86_64")]
#[allow(clippy::missing_safety_doc, reason = "it also asks this of safe functions that have target features")]
pub mod avx512;
#[cfg(target_arch = "x86_64")]
#[allow(clippy::missing_safety_doc, reason = "it also asks this of safe functions that have target features")]
pub mod avx512_bf16;
pub mod portable;

#[cfg(test)]
mod tests;

/// The arithmetic of one vector type whose operations are intrinsics: what AVX2 and AVX-512 share.
///
/// Intrinsics are imported by name, here and below: the compiler goes through all names of a module for every crate with a layer, and of
/// all intrinsics there are six thousand.
#[cfg(target_arch = "x86_64")]
macro_rules! arithmetic {
    (
        $features:literal, $scalar:ident, $vector:ident, $lanes:literal,
        zero: $zero:ident, splat: $splat:ident, add: $add:ident, sub: $sub:ident, mul: $mul:ident,
        fma: $fma:ident, fnma: $fnma:ident, load: $load:ident, store: $store:ident, stream: $stream:ident
    ) => {
        use core::arch::x86_64::{$add, $fma, $fnma, $load, $mul, $splat, $store, $stream, $sub, $vector, $zero};

        /// A vector.
        pub type V = $vector;
        /// Elements in a vector.
        pub const LANES: usize = $lanes;

        /// All lanes zero.
        #[cfg_attr(not(unoptimized), inline)]
        #[target_feature(enable = $features)]
        pub fn zero() -> V {
            $zero()
        }
        /// All lanes `a`.
        #[cfg_attr(not(unoptimized), inline)]
        #[target_feature(enable = $features)]
        pub fn splat(a: $scalar) -> V {
            $splat(a)
        }
        /// `a + b`.
        #[cfg_attr(not(unoptimized), inline)]
        #[target_feature(enable = $features)]
        pub fn add(a: V, b: V) -> V {
            $add(a, b)
        }
        /// `a - b`.
        #[cfg_attr(not(unoptimized), inline)]
        #[target_feature(enable = $features)]
        pub fn sub(a: V, b: V) -> V {
            $sub(a, b)
        }
        /// `a * b`.
        #[cfg_attr(not(unoptimized), inline)]
        #[target_feature(enable = $features)]
        pub fn mul(a: V, b: V) -> V {
            $mul(a, b)
        }
        /// `a * b + c`, rounded once.
        #[cfg_attr(not(unoptimized), inline)]
        #[target_feature(enable = $features)]
        pub fn fma(a: V, b: V, c: V) -> V {
            $fma(a, b, c)
        }
        /// `c - a * b`, rounded once.
        #[cfg_attr(not(unoptimized), inline)]
        #[target_feature(enable = $features)]
        pub fn fnma(a: V, b: V, c: V) -> V {
            $fnma(a, b, c)
        }
        /// Reads a vector.
        ///
        /// # Safety
        /// `p` is valid for reading `LANES` elements.
        #[cfg_attr(not(unoptimized), inline)]
        #[target_feature(enable = $features)]
        pub unsafe fn load(p: *const $scalar) -> V {
            // SAFETY: the caller's contract; the instruction needs no alignment.
            unsafe { $load(p) }
        }
        /// Reads a vector whose lanes may be in any order, the same for all vectors of this type: for sums over them.
        ///
        /// # Safety
        /// `p` is valid for reading `LANES` elements.
        #[cfg_attr(not(unoptimized), inline)]
        #[target_feature(enable = $features)]
        pub unsafe fn load_any(p: *const $scalar) -> V {
            // SAFETY: the caller's contract.
            unsafe { load(p) }
        }
        /// Writes a vector.
        ///
        /// # Safety
        /// `p` is valid for writing `LANES` elements.
        #[cfg_attr(not(unoptimized), inline)]
        #[target_feature(enable = $features)]
        pub unsafe fn store(p: *mut $scalar, v: V) {
            // SAFETY: the caller's contract; the instruction needs no alignment.
            unsafe { $store(p, v) }
        }
        /// Writes a vector past the caches.
        ///
        /// # Safety
        /// `p` is valid for writing `LANES` elements, and aligned to the size of a vector.
        #[cfg_attr(not(unoptimized), inline)]
        #[target_feature(enable = $features)]
        pub unsafe fn stream(p: *mut $scalar, v: V) {
            // SAFETY: the caller's contract.
            unsafe { $stream(p, v) }
        }
    };
}
#[cfg(target_arch = "x86_64")]
use arithmetic;

/// Input and output of one half type, from what a level has for 16-bit lanes (`io`) and for the type.
///
/// Around it stand `vectors`, the module to compute in, and `io`, which has `load`, `store`, `stream`, `load_part` (the other lanes are
/// 0), `store_part` and `blend(v, count, fill)`, which takes the lanes from `count` on from `fill`.
macro_rules! halves {
    ($element:ident, $($features:literal,)? widen: $widen:path, narrow: $narrow:path, round: $round:path) => {
        /// Elements of the half type of that name.
        pub mod $element {
            use super::io;
            use crate::dtype::$element as Element;

            /// A vector to compute with.
            pub type V = super::vectors::V;
            /// Elements in a vector.
            pub const LANES: usize = super::vectors::LANES;

            /// Each lane as the nearest value of the half type.
            #[cfg_attr(not(unoptimized), inline)]
            $(#[target_feature(enable = $features)])?
            pub fn round(v: V) -> V {
                $round(v)
            }
            /// Reads a vector.
            ///
            /// # Safety
            /// `p` is valid for reading `LANES` elements.
            #[cfg_attr(not(unoptimized), inline)]
            $(#[target_feature(enable = $features)])?
            pub unsafe fn load(p: *const Element) -> V {
                // SAFETY: the caller's contract; an element is 16 bits.
                unsafe { $widen(io::load(p.cast())) }
            }
            /// Reads a vector whose lanes may be in any order, the same for all vectors of this type: for sums over them.
            ///
            /// # Safety
            /// `p` is valid for reading `LANES` elements.
            #[cfg_attr(not(unoptimized), inline)]
            $(#[target_feature(enable = $features)])?
            pub unsafe fn load_any(p: *const Element) -> V {
                // SAFETY: the caller's contract.
                unsafe { load(p) }
            }
            /// Writes a vector.
            ///
            /// # Safety
            /// `p` is valid for writing `LANES` elements.
            #[cfg_attr(not(unoptimized), inline)]
            $(#[target_feature(enable = $features)])?
            pub unsafe fn store(p: *mut Element, v: V) {
                // SAFETY: the caller's contract; an element is 16 bits.
                unsafe { io::store(p.cast(), $narrow(v)) }
            }
            /// Writes a vector past the caches.
            ///
            /// # Safety
            /// `p` is valid for writing `LANES` elements, and aligned to the size of that many.
            #[cfg_attr(not(unoptimized), inline)]
            $(#[target_feature(enable = $features)])?
            pub unsafe fn stream(p: *mut Element, v: V) {
                // SAFETY: the caller's contract; an element is 16 bits.
                unsafe { io::stream(p.cast(), $narrow(v)) }
            }
            /// Reads the first `count` elements; the other lanes are those of `fill`.
            ///
            /// # Safety
            /// `p` is valid for reading `count` elements, `count < LANES`.
            #[cfg_attr(not(unoptimized), inline)]
            $(#[target_feature(enable = $features)])?
            pub unsafe fn load_part(p: *const Element, count: usize, fill: V) -> V {
                // SAFETY: the caller's contract; an element is 16 bits.
                unsafe { io::blend($widen(io::load_part(p.cast(), count)), count, fill) }
            }
            /// Writes the first `count` lanes.
            ///
            /// # Safety
            /// `p` is valid for writing `count` elements, `count < LANES`.
            #[cfg_attr(not(unoptimized), inline)]
            $(#[target_feature(enable = $features)])?
            pub unsafe fn store_part(p: *mut Element, v: V, count: usize) {
                // SAFETY: the caller's contract; an element is 16 bits.
                unsafe { io::store_part(p.cast(), $narrow(v), count) }
            }
        }
    };
}
use halves;

/// The horizontal sums on SSE registers that both x86 levels end in.
#[cfg(target_arch = "x86_64")]
pub(crate) mod sse {
    use core::arch::x86_64::{
        __m128, _mm_add_ps, _mm_add_ss, _mm_cvtss_f32, _mm_movehl_ps, _mm_movelh_ps, _mm_shuffle_ps, _mm_unpackhi_ps,
        _mm_unpacklo_ps,
    };

    /// `(a0 + a2) + (a1 + a3)`, the tree that [`sum4_f32`] uses for each of its four.
    #[cfg_attr(not(unoptimized), inline)]
    #[target_feature(enable = "avx2,fma,f16c")]
    pub fn sum_f32(a: __m128) -> f32 {
        let pairs = _mm_add_ps(a, _mm_movehl_ps(a, a));
        _mm_cvtss_f32(_mm_add_ss(pairs, _mm_shuffle_ps::<0b01>(pairs, pairs)))
    }

    /// The sums of four vectors, by a transposition that adds as it goes.
    #[cfg_attr(not(unoptimized), inline)]
    #[target_feature(enable = "avx2,fma,f16c")]
    pub fn sum4_f32(a: __m128, b: __m128, c: __m128, d: __m128) -> __m128 {
        let ab = _mm_add_ps(_mm_unpacklo_ps(a, b), _mm_unpackhi_ps(a, b));
        let cd = _mm_add_ps(_mm_unpacklo_ps(c, d), _mm_unpackhi_ps(c, d));
        _mm_add_ps(_mm_movelh_ps(ab, cd), _mm_movehl_ps(cd, ab))
    }
}
