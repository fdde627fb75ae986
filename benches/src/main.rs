//! Prints how the generated kernels compare: ratios of medians within one run, contenders taking turns.

use clap::Parser;
use comfy_table::{CellAlignment, Table, presets};
use indicatif::{ProgressBar, ProgressStyle};
use normkit_bench::{Contender, Workload, workloads};
use std::io::{IsTerminal, stderr};
use std::time::{Duration, Instant};

/// Compares the generated kernels with our runtime-length ones, with generic scalar code, half types with f32, and all with
/// a copy of the same bytes.
///
/// Contenders take turns, so that a busy machine slows them alike; the table shows ratios of the medians of their times.
#[derive(Parser)]
struct Args {
    /// Only workloads whose name contains this, such as `rms_fwd_f32_4096x128`
    #[arg(long, default_value = "")]
    filter: String,
    /// Turns that each contender takes
    #[arg(long, default_value_t = 25, value_parser = clap::value_parser!(u32).range(1..))]
    turns: u32,
    /// Time of one turn, in microseconds: short work is repeated until it has taken this long
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u64).range(1..))]
    micros: u64,
}

/// Nanoseconds of one call, the median of its turns.
fn medians(contenders: &mut [Contender], args: &Args) -> Vec<f64> {
    let calls: Vec<u32> = contenders.iter_mut().map(|contender| calibrate(contender, args.micros)).collect();
    let mut times = vec![Vec::new(); contenders.len()];
    for _ in 0..args.turns {
        for ((contender, &calls), times) in contenders.iter_mut().zip(&calls).zip(&mut times) {
            // Not counted: it brings back to the caches what the others' turns have pushed out, which would weigh the more the
            // fewer calls a turn has.
            (contender.run)();
            let start = Instant::now();
            for _ in 0..calls {
                (contender.run)();
            }
            times.push(start.elapsed().as_nanos() as f64 / f64::from(calls));
        }
    }
    times
        .iter_mut()
        .map(|times| {
            times.sort_by(f64::total_cmp);
            times[times.len() / 2]
        })
        .collect()
}

/// How many calls take a turn's time; warms up on the way.
fn calibrate(contender: &mut Contender, micros: u64) -> u32 {
    let turn = Duration::from_micros(micros);
    let mut calls = 1_u32;
    loop {
        let start = Instant::now();
        for _ in 0..calls {
            (contender.run)();
        }
        if start.elapsed() >= turn || calls >= 1 << 24 {
            return calls;
        }
        calls *= 2;
    }
}

fn main() -> Result<(), normkit::NormError> {
    let args = Args::parse();
    let level = normkit::Level::current()?;
    let chosen: Vec<Workload> = workloads().into_iter().filter(|w| w.name.contains(&args.filter)).collect();
    println!("{} workloads at level {level}, one thread", chosen.len());
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY);
    table.set_header([
        "workload",
        "ns",
        "GB/s",
        "of copy's speed",
        "times runtime-length",
        "times generic",
        "times f32",
    ]);
    table.column_iter_mut().skip(1).for_each(|column| column.set_cell_alignment(CellAlignment::Right));
    let bar = if stderr().is_terminal() { ProgressBar::new(chosen.len() as u64) } else { ProgressBar::hidden() };
    bar.set_style(ProgressStyle::with_template("{pos}/{len} {wide_bar} {msg}").expect("the template is well formed"));
    for workload in &chosen {
        bar.set_message(workload.name.clone());
        let mut contenders = (workload.build)();
        let times = medians(&mut contenders, &args);
        let of = |name: &str| contenders.iter().position(|c| c.name == name).map(|i| times[i]);
        let Some(own) = of("generated") else { continue };
        let ratio = |name: &str| of(name).map_or_else(|| "-".to_owned(), |time| format!("{:.2}", time / own));
        table.add_row([
            workload.name.clone(),
            format!("{own:.0}"),
            format!("{:.1}", workload.bytes as f64 / own),
            ratio("copy"),
            ratio("runtime"),
            ratio("generic"),
            ratio("f32"),
        ]);
        bar.inc(1);
    }
    bar.finish_and_clear();
    println!("{table}");
    Ok(())
}
