//! Kernels of a user's own as operations: every form, and types that the modules do not mix.

use crate::slow_path::{affine, normalized, rms_slow};
use crate::{F32, F64, Numbers, check, compare, numbers, passes, plain, tracked, values};
use burn::backend::GradientCheckpointingStrategy;
use burn::module::Module;
use burn::tensor::{DType, Tensor};
use normkit::{NormLayer, TensorMut, norm, normalize};
use normkit_burn::{Norm, NormOp};

fn two(params: &[Tensor<1>]) -> (Tensor<1>, Tensor<1>) {
    (params[0].clone(), params[1].clone())
}

#[test]
fn without_parameters() {
    let op =
        NormOp::new(norm!(kind = "layer", shape = [_, 24], affine = false, eps = 1e-3, allow(eps_unusual)).kernel());
    assert_eq!(op.eps(), 1e-3);
    let x = values(1, &[5, 24]);
    for (op, eps) in [(op, 1e-3), (op.with_eps(0.5), 0.5)] {
        check::<2>("no parameters", F32, &x, &[], &|x, _| op.forward(x, ()), &|x, _| normalized(x, &[1], eps));
    }
}

/// Over several of the last axes, with parameters of that shape.
#[test]
fn over_several_axes() {
    let op = NormOp::new(norm!(kind = "layer", shape = [_, 4, 6], axis = 1.., dtype = f64).kernel());
    let shaped = |params: &[Tensor<1>]| [0, 1].map(|index| params[index].clone().reshape([4, 6]));
    check::<4>(
        "layer over two axes",
        F64,
        &values(2, &[3, 2, 4, 6]),
        &[values(3, &[24]), values(4, &[24])],
        &|x, params| op.forward(x, shaped(params).to_vec()),
        &|x, params| {
            let [weight, bias] = shaped(params).map(|param: Tensor<2>| param.unsqueeze::<4>());
            normalized(x, &[2, 3], 1e-5) * weight + bias
        },
    );
    let op = NormOp::new(norm!(kind = "layer", shape = [_, 4, 6], axis = 1..).kernel());
    let norm = Norm::init(op, [4, 6], &plain()).unwrap();
    let x = values(2, &[2, 4, 6]);
    let expected = normalized(x.tensor::<3>(DType::F64, &plain()), &[1, 2], 1e-5);
    compare("a module", &numbers(&norm.forward(x.tensor::<3>(DType::F32, &plain()))), &numbers(&expected), F32.1);
    assert_eq!(norm.weight.unwrap().dims(), [4, 6]);
}

/// Over axis 1 of an image: not the last.
#[test]
fn over_axes_in_the_middle() {
    let op = NormOp::new(norm!(kind = "layer", shape = [_, 12, _, _], axis = 1).kernel());
    check::<4>(
        "layer over axis 1",
        F32,
        &values(5, &[2, 12, 3, 5]),
        &[values(6, &[12]), values(7, &[12])],
        &|x, params| op.forward(x, two(params)),
        &|x, params| affine(normalized(x, &[1], 1e-5), params, 1),
    );
}

/// Channels last, as no module has them.
#[test]
fn channels_last() {
    let op = NormOp::new(norm!(kind = "batch", shape = [_, _, 10], axis = -1).kernel());
    check::<4>(
        "channels last",
        F32,
        &values(8, &[3, 4, 5, 10]),
        &[values(9, &[10]), values(10, &[10])],
        &|x, params| op.forward(x, two(params)),
        &|x, params| affine(normalized(x, &[0, 1, 2], 1e-5), params, 3),
    );
}

/// `x` and the parameter are `weight_v` and `weight_g`.
#[test]
fn weights() {
    let theirs = |v: Tensor<2>, params: &[Tensor<1>]| {
        let lengths = (v.clone() * v.clone()).sum_dim(1).sqrt();
        affine(v / lengths, params, 0)
    };
    let (x, params) = (values(11, &[7, 20]), [values(12, &[7])]);
    let op = NormOp::new(norm!(kind = "weight", shape = [7, 20]).kernel());
    check::<2>("weight", F32, &x, &params, &|x, params| op.forward(x, params[0].clone()), &theirs);
    let op = NormOp::new(norm!(kind = "weight", shape = [_, _], dtype = bf16, param = bf16).kernel());
    check::<2>("weight", (DType::BF16, 4.5e-3), &x, &params, &|x, params| op.forward(x, params[0].clone()), &theirs);
}

