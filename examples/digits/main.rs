//! Compares normalization techniques on handwritten digits: none and all six, at batch sizes 2, 8, 32 and 128.
//!
//! ```text
//! cargo run --release --example digits
//! cargo run --release --example digits -- --technique batch,group --batch 2,32 --seed 7
//! ```
//!
//! A small convolutional network is trained on 600 images of 8x8 pixels and tested on 1197 others, once for each technique
//! and batch size, from the same weights and on the same batches (but for weight normalization, which starts at the same
//! function). Batch, instance, group, layer and rms normalization follow each convolution; weight normalization makes the
//! weights of all layers. All of it runs on annotated structs (`layers.rs`), everything else is plain Rust.
//!
//! At every call the scalar code of `normkit::generic` gets the same arrays. Both are timed, taking turns at going first, and
//! their results are compared (`compare.rs`).
//!
//! # The table
//!
//! - **Test accuracy** after the last epoch, and **epochs to 95 %**, on the straight line between two epochs.
//! - **Loss** in training, mean over the first epochs: how fast the network learns.
//! - **Depends on batch**: how much an image's scores, computed as in training, vary with the images around it, relative to how
//!   much they vary over images (`dependence.rs`); after the first epoch and after the last.
//! - **Normalization**: microseconds per image in training, forward and backward, of generated and of scalar kernels. Work
//!   beside it on the machine shows; less so in the ratio.
//! - **Parameters**, with running statistics, and what is **saved** for the backward pass: bytes on top of the same model
//!   without normalization. Saved are statistics and the layer's input; by weight normalization the weights that it made, once
//!   for the whole batch.
//!
//! # What to see in it
//!
//! Batch normalization learns fastest at batches of 8 and more. At 2 most of that lead is gone: from 8 to 2 the loss of its
//! first epochs grows by a third to a half, more than any other's, though it takes four times the steps; and the images
//! around one move its scores by a quarter of what sets images apart, where the other techniques do not move them by one bit.
//! (Later the network has learned to live with it, and the final accuracy does not suffer: with so few images, noise also
//! keeps it from learning them by heart.) Group normalization comes next at large batches and minds small ones less. Weight
//! normalization is the cheapest at large batches, as what it does does not grow with them.
//!
//! # The charts
//!
//! Written next to one another as SVG: `curves.svg`, loss and accuracy over the epochs; `batches.svg`, what the batch size does;
//! `gradients.svg`, the norm of the gradient in each layer over the training; `scores.svg`, the techniques on a scale of 0
//! to 100 in speed, memory, convergence and independence of the batch, computed as `score.rs` says.
//!
//! Exits with 0 if all checks hold (`check.rs`), 1 if not or if something went wrong, 2 if the arguments are wrong.
//!
//! The split is always the same. With the same seed, accuracies and losses are the same on every run of one machine; another
//! instruction set (`NORMKIT_LEVEL=portable` chooses one) sums in another order, and trainings part by rounding.

mod args;
mod chart;
mod check;
mod compare;
mod conv;
mod data;
mod dependence;
mod layers;
mod linear;
mod matrix;
mod model;
mod optimizer;
mod progress;
mod scalar;
mod score;
mod table;
mod technique;
mod train;
mod trial;
mod weights;

use std::error::Error;
use std::fmt::Display;
use std::fs;
use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;
use normkit::Level;

use args::Args;
use check::{Check, checks, summary};
use data::Digits;
use table::table;
use trial::trials;

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
    // before the work, so that a wrong directory is known at once
    fs::create_dir_all(&args.out).map_err(|e| format!("cannot make the directory {}: {e}", args.out.display()))?;
    if cfg!(debug_assertions) {
        eprintln!("note: built without optimization, the times mean little; use --release");
    }

    let level = Level::current()?;
    let digits = Digits::load()?;
    let epochs = args.epochs();
    print(format_args!(
        "{} images to train on, {} to test; {epochs} epochs; seed {}; kernels for {}",
        digits.train.len(),
        digits.test.len(),
        args.seed,
        level.name()
    ))?;
    let trials = trials(&digits, &args.techniques(), &args.batches(), args.seed, epochs)?;
    print(table(&trials))?;

    let checks = checks(&trials, epochs, digits.train.len());
    for check in summary(&checks) {
        print(check)?;
    }
    for (name, svg) in chart::charts(&trials, epochs)? {
        let file = args.out.join(name);
        fs::write(&file, svg).map_err(|e| format!("cannot write {}: {e}", file.display()))?;
        print(format_args!("chart: {}", file.display()))?;
    }
    let good = checks.iter().all(Check::holds);
    if !good {
        eprintln!("error: a check failed, see above");
    }
    Ok(good)
}

/// A line to the standard output; `println!` would panic where that is a closed pipe or a full disk.
fn print(line: impl Display) -> Result<(), String> {
    writeln!(io::stdout(), "{line}").map_err(|e| format!("cannot print: {e}"))
}
