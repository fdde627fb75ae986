//! The product against PyTorch: every file of `golden/` (written by `golden/generate.py`, all float64) through the
//! kernels of `norm!` in f32 and f64, and some of them through annotated layers, at every level of this machine.
//!
//! `cargo test -p normkit-tests --test golden -- --nocapture` prints which levels ran and the worst errors.

// Of what tests need, lints warn; this silences them.
#![allow(deprecated)]

use std::collections::BTreeMap;

use normkit::{NormError, Saved, norm, normalize};
use normkit_tests::at_each_level;
use normkit_tests::golden::{File, Report, Scalar, compare, largest, read_folder};

// ---- the golden files ----

struct Golden {
    affine: String,
    /// Elements that are normalized together.
    size: usize,
    eps: f64,
    centred: bool,
    file: File,
}

impl Golden {
    fn new(name: &str, file: File) -> Self {
        let metadata = &file.metadata;
        let mut golden = Golden {
            affine: metadata["affine"].clone(),
            size: metadata["normalized"].split(',').map(|dim| dim.parse::<usize>().unwrap()).product(),
            eps: metadata["eps"].parse().unwrap(),
            centred: match metadata["kind"].as_str() {
                "rms" => false,
                "layer" => true,
                kind => panic!("{name}: this test does not know kind {kind}"),
            },
            file,
        };
        if golden.centred && golden.size == 1 {
            // x - mean is 0, and so are dx and dweight. PyTorch leaves rounding noise there; we promise 0.
            for tensor in ["dx", "dweight"] {
                for value in golden.file.tensors.get_mut(tensor).into_iter().flatten() {
                    assert!(value.abs() < 1e-12, "{name}: {tensor} is {value:e}");
                    *value = 0.0;
                }
            }
        }
        golden
    }

    fn get(&self, name: &str) -> &[f64] {
        self.file.get(name)
    }
}

fn read_all() -> BTreeMap<String, Golden> {
    let golden = |(name, file): (String, File)| {
        let golden = Golden::new(&name, file);
        (name, golden)
    };
    read_folder("golden").into_iter().map(golden).collect()
}

// ---- what is allowed ----

/// What an error is measured against: the largest value of the row for y, and for dx in f64; the largest of the tensor
/// for the other gradients.
struct Scales {
    y: Vec<f64>,
    dx: Vec<f64>,
    dweight: Vec<f64>,
    dbias: Vec<f64>,
}

impl Scales {
    fn new<T: Scalar>(golden: &Golden) -> Self {
        let rows = |name| golden.get(name).chunks(golden.size).map(largest);
        let mut scales = Scales {
            y: rows("y").map(|scale| scale.max(T::FLOOR_Y)).collect(),
            dx: rows("dx").collect(),
            dweight: vec![largest(golden.get("dweight"))],
            dbias: vec![largest(golden.get("dbias"))],
        };
        if golden.size == 1 && !golden.centred {
            // The terms of dx cancel, all of them but for eps: they are the scale, not their sum.
            let weight = golden.get("weight").first().copied().unwrap_or(1.0);
            for ((x, dy), scale) in golden.get("x").iter().zip(golden.get("dy")).zip(&mut scales.dx) {
                *scale = (dy * weight).abs() / (x * x + golden.eps).sqrt();
            }
        }
        if !T::DX_BY_SET {
            scales.dx = vec![largest(&scales.dx)];
        }
        scales
    }
}

// ---- what is tested ----

struct Parameters<T> {
    weight: Vec<T>,
    bias: Vec<T>,
}

/// A kernel with its parameters, or a layer.
#[allow(clippy::type_complexity)] // each type is written once, here
struct Subject<'a, T: Scalar> {
    forward: &'a dyn Fn(&[T], &mut [T]) -> Result<(), NormError>,
    forward_inplace: &'a dyn Fn(&mut [T]) -> Result<(), NormError>,
    forward_train: &'a dyn Fn(&[T], &mut [T], &mut Saved<T>) -> Result<(), NormError>,
    /// Adds to the last argument.
    backward: &'a dyn Fn(&[T], &[T], &Saved<T>, &mut [T], &mut Parameters<T>) -> Result<(), NormError>,
}

struct Run {
    golden: BTreeMap<String, Golden>,
    report: Report,
}

