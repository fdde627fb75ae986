//! Half types against f64 over the same, rounded numbers: computed in f32, rounded once.

use crate::slow_path::{affine, group, layer, normalized, rms, rms_slow};
use crate::{check, numbers, tracked, values};
use burn::tensor::{DType, Tensor};

/// One rounding, to 11 and to 8 bits.
const HALVES: [(DType, f64); 2] = [(DType::F16, 6e-4), (DType::BF16, 4.5e-3)];

#[test]
fn rows() {
    for n in [63, 64, 100, 768, 2048] {
        let (x, params) = (values(1, &[5, n]), [values(2, &[n]), values(3, &[n])]);
        for of in HALVES {
            check::<2>(
                &format!("rms of {n}"),
                of,
                &x,
                &params[..1],
                &|x, params| rms(params, 1e-6).forward(x),
                &|x, params| rms_slow(x, &params[0], 1e-6),
            );
            check::<2>(
                &format!("layer of {n}"),
                of,
                &x,
                &params,
                &|x, params| layer(params, 1e-5).forward(x),
                &|x, params| affine(normalized(x, &[1], 1e-5), params, 1),
            );
        }
    }
}

#[test]
fn groups() {
    let (x, params) = (values(4, &[2, 6, 5, 5]), [values(5, &[6]), values(6, &[6])]);
    for of in HALVES {
        check::<4>("groups", of, &x, &params, &|x, params| group(params, 6, 2, 1e-5).forward(x), &|x, params| {
            affine(normalized::<3>(x.reshape([2, 2, 75]), &[2], 1e-5).reshape([2, 6, 5, 5]), params, 1)
        });
    }
}

/// A long sum: the gradient of the bias over many rows is exact to one rounding, where sums in bf16 stop growing at 256.
#[test]
fn gradients_of_many_rows() {
    let x = values(7, &[5000, 64]).tensor::<2>(DType::BF16, &tracked());
    let params = [values(8, &[64]).var(DType::BF16), values(9, &[64]).var(DType::BF16)];
    let grads = layer(&params, 1e-5).forward(x).sum().backward();
    let dbias = numbers::<1>(&params[1].grad(&grads).expect("a gradient")).values;
    assert!(dbias.iter().all(|value| (value - 5000.0).abs() <= 16.0), "{dbias:?}");
}

/// Numbers whose squares no f16 holds.
#[test]
fn squares_beyond_f16() {
    let x = values(10, &[4, 96]).map(|value| value * 1e4);
    check::<2>(
        "large numbers",
        HALVES[0],
        &x,
        &[values(11, &[96])],
        &|x, params| rms(params, 1e-6).forward(x),
        &|x, params: &[Tensor<1>]| rms_slow(x, &params[0], 1e-6),
    );
}
