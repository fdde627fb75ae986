//! One training of the model.

use normkit::NormError;
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use rand::seq::SliceRandom;

use crate::compare::{Meter, Slot};
use crate::data::{Digits, Set, batches};
use crate::model::Mlp;
use crate::optimizer::Momentum;
use crate::technique::Twins;

/// For batches of 64; others get it times the square root of their size to 64, as their gradients are noisier or calmer.
const RATE: f32 = 0.02;
const MOMENTUM: f32 = 0.9;

#[derive(Clone, Copy)]
pub struct Settings {
    pub seed: u64,
    pub epochs: usize,
    pub batch: usize,
}

/// What the seed decides. Each has its own stream of random numbers, so that one does not shift the other: all techniques
/// start from the same linear layers and see the same batches.
#[derive(Clone, Copy)]
enum Chance {
    Start,
    Order,
}

impl Settings {
    fn rng(&self, chance: Chance) -> ChaCha8Rng {
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        rng.set_stream(chance as u64);
        rng
    }
}

/// Which kernels the model computes with.
#[derive(Clone, Copy, PartialEq)]
pub enum Kernels {
    /// The generated ones, with the generic ones called beside them on the same arrays.
    Generated,
    /// The generic ones alone.
    Generic,
}

/// A finished training.
pub struct Run {
    /// Mean cross-entropy over each epoch's batches.
    pub losses: Vec<f64>,
    /// Share of the test images recognized after each epoch.
    pub accuracy: Vec<f64>,
    /// Generated against generic, if both ran.
    pub meter: Option<Meter>,
}

impl Run {
    pub fn last_loss(&self) -> f64 {
        self.losses.last().copied().unwrap_or(f64::NAN)
    }

    pub fn last_accuracy(&self) -> f64 {
        self.accuracy.last().copied().unwrap_or(f64::NAN)
    }
}

/// Trains with the given normalization; `progress` is told epoch, loss and accuracy after each epoch.
pub fn train(
    digits: &Digits,
    norm: Option<Twins>,
    kernels: Kernels,
    settings: Settings,
    mut progress: impl FnMut(usize, f64, f64),
) -> Result<Run, NormError> {
    let mut model = Mlp::new(&mut settings.rng(Chance::Start), || {
        norm.map(|twins| match kernels {
            Kernels::Generated => Slot::new((twins.generated)(), Some((twins.generic)())),
            Kernels::Generic => Slot::new((twins.generic)(), None),
        })
    });
    let mut optimizer = Momentum::new(RATE * (settings.batch as f32 / 64.0).sqrt(), MOMENTUM);
    let mut rng = settings.rng(Chance::Order);
    let mut order: Vec<usize> = (0..digits.train.len()).collect();
    let mut batch = Set::default();
    let (mut losses, mut accuracy) = (Vec::new(), Vec::new());

    for epoch in 1..=settings.epochs {
        order.shuffle(&mut rng);
        let mut loss = 0.0;
        for indices in batches(&order, settings.batch) {
            batch.gather(&digits.train, indices);
            loss += model.loss_and_gradients(&batch)?;
            optimizer.step(model.parameters());
        }
        losses.push(loss / digits.train.len() as f64);
        accuracy.push(model.count_correct(&digits.test)? as f64 / digits.test.len() as f64);
        progress(epoch, losses[epoch - 1], accuracy[epoch - 1]);
    }
    Ok(Run { losses, accuracy, meter: model.meter() })
}
