//! Element types and the types that their statistics are computed in.

use core::fmt::Debug;
pub use half::{bf16, f16};

mod sealed {
    pub trait Sealed {}
    impl Sealed for f32 {}
    impl Sealed for f64 {}
    impl Sealed for half::f16 {}
    impl Sealed for half::bf16 {}
}

/// A type that statistics, gradients of parameters and normalization itself are computed in: `f32` or `f64`.
///
/// Arithmetic that is not on a hot path is written against this trait; hot loops use [`crate::arch`].
pub trait Compute:
    Element<Compute = Self>
    + PartialOrd
    + core::ops::AddAssign
    + core::ops::Add<Output = Self>
    + core::ops::Sub<Output = Self>
    + core::ops::Mul<Output = Self>
    + core::ops::Div<Output = Self>
{
    /// The largest value of `mean square + eps` that the fast kernels answer for.
    const LARGEST: Self;
    /// The smallest value of `mean square + eps` that the fast kernels answer for.
    const SMALLEST: Self;
    /// The largest `rstd^2` at which kernels over sets answer for gradients, and one over the smallest: it leaves room for a factor.
    const STEADY: Self;
    /// The smallest `rstd` at which `x - mean` cannot overflow, in rows of up to 2^40 elements.
    const SMALLEST_RSTD: Self;
    /// The value as `f64`, exactly.
    fn to_f64(self) -> f64;
    /// The value nearest to `value`.
    fn from_f64(value: f64) -> Self;
    /// The square root.
    #[must_use]
    fn sqrt(self) -> Self;
    /// The magnitude.
    #[must_use]
    fn abs(self) -> Self;
    /// Whether it is neither infinite nor NaN.
    fn is_finite(self) -> bool;
    /// `self * scale`, where `scale` is a power of two given by its exponent.
    #[must_use]
    fn scale_by_power(self, exponent: i32) -> Self;
    /// The exponent `e` with `2^e <= |self| < 2^(e+1)`; of zero, the smallest there is.
    fn exponent(self) -> i32;
}

/// A type that tensors are stored in. Sealed: `f32`, `f64`, `f16` and `bf16`.
pub trait Element: sealed::Sealed + Copy + Default + Debug + Send + Sync + PartialEq + 'static {
    /// The type that this one is computed in.
    type Compute: Compute;
    /// The name as it stands in attributes: `"f32"`.
    const NAME: &'static str;
    /// One.
    const ONE: Self;
    /// The value in the compute type, exactly.
    fn widen(self) -> Self::Compute;
    /// The value of this type nearest to `value`, ties to even.
    fn narrow(value: Self::Compute) -> Self;
}

macro_rules! float {
    ($t:ident, $bits:ident, mantissa: $mantissa:literal, bias: $bias:literal, largest: $largest:literal, smallest: $smallest:literal, rstd: $rstd:literal, steady: $steady:literal) => {
        impl Element for $t {
            type Compute = $t;
            const NAME: &'static str = stringify!($t);
            const ONE: Self = 1.0;
            #[cfg_attr(not(unoptimized), inline)]
            fn widen(self) -> $t {
                self
            }
            #[cfg_attr(not(unoptimized), inline)]
            fn narrow(value: $t) -> Self {
                value
            }
        }

        impl Compute for $t {
            const LARGEST: Self = $largest;
            const SMALLEST: Self = $smallest;
            const SMALLEST_RSTD: Self = $rstd;
            const STEADY: Self = $steady;
            #[cfg_attr(not(unoptimized), inline)]
            fn to_f64(self) -> f64 {
                f64::from(self)
            }
            #[cfg_attr(not(unoptimized), inline)]
            #[allow(clippy::cast_possible_truncation, reason = "rounding to the nearest is what is asked for")]
            fn from_f64(value: f64) -> Self {
                value as $t
            }
            #[cfg_attr(not(unoptimized), inline)]
            fn sqrt(self) -> Self {
                <$t>::sqrt(self)
            }
            #[cfg_attr(not(unoptimized), inline)]
            fn abs(self) -> Self {
                <$t>::abs(self)
            }
            #[cfg_attr(not(unoptimized), inline)]
            fn is_finite(self) -> bool {
                <$t>::is_finite(self)
            }
            fn scale_by_power(self, exponent: i32) -> Self {
                // In two steps, because 2^exponent alone may be out of range where the product is not.
                let half = exponent / 2;
                let power = |e: i32| <$t>::from_bits($bits::try_from(e + $bias).unwrap_or(0) << $mantissa);
                self * power(half) * power(exponent - half)
            }
            fn exponent(self) -> i32 {
                let biased = (self.abs().to_bits() >> $mantissa) as i32;
                biased - $bias
            }
        }
    };
}

float!(f32, u32, mantissa: 23, bias: 127, largest: 1e37, smallest: 1e-30, rstd: 1e-32, steady: 1e24);
float!(f64, u64, mantissa: 52, bias: 1023, largest: 1e305, smallest: 1e-270, rstd: 1e-302, steady: 1e220);

macro_rules! half {
    ($($t:ident),*) => { $(
        impl Element for $t {
            type Compute = f32;
            const NAME: &'static str = stringify!($t);
            const ONE: Self = $t::ONE;
            // Not `to_f32` and `from_f32`, which ask the processor what it has at every call.
            #[cfg_attr(not(unoptimized), inline)]
            fn widen(self) -> f32 {
                self.to_f32_const()
            }
            #[cfg_attr(not(unoptimized), inline)]
            fn narrow(value: f32) -> Self {
                $t::from_f32_const(value)
            }
        }
    )* };
}

half!(f16, bf16);

/// `$entries!(T with P, ...)` of all types of elements, each with the types that its parameters may be of.
macro_rules! with_each_pair {
    ($entries:ident) => {
        $entries!(
            f32 with f32, f32 with f16, f32 with bf16,
            f16 with f32, f16 with f16, f16 with bf16,
            bf16 with f32, bf16 with f16, bf16 with bf16,
            f64 with f64
        );
    };
}
pub(crate) use with_each_pair;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powers_of_two_scale_exactly() {
        for e in [-149, -100, -1, 0, 1, 77, 127] {
            assert_eq!(1.5_f32.scale_by_power(e), (1.5_f64 * 2_f64.powi(e)) as f32, "2^{e}");
        }
        assert_eq!(1e-300_f64.scale_by_power(900), 1e-300 * 2_f64.powi(900));
    }

    #[test]
    fn exponents() {
        assert_eq!(1.0_f32.exponent(), 0);
        assert_eq!((-3.9_f32).exponent(), 1);
        assert_eq!(1e-25_f32.exponent(), -84);
        assert_eq!(0.0_f64.exponent(), -1023);
    }
}
