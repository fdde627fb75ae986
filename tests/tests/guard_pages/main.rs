//! No kernel reads or writes an element that is not there: each argument lies right before, then right after a page that may
//! not be touched. One element too many and the process ends with SIGSEGV; the last line printed says where. Both with stores past the
//! caches and with others.

#![cfg(unix)]

mod kernels;
mod pages;

use core::cell::Cell;
use kernels::{fixed, open};
use normkit::{Dim, Element, Level, Spec};
use normkit_tests::sound::{Case, SLOTS, Subject, Subjects, Values, Visit, run_all};
use normkit_tests::{at_each_level_of_halves, past_caches};
use pages::{Pages, Side};

/// No argument has more elements, nor does any tensor with its gaps.
const LONGEST: usize = 1 << 14;

/// Sizes with every remainder of the vectors, of several of them, and of blocks.
fn sizes() -> Vec<usize> {
    let around = (72..=304).step_by(8).flat_map(|size| [size - 1, size, size + 1]);
    (1..=70).chain(around.filter(|&size| size > 70)).chain([511, 1000, 1024, 1027, 2049, 4099]).collect()
}

/// All dims that are tried, innermost axis varying where it may.
fn shapes(spec: &Spec) -> Vec<Vec<usize>> {
    let last = spec.shape.len() - 1;
    match spec.shape[last] {
        Dim::OneOf(family) => family.iter().map(|&size| shape(spec, last, size, size)).collect(),
        _ => {
            let mut all: Vec<_> = sizes().into_iter().map(|size| shape(spec, last, size, size)).collect();
            // The axis next to it, which blocks of rows and flights of channels go along.
            all.extend((1..=20).chain([63, 64, 65, 130]).map(|size| shape(spec, last - 1, size, 5 + size % 4)));
            all.retain(|dims| spec.running.is_none() || dims[0] > 1);
            all.retain(|dims| {
                spec.groups
                    .is_none_or(|groups| spec.channel_axis().is_none_or(|axis| dims[axis].is_multiple_of(groups)))
            });
            all
        }
    }
}

/// The axis `axis` of `size`, the others small: how small follows from `vary`.
fn shape(spec: &Spec, axis: usize, size: usize, vary: usize) -> Vec<usize> {
    let small = |other: usize| match spec.shape[other] {
        Dim::Fixed(n) => n,
        Dim::OneOf(family) => family[vary % family.len()],
        Dim::Any if other == 0 => 2 + vary % 4,
        Dim::Any if spec.groups.is_some() => 2 * (1 + vary % 3),
        Dim::Any => 1 + vary % 5,
    };
    let mut room = LONGEST / 4 / size;
    let mut fitting = |other: usize| {
        let size = small(other).min(room.max(1));
        room /= size;
        size
    };
    (0..spec.shape.len()).map(|other| if other == axis { size } else { fitting(other) }).collect()
}

/// Runs all that it visits at one level.
struct Guarded<'a> {
    slots: &'a mut [Pages; SLOTS],
    level: Level,
    calls: &'a Cell<usize>,
}

impl Visit for Guarded<'_> {
    fn visit<T, P, D>(&mut self, subject: &Subject<T, P, D>)
    where
        T: Element,
        P: Element<Compute = T::Compute>,
        D: Element<Compute = T::Compute>,
    {
        // Printed before it runs: after a fault there is nobody left to print.
        println!("{}: {} of {}", self.level, subject.name, subject.types);
        let values = Values::new(LONGEST);
        for (index, dims) in shapes(subject.spec).iter().enumerate() {
            // Sets of fewer bytes are stored in one way.
            let is_short = dims.iter().product::<usize>() * size_of::<T>() < 256;
            for (side, far) in [Side::After, Side::Before].into_iter().flat_map(|side| [(side, false), (side, true)]) {
                if far && is_short {
                    continue;
                }
                self.slots.iter_mut().for_each(|pages| pages.touch(side));
                // Strided ones come off the same sizes less often: their rows are the same.
                let gap = (index % 3 == 2).then_some(1 + index % 5);
                let case = Case { dims, gap, seed: index };
                if far {
                    past_caches(|| run_all(subject, &values, self.slots, case));
                } else {
                    run_all(subject, &values, self.slots, case);
                }
                self.calls.set(self.calls.get() + 1);
                let intact = self.slots.iter().all(Pages::is_intact);
                assert!(
                    intact,
                    "{} of {} over {dims:?}: written beside {side:?}, past the caches: {far}",
                    subject.name, subject.types
                );
            }
        }
    }
}

fn guard(name: &str, subjects: &Subjects) {
    let mut slots: [Pages; SLOTS] = core::array::from_fn(|_| Pages::new(8 * LONGEST));
    at_each_level_of_halves(name, |level| {
        let calls = Cell::new(0);
        subjects.each(&mut Guarded { slots: &mut slots, level, calls: &calls });
        println!("{level}: {} calls of all methods", calls.get());
    });
}

#[test]
fn sizes_known_only_at_run_time() {
    guard("open", &open());
}

#[test]
fn sizes_known_at_compile_time() {
    guard("fixed", &fixed());
}
