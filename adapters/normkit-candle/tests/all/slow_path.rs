//! Forward and every gradient against candle's layers composed of tensor operations, in f64.

use crate::{F32, F64, check, values};
use candle_core::{D, DType, Module, ModuleT, Result, Tensor, Var};
use candle_nn::LayerNormConfig;
use candle_nn::ops::{layer_norm_slow, rms_norm_slow};
use normkit_candle::{BatchNorm, GroupNorm, InstanceNorm, LayerNorm, RmsNorm};

/// As candle's slow paths take it.
const EPS: f32 = 1e-5;

fn tensor(var: &Var) -> Tensor {
    var.as_tensor().clone()
}

/// Sizes with a kernel of their own, and such without.
const SIZES: [usize; 11] = [7, 63, 64, 96, 100, 128, 768, 769, 1000, 2048, 8192];

#[test]
fn rows_of_all_sizes() -> Result<()> {
    for n in SIZES {
        let inputs = [values(1, &[2, 3, n])?, values(2, &[n])?, values(3, &[n])?];
        for of in [F32, F64] {
            check(
                &format!("rms of {n}"),
                of,
                &inputs[..2],
                |v| RmsNorm::new(tensor(&v[1]), EPS.into()).forward(&v[0]),
                |v| rms_norm_slow(&v[0], &v[1], EPS),
            )?;
            check(
                &format!("layer of {n}"),
                of,
                &inputs,
                |v| LayerNorm::new(tensor(&v[1]), tensor(&v[2]), EPS.into()).forward(&v[0]),
                |v| layer_norm_slow(&v[0], &v[1], &v[2], EPS),
            )?;
            check(
                &format!("layer of {n} without bias"),
                of,
                &inputs[..2],
                |v| LayerNorm::new_no_bias(tensor(&v[1]), EPS.into()).forward(&v[0]),
                |v| layer_norm_slow(&v[0], &v[1], &v[1].zeros_like()?, EPS),
            )?;
        }
    }
    Ok(())
}

#[test]
fn rows_of_all_ranks() -> Result<()> {
    for dims in [&[100][..], &[4, 100], &[2, 3, 100], &[2, 3, 2, 100], &[2, 1, 2, 3, 100]] {
        let (x, weight) = (values(4, dims)?, values(5, &[100])?);
        check(
            &format!("rms of {dims:?}"),
            F32,
            &[x, weight],
            |v| RmsNorm::new(tensor(&v[1]), EPS.into()).forward(&v[0]),
            |v| rms_norm_slow(&v[0], &v[1], EPS),
        )?;
    }
    Ok(())
}

/// No rows are normalized into none, and have no gradient but 0.
#[test]
fn no_rows() -> Result<()> {
    for dims in [&[0, 64][..], &[2, 0, 64], &[0, 3, 64]] {
        let (x, weight) = (crate::var(&values(4, dims)?, DType::F32)?, crate::var(&values(5, &[64])?, DType::F32)?);
        let y = RmsNorm::new(tensor(&weight), EPS.into()).forward(&x)?;
        assert_eq!(y.dims(), dims);
        let grads = y.backward()?;
        assert_eq!(grads.get(&x).expect("a gradient").dims(), dims);
        assert_eq!(grads.get(&weight).expect("a gradient").to_vec1::<f32>()?, [0.0; 64]);
    }
    Ok(())
}

/// A layer that does not subtract the mean, with and without a bias.
#[test]
fn layer_norm_without_mean() -> Result<()> {
    use candle_nn::{VarBuilder, VarMap};
    let inputs = [values(6, &[5, 64])?, values(7, &[64])?, values(8, &[64])?];
    for affine in [false, true] {
        let config = LayerNormConfig { eps: EPS.into(), remove_mean: false, affine };
        let make = |v: &[Var]| -> Result<(LayerNorm, candle_nn::LayerNorm)> {
            let names = [("weight", tensor(&v[1])), ("bias", tensor(v.last().unwrap()))];
            let names = names.map(|(name, tensor)| (name.to_string(), tensor)).into();
            let vb = VarBuilder::from_tensors(names, v[0].dtype(), v[0].device());
            Ok((normkit_candle::layer_norm(64, config, vb.clone())?, candle_nn::layer_norm(64, config, vb)?))
        };
        let inputs = if affine { &inputs[..] } else { &inputs[..2] };
        check("layer without mean", F32, inputs, |v| make(v)?.0.forward(&v[0]), |v| make(v)?.1.forward(&v[0]))?;
        let vars = VarMap::new();
        let layer = normkit_candle::layer_norm(
            64,
            config,
            VarBuilder::from_varmap(&vars, DType::F32, &candle_core::Device::Cpu),
        )?;
        assert_eq!((layer.remove_mean(), layer.bias().is_some(), layer.eps()), (false, affine, EPS.into()));
    }
    Ok(())
}

