//! A small training run: every parameter receives a gradient, and the loss falls.

use crate::{compare, numbers, plain, slow_path, tracked, values};
use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::loss::CrossEntropyLossConfig;
use burn::nn::{Linear, LinearConfig, PaddingConfig2d};
use burn::optim::{AdamWConfig, GradientsParams};
use burn::tensor::activation::{relu, silu};
use burn::tensor::{DType, Device, Gradients, Int, Tensor, TensorData};
use normkit::norm;
use normkit_burn::{
    BatchNorm, BatchNormConfig, GroupNorm, GroupNormConfig, InstanceNorm, InstanceNormConfig, LayerNorm,
    LayerNormConfig, Norm, NormOp, RmsNorm, RmsNormConfig,
};

/// One of each kind.
#[derive(Module, Debug)]
struct Model {
    conv: Conv2d,
    batch: BatchNorm,
    group: GroupNorm,
    instance: InstanceNorm,
    linear: Linear,
    layer: LayerNorm,
    own: Norm,
    rms: RmsNorm,
    head: Linear,
}

impl Model {
    fn new(device: &Device) -> Self {
        let own = NormOp::new(norm!(kind = "layer", shape = [_, 64], dtype = f32 | bf16).kernel());
        Model {
            conv: Conv2dConfig::new([1, 8], [3, 3]).with_padding(PaddingConfig2d::Same).init(device),
            batch: BatchNormConfig::new(8).init(device),
            group: GroupNormConfig::new(2, 8).init(device),
            instance: InstanceNormConfig::new(8).init(device),
            linear: LinearConfig::new(8 * 16, 64).init(device),
            layer: LayerNormConfig::new(64).init(device),
            own: Norm::init(own, [64], device).expect("it has a weight and a bias"),
            rms: RmsNormConfig::new(64).with_epsilon(1e-6).init(device),
            head: LinearConfig::new(64, 2).init(device),
        }
        .map(&mut Start { seed: 0 })
    }

    fn forward(&self, x: Tensor<4>) -> Tensor<2> {
        let x = relu(self.batch.forward(self.conv.forward(x)));
        let x = relu(self.instance.forward(relu(self.group.forward(x))));
        let x = silu(self.layer.forward(self.linear.forward(x.flatten::<2>(1, 3))));
        self.head.forward(self.rms.forward(silu(self.own.forward(x))))
    }
}

/// Lets all parameters start where they do on every run, without symmetries; leaves the running statistics.
struct Start {
    seed: u64,
}

impl ModuleMapper for Start {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        if !param.is_require_grad() {
            return param;
        }
        self.seed += 1;
        let seed = self.seed;
        param.map(|tensor| {
            // Weights of layers stay about 1.
            let offset = if D == 1 && numbers(&tensor).values.iter().all(|value| *value == 1.0) { 1.0 } else { 0.0 };
            let start = values(seed, &tensor.dims()).map(|value| value * 0.2 + offset);
            start.tensor(tensor.dtype(), &tensor.device()).require_grad()
        })
    }
}

/// Looks at every parameter and its gradient.
struct Look<'a> {
    grads: &'a Gradients,
    path: Vec<String>,
    seen: Vec<(String, f64)>,
}

impl ModuleVisitor for Look<'_> {
    fn enter_module(&mut self, name: &str, _: &str) {
        self.path.push(name.to_string());
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let (name, tensor) = (self.path.join("."), param.val());
        match tensor.grad(self.grads) {
            None => assert!(name.contains("running"), "{name} has no gradient"),
            Some(grad) => {
                assert!(!name.contains("running"), "{name} is no parameter");
                assert_eq!(grad.dims(), tensor.dims(), "{name}");
                self.seen.push((name, numbers(&grad).values.iter().fold(0.0, |most, value| value.abs().max(most))));
            }
        }
    }
}

/// Which of two patterns an image shows, under noise.
fn images(device: &Device) -> (Tensor<4>, Tensor<1, Int>) {
    let (noise, pattern) = (values(50, &[32, 1, 4, 4]), values(51, &[16]));
    let mut images = noise.clone();
    for (index, value) in images.values.iter_mut().enumerate() {
        let sign = if index / 16 % 2 == 0 { -1.0 } else { 1.0 };
        *value += sign * pattern.values[index % 16];
    }
    let labels: Vec<i64> = (0..32).map(|index| index % 2).collect();
    (images.tensor(DType::F32, device), Tensor::from_data(TensorData::new(labels, [32]), device))
}

