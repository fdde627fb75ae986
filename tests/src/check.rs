//! Kernels of all techniques against the oracle.

use crate::batch::{Batch, BatchInputs};
use crate::sets::Sets;
use crate::weight::{WeightInputs, WeightNorm};
use crate::{Expected, Inputs, Kernel, Outputs, element, error, rounding, wide, widen};
use normkit::{Element, Level, NormError, Saved};

/// What errors against the oracle may be, relative to the natural scale of a tensor.
#[must_use]
pub fn tolerance<T: Element>() -> f64 {
    if size_of::<T::Compute>() == 4 { 2e-6 } else { 3e-14 }
}

/// Fails unless `found` is near to `expected`, in units of the larger of `scale` and the largest value expected.
///
/// # Panics
/// If it is not.
#[track_caller]
pub fn near<T: Element>(what: &str, part: &str, found: &[T], expected: &[f64], scale: f64) {
    near_by(what, part, found, expected, scale, tolerance::<T>());
}

/// As [`near`], with a tolerance of its own. Half types may be off by the rounding of the store beside it, once.
///
/// # Panics
/// If it is not.
#[track_caller]
pub fn near_by<T: Element>(what: &str, part: &str, found: &[T], expected: &[f64], scale: f64, tolerance: f64) {
    assert_eq!(found.len(), expected.len(), "{part} of {what}");
    if let Some(format) = rounding::Format::of::<T>() {
        format.rounded_once(&format!("{part} of {what}"), &widen(found), expected, scale, tolerance);
        return;
    }
    let error = error(&widen(found), expected, scale);
    assert!(error <= tolerance, "{part} of {what}: error {error:e} of {tolerance:e}");
}

/// Fails unless all outputs are near to what the oracle says; `per_param` elements share a parameter.
///
/// # Panics
/// If they are not.
#[track_caller]
pub fn outputs_near<T: Element>(what: &str, found: &Outputs<T>, expected: &Expected, per_param: usize, tolerance: f64) {
    near_by(what, "y", &found.y, &expected.y, 1.0, tolerance);
    // Sets without elements have no statistics.
    if !found.y.is_empty() {
        near_by(what, "rstd", found.saved.rstd(), &expected.rstd, f64::MIN_POSITIVE, tolerance);
        near_by(what, "mean", found.saved.mean(), &expected.mean, 1.0, tolerance);
    }
    gradients_near(what, &found.dx, [&found.dweight, &found.dbias], expected, per_param, tolerance);
}

/// The same for dx, dweight and dbias.
#[track_caller]
fn gradients_near<T: Element>(
    what: &str,
    dx: &[T],
    params: [&[T::Compute]; 2],
    expected: &Expected,
    per_param: usize,
    tolerance: f64,
) {
    // Terms that cancel in dx are of the size of rstd; those in the sums of the size of one.
    let largest = expected.rstd.iter().filter(|r| r.is_finite()).fold(1.0_f64, |m, &r| m.max(r));
    let root = (per_param as f64).sqrt().max(1.0);
    near_by(what, "dx", dx, &expected.dx, largest, tolerance);
    near_by(what, "dweight", params[0], &expected.dweight, root, tolerance);
    near_by(what, "dbias", params[1], &expected.dbias, root, tolerance);
}

/// A kernel for all sizes of axis 0; the others are given with it.
pub trait Check {
    /// Compares everything with the oracle, for this size of axis 0.
    fn check(&self, n: usize, level: Level);
    /// What is compared.
    fn name(&self) -> &'static str;
}

/// A kernel of [`kernel!`](crate::kernel).
#[allow(missing_docs, reason = "named after their types")]
pub struct Case<'a, T: Element, P: Element<Compute = T::Compute> = <T as Element>::Compute> {
    pub kernel: &'a Kernel<T, P>,
    pub sets: Sets,
    /// The sizes of all axes but axis 0.
    pub rest: Vec<usize>,
}

