//! Compares normalization techniques on handwritten digits.
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
