//! What is kept of the sets of a flight between the sweeps, and the sweep that sums.

use super::SetArgs;
use super::problem::{BLOCK_ROWS, Flight, Form, Problem};
use crate::dtype::{Compute, Element};
use crate::rows::PADDING;
use crate::scratch;
use core::ops::Range;

/// Numbers for each set of a flight, and for each parameter of the call.
pub(super) struct Pad<'a, A> {
    pub(super) sum: &'a mut [f64],
    pub(super) square: &'a mut [f64],
    pub(super) mean: &'a mut [A],
    pub(super) scale: &'a mut [A],
    pub(super) slope: &'a mut [A],
    pub(super) offset: &'a mut [A],
    pub(super) centre: &'a mut [A],
    column_sum: &'a mut [A],
    column_square: &'a mut [A],
    /// Not 0 for sets whose magnitude leaves the range of the kernels.
    pub(super) careful: &'a mut [u8],
    /// The gradients of the parameters, so far.
    pub(super) dweight: &'a mut [f64],
    pub(super) dbias: &'a mut [f64],
    /// For columns by row, partial sums of each row.
    pub(super) weight_partial: &'a mut [A],
    pub(super) bias_partial: &'a mut [A],
}

/// The next `len` elements of `memory`, which starts at a multiple of 64 bytes and still does so after.
fn carve<'a, U: Copy>(memory: &mut &'a mut [f64], len: usize) -> &'a mut [U] {
    const { assert!(size_of::<U>() <= 8) };
    let (part, rest) = core::mem::take(memory).split_at_mut(words::<U>(len));
    *memory = rest;
    // SAFETY: `part` holds at least `len` elements' bytes, initialized and exclusively borrowed for 'a; its alignment is that
    // of f64, and every U used here (f32, f64, u8) is valid for any bits.
    unsafe { core::slice::from_raw_parts_mut(part.as_mut_ptr().cast::<U>(), len) }
}

/// Elements of f64 that hold `len` of another type, in whole cache lines.
fn words<U>(len: usize) -> usize {
    (len * size_of::<U>()).div_ceil(64) * 8
}

/// Calls `work` with room for flights of `sets` sets, gradients of `params` parameters (0 in forward), and partial sums of
/// `partial_rows` rows.
pub(super) fn with<A: Compute, R>(
    sets: usize,
    params: usize,
    partial_rows: usize,
    work: impl FnOnce(&mut Pad<'_, A>) -> R,
) -> R {
    let partial = partial_rows * PADDING;
    let len = 2 * words::<f64>(sets) + 7 * words::<A>(sets) + words::<u8>(sets);
    let len = len + 2 * words::<f64>(params) + 2 * words::<A>(partial);
    scratch::with(len, |memory: &mut [f64]| {
        let mut rest = memory;
        let rest = &mut rest;
        let mut pad = Pad {
            sum: carve(rest, sets),
            square: carve(rest, sets),
            mean: carve(rest, sets),
            scale: carve(rest, sets),
            slope: carve(rest, sets),
            offset: carve(rest, sets),
            centre: carve(rest, sets),
            column_sum: carve(rest, sets),
            column_square: carve(rest, sets),
            careful: carve(rest, sets),
            dweight: carve(rest, params),
            dbias: carve(rest, params),
            weight_partial: carve(rest, partial),
            bias_partial: carve(rest, partial),
        };
        pad.dweight.fill(0.0);
        pad.dbias.fill(0.0);
        pad.weight_partial.fill(A::default());
        pad.bias_partial.fill(A::default());
        work(&mut pad)
    })
}

impl<A: Compute> Pad<'_, A> {
    /// Points a kernel at the numbers of the sets from `base` on.
    pub(super) fn point<T: Element<Compute = A>, P>(&mut self, args: &mut SetArgs<T, P>, base: usize) {
        args.mean = self.mean[base..].as_ptr();
        args.scale = self.scale[base..].as_ptr();
        args.slope = self.slope[base..].as_ptr();
        args.offset = self.offset[base..].as_ptr();
        args.centre = self.centre[base..].as_ptr();
        args.sum = self.sum[base..].as_mut_ptr();
        args.square = self.square[base..].as_mut_ptr();
        args.column_sum = self.column_sum[base..].as_mut_ptr();
        args.column_square = self.column_square[base..].as_mut_ptr();
    }

    /// Stretches of these sets that kernels answer for.
    pub(super) fn good_ranges(&self, sets: Range<usize>) -> impl Iterator<Item = Range<usize>> + use<A> {
        // Nearly always one: the list is only made where there are others.
        let careful = &self.careful[sets.clone()];
        let mut ranges = Vec::new();
        let mut start = sets.start;
        if careful.iter().any(|&flag| flag != 0) {
            for (set, &flag) in sets.clone().zip(careful) {
                if flag != 0 {
                    ranges.push(start..set);
                    start = set + 1;
                }
            }
        }
        let last = start..sets.end;
        ranges.into_iter().chain([last]).filter(|range| !range.is_empty())
    }

    /// Sums `rows` of the sets in `range` into `sum` and `square`: `call(arguments, first row, offsets)` runs the kernel.
    pub(super) fn sum_rows<T: Element<Compute = A>, P, const K: usize>(
        &mut self,
        problem: &Problem<K>,
        flight: &Flight<K>,
        range: &Range<usize>,
        rows: Range<usize>,
        mut call: impl FnMut(SetArgs<T, P>, usize, [usize; K]),
    ) {
        let part = flight.part(range);
        self.sum[range.clone()].fill(0.0);
        self.square[range.clone()].fill(0.0);
        let block = if problem.form == Form::Segments { usize::MAX } else { BLOCK_ROWS };
        for start in rows.clone().step_by(block) {
            let end = rows.end.min(start.saturating_add(block));
            if problem.form != Form::Segments {
                self.column_sum[range.clone()].fill(A::default());
                self.column_square[range.clone()].fill(A::default());
            }
            problem.for_each_block(&part, start..end, block, |first, rows, at| {
                let mut args = problem.args(part.sets, rows);
                self.point(&mut args, range.start);
                call(args, first, at);
            });
            if problem.form != Form::Segments {
                add(&mut self.sum[range.clone()], &self.column_sum[range.clone()]);
                add(&mut self.square[range.clone()], &self.column_square[range.clone()]);
            }
        }
    }
}

/// Adds `values` to `sums`.
pub(super) fn add<A: Compute>(sums: &mut [f64], values: &[A]) {
    for (sum, &value) in sums.iter_mut().zip(values) {
        *sum += value.to_f64();
    }
}
