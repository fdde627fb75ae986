//! The modules and operations against candle's slow path, PyTorch's golden files, and what users expect.

mod bad_input;
mod golden;
/// Which files there are; the other adapters read the same.
#[path = "../../../golden.rs"]
mod golden_files;
mod halves;
mod kernels;
mod places;
mod slow_path;
mod theirs;
mod training;

use candle_core::{DType, Device, Error, Result, Tensor, Var};

/// The same numbers for the same seed, about 0, of every magnitude up to 2.
fn values(seed: u64, shape: &[usize]) -> Result<Tensor> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as f64 / (1_u64 << 52) as f64 * 2.0 - 2.0
    };
    let count = shape.iter().product();
    // Exact in f32, so that every type but the half ones sees the same.
    let numbers: Vec<f32> = std::iter::repeat_with(next).map(|value| value as f32).take(count).collect();
    Tensor::from_vec(numbers, shape, &Device::Cpu)
}

fn var(tensor: &Tensor, dtype: DType) -> Result<Var> {
    Var::from_tensor(&tensor.to_dtype(dtype)?)
}

fn numbers(tensor: &Tensor) -> Result<Vec<f64>> {
    tensor.to_dtype(DType::F64)?.flatten_all()?.to_vec1()
}

/// The message of what went wrong, without the backtrace that `RUST_BACKTRACE` adds.
#[track_caller]
fn message<T>(result: Result<T>) -> String {
    match result {
        Ok(_) => panic!("expected an error"),
        Err(Error::WithBacktrace { inner, .. }) => inner.to_string(),
        Err(error) => error.to_string(),
    }
}

/// Refuses elements that miss by more than that share of the largest one.
#[track_caller]
fn compare(what: &str, got: &Tensor, expected: &Tensor, bound: f64) {
    assert_eq!(got.dims(), expected.dims(), "{what}");
    let (got, expected) = (numbers(got).unwrap(), numbers(expected).unwrap());
    let scale = expected.iter().fold(f64::MIN_POSITIVE, |largest, value| largest.max(value.abs()));
    for (index, (got, expected)) in got.iter().zip(&expected).enumerate() {
        let error = (got - expected).abs() / scale;
        assert!(error <= bound, "{what}: element {index} is {got}, expected {expected}: misses by {error:.1e}");
    }
}

/// `y`, and the gradients of `sum(y * dy)` with respect to the variables.
fn gradients(y: &Tensor, dy: &Tensor, of: &[&Var]) -> Result<Vec<Tensor>> {
    let grads = (y * dy.to_dtype(y.dtype())?)?.sum_all()?.backward()?;
    let grad = |var: &&Var| grads.get(var).cloned().ok_or_else(|| Error::msg("no gradient"));
    of.iter().map(grad).collect()
}

/// Compares `y` and all gradients of ours, in `dtype`, with theirs, in f64, over the same numbers.
fn check(
    what: &str,
    (dtype, bound): (DType, f64),
    inputs: &[Tensor],
    ours: impl Fn(&[Var]) -> Result<Tensor>,
    theirs: impl Fn(&[Var]) -> Result<Tensor>,
) -> Result<()> {
    // What the type rounds, both see rounded.
    let inputs: Vec<Tensor> = inputs.iter().map(|input| input.to_dtype(dtype)).collect::<Result<_>>()?;
    let vars = |dtype| inputs.iter().map(|input| var(input, dtype)).collect::<Result<Vec<Var>>>();
    let (ours_in, theirs_in) = (vars(dtype)?, vars(DType::F64)?);
    let (got, expected) = (ours(&ours_in)?, theirs(&theirs_in)?);
    compare(&format!("{what} of {dtype:?}: y"), &got, &expected, bound);
    let dy = values(99, expected.dims())?.to_dtype(dtype)?;
    let got = gradients(&got, &dy, &ours_in.iter().collect::<Vec<_>>())?;
    let expected = gradients(&expected, &dy, &theirs_in.iter().collect::<Vec<_>>())?;
    for (index, (got, expected)) in got.iter().zip(&expected).enumerate() {
        assert_eq!(got.dtype(), dtype, "{what}: the type of gradient {index}");
        compare(&format!("{what} of {dtype:?}: gradient {index}"), got, expected, 2.0 * bound);
    }
    Ok(())
}

/// What is allowed: rounding, of terms that are at most a few times the largest result.
const F32: (DType, f64) = (DType::F32, 2e-6);
const F64: (DType, f64) = (DType::F64, 2e-14);
