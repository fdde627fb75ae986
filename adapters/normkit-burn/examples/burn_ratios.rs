//! How many times as fast as burn's layers ours are, as the tables of the README:
//! `cargo run --release --example burn_ratios -- [filter] [turns] [threads]`.
//!
//! Medians of one run, in which both take turns, on that many threads (1), those of a pool that burn shares its work out to.

#[path = "../../medians.rs"]
mod medians;
#[allow(missing_docs)]
#[path = "../benches/workloads.rs"]
mod workloads;

use medians::{TURN, medians};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let filter = args.next().unwrap_or_default();
    let turns: usize = args.next().map_or(Ok(41), |turns| turns.parse())?;
    let threads: usize = args.next().map_or(Ok(1), |threads| threads.parse())?;
    println!("level {}, {turns} turns of {TURN:?}, {threads} threads", normkit::Level::current()?);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
    let workloads = workloads::workloads();
    for (title, trained) in [("forward", false), ("forward and backward", true)] {
        println!("\n| {title} | burn | normkit | times |\n|---|---|---|---|");
        for workload in workloads.iter().filter(|workload| workload.name.contains(&filter)) {
            if workload.name.contains("fwd_bwd") == trained {
                let [burn, ours] = pool.install(|| medians([&workload.burn, &workload.ours], turns.max(1)));
                let (name, times) = (title_of(&workload.name), burn / ours);
                println!("| {name} | {} | {} | {times:.1} |", three_digits(burn), three_digits(ours));
            }
        }
    }
    Ok(())
}

/// `rms_fwd_bf16_512x768` as `rms of bf16, 512x768`.
fn title_of(name: &str) -> String {
    let (what, size) = name.rsplit_once('_').unwrap_or((name, ""));
    let (what, dtype) = what.rsplit_once('_').unwrap_or((what, ""));
    let kind = what.replace("_fwd_bwd", "").replace("_fwd", "").replace("_infer", ", inference");
    if dtype == "f32" { format!("{kind}, {size}") } else { format!("{kind} of {dtype}, {size}") }
}

fn three_digits(micros: f64) -> String {
    match micros {
        100.0.. => format!("{micros:.0}"),
        10.0.. => format!("{micros:.1}"),
        _ => format!("{micros:.2}"),
    }
}
