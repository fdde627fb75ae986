//! What burn's own layers do, and ours do not. Should one of these fail with a newer burn, the README is to be changed.

use crate::slow_path::{layer, rms};
use crate::{Numbers, compare, numbers, plain, tracked, values};
use burn::tensor::{DType, Tensor};
use normkit_burn::BatchNormConfig;

/// Burn's running variance is the biased one, and takes a batch of one value for each channel.
#[test]
fn running_variances() {
    let x = values(1, &[3, 4]);
    let (ours, theirs) = (BatchNormConfig::new(4).init(&tracked()), burn::nn::BatchNormConfig::new(4).init(&tracked()));
    ours.forward(x.tensor::<2>(DType::F32, &tracked()));
    theirs.forward(x.tensor::<2>(DType::F32, &tracked()));
    // Both are `0.9 + 0.1 * variance`.
    let of_batch = |running: &Tensor<1>| numbers(running).map(|value| value - 0.9);
    let (ours, theirs) = (of_batch(&ours.running_var.value_sync()), of_batch(&theirs.running_var.value_sync()));
    compare("n / (n - 1) of burn's", &ours, &theirs.map(|value| value * 3.0 / 2.0), 1e-5);

    let norm = burn::nn::BatchNormConfig::new(4).init(&tracked());
    norm.forward(values(2, &[1, 4]).tensor::<2>(DType::F32, &tracked()));
    let forgets = numbers(&norm.running_var.value_sync()).values;
    assert!(forgets.iter().all(|value| (value - 0.9).abs() < 1e-6), "{forgets:?}");
}

/// Normalization of the same rows, moved to these means, misses the result at mean 0 by that much, at most.
fn worst_at_mean(mean: f64, layer: impl Fn(Tensor<2>) -> Tensor<2>) -> f64 {
    // Multiples of 1/64, so that moved ones are exact in f32 too.
    let x = values(4, &[16, 768]).map(|value| (value * 64.0).round() / 64.0);
    let run = |x: Numbers| numbers(&layer(x.tensor(DType::F32, &plain()))).values;
    let (here, there) = (run(x.clone()), run(x.map(|value| value + mean)));
    here.iter()
        .zip(&there)
        .map(|(here, there)| (here - there).abs())
        .fold(0.0, |worst, error| if error.is_nan() { f64::NAN } else { error.max(worst) })
}

#[test]
fn large_means_do_not_matter() {
    let params: [Tensor<1>; 2] = [5, 6].map(|seed| values(seed, &[768]).tensor(DType::F32, &plain()));
    let ours = layer(&params, 1e-5);
    let theirs = burn::nn::LayerNorm::from(ours.clone());
    for mean in [1e3, 1e4] {
        let (theirs, ours) = (worst_at_mean(mean, |x| theirs.forward(x)), worst_at_mean(mean, |x| ours.forward(x)));
        println!("mean {mean}: burn misses by {theirs:.1e}, normkit by {ours:.1e}");
        assert!(ours < 5e-6, "ours at a mean of {mean}: {ours}");
        assert!(theirs.is_nan() || theirs > 20.0 * ours, "burn at a mean of {mean}: {theirs}");
    }
}

/// Half types: each rounded once in ours, at each operation in burn's.
#[test]
fn roundings_of_half_types() {
    let (x, weight) = (values(7, &[16, 768]).rounded(DType::BF16), values(8, &[768]).rounded(DType::BF16));
    let exact = rms(&[weight.tensor(DType::F64, &plain())], 1e-6).forward(x.tensor::<2>(DType::F64, &plain()));
    let ours = rms(&[weight.tensor(DType::BF16, &plain())], 1e-6);
    let theirs = burn::nn::RmsNorm::from(ours.clone());
    let misses = |y: Tensor<2>| {
        let pairs = numbers(&y).values.into_iter().zip(numbers(&exact).values);
        pairs.map(|(got, exact)| (got - exact).abs() / exact.abs()).fold(0.0, f64::max)
    };
    let x = x.tensor::<2>(DType::BF16, &plain());
    let (theirs, ours) = (misses(theirs.forward(x.clone())), misses(ours.forward(x)));
    println!("rms of bf16: burn misses by {theirs:.1e}, normkit by {ours:.1e}");
    assert!(ours <= 1.0 / 256.0, "one rounding: {ours}");
    assert!(theirs > 1.5 / 256.0, "more than one: {theirs}");
}
