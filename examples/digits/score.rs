//! The techniques on a scale of 0 to 100 in each respect, computed from the trials.

use crate::check::ACCURACY;
use crate::trial::Trial;

pub const NAMES: [&str; 4] = ["speed", "memory", "convergence", "batch-free"];

/// For each of the trials at the same batch size, in the order of [`NAMES`].
///
/// - Speed: time of the fastest normalization by that of this one. 100 without any.
/// - Memory: bytes that the thriftiest normalization needs on top of the model without any by those of this one: parameters,
///   running statistics and what is kept for the backward pass. 100 without any.
/// - Convergence: epochs to 95 % of the quickest trial by those of this one; 0 if it does not come that far.
/// - Independence: 100 less the dependence on the batch after the first epoch in per cent.
pub fn scores(trials: &[&Trial]) -> Vec<[f64; NAMES.len()]> {
    let least = |values: &[Option<f64>]| values.iter().flatten().copied().fold(f64::INFINITY, f64::min);
    let times: Vec<_> = trials.iter().map(|t| t.run.norm.map(|norm| norm.seconds[0])).collect();
    let bytes: Vec<_> = trials.iter().map(|t| t.run.norm.map(|_| t.run.bytes.sum() as f64)).collect();
    let epochs: Vec<_> = trials.iter().map(|t| t.run.epochs_to(ACCURACY)).collect();
    let relative = |values: &[Option<f64>], i: usize, without| {
        values[i].map_or(without, |value| if value > 0.0 { 100.0 * least(values) / value } else { 100.0 })
    };
    (0..trials.len())
        .map(|i| {
            let independence = 100.0 * (1.0 - trials[i].run.dependence[0]).max(0.0);
            [relative(&times, i, 100.0), relative(&bytes, i, 100.0), relative(&epochs, i, 0.0), independence]
        })
        .collect()
}
