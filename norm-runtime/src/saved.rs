//! What the training forward pass keeps for the backward pass.

use crate::dtype::Compute;

/// The statistics of each row, channel, group or column, kept by `forward_train` for `backward`.
///
/// In the order of the axes that are kept: `[C]` for batch normalization, `[N, C]` for instance, `[N, groups]` for group
/// normalization.
///
/// Reused across calls: it grows once and allocates no more after that.
///
/// The mean is kept as the sum of two numbers: [`Saved::mean`], rounded to `A`, and what the rounding left. The
/// second matters where the mean is far larger than the deviation: at a mean of 1e6 and a deviation of 0.1, the
/// rounded mean alone would put an error of 30 % into the gradient.
#[derive(Clone, Debug, PartialEq)]
pub struct Saved<A> {
    mean: Vec<A>,
    residual: Vec<A>,
    rstd: Vec<A>,
    variance: Vec<A>,
    count: usize,
}

// Not derived, which would be compiled in every crate.
impl<A> Default for Saved<A> {
    fn default() -> Self {
        Saved { mean: Vec::new(), residual: Vec::new(), rstd: Vec::new(), variance: Vec::new(), count: 0 }
    }
}

impl<A: Compute> Saved<A> {
    /// The mean of each row; empty for kinds that do not subtract it (rms).
    #[must_use]
    pub fn mean(&self) -> &[A] {
        &self.mean
    }

    /// One over the root of the mean square (plus eps) of each row.
    #[must_use]
    pub fn rstd(&self) -> &[A] {
        &self.rstd
    }

    /// What rounding left of each mean: the mean is `mean + residual`.
    #[must_use]
    pub fn residual(&self) -> &[A] {
        &self.residual
    }

    /// The biased variance of each channel; empty for kinds without running statistics.
    #[must_use]
    pub fn variance(&self) -> &[A] {
        &self.variance
    }

    /// How many elements were normalized together.
    #[must_use]
    pub fn count(&self) -> usize {
        self.count
    }

    /// Forgets what there was.
    pub(crate) fn clear(&mut self) {
        self.mean.clear();
        self.residual.clear();
        self.rstd.clear();
    }

    /// Makes room for `sets` sets of `count` elements, with their variance for kinds that have running statistics.
    pub(crate) fn resize_sets(&mut self, sets: usize, count: usize, spec: &crate::spec::Spec) {
        self.resize(sets, spec.centred);
        self.variance.resize(if spec.running.is_some() { sets } else { 0 }, A::default());
        self.count = count;
    }

    /// Makes room for `rows` rows.
    pub(crate) fn resize(&mut self, rows: usize, centred: bool) {
        let with_mean = if centred { rows } else { 0 };
        let zero = A::default();
        self.variance.clear();
        self.count = 0;
        self.mean.resize(with_mean, zero);
        self.residual.resize(with_mean, zero);
        self.rstd.resize(rows, zero);
    }
}

/// Where statistics of rows or sets are kept, for threads that keep them of different ones; null what is not kept.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Places<A> {
    mean: *mut A,
    residual: *mut A,
    rstd: *mut A,
    variance: *mut A,
}

impl<A: Compute> Places<A> {
    /// Those of `saved`, which has room.
    pub(crate) fn of(saved: Option<&mut Saved<A>>) -> Self {
        let null = core::ptr::null_mut();
        let Some(saved) = saved else { return Places { mean: null, residual: null, rstd: null, variance: null } };
        let place = |values: &mut Vec<A>| if values.is_empty() { null } else { values.as_mut_ptr() };
        Places {
            mean: place(&mut saved.mean),
            residual: place(&mut saved.residual),
            rstd: place(&mut saved.rstd),
            variance: place(&mut saved.variance),
        }
    }

    /// Where those of row or set `index` are: mean, residual, `rstd`.
    pub(crate) fn at(&self, index: usize) -> [*mut A; 3] {
        let at = |place: *mut A| if place.is_null() { place } else { place.wrapping_add(index) };
        [at(self.mean), at(self.residual), at(self.rstd)]
    }

    /// Keeps the statistics of sets from `index` on, of which every `fuse` in a row share theirs: mean, residual, `rstd`, variance.
    ///
    /// # Safety
    /// There is room for them, and no other thread reads or writes these.
    pub(crate) unsafe fn set_all(&self, index: usize, fuse: usize, values: [&[A]; 4]) {
        let places = [self.mean, self.residual, self.rstd, self.variance];
        for (place, values) in places.into_iter().zip(values).filter(|(place, _)| !place.is_null()) {
            if fuse == 1 {
                // SAFETY: the caller's contract; what is kept is no array of a flight.
                unsafe { place.add(index).copy_from_nonoverlapping(values.as_ptr(), values.len()) };
                continue;
            }
            for (i, &value) in values.iter().step_by(fuse).enumerate() {
                // SAFETY: the caller's contract.
                unsafe { place.add(index + i).write(value) };
            }
        }
    }

    /// Keeps the statistics of one set.
    ///
    /// # Safety
    /// As for [`Places::set_all`].
    pub(crate) unsafe fn set(&self, index: usize, (mean, residual): (A, A), rstd: A, variance: A) {
        // SAFETY: the caller's contract.
        unsafe { self.set_all(index, 1, [&[mean], &[residual], &[rstd], &[variance]]) }
    }
}
