//! Ways to do the same, timed in turns, for the examples of adapters.

use std::time::{Duration, Instant};

/// How long a turn is, at least.
pub const TURN: Duration = Duration::from_micros(500);

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
pub fn medians<const N: usize>(runs: [&dyn Fn(); N], turns: usize) -> [f64; N] {
    let calls = runs.map(calibrate);
    let mut times: [Vec<f64>; N] = std::array::from_fn(|_| Vec::new());
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
