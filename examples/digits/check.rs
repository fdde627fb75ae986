//! What must hold for a run to count as good.

use std::{fmt, iter};

use crate::train::Settings;
use crate::trial::Trial;

/// Two ways of summing 128 numbers in f32 differ by some 1e-7 of the result, a gradient over a batch by a few 1e-6.
const CALL_LIMIT: f64 = 1e-5;
/// Training multiplies that, as the steps build on each other: slowly at first, so the first epochs are held tightly.
const EARLY_EPOCHS: usize = 2;
const EARLY_LIMIT: f64 = 1e-5;
const CURVE_LIMIT: f64 = 1e-3;
/// Test accuracy that every normalization reaches, once it had time to: so many epochs and steps.
pub const ACCURACY: f64 = 0.95;
const TIME_TO_LEARN: (usize, usize) = (10, 200);

/// A measured value against its bound.
pub struct Check {
    technique: &'static str,
    what: String,
    value: f64,
    bound: Bound,
}

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
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = if self.holds() { "ok" } else { "FAILED" };
        let Self { technique, what, value, .. } = self;
        write!(f, "{verdict:<6}  {technique}: {what}: ")?;
        match self.bound {
            Bound::AtMost(limit) => write!(f, "{value:.1e} (at most {limit:.0e})"),
            Bound::AtLeast(limit) => {
                write!(f, "{:.1} % (at least {:.0} %)", 100.0 * value, 100.0 * limit)
            }
        }
    }
}

/// All checks that apply to `trial`.
pub fn checks(trial: &Trial, settings: Settings, train_images: usize) -> Vec<Check> {
    let mut checks = Vec::new();
    let mut check = |what: String, value, bound| {
        checks.push(Check { technique: trial.technique.name, what, value, bound });
    };

    if let Some(meter) = trial.run.meter {
        check(
            format!("largest relative difference from the generic kernels in {} calls", meter.calls),
            f64::from(meter.difference),
            Bound::AtMost(CALL_LIMIT),
        );
    }
    if let Some(generic) = &trial.generic {
        let (ours, theirs) = (&trial.run.losses, &generic.losses);
        let early = EARLY_EPOCHS.min(settings.epochs);
        let later = (settings.epochs > early).then_some((settings.epochs, CURVE_LIMIT));
        for (epochs, limit) in iter::once((early, EARLY_LIMIT)).chain(later) {
            check(
                format!("largest relative difference from the generic training's losses up to epoch {epochs}"),
                loss_difference(&ours[..epochs], &theirs[..epochs]),
                Bound::AtMost(limit),
            );
        }
    }
    // the model without normalization is there to compare with, not to be judged
    let steps = settings.epochs * train_images.div_ceil(settings.batch);
    let learned = settings.epochs >= TIME_TO_LEARN.0 && steps >= TIME_TO_LEARN.1;
    if trial.technique.norm.is_some() && learned {
        check("test accuracy".to_owned(), trial.run.last_accuracy(), Bound::AtLeast(ACCURACY));
    }
    checks
}

/// Largest |a - b| / b; infinite where either is not a finite number.
fn loss_difference(a: &[f64], b: &[f64]) -> f64 {
    a.iter()
        .zip(b)
        .map(|(a, b)| (a - b).abs() / b.abs().max(f64::MIN_POSITIVE))
        .fold(0.0, |worst, d| if d.is_finite() { d.max(worst) } else { f64::INFINITY })
}