impl Run {
    fn golden(&self, name: &str) -> &Golden {
        self.golden.get(name).unwrap_or_else(|| panic!("there is no golden file {name}"))
    }

    fn parameters<T: Scalar>(&self, name: &str) -> Parameters<T> {
        let golden = self.golden(name);
        Parameters { weight: golden.file.cast("weight"), bias: golden.file.cast("bias") }
    }

    fn case<T: Scalar>(&mut self, name: &str, form: &'static str, parameters: &[&str], subject: &Subject<T>) {
        let golden = self.golden(name);
        let affine = match parameters {
            [] => "none",
            ["weight"] => "weight",
            ["weight", "bias"] => "weight_bias",
            _ => unreachable!(),
        };
        assert_eq!(golden.affine, affine, "the parameters of {name}");

        let scales = Scales::new::<T>(golden);
        let mut results = Vec::new();
        let mut check = |step: &str, tensor, outcome: &Result<(), NormError>, got: &[T], times: f64| {
            let (scales, bound) = match tensor {
                "y" => (&scales.y, T::BOUND_Y),
                "dx" => (&scales.dx, T::BOUND_GRADIENT),
                "dweight" => (&scales.dweight, T::BOUND_GRADIENT),
                "dbias" => (&scales.dbias, T::BOUND_GRADIENT),
                _ => unreachable!(),
            };
            let expected: Vec<f64> = golden.get(tensor).iter().map(|value| value * times).collect();
            let scales: Vec<f64> = scales.iter().map(|scale| scale * times).collect();
            let result = match outcome {
                Ok(()) => compare(got, &expected, &scales, bound),
                Err(error) => Err(format!("{error:?}")),
            };
            results.push((step.to_string(), tensor, result));
        };

        // Outputs start as NaN: what is not written does not pass.
        let x: Vec<T> = golden.file.cast("x");
        let dy: Vec<T> = golden.file.cast("dy");
        let nan = vec![T::from_f64(f64::NAN); x.len()];

        let mut y = nan.clone();
        let outcome = (subject.forward)(&x, &mut y);
        check("forward", "y", &outcome, &y, 1.0);

        let mut y = x.clone();
        let outcome = (subject.forward_inplace)(&mut y);
        check("forward_inplace", "y", &outcome, &y, 1.0);

        let mut saved = Saved::<T>::default();
        let mut gradients = Parameters {
            weight: vec![T::default(); golden.get("weight").len()],
            bias: vec![T::default(); golden.get("bias").len()],
        };
        // Twice: `saved` is reused, dx is written anew, parameter gradients are added up.
        for (times, forward, backward) in
            [(1.0, "forward_train", "backward"), (2.0, "forward_train again", "backward again")]
        {
            let mut y = nan.clone();
            let outcome = (subject.forward_train)(&x, &mut y, &mut saved);
            check(forward, "y", &outcome, &y, 1.0);
            let mut dx = nan.clone();
            let outcome = (subject.backward)(&x, &dy, &saved, &mut dx, &mut gradients);
            check(backward, "dx", &outcome, &dx, 1.0);
            check(backward, "dweight", &outcome, &gradients.weight, times);
            check(backward, "dbias", &outcome, &gradients.bias, times);
        }

        self.report.record(name, form, T::NAME, results);
    }
}

/// `name [parameters] [those that backward takes] { specification without dtype }`, one function for each, so that no
/// function grows large.
macro_rules! kernels {
    ($($name:literal $parameters:tt $taken:tt { $($spec:tt)* })*) => {
        fn kernels(run: &mut Run) {
            $(
                kernels!(@one run f32 $name $parameters $taken { $($spec)* });
                kernels!(@one run f64 $name $parameters $taken { $($spec)* });
            )*
        }
    };
    (@one $run:ident $dtype:ident $name:literal [$($parameter:ident)*] [$($taken:ident)*] { $($spec:tt)* }) => {{
        fn one(run: &mut Run) {
            let k = norm!($($spec)*, dtype = $dtype);
            #[allow(unused_variables)]
            let p = run.parameters::<$dtype>($name);
            run.case::<$dtype>($name, "norm!", &[$(stringify!($parameter)),*], &Subject {
                forward: &|x, y| k.forward(x, $(&p.$parameter[..],)* y),
                forward_inplace: &|x| k.forward_inplace(x, $(&p.$parameter[..]),*),
                forward_train: &|x, y, saved| k.forward_train(x, $(&p.$parameter[..],)* y, saved),
                #[allow(unused_variables)]
                backward: &|x, dy, saved, dx, gradients| {
                    k.backward(x, dy, $(&p.$taken[..],)* saved, dx, $(&mut gradients.$parameter[..]),*)
                },
            });
        }
        one($run);
    }};
}

