//! Calls that may be wrong, of any technique with channels: nothing is written when one is refused.

#![allow(dead_code, reason = "each test file uses its part")]

use normkit::{NormError, Saved, View, ViewMut};
use normkit_tests::{Batch, Kernel, Numbers, Params, Running, WeightNorm, bits, described, described_mut, narrow};

/// A kernel of any signature.
pub enum Subject {
    /// x, weight, bias.
    Same(Kernel<f32>),
    /// With running statistics.
    Batch(Batch<f32>),
    /// v and g.
    Weight(WeightNorm<f32>),
}

/// A tensor as a caller describes it: its length, then dims and strides if it has them.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "as the line above says")]
pub struct Tensor {
    pub len: usize,
    pub dims: Option<Vec<usize>>,
    pub strides: Option<Vec<usize>>,
}

/// A bare slice.
pub fn flat(len: usize) -> Tensor {
    Tensor { len, dims: None, strides: None }
}

/// As many elements as the dims say, or as near to it as memory allows.
pub fn shaped(dims: &[usize]) -> Tensor {
    let len = dims.iter().try_fold(1_usize, |len, dim| len.checked_mul(*dim)).filter(|len| *len < 1 << 24);
    Tensor { len: len.unwrap_or(600), dims: Some(dims.to_vec()), strides: None }
}

/// With room enough.
pub fn strided(dims: &[usize], strides: &[usize]) -> Tensor {
    Tensor { len: 5000, dims: Some(dims.to_vec()), strides: Some(strides.to_vec()) }
}

impl Tensor {
    fn view<'a>(&self, data: &'a [f32]) -> View<'a, f32> {
        match &self.dims {
            None => data.into(),
            Some(dims) => described(data, dims, self.strides.as_deref()),
        }
    }

    fn view_mut<'a>(&self, data: &'a mut [f32]) -> ViewMut<'a, f32> {
        match &self.dims {
            None => data.into(),
            Some(dims) => described_mut(data, dims, self.strides.as_deref()),
        }
    }
}

/// All that a caller can get wrong. In weight norm, `x` is `weight_v`, `y` is what comes out, and `weight` is `weight_g`.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "named as the arguments")]
pub struct Call {
    pub x: Tensor,
    pub y: Tensor,
    pub dy: Tensor,
    pub dx: Tensor,
    pub weight: usize,
    pub bias: usize,
    pub running_mean: usize,
    pub running_var: usize,
    pub dweight: usize,
    pub dbias: usize,
    pub eps: f32,
    /// One element of running_var.
    pub var: (usize, f32),
    /// What `backward` and `update_running` are given.
    pub saved: Saved<f32>,
}

impl Call {
    /// All tensors alike, with this many channels.
    pub fn new(tensor: &Tensor, channels: usize, saved: &Saved<f32>) -> Call {
        let [x, y, dy, dx] = core::array::from_fn(|_| tensor.clone());
        let [weight, bias, running_mean, running_var, dweight, dbias] = [channels; 6];
        let saved = saved.clone();
        Call { x, y, dy, dx, weight, bias, running_mean, running_var, dweight, dbias, eps: 1e-5, var: (0, 0.5), saved }
    }

    /// With one tensor replaced.
    pub fn with(&self, part: Part, by: Tensor) -> Call {
        let mut call = self.clone();
        let place = match part {
            Part::X => &mut call.x,
            Part::Y => &mut call.y,
            Part::Dy => &mut call.dy,
            Part::Dx => &mut call.dx,
        };
        *place = by;
        call
    }

    /// With another number of elements in one parameter, statistic or gradient.
    pub fn with_len(&self, arg: &str, len: usize) -> Call {
        let mut call = self.clone();
        let place = match arg {
            "weight" | "weight_g" => &mut call.weight,
            "bias" => &mut call.bias,
            "running_mean" => &mut call.running_mean,
            "running_var" => &mut call.running_var,
            "dweight" | "dweight_g" => &mut call.dweight,
            "dbias" => &mut call.dbias,
            other => panic!("there is no parameter `{other}`"),
        };
        *place = len;
        call
    }
}

/// The tensors of a call.
#[derive(Clone, Copy, Debug, PartialEq)]
#[allow(missing_docs, reason = "named as the fields")]
pub enum Part {
    X,
    Y,
    Dy,
    Dx,
}

#[derive(Clone, Copy, Debug, PartialEq)]
#[allow(missing_docs, reason = "named as the methods")]
pub enum Method {
    Forward,
    Inplace,
    Train,
    Backward,
    Frozen,
    Update,
}
use Method::{Backward, Forward, Frozen, Inplace, Train, Update};

