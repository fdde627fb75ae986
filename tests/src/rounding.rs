//! What half types hold, said in `f64` and without their own conversions.

use normkit::Element;

/// A floating-point format.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Format {
    /// Bits after the point.
    mantissa: i32,
    /// The exponent of the smallest normal number.
    smallest: i32,
    /// The exponent of the largest.
    largest: i32,
}

/// Of the elements that could be rounded exactly, one in so many may not be: where the true value is all but halfway, the error of
/// `f32` decides.
const INEXACT: usize = 50;

impl Format {
    /// IEEE 754's binary16.
    pub const F16: Format = Format { mantissa: 10, smallest: -14, largest: 15 };
    /// The upper half of `f32`.
    pub const BF16: Format = Format { mantissa: 7, smallest: -126, largest: 127 };

    /// That of a half type.
    #[must_use]
    pub fn of<T: Element>() -> Option<Self> {
        match T::NAME {
            "f16" => Some(Self::F16),
            "bf16" => Some(Self::BF16),
            _ => None,
        }
    }

    /// Half the distance between neighbours where `value` lies.
    #[must_use]
    pub fn half_ulp(self, value: f64) -> f64 {
        let exponent = ((value.abs().to_bits() >> 52) as i32 - 1023).clamp(self.smallest, self.largest);
        2_f64.powi(exponent - self.mantissa - 1)
    }

    /// The nearest value of the format, ties to even.
    #[must_use]
    pub fn round(self, value: f64) -> f64 {
        if !value.is_finite() {
            return value;
        }
        let ulp = 2.0 * self.half_ulp(value);
        // A power of two, so neither the division nor the product rounds.
        let rounded = (value / ulp).round_ties_even() * ulp;
        if rounded.abs() >= 2_f64.powi(self.largest + 1) { f64::INFINITY.copysign(value) } else { rounded }
    }

    /// Fails unless each element is what the expected value is rounded to, but for the error of the arithmetic before it, which may
    /// be `tolerance` of the larger of `scale` and the largest value expected; and unless nearly all are exactly that.
    ///
    /// # Panics
    /// If they are not.
    #[track_caller]
    pub fn rounded_once(self, what: &str, found: &[f64], expected: &[f64], scale: f64, tolerance: f64) {
        let largest = expected.iter().filter(|e| e.is_finite()).fold(scale, |m, e| m.max(e.abs()));
        let slack = tolerance * largest;
        let (mut judged, mut inexact) = (0, 0);
        for (i, (&f, &e)) in found.iter().zip(expected).enumerate() {
            let (rounded, half_ulp) = (self.round(e), self.half_ulp(e));
            if f == rounded || (f.is_nan() && e.is_nan()) {
                judged += 1;
                continue;
            }
            // Past the largest number, one ulp on is infinity.
            let placed = if f.is_infinite() { 2_f64.powi(self.largest + 1).copysign(f) } else { f };
            let error = (placed - e).abs();
            let bound = half_ulp * (1.0 + 1e-9) + slack;
            assert!(error <= bound, "{what}: [{i}] is {f:e}, not {e:e} rounded to {rounded:e}: {error:e} of {bound:e}");
            // Where the type is nearly as fine as the arithmetic, its last place is anyone's.
            if half_ulp > 20.0 * slack {
                judged += 1;
                inexact += 1;
            }
        }
        assert!(
            inexact <= 1 + judged / INEXACT,
            "{what}: {inexact} of {judged} elements are not rounded to the nearest"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use normkit::{bf16, f16};

    /// All values of a type, and those halfway between neighbours.
    fn all<T: Element>(format: Format, of_bits: fn(u16) -> T) {
        let value = |bits| crate::wide(of_bits(bits));
        for bits in 0..=u16::MAX - 1 {
            let (this, next) = (value(bits), value(bits + 1));
            assert_eq!(format.round(this).to_bits(), this.to_bits(), "{bits:#x}");
            if !this.is_finite() || !next.is_finite() || this.signum() != next.signum() {
                continue;
            }
            let even = if bits % 2 == 0 { this } else { next };
            let middle = this + (next - this) / 2.0;
            assert_eq!(format.round(middle), even, "{bits:#x}");
            for (near, result) in [(middle.next_down(), this.min(next)), (middle.next_up(), this.max(next))] {
                assert_eq!(format.round(near), result, "{bits:#x}");
            }
            assert_eq!(format.half_ulp(middle), (next - this).abs() / 2.0, "{bits:#x}");
        }
        assert_eq!(T::NAME, if format == Format::F16 { "f16" } else { "bf16" });
    }

    #[test]
    fn rounds_to_the_nearest() {
        all(Format::F16, f16::from_bits);
        all(Format::BF16, bf16::from_bits);
        assert_eq!((Format::F16.round(65519.9), Format::F16.round(65520.0)), (65504.0, f64::INFINITY));
        assert_eq!(Format::F16.round(-70000.0), f64::NEG_INFINITY);
    }

    #[test]
    fn what_is_not_rounded_to_the_nearest_is_noticed() {
        let mut numbers = crate::Numbers(1);
        let expected = numbers.normal(1000, 0.0, 1.0);
        for format in [Format::F16, Format::BF16] {
            let passes = |round: &dyn Fn(f64) -> f64| {
                let found: Vec<f64> = expected.iter().map(|&e| round(e)).collect();
                std::panic::catch_unwind(|| format.rounded_once("y", &found, &expected, 1.0, 2e-6)).is_ok()
            };
            assert!(passes(&|e| format.round(e)));
            // The error of good arithmetic before it.
            assert!(passes(&|e| format.round(e * (1.0 + 2e-7))));
            // Rounded to fewer bits before that; truncated; not at all.
            let finer = Format { mantissa: format.mantissa + 3, ..format };
            assert!(!passes(&|e| format.round(finer.round(e))));
            assert!(!passes(&|e| format.round(e - format.half_ulp(e).copysign(e))));
            assert!(!passes(&|_| f64::NAN));
        }
    }
}