#[test]
fn every_parameter_learns() {
    let device = tracked();
    let mut model = Model::new(&device);
    let (x, labels) = images(&device);
    let loss = |model: &Model, device: &Device| {
        let (x, labels) = images(device);
        CrossEntropyLossConfig::new().init(device).forward(model.forward(x), labels)
    };
    let grads = CrossEntropyLossConfig::new().init(&device).forward(model.forward(x), labels).backward();
    let mut look = Look { grads: &grads, path: Vec::new(), seen: Vec::new() };
    model.visit(&mut look);
    assert_eq!(look.seen.len(), 6 + 6 + 5, "{:?}", look.seen);
    for (name, largest) in &look.seen {
        // What follows takes its constant away: there all is rounding.
        assert!(*largest > 1e-5 || ["conv.bias", "linear.bias"].contains(&&**name), "{name}: at most {largest}");
    }

    let mut optimizer = AdamWConfig::new().init();
    let number = |loss: Tensor<1>| f64::from(loss.into_scalar::<f32>());
    let first = number(loss(&model, &device));
    for _ in 0..30 {
        let grads = GradientsParams::from_grads(loss(&model, &device).backward(), &model);
        model = optimizer.step(0.01, model, grads);
    }
    let last = number(loss(&model, &device));
    assert!(last < 0.3 * first, "the loss went from {first} to {last}");
    let valid = model.valid();
    assert!(number(loss(&valid, &plain())) < first, "inference has learned too");
}

/// The gradient is that of the whole, not of the layer alone: a step downhill loses as much as its length says.
#[test]
fn gradients_are_slopes() {
    let norm = |x: Tensor<3>| {
        let two = [values(60, &[6]).tensor(DType::F64, &x.device()), values(61, &[6]).tensor(DType::F64, &x.device())];
        let x = slow_path::group(&two, 6, 2, 1e-5).forward(x).sin();
        let x = slow_path::layer(&two, 1e-5).forward(x.swap_dims(1, 2)).exp();
        slow_path::rms(&two, 1e-5).forward(x).sin().sum()
    };
    let (at, along) = (values(62, &[2, 6, 5]), values(63, &[2, 6, 5]));
    let x = at.var::<3>(DType::F64);
    let grad = numbers(&x.grad(&norm(x.clone()).backward()).unwrap());
    let step = |step: f64| {
        let mut at = at.clone();
        at.values.iter_mut().zip(&along.values).for_each(|(at, along)| *at += step * along);
        norm(at.tensor(DType::F64, &plain())).into_scalar::<f64>()
    };
    let slope = (step(1e-6) - step(-1e-6)) / 2e-6;
    let expected: f64 = grad.values.iter().zip(&along.values).map(|(grad, along)| grad * along).sum();
    assert!((slope - expected).abs() <= 1e-5 * expected.abs(), "{slope}, expected {expected}");
}

/// What was saved of burn's layers is loaded into ours, by name.
#[test]
fn records_are_those_of_burn() {
    let device = plain();
    let params = [1, 2].map(|seed| values(seed, &[4]).tensor::<1>(DType::F32, &device));
    let x = values(3, &[2, 4, 4]).tensor::<3>(DType::F32, &device);
    macro_rules! loads {
        ($theirs:ident, $of:expr, $fresh:expr) => {
            let theirs = burn::nn::$theirs::from($of);
            let ours = $fresh.init(&device).load_record(theirs.clone().into_record());
            let (got, expected) = (ours.forward(x.clone()), theirs.forward(x.clone()));
            compare(stringify!($theirs), &numbers(&got), &numbers(&expected), 2e-6);
            let back = burn::nn::$theirs::from($fresh.init(&device)).load_record(ours.into_record());
            compare(stringify!($theirs), &numbers(&back.forward(x.clone())), &numbers(&expected), 0.0);
        };
    }
    let [mean, var] = params.clone();
    loads!(BatchNorm, slow_path::batch(&params, 1e-5, mean, var.abs()), BatchNormConfig::new(4));
    loads!(LayerNorm, slow_path::layer(&params, 1e-5), LayerNormConfig::new(4));
    loads!(RmsNorm, slow_path::rms(&params, 1e-5), RmsNormConfig::new(4));
    loads!(GroupNorm, slow_path::group(&params, 4, 2, 1e-5), GroupNormConfig::new(2, 4));
    loads!(InstanceNorm, slow_path::instance(&params, 4, 1e-5), InstanceNormConfig::new(4));
}

/// A model whose parameters are quantized runs as with burn's layers.
#[test]
fn quantized_parameters() {
    use burn::module::Quantizer;
    use burn::tensor::quantization::{Calibration, QuantValue};
    let device = plain();
    let scheme = device.settings().quantization.scheme.with_value(QuantValue::Q8S);
    let params = [1, 2].map(|seed| values(seed, &[64]).tensor::<1>(DType::F32, &device));
    let x = values(3, &[2, 64]).tensor::<2>(DType::F32, &device);
    let layer = slow_path::layer(&params, 1e-5).quantize_weights(&mut Quantizer::new(Calibration::MinMax, scheme));
    assert!(matches!(layer.gamma.val().dtype(), DType::QFloat(_)));
    let theirs = burn::nn::LayerNorm::from(layer.clone());
    let (got, expected) = (layer.forward(x.clone()), theirs.forward(x.clone()));
    compare("quantized parameters", &numbers(&got), &numbers(&expected), 2e-6);
    let coarse = x.quantize_dynamic(&scheme);
    let (got, expected) = (layer.forward(coarse.clone()), theirs.forward(coarse.dequantize()));
    compare("quantized numbers", &numbers(&got), &numbers(&expected), 2e-6);
}
