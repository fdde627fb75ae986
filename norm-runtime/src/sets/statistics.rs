//! From sums to statistics, in f64, and running statistics.

use super::flight::Pad;
use crate::dtype::{Compute, Element};
use crate::error::NormError;
use crate::saved::Saved;
use crate::spec::Spec;
use core::ops::Range;

/// The statistics of elements normalized together, in f64.
#[derive(Clone, Copy, Debug)]
pub(super) struct Statistics {
    /// The mean, and what its rounding to f64 left.
    pub(super) mean: (f64, f64),
    pub(super) variance: f64,
    pub(super) rstd: f64,
    /// Whether the sums that they come from kept their precision.
    pub(super) good: bool,
}

/// What all sets of a call have in common.
#[derive(Clone, Copy, Debug)]
pub(super) struct Formula {
    /// Elements of a set.
    pub(super) set_len: f64,
    pub(super) eps: f64,
    pub(super) centred: bool,
    pub(super) of_sum: bool,
}

/// A set's own mean (less its pivot) and variance; whether the pivot was near enough to the mean.
///
/// The guard is one standard deviation, so that the difference of squares loses at most one bit, or two where few elements
/// have few roundings to lose them to. Squares below what the type resolves say nothing.
fn moments<A: Compute>(sum: f64, square: f64, len: f64) -> (f64, f64, bool) {
    let inverse = 1.0 / len;
    let shift = sum * inverse;
    let variance = (square * inverse - shift * shift).max(0.0);
    let farthest = if len < 16.0 { 4.0 } else { 1.0 };
    let unresolved = A::SMALLEST.to_f64();
    (shift, variance, shift * shift <= variance * farthest + unresolved)
}

impl Formula {
    /// Moves pivots that are too far from the mean to it; whether there were any.
    pub(super) fn improve_pivots<A: Compute>(&self, pad: &mut Pad<'_, A>, sets: usize) -> bool {
        let mut moved = false;
        for set in 0..sets {
            let (shift, _, near) = moments::<A>(pad.sum[set], pad.square[set], self.set_len);
            let pivot = A::from_f64(pad.mean[set].to_f64() + shift);
            if !near && pivot.is_finite() {
                pad.mean[set] = pivot;
                moved = true;
            }
        }
        moved
    }

    /// The statistics of the sets of `range` together: means and variances merged by Chan's formula.
    pub(super) fn merge<A: Compute>(&self, pad: &Pad<'_, A>, range: &Range<usize>) -> Statistics {
        if !self.centred {
            let square = pad.square[range.start];
            return self.statistics::<A>((0.0, 0.0), if self.of_sum { square } else { square / self.set_len }, true);
        }
        let count = range.len() as f64;
        let origin = pad.mean[range.start].to_f64();
        let of = |set: usize| moments::<A>(pad.sum[set], pad.square[set], self.set_len);
        let place = |set: usize, shift: f64| (pad.mean[set].to_f64() - origin) + shift;
        if range.len() == 1 {
            let (shift, variance, near) = of(range.start);
            return self.statistics::<A>(two_sum(origin, shift), variance, near);
        }
        let (mut mean, mut variance, mut good) = (0.0, 0.0, true);
        for set in range.clone() {
            let (shift, within, near) = of(set);
            mean += place(set, shift);
            variance += within;
            good &= near;
        }
        mean /= count;
        for set in range.clone() {
            let distance = place(set, of(set).0) - mean;
            variance += distance * distance;
        }
        self.statistics::<A>(two_sum(origin, mean), variance / count, good)
    }

    fn statistics<A: Compute>(&self, mean: (f64, f64), variance: f64, good: bool) -> Statistics {
        let v = variance + self.eps;
        let in_range = v >= A::SMALLEST.to_f64() && v <= A::LARGEST.to_f64();
        Statistics { mean, variance, rstd: 1.0 / v.sqrt(), good: good && in_range }
    }
}

/// `a + b` as the nearest number and what the rounding left, exactly.
fn two_sum(a: f64, b: f64) -> (f64, f64) {
    let sum = a + b;
    let part = sum - a;
    (sum, (a - (sum - part)) + (b - part))
}

impl Statistics {
    /// The mean in the compute type, and what rounding left of it.
    pub(super) fn split_mean<A: Compute>(&self) -> (A, A) {
        let mean = A::from_f64(self.mean.0);
        (mean, A::from_f64((self.mean.0 - mean.to_f64()) + self.mean.1))
    }
}

/// Refuses running statistics of another number of channels.
pub(super) fn check_running(expected: usize, mean: usize, var: usize) -> Result<(), NormError> {
    for (arg, found) in [("running_mean", mean), ("running_var", var)] {
        if found != expected {
            return Err(NormError::Length { arg, expected, found });
        }
    }
    Ok(())
}

/// Lets running statistics follow those of a batch, and counts it.
///
/// # Errors
/// If lengths do not fit; nothing has changed then.
pub fn update_running<A: Compute, P: Element<Compute = A>>(
    spec: &'static Spec,
    saved: &Saved<A>,
    running_mean: &mut [P],
    running_var: &mut [P],
    num_batches_tracked: &mut i64,
) -> Result<(), NormError> {
    check_running(saved.mean().len(), running_mean.len(), running_var.len())?;
    *num_batches_tracked = num_batches_tracked.saturating_add(1);
    let count = saved.count() as f64;
    let Some(running) = spec.running.filter(|_| count > 0.0) else { return Ok(()) };
    let share = running.momentum.unwrap_or(1.0 / *num_batches_tracked as f64);
    let correction = if running.unbiased { count / (count - 1.0) } else { 1.0 };
    let follow = |value: &mut P, batch: f64| {
        *value = P::narrow(A::from_f64(value.widen().to_f64() * (1.0 - share) + batch * share));
    };
    for (channel, (mean, var)) in running_mean.iter_mut().zip(running_var).enumerate() {
        follow(mean, saved.mean()[channel].to_f64() + saved.residual()[channel].to_f64());
        follow(var, saved.variance()[channel].to_f64() * correction);
    }
    Ok(())
}

/// The length of each vector, from the statistics of weight normalization.
pub fn lengths<A: Compute, P: Element<Compute = A>>(saved: &Saved<A>, lengths: &mut [P]) {
    for (length, &rstd) in lengths.iter_mut().zip(saved.rstd()) {
        *length = P::narrow(A::ONE / rstd);
    }
}
