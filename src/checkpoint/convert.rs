//! Elements: from bytes to numbers, from numbers to the parameter's type, and from parameters to bytes.

use norm_runtime::{Tensor, TensorMut, bf16, f16};
use safetensors::Dtype;

/// The bytes of elements as numbers, exactly; `None` for types that are none of ours.
pub(super) fn decode(dtype: Dtype, bytes: &[u8]) -> Option<Vec<f64>> {
    fn each<const N: usize>(bytes: &[u8], number: impl Fn([u8; N]) -> f64) -> Vec<f64> {
        bytes.as_chunks().0.iter().map(|element| number(*element)).collect()
    }
    Some(match dtype {
        Dtype::F16 => each(bytes, |b| f16::from_le_bytes(b).to_f64()),
        Dtype::BF16 => each(bytes, |b| bf16::from_le_bytes(b).to_f64()),
        Dtype::F32 => each(bytes, |b| f32::from_le_bytes(b).into()),
        Dtype::F64 => each(bytes, f64::from_le_bytes),
        _ => return None,
    })
}

/// `value` rounded to the type that the parameter is of.
pub(super) fn rounded(value: f64, param: &TensorMut<'_>) -> f64 {
    match param {
        TensorMut::F16(_) => f16::from_f32(to_odd(value)).to_f64(),
        TensorMut::Bf16(_) => bf16::from_f32(to_odd(value)).to_f64(),
        TensorMut::F32(_) => f64::from(nearest(value)),
        _ => value,
    }
}

#[allow(clippy::cast_possible_truncation, reason = "rounding to the nearest is what is asked for")]
fn nearest(value: f64) -> f32 {
    value as f32
}

/// `value` in f32, rounded to the neighbour whose last bit is 1 where it is not exact. It can be rounded again to a type with fewer
/// bits, and that is as if it had been rounded once: what is left of `value` can be taken for no tie.
fn to_odd(value: f64) -> f32 {
    let near = nearest(value);
    if f64::from(near) == value || near.is_nan() {
        return near;
    }
    let below = if f64::from(near).abs() > value.abs() { near.to_bits() - 1 } else { near.to_bits() };
    f32::from_bits(below | 1)
}

/// Writes numbers that [`rounded`] gave to a parameter.
pub(super) fn write(values: &[f64], param: &mut TensorMut<'_>) {
    fn each<T>(values: &[f64], to: &mut [T], element: impl Fn(f64) -> T) {
        to.iter_mut().zip(values).for_each(|(to, &value)| *to = element(value));
    }
    match param {
        TensorMut::F16(to) => each(values, to, f16::from_f64),
        TensorMut::Bf16(to) => each(values, to, bf16::from_f64),
        TensorMut::F32(to) => each(values, to, nearest),
        TensorMut::F64(to) => each(values, to, |value| value),
        _ => {}
    }
}

/// The type of a parameter and its elements as bytes; `None` for what a later version may add.
pub(super) fn encode(tensor: Tensor<'_>) -> Option<(Dtype, Vec<u8>)> {
    Some(match tensor {
        Tensor::F16(values) => (Dtype::F16, values.iter().flat_map(|v| v.to_le_bytes()).collect()),
        Tensor::Bf16(values) => (Dtype::BF16, values.iter().flat_map(|v| v.to_le_bytes()).collect()),
        Tensor::F32(values) => (Dtype::F32, values.iter().flat_map(|v| v.to_le_bytes()).collect()),
        Tensor::F64(values) => (Dtype::F64, values.iter().flat_map(|v| v.to_le_bytes()).collect()),
        Tensor::I64(values) => (Dtype::I64, values.iter().flat_map(|v| v.to_le_bytes()).collect()),
        _ => return None,
    })
}

/// The name of a parameter's type.
pub(super) fn type_name(param: &TensorMut<'_>) -> &'static str {
    match param {
        TensorMut::F16(_) => "f16",
        TensorMut::Bf16(_) => "bf16",
        TensorMut::F32(_) => "f32",
        TensorMut::F64(_) => "f64",
        TensorMut::I64(_) => "i64",
        _ => "another type",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounded_once_where_twice_is_another_number() {
        let (mut halves, mut brains) = ([f16::ZERO], [bf16::ZERO]);
        let up = |exponent: i32| 1.0 + 2.0_f64.powi(exponent);
        // Just above the tie between 1 and its successor, by less than f32 has: up. On it: to the even one, which is 1.
        assert_eq!(rounded(up(-11) + 2.0_f64.powi(-50), &TensorMut::F16(&mut halves)), up(-10));
        assert_eq!(rounded(up(-11), &TensorMut::F16(&mut halves)), 1.0);
        assert_eq!(rounded(up(-11) - 2.0_f64.powi(-50), &TensorMut::F16(&mut halves)), 1.0);
        assert_eq!(rounded(-up(-8) - 2.0_f64.powi(-50), &TensorMut::Bf16(&mut brains)), -up(-7));
        assert_eq!(rounded(up(-8), &TensorMut::Bf16(&mut brains)), 1.0);
        // Below the tie between 1 + 2^-10 and 1 + 2^-9, which is to go up.
        assert_eq!(rounded(up(-10) + 2.0_f64.powi(-11) - 2.0_f64.powi(-50), &TensorMut::F16(&mut halves)), up(-10));
        assert_eq!(rounded(up(-10) + 2.0_f64.powi(-11), &TensorMut::F16(&mut halves)), up(-9));
    }

    #[test]
    fn ends_of_the_ranges() {
        let (mut halves, mut brains, mut singles) = ([f16::ZERO], [bf16::ZERO], [0.0_f32]);
        for (value, half, brain, single) in [
            (65519.99, 65504.0, 65536.0, f64::from(65519.99_f32)),
            (65520.0, f64::INFINITY, 65536.0, 65520.0),
            (1e39, f64::INFINITY, f64::INFINITY, f64::INFINITY),
            (-1e300, f64::NEG_INFINITY, f64::NEG_INFINITY, f64::NEG_INFINITY),
            (2.0_f64.powi(-25), 0.0, 2.0_f64.powi(-25), 2.0_f64.powi(-25)),
            (2.0_f64.powi(-25) + 2.0_f64.powi(-70), 2.0_f64.powi(-24), 2.0_f64.powi(-25), 2.0_f64.powi(-25)),
            (1e-300, 0.0, 0.0, 0.0),
            (-0.0, -0.0, -0.0, -0.0),
        ] {
            let found = [
                rounded(value, &TensorMut::F16(&mut halves)),
                rounded(value, &TensorMut::Bf16(&mut brains)),
                rounded(value, &TensorMut::F32(&mut singles)),
            ];
            assert_eq!(found.map(f64::to_bits), [half, brain, single].map(f64::to_bits), "{value:e}: {found:?}");
        }
        assert!(rounded(f64::NAN, &TensorMut::F16(&mut halves)).is_nan());
    }
}
