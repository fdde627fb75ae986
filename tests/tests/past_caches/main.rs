//! Stores past the caches: they give the bits of other stores, wherever tensors start, and write nothing beside the rows.
//!
//! Kernels write so where tensors are larger than the caches; here they are made to for small ones.

mod kernels;

use core::cell::Cell;
use normkit::{Compute, Dim, Element, Saved, Spec};
use normkit_tests::sound::{Arguments, Grads, Subject, Subjects, Visit, param_len, reach, strides};
use normkit_tests::{Numbers, Outcome, at_each_level_of_halves, described, described_mut, element, past_caches, wide};

/// The alignment of what is written past the caches.
const LINE: usize = 64;

/// Bytes before the line that a tensor starts in, and after its end.
const GUARD: usize = 2 * LINE;

/// What is there, and between rows; all types hold it.
const SENTINEL: f64 = 12_288.0;

/// Sizes of the last axis, where it may have any.
const SIZES: [usize; 12] = [63, 64, 65, 100, 127, 128, 129, 300, 512, 768, 1000, 1024];

/// What the numbers of the first rows are multiplied by: some of these rows are computed carefully, with others between them. Any
/// further ones are as they are.
const SPECIAL: [&[f64]; 6] = [
    &[],
    &[f64::NAN],
    &[1.0, HUGE],
    &[HUGE, 1.0, 0.0, HUGE, HUGE, 1.0],
    &[1.0, TINY, 1.0, 1.0, HUGE, 1.0],
    &[1.0, 1.0, f64::INFINITY, HUGE, f64::NAN, TINY],
];

/// Stand for magnitudes whose squares overflow and vanish.
const HUGE: f64 = 1e25;
const TINY: f64 = 1e-25;

/// That magnitude in `T`.
fn magnitude<T: Element>(special: f64) -> f64 {
    match (special, T::NAME) {
        (HUGE, "f16") => 6e4,
        (TINY, "f16") => 1e-7,
        (HUGE, "f64") => 1e200,
        (TINY, "f64") => 1e-200,
        _ => special,
    }
}

/// Where tensors lie, and what rows there are.
#[derive(Clone, Copy, Debug)]
struct Case<'a> {
    dims: &'a [usize],
    /// Elements from the start of a line to that of an output.
    offset: usize,
    /// Elements after each of the outer axes.
    gap: Option<usize>,
    special: &'a [f64],
    seed: u64,
}

/// A tensor between guards.
struct Tensor<'a, T> {
    memory: Vec<T>,
    start: usize,
    len: usize,
    dims: &'a [usize],
    strides: Option<&'a [usize]>,
}

impl<'a, T: Element> Tensor<'a, T> {
    /// Filled with sentinels.
    fn new(dims: &'a [usize], strides: Option<&'a [usize]>, offset: usize) -> Self {
        let len = strides.map_or(dims.iter().product(), |strides| reach(dims, strides));
        let (line, guard) = (LINE / size_of::<T>(), GUARD / size_of::<T>());
        let memory = vec![element::<T>(SENTINEL); guard + line + offset + len + guard];
        let to_line = memory.as_ptr().addr().wrapping_neg() % LINE / size_of::<T>();
        Tensor { memory, start: to_line + guard + offset, len, dims, strides }
    }

    fn slice(&mut self) -> &mut [T] {
        &mut self.memory[self.start..][..self.len]
    }

    fn view(&self) -> normkit::View<'_, T> {
        described(&self.memory[self.start..][..self.len], self.dims, self.strides)
    }

    fn view_mut(&mut self) -> normkit::ViewMut<'_, T> {
        let (dims, strides) = (self.dims, self.strides);
        described_mut(self.slice(), dims, strides)
    }

    /// Its elements, and those between them; fails if something else was written.
    fn bits(self, what: &str) -> Vec<u64> {
        let (before, rest) = self.memory.split_at(self.start);
        let (inside, after) = rest.split_at(self.len);
        let intact = before.iter().chain(after).all(|&v| wide(v) == SENTINEL);
        assert!(intact, "{what}: written before or after");
        bits(inside)
    }
}

/// As [`normkit_tests::bits`], any NaN for any other: which of two a sum takes over is the compiler's choice.
fn bits<T: Element>(values: &[T]) -> Vec<u64> {
    let of = |v: f64| if v.is_nan() { f64::NAN.to_bits() } else { v.to_bits() };
    values.iter().map(|&v| of(wide(v))).collect()
}

