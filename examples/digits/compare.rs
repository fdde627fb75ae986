//! A normalization layer of the model with, if asked for, its twin beside it.
//!
//! The leader computes what the model uses. The follower gets the same input, parameters and gradients at every call, and
//! its result is compared and thrown away. So both are timed on the same data in the same state of the caches and
//! the clock, and a difference cannot hide behind the drift of two separate trainings. They take turns at going first, as
//! the second finds the input in the cache.

use std::time::{Duration, Instant};

use normkit::NormError;

use crate::optimizer::Parameter;
use crate::technique::Norm;

pub struct Slot {
    leader: Box<dyn Norm>,
    follower: Option<Follower>,
}

struct Follower {
    norm: Box<dyn Norm>,
    output: Vec<f32>,
    goes_first: bool,
    meter: Meter,
}

/// What the follower's calls showed.
#[derive(Clone, Copy, Default)]
pub struct Meter {
    pub calls: u64,
    pub leader: Duration,
    pub follower: Duration,
    /// Largest difference of an output or a parameter's gradient, relative to the largest magnitude in its array.
    pub difference: f32,
}

impl Meter {
    pub fn merge(self, other: Self) -> Self {
        Self {
            calls: self.calls + other.calls,
            leader: self.leader + other.leader,
            follower: self.follower + other.follower,
            difference: worse(self.difference, other.difference),
        }
    }
}

impl Slot {
    pub fn new(leader: Box<dyn Norm>, follower: Option<Box<dyn Norm>>) -> Self {
        let follower =
            follower.map(|norm| Follower { norm, output: Vec::new(), goes_first: false, meter: Meter::default() });
        Self { leader, follower }
    }

    pub fn forward(&mut self, x: &[f32], y: &mut [f32]) -> Result<(), NormError> {
        self.call(y, |norm, y| norm.forward(x, y))
    }

    pub fn forward_train(&mut self, x: &[f32], y: &mut [f32]) -> Result<(), NormError> {
        self.call(y, |norm, y| norm.forward_train(x, y))
    }

    pub fn backward(&mut self, x: &[f32], dy: &[f32], dx: &mut [f32]) -> Result<(), NormError> {
        self.call(dx, |norm, dx| norm.backward(x, dy, dx))
    }

    pub fn parameters(&mut self) -> Vec<Parameter<'_>> {
        self.leader.parameters()
    }

    pub fn meter(&self) -> Option<Meter> {
        self.follower.as_ref().map(|follower| follower.meter)
    }

    fn call(
        &mut self,
        output: &mut [f32],
        work: impl Fn(&mut dyn Norm, &mut [f32]) -> Result<(), NormError>,
    ) -> Result<(), NormError> {
        let leader = &mut *self.leader;
        let Some(follower) = &mut self.follower else {
            return work(leader, output);
        };
        let Follower { norm, output: theirs, goes_first, meter } = follower;
        let norm = &mut **norm;
        theirs.resize(output.len(), 0.0);
        for (to, from) in norm.parameters().into_iter().zip(leader.parameters()) {
            to.value.copy_from_slice(from.value);
            to.gradient.copy_from_slice(from.gradient);
        }

        if *goes_first {
            meter.follower += timed(|| work(norm, theirs))?;
            meter.leader += timed(|| work(leader, output))?;
        } else {
            meter.leader += timed(|| work(leader, output))?;
            meter.follower += timed(|| work(norm, theirs))?;
        }
        *goes_first = !*goes_first;
        meter.calls += 1;

        meter.difference = worse(meter.difference, difference(output, theirs));
        for (ours, theirs) in leader.parameters().into_iter().zip(norm.parameters()) {
            let difference = difference(ours.gradient, theirs.gradient);
            meter.difference = worse(meter.difference, difference);
        }
        Ok(())
    }
}

fn timed(work: impl FnOnce() -> Result<(), NormError>) -> Result<Duration, NormError> {
    let start = Instant::now();
    work()?;
    Ok(start.elapsed())
}

/// Largest difference of two elements relative to the largest magnitude in `expected`; not a number counts as infinite.
fn difference(actual: &[f32], expected: &[f32]) -> f32 {
    let largest = expected.iter().fold(0.0, |a, b| worse(a, b.abs()));
    let difference = actual.iter().zip(expected).fold(0.0, |worst, (a, b)| worse(worst, (a - b).abs()));
    if difference == 0.0 { 0.0 } else { worse(0.0, difference / largest) }
}

fn worse(a: f32, b: f32) -> f32 {
    if a.is_nan() || b.is_nan() { f32::INFINITY } else { a.max(b) }
}