impl Subject {
    pub fn name(&self) -> &'static str {
        match self {
            Subject::Same(kernel) => kernel.name,
            Subject::Batch(kernel) => kernel.name,
            Subject::Weight(kernel) => kernel.name,
        }
    }

    /// The four tensors and the names of the arguments that take them.
    pub fn tensors(&self) -> [(Part, &'static str); 4] {
        let names = match self {
            Subject::Weight(_) => ["weight_v", "weight", "dweight", "dweight_v"],
            _ => ["x", "y", "dy", "dx"],
        };
        core::array::from_fn(|i| ([Part::X, Part::Y, Part::Dy, Part::Dx][i], names[i]))
    }

    /// The names of all else that has a length, without `saved`.
    pub fn lengths(&self) -> Vec<&'static str> {
        let (weight, bias) = match self {
            Subject::Same(kernel) => (kernel.has_weight(), kernel.has_bias()),
            Subject::Batch(kernel) => (kernel.has_weight(), kernel.has_bias()),
            Subject::Weight(_) => return vec!["weight_g", "dweight_g"],
        };
        let mut names = Vec::new();
        names.extend(if weight { &["weight", "dweight"][..] } else { &[] });
        names.extend(if bias { &["bias", "dbias"][..] } else { &[] });
        if matches!(self, Subject::Batch(_)) {
            names.extend(["running_mean", "running_var"]);
        }
        names
    }

    /// All methods there are.
    pub fn methods(&self) -> &'static [Method] {
        match self {
            Subject::Batch(_) => &[Forward, Inplace, Train, Backward, Frozen, Update],
            _ => &[Forward, Inplace, Train, Backward],
        }
    }

    /// The methods that take this argument.
    pub fn taking(&self, arg: &str) -> Vec<Method> {
        let tensor = self.tensors().into_iter().find(|(_, name)| *name == arg).map(|(part, _)| part);
        let is_batch = matches!(self, Subject::Batch(_));
        let takes = |method: Method| match (tensor, arg) {
            (Some(Part::X), _) | (None, "weight" | "weight_g") => method != Update,
            (Some(Part::Y), _) => matches!(method, Forward | Train),
            (Some(Part::Dy | Part::Dx), _) | (None, "dweight" | "dbias" | "dweight_g") => {
                matches!(method, Backward | Frozen)
            }
            (None, "bias") => matches!(method, Forward | Inplace | Train),
            // Fixed statistics have not been through eps yet.
            (None, "eps") => matches!(method, Forward | Inplace | Train | Frozen),
            (None, "running_mean" | "running_var") => {
                matches!(method, Frozen | Update) || is_batch && matches!(method, Forward | Inplace)
            }
            (None, "saved") => matches!(method, Backward | Update),
            (None, other) => panic!("there is no argument `{other}`"),
        };
        self.methods().iter().copied().filter(|method| takes(*method)).collect()
    }

    /// Runs one method; panics if it returns an error and has written something.
    pub fn attempt(&self, call: &Call, method: Method) -> Result<(), NormError> {
        let mut numbers = Numbers(5);
        let mut some = |len: usize| narrow::<f32>(&numbers.normal(len, 0.0, 1.0));
        let (mut x, dy) = (some(call.x.len), some(call.dy.len));
        let (weight, bias) = (some(call.weight), some(call.bias));
        let (mut y, mut dx) = (some(call.y.len), some(call.dx.len));
        let (mut dweight, mut dbias) = (some(call.dweight), some(call.dbias));
        let mut mean = some(call.running_mean);
        let mut var = vec![0.5; call.running_var];
        if let Some(var) = var.get_mut(call.var.0) {
            *var = call.var.1;
        }
        let (mut saved, mut tracked) = (call.saved.clone(), 41_i64);
        let before = [&x, &y, &dx, &dweight, &dbias, &mean, &var].map(|values| bits(values));
        let params = Params { weight: &weight, bias: &bias, eps: call.eps };
        let result = match (self, method) {
            (Subject::Same(k), Forward) => (k.forward)(call.x.view(&x), params, call.y.view_mut(&mut y)),
            (Subject::Same(k), Inplace) => (k.inplace)(call.x.view_mut(&mut x), params),
            (Subject::Same(k), Train) => (k.train)(call.x.view(&x), params, call.y.view_mut(&mut y), &mut saved),
            (Subject::Same(k), Backward) => {
                let (x, dy, dx) = (call.x.view(&x), call.dy.view(&dy), call.dx.view_mut(&mut dx));
                (k.backward)(x, dy, params, &saved, dx, &mut dweight, &mut dbias)
            }
            (Subject::Batch(k), Train) => (k.train)(call.x.view(&x), params, call.y.view_mut(&mut y), &mut saved),
            (Subject::Batch(k), Backward) => {
                let (x, dy, dx) = (call.x.view(&x), call.dy.view(&dy), call.dx.view_mut(&mut dx));
                (k.backward)(x, dy, params, &saved, dx, &mut dweight, &mut dbias)
            }
            (Subject::Batch(k), Update) => (k.update)(&saved, &mut mean, &mut var, &mut tracked),
            (Subject::Batch(k), method) => {
                let running = Running { mean: &mean, var: &var };
                match method {
                    Forward => (k.forward)(call.x.view(&x), running, params, call.y.view_mut(&mut y)),
                    Inplace => (k.inplace)(call.x.view_mut(&mut x), running, params),
                    _ => {
                        let (x, dy, dx) = (call.x.view(&x), call.dy.view(&dy), call.dx.view_mut(&mut dx));
                        (k.frozen)(x, dy, running, params, dx, &mut dweight, &mut dbias)
                    }
                }
            }
            (Subject::Weight(k), Forward) => (k.forward)(call.x.view(&x), &weight, call.y.view_mut(&mut y)),
            (Subject::Weight(k), Inplace) => (k.inplace)(call.x.view_mut(&mut x), &weight),
            (Subject::Weight(k), Train) => (k.train)(call.x.view(&x), &weight, call.y.view_mut(&mut y), &mut saved),
            (Subject::Weight(k), _) => {
                let (v, dw, dv) = (call.x.view(&x), call.dy.view(&dy), call.dx.view_mut(&mut dx));
                (k.backward)(v, dw, &weight, &saved, dv, &mut dweight)
            }
            (Subject::Same(_), method) => panic!("{method:?} is batch norm's"),
        };
        let after = [&x, &y, &dx, &dweight, &dbias, &mean, &var].map(|values| bits(values));
        let changed = before != after || saved != call.saved || tracked != 41;
        if let Err(error) = result {
            assert!(!changed, "{method:?} of {} wrote something before: {error}", self.name());
        } else if call.x.len > 0 && method != Train {
            assert!(changed, "{method:?} of {} wrote nothing", self.name());
        }
        result
    }

    /// What training keeps of a tensor with these dims.
    pub fn saved(&self, dims: &[usize], channels: usize) -> Saved<f32> {
        let mut numbers = Numbers(9);
        let x = narrow::<f32>(&numbers.normal(dims.iter().product(), 1.0, 2.0));
        let (mut y, mut saved, ones) = (x.clone(), Saved::default(), vec![1.0; channels]);
        let (x, y) = (described(&x, dims, None), described_mut(&mut y, dims, None));
        let params = Params { weight: &ones, bias: &ones, eps: 1e-5 };
        match self {
            Subject::Same(kernel) => (kernel.train)(x, params, y, &mut saved).unwrap(),
            Subject::Batch(kernel) => (kernel.train)(x, params, y, &mut saved).unwrap(),
            Subject::Weight(kernel) => (kernel.train)(x, &ones, y, &mut saved).unwrap(),
        }
        saved
    }

    /// A correct call of every method.
    #[track_caller]
    pub fn accepts(&self, call: &Call) {
        for &method in self.methods() {
            let result = self.attempt(call, method);
            assert_eq!(result, Ok(()), "{method:?} of {} with {call:?}", self.name());
        }
    }

    /// A call that each method which takes the argument at fault refuses with this error.
    #[track_caller]
    pub fn refuses(&self, call: &Call, expected: NormError) {
        self.refuses_by(&self.taking(argument(expected)), call, expected);
    }

    /// A call that these methods refuse with this error.
    #[track_caller]
    pub fn refuses_by(&self, methods: &[Method], call: &Call, expected: NormError) {
        assert!(!methods.is_empty(), "{}: no method takes it", self.name());
        for &method in methods {
            let found = self.attempt(call, method);
            assert_eq!(found, Err(expected), "{method:?} of {} with {call:?}", self.name());
        }
        let text = expected.to_string();
        assert!(text.contains(&format!("`{}`", argument(expected))), "{text}");
    }
}

/// The argument that an error names.
fn argument(error: NormError) -> &'static str {
    match error {
        NormError::Length { arg, .. }
        | NormError::NotAMultiple { arg, .. }
        | NormError::Rank { arg, .. }
        | NormError::Dims { arg, .. }
        | NormError::DimsNeeded { arg }
        | NormError::Stride { arg, .. }
        | NormError::TooShort { arg, .. }
        | NormError::TooLarge { arg } => arg,
        NormError::Eps { .. } => "eps",
        NormError::RunningVar { .. } => "running_var",
        other => panic!("not an error of an argument: {other:?}"),
    }
}

pub fn length(arg: &'static str, expected: usize, found: usize) -> NormError {
    NormError::Length { arg, expected, found }
}

pub fn dims(arg: &'static str, axis: usize, expected: usize, found: usize) -> NormError {
    NormError::Dims { arg, axis, expected, found }
}

pub fn stride(arg: &'static str, axis: usize, expected: usize, found: usize) -> NormError {
    NormError::Stride { arg, axis, expected, found }
}