kernels! {
    "rms_1_eps1e-06_weight" [weight] [weight] { kind = "rms", shape = [_, 1], eps = 1e-6 }
    "rms_3_eps1e-06_weight" [weight] [weight] { kind = "rms", shape = [_, 3], eps = 1e-6 }
    "rms_7_eps1e-06_weight" [weight] [weight] { kind = "rms", shape = [_, 7], eps = 1e-6 }
    "rms_17_eps1e-06_weight" [weight] [weight] { kind = "rms", shape = [_, 17], eps = 1e-6 }
    "rms_64_eps1e-06_weight" [weight] [weight] { kind = "rms", shape = [_, 64], axis = -1 }
    "rms_100_eps1e-06_weight" [weight] [weight] { kind = rms, shape = [_, 100], affine = weight }
    "rms_257_eps1e-06_weight" [weight] [weight] { kind = "rms", shape = [_, 257], eps = 1e-6 }
    "rms_769_eps1e-06_weight" [weight] [weight] { kind = "rms", shape = [_, 769], eps = 1e-6 }
    "rms_1_eps1e-06_none" [] [] { kind = "rms", shape = [_, 1], eps = 1e-6, affine = false }
    "rms_17_eps1e-06_none" [] [] { kind = "rms", shape = [_, 17], eps = 1e-6, affine = false }
    "rms_32_eps1e-06_none" [] [] { kind = "rms", shape = [_, 32], eps = 1e-6, affine = false }
    "rms_1_eps0.25_weight" [weight] [weight] { kind = "rms", shape = [_, 1], eps = 0.25 }
    "rms_7_eps0.25_weight" [weight] [weight] { kind = "rms", shape = [_, 7], eps = 0.25 }
    "rms_17_eps0.25_weight" [weight] [weight] { kind = "rms", shape = [_, 17], eps = 0.25 }
    "rms_17_eps1e-06_weight_mean10" [weight] [weight] { kind = "rms", shape = [_, 17], eps = 1e-6 }
    "rms_100_eps1e-06_weight_mean10" [weight] [weight] { kind = "rms", shape = [_, 100], eps = 1e-6 }
    "rms_4x6_eps1e-06_weight" [weight] [weight] { kind = "rms", shape = [_, 5, 4, 6], axis = [-2, -1], eps = 1e-6 }
    "rms_3x2x5_eps1e-06_none" [] [] { kind = "rms", shape = [_, 3, 2, 5], axis = 1.., eps = 1e-6, affine = false }
    "rms_3x2x5_eps1e-06_weight" [weight] [weight] { kind = "rms", shape = [_, 3, 2, 5], axis = 1.., eps = 1e-6 }

    "layer_1_eps1e-05_weight_bias" [weight bias] [weight] { kind = "layer", shape = [_, 1], eps = 1e-5 }
    "layer_3_eps1e-05_weight_bias" [weight bias] [weight] { kind = "layer", shape = [_, 3], eps = 1e-5 }
    "layer_7_eps1e-05_weight_bias" [weight bias] [weight] { kind = "layer", shape = [_, 7], eps = 1e-5 }
    "layer_17_eps1e-05_weight_bias" [weight bias] [weight] { kind = "layer", shape = [_, 17], eps = 1e-5 }
    "layer_64_eps1e-05_weight_bias" [weight bias] [weight] { kind = "layer", shape = [_, 64], axis = -1 }
    "layer_100_eps1e-05_weight_bias" [weight bias] [weight] { kind = layer, shape = [_, 100], affine = true }
    "layer_257_eps1e-05_weight_bias" [weight bias] [weight] { kind = "layer", shape = [_, 257], eps = 1e-5 }
    "layer_769_eps1e-05_weight_bias" [weight bias] [weight] { kind = "layer", shape = [_, 769], eps = 1e-5 }
    "layer_1_eps1e-05_none" [] [] { kind = "layer", shape = [_, 1], eps = 1e-5, affine = false }
    "layer_17_eps1e-05_none" [] [] { kind = "layer", shape = [_, 17], eps = 1e-5, affine = false }
    "layer_32_eps1e-05_none" [] [] { kind = "layer", shape = [_, 32], eps = 1e-5, affine = false }
    "layer_1_eps1e-05_weight" [weight] [weight] { kind = "layer", shape = [_, 1], eps = 1e-5, affine = weight }
    "layer_17_eps1e-05_weight" [weight] [weight] { kind = "layer", shape = [_, 17], eps = 1e-5, affine = weight }
    "layer_32_eps1e-05_weight" [weight] [weight] { kind = "layer", shape = [_, 32], eps = 1e-5, affine = weight }
    "layer_1_eps0.25_weight_bias" [weight bias] [weight] { kind = "layer", shape = [_, 1], eps = 0.25 }
    "layer_7_eps0.25_weight_bias" [weight bias] [weight] { kind = "layer", shape = [_, 7], eps = 0.25 }
    "layer_17_eps0.25_weight_bias" [weight bias] [weight] { kind = "layer", shape = [_, 17], eps = 0.25 }
    "layer_17_eps1e-05_weight_bias_mean10" [weight bias] [weight] { kind = "layer", shape = [_, 17], eps = 1e-5 }
    "layer_100_eps1e-05_weight_bias_mean10" [weight bias] [weight] { kind = "layer", shape = [_, 100], eps = 1e-5 }
    "layer_4x6_eps1e-05_weight_bias" [weight bias] [weight] { kind = "layer", shape = [_, 5, 4, 6], axis = [-2, -1], eps = 1e-5 }
    "layer_3x2x5_eps1e-05_none" [] [] { kind = "layer", shape = [_, 3, 2, 5], axis = 1.., eps = 1e-5, affine = false }
    "layer_3x2x5_eps1e-05_weight_bias" [weight bias] [weight] { kind = "layer", shape = [_, 3, 2, 5], axis = 1.., eps = 1e-5 }
}