/// One kernel for two types of `x`, with parameters of a third.
#[test]
fn several_types() {
    let op = NormOp::new(norm!(kind = "rms", shape = [_, 40 | _], dtype = f32 | bf16, param = f16).kernel());
    for n in [40, 41] {
        for (dtype, bound) in [F32, (DType::BF16, 4.5e-3)] {
            let (x, weight) = (values(14, &[6, n]).rounded(dtype), values(13, &[n]).rounded(DType::F16));
            let dy = values(15, &[6, n]).rounded(dtype);
            let theirs = |x: Tensor<2>, params: &[Tensor<1>]| rms_slow(x, &params[0], 1e-6);
            let expected = passes(&theirs, DType::F64, &x, std::slice::from_ref(&weight), &dy);
            let (x, weight) = (x.var::<2>(dtype), weight.var::<1>(DType::F16));
            let y = op.forward(x.clone(), weight.clone());
            let grads = (y.clone() * dy.tensor(dtype, &tracked())).sum().backward();
            let (dx, dweight) = (x.grad(&grads).unwrap(), weight.grad(&grads).unwrap());
            assert_eq!((y.dtype(), dx.dtype(), dweight.dtype()), (dtype, dtype, DType::F16));
            compare("y", &numbers(&y), &expected[0], bound);
            compare("dx", &numbers(&dx), &expected[1], 2.0 * bound);
            compare("dweight", &numbers(&dweight), &expected[2], 1e-3);
        }
    }
}

#[normalize(kind = "layer", shape = [_, 30], eps = 1e-4, allow(eps_unusual))]
struct Hidden;

#[test]
fn annotated_layers() {
    let mut layer = Hidden::new();
    for (seed, (_, param)) in layer.params_mut().into_iter().enumerate() {
        let TensorMut::F32(param) = param else { unreachable!("f32 by default") };
        param.iter_mut().zip(values(seed as u64, &[30]).values).for_each(|(param, value)| *param = value as f32);
    }
    let norm = Norm::from_layer(Hidden::KERNEL, &layer, &plain()).unwrap();
    let x = values(16, &[4, 30]);
    let (y, mut expected) = (norm.forward(x.tensor::<2>(DType::F32, &plain())), vec![0.0; 4 * 30]);
    let flat: Vec<f32> = x.values.iter().map(|value| *value as f32).collect();
    layer.forward(&flat, &mut expected).unwrap();
    assert_eq!(y.into_data().try_into_vec::<f32>().unwrap(), expected);

    let other = norm!(kind = "layer", shape = [_, 30], eps = 1e-5).kernel();
    let error = Norm::from_layer(other, &layer, &plain()).unwrap_err().to_string();
    assert!(error.contains("eps: 1e-5") && error.contains("eps: 0.0001"), "{error}");

    let fresh = Norm::init(NormOp::new(Hidden::KERNEL), [30], &plain()).unwrap();
    assert_eq!(fresh.num_params(), 60);
    let expected = normalized(x.tensor::<2>(DType::F64, &plain()), &[1], 1e-4);
    let y = fresh.forward(x.tensor::<2>(DType::F32, &plain()));
    compare("fresh parameters", &numbers(&y), &numbers(&expected), 1e-6);
}

/// Only what is asked for gets a gradient, and the same whoever else does.
#[test]
fn gradients_of_what_is_asked_for() {
    let op = NormOp::new(norm!(kind = "layer", shape = [_, 30]).kernel());
    let [x, weight, bias] = [values(17, &[4, 30]), values(18, &[30]), values(19, &[30])];
    let run = |x: Tensor<2>, weight: Tensor<1>, bias: Tensor<1>| {
        let y = op.forward(x, (weight, bias));
        (y.clone() * y).sum().backward()
    };
    let (vx, vw, vb) = (x.var::<2>(DType::F32), weight.var::<1>(DType::F32), bias.var::<1>(DType::F32));
    let all = run(vx.clone(), vw.clone(), vb.clone());
    let constant = bias.tensor::<1>(DType::F32, &tracked());
    let some = run(vx.clone(), vw.clone(), constant.clone());
    assert!(constant.grad(&some).is_none());
    // A tensor without autodiff is a constant among others.
    let one = run(x.tensor(DType::F32, &plain()), vw.clone(), bias.tensor(DType::F32, &plain()));
    let of = |param: &Tensor<1>, grads| numbers(&param.grad(grads).unwrap());
    compare("dx", &numbers(&vx.grad(&some).unwrap()), &numbers(&vx.grad(&all).unwrap()), 0.0);
    compare("dweight", &of(&vw, &some), &of(&vw, &all), 0.0);
    compare("of the weight alone", &of(&vw, &one), &of(&vw, &all), 0.0);
    assert!(!op.forward(x.tensor::<2>(DType::F32, &tracked()), (constant.clone(), constant)).is_require_grad());
}

/// With gradient checkpointing `x` is computed again on the way back: the same gradients.
#[test]
fn with_checkpointing() {
    let op = NormOp::new(norm!(kind = "rms", shape = [_, 64]).kernel());
    let gradient = |strategy| {
        let with = |numbers: Numbers| numbers.tensor::<2>(DType::F32, &tracked());
        let x = with(values(20, &[3, 64])).with_gradient_checkpointing_strategy(strategy).require_grad();
        let weight = with(values(21, &[1, 64])).with_gradient_checkpointing_strategy(strategy);
        // Light operations before and behind, which burn computes again.
        let y = op.forward((x.clone() * 2.0 + 1.0).exp(), weight.squeeze_dim::<1>(0)).sin();
        numbers(&x.grad(&y.sum().backward()).unwrap())
    };
    let kept = gradient(GradientCheckpointingStrategy::Disabled);
    compare("checkpoints", &gradient(GradientCheckpointingStrategy::Balanced), &kept, 0.0);
}
