//! The modules and operations against burn's slow path, PyTorch's golden files, and what users expect.

mod bad_input;
mod elsewhere;
mod golden;
/// Which files there are; candle's adapter reads the same.
#[path = "../../../golden.rs"]
mod golden_files;
mod halves;
mod kernels;
mod memory;
mod places;
mod slow_path;
mod theirs;
mod training;

use burn::tensor::{DType, Device, Tensor, TensorData};

/// Without and with gradients.
fn plain() -> Device {
    Device::flex()
}

fn tracked() -> Device {
    Device::flex().autodiff()
}

/// Numbers and their shape, for tensors of any type.
#[derive(Clone)]
struct Numbers {
    values: Vec<f64>,
    dims: Vec<usize>,
}

/// The same numbers for the same seed, about 0, of every magnitude up to 2.
fn values(seed: u64, dims: &[usize]) -> Numbers {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as f64 / (1_u64 << 52) as f64 * 2.0 - 2.0
    };
    // Exact in f32, so that every type but the half ones sees the same.
    let exact = |value: f64| f64::from(value as f32);
    Numbers {
        values: std::iter::repeat_with(next).map(exact).take(dims.iter().product()).collect(),
        dims: dims.to_vec(),
    }
}

impl Numbers {
    fn map(mut self, f: impl Fn(f64) -> f64) -> Self {
        self.values.iter_mut().for_each(|value| *value = f(*value));
        self
    }

    /// As tensors of a type round them.
    fn rounded(self, dtype: DType) -> Self {
        let data = TensorData::new(self.values, self.dims.clone()).convert_dtype(dtype).convert_dtype(DType::F64);
        Numbers { values: data.try_into_vec().unwrap(), dims: self.dims }
    }

    fn tensor<const D: usize>(&self, dtype: DType, device: &Device) -> Tensor<D> {
        let data = TensorData::new(self.values.clone(), self.dims.clone()).convert_dtype(dtype);
        Tensor::from_data(data, (device, dtype))
    }

    /// One that gradients are asked of.
    fn var<const D: usize>(&self, dtype: DType) -> Tensor<D> {
        self.tensor(dtype, &tracked()).require_grad()
    }
}

fn numbers<const D: usize>(tensor: &Tensor<D>) -> Numbers {
    let data = tensor.to_data();
    let dims = data.shape().iter().copied().collect();
    Numbers { values: data.convert_dtype(DType::F64).try_into_vec().unwrap(), dims }
}

/// Refuses elements that miss by more than that share of the largest one.
#[track_caller]
fn compare(what: &str, got: &Numbers, expected: &Numbers, bound: f64) {
    assert_eq!(got.dims, expected.dims, "{what}");
    let scale = expected.values.iter().fold(f64::MIN_POSITIVE, |largest, value| largest.max(value.abs()));
    for (index, (got, expected)) in got.values.iter().zip(&expected.values).enumerate() {
        let error = (got - expected).abs() / scale;
        assert!(error <= bound, "{what}: element {index} is {got}, expected {expected}: misses by {error:.1e}");
    }
}

/// A layer as tests take it: `x` and its parameters, flat ones.
type Layer<'a, const D: usize> = &'a dyn Fn(Tensor<D>, &[Tensor<1>]) -> Tensor<D>;

/// `y`, and the gradients of `sum(y * dy)` with respect to `x` and the parameters, all in their types.
fn passes<const D: usize>(
    layer: Layer<'_, D>,
    dtype: DType,
    x: &Numbers,
    params: &[Numbers],
    dy: &Numbers,
) -> Vec<Numbers> {
    let (x, params) = (x.var::<D>(dtype), params.iter().map(|param| param.var(dtype)).collect::<Vec<_>>());
    let y = layer(x.clone(), &params);
    assert_eq!(y.dtype(), dtype);
    let grads = (y.clone() * dy.tensor(dtype, &tracked())).sum().backward();
    let dx = x.grad(&grads).expect("x has a gradient");
    assert_eq!(dx.dtype(), dtype);
    let of_params = params.iter().map(|param| numbers(&param.grad(&grads).expect("a parameter has a gradient")));
    [numbers(&y), numbers(&dx)].into_iter().chain(of_params).collect()
}

/// Compares `y` and all gradients of ours, in `dtype`, with theirs, in f64, over the same numbers.
#[track_caller]
fn check<const D: usize>(
    what: &str,
    (dtype, bound): (DType, f64),
    x: &Numbers,
    params: &[Numbers],
    ours: Layer<'_, D>,
    theirs: Layer<'_, D>,
) {
    // What the type rounds, both see rounded.
    let round = |numbers: &Numbers| numbers.clone().rounded(dtype);
    let (x, params) = (round(x), params.iter().map(round).collect::<Vec<_>>());
    let dy = round(&values(99, &x.dims));
    let got = passes(ours, dtype, &x, &params, &dy);
    let expected = passes(theirs, DType::F64, &x, &params, &dy);
    for (index, (got, expected)) in got.iter().zip(&expected).enumerate() {
        let (part, bound) = if index == 0 { ("y", bound) } else { ("gradient", 2.0 * bound) };
        compare(&format!("{what} of {dtype:?}: {part} {index}"), got, expected, bound);
    }
    // Without gradients, the same bit for bit.
    let params: Vec<Tensor<1>> = params.iter().map(|param| param.tensor(dtype, &plain())).collect();
    let y = numbers(&ours(x.tensor(dtype, &plain()), &params));
    if !what.contains("batch") {
        compare(&format!("{what} of {dtype:?}, no gradients: y"), &y, &got[0], 0.0);
    }
}

/// What is allowed: rounding, of terms that are at most a few times the largest result.
const F32: (DType, f64) = (DType::F32, 2e-6);
const F64: (DType, f64) = (DType::F64, 2e-14);