// Layers: the storage types of parameters, their other names, shapes, and dtypes, each at least once.

/// Size and dtype from the field.
#[normalize(kind = "rms", axis = -1, eps = 1e-6)]
pub struct RmsArray {
    /// Scale.
    pub weight: [f32; 100],
}

/// A `Vec` parameter, of f64.
#[normalize(kind = "rms", shape = [_, 769], eps = 1e-6)]
pub struct RmsVec {
    /// Scale.
    pub weight: Vec<f64>,
}

/// Added fields, all axes after the first, default eps.
#[normalize(kind = "rms", shape = [_, 3, 2, 5], axis = 1..)]
pub struct RmsTrailingAxes;

/// Added fields, f64.
#[normalize(kind = "rms", shape = [_, 17], eps = 0.25, dtype = f64)]
pub struct RmsBigEps;

/// Added fields, a size that leaves a tail at every level.
#[normalize(kind = "layer", shape = [_, 257])]
pub struct LayerUnit;

/// The same in f64.
#[normalize(kind = "layer", shape = [_, 257], dtype = f64)]
pub struct LayerUnitF64;

/// Boxed arrays.
#[normalize(kind = "layer", eps = 1e-5)]
pub struct LayerBoxed {
    /// Scale.
    pub weight: Box<[f64; 64]>,
    /// Shift.
    pub bias: Box<[f64; 64]>,
}

/// The other names of the parameters.
#[normalize(kind = "layer")]
pub struct LayerGammaBeta {
    /// Scale.
    pub gamma: [f32; 7],
    /// Shift.
    pub beta: [f32; 7],
}

/// Parameters over two axes.
#[normalize(kind = "layer", shape = [_, 5, 4, 6], axis = [-2, -1])]
pub struct LayerTwoAxes;

/// Scale without shift.
#[normalize(kind = "layer", shape = [_, 32], affine = weight)]
pub struct LayerWeight;

/// No parameters.
#[normalize(kind = "layer", shape = [_, 17], affine = false)]
pub struct LayerPlain;

