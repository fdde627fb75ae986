//! Kernels of a user's own as operations: every form, and types that the modules do not mix.

use crate::{F32, F64, check, compare, gradients, message, values, var};
use candle_core::{DType, Device, Module, Result, Tensor, Var};
use candle_nn::ops::{layer_norm_slow, rms_norm_slow};
use normkit::{NormLayer, TensorMut, norm, normalize};
use normkit_candle::{Norm, NormOp};

/// Normalized over these axes, by candle's operations.
fn normalized(x: &Tensor, axes: &[usize], eps: f64) -> Result<Tensor> {
    let centred = x.broadcast_sub(&x.mean_keepdim(axes)?)?;
    centred.broadcast_div(&(centred.sqr()?.mean_keepdim(axes)? + eps)?.sqrt()?)
}

#[test]
fn without_parameters() -> Result<()> {
    let op =
        NormOp::new(norm!(kind = "layer", shape = [_, 24], affine = false, eps = 1e-3, allow(eps_unusual)).kernel());
    assert_eq!(op.eps(), 1e-3);
    check(
        "no parameters",
        F32,
        &[values(1, &[5, 24])?],
        |v| op.forward(&v[0], &[]),
        |v| normalized(&v[0], &[1], 1e-3),
    )?;
    let op = op.with_eps(0.5);
    check("another eps", F32, &[values(1, &[5, 24])?], |v| op.forward(&v[0], &[]), |v| normalized(&v[0], &[1], 0.5))
}

/// Over several of the last axes, with parameters of that shape.
#[test]
fn over_several_axes() -> Result<()> {
    let op = NormOp::new(norm!(kind = "layer", shape = [_, 4, 6], axis = 1.., dtype = f64).kernel());
    let inputs = [values(2, &[3, 2, 4, 6])?, values(3, &[4, 6])?, values(4, &[4, 6])?];
    check(
        "layer over two axes",
        F64,
        &inputs,
        |v| op.forward(&v[0], &[&v[1], &v[2]]),
        |v| normalized(&v[0], &[2, 3], 1e-5)?.broadcast_mul(&v[1])?.broadcast_add(&v[2]),
    )
}

/// Over axis 1 of an image: not the last.
#[test]
fn over_axes_in_the_middle() -> Result<()> {
    let op = NormOp::new(norm!(kind = "layer", shape = [_, 12, _, _], axis = 1).kernel());
    let inputs = [values(5, &[2, 12, 3, 5])?, values(6, &[12])?, values(7, &[12])?];
    let affine =
        |y: Tensor, v: &[Var]| y.broadcast_mul(&v[1].reshape((12, 1, 1))?)?.broadcast_add(&v[2].reshape((12, 1, 1))?);
    check(
        "layer over axis 1",
        F32,
        &inputs,
        |v| op.forward(&v[0], &[&v[1], &v[2]]),
        |v| affine(normalized(&v[0], &[1], 1e-5)?, v),
    )
}

/// Channels last, as no module has them.
#[test]
fn channels_last() -> Result<()> {
    let op = NormOp::new(norm!(kind = "batch", shape = [_, _, 10], axis = -1).kernel());
    let inputs = [values(8, &[3, 4, 5, 10])?, values(9, &[10])?, values(10, &[10])?];
    check(
        "batch, channels last",
        F32,
        &inputs,
        |v| op.forward(&v[0], &[&v[1], &v[2]]),
        |v| normalized(&v[0], &[0, 1, 2], 1e-5)?.broadcast_mul(&v[1])?.broadcast_add(&v[2]),
    )
}

/// `x` and the parameter are `weight_v` and `weight_g`.
#[test]
fn weights() -> Result<()> {
    let inputs = [values(11, &[7, 20])?, values(12, &[7])?];
    let theirs = |v: &[Var]| {
        let lengths = v[0].sqr()?.sum_keepdim(1)?.sqrt()?;
        v[0].broadcast_div(&lengths)?.broadcast_mul(&v[1].reshape((7, 1))?)
    };
    let op = NormOp::new(norm!(kind = "weight", shape = [7, 20]).kernel());
    check("weight", F32, &inputs, |v| op.forward(&v[0], &[&v[1]]), theirs)?;
    let op = NormOp::new(norm!(kind = "weight", shape = [_, _], dtype = bf16, param = bf16).kernel());
    check("weight", (DType::BF16, 4.5e-3), &inputs, |v| op.forward(&v[0], &[&v[1]]), theirs)
}