/// The same `x`, normalized over these axes, by candle's operations.
fn normalized(x: &Tensor, axes: &[usize]) -> Result<Tensor> {
    let centred = x.broadcast_sub(&x.mean_keepdim(axes)?)?;
    let variance = centred.sqr()?.mean_keepdim(axes)?;
    centred.broadcast_div(&(variance + f64::from(EPS))?.sqrt()?)
}

/// Weight and bias of each channel.
fn affine(y: &Tensor, weight: &Tensor, bias: &Tensor) -> Result<Tensor> {
    let mut shape = vec![1; y.rank()];
    shape[1] = weight.elem_count();
    y.broadcast_mul(&weight.reshape(&shape[..])?)?.broadcast_add(&bias.reshape(&shape[..])?)
}

#[test]
fn groups() -> Result<()> {
    let forms: [(&[usize], usize); 4] =
        [(&[2, 6, 5, 7], 3), (&[1, 6, 50], 6), (&[3, 64, 4, 4], 32), (&[2, 6, 3, 2, 5], 1)];
    for (dims, groups) in forms {
        let channels = dims[1];
        let inputs = [values(9, dims)?, values(10, &[channels])?, values(11, &[channels])?];
        for of in [F32, F64] {
            check(
                &format!("{groups} groups of {dims:?}"),
                of,
                &inputs,
                |v| GroupNorm::new(tensor(&v[1]), tensor(&v[2]), channels, groups, EPS.into())?.forward(&v[0]),
                |v| {
                    candle_nn::GroupNorm::new(tensor(&v[1]), tensor(&v[2]), channels, groups, EPS.into())?
                        .forward(&v[0])
                },
            )?;
        }
    }
    Ok(())
}

#[test]
fn instances() -> Result<()> {
    for dims in [&[2, 3, 5, 7][..], &[1, 4, 50], &[2, 3, 2, 3, 4]] {
        let channels = dims[1];
        let inputs = [values(12, dims)?, values(13, &[channels])?, values(14, &[channels])?];
        let axes: Vec<usize> = (2..dims.len()).collect();
        for of in [F32, F64] {
            check(
                &format!("instances of {dims:?}"),
                of,
                &inputs,
                |v| InstanceNorm::new(tensor(&v[1]), tensor(&v[2]), channels, EPS.into())?.forward(&v[0]),
                |v| affine(&normalized(&v[0], &axes)?, &v[1], &v[2]),
            )?;
            check(
                &format!("instances of {dims:?}, no parameters"),
                of,
                &inputs[..1],
                |v| InstanceNorm::new_no_affine(channels, EPS.into()).forward(&v[0]),
                |v| normalized(&v[0], &axes),
            )?;
        }
    }
    Ok(())
}

