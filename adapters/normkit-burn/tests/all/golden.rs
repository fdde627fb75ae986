//! PyTorch's results in float64, from the golden files of normkit's own tests.

use crate::golden_files::{self, File};
use crate::slow_path::{batch, group, instance, layer, rms};
use crate::{F64, Numbers, compare, numbers, passes, plain, tracked};
use burn::module::{Module, RunningState};
use burn::tensor::{DType, Tensor};
use normkit_burn::{BatchNorm, BatchNormConfig};
use safetensors::SafeTensors;

impl File {
    fn number<T: std::str::FromStr<Err: std::fmt::Debug>>(&self, key: &str) -> T {
        self.metadata[key].parse().unwrap()
    }

    /// A tensor of the file, if it has it.
    fn numbers(&self, name: &str) -> Option<Numbers> {
        let tensors = SafeTensors::deserialize(&self.data).unwrap();
        let view = tensors.tensor(name).ok()?;
        let of = |values: Vec<f64>| Numbers { values, dims: view.shape().to_vec() };
        Some(match view.dtype() {
            safetensors::Dtype::F64 => of(view.data().as_chunks().0.iter().map(|b| f64::from_le_bytes(*b)).collect()),
            safetensors::Dtype::F32 => {
                of(view.data().as_chunks().0.iter().map(|b| f64::from(f32::from_le_bytes(*b))).collect())
            }
            other => panic!("{}: `{name}` of {other:?}", self.name),
        })
    }

    fn params(&self) -> Vec<Numbers> {
        ["weight", "bias"].into_iter().filter_map(|name| self.numbers(name)).collect()
    }

    /// Runs `layer` over `x` and the parameters and compares `y` and all gradients.
    fn check<const D: usize>(&self, layer: impl Fn(Tensor<D>, &[Tensor<1>]) -> Tensor<D>) {
        for (dtype, bound) in [(DType::F32, 2e-6), (DType::F64, 1e-13)] {
            let (x, dy) = (self.numbers("x").unwrap(), self.numbers("dy").unwrap());
            let got = passes(&layer, dtype, &x, &self.params(), &dy);
            compare(&format!("{}: y", self.name), &got[0], &self.numbers("y").unwrap(), bound);
            for (name, got) in ["dx", "dweight", "dbias"].iter().zip(&got[1..]) {
                let expected = self.numbers(name).unwrap();
                // Where all of it cancels, what is left of f32 is rounding.
                if expected.values.iter().any(|value| value.abs() > 1e-4) {
                    compare(&format!("{}: {name}", self.name), got, &expected, 4.0 * bound);
                }
            }
        }
    }
}

/// `$run::<D>(arguments)` for the rank of `x`.
macro_rules! of_rank {
    ($file:expr, $run:ident) => {
        match $file.numbers("x").unwrap().dims.len() {
            1 => $run::<1>($file),
            2 => $run::<2>($file),
            3 => $run::<3>($file),
            4 => $run::<4>($file),
            5 => $run::<5>($file),
            rank => panic!("{}: {rank} axes", $file.name),
        }
    };
}

#[test]
fn rows() {
    fn run<const D: usize>(file: &File) {
        let eps: f64 = file.number("eps");
        match &*file.metadata["kind"] {
            "rms" => file.check(|x: Tensor<D>, params| rms(params, eps).forward(x)),
            _ => file.check(|x: Tensor<D>, params| layer(params, eps).forward(x)),
        }
    }
    for file in &golden_files::rows() {
        of_rank!(file, run);
    }
}

#[test]
fn groups_and_instances() {
    fn run<const D: usize>(file: &File) {
        let (eps, channels) = (file.number("eps"), file.numbers("x").unwrap().dims[1]);
        match &*file.metadata["kind"] {
            "group" => {
                file.check(|x: Tensor<D>, params| group(params, channels, file.number("groups"), eps).forward(x))
            }
            _ => file.check(|x: Tensor<D>, params| instance(params, channels, eps).forward(x)),
        }
    }
    for file in &golden_files::groups_and_instances() {
        of_rank!(file, run);
    }
}

/// A layer with the parameters and the running statistics of a file.
fn module(file: &File, params: &[Tensor<1>], dtype: DType) -> BatchNorm {
    let running = |name: &str| file.numbers(name).unwrap().tensor(dtype, &tracked());
    let channels = file.numbers("running_mean").unwrap().values.len();
    let one = |value: f64| Numbers { values: vec![value; channels], dims: vec![channels] }.tensor(dtype, &tracked());
    let params = if params.is_empty() { vec![one(1.0), one(0.0)] } else { params.to_vec() };
    let momentum = if file.metadata["mode"] == "train" { file.number("momentum") } else { 0.1 };
    let norm = batch(&params, file.number("eps"), running("running_mean"), running("running_var"));
    BatchNorm { momentum, ..norm }
}

#[test]
fn batches() {
    fn run<const D: usize>(file: &File) {
        let train = file.metadata["mode"] == "train";
        file.check(|x: Tensor<D>, params| {
            let norm = module(file, params, x.dtype());
            // On a device with autodiff, burn's layers train unless they are frozen, which parameters here are not to be.
            let norm =
                if train { norm } else { BatchNorm { training: norm.training.map(|flag| flag.with(false)), ..norm } };
            norm.forward(x)
        });
        if !train {
            return;
        }
        let norm = module(file, &[], F64.0);
        let follow = |x: &Numbers, step: usize| {
            norm.forward(x.tensor::<D>(F64.0, &tracked()));
            for (name, running) in [("running_mean", &norm.running_mean), ("running_var", &norm.running_var)] {
                let after = file.numbers(&format!("{name}_after")).unwrap();
                let channels = after.dims[1];
                let expected = after.values[step * channels..][..channels].to_vec();
                let expected = Numbers { values: expected, dims: vec![channels] };
                let what = format!("{}: {name} after {step}", file.name);
                compare(&what, &numbers(&running.value_sync()), &expected, 1e-13);
            }
        };
        let x = file.numbers("x").unwrap();
        follow(&x, 0);
        if let Some(more) = file.numbers("more") {
            for (index, values) in more.values.chunks(x.values.len()).enumerate() {
                follow(&Numbers { values: values.to_vec(), dims: x.dims.clone() }, index + 1);
            }
        }
    }
    for file in &golden_files::batches() {
        of_rank!(file, run);
    }
}

/// Inference as users run it: `valid()` of a model that was trained.
#[test]
fn inference_of_a_trained_module() {
    for file in golden_files::batches().iter().filter(|file| file.metadata["mode"] != "train") {
        let x = file.numbers("x").unwrap();
        if x.dims.len() != 4 {
            continue;
        }
        let params: Vec<Tensor<1>> = file.params().iter().map(|param| param.tensor(F64.0, &tracked())).collect();
        let norm = module(file, &params, F64.0).valid();
        let y = norm.forward(x.tensor::<4>(F64.0, &plain()));
        compare(&file.name, &numbers(&y), &file.numbers("y").unwrap(), 1e-13);
    }
    let fresh = BatchNormConfig::new(2).init(&plain());
    assert!(matches!(&fresh.running_mean, RunningState { .. }));
}
