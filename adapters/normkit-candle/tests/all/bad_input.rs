//! What does not fit is an error of candle's, which names the argument, what was expected and what was found.

use crate::{message, values};
use candle_core::{DType, Device, Module, ModuleT, Result, Tensor};
use normkit::norm;
use normkit_candle::{BatchNorm, GroupNorm, InstanceNorm, LayerNorm, Norm, NormOp, RmsNorm, batch_norm, group_norm};

#[track_caller]
fn refused<T>(result: Result<T>, expected: &str) {
    assert_eq!(message(result), expected);
}

fn ones(n: usize, dtype: DType) -> Tensor {
    Tensor::ones(n, dtype, &Device::Cpu).unwrap()
}

#[test]
fn rows() -> Result<()> {
    let rms = RmsNorm::new(ones(64, DType::F32), 1e-6);
    let x = values(1, &[2, 64])?;
    refused(rms.forward(&values(1, &[2, 65])?), "rms: `weight`: expected 65 elements, found 64");
    refused(
        rms.forward(&values(1, &[])?),
        "rms: `x`: expected 4 axes, or more that are merged into those, found [] with strides []",
    );
    refused(rms.forward(&x.to_dtype(DType::F64)?), "rms: `weight`: expected elements of f64, found f32");
    refused(rms.forward(&x.to_dtype(DType::U32)?), "rms: `x`: expected elements of f32 | f64 | f16 | bf16, found u32");
    refused(
        RmsNorm::new(ones(64, DType::F32), -1.0).forward(&x),
        "rms: `eps`: expected a finite number >= 0, found -1",
    );
    let short = LayerNorm::new(ones(64, DType::F32), ones(63, DType::F32), 1e-5);
    refused(short.forward(&x), "layer: `bias`: expected 64 elements, found 63");
    let half = LayerNorm::new(ones(64, DType::F32), ones(64, DType::BF16), 1e-5);
    refused(half.forward(&x), "layer: `bias`: expected elements of f32, found bf16");
    Ok(())
}

#[test]
fn channels() -> Result<()> {
    let (one, images) = (|| ones(6, DType::F32), values(2, &[2, 6, 3, 3])?);
    let group = GroupNorm::new(one(), one(), 6, 2, 1e-5)?;
    refused(
        group.forward(&values(2, &[2, 5, 3])?),
        "group: `x`: expected [N, 6, ...] of at least 3 axes, found [2, 5, 3]",
    );
    refused(group.forward(&values(2, &[2, 6])?), "group: `x`: expected [N, 6, ...] of at least 3 axes, found [2, 6]");
    refused(GroupNorm::new(one(), one(), 6, 0, 1e-5), "group: expected at least 1 group, found 0");
    refused(GroupNorm::new(one(), one(), 6, 4, 1e-5), "GroupNorm: num_groups (4) must divide num_channels (6)");
    refused(
        GroupNorm::new(one(), ones(5, DType::F32), 6, 2, 1e-5)?.forward(&images),
        "group: `bias`: expected 6 elements, found 5",
    );
    refused(InstanceNorm::new(one(), ones(5, DType::F32), 6, 1e-5), "instance: `bias`: expected shape [6], found [5]");
    refused(
        InstanceNorm::new_no_affine(5, 1e-5).forward(&images),
        "instance: `x`: expected [N, 5, ...] of at least 3 axes, found [2, 6, 3, 3]",
    );

    let batch = BatchNorm::new(6, one(), one(), one(), one(), 1e-5)?;
    refused(batch.forward_t(&values(2, &[6])?, false), "batch: `x`: expected [N, 6] or [N, 6, ...], found [6]");
    refused(batch.forward_train(&values(2, &[2, 5])?), "batch: `x`: expected [N, 6] or [N, 6, ...], found [2, 5]");
    let alone = "batch: `x`: expected more than one value per channel in training, found 1";
    refused(batch.forward_train(&values(2, &[1, 6])?), alone);
    refused(batch.forward_train(&values(2, &[1, 6, 1, 1])?), alone);
    assert_eq!(batch.running_var().to_vec1::<f32>()?, [1.0; 6], "nothing has changed");
    let negative = BatchNorm::new(6, one(), one().neg()?, one(), one(), 1e-5)?;
    refused(
        negative.forward_t(&images, false),
        "batch: `running_var`: expected variances of at least 0, found -1 at channel 0",
    );
    Ok(())
}

/// Constructors read what candle's read, and refuse what they refuse.
#[test]
fn checkpoints() -> Result<()> {
    let vb = |tensors: &[(&str, usize)]| {
        let tensors = tensors.iter().map(|(name, n)| (name.to_string(), ones(*n, DType::F32))).collect();
        candle_nn::VarBuilder::from_tensors(tensors, DType::F32, &Device::Cpu)
    };
    assert!(normkit_candle::layer_norm(64, 1e-5, vb(&[("gamma", 64), ("beta", 64)])).is_ok());
    assert!(normkit_candle::layer_norm_no_bias(64, 1e-5, vb(&[("weight", 64)])).is_ok());
    assert!(normkit_candle::rms_norm(64, 1e-5, vb(&[("weight", 64)])).is_ok());
    let missing = message(normkit_candle::layer_norm(64, 1e-5, vb(&[("weight", 64)])));
    assert!(missing.contains("bias"), "{missing}");
    let size = message(normkit_candle::rms_norm(64, 1e-5, vb(&[("weight", 63)])));
    assert!(size.contains("63") && size.contains("64"), "{size}");
    assert!(group_norm(2, 6, 1e-5, vb(&[("weight", 6)])).is_err());
    assert!(batch_norm(6, 1e-5, vb(&[("weight", 6), ("bias", 6)])).is_err());
    Ok(())
}

#[test]
fn operations() -> Result<()> {
    let x = values(3, &[2, 8])?;
    let layer = NormOp::new(norm!(kind = "layer", shape = [_, 8]).kernel());
    let w = ones(8, DType::F32);
    refused(layer.forward(&x, &[&w]), "layer: expected 2 parameters (weight, bias), found 1");
    refused(layer.forward(&x, &[&w, &w, &w]), "layer: expected 2 parameters (weight, bias), found 3");
    refused(layer.forward(&values(3, &[2, 9])?, &[&w, &w]), "layer: `x`: expected size 8 along axis 1, found 9");
    refused(layer.forward(&x.to_dtype(DType::BF16)?, &[&w, &w]), "layer: `x`: expected elements of f32, found bf16");
    refused(layer.forward_fixed(&x, &w, &w, &[&w, &w]), "layer: a kernel of kind `layer` has no pass `infer`");
    refused(layer.forward_train(&x, &[&w, &w]), "layer: only batch normalization keeps the statistics of a batch");

    let family = NormOp::new(norm!(kind = "rms", shape = [_, 8 | 16]).kernel());
    refused(
        family.forward(&values(3, &[2, 9])?, &[&ones(9, DType::F32)]),
        "rms: `x`: expected one of the sizes [8, 16], found 9",
    );
    let batch = NormOp::new(norm!(kind = "batch", shape = [_, 8]).kernel());
    refused(
        Norm::new(batch, vec![w.clone(), w.clone()]),
        "batch: a module takes kernels of x, without running statistics; this kind has `NormOp`",
    );
    refused(Norm::new(layer, vec![w]), "layer: expected 2 parameters (weight, bias), found 1");
    Ok(())
}
