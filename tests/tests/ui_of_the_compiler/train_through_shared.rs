// Training moves the running statistics, so it takes the layer by unique reference: what holds it shared can only infer.

use normkit::{NormError, Saved, normalize};

#[normalize(kind = "batch", shape = [_, 64, 56, 56])]
pub struct Bn1;

pub fn step(bn: &Bn1, x: &[f32], y: &mut [f32], saved: &mut Saved<f32>) -> Result<(), NormError> {
    bn.forward(x, &mut *y)?;
    bn.forward_train(x, y, saved)
}

fn main() {}
