//! Contenders take turns; what counts is the median of a contender's turns.

use crate::tensors::Tensors;
use crate::workloads::Number;
use normkit::Level;
use serde::{Deserialize, Serialize};
use statrs::statistics::{Data, OrderStatistics};
use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// Ends the names of peers that are known to compute something else: their time is worth knowing, but they are never the best.
pub const WRONG: &str = "(wrong dx)";

/// What a contender stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Our kernel for exactly these sizes, at one level.
    Normkit,
    /// What it should be faster than.
    Baseline,
    /// What moves the same bytes.
    Copy,
    /// What moves the same bytes after having read them.
    Twice,
    /// Another library.
    Peer,
}

/// One way to do the work.
pub struct Contender {
    /// Its name in tables.
    pub name: String,
    /// What it stands for.
    pub role: Role,
    level: Option<Level>,
    run: Box<dyn FnMut(u32) -> Duration>,
    output: Box<dyn Fn() -> Vec<f32>>,
}

impl Contender {
    /// `run` does the work once; `output` is what it has written last, to be compared.
    pub fn new(
        name: impl Into<String>,
        role: Role,
        mut run: impl FnMut() + 'static,
        output: impl Fn() -> Vec<f32> + 'static,
    ) -> Self {
        let timed = move |calls| {
            let start = Instant::now();
            for _ in 0..calls {
                run();
            }
            start.elapsed()
        };
        Contender { name: name.into(), role, level: None, run: Box::new(timed), output: Box::new(output) }
    }

    /// As [`Contender::new`], where each call needs something that it uses up, and whose making is not timed.
    pub fn with_setup<S>(
        name: impl Into<String>,
        role: Role,
        mut setup: impl FnMut() -> S + 'static,
        mut run: impl FnMut(S) + 'static,
        output: impl Fn() -> Vec<f32> + 'static,
    ) -> Self {
        let timed = move |calls| {
            let each = (0..calls).map(|_| {
                let prepared = setup();
                let start = Instant::now();
                run(prepared);
                start.elapsed()
            });
            each.sum()
        };
        Contender { name: name.into(), role, level: None, run: Box::new(timed), output: Box::new(output) }
    }

    /// A call on tensors that contenders share.
    pub(crate) fn on<T: Number>(
        tensors: &Rc<RefCell<Tensors<T>>>,
        name: String,
        role: Role,
        call: fn(&mut Tensors<T>),
    ) -> Self {
        let (own, shown) = (tensors.clone(), tensors.clone());
        let run = move || call(std::hint::black_box(&mut own.borrow_mut()));
        Contender::new(name, role, run, move || shown.borrow().y.iter().map(|y| y.widen()).collect())
    }

    /// The same at a level of its own.
    #[must_use]
    pub fn at(mut self, level: Level) -> Self {
        self.level = Some(level);
        self
    }

    /// Makes its level that of the process: before its turn.
    pub fn enter(&self) {
        Level::force(self.level).expect("contenders are at levels that this machine has");
    }

    /// Does the work once.
    pub fn run(&mut self) {
        self.turn(1);
    }

    /// Does it so many times, and how long that took.
    fn turn(&mut self, calls: u32) -> Duration {
        (self.run)(calls)
    }

    /// What it has written last.
    #[must_use]
    pub fn output(&self) -> Vec<f32> {
        (self.output)()
    }
}

/// How long to measure.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Effort {
    /// Turns that each contender takes.
    pub turns: u32,
    /// Time of one turn: short work is repeated until it has taken this long.
    pub micros: u64,
}

/// Nanoseconds of one call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Time {
    /// Whose.
    pub contender: String,
    /// What it stands for.
    pub role: Role,
    /// The median of its turns.
    pub ns: f64,
    /// Their lower quartile.
    pub low: f64,
    /// Their upper quartile.
    pub high: f64,
}