/// Training and inference, several batches one after the other, with what they do to running statistics.
#[test]
fn batches() -> Result<()> {
    for dims in [&[6, 5][..], &[4, 5, 9], &[2, 3, 5, 7], &[2, 3, 2, 3, 4], &[300, 70]] {
        let channels = dims[1];
        let inputs = [values(15, dims)?, values(16, &[channels])?, values(17, &[channels])?];
        let axes: Vec<usize> = (0..dims.len()).filter(|axis| *axis != 1).collect();
        for of in [F32, F64] {
            check(
                &format!("batch of {dims:?}"),
                of,
                &inputs,
                |v| {
                    with_running(
                        of.0,
                        |m, s| BatchNorm::new(channels, m, s, tensor(&v[1]), tensor(&v[2]), EPS.into()),
                        channels,
                    )?
                    .forward_train(&v[0])
                },
                |v| affine(&normalized(&v[0], &axes)?, &v[1], &v[2]),
            )?;
            check(
                &format!("batch of {dims:?}, no parameters"),
                of,
                &inputs[..1],
                |v| {
                    with_running(of.0, |m, s| BatchNorm::new_no_bias(channels, m, s, EPS.into()), channels)?
                        .forward_t(&v[0], true)
                },
                |v| normalized(&v[0], &axes),
            )?;
            check(
                &format!("batch of {dims:?}, inference"),
                of,
                &inputs,
                |v| {
                    with_running(
                        of.0,
                        |m, s| BatchNorm::new(channels, m, s, tensor(&v[1]), tensor(&v[2]), EPS.into()),
                        channels,
                    )?
                    .forward_t(&v[0], false)
                },
                |v| {
                    with_running(
                        DType::F64,
                        |m, s| candle_nn::BatchNorm::new(channels, m, s, tensor(&v[1]), tensor(&v[2]), EPS.into()),
                        channels,
                    )?
                    .forward_t(&v[0], false)
                },
            )?;
        }
    }
    Ok(())
}

/// A layer with running statistics that are neither 0 nor 1.
fn with_running<L>(dtype: DType, make: impl FnOnce(Tensor, Tensor) -> Result<L>, channels: usize) -> Result<L> {
    let mean = values(18, &[channels])?.to_dtype(dtype)?;
    let var = (values(19, &[channels])?.to_dtype(dtype)?.sqr()? + 0.5)?;
    make(mean, var)
}

/// Running statistics follow as candle's do: with the unbiased variance.
#[test]
fn running_statistics_follow() -> Result<()> {
    for (dims, momentum) in [(&[4, 5, 3, 3][..], 0.1), (&[7, 5], 0.25)] {
        let weight = values(20, &[5])?;
        let ours = with_running(
            DType::F32,
            |m, s| BatchNorm::new_with_momentum(5, m, s, weight.clone(), weight.clone(), 1e-5, momentum),
            5,
        )?;
        let weight = weight.to_dtype(DType::F64)?;
        let theirs = with_running(
            DType::F64,
            |m, s| candle_nn::BatchNorm::new_with_momentum(5, m, s, weight.clone(), weight.clone(), 1e-5, momentum),
            5,
        )?;
        for step in 0..4 {
            let x = values(21 + step, dims)?;
            ours.forward_t(&x, true)?;
            theirs.forward_t(&x.to_dtype(DType::F64)?, true)?;
            crate::compare("running mean", ours.running_mean(), theirs.running_mean(), 1e-6);
            crate::compare("running variance", ours.running_var(), theirs.running_var(), 1e-6);
        }
        let before = ours.running_var().to_vec1::<f32>()?;
        ours.forward_t(&values(30, dims)?, false)?;
        ours.forward_t(&values(30, dims)?.narrow(0, 0, 0)?, true)?;
        assert_eq!(
            ours.running_var().to_vec1::<f32>()?,
            before,
            "inference changes nothing, nor does a batch of nothing"
        );
    }
    Ok(())
}

/// Without the mean, training is candle's own.
#[test]
fn batch_without_mean() -> Result<()> {
    use candle_nn::{BatchNormConfig, VarBuilder, VarMap};
    let config = BatchNormConfig { remove_mean: false, ..Default::default() };
    let vb = || VarBuilder::from_varmap(&VarMap::new(), DType::F64, &candle_core::Device::Cpu);
    let x = values(31, &[4, 5, 3])?.to_dtype(DType::F64)?;
    for train in [true, false] {
        let (ours, theirs) = (normkit_candle::batch_norm(5, config, vb())?, candle_nn::batch_norm(5, config, vb())?);
        crate::compare("batch without mean", &ours.forward_t(&x, train)?, &theirs.forward_t(&x, train)?, 1e-14);
    }
    Ok(())
}

/// The last axis, whatever the others are called.
#[test]
fn forward_diff_is_forward() -> Result<()> {
    let norm = RmsNorm::new(values(32, &[64])?, 1e-6);
    let x = values(33, &[3, 64])?;
    assert_eq!(norm.forward_diff(&x)?.to_vec2::<f32>()?, norm.forward(&x)?.to_vec2::<f32>()?);
    assert_eq!(norm.clone().into_inner().forward(&x)?.sum(D::Minus1)?.dims(), [3]);
    Ok(())
}
