//! numr: its fused operations, and of their gradients those that are fused.

use crate::peer::{WORKS, contender, inputs};
use normkit_bench::measure::{Contender, WRONG};
use normkit_bench::tensors::{Sizes, Tensors};
use normkit_bench::workloads::{Dtype, Kind, Layout, Number, Pass, Task};
use numr::autograd::GradFn;
use numr::autograd::ops::{GroupNormBackward, RmsNormBackward};
use numr::prelude::{CpuDevice, CpuRuntime, NormalizationOps, Runtime, Tensor};

type T = Tensor<CpuRuntime>;

/// What there is for a task; channels come first in numr. Instance normalization is that of groups of one channel each.
pub fn contenders(task: &Task) -> Vec<Contender> {
    if task.layout == Layout::Last || task.axis.is_some() {
        return Vec::new();
    }
    match (task.kind, task.pass) {
        (Kind::Batch | Kind::Weight, _) => Vec::new(),
        (_, Pass::Bwd) => backward(task),
        _ => vec![match task.dtype {
            Dtype::F32 => forward::<f32>(task, |values| values),
            Dtype::F16 => forward::<normkit_bench::f16>(task, |values| values.iter().map(|v| v.to_f32()).collect()),
            Dtype::Bf16 => forward::<normkit_bench::bf16>(task, |values| values.iter().map(|v| v.to_f32()).collect()),
        }],
    }
}

fn tensor<E: numr::dtype::Element>(values: &[E], dims: &[usize]) -> T {
    T::from_slice(values, dims, &CpuDevice::new()).expect(WORKS)
}

fn forward<E: Number + numr::dtype::Element>(task: &Task, widen: fn(Vec<E>) -> Vec<f32>) -> Contender {
    let t = Tensors::<E>::new(Sizes { elements: task.elements(), params: task.params(), stretch: None });
    let client = CpuRuntime::default_client(&CpuDevice::new());
    let x = tensor(&t.x, &task.dims);
    let (weight, bias) = (tensor(&t.own_weight, &[task.params()]), tensor(&t.own_bias, &[task.params()]));
    let groups = task.groups.unwrap_or(task.params());
    let kind = task.kind;
    let call = move || match kind {
        Kind::Rms => client.rms_norm(&x, &weight, 1e-6).expect(WORKS),
        Kind::Layer => client.layer_norm(&x, &weight, &bias, 1e-5).expect(WORKS),
        _ => client.group_norm(&x, &weight, &bias, groups, 1e-5).expect(WORKS),
    };
    contender("numr", call, move |y: &T| widen(y.to_vec::<E>()))
}

/// Of rms and layer normalization: the gradient of the operation that adds a residual first, which takes the sum as it was kept.
///
/// That of rms normalization divides by the root mean square once too often in one of its terms: it is timed all the same, beside the
/// right one, which is composed.
fn backward(task: &Task) -> Vec<Contender> {
    let t = inputs(task);
    let client = CpuRuntime::default_client(&CpuDevice::new());
    let (x, dy) = (tensor(&t.x, &task.dims), tensor(&t.dy, &task.dims));
    let (weight, bias) = (tensor(&t.weight, &[task.params()]), tensor(&t.bias, &[task.params()]));
    let read = |grads: &Vec<T>| grads[0].to_vec::<f32>();
    match task.kind {
        Kind::Rms => {
            let way = RmsNormBackward::new(x.id(), weight.id(), x.clone(), weight.clone(), 1e-6, None, None);
            let grad = dy.clone();
            let composed = move || -> Vec<T> { way.backward_all(&grad).expect(WORKS).into_iter().flatten().collect() };
            let fused = move || {
                let (dx, dweight) = client.fused_add_rms_norm_bwd(&dy, &x, &weight, 1e-6).expect(WORKS);
                vec![dx, dweight]
            };
            vec![contender("numr", composed, read), contender(&format!("numr fused {WRONG}"), fused, read)]
        }
        Kind::Layer => {
            let call = move || {
                let (dx, dweight, dbias) = client.fused_add_layer_norm_bwd(&dy, &x, &weight, &bias, 1e-5).expect(WORKS);
                vec![dx, dweight, dbias]
            };
            vec![contender("numr", call, read)]
        }
        _ => {
            let groups = task.groups.unwrap_or(task.params());
            let ids = [x.id(), weight.id(), bias.id()];
            let way = GroupNormBackward::new(ids[0], ids[1], ids[2], x, weight, groups, 1e-5, None, None, None);
            let call = move || -> Vec<T> { way.backward_all(&dy).expect(WORKS).into_iter().flatten().collect() };
            vec![contender("numr", call, read)]
        }
    }
}
