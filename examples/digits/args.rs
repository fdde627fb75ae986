//! The command line.

use std::path::PathBuf;

use clap::Parser;
use clap::builder::{PossibleValue, PossibleValuesParser};

use crate::data::TRAIN;
use crate::technique::{TECHNIQUES, Technique};

const EPOCHS: u16 = 30;
const BATCHES: [u16; 4] = [2, 8, 32, 128];
const SHORT_EPOCHS: u16 = 10;
const SHORT_BATCHES: [u16; 2] = [2, 32];

/// Compare normalization techniques on handwritten digits
///
/// Trains a small convolutional network with each technique at each batch size, on layers that normkit generates. Prints
/// a table, draws charts, and checks the generated kernels against the generic scalar ones at every call.
#[derive(Parser)]
#[command(name = "digits", after_help = "Exit status: 0 if all checks hold, 1 if not, 2 for wrong arguments.")]
pub struct Args {
    /// What to train with, several as a,b or by repeating [default: all]
    #[arg(long, value_name = "NAME", value_delimiter = ',', value_parser = technique_names())]
    technique: Vec<String>,

    /// Images per step at most, 2 to 600, several as 2,32 or by repeating [default: 2,8,32,128]
    #[arg(long, value_name = "N", value_delimiter = ',', value_parser = clap::value_parser!(u16).range(2..=TRAIN as i64))]
    batch: Vec<u16>,

    /// Decides the starting weights and the order of the images
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,

    /// Times to go through the training images, 1 to 1000
    #[arg(long, value_name = "N", default_value_t = EPOCHS, value_parser = clap::value_parser!(u16).range(1..=1000))]
    epochs: u16,

    /// Directory for the charts, made if it is not there
    #[arg(long, value_name = "DIR", default_value = "target/digits")]
    pub out: PathBuf,

    /// Only 10 epochs, and batches of 2 and 32 if no others are given, with all checks: for continuous integration
    #[arg(long, conflicts_with = "epochs")]
    short: bool,
}

fn technique_names() -> PossibleValuesParser {
    let value = |t: &Technique| PossibleValue::new(t.name).help(t.about);
    PossibleValuesParser::new(TECHNIQUES.iter().map(value))
}

impl Args {
    pub fn epochs(&self) -> usize {
        if self.short { SHORT_EPOCHS } else { self.epochs }.into()
    }

    /// In ascending order, each once.
    pub fn batches(&self) -> Vec<usize> {
        let default: &[u16] = if self.short { &SHORT_BATCHES } else { &BATCHES };
        let mut batches = if self.batch.is_empty() { default.to_vec() } else { self.batch.clone() };
        batches.sort_unstable();
        batches.dedup();
        batches.into_iter().map(usize::from).collect()
    }

    /// In the order of the table, each once.
    pub fn techniques(&self) -> Vec<&'static Technique> {
        let chosen = |name| self.technique.is_empty() || self.technique.iter().any(|t| t == name);
        TECHNIQUES.iter().filter(|t| chosen(t.name)).collect()
    }
}
