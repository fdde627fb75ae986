//! What the criterion benches and the example `ratios` both run: a layer of candle's and ours, over the same tensors.

use candle_core::{CpuStorage, CustomOp1, DType, Device, Layout, Module, ModuleT, Result, Shape, Tensor, Var};
use candle_nn::ops::{layer_norm_slow, rms_norm_slow};

/// One layer on one shape.
pub struct Workload {
    /// Such as `rms_fwd_f32_4096x128`.
    pub name: String,
    pub candle: Box<dyn Fn() + Send + Sync>,
    pub ours: Box<dyn Fn() + Send + Sync>,
    /// The same graph around an operation that only copies: what is candle's part in both.
    pub copy: Option<Box<dyn Fn() + Send + Sync>>,
}

impl Workload {
    /// Beside a copy of the same tensor, through which gradients flow.
    fn beside_a_copy(mut self, x: &Var) -> Self {
        let x = x.clone();
        self.copy = Some(Box::new(move || {
            std::hint::black_box(trained(x.apply_op1(Copy), &x).expect("the tensor is contiguous"));
        }));
        self
    }
}

/// Copies `x`, and its gradient.
struct Copy;

impl CustomOp1 for Copy {
    fn name(&self) -> &'static str {
        "copy"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (start, end) = layout.contiguous_offsets().ok_or_else(|| candle_core::Error::msg("not contiguous"))?;
        let copy = match storage {
            CpuStorage::F32(x) => CpuStorage::F32(x[start..end].to_vec()),
            CpuStorage::BF16(x) => CpuStorage::BF16(x[start..end].to_vec()),
            _ => return Err(candle_core::Error::msg("neither f32 nor bf16")),
        };
        Ok((copy, layout.shape().clone()))
    }

    fn bwd(&self, _: &Tensor, _: &Tensor, dy: &Tensor) -> Result<Option<Tensor>> {
        dy.copy().map(Some)
    }
}

fn workload<A, B>(name: String, candle: A, ours: B) -> Workload
where
    A: Fn() -> Result<Tensor> + Send + Sync + 'static,
    B: Fn() -> Result<Tensor> + Send + Sync + 'static,
{
    fn run(pass: &dyn Fn() -> Result<Tensor>) {
        std::hint::black_box(pass().expect("the shapes fit"));
    }
    Workload { name, candle: Box::new(move || run(&candle)), ours: Box::new(move || run(&ours)), copy: None }
}

/// Forward and backward, the gradient of the output being 1; gives that of `x`.
fn trained(y: Result<Tensor>, x: &Var) -> Result<Tensor> {
    y?.backward()?.remove(x).ok_or_else(|| candle_core::Error::msg("no gradient"))
}

/// All there are.
pub fn workloads() -> Result<Vec<Workload>> {
    let mut all = Vec::new();
    for (rows, n) in [(4096, 128), (512, 768), (128, 4096), (1, 4096)] {
        all.extend(of_rows(rows, n, DType::F32)?);
    }
    all.extend(of_rows(512, 768, DType::BF16)?);
    all.extend(of_images([8, 64, 28, 28], 8)?);
    Ok(all)
}

/// Forward: candle's fused kernels. Forward and backward: its layers that have gradients.
fn of_rows(rows: usize, n: usize, dtype: DType) -> Result<Vec<Workload>> {
    let size = format!("{}_{rows}x{n}", dtype.as_str());
    let random = |shape: &[usize]| Tensor::randn(0f32, 1., shape, &Device::Cpu)?.to_dtype(dtype);
    let (x, weight, bias) = (random(&[rows, n])?, random(&[n])?, random(&[n])?);
    let mut all = Vec::new();

    let theirs = candle_nn::RmsNorm::new(weight.clone(), 1e-6);
    let ours = normkit_candle::RmsNorm::new(weight.clone(), 1e-6);
    let (a, b) = (x.clone(), x.clone());
    all.push(workload(format!("rms_fwd_{size}"), move || theirs.forward(&a), move || ours.forward(&b)));

    let theirs = candle_nn::LayerNorm::new(weight.clone(), bias.clone(), 1e-5);
    let ours = normkit_candle::LayerNorm::new(weight.clone(), bias.clone(), 1e-5);
    let (a, b) = (x.clone(), x.clone());
    all.push(workload(format!("layer_fwd_{size}"), move || theirs.forward(&a), move || ours.forward(&b)));

    let (x, weight, bias) = (Var::from_tensor(&x)?, Var::from_tensor(&weight)?, Var::from_tensor(&bias)?);
    let ours = normkit_candle::RmsNorm::new(weight.as_tensor().clone(), 1e-6);
    let (a, b, w) = (x.clone(), x.clone(), weight.clone());
    let theirs = move || trained(rms_norm_slow(&a, &w, 1e-6), &a);
    let passes = workload(format!("rms_fwd_bwd_{size}"), theirs, move || trained(ours.forward(&b), &b));
    all.push(passes.beside_a_copy(&x));

    let ours = normkit_candle::LayerNorm::new(weight.as_tensor().clone(), bias.as_tensor().clone(), 1e-5);
    let (a, b) = (x.clone(), x.clone());
    let theirs = move || trained(layer_norm_slow(&a, &weight, &bias, 1e-5), &a);
    let passes = workload(format!("layer_fwd_bwd_{size}"), theirs, move || trained(ours.forward(&b), &b));
    all.push(passes.beside_a_copy(&x));
    Ok(all)
}

/// Batch normalization in training and inference, and group normalization.
fn of_images(dims: [usize; 4], groups: usize) -> Result<Vec<Workload>> {
    let channels = dims[1];
    let size = format!("f32_{}", dims.map(|dim| dim.to_string()).join("x"));
    let var = |value: f64| Var::from_tensor(&Tensor::full(value as f32, channels, &Device::Cpu)?);
    let (mean, running, weight, bias) = (var(0.0)?, var(1.0)?, var(1.5)?, var(0.5)?);
    let x = Var::randn(0f32, 1., &dims, &Device::Cpu)?;
    let of = |var: &Var| var.as_tensor().clone();
    let mut all = Vec::new();

    let make = || candle_nn::BatchNorm::new(channels, of(&mean), of(&running), of(&weight), of(&bias), 1e-5);
    let (theirs, ours) = (make()?, normkit_candle::BatchNorm::from(make()?));
    let (a, b) = (x.clone(), x.clone());
    let theirs = move || trained(theirs.forward_train(&a), &a);
    all.push(workload(format!("batch_fwd_bwd_{size}"), theirs, move || trained(ours.forward_train(&b), &b)));

    let (theirs, ours) = (make()?, normkit_candle::BatchNorm::from(make()?));
    let (a, b) = (of(&x).detach(), of(&x).detach());
    let theirs = move || theirs.forward_t(&a, false);
    all.push(workload(format!("batch_infer_{size}"), theirs, move || ours.forward_t(&b, false)));

    let theirs = candle_nn::GroupNorm::new(of(&weight), of(&bias), channels, groups, 1e-5)?;
    let ours = normkit_candle::GroupNorm::new(of(&weight), of(&bias), channels, groups, 1e-5)?;
    let (a, b) = (x.clone(), x);
    let theirs = move || trained(theirs.forward(&a), &a);
    all.push(workload(format!("group_fwd_bwd_{size}"), theirs, move || trained(ours.forward(&b), &b)));
    Ok(all)
}
