//! What the tests of this package share: levels, inputs, comparison.

mod batch;
pub mod check;
pub mod golden;
mod kernel;
pub mod open;
mod place;
pub mod rounding;
mod sets;
pub mod sound;
mod weight;

pub use batch::{Batch, BatchInputs, FrozenOutputs, Running};
pub use kernel::{Expected, Inputs, Kernel, Outcome, Outputs, Params, bits, element, narrow, wide, widen};
pub use place::{Place, Places, contiguous, described, described_mut};
pub use sets::Sets;
pub use weight::{WeightExpected, WeightInputs, WeightNorm, WeightOutputs};

use normkit::__private::{cache, level};
use normkit::Level;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Levels are forced for the whole process, so tests that do so take turns.
static TURN: Mutex<()> = Mutex::new(());

/// While there is one, no other test forces a level: for tests that compare the bits of several calls at the level that is there.
pub struct Turn {
    _guard: MutexGuard<'static, ()>,
}

impl Drop for Turn {
    fn drop(&mut self) {
        let _ = Level::force(None);
    }
}

/// Waits for the tests that force levels.
#[must_use]
pub fn turn() -> Turn {
    Turn { _guard: TURN.lock().unwrap_or_else(PoisonError::into_inner) }
}

/// Runs `test` at each level that the machine has, and prints which those are.
///
/// # Panics
/// If the test does.
pub fn at_each_level(name: &str, mut test: impl FnMut(Level)) {
    let _turn = turn();
    let levels = Level::available();
    println!("{name}: levels {levels:?}");
    for level in levels {
        Level::force(Some(level)).expect("the level is available");
        test(level);
    }
}

/// As [`at_each_level`], and at AVX-512 once more without the instructions of AVX512-BF16 where there are any: for kernels over bf16.
///
/// # Panics
/// If the test does.
pub fn at_each_level_of_halves(name: &str, mut test: impl FnMut(Level)) {
    at_each_level(name, |level| {
        test(level);
        if level == Level::Avx512 && level::converts_to_bf16() {
            println!("{name}: and without AVX512-BF16");
            level::avoid_bf16(true);
            // Also where the test fails: others run after it.
            let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| test(level)));
            level::avoid_bf16(false);
            outcome.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        }
    });
}

/// Puts sizes right again, also where a test fails.
struct Near;

impl Drop for Near {
    fn drop(&mut self) {
        cache::assume_far(false);
    }
}

/// Runs `test` with stores that go past the caches however small tensors are. That is so for the whole process: for tests that have their
/// [`turn`], or are within [`at_each_level`].
pub fn past_caches<R>(test: impl FnOnce() -> R) -> R {
    let _near = Near;
    cache::assume_far(true);
    test()
}

/// Numbers that follow from a seed alone, uniform in -1..1 (SplitMix64).
#[derive(Clone, Debug)]
pub struct Numbers(pub u64);

impl Numbers {
    /// The next one.
    pub fn next_unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
    }

    /// About normal: the sum of twelve.
    pub fn next_normal(&mut self) -> f64 {
        (0..12).map(|_| self.next_unit()).sum::<f64>() / 2.0
    }

    /// `len` about normal numbers with this mean and deviation, rounded to `f32` so that both types hold them exactly.
    pub fn normal(&mut self, len: usize, mean: f64, deviation: f64) -> Vec<f64> {
        (0..len).map(|_| f64::from((self.next_normal() * deviation + mean) as f32)).collect()
    }
}

/// The largest error in units of `scale`'s and the expected values' largest magnitude.
#[must_use]
pub fn error(found: &[f64], expected: &[f64], scale: f64) -> f64 {
    assert_eq!(found.len(), expected.len());
    let largest = expected.iter().fold(scale, |m, v| m.max(v.abs()));
    found
        .iter()
        .zip(expected)
        .map(|(f, e)| if f == e { 0.0 } else { (f - e).abs() })
        .fold(0.0, |m: f64, e| if e > m || e.is_nan() { e } else { m })
        / largest
}
