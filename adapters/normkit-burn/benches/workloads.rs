//! What the criterion benches and the example `burn_ratios` both run: a layer of burn's and ours, over the same tensors.

use burn::module::{Module, Param};
use burn::tensor::{DType, Device, Distribution, Tensor};

/// One layer on one shape.
pub struct Workload {
    /// Such as `rms_fwd_f32_4096x128`.
    pub name: String,
    pub burn: Box<dyn Fn() + Send + Sync>,
    pub ours: Box<dyn Fn() + Send + Sync>,
}

fn workload<const D: usize, A, B>(name: String, burn: A, ours: B) -> Workload
where
    A: Fn() -> Tensor<D> + Send + Sync + 'static,
    B: Fn() -> Tensor<D> + Send + Sync + 'static,
{
    fn run<const D: usize>(pass: &dyn Fn() -> Tensor<D>) {
        std::hint::black_box(pass());
    }
    Workload { name, burn: Box::new(move || run(&burn)), ours: Box::new(move || run(&ours)) }
}

/// Forward and backward, the gradient of the output being 1; gives that of `x`.
fn trained<const D: usize>(y: Tensor<D>, x: &Tensor<D>) -> Tensor<D> {
    x.grad(&y.backward()).expect("x has a gradient")
}

/// All there are.
pub fn workloads() -> Vec<Workload> {
    let rows = [(4096, 128), (512, 768), (128, 4096), (1, 4096)];
    let f32 = rows.into_iter().flat_map(|(rows, n)| of_rows(rows, n, DType::F32));
    f32.chain(of_rows(512, 768, DType::BF16)).chain(of_images([8, 64, 28, 28], 8)).collect()
}

fn random<const D: usize>(dims: [usize; D], dtype: DType, device: &Device) -> Tensor<D> {
    Tensor::<D>::random(dims, Distribution::Normal(0.0, 1.0), device).cast(dtype)
}

/// A layer of burn's and ours with the same parameters: `$pass` of each.
macro_rules! both {
    ($all:ident, $name:expr, $layer:ident, $ours:expr, $x:expr, $pass:expr) => {
        let (ours, pass) = ($ours, $pass);
        let (theirs, a, b) = (burn::nn::$layer::from(ours.clone()), $x.clone(), $x.clone());
        $all.push(workload(
            format!("{}_{}", $name.0, $name.1),
            move || pass(theirs.forward(a.clone()), &a),
            move || pass(ours.forward(b.clone()), &b),
        ));
    };
}

fn of_rows(rows: usize, n: usize, dtype: DType) -> Vec<Workload> {
    let size = format!("{}_{rows}x{n}", format!("{dtype:?}").to_lowercase());
    let layers = |device: &Device| {
        let param = || Param::from_tensor(random([n], dtype, device));
        let rms = normkit_burn::RmsNorm { gamma: param(), epsilon: 1e-6 };
        (rms, normkit_burn::LayerNorm { gamma: param(), beta: Some(param()), epsilon: 1e-5 })
    };
    let mut all = Vec::new();

    let device = Device::flex();
    let (rms, layer) = layers(&device);
    let x = random([rows, n], dtype, &device);
    let forward = |y: Tensor<2>, _: &Tensor<2>| y;
    both!(all, ("rms_fwd", &size), RmsNorm, rms, x, forward);
    both!(all, ("layer_fwd", &size), LayerNorm, layer, x, forward);

    let device = device.autodiff();
    let (rms, layer) = layers(&device);
    let x = random([rows, n], dtype, &device).require_grad();
    both!(all, ("rms_fwd_bwd", &size), RmsNorm, rms, x, trained::<2>);
    both!(all, ("layer_fwd_bwd", &size), LayerNorm, layer, x, trained::<2>);
    all
}

/// Batch normalization in training and inference, and group and instance normalization.
fn of_images(dims: [usize; 4], groups: usize) -> Vec<Workload> {
    let channels = dims[1];
    let size = format!("f32_{}", dims.map(|dim| dim.to_string()).join("x"));
    let mut all = Vec::new();

    let device = Device::flex().autodiff();
    let x = random(dims, DType::F32, &device).require_grad();
    let batch = normkit_burn::BatchNormConfig::new(channels).init(&device);
    both!(all, ("batch_fwd_bwd", &size), BatchNorm, batch.clone(), x, trained::<4>);
    let group = normkit_burn::GroupNormConfig::new(groups, channels).init(&device);
    both!(all, ("group_fwd_bwd", &size), GroupNorm, group.clone(), x, trained::<4>);
    let instance = normkit_burn::InstanceNormConfig::new(channels).init(&device);
    both!(all, ("instance_fwd_bwd", &size), InstanceNorm, instance.clone(), x, trained::<4>);

    let x = x.without_autodiff();
    let forward = |y: Tensor<4>, _: &Tensor<4>| y;
    both!(all, ("batch_infer", &size), BatchNorm, batch.valid(), x, forward);
    both!(all, ("group_fwd", &size), GroupNorm, group.valid(), x, forward);
    both!(all, ("instance_fwd", &size), InstanceNorm, instance.valid(), x, forward);
    all
}
