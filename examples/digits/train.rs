//! One training of the model, and what is measured on the way.

use normkit::NormError;
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use rand::seq::SliceRandom;

use crate::compare::worse;
use crate::data::{Digits, Set, batches};
use crate::dependence::dependence;
use crate::model::{LAYERS, Model};
use crate::optimizer::Momentum;
use crate::technique::{Bytes, Place};

/// For batches of 32; others get it times the square root of their size to 32, as their gradients are noisier or calmer.
const RATE: f32 = 0.02;
const MOMENTUM: f32 = 0.9;

#[derive(Clone, Copy)]
pub struct Settings {
    pub seed: u64,
    pub epochs: usize,
    pub batch: usize,
}

/// What the seed decides. Each has its own stream of random numbers, so that one does not shift the other: all techniques
/// start from the same weights and see the same batches.
#[derive(Clone, Copy)]
pub enum Chance {
    Start,
    Order,
    Deals,
}

impl Settings {
    pub fn rng(&self, chance: Chance) -> ChaCha8Rng {
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        rng.set_stream(chance as u64);
        rng
    }
}

/// A finished training.
pub struct Run {
    /// Mean cross-entropy over each epoch's batches.
    pub losses: Vec<f64>,
    /// Share of the test images recognized, before the first epoch and after each.
    pub accuracy: Vec<f64>,
    /// Mean over each epoch's steps of the Euclidean norm of the gradient, for the weights of each layer.
    pub gradients: Vec<[f64; LAYERS]>,
    /// Of an image's scores on the images around it, after the first epoch and after the last.
    pub dependence: [f64; 2],
    pub bytes: Bytes,
    /// `None` where nothing is normalized.
    pub norm: Option<NormRun>,
}

/// All normalizations of the model together.
#[derive(Clone, Copy, Default)]
pub struct NormRun {
    /// Seconds for an image in training, forward and backward, of the generated and of the generic kernels.
    pub seconds: [f64; 2],
    pub calls: u64,
    /// See [`Meter`](crate::compare::Meter).
    pub difference: f32,
}

impl Run {
    pub fn last_loss(&self) -> f64 {
        self.losses.last().copied().unwrap_or(f64::NAN)
    }

    pub fn last_accuracy(&self) -> f64 {
        self.accuracy.last().copied().unwrap_or(f64::NAN)
    }

    /// When this share of the test images was first recognized, in epochs and on the straight line between two of them.
    pub fn epochs_to(&self, accuracy: f64) -> Option<f64> {
        let after = self.accuracy.iter().position(|a| *a >= accuracy)?;
        let Some(before) = after.checked_sub(1) else { return Some(0.0) };
        let (low, high) = (self.accuracy[before], self.accuracy[after]);
        Some(before as f64 + (accuracy - low) / (high - low))
    }
}

/// Trains with the given normalization; `progress` is called after each epoch.
pub fn train(digits: &Digits, place: Place, settings: Settings, progress: impl Fn()) -> Result<Run, NormError> {
    let Digits { train, test } = digits;
    let mut model = Model::new(&mut settings.rng(Chance::Start), place)?;
    let mut optimizer = Momentum::new(RATE * (settings.batch as f32 / 32.0).sqrt(), MOMENTUM);
    let mut rng = settings.rng(Chance::Order);
    let mut order: Vec<usize> = (0..train.len()).collect();
    let mut batch = Set::default();

    let mut run = Run {
        losses: Vec::new(),
        accuracy: vec![model.accuracy(test)?],
        gradients: Vec::new(),
        dependence: [f64::NAN; 2],
        bytes: Bytes::default(),
        norm: None,
    };
    let mut per_step = 0.0;
    for epoch in 0..settings.epochs {
        order.shuffle(&mut rng);
        let (mut loss, mut norms, mut steps) = (0.0, [0.0; LAYERS], 0);
        for indices in batches(&order, settings.batch) {
            batch.gather(train, indices);
            loss += model.loss_and_gradients(&batch)?;
            norms.iter_mut().zip(model.gradient_norms()).for_each(|(sum, norm)| *sum += norm);
            optimizer.step(model.parameters());
            steps += 1;
        }
        // the last batch is as large as any
        run.bytes = model.bytes();
        per_step = train.len() as f64 / f64::from(steps);
        run.losses.push(loss / train.len() as f64);
        run.gradients.push(norms.map(|sum| sum / f64::from(steps)));
        run.accuracy.push(model.accuracy(test)?);
        if epoch == 0 {
            run.dependence[0] = dependence(&mut model, test, settings)?;
        }
        progress();
    }
    run.dependence[1] = dependence(&mut model, test, settings)?;
    run.norm = norm_run(&model, per_step);
    Ok(run)
}

/// Sums the normalizations up, for steps of so many images.
fn norm_run(model: &Model, per_step: f64) -> Option<NormRun> {
    let meters = model.slots().map(|slot| slot.meter());
    meters.fold(None, |sum: Option<NormRun>, meter| {
        let sum = sum.unwrap_or_default();
        let [ours, theirs] = meter.step();
        Some(NormRun {
            seconds: [sum.seconds[0] + ours / per_step, sum.seconds[1] + theirs / per_step],
            calls: sum.calls + meter.calls,
            difference: worse(sum.difference, meter.difference),
        })
    })
}