/// Measures contenders of one workload; they take turns, in an order of their own each time, so that a busy machine slows them
/// alike.
#[must_use]
pub fn measure(contenders: &mut [Contender], effort: Effort) -> Vec<Time> {
    let calls: Vec<u32> = contenders.iter_mut().map(|contender| calibrate(contender, effort.micros)).collect();
    let mut times = vec![Vec::new(); contenders.len()];
    // Always after the same other, a contender would find the caches as that one leaves them: after the loop whose stores go past
    // them ours lost a quarter of its speed on eight megabytes, and the one after ours nothing.
    let (mut order, mut random) = (Vec::from_iter(0..contenders.len()), fastrand::Rng::with_seed(1));
    for _ in 0..effort.turns {
        random.shuffle(&mut order);
        for &i in &order {
            let (contender, calls, times) = (&mut contenders[i], calls[i], &mut times[i]);
            contender.enter();
            // Not counted: it brings back to the caches what the others' turns have pushed out, which would weigh the more the
            // fewer calls a turn has.
            contender.run();
            times.push(contender.turn(calls).as_nanos() as f64 / f64::from(calls));
        }
    }
    Level::force(None).expect("nothing is forced");
    contenders.iter().zip(times).map(|(contender, times)| summary(contender, times)).collect()
}

/// The quartiles of a contender's turns.
fn summary(contender: &Contender, times: Vec<f64>) -> Time {
    let mut times = Data::new(times);
    let (low, ns, high) = (times.lower_quartile(), times.median(), times.upper_quartile());
    Time { contender: contender.name.clone(), role: contender.role, ns, low, high }
}

/// How many calls take a turn's time; warms up on the way.
fn calibrate(contender: &mut Contender, micros: u64) -> u32 {
    contender.enter();
    let mut calls = 1_u32;
    while contender.turn(calls) < Duration::from_micros(micros) && calls < 1 << 24 {
        calls *= 2;
    }
    calls
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_and_the_quartiles() {
        let contender = Contender::new("a", Role::Baseline, || {}, Vec::new);
        let time = summary(&contender, vec![9.0, 1.0, 2.0, 100.0, 3.0]);
        assert_eq!((time.contender.as_str(), time.ns), ("a", 3.0));
        assert!(time.low < 3.0 && time.high > 3.0 && time.high < 100.0, "{time:?}");
    }

    #[test]
    fn what_a_call_uses_up_is_not_timed() {
        let sleep = Duration::from_millis(20);
        let made = Rc::new(RefCell::new(0));
        let count = made.clone();
        let setup = move || {
            std::thread::sleep(sleep);
            *count.borrow_mut() += 1;
        };
        let mut contender = Contender::with_setup("a", Role::Peer, setup, |()| {}, Vec::new);
        let start = Instant::now();
        let timed = contender.turn(3);
        // However busy the machine is.
        assert!(timed <= start.elapsed() - 3 * sleep);
        assert_eq!(*made.borrow(), 3);
    }

    #[test]
    fn all_take_turns() {
        let count = Rc::new(RefCell::new(Vec::new()));
        let mut contenders: Vec<Contender> = (0..3)
            .map(|id| {
                let count = count.clone();
                Contender::new(id.to_string(), Role::Peer, move || count.borrow_mut().push(id), Vec::new)
            })
            .collect();
        // A turn of no time is one call; with the one that is not counted two, after one to calibrate.
        let times = measure(&mut contenders, Effort { turns: 30, micros: 0 });
        assert_eq!(times.len(), 3);
        let count = count.borrow();
        let (calibrated, turns) = count.split_at(3);
        assert_eq!(calibrated, [0, 1, 2]);
        assert_eq!(turns.len(), 30 * 3 * 2);
        for round in turns.chunks_exact(3 * 2) {
            let mut once: Vec<i32> = round.chunks_exact(2).map(|calls| calls[0]).collect();
            assert!(round.chunks_exact(2).all(|calls| calls[0] == calls[1]), "{round:?}");
            once.sort_unstable();
            assert_eq!(once, [0, 1, 2]);
        }
        // Each comes after each of the others at some time.
        let after = |a: i32, b: i32| turns.windows(2).any(|pair| pair == [a, b]);
        assert!((0..3).all(|a| (0..3).all(|b| after(a, b))));
    }
}
