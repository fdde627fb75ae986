//! What a forward pass keeps for the backward pass, and for running statistics.

use crate::error::Error;
use normkit::{Compute, Saved};

/// What a forward pass kept: the statistics of all that was normalized together, in the type that was computed in.
#[derive(Clone, Debug, PartialEq)]
pub struct Kept(Of);

#[derive(Clone, Debug, PartialEq)]
enum Of {
    F32(Saved<f32>),
    F64(Saved<f64>),
}

/// Types that are computed in.
pub(crate) trait Keep: Compute {
    fn keep(saved: Saved<Self>) -> Kept;

    /// What was kept, if it was in this type.
    fn kept(kept: &Kept) -> Option<&Saved<Self>>;
}

macro_rules! keep {
    ($($variant:ident $t:ty;)*) => {
        $(impl Keep for $t {
            fn keep(saved: Saved<Self>) -> Kept {
                Kept(Of::$variant(saved))
            }

            fn kept(Kept(kept): &Kept) -> Option<&Saved<Self>> {
                match kept {
                    Of::$variant(saved) => Some(saved),
                    _ => None,
                }
            }
        })*
    };
}

keep! {
    F32 f32;
    F64 f64;
}

impl Kept {
    /// What running statistics become after this batch: `(1 - momentum) * running + momentum * batch`, of the mean and of the variance.
    /// `unbiased`: with the variance of `n - 1` degrees of freedom, as PyTorch's running variance is; of `n` otherwise.
    ///
    /// A batch of nothing changes nothing.
    ///
    /// # Errors
    /// If there are more or fewer running statistics than channels.
    pub fn follow(&self, running: [Vec<f64>; 2], momentum: f64, unbiased: bool) -> Result<[Vec<f64>; 2], Error> {
        match &self.0 {
            Of::F32(saved) => follow(saved, running, momentum, unbiased),
            Of::F64(saved) => follow(saved, running, momentum, unbiased),
        }
    }
}

fn follow<A: Compute>(
    saved: &Saved<A>,
    running: [Vec<f64>; 2],
    momentum: f64,
    unbiased: bool,
) -> Result<[Vec<f64>; 2], Error> {
    let count = saved.count() as f64;
    if count == 0.0 {
        return Ok(running);
    }
    let correction = if unbiased { count / (count - 1.0) } else { 1.0 };
    // The mean is kept as the sum of two numbers.
    let mean = saved.mean().iter().zip(saved.residual()).map(|(mean, rest)| mean.to_f64() + rest.to_f64());
    let var = saved.variance().iter().map(|value| correction * value.to_f64());
    let batch: [Vec<f64>; 2] = [mean.collect(), var.collect()];
    for (running, batch) in running.iter().zip(&batch) {
        if running.len() != batch.len() {
            let (expected, found) = (batch.len(), running.len());
            return Err(Error::Other(format!("running statistics: expected {expected} channels, found {found}")));
        }
    }
    let [mean, var] = running;
    let follow = |(old, batch): (f64, &f64)| (1.0 - momentum) * old + momentum * batch;
    let next = |running: Vec<f64>, batch: &[f64]| running.into_iter().zip(batch).map(follow).collect();
    Ok([next(mean, &batch[0]), next(var, &batch[1])])
}
