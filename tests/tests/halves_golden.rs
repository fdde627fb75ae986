//! Half types against PyTorch: the files of `golden/halves` (written by `golden/generate.py`) at every level of this machine.
//!
//! What PyTorch computes in float64 from inputs of a half type is, rounded once, what a kernel stores. The files of kind `llama` hold
//! what the models of `transformers` compute in the half type itself: `cast = before_weight`.

use std::collections::BTreeSet;

use normkit::{Element, Saved, bf16, f16};
use normkit_tests::check::outputs_near;
use normkit_tests::golden::{File, read_folder};
use normkit_tests::rounding::Format;
use normkit_tests::{
    Batch, BatchInputs, Expected, Inputs, Kernel, Outputs, WeightInputs, WeightNorm, at_each_level_of_halves, batch,
    element, kernel, weight_norm, wide, widen,
};

const TOLERANCE: f64 = 2e-6;

/// A file, with what a kernel of these types takes of it.
struct Golden {
    name: &'static str,
    file: File,
}

impl Golden {
    fn dims(&self) -> Vec<usize> {
        self.file.metadata["shape"].split(',').map(|dim| dim.parse().unwrap()).collect()
    }

    fn axis(&self) -> usize {
        self.file.metadata["axis"].parse().unwrap()
    }

    fn inputs<T: Element, P: Element<Compute = T::Compute>>(&self) -> Inputs<T, P> {
        assert_eq!(self.file.metadata["dtype"], T::NAME, "{}", self.name);
        let cast = &self.file;
        Inputs {
            x: cast.cast("x"),
            dy: cast.cast("dy"),
            weight: cast.cast("weight"),
            bias: cast.cast("bias"),
            eps: element::<T::Compute>(cast.metadata["eps"].parse().unwrap()),
        }
    }

    fn expected(&self) -> Expected {
        let get = |name| self.file.get(name).to_vec();
        Expected {
            y: get("y"),
            mean: get("mean"),
            var: get("variance"),
            rstd: get("rstd"),
            dx: get("dx"),
            dweight: get("dweight"),
            dbias: get("dbias"),
        }
    }

    fn near<T: Element>(&self, found: &Outputs<T>, level: normkit::Level) {
        let expected = self.expected();
        let per_param = expected.y.len() / expected.dweight.len();
        outputs_near(&format!("{} at {level}", self.name), found, &expected, per_param, TOLERANCE);
    }
}

/// A file by name, at one level.
trait Test {
    fn test(&self, golden: &Golden, level: normkit::Level);
}

impl<T: Element, P: Element<Compute = T::Compute>> Test for Kernel<T, P> {
    fn test(&self, golden: &Golden, level: normkit::Level) {
        if golden.file.metadata["kind"] == "llama" {
            return llama(self, golden, level);
        }
        golden.near(&self.run_in(&golden.dims(), &golden.inputs()), level);
    }
}

impl<T: Element, P: Element<Compute = T::Compute>> Test for Batch<T, P> {
    fn test(&self, golden: &Golden, level: normkit::Level) {
        let (dims, inputs, what) = (golden.dims(), golden.inputs::<T, P>(), format!("{} at {level}", golden.name));
        let (mut mean, mut var) = (golden.file.cast::<P>("running_mean"), golden.file.cast::<P>("running_var"));
        if golden.file.metadata["mode"] == "eval" {
            let found = self.infer_in(&dims, &BatchInputs { inputs, mean, var });
            let (y, dx, saved) = (found.y, found.dx, Saved::default());
            // There are no statistics of a batch to compare.
            let statistics = Expected { rstd: Vec::new(), mean: Vec::new(), ..golden.expected() };
            let per_param = y.len() / statistics.dweight.len();
            let outputs = Outputs { y, dx, dweight: found.dweight, dbias: found.dbias, saved };
            return outputs_near(&what, &outputs, &statistics, per_param, TOLERANCE);
        }
        let found = self.train_in(&dims, &inputs);
        golden.near(&found, level);
        let mut tracked = 0;
        (self.update)(&found.saved, &mut mean, &mut var, &mut tracked).unwrap();
        let format = Format::of::<P>().expect("statistics of a half type");
        for (part, found, expected) in
            [("running_mean", mean, "running_mean_after"), ("running_var", var, "running_var_after")]
        {
            format.rounded_once(
                &format!("{part} of {what}"),
                &widen(&found),
                golden.file.get(expected),
                1.0,
                TOLERANCE,
            );
        }
    }
}

impl<T: Element, P: Element<Compute = T::Compute>> Test for WeightNorm<T, P> {
    fn test(&self, golden: &Golden, level: normkit::Level) {
        let (inputs, expected) = (golden.inputs::<T, P>(), golden.expected());
        assert!(golden.axis() < golden.dims().len());
        let inputs = WeightInputs { v: inputs.x, dw: inputs.dy, g: inputs.weight };
        let (found, what) = (self.run_in(&golden.dims(), &inputs), format!("{} at {level}", golden.name));
        let format = Format::of::<T>().unwrap();
        format.rounded_once(&format!("w of {what}"), &widen(&found.w), &expected.y, f64::MIN_POSITIVE, TOLERANCE);
        for (part, found, expected) in [("dv", &found.dv, &expected.dx), ("dg", &found.dg, &expected.dweight)] {
            let error = normkit_tests::error(&widen(found), expected, f64::MIN_POSITIVE);
            assert!(error <= TOLERANCE, "{part} of {what}: {error:e}");
        }
    }
}

