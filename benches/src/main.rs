//! `cargo run --release -p normkit-bench`: how fast the kernels are, beside the limits of the machine.

#[cfg(unix)]
mod compile_time;
mod threads;

use clap::{Parser, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use normkit_bench::measure::{Effort, measure};
use normkit_bench::report::{self, Machine, Measured, Report, Summary, merge};
use normkit_bench::workloads::Workload;
use normkit_bench::workloads::list::{Set, workloads};
use std::error::Error;
use std::io::{IsTerminal, stderr};
use std::path::PathBuf;

/// Compares the generated kernels, at each instruction set that the machine has, with our runtime-length ones, with generic scalar
/// code, and with the fastest way to move the same bytes.
///
/// Contenders take turns, so that a busy machine slows them alike; the table shows ratios of the medians of their times. Beside it,
/// data (JSON), a chart (SVG) and a page (HTML) are written.
#[derive(Parser)]
#[command(args_conflicts_with_subcommands = true)]
struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    run: Run,
}

#[derive(Subcommand)]
enum Command {
    /// Makes one table, chart and page of several runs: ours and those of other libraries
    Merge {
        /// JSON files, ours first
        #[arg(required = true)]
        reports: Vec<PathBuf>,
        /// The folder that is written into
        #[arg(long, default_value = "target/normkit-bench")]
        out: PathBuf,
    },
    /// Measures what layers cost at compile time, in crates of their own
    #[cfg(unix)]
    CompileTime(compile_time::Args),
    /// Measures what several threads gain, from one megabyte to many, and how long a thread takes to begin
    Threads(threads::Args),
}

/// What to measure, and how long.
#[derive(clap::Args)]
struct Run {
    /// Only workloads whose name contains this, such as `rms_fwd_f32_4096x128`
    #[arg(long, default_value = "")]
    filter: String,
    /// Which workloads
    #[arg(long, value_enum, default_value_t = Set::Main)]
    set: Set,
    /// Turns that each contender takes
    #[arg(long, default_value_t = 15, value_parser = clap::value_parser!(u32).range(1..))]
    turns: u32,
    /// Time of one turn, in microseconds: short work is repeated until it has taken this long
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u64).range(1..))]
    micros: u64,
    /// Threads that our kernels and copies may use
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    threads: u16,
    /// The folder that is written into
    #[arg(long, default_value = "target/normkit-bench")]
    out: PathBuf,
    /// Only print the names of the workloads
    #[arg(long)]
    list: bool,
}

fn main() -> Result<(), Box<dyn Error>> {
    let args = Args::parse();
    match args.command {
        None => run(&args.run),
        Some(Command::Merge { reports, out }) => {
            let reports = reports.iter().map(|path| Report::read(path)).collect::<Result<Vec<_>, _>>()?;
            let (merged, summary) = merge::merge(&reports)?;
            show(&report::write(&out, "merged", &merged, &summary)?, &summary);
            Ok(())
        }
        #[cfg(unix)]
        Some(Command::CompileTime(args)) => compile_time::run(&args),
        Some(Command::Threads(args)) => threads::run(&args),
    }
}

fn run(args: &Run) -> Result<(), Box<dyn Error>> {
    let chosen: Vec<Workload> = workloads(args.set).into_iter().filter(|w| w.name().contains(&args.filter)).collect();
    if args.list {
        chosen.iter().for_each(|workload| println!("{}", workload.name()));
        return Ok(());
    }
    if chosen.is_empty() {
        return Err(
            format!("--filter: no workload's name contains `{}`: see --list, and --set all", args.filter).into()
        );
    }
    let effort = Effort { turns: args.turns, micros: args.micros };
    let threads = usize::from(args.threads);
    // Kernels use the pool that they are called in.
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
    let names: Vec<String> = chosen.iter().map(Workload::name).collect();
    drop(chosen);
    let results = pool.install(|| measure_all(&names, args.set, effort));
    let report = Report { machine: Machine::here(&[]), effort, threads, results };
    let summary = Summary::of(&report);
    show(&report::write(&args.out, "normkit", &report, &summary)?, &summary);
    Ok(())
}

/// Workloads are made in the thread that runs them.
fn measure_all(names: &[String], set: Set, effort: Effort) -> Vec<Measured> {
    let bar = if stderr().is_terminal() { ProgressBar::new(names.len() as u64) } else { ProgressBar::hidden() };
    bar.set_style(ProgressStyle::with_template("{pos}/{len} {wide_bar} {msg}").expect("the template is well formed"));
    let chosen = workloads(set).into_iter().filter(|workload| names.contains(&workload.name()));
    let results = chosen.map(|workload| {
        bar.set_message(workload.name());
        let times = measure(&mut workload.contenders(), effort);
        bar.inc(1);
        let task = &workload.task;
        Measured { workload: workload.name(), bytes: task.bytes(), footprint: task.footprint(), times }
    });
    let results = results.collect();
    bar.finish_and_clear();
    results
}

fn show(paths: &[PathBuf], summary: &Summary) {
    println!("{summary}");
    for path in paths {
        println!("wrote {}", path.display());
    }
}
