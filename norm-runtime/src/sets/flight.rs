//! What is kept of the sets of a flight between the sweeps, and the sweep that sums.

use super::SetArgs;
use super::problem::{BLOCK_ROWS, Flight, Form, Problem};
use crate::dtype::{Compute, Element};
use crate::rows::PADDING;
use crate::scratch::{Memory, carve, room};
use crate::threads::{self, Shared};
use crate::vectorize::vectorize;
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
    /// Not 0 for sets whose magnitude leaves the range of the kernels.
    pub(super) careful: &'a mut [u8],
    /// For columns by row, partial sums of each row.
    pub(super) weight_partial: &'a mut [A],
    pub(super) bias_partial: &'a mut [A],
}

/// Where in a page the arrays start that loops go through together: those that are stored to, sums of columns, half a kilobyte or more
/// after the others and each other, and after the start of a page, where large tensors usually are. See [`crate::scratch::carve`].
mod place {
    pub(super) const COLUMN_SUM: usize = 640;
    pub(super) const COLUMN_SQUARE: usize = 1216;
    pub(super) const MEAN: usize = 1792;
    pub(super) const SCALE: usize = 2304;
    pub(super) const OFFSET: usize = 2816;
    pub(super) const CENTRE: usize = 3200;
    pub(super) const SLOPE: usize = 3520;
    /// Those of no such loop.
    pub(super) const OTHER: usize = 0;
}

impl<'a, A: Compute> Pad<'a, A> {
    /// Room for flights of `sets` sets, and partial sums of `partial_rows` rows.
    pub(super) fn new(memory: &'a mut Memory, sets: usize, partial_rows: usize) -> Self {
        let partial = partial_rows * PADDING;
        let bytes = 2 * room::<f64>(sets) + 5 * room::<A>(sets) + room::<u8>(sets) + 2 * room::<A>(partial);
        let mut memory: &mut [f64] = memory.elements(bytes / size_of::<f64>());
        let rest = &mut memory;
        let pad = Pad {
            sum: carve(rest, place::OTHER, sets),
            square: carve(rest, place::OTHER, sets),
            mean: carve(rest, place::MEAN, sets),
            scale: carve(rest, place::SCALE, sets),
            slope: carve(rest, place::SLOPE, sets),
            offset: carve(rest, place::OFFSET, sets),
            centre: carve(rest, place::CENTRE, sets),
            careful: carve(rest, place::OTHER, sets),
            weight_partial: carve(rest, place::OTHER, partial),
            bias_partial: carve(rest, place::OTHER, partial),
        };
        pad.weight_partial.fill(A::default());
        pad.bias_partial.fill(A::default());
        pad
    }
}

