//! Half types against f64 over the same, rounded numbers: computed in f32, rounded once.

use crate::{check, values};
use candle_core::{DType, Module, Result, Tensor, Var};
use candle_nn::ops::{layer_norm_slow, rms_norm_slow};
use normkit_candle::{GroupNorm, LayerNorm, RmsNorm};

/// One rounding, to 11 and to 8 bits.
const HALVES: [(DType, f64); 2] = [(DType::F16, 6e-4), (DType::BF16, 4.5e-3)];

fn tensor(var: &Var) -> Tensor {
    var.as_tensor().clone()
}

#[test]
fn rows() -> Result<()> {
    for n in [63, 64, 100, 768, 2048] {
        let inputs = [values(1, &[5, n])?, values(2, &[n])?, values(3, &[n])?];
        for of in HALVES {
            check(
                &format!("rms of {n}"),
                of,
                &inputs[..2],
                |v| RmsNorm::new(tensor(&v[1]), 1e-6).forward(&v[0]),
                |v| rms_norm_slow(&v[0], &v[1], 1e-6),
            )?;
            check(
                &format!("layer of {n}"),
                of,
                &inputs,
                |v| LayerNorm::new(tensor(&v[1]), tensor(&v[2]), 1e-5).forward(&v[0]),
                |v| layer_norm_slow(&v[0], &v[1], &v[2], 1e-5),
            )?;
        }
    }
    Ok(())
}

#[test]
fn groups() -> Result<()> {
    let inputs = [values(4, &[2, 6, 5, 5])?, values(5, &[6])?, values(6, &[6])?];
    for of in HALVES {
        check(
            "groups",
            of,
            &inputs,
            |v| GroupNorm::new(tensor(&v[1]), tensor(&v[2]), 6, 2, 1e-5)?.forward(&v[0]),
            |v| candle_nn::GroupNorm::new(tensor(&v[1]), tensor(&v[2]), 6, 2, 1e-5)?.forward(&v[0]),
        )?;
    }
    Ok(())
}

/// A long sum: the gradient of the bias over many rows is exact to one rounding, where sums in bf16 stop growing at 256.
#[test]
fn gradients_of_many_rows() -> Result<()> {
    let (x, ones) =
        (values(7, &[5000, 64])?.to_dtype(DType::BF16)?, Tensor::ones(64, DType::BF16, &candle_core::Device::Cpu)?);
    let (weight, bias) = (Var::from_tensor(&ones)?, Var::from_tensor(&ones)?);
    let y = LayerNorm::new(tensor(&weight), tensor(&bias), 1e-5).forward(&x)?;
    let grads = y.backward()?;
    let dbias = crate::numbers(grads.get(&bias).expect("a gradient"))?;
    assert!(dbias.iter().all(|value| (value - 5000.0).abs() <= 16.0), "{dbias:?}");
    Ok(())
}
