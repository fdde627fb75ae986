//! candle: its fused operations, which have no gradient, and those composed of others, which have.

use crate::peer::{WORKS, contender, inputs};
use candle_core::backprop::GradStore;
use candle_core::{DType, Device, Result, Tensor, Var};
use candle_nn::{BatchNorm, GroupNorm, Module, ModuleT, ops};
use normkit_bench::measure::Contender;
use normkit_bench::tensors::Tensors;
use normkit_bench::workloads::{Dtype, Kind, Layout, Pass, Task};

/// What there is for a task; channels come first in candle.
pub fn contenders(task: &Task) -> Vec<Contender> {
    if task.layout == Layout::Last || task.axis.is_some() {
        return Vec::new();
    }
    let t = inputs(task);
    let [x, weight, bias] = tensors(task, &t).expect(WORKS);
    match (task.kind, task.pass) {
        (Kind::Weight, _) => Vec::new(),
        (_, Pass::Bwd) => vec![backward(task, &t, [x, weight, bias]).expect(WORKS)],
        (Kind::Rms, _) => {
            let (x2, weight2) = (x.clone(), weight.clone());
            vec![
                forward("candle", move || ops::rms_norm(&x, &weight, 1e-6)),
                forward("candle composed", move || ops::rms_norm_slow(&x2, &weight2, 1e-6)),
            ]
        }
        (Kind::Layer, _) => {
            let (x2, weight2, bias2) = (x.clone(), weight.clone(), bias.clone());
            vec![
                forward("candle", move || ops::layer_norm(&x, &weight, &bias, 1e-5)),
                forward("candle composed", move || ops::layer_norm_slow(&x2, &weight2, &bias2, 1e-5)),
            ]
        }
        _ => {
            let layer = layer(task, &t, &weight, &bias).expect(WORKS);
            vec![forward("candle", move || layer(&x))]
        }
    }
}

fn tensors(task: &Task, t: &Tensors<f32>) -> Result<[Tensor; 3]> {
    let dtype = match task.dtype {
        Dtype::F32 => DType::F32,
        Dtype::F16 => DType::F16,
        Dtype::Bf16 => DType::BF16,
    };
    let tensor = |values: &[f32], dims: &[usize]| Tensor::from_slice(values, dims, &Device::Cpu)?.to_dtype(dtype);
    let params = [task.params()];
    Ok([tensor(&t.x, &task.dims)?, tensor(&t.weight, &params)?, tensor(&t.bias, &params)?])
}

type Layer = Box<dyn Fn(&Tensor) -> Result<Tensor>>;

/// What can be differentiated. Instance normalization is that of groups of one channel each.
fn layer(task: &Task, t: &Tensors<f32>, weight: &Tensor, bias: &Tensor) -> Result<Layer> {
    let (weight, bias, channels) = (weight.clone(), bias.clone(), task.params());
    Ok(match task.kind {
        Kind::Rms => Box::new(move |x| ops::rms_norm_slow(x, &weight, 1e-6)),
        Kind::Layer => Box::new(move |x| ops::layer_norm_slow(x, &weight, &bias, 1e-5)),
        Kind::Batch => {
            let running = |values: &[f32]| Tensor::from_slice(values, channels, &Device::Cpu);
            let (mean, var) = (running(&t.running_mean)?, running(&t.running_var)?);
            let layer = BatchNorm::new(channels, mean, var, weight, bias, 1e-5)?;
            let train = task.pass != Pass::Infer;
            Box::new(move |x| layer.forward_t(x, train))
        }
        _ => {
            let layer = GroupNorm::new(weight, bias, channels, task.groups.unwrap_or(channels), 1e-5)?;
            Box::new(move |x| layer.forward(x))
        }
    })
}

fn forward(name: &str, call: impl Fn() -> Result<Tensor> + 'static) -> Contender {
    contender(name, move || call().expect(WORKS), |y| values(y).expect(WORKS))
}

/// The graph is made once: only the way back through it is timed, of which the product with `dy` is a part.
fn backward(task: &Task, t: &Tensors<f32>, [x, weight, bias]: [Tensor; 3]) -> Result<Contender> {
    let [x, weight, bias] = [Var::from_tensor(&x)?, Var::from_tensor(&weight)?, Var::from_tensor(&bias)?];
    let y = layer(task, t, &weight, &bias)?(x.as_tensor())?;
    let dy = Tensor::from_slice(&t.dy, &*task.dims, &Device::Cpu)?;
    let loss = (y * dy)?.sum_all()?;
    let read = move |grads: &GradStore| values(grads.get(&x).expect("x has a gradient")).expect(WORKS);
    Ok(contender("candle", move || loss.backward().expect(WORKS), read))
}

fn values(tensor: &Tensor) -> Result<Vec<f32>> {
    tensor.to_dtype(DType::F32)?.flatten_all()?.to_vec1()
}
