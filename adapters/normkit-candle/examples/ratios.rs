//! How many times as fast as candle-nn's layers ours are: `cargo run --release --example ratios -- [filter] [turns]`.
//!
//! Medians of one run, in which both take turns, on one thread: that of a pool, so that candle does not hand its work over to another.

#[allow(missing_docs)]
#[path = "../benches/workloads.rs"]
mod workloads;

use std::time::{Duration, Instant};

/// How long a turn is, at least.
const TURN: Duration = Duration::from_micros(500);

/// How many calls take a turn's time; warms up on the way.
fn calibrate(run: &dyn Fn()) -> u32 {
    let mut calls = 1_u32;
    loop {
        let start = Instant::now();
        (0..calls).for_each(|_| run());
        if start.elapsed() >= TURN {
            return calls;
        }
        calls *= 2;
    }
}

/// Microseconds of one call of each.
fn medians(runs: [&dyn Fn(); 2], turns: usize) -> [f64; 2] {
    let calls = runs.map(calibrate);
    let mut times = [Vec::new(), Vec::new()];
    for _ in 0..turns {
        for ((run, calls), times) in runs.iter().zip(calls).zip(&mut times) {
            // Not counted: it brings back to the caches what the other's turn has pushed out.
            run();
            let start = Instant::now();
            (0..calls).for_each(|_| run());
            times.push(start.elapsed().as_secs_f64() * 1e6 / f64::from(calls));
        }
    }
    times.map(|mut times| {
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    })
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let filter = args.next().unwrap_or_default();
    let turns: usize = args.next().map_or(Ok(41), |turns| turns.parse())?;
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build()?;
    Ok(pool.install(|| measure(&filter, turns.max(1)).map_err(|error| error.to_string()))?)
}

fn measure(filter: &str, turns: usize) -> Result<(), Box<dyn std::error::Error>> {
    println!("level {}, {} turns of {TURN:?}", normkit::Level::current()?, turns);
    println!("{:32} {:>12} {:>12} {:>8}", "", "candle, us", "normkit, us", "times");
    for workload in workloads::workloads()?.iter().filter(|workload| workload.name.contains(filter)) {
        let [candle, ours] = medians([&workload.candle, &workload.ours], turns);
        println!("{:32} {candle:12.2} {ours:12.2} {:8.2}", workload.name, candle / ours);
    }
    Ok(())
}
