//! Layers and models whose fields are of half types: what they hold, what of it is seen by name, and a step of training.

use normkit::{NormError, NormLayer, Param, Saved, Tensor, TensorMut, bf16, f16, normalize};
use normkit_tests::rounding::Format;
use normkit_tests::{
    Inputs, Numbers, Sets, WeightInputs, at_each_level_of_halves, bits, kernel, narrow, weight_norm, widen,
};

/// Size and types from the field.
#[normalize(kind = "rms", axis = -1, eps = 1e-6)]
#[derive(Clone, Debug, PartialEq)]
pub struct OfArray {
    /// Scale.
    pub weight: [bf16; 48],
}

/// On the heap, of any length.
#[normalize(kind = "layer", shape = [_, _])]
#[derive(Clone, Debug, PartialEq)]
pub struct OfVec {
    /// Scale.
    pub gamma: Vec<f16>,
    /// Shift.
    pub beta: Vec<f16>,
}

/// Elements of one type, parameters of another.
#[normalize(kind = "layer", shape = [_, 20], dtype = f16)]
#[derive(Clone, Debug, PartialEq)]
pub struct OfParam {
    /// Scale.
    pub weight: Param<bf16>,
    /// Shift.
    pub bias: Param<bf16>,
}

/// Boxed, with the cast of a Llama checkpoint.
#[normalize(kind = "rms", cast = before_weight)]
#[derive(Clone, Debug, PartialEq)]
pub struct OfBox {
    /// Scale.
    pub scale: Box<[bf16; 48]>,
}

/// Added fields, in f32 beside elements of bf16.
#[normalize(kind = "rms", shape = [_, 48], dtype = bf16)]
#[derive(Clone, Debug, PartialEq)]
pub struct Added;

/// Everything that batch norm has.
#[normalize(kind = "batch", shape = [_, 6, _], dtype = bf16, param = f16)]
#[derive(Clone, Debug, PartialEq)]
pub struct Channels;

/// Vectors of bf16, lengths of f32.
#[normalize(kind = "weight", shape = [4, 33])]
#[derive(Clone, Debug, PartialEq)]
pub struct Linear {
    /// Directions.
    pub weight_v: Vec<bf16>,
    /// Lengths.
    pub weight_g: Vec<f32>,
}

/// All of them together.
#[normalize(allow(mixed_kinds))]
#[derive(Clone, Debug, Default, PartialEq)]
struct Model {
    #[norm(kind = "rms", shape = [_, 48], dtype = bf16, param = bf16, cast = before_weight)]
    pub first: First,
    #[norm(kind = "layer", shape = [_, 20], dtype = f16, param = f16)]
    pub second: Second,
    #[norm(kind = "batch", shape = [_, 6], dtype = f16)]
    pub third: Third,
}

#[test]
fn parameters_start_as_in_any_type() {
    assert_eq!(OfArray::new().weight, [bf16::ONE; 48]);
    assert_eq!(*OfBox::new().scale, [bf16::ONE; 48]);
    let any = OfVec::new(7).unwrap();
    assert_eq!((any.gamma, any.beta), (vec![f16::ONE; 7], vec![f16::ZERO; 7]));
    let param = OfParam::new();
    assert_eq!((&param.weight[..], &param.bias[..]), (&[bf16::ONE; 20][..], &[bf16::ZERO; 20][..]));
    assert_eq!(&Added::new().weight[..], [1.0_f32; 48]);
    let channels = Channels::new();
    assert_eq!((&channels.running_mean[..], &channels.running_var[..]), (&[f16::ZERO; 6][..], &[f16::ONE; 6][..]));
    assert_eq!((&channels.weight[..], &channels.bias[..]), (&[f16::ONE; 6][..], &[f16::ZERO; 6][..]));
    // Gradients are of the type that is computed in.
    assert_eq!(&OfArrayGrads::new().weight[..], [0.0_f32; 48]);
}

#[test]
fn tensors_tell_their_type() {
    let layer = OfArray::new();
    assert!(matches!(layer.params()[..], [("weight", Tensor::Bf16([_, ..]))]));
    assert_eq!((layer.spec().dtype, layer.spec().param), ("bf16", "bf16"));
    let param = OfParam::new();
    assert!(matches!(param.params()[..], [("weight", Tensor::Bf16(_)), ("bias", Tensor::Bf16(_))]));
    assert_eq!((param.spec().dtype, param.spec().param), ("f16", "bf16"));
    assert!(matches!(OfVec::new(3).unwrap().params()[..], [("gamma", Tensor::F16(_)), ("beta", Tensor::F16(_))]));
    assert!(matches!(Added::new().params()[..], [("weight", Tensor::F32(_))]));
    let channels = Channels::new();
    assert!(matches!(
        channels.buffers()[..],
        [("running_mean", Tensor::F16(_)), ("running_var", Tensor::F16(_)), ("num_batches_tracked", Tensor::I64([0]))]
    ));
    let linear = Linear::from_weight(&[bf16::ONE; 4 * 33]).unwrap();
    assert!(matches!(linear.params()[..], [("weight_v", Tensor::Bf16(_)), ("weight_g", Tensor::F32(_))]));
    assert_eq!(linear.params()[0].1.len(), 4 * 33);
    assert!(OfArray::PLAN.contains("bf16") && OfParam::PLAN.contains("f16"));
}

