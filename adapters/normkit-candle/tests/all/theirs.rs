//! What candle's own fused layers do, and ours do not. Should one of these fail with a newer candle, the README is to be changed.

use crate::{numbers, values, var};
use candle_core::{DType, Module, Result, Tensor, Var};

/// A loss through this layer, and whether `x`, the weight and the bias get a gradient.
fn have_gradients(layer: impl Fn(&[Var]) -> Result<Tensor>) -> Result<[bool; 3]> {
    let vars = [
        var(&values(1, &[4, 64])?, DType::F32)?,
        var(&values(2, &[64])?, DType::F32)?,
        var(&values(3, &[64])?, DType::F32)?,
    ];
    let grads = layer(&vars)?.sqr()?.sum_all()?.backward()?;
    Ok([0, 1, 2].map(|index| grads.get(&vars[index]).is_some()))
}

#[test]
fn gradients_are_there() -> Result<()> {
    let of = |v: &Var| v.as_tensor().clone();
    let theirs = have_gradients(|v| candle_nn::LayerNorm::new(of(&v[1]), of(&v[2]), 1e-5).forward(&v[0]))?;
    assert_eq!(theirs, [false; 3], "candle's layer norm");
    let ours = have_gradients(|v| normkit_candle::LayerNorm::new(of(&v[1]), of(&v[2]), 1e-5).forward(&v[0]))?;
    assert_eq!(ours, [true; 3], "our layer norm");
    let theirs = have_gradients(|v| candle_nn::RmsNorm::new(of(&v[1]), 1e-5).forward(&v[0]))?;
    assert_eq!(theirs, [false; 3], "candle's rms norm");
    let ours = have_gradients(|v| normkit_candle::RmsNorm::new(of(&v[1]), 1e-5).forward(&v[0]))?;
    assert_eq!(ours, [true, true, false], "our rms norm");
    Ok(())
}

/// Layer normalization of the same rows, moved to these means, misses the result at mean 0 by that much, at most.
fn worst_at_mean(mean: f64, layer: impl Fn(&Tensor) -> Result<Tensor>) -> Result<f64> {
    // Multiples of 1/64, so that moved ones are exact in f32 too.
    let x = ((values(4, &[16, 768])? * 64.0)?.round()? / 64.0)?;
    let (here, there) = (numbers(&layer(&x)?)?, numbers(&layer(&(x + mean)?)?)?);
    Ok(here
        .iter()
        .zip(&there)
        .map(|(here, there)| (here - there).abs())
        .fold(0.0, |worst, error| if error.is_nan() { f64::NAN } else { error.max(worst) }))
}

#[test]
fn large_means_do_not_matter() -> Result<()> {
    let (weight, bias) = (values(5, &[768])?, values(6, &[768])?);
    let theirs = candle_nn::LayerNorm::new(weight.clone(), bias.clone(), 1e-5);
    let ours = normkit_candle::LayerNorm::new(weight, bias, 1e-5);
    for mean in [1e3, 1e4] {
        let (theirs, ours) = (worst_at_mean(mean, |x| theirs.forward(x))?, worst_at_mean(mean, |x| ours.forward(x))?);
        println!("mean {mean}: candle misses by {theirs:.1e}, normkit by {ours:.1e}");
        assert!(theirs.is_nan() || theirs > 1e-2, "candle at a mean of {mean}: {theirs}");
        assert!(ours < 5e-6, "ours at a mean of {mean}: {ours}");
    }
    let x = (values(7, &[4, 768])? * 0.01)?;
    assert!(
        numbers(&theirs.forward(&(&x + 1e4)?)?)?.iter().any(|value| value.is_nan()),
        "candle's at small deviations"
    );
    assert!(numbers(&ours.forward(&(&x + 1e4)?)?)?.iter().all(|value| value.is_finite()), "ours at small deviations");
    Ok(())
}
