//! All trainings, two at a time.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::data::Digits;
use crate::progress::Progress;
use crate::technique::Technique;
use crate::train::{Run, Settings, train};

/// More would disturb each other's times.
const WORKERS: usize = 2;

pub struct Trial {
    pub technique: &'static Technique,
    pub batch: usize,
    pub run: Run,
}

/// In the order of `batches`, and of `techniques` for each of them.
pub fn trials(
    digits: &Digits,
    techniques: &[&'static Technique],
    batches: &[usize],
    seed: u64,
    epochs: usize,
) -> Result<Vec<Trial>, String> {
    let plan: Vec<_> = batches.iter().flat_map(|batch| techniques.iter().map(|t| (*batch, *t))).collect();
    let progress = Progress::new(plan.len(), epochs);
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(&(batch, technique)) = plan.get(at) else { return Ok(done) };
            let run = train(digits, technique.place, Settings { seed, epochs, batch }, || progress.epoch());
            let run = run.map_err(|e| format!("{}, batches of {batch}: {e}", technique.name))?;
            let trial = Trial { technique, batch, run };
            progress.finished(&trial);
            done.push((at, trial));
        }
    };
    let results: Result<Vec<Vec<_>>, String> = thread::scope(|scope| {
        let workers = [(); WORKERS].map(|()| scope.spawn(work));
        workers.map(|w| w.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))).into_iter().collect()
    });
    progress.close();
    let mut done: Vec<_> = results?.into_iter().flatten().collect();
    done.sort_by_key(|(at, _)| *at);
    Ok(done.into_iter().map(|(_, trial)| trial).collect())
}
