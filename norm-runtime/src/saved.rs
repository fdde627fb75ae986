//! What the training forward pass keeps for the backward pass.

use crate::dtype::Compute;

/// The statistics of each row, kept by `forward_train` for `backward`.
///
/// Reused across calls: it grows once and allocates no more after that.
///
/// The mean is kept as the sum of two numbers: [`Saved::mean`], rounded to `A`, and what the rounding left. The
/// second matters where the mean is far larger than the deviation: at a mean of 1e6 and a deviation of 0.1, the
/// rounded mean alone would put an error of 30 % into the gradient.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Saved<A> {
    mean: Vec<A>,
    residual: Vec<A>,
    rstd: Vec<A>,
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

    /// Makes room for `rows` rows.
    pub(crate) fn resize(&mut self, rows: usize, centred: bool) {
        let with_mean = if centred { rows } else { 0 };
        let zero = A::default();
        self.mean.resize(with_mean, zero);
        self.residual.resize(with_mean, zero);
        self.rstd.resize(rows, zero);
    }

    pub(crate) fn pointers_mut(&mut self) -> (*mut A, *mut A, *mut A) {
        (self.mean.as_mut_ptr(), self.residual.as_mut_ptr(), self.rstd.as_mut_ptr())
    }
}
