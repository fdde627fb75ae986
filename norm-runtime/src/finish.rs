//! From sums to statistics, for four rows at once: the scalar steps between the two sweeps of a row.
//!
//! One square root and one division serve four rows. A single row goes through the same functions with its sums repeated,
//! so that its result is the same bit for bit whether it came alone or beside others.
//!
//! `good` says that the fast kernels answer for all four rows. Where it is false (a magnitude whose square leaves the
//! range of the type, a pivot far from the mean, something not finite) the rows are computed
//! one by one, and the one at fault by [`crate::careful`].

/// The value of row `k` of four.
///
/// A function, so that generated code calls no method that a trait in the user's scope could take the place of.
///
/// # Safety
/// `k < 4`.
#[cfg_attr(not(unoptimized), inline)]
#[must_use]
pub unsafe fn row<A: Copy>(values: &[A; 4], k: usize) -> A {
    // SAFETY: the caller's contract.
    unsafe { *values.get_unchecked(k) }
}

macro_rules! finish {
    ($t:ident, $four:ident) => {
        use crate::dtype::Compute;
        use wide::$four;

        /// The statistics of four rows whose mean is subtracted, relative to each row's pivot.
        #[derive(Clone, Copy, Debug)]
        pub struct Centred {
            /// The mean is `pivot + shift`.
            pub shift: [$t; 4],
            /// One over the standard deviation (of the variance plus eps).
            pub rstd: [$t; 4],
            /// `-shift * rstd`: the normalized element is `(x - pivot) * rstd + offset`.
            pub offset: [$t; 4],
            /// Whether all four are good.
            pub good: bool,
            /// Whether all four would be, about a pivot nearer to the mean.
            pub in_range: bool,
        }

        /// The statistics of four rows whose mean is not subtracted.
        #[derive(Clone, Copy, Debug)]
        pub struct Plain {
            /// One over the root of the mean square plus eps.
            pub rstd: [$t; 4],
            /// Whether all four are good.
            pub good: bool,
        }

        /// From the sums of `x - pivot` and of its squares.
        ///
        /// The guard on the shift keeps the subtraction of its square from losing more than one bit: at most one standard
        /// deviation between pivot and mean. Rows of fewer than 16 may be two off, which is all that a pivot from four
        /// elements keeps to, and have few roundings to lose them to.
        #[cfg_attr(not(unoptimized), inline)]
        pub fn centred(sum: [$t; 4], square: [$t; 4], inverse_n: $t, eps: $t) -> Centred {
            let farthest = $four::splat(if inverse_n > 0.0625 { 4.0 } else { 1.0 });
            let inverse_n = $four::splat(inverse_n);
            let shift = $four::new(sum) * inverse_n;
            let shift2 = shift * shift;
            let variance = ($four::new(square) * inverse_n - shift2).fast_max($four::splat(0.0));
            let near = shift2.simd_le(variance * farthest);
            let (rstd, in_range) = rstd(variance + $four::splat(eps));
            Centred {
                shift: shift.to_array(),
                rstd: rstd.to_array(),
                offset: (-(shift * rstd)).to_array(),
                good: (near & in_range).all(),
                in_range: in_range.all(),
            }
        }

        /// From the sums of the squares.
        #[cfg_attr(not(unoptimized), inline)]
        pub fn plain(square: [$t; 4], inverse_n: $t, eps: $t) -> Plain {
            let (rstd, in_range) = rstd($four::new(square) * $four::splat(inverse_n) + $four::splat(eps));
            Plain { rstd: rstd.to_array(), good: in_range.all() }
        }

        /// The means of sixteen elements each, from their sums: a sixteenth is exact, so that of equal elements is that element.
        #[cfg_attr(not(unoptimized), inline)]
        #[must_use]
        pub fn sixteenth(sums: [$t; 4]) -> [$t; 4] {
            ($four::new(sums) * $four::splat(0.0625)).to_array()
        }

        #[cfg_attr(not(unoptimized), inline)]
        fn rstd(v: $four) -> ($four, $four) {
            let (smallest, largest) = ($four::splat($t::SMALLEST), $four::splat($t::LARGEST));
            ($four::splat(1.0) / v.sqrt(), v.simd_ge(smallest) & v.simd_le(largest))
        }

        /// `pivot + shift` as the nearest number and what the rounding left, exactly.
        #[cfg_attr(not(unoptimized), inline)]
        pub fn split_mean(pivot: $t, shift: $t) -> ($t, $t) {
            let mean = pivot + shift;
            let shift_part = mean - pivot;
            (mean, (pivot - (mean - shift_part)) + (shift - shift_part))
        }
    };
}

/// In `f32`.
pub mod f32 {
    finish!(f32, f32x4);
}

/// In `f64`.
pub mod f64 {
    finish!(f64, f64x4);
}

#[cfg(test)]
mod tests {
    use super::f32::*;

    #[test]
    fn the_mean_is_split_without_loss() {
        for (pivot, shift) in [(1e6_f32, 0.012_345_f32), (0.1, 1e7), (-3.0, 3.0), (0.0, 0.0)] {
            let (mean, residual) = split_mean(pivot, shift);
            assert_eq!(f64::from(mean) + f64::from(residual), f64::from(pivot) + f64::from(shift));
        }
    }

    #[test]
    fn what_is_not_good() {
        let good = |sum, square| centred([sum; 4], [square; 4], 0.25, 1e-5).good;
        assert!(good(0.0, 4.0) && good(0.0, 0.0));
        assert!(!good(0.0, f32::INFINITY) && !good(f32::NAN, 1.0) && !good(40.0, 401.0));
        let good = |square, eps| plain([0.0, 0.0, square, 0.0], 0.25, eps).good;
        assert!(good(4.0, 1e-6) && good(0.0, 1e-6) && !good(4.0, 0.0) && !good(f32::NAN, 1e-6) && !good(1e38, 1e-6));
    }
}
