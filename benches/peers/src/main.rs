//! The workloads of `normkit-bench` in other libraries for Rust: candle, burn and numr.
//!
//! `cd benches/peers && cargo run --release`: from this folder, whose `.cargo/config.toml` compiles all for this processor.
//! Each library is called on its fastest documented path, on one thread; normkit and `memcpy` take turns with it in the same process.
//! These libraries allocate what they return: the allocator is told to keep what is freed, so that this costs little.
//! What a library computes is compared with what normkit does before anything is timed.

mod burn;
mod candle;
mod numr;
mod peer;

use clap::Parser;
use normkit_bench::copies::MEMCPY;
use normkit_bench::measure::{Contender, Effort, Role, WRONG, measure};
use normkit_bench::report::{self, Machine, Measured, Report, merge};
use normkit_bench::workloads::list::{Set, workloads};
use normkit_bench::workloads::{Dtype, Workload};
use std::error::Error;
use std::path::PathBuf;

/// Compares normkit with candle, burn and numr.
#[derive(Parser)]
struct Args {
    /// Only workloads whose name contains this
    #[arg(long, default_value = "")]
    filter: String,
    /// Turns that each contender takes
    #[arg(long, default_value_t = 15, value_parser = clap::value_parser!(u32).range(1..))]
    turns: u32,
    /// Time of one turn, in microseconds
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u64).range(1..))]
    micros: u64,
    /// Threads that all may use
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    threads: u16,
    /// The folder that is written into
    #[arg(long, default_value = "../../target/normkit-bench")]
    out: PathBuf,
}

fn main() -> Result<(), Box<dyn Error>> {
    let args = Args::parse();
    keep_memory();
    let effort = Effort { turns: args.turns, micros: args.micros };
    let threads = usize::from(args.threads);
    // candle has a pool of its own beside that of rayon, whose threads spin.
    for variable in ["CANDLE_NUM_THREADS", "RAYON_NUM_THREADS"] {
        // SAFETY: no other thread runs yet.
        unsafe { std::env::set_var(variable, threads.to_string()) };
    }
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
    let results = pool.install(|| measure_all(&args.filter, effort))?;
    let software = ["candle-core", "burn", "numr"].map(version);
    let software: Vec<&str> = software.iter().map(String::as_str).collect();
    let report = Report { machine: Machine::here(&software), effort, threads, results };
    let (_, summary) = merge::merge(std::slice::from_ref(&report))?;
    println!("{summary}");
    for path in report::write(&args.out, "peers", &report, &summary)? {
        println!("wrote {}", path.display());
    }
    Ok(())
}

/// Makes the C library's allocator, which all here use, keep what is freed: pages that are given back are zeroed again by the
/// system on their next use, which would take longer than most of what is measured.
fn keep_memory() {
    // SAFETY: no other thread runs yet, and the parameters are numbers.
    let kept = unsafe {
        libc::mallopt(libc::M_MMAP_MAX, 0) == 1
            && libc::mallopt(libc::M_TRIM_THRESHOLD, libc::c_int::MAX) == 1
            && libc::mallopt(libc::M_ARENA_MAX, 1) == 1
    };
    assert!(kept, "the allocator knows these parameters");
}

/// A library and its version, as the lock file says.
fn version(name: &str) -> String {
    let lock = include_str!("../Cargo.lock");
    let entry = lock.split("[[package]]").find(|entry| entry.contains(&format!("\nname = \"{name}\"\n")));
    let version = entry.and_then(|entry| entry.split("version = \"").nth(1)?.split('"').next());
    format!("{name} {}", version.unwrap_or("?"))
}

fn measure_all(filter: &str, effort: Effort) -> Result<Vec<Measured>, String> {
    let chosen: Vec<Workload> = workloads(Set::Main).into_iter().filter(|w| w.name().contains(filter)).collect();
    let mut results = Vec::new();
    for (at, workload) in chosen.iter().enumerate() {
        eprintln!("{}/{} {}", at + 1, chosen.len(), workload.name());
        let task = &workload.task;
        let mut peers = candle::contenders(task);
        peers.extend(burn::contenders(task));
        peers.extend(numr::contenders(task));
        if !peers.is_empty() {
            let mut all = own(workload);
            all.extend(peers);
            compare(workload, &mut all)?;
            let times = measure(&mut all, effort);
            results.push(Measured {
                workload: workload.name(),
                bytes: task.bytes(),
                footprint: task.footprint(),
                times,
            });
        }
    }
    Ok(results)
}

/// Our kernel at the best level, and `memcpy`.
fn own(workload: &Workload) -> Vec<Contender> {
    let mut all = workload.contenders();
    let best = all.iter().position(|contender| contender.role == Role::Normkit);
    let mut at = 0;
    all.retain(|contender| {
        at += 1;
        Some(at - 1) == best || contender.name == MEMCPY
    });
    all
}

/// What is timed has to compute the same, except what is known not to.
fn compare(workload: &Workload, all: &mut [Contender]) -> Result<(), String> {
    let bound = if workload.task.dtype == Dtype::F32 { 1e-3 } else { 5e-2 };
    let mut expected = Vec::new();
    for contender in all.iter_mut().filter(|contender| contender.role != Role::Copy) {
        contender.enter();
        contender.run();
        let output = contender.output();
        if contender.role == Role::Normkit {
            expected = output;
            continue;
        }
        let differences = expected.iter().zip(&output).map(|(a, b)| (a - b).abs());
        let worst = differences.fold(0.0_f32, |worst, d| if worst.is_nan() || d <= worst { worst } else { d });
        let differs = output.len() != expected.len() || worst.is_nan() || worst > bound;
        if differs != contender.name.ends_with(WRONG) {
            let (name, other, len) = (workload.name(), &contender.name, output.len());
            return Err(format!(
                "{name}: expected the output of {other} within {bound} of normkit's {} elements, found {len} that differ by up to {worst}",
                expected.len()
            ));
        }
    }
    Ok(())
}