/// One kernel for two types of `x`, with parameters of a third.
#[test]
fn several_types() -> Result<()> {
    let op = NormOp::new(norm!(kind = "rms", shape = [_, 40 | _], dtype = f32 | bf16, param = f16).kernel());
    for n in [40, 41] {
        let weight = var(&values(13, &[n])?, DType::F16)?;
        let exact = var(weight.as_tensor(), DType::F64)?;
        for (dtype, bound) in [F32, (DType::BF16, 4.5e-3)] {
            let x = var(&values(14, &[6, n])?, dtype)?;
            let wide = var(x.as_tensor(), DType::F64)?;
            let (got, expected) = (op.forward(&x, &[&weight])?, rms_norm_slow(&wide, &exact, 1e-6)?);
            compare("y", &got, &expected, bound);
            let dy = values(15, &[6, n])?.to_dtype(dtype)?;
            let (got, expected) = (gradients(&got, &dy, &[&x, &weight])?, gradients(&expected, &dy, &[&wide, &exact])?);
            assert_eq!((got[0].dtype(), got[1].dtype()), (dtype, DType::F16));
            compare("dx", &got[0], &expected[0], 2.0 * bound);
            compare("dweight", &got[1], &expected[1], 1e-3);
        }
    }
    Ok(())
}

#[normalize(kind = "layer", shape = [_, 30], eps = 1e-4, allow(eps_unusual))]
struct Hidden;

#[test]
fn annotated_layers() -> Result<()> {
    let mut layer = Hidden::new();
    for (seed, (_, param)) in layer.params_mut().into_iter().enumerate() {
        let TensorMut::F32(param) = param else { unreachable!("f32 by default") };
        param.copy_from_slice(&values(seed as u64, &[30])?.to_vec1::<f32>()?);
    }
    let norm = Norm::from_layer(Hidden::KERNEL, &layer, &Device::Cpu)?;
    let x = values(16, &[4, 30])?;
    let (y, mut expected) = (norm.forward(&x)?, vec![0.0; 4 * 30]);
    layer.forward(&x.flatten_all()?.to_vec1::<f32>()?, &mut expected).unwrap();
    assert_eq!(y.flatten_all()?.to_vec1::<f32>()?, expected);
    let [weight, bias] = &norm.vars()?[..] else { panic!("weight and bias") };
    compare("y", &y, &layer_norm_slow(&x, weight, bias, 1e-4)?, 1e-6);

    let other = norm!(kind = "layer", shape = [_, 30], eps = 1e-5).kernel();
    let error = message(Norm::from_layer(other, &layer, &Device::Cpu));
    assert!(error.contains("eps: 1e-5") && error.contains("eps: 0.0001"), "{error}");

    let loaded = {
        let vars = candle_nn::VarMap::new();
        let vb = candle_nn::VarBuilder::from_varmap(&vars, DType::F32, &Device::Cpu);
        Norm::load(NormOp::new(Hidden::KERNEL), 30, vb)?
    };
    compare("fresh parameters", &loaded.forward(&x)?, &normalized(&x, &[1], 1e-4)?, 1e-6);
    Ok(())
}

/// Only what has a graph gets a gradient, and two backward passes of one forward pass give the same.
#[test]
fn gradients_of_what_is_asked_for() -> Result<()> {
    let op = NormOp::new(norm!(kind = "layer", shape = [_, 30]).kernel());
    let (x, weight, bias) =
        (var(&values(17, &[4, 30])?, DType::F32)?, var(&values(18, &[30])?, DType::F32)?, values(19, &[30])?);
    let loss = op.forward(x.as_tensor(), &[&weight, &bias])?.sqr()?.sum_all()?;
    let (once, again) = (loss.backward()?, loss.backward()?);
    assert!(once.get(&bias).is_none());
    for var in [&x, &weight] {
        compare("again", again.get(var).unwrap(), once.get(var).unwrap(), 0.0);
    }
    let detached = op.forward(&x.as_detached_tensor(), &[&weight, &bias])?.sqr()?.sum_all()?.backward()?;
    compare("of the weight alone", detached.get(&weight).unwrap(), once.get(&weight).unwrap(), 0.0);
    assert!(!op.forward(&x.as_detached_tensor(), &[&bias, &bias])?.track_op());
    Ok(())
}