#[test]
fn models_show_the_tensors_of_their_layers() {
    let mut model = Model::default();
    let found: Vec<_> = model
        .norms()
        .flat_map(|(layer, norm)| norm.params().into_iter().map(move |(name, tensor)| (layer, name, tensor.len())))
        .collect();
    let expected = [
        ("first", "weight", 48),
        ("second", "weight", 20),
        ("second", "bias", 20),
        ("third", "weight", 6),
        ("third", "bias", 6),
    ];
    assert_eq!(found, expected);
    for (_, norm) in model.norms_mut() {
        for (_, tensor) in norm.params_mut() {
            match tensor {
                TensorMut::Bf16(values) => values.fill(bf16::from_f32(2.0)),
                TensorMut::F16(values) => values.fill(f16::from_f32(3.0)),
                TensorMut::F32(values) => values.fill(4.0),
                other => panic!("{other:?}"),
            }
        }
    }
    assert_eq!(model.first.weight[47], bf16::from_f32(2.0));
    assert_eq!((model.second.weight[0], model.second.bias[19]), (f16::from_f32(3.0), f16::from_f32(3.0)));
    assert_eq!((model.third.weight[5], model.third.bias[0]), (4.0, 4.0));
}

/// A layer's methods are those of the kernel over the same parameters.
#[test]
fn layers_give_the_bits_of_kernels() -> Result<(), NormError> {
    let rms = kernel!(bf16 / bf16, weight; kind = "rms", shape = [_, 48], eps = 1e-6);
    let cast = kernel!(bf16 / bf16, weight; kind = "rms", shape = [_, 48], eps = 1e-6, cast = before_weight);
    let mixed = kernel!(f16 / bf16, weight bias; kind = "layer", shape = [_, 20]);
    let inputs = Inputs::<bf16, bf16>::random(Sets::Over(&[1]), &[5, 48], 1, 0.0, 1.0, 1e-6);
    let of_f16 = Inputs::<f16, bf16>::random(Sets::Over(&[1]), &[5, 20], 1, 0.0, 1.0, 1e-5);
    let mut layers = (OfArray::new(), OfBox::new(), OfParam::new());
    layers.0.weight.copy_from_slice(&inputs.weight);
    layers.1.scale.copy_from_slice(&inputs.weight);
    layers.2.weight.copy_from_slice(&of_f16.weight);
    layers.2.bias.copy_from_slice(&of_f16.bias);
    let mut result = Ok(());
    at_each_level_of_halves("layers", |_| {
        result = result.and_then(|()| {
            let (mut y, mut dx, mut saved) = (inputs.x.clone(), inputs.x.clone(), Saved::default());
            let expected = rms.run([5, 48], &inputs);
            layers.0.forward_train(&inputs.x, &mut y, &mut saved)?;
            assert_eq!(bits(&y), bits(&expected.y));
            let mut grads = OfArrayGrads::new();
            layers.0.backward(&inputs.x, &inputs.dy, &saved, &mut dx, &mut grads)?;
            assert_eq!((bits(&dx), &grads.weight[..]), (bits(&expected.dx), &expected.dweight[..]));
            layers.1.forward(&inputs.x, &mut y)?;
            assert_eq!(bits(&y), bits(&cast.run([5, 48], &inputs).y));
            let mut y = of_f16.x.clone();
            layers.2.forward_inplace(&mut y)?;
            assert_eq!(bits(&y), bits(&mixed.run([5, 20], &of_f16).y));
            Ok(())
        });
    });
    result
}