/// All that the methods write, by name.
fn run<T, P, D>(subject: &Subject<T, P, D>, case: Case<'_>) -> Vec<(&'static str, Vec<u64>)>
where
    T: Element,
    P: Element<Compute = T::Compute>,
    D: Element<Compute = T::Compute>,
{
    let Case { dims, offset, gap, special, seed } = case;
    let strides = gap.map(|gap| strides(subject.spec, dims, gap));
    let strides = strides.as_deref();
    let mut numbers = Numbers(seed);
    let row = strides.map_or(dims[dims.len() - 1], |strides| strides[dims.len() - 2]);
    let mut input = |special: &[f64]| {
        let mut tensor = Tensor::<T>::new(dims, strides, (numbers.0 % 7) as usize);
        for (i, v) in tensor.slice().iter_mut().enumerate() {
            let scale = magnitude::<T>(special.get(i / row).copied().unwrap_or(1.0));
            *v = element(numbers.next_unit() * scale);
        }
        tensor
    };
    let (x, dy) = (input(special), input(&[]));
    let params = param_len(subject.spec, dims);
    let mut param = |least: f64| -> Vec<P> { (0..params).map(|_| element(least + numbers.next_unit())).collect() };
    let (weight, bias, mean, var) = (param(0.0), param(0.0), param(0.0), param(1.5));
    let args = Arguments { weight: &weight, bias: &bias, mean: &mean, var: &var, eps: T::Compute::from_f64(1e-5) };
    let done = |what: &str, outcome: Outcome| outcome.unwrap_or_else(|e| panic!("{what} of {case:?}: {e}"));
    let grads = || [vec![T::Compute::default(); params], vec![T::Compute::default(); params]];

    let mut y = Tensor::<T>::new(dims, strides, offset);
    done("forward", (subject.forward)(x.view(), args, y.view_mut()));
    let (mut trained, mut saved) = (Tensor::<T>::new(dims, strides, offset), Saved::default());
    done("forward_train", (subject.train)(x.view(), args, trained.view_mut(), &mut saved));
    let (mut dx, [mut dweight, mut dbias]) = (Tensor::<D>::new(dims, strides, offset), grads());
    let into = Grads { weight: &mut dweight, bias: &mut dbias };
    done("backward", (subject.backward)(x.view(), dy.view(), args, &saved, dx.view_mut(), into));
    let mut all = vec![
        ("y", y.bits("y")),
        ("y of training", trained.bits("y of training")),
        ("mean", bits(saved.mean())),
        ("rstd", bits(saved.rstd())),
        ("dx", dx.bits("dx")),
        ("dweight", bits(&dweight)),
        ("dbias", bits(&dbias)),
    ];
    if let Some(running) = &subject.running {
        let (mut dx, [mut dweight, mut dbias]) = (Tensor::<T>::new(dims, strides, offset), grads());
        let into = Grads { weight: &mut dweight, bias: &mut dbias };
        done("backward_frozen", (running.frozen)(x.view(), dy.view(), args, dx.view_mut(), into));
        all.push(("dx of frozen statistics", dx.bits("dx of frozen statistics")));
        all.push(("dweight of frozen statistics", bits(&dweight)));
    }
    all
}

/// The dims with a last axis of `size`; of rows there are `rows`.
fn dims(spec: &Spec, size: usize, rows: usize) -> Vec<usize> {
    let last = spec.shape.len() - 1;
    let of = |(axis, dim): (usize, &Dim)| match dim {
        _ if axis == last => size,
        Dim::Fixed(n) => *n,
        Dim::OneOf(family) => family[rows % family.len()],
        Dim::Any if axis == 0 => {
            if spec.running.is_some() {
                rows + 1
            } else {
                rows
            }
        }
        Dim::Any if spec.groups.is_some() => 4,
        Dim::Any => 1 + rows % 3,
    };
    spec.shape.iter().enumerate().map(of).collect()
}

/// Compares both ways of storing at every offset.
struct Compare<'a> {
    /// Between offsets.
    step: usize,
    calls: &'a Cell<usize>,
}

impl Visit for Compare<'_> {
    fn visit<T, P, D>(&mut self, subject: &Subject<T, P, D>)
    where
        T: Element,
        P: Element<Compute = T::Compute>,
        D: Element<Compute = T::Compute>,
    {
        let last = subject.spec.shape[subject.spec.shape.len() - 1];
        let sizes = match &last {
            Dim::Fixed(n) => core::slice::from_ref(n),
            Dim::OneOf(family) => family,
            Dim::Any => &SIZES[..],
        };
        let mut choice = Numbers(subject.name.len() as u64);
        let mut choose = |many: usize| (choice.next_unit().abs() * many as f64) as usize % many;
        for &size in sizes {
            // Channels that groups do not divide.
            let groups = subject.spec.groups.unwrap_or(1);
            let size = if last == Dim::Any { size.next_multiple_of(groups) } else { size };
            for offset in (0..=33).step_by(self.step) {
                // Rows that follow one another, and gaps that lines do and do not fit.
                for gap in [None, Some([1, 5, 16, 64][choose(4)])] {
                    let (dims, special) = (dims(subject.spec, size, 1 + choose(6)), SPECIAL[choose(SPECIAL.len())]);
                    let case = Case { dims: &dims, offset, gap, special, seed: self.calls.get() as u64 };
                    let (near, far) = (run(subject, case), past_caches(|| run(subject, case)));
                    for ((part, near), (_, far)) in near.iter().zip(&far) {
                        let first = near.iter().zip(far).position(|(near, far)| near != far);
                        let (name, types) = (subject.name, subject.types);
                        assert!(first.is_none(), "{part} of {name} of {types}, {case:?}: differs from {first:?} on");
                    }
                    self.calls.set(self.calls.get() + 1);
                }
            }
        }
    }
}

fn compare(name: &str, subjects: &Subjects, step: usize) {
    at_each_level_of_halves(name, |level| {
        let calls = Cell::new(0);
        subjects.each(&mut Compare { step, calls: &calls });
        println!("{level}: {} cases", calls.get());
    });
}

#[test]
fn rows_of_sizes_known_at_compile_time() {
    compare("rows", &kernels::rows(), 1);
}

#[test]
fn sizes_known_only_at_run_time() {
    compare("open", &kernels::open(), 5);
}

#[test]
fn images_of_sizes_known_at_compile_time() {
    compare("images", &kernels::images(), 1);
}
