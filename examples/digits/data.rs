//! The images: reading, checking, splitting, and cutting an epoch into batches.

use std::error::Error;

use flate2::read::GzDecoder;
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use rand::seq::SliceRandom;

/// Pixels of an image, 8x8.
pub const PIXELS: usize = 64;
/// Digits to tell apart.
pub const CLASSES: usize = 10;
/// Images in the file, and how many of them are kept for training. A third is few enough to make the techniques differ, and
/// the rest, for testing, enough to see it.
const IMAGES: usize = 1797;
pub const TRAIN: usize = 600;
/// Decides which ones, always the same: an accuracy is only comparable over the same test images.
const SPLIT_SEED: u64 = 0;

/// See `data/ATTRIBUTION.md` for its origin and licence.
static FILE: &[u8] = include_bytes!("data/digits.csv.gz");

/// Images and the digits they show.
#[derive(Default)]
pub struct Set {
    /// `[images, PIXELS]`, from 0 (white) to 1 (black).
    pub x: Vec<f32>,
    /// `[images]`, each below [`CLASSES`].
    pub labels: Vec<u8>,
}

impl Set {
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    fn image(&self, i: usize) -> &[f32] {
        &self.x[i * PIXELS..(i + 1) * PIXELS]
    }

    /// Makes `self` the images of `from` at `indices`.
    pub fn gather(&mut self, from: &Set, indices: &[usize]) {
        self.x.clear();
        self.labels.clear();
        for &i in indices {
            self.x.extend_from_slice(from.image(i));
            self.labels.push(from.labels[i]);
        }
    }
}

pub struct Digits {
    pub train: Set,
    pub test: Set,
}

impl Digits {
    /// Reads the embedded file, shuffles and splits it.
    pub fn load() -> Result<Self, Box<dyn Error>> {
        let all = parse(FILE)?;
        let mut order: Vec<usize> = (0..all.len()).collect();
        order.shuffle(&mut ChaCha8Rng::seed_from_u64(SPLIT_SEED));
        let (mut train, mut test) = (Set::default(), Set::default());
        train.gather(&all, &order[..TRAIN]);
        test.gather(&all, &order[TRAIN..]);
        Ok(Self { train, test })
    }
}

fn parse(file: &[u8]) -> Result<Set, Box<dyn Error>> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(GzDecoder::new(file));
    let mut set = Set::default();
    for (record, line) in reader.deserialize::<Vec<u8>>().zip(1..) {
        let record = record?;
        match record.split_last() {
            Some((&label, pixels))
                if pixels.len() == PIXELS && usize::from(label) < CLASSES && pixels.iter().all(|&p| p <= 16) =>
            {
                set.x.extend(pixels.iter().map(|&p| f32::from(p) / 16.0));
                set.labels.push(label);
            }
            _ => {
                return Err(
                    format!("digits.csv.gz, line {line}: expected {PIXELS} pixels of 0 to 16 and a digit").into()
                );
            }
        }
    }
    if set.len() != IMAGES {
        return Err(format!("digits.csv.gz: expected {IMAGES} images, found {}", set.len()).into());
    }
    Ok(set)
}

/// Cuts `order` into batches of at most `batch`, as even as possible: no tiny last batch with a noisy gradient.
pub fn batches(order: &[usize], batch: usize) -> impl Iterator<Item = &[usize]> {
    let count = order.len().div_ceil(batch);
    (0..count).map(move |i| &order[i * order.len() / count..(i + 1) * order.len() / count])
}
