//! A normalization layer of the model with its scalar twin beside it.
//!
//! The leader computes what the model uses. The follower gets the same input, parameters, buffers and gradients at every
//! call, and its result is compared and thrown away. So both are timed on the same data in the same state of the caches and
//! the clock. They take turns at going first, as the second finds the input in the cache.

use std::time::{Duration, Instant};

use normkit::NormError;

use crate::optimizer::Parameter;
use crate::technique::{Generated, Norm, Twins};

/// Which of the two forward passes.
#[derive(Clone, Copy, PartialEq)]
pub enum Pass {
    Inference,
    Training,
}

pub struct Slot {
    leader: Box<dyn Generated>,
    follower: Box<dyn Norm>,
    /// The follower's output.
    theirs: Vec<f32>,
    follower_first: bool,
    meter: Meter,
}

/// What the follower's calls showed.
#[derive(Clone, Default)]
pub struct Meter {
    pub calls: u64,
    /// Largest difference of an output, a gradient of a parameter or a running statistic, relative to the largest
    /// magnitude in its array.
    pub difference: f32,
    forward: Vec<Times>,
    backward: Vec<Times>,
}

/// Of the leader and of the follower.
type Times = [Duration; 2];

impl Meter {
    /// Seconds of the leader and of the follower for a training step: forward and backward, each the mean over all
    /// calls but the slowest tenth, which the operating system has lengthened.
    pub fn step(&self) -> [f64; 2] {
        [0, 1].map(|who| usual_mean(&self.forward, who) + usual_mean(&self.backward, who))
    }
}

fn usual_mean(calls: &[Times], who: usize) -> f64 {
    let mut times: Vec<Duration> = calls.iter().map(|times| times[who]).collect();
    times.sort_unstable();
    times.truncate(times.len().div_ceil(10) * 9);
    times.iter().sum::<Duration>().as_secs_f64() / times.len().max(1) as f64
}

impl Slot {
    pub fn new(twins: Twins) -> Self {
        let Twins { generated: leader, scalar: follower } = twins;
        Self { leader, follower, theirs: Vec::new(), follower_first: false, meter: Meter::default() }
    }

    pub fn forward(&mut self, pass: Pass, x: &[f32], y: &mut [f32]) -> Result<(), NormError> {
        if pass == Pass::Inference {
            self.call(y, |norm, y| norm.forward(x, y))?;
        } else {
            let times = self.call(y, |norm, y| norm.forward_train(x, y))?;
            self.meter.forward.push(times);
        }
        Ok(())
    }

    pub fn backward(&mut self, x: &[f32], dy: &[f32], dx: &mut [f32]) -> Result<(), NormError> {
        let times = self.call(dx, |norm, dx| norm.backward(x, dy, dx))?;
        self.meter.backward.push(times);
        Ok(())
    }

    pub fn parameters(&mut self) -> Vec<Parameter<'_>> {
        self.leader.parameters()
    }

    pub fn buffers(&mut self) -> Vec<&mut [f32]> {
        self.leader.buffers()
    }

    pub fn leader(&self) -> &dyn Generated {
        &*self.leader
    }

    pub fn meter(&self) -> &Meter {
        &self.meter
    }

    fn call(
        &mut self,
        ours: &mut [f32],
        work: impl Fn(&mut dyn Norm, &mut [f32]) -> Result<(), NormError>,
    ) -> Result<Times, NormError> {
        let Self { leader, follower, theirs, follower_first, meter } = self;
        let (leader, follower): (&mut dyn Norm, &mut dyn Norm) = (&mut **leader, &mut **follower);
        theirs.resize(ours.len(), 0.0);
        for (to, from) in follower.parameters().into_iter().zip(leader.parameters()) {
            to.value.copy_from_slice(from.value);
            to.gradient.copy_from_slice(from.gradient);
        }
        for (to, from) in follower.buffers().into_iter().zip(leader.buffers()) {
            to.copy_from_slice(from);
        }

        let mut times = Times::default();
        for turn in [*follower_first, !*follower_first] {
            let start = Instant::now();
            if turn {
                work(follower, theirs)?;
            } else {
                work(leader, ours)?;
            }
            times[usize::from(turn)] = start.elapsed();
        }
        *follower_first = !*follower_first;

        meter.calls += 1;
        meter.difference = worse(meter.difference, difference(ours, theirs));
        for (ours, theirs) in leader.parameters().into_iter().zip(follower.parameters()) {
            meter.difference = worse(meter.difference, difference(ours.gradient, theirs.gradient));
        }
        for (ours, theirs) in leader.buffers().into_iter().zip(follower.buffers()) {
            meter.difference = worse(meter.difference, difference(ours, theirs));
        }
        Ok(times)
    }
}

/// Largest difference of two elements relative to the largest magnitude in `expected`; not a number counts as infinite.
fn difference(actual: &[f32], expected: &[f32]) -> f32 {
    let largest = expected.iter().fold(0.0, |a, b| worse(a, b.abs()));
    let difference = actual.iter().zip(expected).fold(0.0, |worst, (a, b)| worse(worst, (a - b).abs()));
    if difference == 0.0 { 0.0 } else { worse(0.0, difference / largest) }
}

pub fn worse(a: f32, b: f32) -> f32 {
    if a.is_nan() || b.is_nan() { f32::INFINITY } else { a.max(b) }
}
