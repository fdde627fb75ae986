//! PyTorch's results in float64, from the golden files of normkit's own tests: see `tests/golden/generate.py` there.

use crate::golden_files::{self, File};
use crate::{compare, gradients, var};
use candle_core::{DType, Device, Module, ModuleT, Result, Tensor, Var};
use normkit_candle::{BatchNorm, GroupNorm, InstanceNorm, LayerNorm, RmsNorm};
use std::collections::HashMap;

struct Golden {
    name: String,
    metadata: HashMap<String, String>,
    tensors: HashMap<String, Tensor>,
}

fn read(files: Vec<File>) -> Vec<Golden> {
    let tensors = |data: &[u8]| candle_core::safetensors::load_buffer(data, &Device::Cpu).unwrap();
    let read = |file: File| Golden { tensors: tensors(&file.data), name: file.name, metadata: file.metadata };
    files.into_iter().map(read).collect()
}

impl Golden {
    fn number<T: std::str::FromStr<Err: std::fmt::Debug>>(&self, key: &str) -> T {
        self.metadata[key].parse().unwrap()
    }

    fn var(&self, name: &str, dtype: DType) -> Result<Var> {
        var(&self.tensors[name], dtype)
    }

    /// Runs `layer(x, weight, bias)` and compares `y` and the gradients of what there is.
    fn check(&self, layer: impl Fn(&[Var], DType) -> Result<Tensor>) -> Result<()> {
        for (dtype, bound) in [(DType::F32, 2e-6), (DType::F64, 1e-13)] {
            let names: Vec<&str> =
                ["x", "weight", "bias"].into_iter().filter(|name| self.tensors.contains_key(*name)).collect();
            let vars = names.iter().map(|name| self.var(name, dtype)).collect::<Result<Vec<_>>>()?;
            let y = layer(&vars, dtype)?;
            compare(&format!("{}: y", self.name), &y, &self.tensors["y"], bound);
            let grads = gradients(&y, &self.tensors["dy"], &vars.iter().collect::<Vec<_>>())?;
            for (name, grad) in names.iter().zip(&grads) {
                let expected = &self.tensors[&format!("d{name}")];
                // Where all of it cancels, what is left of f32 is rounding.
                let largest = expected.abs()?.flatten_all()?.max(0)?.to_dtype(DType::F64)?.to_scalar::<f64>()?;
                if largest > 1e-4 {
                    compare(&format!("{}: d{name}", self.name), grad, expected, 4.0 * bound);
                }
            }
        }
        Ok(())
    }
}

fn tensor(var: &Var) -> Tensor {
    var.as_tensor().clone()
}

#[test]
fn rows() -> Result<()> {
    for file in read(golden_files::rows()) {
        let eps: f64 = file.number("eps");
        file.check(|v, _| match v {
            [x, weight] if file.metadata["kind"] == "rms" => RmsNorm::new(tensor(weight), eps).forward(x),
            [x, weight] => LayerNorm::new_no_bias(tensor(weight), eps).forward(x),
            [x, weight, bias] => LayerNorm::new(tensor(weight), tensor(bias), eps).forward(x),
            _ => unreachable!("all of them have a weight"),
        })?;
    }
    Ok(())
}

#[test]
fn groups_and_instances() -> Result<()> {
    for file in read(golden_files::groups_and_instances()) {
        let (eps, channels) = (file.number("eps"), file.tensors["x"].dim(1)?);
        file.check(|v, dtype| match (v, &*file.metadata["kind"]) {
            ([x, weight, bias], "group") => {
                GroupNorm::new(tensor(weight), tensor(bias), channels, file.number("groups"), eps)?.forward(x)
            }
            ([x], "group") => {
                let constant = |value: f64| Tensor::full(value, channels, &Device::Cpu)?.to_dtype(dtype);
                GroupNorm::new(constant(1.0)?, constant(0.0)?, channels, file.number("groups"), eps)?.forward(x)
            }
            ([x, weight, bias], _) => InstanceNorm::new(tensor(weight), tensor(bias), channels, eps)?.forward(x),
            ([x], _) => InstanceNorm::new_no_affine(channels, eps).forward(x),
            _ => unreachable!("weight and bias, or none"),
        })?;
    }
    Ok(())
}

#[test]
fn batches() -> Result<()> {
    for file in read(golden_files::batches()) {
        let eps: f64 = file.number("eps");
        let train = file.metadata["mode"] == "train";
        let momentum = if train { file.number("momentum") } else { 0.1 };
        let channels = file.tensors["x"].dim(1)?;
        let make = |v: &[Var], dtype| {
            let running = |name: &str| file.tensors[name].to_dtype(dtype);
            let (mean, var) = (running("running_mean")?, running("running_var")?);
            match v {
                [_, w, b] => BatchNorm::new_with_momentum(channels, mean, var, tensor(w), tensor(b), eps, momentum),
                _ => BatchNorm::new_no_bias_with_momentum(channels, mean, var, eps, momentum),
            }
        };
        file.check(|v, dtype| make(v, dtype)?.forward_t(&v[0], train))?;
        if !train {
            continue;
        }
        let norm = make(&[], DType::F64)?;
        let more = file.tensors.get("more").map_or(Ok(0), |more| more.dim(0))?;
        for step in 0..=more {
            let x = if step == 0 { file.tensors["x"].clone() } else { file.tensors["more"].get(step - 1)? };
            norm.forward_train(&x.to_dtype(DType::F64)?)?;
            for (name, running) in [("running_mean", norm.running_mean()), ("running_var", norm.running_var())] {
                let expected = file.tensors[&format!("{name}_after")].get(step)?;
                compare(&format!("{}: {name} after {step}", file.name), running, &expected, 1e-13);
            }
        }
    }
    Ok(())
}