/// Means, in deviations: all lengths, then only where `often` says so and `T` tells such elements apart.
fn means<T: Element>(centred: bool, often: bool) -> &'static [f64] {
    match (centred, often && rounding::Format::of::<T>().is_none()) {
        (true, true) => &[0.0, 10.0, 1e4],
        (_, _) => &[0.0, 10.0],
    }
}

impl<T: Element, P: Element<Compute = T::Compute>> Check for Case<'_, T, P> {
    fn check(&self, n: usize, level: Level) {
        let dims = [&[n], &self.rest[..]].concat();
        let [sets, members, params] = self.sets.counts(&dims);
        let spec = self.kernel.spec;
        for &mean in means::<T>(spec.centred, n == 3) {
            let seed = (n * 31 + members * 7 + params) as u64;
            let inputs = Inputs::<T, P>::random(self.sets, &dims, seed, mean, 1.0, spec.eps);
            let found = self.kernel.run_in(&dims, &inputs);
            let expected = self.kernel.expected(self.sets, &dims, &inputs);
            let what = format!("{} over {dims:?} at {level}, mean {mean}", self.kernel.name);
            assert_eq!(found.saved.rstd().len(), if members == 0 { found.saved.rstd().len() } else { sets }, "{what}");
            let per_param = (sets * members).checked_div(params).unwrap_or(0);
            outputs_near(&what, &found, &expected, per_param, tolerance::<T>());
            if members == 1 && spec.centred {
                assert!(found.dx.iter().all(|&v| wide(v) == 0.0), "{what}: dx is not 0");
            }
        }
    }

    fn name(&self) -> &'static str {
        self.kernel.name
    }
}

/// A kernel of [`batch!`](crate::batch).
#[allow(missing_docs, reason = "named after their types")]
pub struct BatchCase<'a, T: Element, P: Element<Compute = T::Compute> = <T as Element>::Compute> {
    pub kernel: &'a Batch<T, P>,
    /// Of the channels.
    pub axis: usize,
    /// The sizes of all axes but axis 0.
    pub rest: Vec<usize>,
}

impl<T: Element, P: Element<Compute = T::Compute>> Check for BatchCase<'_, T, P> {
    fn check(&self, n: usize, level: Level) {
        let dims = [&[n], &self.rest[..]].concat();
        let [channels, members, _] = Sets::Each { axis: self.axis }.counts(&dims);
        let (kernel, tolerance) = (self.kernel, tolerance::<T>());
        for &mean in means::<T>(true, n == 3) {
            let seed = (n * 31 + members * 7 + channels) as u64;
            let inputs = BatchInputs::random(self.axis, &dims, seed, mean, 1.0, kernel.spec.eps);
            let what = format!("{} over {dims:?} at {level}, mean {mean}", kernel.name);
            let found = kernel.infer_in(&dims, &inputs);
            let expected = inputs.expected_frozen(self.axis, &dims, kernel.has_weight(), kernel.has_bias());
            let frozen = format!("inference by {what}");
            near_by(&frozen, "y", &found.y, &expected.y, 1.0, tolerance);
            gradients_near(&frozen, &found.dx, [&found.dweight, &found.dbias], &expected, members, tolerance);

            let data = &inputs.inputs;
            if members == 1 {
                let (mut y, mut saved) = (vec![element::<T>(7.0); data.x.len()], Saved::default());
                let place = crate::Place::contiguous(&dims);
                let result = (kernel.train)(place.view(&data.x), data.params(), place.view_mut(&mut y), &mut saved);
                assert!(matches!(result, Err(NormError::OneValuePerChannel { .. })), "{what}: {result:?}");
                continue;
            }
            let found = kernel.train_in(&dims, data);
            let expected = kernel.expected(self.axis, &dims, data);
            outputs_near(&what, &found, &expected, members, tolerance);
            if members > 0 {
                near_by(&what, "variance", found.saved.variance(), &expected.var, f64::MIN_POSITIVE, tolerance);
            }
        }
    }

    fn name(&self) -> &'static str {
        self.kernel.name
    }
}

