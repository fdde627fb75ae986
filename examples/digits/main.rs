//! Learns to read handwritten digits, with and without normalization, on generated kernels.
//!
//! ```text
//! cargo run --release --example digits
//! cargo run --release --example digits -- --technique layer --seed 7
//! ```
//!
//! A multilayer perceptron (64 pixels, 128, 128, 10 digits) is trained on 1437 images of 8x8 pixels and tested on 360
//! others, once without normalization and once for each technique, normalizing before the activation (SiLU) of each
//! hidden layer. The layers are annotated structs, see `technique.rs`; their generated `forward_train`, `backward` and
//! `forward` do the work. Everything else is plain Rust.
//!
//! Each technique trains twice from the same seed.
//! 1. On the generated kernels. At every call the plain scalar implementation of `normkit::generic` gets the same arrays;
//!    both are timed, taking turns at going first, and their results compared (`compare.rs`). The times in the table are sums
//!    over all calls of this one training: forward and backward of each step, and the forward passes of testing. They
//!    are milliseconds, so other work on the machine shows in them.
//! 2. On the generic kernels alone. The losses must follow those of the first training (`check.rs`): rounding differs,
//!    and training carries it on, so tightly in the first epochs and less so over the whole curve.
//!
//! Prints a table, checks the results, and draws the curves to an SVG file. Exits with 0 if all checks hold, 1 if not or if
//! something went wrong, 2 if the arguments are wrong.
//!
//! The split is always the same. With the same seed, starting weights and batches are the same on every machine, and
//! losses are the same on every run of one machine; another instruction set (`NORMKIT_LEVEL=portable` chooses one) sums
//! in another order, and differs by rounding.

mod chart;
mod check;
mod compare;
mod data;
mod dense;
mod model;
mod optimizer;
mod technique;
mod train;
mod trial;

use std::error::Error;
use std::fmt::Display;
use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use clap::builder::{PossibleValue, PossibleValuesParser};
use normkit::Level;

use check::checks;
use data::{Digits, TRAIN};
use technique::TECHNIQUES;
use train::Settings;
use trial::{Trial, table};

const EPOCHS: u16 = 30;
const SHORT_EPOCHS: u16 = 10;

/// Train a small network on handwritten digits, with and without normalization
///
/// The normalization layers run on generated kernels. Each training is repeated with the generic scalar
/// implementation, and the two must agree.
#[derive(Parser)]
#[command(name = "digits", after_help = "Exit status: 0 if all checks hold, 1 if not, 2 for wrong arguments.")]
struct Args {
    /// Decides the starting weights and the order of the images
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,

    /// Times to go through the training images, 1 to 1000
    #[arg(long, value_name = "N", default_value_t = EPOCHS, value_parser = clap::value_parser!(u16).range(1..=1000))]
    epochs: u16,

    /// Images per step at most, 8 to 1437
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u16).range(8..=TRAIN as i64))]
    batch: u16,

    /// What to train with, several as a,b or by repeating [default: all]
    #[arg(long, value_name = "NAME", value_delimiter = ',', value_parser = technique_names())]
    technique: Vec<String>,

    /// Directory for the chart, made if it is not there
    #[arg(long, value_name = "DIR", default_value = "target/digits")]
    out: PathBuf,

    /// Only 10 epochs, with all checks: for continuous integration
    #[arg(long, conflicts_with = "epochs")]
    short: bool,
}

fn technique_names() -> PossibleValuesParser {
    let value = |t: &technique::Technique| PossibleValue::new(t.name).help(t.about);
    PossibleValuesParser::new(TECHNIQUES.iter().map(value))
}

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Whether all checks hold.
fn run(args: &Args) -> Result<bool, Box<dyn Error>> {
    let settings = Settings {
        seed: args.seed,
        epochs: if args.short { SHORT_EPOCHS } else { args.epochs }.into(),
        batch: args.batch.into(),
    };
    // before the work, so that a wrong directory is known at once
    fs::create_dir_all(&args.out).map_err(|e| format!("cannot make the directory {}: {e}", args.out.display()))?;
    if cfg!(debug_assertions) {
        eprintln!("note: built without optimization, the times mean little; use --release");
    }

    let level = Level::current()?;
    let digits = Digits::load()?;
    print(format_args!(
        "{} images to train on, {} to test; seed {}; kernels for {}",
        digits.train.len(),
        digits.test.len(),
        settings.seed,
        level.name()
    ))?;
    let chosen = |name| args.technique.is_empty() || args.technique.iter().any(|t| t == name);
    let mut trials = Vec::new();
    for technique in TECHNIQUES.iter().filter(|t| chosen(t.name)) {
        let trial = Trial::new(technique, &digits, settings).map_err(|e| format!("{}: {e}", technique.name))?;
        trials.push(trial);
    }
    print(table(&trials))?;

    let mut good = true;
    for trial in &trials {
        for check in checks(trial, settings, digits.train.len()) {
            print(&check)?;
            good &= check.holds();
        }
    }

    let file = args.out.join("curves.svg");
    fs::write(&file, chart::svg(&trials)?).map_err(|e| format!("cannot write {}: {e}", file.display()))?;
    print(format_args!("chart: {}", file.display()))?;
    if !good {
        eprintln!("error: a check failed, see above");
    }
    Ok(good)
}

/// A line to the standard output; `println!` would panic where that is a closed pipe or a full disk.
fn print(line: impl Display) -> Result<(), String> {
    writeln!(io::stdout(), "{line}").map_err(|e| format!("cannot print: {e}"))
}