/// `name type gradients dtype [parameter = field ...]`
macro_rules! layers {
    ($($name:literal $layer:ident $gradients:ident $dtype:ident [$($parameter:ident = $field:ident)*])*) => {
        fn layers(run: &mut Run) {
            $({
                #[allow(unused_variables)]
                let p = run.parameters::<$dtype>($name);
                #[allow(unused_mut)]
                let mut layer = $layer::new();
                $(layer.$field.copy_from_slice(&p.$parameter);)*
                run.case::<$dtype>($name, "layer", &[$(stringify!($parameter)),*], &Subject {
                    forward: &|x, y| layer.forward(x, y),
                    forward_inplace: &|x| layer.forward_inplace(x),
                    forward_train: &|x, y, saved| layer.forward_train(x, y, saved),
                    #[allow(unused_variables)]
                    backward: &|x, dy, saved, dx, gradients| {
                        let mut own = $gradients::new();
                        $(own.$field.copy_from_slice(&gradients.$parameter);)*
                        let outcome = layer.backward(x, dy, saved, dx, &mut own);
                        $(gradients.$parameter.copy_from_slice(&own.$field);)*
                        outcome
                    },
                });
            })*
        }
    };
}

layers! {
    "rms_100_eps1e-06_weight" RmsArray RmsArrayGrads f32 [weight = weight]
    "rms_100_eps1e-06_weight_mean10" RmsArray RmsArrayGrads f32 [weight = weight]
    "rms_769_eps1e-06_weight" RmsVec RmsVecGrads f64 [weight = weight]
    "rms_3x2x5_eps1e-06_weight" RmsTrailingAxes RmsTrailingAxesGrads f32 [weight = weight]
    "rms_17_eps0.25_weight" RmsBigEps RmsBigEpsGrads f64 [weight = weight]
    "layer_257_eps1e-05_weight_bias" LayerUnit LayerUnitGrads f32 [weight = weight bias = bias]
    "layer_257_eps1e-05_weight_bias" LayerUnitF64 LayerUnitF64Grads f64 [weight = weight bias = bias]
    "layer_64_eps1e-05_weight_bias" LayerBoxed LayerBoxedGrads f64 [weight = weight bias = bias]
    "layer_7_eps1e-05_weight_bias" LayerGammaBeta LayerGammaBetaGrads f32 [weight = gamma bias = beta]
    "layer_4x6_eps1e-05_weight_bias" LayerTwoAxes LayerTwoAxesGrads f32 [weight = weight bias = bias]
    "layer_32_eps1e-05_weight" LayerWeight LayerWeightGrads f32 [weight = weight]
    "layer_17_eps1e-05_none" LayerPlain LayerPlainGrads f32 []
}

// ---- the tests ----

#[test]
fn agrees_with_pytorch_at_every_level() {
    let mut run = Run { golden: read_all(), report: Report::default() };
    at_each_level("golden", |level| {
        run.report.level = level.to_string();
        kernels(&mut run);
        layers(&mut run);
    });
    run.report.finish(run.golden.keys());
}

/// The comparison itself: a value moved by twice its bound, a NaN and a missing element are all noticed.
#[test]
fn a_wrong_value_is_noticed() {
    fn try_all<T: Scalar>(narrow: fn(f64) -> T) {
        for (name, golden) in read_all() {
            let scales = Scales::new::<T>(&golden);
            let own: Vec<f64> = golden.get("y").iter().map(|&value| narrow(value).to_f64()).collect();
            let exact: Vec<T> = own.iter().map(|&value| narrow(value)).collect();
            assert_eq!(compare(&exact, &own, &scales.y, T::BOUND_Y), Ok(0.0), "{name}");
            assert!(compare(&exact[1..], &own, &scales.y, T::BOUND_Y).is_err(), "{name}");
            for index in 0..exact.len() {
                let scale = scales.y[index / golden.size];
                // y is exactly 0 in a row of one element without bias: there is no scale, so any error counts.
                let step = if scale > 0.0 { 2.0 * T::BOUND_Y * scale } else { 1e-300 };
                for wrong in [narrow(own[index] + step), T::from_f64(f64::NAN)] {
                    let mut moved = exact.clone();
                    moved[index] = wrong;
                    assert!(compare(&moved, &own, &scales.y, T::BOUND_Y).is_err(), "{} {name} {index}", T::NAME);
                }
            }
        }
    }
    try_all(|value| value as f32);
    try_all(|value| value);
}