/// A kernel of [`weight_norm!`](crate::weight_norm).
#[allow(missing_docs, reason = "named after their types")]
pub struct WeightCase<'a, T: Element, P: Element<Compute = T::Compute> = <T as Element>::Compute> {
    pub kernel: &'a WeightNorm<T, P>,
    /// The one that is kept.
    pub axis: usize,
    /// The sizes of all axes but axis 0.
    pub rest: Vec<usize>,
}

impl<T: Element, P: Element<Compute = T::Compute>> Check for WeightCase<'_, T, P> {
    fn check(&self, n: usize, level: Level) {
        let dims = [&[n], &self.rest[..]].concat();
        let [_, members, _] = Sets::Each { axis: self.axis }.counts(&dims);
        for &mean in means::<T>(false, false) {
            let inputs = WeightInputs::random(self.axis, &dims, (n * 31 + members) as u64, mean, 1.0);
            let what = format!("{} over {dims:?} at {level}, mean {mean}", self.kernel.name);
            let expected = inputs.expected(self.axis, &dims, self.kernel.has_g);
            // Both gradients are added to what is there.
            for before in [0.0, 0.5] {
                let found = self.kernel.run_at(&inputs, before, &crate::contiguous(&dims));
                let added = |values: &[f64]| values.iter().map(|v| v + before).collect::<Vec<_>>();
                let largest = expected.rnorm.iter().fold(f64::MIN_POSITIVE, |m, &r| m.max(r));
                near(&what, "w", &found.w, &expected.w, f64::MIN_POSITIVE);
                near(&what, "dv", &found.dv, &added(&expected.dv), largest.max(before));
                near(&what, "dg", &found.dg, &added(&expected.dg), 1.0);
                if members > 0 {
                    near(&what, "rstd", found.saved.rstd(), &expected.rnorm, f64::MIN_POSITIVE);
                }
                assert!(found.saved.mean().is_empty(), "{what}: there is no mean");
            }
        }
    }

    fn name(&self) -> &'static str {
        self.kernel.name
    }
}

/// A kernel of any of the three, with what its case needs.
#[derive(Debug)]
pub struct Owned<K> {
    kernel: K,
    sets: Sets,
    rest: Vec<usize>,
}

impl<T: Element, P: Element<Compute = T::Compute>> Check for Owned<Kernel<T, P>> {
    fn check(&self, n: usize, level: Level) {
        Case { kernel: &self.kernel, sets: self.sets, rest: self.rest.clone() }.check(n, level);
    }

    fn name(&self) -> &'static str {
        self.kernel.name
    }
}

macro_rules! along_an_axis {
    ($($kernel:ident $case:ident),*) => { $(
        impl<T: Element, P: Element<Compute = T::Compute>> Check for Owned<$kernel<T, P>> {
            fn check(&self, n: usize, level: Level) {
                let Sets::Each { axis } = self.sets else { panic!("{} is along one axis", self.name()) };
                $case { kernel: &self.kernel, axis, rest: self.rest.clone() }.check(n, level);
            }

            fn name(&self) -> &'static str {
                self.kernel.name
            }
        }
    )* };
}

along_an_axis!(Batch BatchCase, WeightNorm WeightCase);

/// A case for [`check_all`]: the kernel, its axes, and the sizes of all axes but axis 0.
#[must_use]
pub fn case<K: 'static>(kernel: K, sets: Sets, rest: &[usize]) -> Box<dyn Check>
where
    Owned<K>: Check,
{
    Box::new(Owned { kernel, sets, rest: rest.to_vec() })
}

/// Checks cases with each size of axis 0, at each level.
pub fn check_all(name: &str, cases: &[Box<dyn Check + '_>], batches: &[usize]) {
    println!("{name}: {} cases", cases.len());
    crate::at_each_level_of_halves(name, |level| {
        for case in cases {
            for &n in batches {
                case.check(n, level);
            }
        }
    });
}
