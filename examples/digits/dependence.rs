//! How much an image's scores depend on the images that share its batch.

use normkit::NormError;
use rand::seq::SliceRandom;

use crate::compare::Pass;
use crate::data::{CLASSES, Set, batches};
use crate::model::Model;
use crate::train::{Chance, Settings};

/// How often the images are dealt into batches.
const DEALS: usize = 4;

/// Deals `images` into batches several times, as the epochs of a training do, and computes their scores as in training.
/// Gives the deviation of an image's score over the deals, relative to the deviation of that score over the images.
///
/// 0 if the images around it do not matter; leaves the model as it was.
pub fn dependence(model: &mut Model, images: &Set, settings: Settings) -> Result<f64, NormError> {
    let running: Vec<Vec<f32>> = model.buffers().into_iter().map(|b| b.to_vec()).collect();
    let mut rng = settings.rng(Chance::Deals);
    let mut order: Vec<usize> = (0..images.len()).collect();
    let mut batch = Set::default();
    let mut scores = vec![[0.0; DEALS]; images.len() * CLASSES];
    for deal in 0..DEALS {
        order.shuffle(&mut rng);
        for indices in batches(&order, settings.batch) {
            batch.gather(images, indices);
            let dealt = model.scores(Pass::Training, &batch)?.chunks_exact(CLASSES);
            for (image, dealt) in indices.iter().zip(dealt) {
                for (class, score) in dealt.iter().enumerate() {
                    scores[image * CLASSES + class][deal] = f64::from(*score);
                }
            }
        }
    }
    for (buffer, kept) in model.buffers().into_iter().zip(&running) {
        buffer.copy_from_slice(kept);
    }

    let over_deals = scores.iter().map(|deals| variance(deals)).sum::<f64>() / scores.len() as f64;
    let over_images = (0..CLASSES).map(|class| {
        let of_class: Vec<f64> = scores.iter().skip(class).step_by(CLASSES).map(|deals| deals[0]).collect();
        variance(&of_class)
    });
    let over_images = over_images.sum::<f64>() / CLASSES as f64;
    // a network that has died gives all images the same scores, and 0 by 0 is not what is meant
    Ok(if over_deals == 0.0 { 0.0 } else { (over_deals / over_images).sqrt() })
}

/// Unbiased; exactly 0 where all values are the same.
fn variance(values: &[f64]) -> f64 {
    let offsets: Vec<f64> = values.iter().map(|v| v - values[0]).collect();
    let mean = offsets.iter().sum::<f64>() / offsets.len() as f64;
    offsets.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (offsets.len() - 1) as f64
}
