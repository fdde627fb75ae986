//! What the program was compiled for, through `wide`: SSE2, NEON, WASM SIMD, or scalar code.
//!
//! `wide` picks its instructions at compile time, so these functions stay at that level inside any kernel, and `fma` rounds
//! twice where the target has no such instruction: this is the level that is always there, not the fast one.

mod halves;

pub use halves::{bf16, f16};

macro_rules! portable {
    ($scalar:ident, $vector:ident, $lanes:literal, sum: |$a:ident| $sum:expr) => {
        /// A vector.
        pub type V = wide::$vector;
        /// Elements in a vector.
        pub const LANES: usize = $lanes;

        /// All lanes zero.
        #[cfg_attr(not(unoptimized), inline)]
        pub fn zero() -> V {
            V::splat(0.0)
        }
        /// All lanes `a`.
        #[cfg_attr(not(unoptimized), inline)]
        pub fn splat(a: $scalar) -> V {
            V::splat(a)
        }
        /// `a + b`.
        #[cfg_attr(not(unoptimized), inline)]
        pub fn add(a: V, b: V) -> V {
            a + b
        }
        /// `a - b`.
        #[cfg_attr(not(unoptimized), inline)]
        pub fn sub(a: V, b: V) -> V {
            a - b
        }
        /// `a * b`.
        #[cfg_attr(not(unoptimized), inline)]
        pub fn mul(a: V, b: V) -> V {
            a * b
        }
        /// `a * b + c`.
        #[cfg_attr(not(unoptimized), inline)]
        pub fn fma(a: V, b: V, c: V) -> V {
            a.mul_add(b, c)
        }
        /// `c - a * b`.
        #[cfg_attr(not(unoptimized), inline)]
        pub fn fnma(a: V, b: V, c: V) -> V {
            a.mul_neg_add(b, c)
        }
        /// The sum of the lanes.
        #[cfg_attr(not(unoptimized), inline)]
        pub fn sum(v: V) -> $scalar {
            let $a = v.to_array();
            $sum
        }
        /// The sums of four vectors.
        #[cfg_attr(not(unoptimized), inline)]
        pub fn sum4(a: V, b: V, c: V, d: V) -> [$scalar; 4] {
            [sum(a), sum(b), sum(c), sum(d)]
        }
        /// Reads a vector.
        ///
        /// # Safety
        /// `p` is valid for reading `LANES` elements.
        #[cfg_attr(not(unoptimized), inline)]
        pub unsafe fn load(p: *const $scalar) -> V {
            // SAFETY: the caller's contract; arrays need the alignment of their elements alone.
            V::new(unsafe { p.cast::<[$scalar; LANES]>().read() })
        }
        /// Reads a vector whose lanes may be in any order, the same for all vectors of this type: for sums over them.
        ///
        /// # Safety
        /// `p` is valid for reading `LANES` elements.
        #[cfg_attr(not(unoptimized), inline)]
        pub unsafe fn load_any(p: *const $scalar) -> V {
            // SAFETY: the caller's contract.
            unsafe { load(p) }
        }
        /// Writes a vector.
        ///
        /// # Safety
        /// `p` is valid for writing `LANES` elements.
        #[cfg_attr(not(unoptimized), inline)]
        pub unsafe fn store(p: *mut $scalar, v: V) {
            // SAFETY: the caller's contract; arrays need the alignment of their elements alone.
            unsafe { p.cast::<[$scalar; LANES]>().write(v.to_array()) }
        }
        /// Writes a vector.
        ///
        /// # Safety
        /// `p` is valid for writing `LANES` elements.
        #[cfg_attr(not(unoptimized), inline)]
        pub unsafe fn stream(p: *mut $scalar, v: V) {
            // SAFETY: the caller's contract.
            unsafe { store(p, v) }
        }
        /// Reads the first `count` elements; the other lanes are those of `fill`.
        ///
        /// # Safety
        /// `p` is valid for reading `count` elements, `count <= LANES`.
        #[cfg_attr(not(unoptimized), inline)]
        pub unsafe fn load_part(p: *const $scalar, count: usize, fill: V) -> V {
            let mut lanes = fill.to_array();
            // SAFETY: `count <= LANES` elements of `lanes` are written; reading them is the caller's contract.
            unsafe { core::ptr::copy_nonoverlapping(p, lanes.as_mut_ptr(), count) };
            V::new(lanes)
        }
        /// Writes the first `count` lanes.
        ///
        /// # Safety
        /// `p` is valid for writing `count` elements, `count <= LANES`.
        #[cfg_attr(not(unoptimized), inline)]
        pub unsafe fn store_part(p: *mut $scalar, v: V, count: usize) {
            let lanes = v.to_array();
            // SAFETY: `count <= LANES` elements of `lanes` are read; writing them is the caller's contract.
            unsafe { core::ptr::copy_nonoverlapping(lanes.as_ptr(), p, count) };
        }
    };
}

/// Arithmetic in `f32`, and its elements.
pub mod f32 {
    portable!(f32, f32x8, 8, sum: |a| {
        let [p, q, r, s] = [a[0] + a[4], a[1] + a[5], a[2] + a[6], a[3] + a[7]];
        (p + r) + (q + s)
    });
}

/// Arithmetic in `f64`, and its elements.
pub mod f64 {
    portable!(f64, f64x4, 4, sum: |a| (a[0] + a[2]) + (a[1] + a[3]));
}
