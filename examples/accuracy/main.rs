//! How exact normalization is, on inputs on which it is commonly computed badly.
//!
//! ```text
//! cargo run --release --example accuracy
//! cargo run --release --example accuracy -- --filter batch --seed 7 --markdown
//! ```
//!
//! Each line is a kernel and an input. What it gives is compared with the same in f64 (`normkit::generic::reference`, by definition,
//! in compensated sums); the error is relative to the largest value that is right. Beside each level of normkit stand
//!
//! - **rounded**: the f64 result as the output's type holds it: nothing can be more exact,
//! - **textbook**: variance as the mean square less the squared mean, in f32, in sixteen chains as vectors have it,
//! - **Welford**: his running mean and variance, in f32,
//!
//! and, where sums over many rows are all there is to it (marked `*`), one chain of additions in bf16 and one in f32. **Bound** is what normkit is held to; the program ends
//! with an error where a level misses it.

mod cases;
mod formulas;

use cases::Case;
use clap::Parser;
use comfy_table::presets::{ASCII_MARKDOWN, UTF8_FULL_CONDENSED};
use comfy_table::{Cell, CellAlignment, Table};
use normkit::Level;
use std::process::ExitCode;

/// How exact normalization is, at each level of this machine, and by other formulas.
#[derive(Parser)]
struct Args {
    /// Only cases whose name contains this
    #[arg(long, default_value = "")]
    filter: String,
    /// Of the random numbers
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The table as Markdown
    #[arg(long)]
    markdown: bool,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let cases: Vec<Case> = cases::all(args.seed).into_iter().filter(|case| case.name.contains(&args.filter)).collect();
    if cases.is_empty() {
        eprintln!("no case has `{}` in its name", args.filter);
        return ExitCode::FAILURE;
    }
    let levels = Level::available();
    let mut table = Table::new();
    table.load_style(if args.markdown { ASCII_MARKDOWN } else { UTF8_FULL_CONDENSED });
    let names = levels.iter().map(|level| level.name().to_string());
    let others = ["rounded", "textbook", "Welford", "bound"].map(String::from);
    table.set_header(["case".to_string()].into_iter().chain(names).chain(others));
    let mut missed = Vec::new();
    for case in &cases {
        let mut row = vec![Cell::new(&case.name)];
        for &level in &levels {
            Level::force(Some(level)).expect("the level is available");
            let error = (case.normkit)();
            if error.is_nan() || error > case.bound {
                missed.push(format!("{}: {error:.1e} at {level}, expected at most {:.0e}", case.name, case.bound));
            }
            row.push(number(Some(error)));
        }
        row.extend([Some(case.rounded), case.textbook, case.welford].map(number));
        row.push(right(format!("{:.0e}", case.bound)));
        table.add_row(row);
    }
    println!("{table}");
    println!("Errors are relative to the largest value; `ulp` are units in the last place.");
    println!("* Under textbook: one chain of additions in bf16; under Welford: one in f32.");
    for line in &missed {
        eprintln!("missed: {line}");
    }
    if missed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn number(error: Option<f64>) -> Cell {
    right(match error {
        None => "-".into(),
        Some(error) if error.is_nan() => "NaN".into(),
        Some(0.0) => "0".into(),
        Some(error) => format!("{error:.1e}"),
    })
}

fn right(text: String) -> Cell {
    Cell::new(text).set_alignment(CellAlignment::Right)
}
