//! What must hold for a run to count as good.

use std::fmt;

use crate::trial::Trial;

/// The accuracy that is waited for.
pub const ACCURACY: f64 = 0.95;
/// What every normalization reaches at some epoch, once it had time to and unless batches are tiny: there, noise may win.
const FLOOR: f64 = 0.9;
const TIME_TO_LEARN: (usize, usize) = (10, 100);
const SENSIBLE_BATCH: usize = 8;
/// Scalar code sums some 8000 numbers in one chain of f32, which is good to a few 1e-6, now and then to 1e-5.
const DIFFERENCE: f64 = 1e-4;
/// Batch normalization looks at the batch, the others do not: not by one bit.
const SOME_DEPENDENCE: f64 = 0.01;

/// A measured value against its bound.
pub struct Check {
    kind: &'static str,
    trial: String,
    value: f64,
    bound: Bound,
}

#[derive(Clone, Copy, PartialEq)]
enum Bound {
    AtMost(f64),
    AtLeast(f64),
}

impl Check {
    /// Never for a value that is not a number.
    pub fn holds(&self) -> bool {
        match self.bound {
            Bound::AtMost(limit) => self.value <= limit,
            Bound::AtLeast(limit) => self.value >= limit,
        }
    }

    /// How far from failing, to find the worst of a kind.
    fn margin(&self) -> f64 {
        let margin = match self.bound {
            Bound::AtMost(limit) => limit - self.value,
            Bound::AtLeast(limit) => self.value - limit,
        };
        if margin.is_nan() { f64::NEG_INFINITY } else { margin }
    }
}

/// All checks that apply, those of a kind together.
pub fn checks(trials: &[Trial], epochs: usize, train_images: usize) -> Vec<Check> {
    let mut checks = Vec::new();
    for Trial { technique, batch, run } in trials {
        let mut check = |kind, value, bound| {
            let trial = format!("{}, batches of {batch}", technique.name);
            checks.push(Check { kind, trial, value, bound });
        };
        let finite = run.losses.iter().chain(&run.dependence).all(|v| v.is_finite());
        check("losses that are no finite numbers", if finite { 0.0 } else { 1.0 }, Bound::AtMost(0.0));
        if let Some(norm) = run.norm {
            let difference = f64::from(norm.difference);
            check("difference of generated and scalar kernels", difference, Bound::AtMost(DIFFERENCE));
        }
        let learned = epochs >= TIME_TO_LEARN.0 && epochs * train_images.div_ceil(*batch) >= TIME_TO_LEARN.1;
        // the model without normalization is there to compare with, not to be judged
        if run.norm.is_some() && learned && *batch >= SENSIBLE_BATCH {
            let best = run.accuracy.iter().copied().fold(f64::NAN, f64::max);
            check("test accuracy that is reached", best, Bound::AtLeast(FLOOR));
        }
        for dependence in run.dependence {
            if technique.couples {
                check("dependence on the batch, where there must be", dependence, Bound::AtLeast(SOME_DEPENDENCE));
            } else {
                check("dependence on the batch, where there must be none", dependence, Bound::AtMost(0.0));
            }
        }
    }
    for (small, large) in extremes(trials) {
        let ratio = small.run.dependence[0] / large.run.dependence[0];
        let trial = format!("{}, batches of {} against {}", small.technique.name, small.batch, large.batch);
        let kind = "dependence on a small batch relative to that on a large one";
        checks.push(Check { kind, trial, value: ratio, bound: Bound::AtLeast(1.0) });
    }
    checks
}

/// The trials at the smallest and the largest batch size, of techniques that look at the batch.
fn extremes(trials: &[Trial]) -> Vec<(&Trial, &Trial)> {
    let mut pairs = Vec::new();
    for first in trials.iter().filter(|t| t.technique.couples) {
        let same = || trials.iter().filter(|t| t.technique.name == first.technique.name);
        let (Some(small), Some(large)) = (same().min_by_key(|t| t.batch), same().max_by_key(|t| t.batch)) else {
            continue;
        };
        if std::ptr::eq(first, small) && 4 * small.batch <= large.batch {
            pairs.push((small, large));
        }
    }
    pairs
}

/// For each kind its worst, and all that failed.
pub fn summary(checks: &[Check]) -> Vec<&Check> {
    let worst = |check: &Check| {
        let same = checks.iter().filter(|c| c.kind == check.kind);
        same.min_by(|a, b| a.margin().total_cmp(&b.margin())).is_some_and(|worst| std::ptr::eq(worst, check))
    };
    checks.iter().filter(|check| !check.holds() || worst(check)).collect()
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = if self.holds() { "ok" } else { "FAILED" };
        let Self { kind, trial, value, .. } = self;
        let (bound, limit) = match self.bound {
            Bound::AtMost(limit) => ("at most", limit),
            Bound::AtLeast(limit) => ("at least", limit),
        };
        write!(f, "{verdict:<6}  {kind}: {} ({bound} {}), {trial}", Number(*value), Number(limit))
    }
}

/// Short at any magnitude.
struct Number(f64);

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(v) = self;
        if *v != 0.0 && v.abs() < 1e-3 { write!(f, "{v:.1e}") } else { write!(f, "{}", (v * 1e3).round() / 1e3) }
    }
}