/// One step of gradient descent makes the loss `sum (y - target)^2 / 2` smaller; parameters of half types round each step.
#[test]
fn a_step_of_training() -> Result<(), NormError> {
    let _turn = normkit_tests::turn();
    let mut numbers = Numbers(4);
    let x: Vec<f16> = narrow(&numbers.normal(16 * 20, 1.0, 2.0));
    let target = numbers.normal(16 * 20, 0.5, 1.0);
    let mut layer = OfParam::new();
    let (mut y, mut dx) = (x.clone(), x.clone());
    let (mut saved, mut grads) = (Saved::default(), OfParamGrads::new());
    let mut losses = Vec::new();
    for _ in 0..5 {
        layer.forward_train(&x, &mut y, &mut saved)?;
        let difference: Vec<f64> = widen(&y).iter().zip(&target).map(|(y, t)| y - t).collect();
        losses.push(difference.iter().map(|d| d * d / 2.0).sum::<f64>());
        grads.zero();
        layer.backward(&x, &narrow::<f16>(&difference), &saved, &mut dx, &mut grads)?;
        let step = |params: &mut [bf16], grads: &[f32]| {
            for (param, grad) in params.iter_mut().zip(grads) {
                *param = bf16::from_f32(param.to_f32() - 0.02 * grad);
            }
        };
        step(&mut layer.weight, &grads.weight);
        step(&mut layer.bias, &grads.bias);
    }
    assert!(losses.is_sorted_by(|a, b| b < a), "{losses:?}");
    Ok(())
}

#[test]
fn batch_norm_trains_with_half_statistics() -> Result<(), NormError> {
    let _turn = normkit_tests::turn();
    let mut layer = Channels::new();
    let x: Vec<bf16> = narrow(&Numbers(2).normal(3 * 6 * 10, 5.0, 2.0));
    let (mut y, mut saved) = (x.clone(), Saved::default());
    layer.forward_train((&x, [3, 6, 10]), (&mut y, [3, 6, 10]), &mut saved)?;
    assert_eq!(layer.num_batches_tracked, 1);
    for (c, mean) in widen(&layer.running_mean).into_iter().enumerate() {
        assert_eq!(mean, Format::F16.round(f64::from(0.1 * saved.mean()[c])), "{c}");
    }
    layer.forward((&x, [3, 6, 10]), (&mut y, [3, 6, 10]))?;
    let (mut dx, mut grads) = (x.clone(), ChannelsGrads::new());
    layer.backward((&x, [3, 6, 10]), (&y, [3, 6, 10]), &saved, (&mut dx, [3, 6, 10]), &mut grads)?;
    layer.backward_frozen((&x, [3, 6, 10]), (&y, [3, 6, 10]), (&mut dx, [3, 6, 10]), &mut grads)?;
    assert!(widen(&dx).iter().all(|dx| dx.is_finite()));
    Ok(())
}

/// A weight of bf16 is taken apart into itself and the lengths of its vectors, and put together again.
#[test]
fn weight_norm_of_bf16_with_lengths_of_f32() -> Result<(), NormError> {
    let _turn = normkit_tests::turn();
    let kernel = weight_norm!(bf16 / f32, g; shape = [4, 33]);
    let weight: Vec<bf16> = narrow(&Numbers(6).normal(4 * 33, 0.0, 1.0));
    let mut layer = Linear::from_weight(&weight)?;
    assert_eq!(layer.weight_v, weight);
    for (g, v) in layer.weight_g.iter().zip(widen(&weight).chunks(33)) {
        let length = v.iter().map(|v| v * v).sum::<f64>().sqrt();
        assert!((f64::from(*g) - length).abs() <= 2e-6 * length, "{g} of {length}");
    }
    let (mut again, mut saved) = (vec![bf16::ZERO; weight.len()], Saved::default());
    layer.forward_train(&mut again, &mut saved)?;
    assert_eq!(again, weight, "what is taken apart is whole again");

    // The gradients are of f32, both added to.
    let dw: Vec<bf16> = narrow(&Numbers(7).normal(4 * 33, 0.0, 1.0));
    let mut grads = LinearGrads::new();
    layer.backward(&dw, &saved, &mut grads)?;
    let inputs = WeightInputs::<bf16, f32> { v: weight, dw, g: layer.weight_g.clone() };
    let expected = kernel.run_in(&[4, 33], &inputs);
    let (v, g): (&[f32], &[f32]) = (&grads.weight_v, &grads.weight_g);
    assert_eq!((v, g), (&expected.dv[..], &expected.dg[..]));
    layer.backward(&inputs.dw, &saved, &mut grads)?;
    assert!(grads.weight_v.iter().zip(&expected.dv).all(|(twice, once)| *twice == 2.0 * once));

    // A step.
    for (v, dv) in layer.weight_v.iter_mut().zip(&expected.dv) {
        *v = bf16::from_f32(v.to_f32() - 0.1 * dv);
    }
    for (g, dg) in layer.weight_g.iter_mut().zip(&expected.dg) {
        *g -= 0.1 * dg;
    }
    let before = again.clone();
    layer.forward(&mut again)?;
    let moved = widen(&again).into_iter().zip(widen(&before)).zip(widen(&inputs.dw)).map(|((a, b), d)| (a - b) * d);
    assert!(moved.sum::<f64>() < 0.0, "against the gradient");
    Ok(())
}