/// Bit for bit, but for one element in two hundred where two ways to sum in `f32` round to neighbours.
fn llama<T: Element, P: Element<Compute = T::Compute>>(kernel: &Kernel<T, P>, golden: &Golden, level: normkit::Level) {
    let (dims, inputs) = (golden.dims(), golden.inputs::<T, P>());
    let inputs = Inputs { dy: inputs.x.clone(), ..inputs };
    let found = kernel.run_in(&dims, &inputs).y;
    let (expected, format) = (golden.file.get("llama"), Format::of::<T>().unwrap());
    assert_eq!(found.len(), expected.len());
    let mut moved = 0;
    for (i, (y, e)) in found.iter().map(|y| wide(*y)).zip(expected).enumerate() {
        moved += usize::from(y.to_bits() != e.to_bits());
        let ulp = 2.0 * format.half_ulp(*e);
        assert!((y - e).abs() <= ulp, "{} at {level}: [{i}] is {y}, not {e}", golden.name);
    }
    println!("{} at {level}: {moved} of {} differ by an ulp", golden.name, expected.len());
    assert!(moved * 200 <= expected.len(), "{} at {level}: {moved} of {} differ", golden.name, expected.len());
}

/// `name: kernel`, each file once.
macro_rules! table {
    ($($name:literal: $kernel:expr;)*) => { vec![$(($name, Box::new($kernel) as Box<dyn Test>)),*] };
}

#[test]
fn agrees_with_pytorch_at_every_level() {
    let table = table! {
        "rms_5x33_axis1_eps1e-06_weight_bf16": kernel!(bf16 / bf16, weight; kind = "rms", shape = [_, 33]);
        "rms_3x20_axis1_eps1e-06_weight_f16": kernel!(f16, weight; kind = "rms", shape = [_, 20]);
        "rms_2x7x3x3_axis1_eps1e-06_weight_bf16": kernel!(bf16, weight; kind = "rms", shape = [_, 7, 3, 3], axis = 1);
        "layer_3x100_axis1_eps1e-05_weight_bias_f16": kernel!(f16 / f16, weight bias; kind = "layer", shape = [_, 100]);
        "layer_4x17_axis1_eps1e-05_weight_bias_mean10_bf16":
            kernel!(bf16, weight bias; kind = "layer", shape = [_, _]);
        "layer_2x5x3x4_axis1-3_eps1e-05_weight_bias_f16":
            kernel!(f16 / f16, weight bias; kind = "layer", shape = [_, 5, _, 4], axis = [1, 3]);
        "batch_train_7x17_axis1_eps1e-05_weight_bias_mean1_bf16": batch!(bf16 / bf16, weight bias; shape = [_, 17]);
        "batch_train_2x3x5x5_axis1_eps1e-05_weight_bias_f16": batch!(f16 / f16, weight bias; shape = [_, 3, 5, 5]);
        "batch_eval_2x5x17_axis2_eps1e-05_weight_bias_bf16":
            batch!(bf16 / bf16, weight bias; shape = [_, _, 17], axis = -1);
        "instance_2x3x5x5_axis1_eps1e-05_weight_bias_bf16":
            kernel!(bf16 / bf16, weight bias; kind = "instance", shape = [_, 3, 5, 5]);
        "instance_2x9x17_axis2_eps1e-05_weight_bias_f16":
            kernel!(f16, weight bias; kind = "instance", shape = [_, 9, 17], axis = -1);
        "group_2x6x3x3_axis1_groups2_eps1e-05_weight_bias_f16":
            kernel!(f16 / f16, weight bias; kind = "group", shape = [_, 6, 3, 3], groups = 2);
        "group_2x5x20_axis2_groups4_eps1e-05_weight_bias_bf16":
            kernel!(bf16, weight bias; kind = "group", shape = [_, _, 20], axis = -1, groups = 4);
        "weight_5x33_axis0_weight_bf16": weight_norm!(bf16, g; shape = [5, 33]);
        "weight_7x20_axis1_weight_f16": weight_norm!(f16 / f16, g; shape = [7, 20], axis = 1);
        "llama_8x256_eps1e-06_bf16":
            kernel!(bf16 / bf16, weight; kind = "rms", shape = [_, 256], cast = before_weight);
        "llama_8x200_eps1e-05_bf16":
            kernel!(bf16 / bf16, weight; kind = "rms", shape = [_, _], eps = 1e-5, cast = before_weight);
        "llama_16x100_eps1e-06_f16":
            kernel!(f16 / f16, weight; kind = "rms", shape = [_, 100], cast = before_weight);
    };
    let mut files = read_folder("golden/halves");
    let names: BTreeSet<String> = table.iter().map(|(name, _)| (*name).to_string()).collect();
    assert_eq!(files.keys().cloned().collect::<BTreeSet<_>>(), names, "each file has its kernel");
    let cases: Vec<_> =
        table.into_iter().map(|(name, test)| (Golden { name, file: files.remove(name).unwrap() }, test)).collect();
    at_each_level_of_halves("halves", |level| {
        for (golden, test) in &cases {
            test.test(golden, level);
        }
    });
}

/// The files of kind `llama` are those of no other function: rounded once, a part of the elements differs.
#[test]
fn rounding_once_is_not_what_llama_does() {
    let _turn = normkit_tests::turn();
    let file = read_folder("golden/halves").remove("llama_8x256_eps1e-06_bf16").unwrap();
    let golden = Golden { name: "llama_8x256_eps1e-06_bf16", file };
    let once = kernel!(bf16 / bf16, weight; kind = "rms", shape = [_, 256]);
    let inputs = golden.inputs::<bf16, bf16>();
    let found = once.run_in(&golden.dims(), &Inputs { dy: inputs.x.clone(), ..inputs }).y;
    let differ = widen(&found).iter().zip(golden.file.get("llama")).filter(|(y, e)| y != e).count();
    assert!(differ * 20 > found.len(), "{differ} of {}", found.len());
}