impl<A: Compute> Pad<'_, A> {
    /// Points a kernel at the numbers of the sets from `base` on.
    pub(super) fn point<T: Element<Compute = A>>(&mut self, args: &mut SetArgs<T, ()>, base: usize) {
        args.mean = self.mean[base..].as_ptr();
        args.scale = self.scale[base..].as_ptr();
        args.slope = self.slope[base..].as_ptr();
        args.offset = self.offset[base..].as_ptr();
        args.centre = self.centre[base..].as_ptr();
        args.sum = self.sum[base..].as_mut_ptr();
        args.square = self.square[base..].as_mut_ptr();
    }

    /// Takes off `sets` the next stretch that kernels answer for.
    pub(super) fn next_good(&self, sets: &mut Range<usize>) -> Option<Range<usize>> {
        while sets.start < sets.end && self.careful[sets.start] != 0 {
            sets.start += 1;
        }
        let start = sets.start;
        while sets.start < sets.end && self.careful[sets.start] == 0 {
            sets.start += 1;
        }
        (start < sets.start).then_some(start..sets.start)
    }

    /// Sums `rows` of the sets in `range` into `sum` and `square`: `call(arguments, first row, offsets)` runs the kernel.
    pub(super) fn sum_rows<T: Element<Compute = A>, const K: usize>(
        &mut self,
        problem: &Problem<K>,
        flight: &Flight<K>,
        range: &Range<usize>,
        rows: Range<usize>,
        call: &(dyn Fn(SetArgs<T, ()>, usize, [usize; K]) + Sync),
    ) {
        let part = flight.part(range);
        let mut args = problem.args(part.sets, rows.len());
        args.stream = problem.is_distant::<T>();
        self.sum[range.clone()].fill(0.0);
        self.square[range.clone()].fill(0.0);
        self.point(&mut args, range.start);
        let bytes = problem.bytes::<T>(part.sets);
        // SAFETY: pieces are sets or rows of their own; the call waits for all of them.
        let shared = unsafe { Shared::new(&args) };
        if problem.form == Form::Segments {
            let pieces = threads::pieces(bytes, part.sets);
            threads::for_each(pieces, &|piece| {
                let sets = threads::piece(piece, pieces, part.sets);
                let own = part.part(&sets);
                problem.for_each_block(&own, rows.clone(), usize::MAX, &mut |first, rows, at| {
                    call(shared.get().of(&sets, rows), first, at);
                });
            });
            return;
        }
        // Kernels over columns do not know of these.
        let (sum, square) = (&mut self.sum[range.clone()], &mut self.square[range.clone()]);
        let chunk = problem.rows_a_chunk();
        let chunks = rows.len().div_ceil(chunk);
        let sum_chunk = |index: usize, sums: &mut [f64]| {
            let rows = rows.start + index * chunk..rows.end.min(rows.start + (index + 1) * chunk);
            sum_columns::<A, K>(problem, &part, rows, sums, &|columns, first, count, at| {
                let args = shared.get().of(&(0..part.sets), count);
                call(SetArgs { column_sum: columns[0], column_square: columns[1], ..args }, first, at);
            });
        };
        let slots = if threads::pieces(bytes, chunks) == 1 { 1 } else { chunks };
        let size = 2 * part.sets;
        let mut join = |sums: &[f64]| {
            let (from_sum, from_square) = sums.split_at(part.sets);
            add(sum, from_sum);
            add(square, from_square);
        };
        let mut memory = Memory::default();
        let memory: &mut [f64] = memory.elements(slots * size);
        if slots == 1 {
            for index in 0..chunks {
                sum_chunk(index, memory);
                join(memory);
            }
            return;
        }
        // SAFETY: each chunk has a slot of its own; the call waits for all of them.
        let slots = unsafe { Shared::new(memory.as_mut_ptr()) };
        // SAFETY: `memory` holds that many slots, and chunks differ.
        threads::for_each(chunks, &|index| sum_chunk(index, unsafe { threads::slot(slots, index, size) }));
        memory.chunks_exact(size).for_each(join);
    }
}

/// The sums of `rows` of the columns of `part`, in two halves of `sums`: blocks of rows in the type that is computed in, which are
/// added up in f64. `call(column sums, first row, rows, offsets)` runs the kernel.
fn sum_columns<A: Compute, const K: usize>(
    problem: &Problem<K>,
    part: &Flight<K>,
    rows: Range<usize>,
    sums: &mut [f64],
    call: &dyn Fn([*mut A; 2], usize, usize, [usize; K]),
) {
    sums.fill(0.0);
    let (to_sum, to_square) = sums.split_at_mut(part.sets);
    let mut memory = Memory::default();
    let mut memory: &mut [A] = memory.elements(2 * room::<A>(part.sets) / size_of::<A>());
    let sum: &mut [A] = carve(&mut memory, place::COLUMN_SUM, part.sets);
    let square: &mut [A] = carve(&mut memory, place::COLUMN_SQUARE, part.sets);
    for start in rows.clone().step_by(BLOCK_ROWS) {
        let end = rows.end.min(start + BLOCK_ROWS);
        sum.fill(A::default());
        square.fill(A::default());
        let pointers = [sum.as_mut_ptr(), square.as_mut_ptr()];
        problem.for_each_block(part, start..end, BLOCK_ROWS, &mut |first, rows, at| call(pointers, first, rows, at));
        add(to_sum, sum);
        add(to_square, square);
    }
}

impl<T: Element> SetArgs<T, ()> {
    /// The same for some of the sets, and for so many rows.
    pub(super) fn of(&self, sets: &Range<usize>, rows: usize) -> Self {
        let from = sets.start;
        SetArgs {
            sets: sets.len(),
            rows,
            mean: self.mean.wrapping_add(from),
            scale: self.scale.wrapping_add(from),
            slope: self.slope.wrapping_add(from),
            offset: self.offset.wrapping_add(from),
            centre: self.centre.wrapping_add(from),
            sum: self.sum.wrapping_add(from),
            square: self.square.wrapping_add(from),
            ..*self
        }
    }
}

/// Adds `values` to `sums`.
pub(super) fn add<A: Compute>(sums: &mut [f64], values: &[A]) {
    vectorize(
        #[inline(always)]
        || {
            for (sum, &value) in sums.iter_mut().zip(values) {
                *sum += value.to_f64();
            }
        },
    );
}
