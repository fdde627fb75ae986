//! A small training run: every parameter receives a gradient, and the loss falls.

use crate::{compare, values};
use candle_core::{D, DType, Device, Module, ModuleT, Result, Tensor};
use candle_nn::{AdamW, Conv2d, Conv2dConfig, Linear, Optimizer, ParamsAdamW, VarBuilder, VarMap, conv2d, linear};
use normkit_candle::{
    BatchNorm, GroupNorm, InstanceNorm, LayerNorm, RmsNorm, batch_norm, group_norm, instance_norm, layer_norm, rms_norm,
};

/// One of each kind.
struct Model {
    conv: Conv2d,
    batch: BatchNorm,
    group: GroupNorm,
    instance: InstanceNorm,
    linear: Linear,
    layer: LayerNorm,
    rms: RmsNorm,
    head: Linear,
}

impl Model {
    fn new(vb: &VarBuilder) -> Result<Self> {
        let config = Conv2dConfig { padding: 1, ..Default::default() };
        Ok(Model {
            conv: conv2d(1, 8, 3, config, vb.pp("conv"))?,
            batch: batch_norm(8, 1e-5, vb.pp("batch"))?,
            group: group_norm(2, 8, 1e-5, vb.pp("group"))?,
            instance: instance_norm(8, 1e-5, vb.pp("instance"))?,
            linear: linear(8 * 16, 64, vb.pp("linear"))?,
            layer: layer_norm(64, 1e-5, vb.pp("layer"))?,
            rms: rms_norm(64, 1e-6, vb.pp("rms"))?,
            head: linear(64, 2, vb.pp("head"))?,
        })
    }

    fn forward(&self, x: &Tensor, train: bool) -> Result<Tensor> {
        let x = self.batch.forward_t(&self.conv.forward(x)?, train)?.relu()?;
        let x = self.instance.forward(&self.group.forward(&x)?.relu()?)?.relu()?;
        let x = self.layer.forward(&self.linear.forward(&x.flatten_from(1)?)?)?.silu()?;
        self.head.forward(&self.rms.forward(&x)?)
    }
}

/// Lets all parameters start where they do on every run, without symmetries; gives the names of all variables.
fn start(vars: &VarMap) -> Result<Vec<String>> {
    let data = vars.data().lock().unwrap();
    let mut names: Vec<String> = data.keys().cloned().collect();
    names.sort();
    for (seed, name) in names.iter().enumerate().filter(|(_, name)| !name.contains("running")) {
        let var = &data[name];
        let values = (values(seed as u64, var.dims())? * 0.2)?.to_dtype(var.dtype())?;
        var.set(&if name.ends_with("weight") && var.rank() == 1 { (values + 1.0)? } else { values })?;
    }
    Ok(names)
}

#[test]
fn every_parameter_learns() -> Result<()> {
    let vars = VarMap::new();
    let model = Model::new(&VarBuilder::from_varmap(&vars, DType::F32, &Device::Cpu))?;
    let names = start(&vars)?;
    // Which of two patterns an image shows, under noise.
    let count = 32;
    let noise = values(50, &[count, 1, 4, 4])?;
    let pattern = values(51, &[1, 1, 4, 4])?;
    let labels: Vec<u32> = (0..count as u32).map(|i| i % 2).collect();
    let signs = Tensor::from_iter(labels.iter().map(|label| *label as f32 * 2.0 - 1.0), &Device::Cpu)?;
    let x = (noise + signs.reshape((count, 1, 1, 1))?.broadcast_mul(&pattern)?)?;
    let labels = Tensor::new(labels, &Device::Cpu)?;
    let loss = |train: bool| candle_nn::loss::cross_entropy(&model.forward(&x, train)?, &labels);

    let grads = loss(true)?.backward()?;
    for name in &names {
        let data = vars.data().lock().unwrap();
        let grad = grads.get(&data[name]);
        if name.contains("running") {
            assert!(grad.is_none(), "{name} is no parameter");
            continue;
        }
        let grad = grad.unwrap_or_else(|| panic!("{name} has no gradient"));
        assert_eq!(grad.dims(), data[name].dims());
        let largest = grad.abs()?.flatten_all()?.max(D::Minus1)?.to_scalar::<f32>()?;
        // What follows takes its constant away: there all is rounding.
        assert!(
            largest > 1e-5 || name == "conv.bias" || name == "linear.bias",
            "{name}: gradient of at most {largest}"
        );
    }

    let mut optimizer = AdamW::new(vars.all_vars(), ParamsAdamW { lr: 0.01, ..Default::default() })?;
    let first = loss(true)?.to_scalar::<f32>()?;
    for _ in 0..30 {
        optimizer.backward_step(&loss(true)?)?;
    }
    let last = loss(true)?.to_scalar::<f32>()?;
    assert!(last < 0.3 * first, "the loss went from {first} to {last}");
    assert!(loss(false)?.to_scalar::<f32>()? < first, "inference has learned too");
    Ok(())
}

/// The gradient is that of the whole, not of the layer alone: a step downhill loses as much as its length says.
#[test]
fn gradients_are_slopes() -> Result<()> {
    let vars = VarMap::new();
    let model = Model::new(&VarBuilder::from_varmap(&vars, DType::F64, &Device::Cpu))?;
    start(&vars)?;
    let x = values(60, &[4, 1, 4, 4])?.to_dtype(DType::F64)?;
    let loss = || model.forward(&x, true)?.sqr()?.sum_all();
    let grads = loss()?.backward()?;
    for (name, var) in vars.data().lock().unwrap().iter().filter(|(name, _)| !name.contains("running")) {
        let grad = grads.get(var).unwrap_or_else(|| panic!("{name} has no gradient"));
        let along = values(61, var.dims())?.to_dtype(DType::F64)?;
        let at = |step: f64, from: &Tensor| -> Result<f64> {
            var.set(&(from + (&along * step)?)?)?;
            loss()?.to_scalar()
        };
        let start = var.as_tensor().copy()?;
        let step = 1e-6;
        let slope = Tensor::new((at(step, &start)? - at(-step, &start)?) / (2.0 * step), &Device::Cpu)?;
        var.set(&start)?;
        let expected = (grad * &along)?.sum_all()?;
        let scale = loss()?.to_scalar::<f64>()?.abs();
        compare(name, &(slope + scale)?, &(expected + scale)?, 1e-5);
    }
    Ok(())
}
