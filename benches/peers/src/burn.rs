//! burn on its own backend for processors, flex, with the default features, which make it use vectors.

use crate::peer::{WORKS, consuming, contender, inputs};
use burn::module::Param;
use burn::nn::{GroupNormConfig, InstanceNormConfig, RmsNormConfig};
use burn::tensor::module::{batch_norm, batch_norm_train, layer_norm};
use burn::tensor::{DType, Device, Tensor, TensorData};
use normkit_bench::measure::Contender;
use normkit_bench::tensors::Tensors;
use normkit_bench::workloads::{Dtype, Kind, Layout, Pass, Task};

/// What there is for a task; channels come first in burn.
pub fn contenders(task: &Task) -> Vec<Contender> {
    if task.layout == Layout::Last || task.axis.is_some() || task.kind == Kind::Weight {
        return Vec::new();
    }
    match task.dims.len() {
        2 => vec![of_rank::<2>(task)],
        _ => vec![of_rank::<4>(task)],
    }
}

fn of_rank<const D: usize>(task: &Task) -> Contender {
    let t = inputs(task);
    if task.pass == Pass::Bwd {
        return backward::<D>(task, &t);
    }
    let device = Device::flex();
    let x = tensor::<D>(task, &t.x, &task.dims, &device);
    let layer = layer::<D>(task, &t, &device);
    contender("burn", move || layer(x.clone()), values::<D>)
}

fn tensor<const D: usize>(task: &Task, values: &[f32], dims: &[usize], device: &Device) -> Tensor<D> {
    let dtype = match task.dtype {
        Dtype::F32 => DType::F32,
        Dtype::F16 => DType::F16,
        Dtype::Bf16 => DType::BF16,
    };
    let data = TensorData::new(values.to_vec(), dims.to_vec()).convert_dtype(dtype);
    Tensor::from_data(data, (device, dtype))
}

type Layer<const D: usize> = Box<dyn Fn(Tensor<D>) -> Tensor<D>>;

fn layer<const D: usize>(task: &Task, t: &Tensors<f32>, device: &Device) -> Layer<D> {
    let channels = task.params();
    let param = |values: &[f32]| {
        let param = tensor::<1>(task, values, &[channels], device);
        // Parameters have gradients too.
        if device.is_autodiff() { param.require_grad() } else { param }
    };
    let (weight, bias) = (param(&t.weight), param(&t.bias));
    match (task.kind, task.pass) {
        (Kind::Rms, _) => {
            let mut norm = RmsNormConfig::new(channels).with_epsilon(1e-6).init(device);
            norm.gamma = Param::from_tensor(weight);
            Box::new(move |x| norm.forward(x))
        }
        (Kind::Batch, Pass::Infer) => {
            let (mean, var) = (param(&t.running_mean), param(&t.running_var));
            Box::new(move |x| batch_norm(x, weight.clone(), bias.clone(), mean.clone(), var.clone(), 1e-5))
        }
        (Kind::Batch, _) => Box::new(move |x| batch_norm_train(x, weight.clone(), bias.clone(), 1e-5).output),
        (Kind::Group, _) => {
            let mut norm = GroupNormConfig::new(task.groups.unwrap_or(1), channels).with_epsilon(1e-5).init(device);
            norm.gamma = Some(Param::from_tensor(weight));
            norm.beta = Some(Param::from_tensor(bias));
            Box::new(move |x| norm.forward(x))
        }
        (Kind::Instance, _) => {
            let mut norm = InstanceNormConfig::new(channels).with_epsilon(1e-5).init(device);
            norm.gamma = Some(Param::from_tensor(weight));
            norm.beta = Some(Param::from_tensor(bias));
            Box::new(move |x| norm.forward(x))
        }
        _ => Box::new(move |x| layer_norm(x, weight.clone(), Some(bias.clone()), 1e-5)),
    }
}

/// The way back uses up its graph: the forward pass is made anew for each call, and not timed. The product with `dy` is a part of
/// what is.
fn backward<const D: usize>(task: &Task, t: &Tensors<f32>) -> Contender {
    let device = Device::flex().autodiff();
    let x = tensor::<D>(task, &t.x, &task.dims, &device).require_grad();
    let dy = tensor::<D>(task, &t.dy, &task.dims, &device);
    let layer = layer::<D>(task, t, &device);
    let input = x.clone();
    let setup = move || (layer(input.clone()) * dy.clone()).sum();
    let call = move |loss: Tensor<1>| {
        let grads = loss.backward();
        let dx = x.grad(&grads).expect("x has a gradient");
        (dx, grads)
    };
    consuming("burn", setup, call, |(dx, _)| values(dx))
}

fn values<const D: usize>(tensor: &Tensor<D>) -> Vec<f32> {
    tensor.to_data().try_into_vec_as::<f32>().expect(WORKS)
}
