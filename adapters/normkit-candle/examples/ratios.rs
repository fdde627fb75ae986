//! How many times as fast as candle-nn's layers ours are: `cargo run --release --example ratios -- [filter] [turns]`.
//!
//! Medians of one run, in which both take turns, on one thread: that of a pool, so that candle does not hand its work over to another.

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
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build()?;
    Ok(pool.install(|| measure(&filter, turns.max(1)).map_err(|error| error.to_string()))?)
}

fn measure(filter: &str, turns: usize) -> Result<(), Box<dyn std::error::Error>> {
    println!("level {}, {} turns of {TURN:?}", normkit::Level::current()?, turns);
    println!("{:32} {:>12} {:>12} {:>8} {:>12}", "", "candle, us", "normkit, us", "times", "copy, us");
    for workload in workloads::workloads()?.iter().filter(|workload| workload.name.contains(filter)) {
        let (name, candle, ours) = (&workload.name, &workload.candle, &workload.ours);
        match &workload.copy {
            Some(copy) => {
                let [candle, ours, copy] = medians([candle, ours, copy], turns);
                println!("{name:32} {candle:12.2} {ours:12.2} {:8.2} {copy:12.2}", candle / ours);
            }
            None => {
                let [candle, ours] = medians([candle, ours], turns);
                println!("{name:32} {candle:12.2} {ours:12.2} {:8.2}", candle / ours);
            }
        }
    }
    Ok(())
}
