//! How the sets of a call lie in memory.

use super::SetArgs;
use crate::cache;
use crate::dtype::Element;
use crate::error::NormError;
use crate::shape::{Operand, Steps, check_memory, inner_axis, partial_product, product, resolve_dims, strides};
use crate::spec::{Role, Spec};
use crate::threads;
use core::ops::Range;

/// See [`crate::sets`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Segments,
    Columns,
    ColumnsByRow,
}

/// Rows of columns that are summed one after the other before sums are added up in f64: longer chains would lose more to
/// rounding, shorter ones cost more additions.
pub(super) const BLOCK_ROWS: usize = 64;

/// Bytes of one operand's columns that are taken in order before those in front of them.
const BACKWARDS: usize = 128 << 10;

/// The sets of `K` operands in step.
#[derive(Debug, PartialEq)]
pub(super) struct Problem<const K: usize> {
    pub(super) form: Form,
    /// Sets side by side: channels, or columns.
    pub(super) sets: usize,
    /// How many neighbouring sets share their statistics.
    pub(super) fuse: usize,
    /// Elements of a row.
    pub(super) n: usize,
    /// From set to set.
    pub(super) set_strides: [usize; K],
    /// From one run of sets to the next.
    pub(super) kept: Steps<K>,
    /// From row to row of a set.
    pub(super) rows: Steps<K>,
    /// Elements of all sets.
    pub(super) total: usize,
}

/// Neighbouring sets of one run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flight<const K: usize> {
    /// Which run.
    pub(super) run: usize,
    /// Where the run starts in each operand.
    pub(super) offsets: [usize; K],
    /// The first set.
    pub(super) first: usize,
    pub(super) sets: usize,
}

impl<const K: usize> Flight<K> {
    /// Some of its sets.
    pub(super) fn part(&self, sets: &Range<usize>) -> Self {
        Flight { first: self.first + sets.start, sets: sets.len(), ..*self }
    }
}

impl<const K: usize> Problem<K> {
    /// No sets.
    pub(super) const NONE: Self = Problem {
        form: Form::Segments,
        sets: 0,
        fuse: 1,
        n: 1,
        set_strides: [0; K],
        kept: Steps::NONE,
        rows: Steps::NONE,
        total: 0,
    };

    /// Makes [`Problem::NONE`] the sets of operands, which are checked against the shape and each other. `param` is the name and the
    /// length of a parameter, if there is one. (In place: to return half a kilobyte would be to copy it twice.)
    pub(super) fn lay_out(
        &mut self,
        spec: &'static Spec,
        operands: &[Operand<'_>; K],
        param: Option<(&'static str, usize)>,
    ) -> Result<(), NormError> {
        let arg = operands[0].arg;
        let dims = resolve_dims(spec, operands, param)?;
        let dims = &dims[..spec.shape.len()];
        self.total = product(arg, dims)?;
        let inner = inner_axis(spec.roles);
        check_memory(operands, self.total, inner)?;
        let (form, set_axes) = match (spec.channel_axis(), spec.roles.last()) {
            (Some(channel), Some(Role::Channel)) => (Form::Columns, channel..channel + 1),
            (Some(channel), _) => (Form::Segments, channel..channel + 1),
            (None, _) => (Form::ColumnsByRow, inner..dims.len()),
        };
        self.form = form;
        self.sets = partial_product(dims[set_axes.clone()].iter().copied());
        self.fuse = match spec.groups {
            None => 1,
            Some(groups) if self.sets.is_multiple_of(groups) => self.sets / groups,
            Some(groups) => return Err(NormError::Groups { arg, groups, channels: self.sets }),
        };
        let strides = strides(operands, dims);
        // An axis of one channel has no stride; contiguous axes of columns have 1.
        self.set_strides = match form {
            Form::Segments => strides.map(|strides| if self.sets == 1 { 0 } else { strides[set_axes.start] }),
            Form::Columns | Form::ColumnsByRow => [1; K],
        };
        if form == Form::Segments {
            self.n = partial_product(dims[inner..].iter().copied());
        }
        for (role, steps) in [(Role::Kept, &mut self.kept), (Role::Normalized, &mut self.rows)] {
            let outside = |axis: usize| !set_axes.contains(&axis) && (axis < inner || form != Form::Segments);
            steps.go_along(&strides, dims, &|axis| outside(axis) && spec.roles[axis] == role);
        }
        Ok(())
    }

    /// Where the sets of a flight start in each operand.
    pub(super) fn start(&self, flight: &Flight<K>) -> [usize; K] {
        core::array::from_fn(|k| flight.offsets[k] + flight.first * self.set_strides[k])
    }

    /// The number of the first set of a flight, through all runs.
    pub(super) fn index(&self, flight: &Flight<K>) -> usize {
        flight.run * self.sets + flight.first
    }

    /// What kernels are selected by.
    pub(super) fn selected_by(&self) -> usize {
        if self.form == Form::Segments { self.n } else { self.sets }
    }

    /// Elements of one set, without those that share its statistics.
    pub(super) fn set_len(&self) -> usize {
        self.rows.total * self.n
    }

    /// Elements normalized together.
    pub(super) fn count(&self) -> usize {
        self.set_len() * self.fuse
    }

    /// Sets with statistics of their own.
    pub(super) fn statistics(&self) -> usize {
        self.kept.total * self.sets / self.fuse.max(1)
    }

    /// Elements of a parameter.
    pub(super) fn params(&self) -> usize {
        if self.form == Form::ColumnsByRow { self.rows.total } else { self.sets }
    }

    /// How many sets are taken together: as many as half of the second-level cache holds of all tensors.
    ///
    /// Columns that do not fit it in strips of some width are taken all at once: whole rows are the fastest to read (of 2048 rows of
    /// 1024, 3.5 times as fast as strips of 32). So are few columns, which kernels take as a tile.
    pub(super) fn flight_len(&self, element: usize) -> usize {
        const MOST_SEGMENTS: usize = 512;
        const STRIP: usize = 256;
        const TILE: usize = 128;
        let fit = cache::sizes().l2 / 2 / (self.set_len() * element * K).max(1);
        let sets = match self.form {
            Form::Segments => (fit.min(MOST_SEGMENTS) / self.fuse).max(1) * self.fuse,
            _ if self.fuse > 1 || fit < STRIP || self.sets <= TILE => self.sets,
            _ => fit / TILE * TILE,
        };
        sets.min(self.sets)
    }

    /// How many flights of `len` sets a run has.
    pub(super) fn flights(&self, len: usize) -> usize {
        self.sets.div_ceil(len.max(1))
    }

    /// Calls `work` for some of the flights of `len` sets, in order; `flights` counts them through all runs.
    pub(super) fn for_each_flight(&self, len: usize, flights: Range<usize>, work: &mut dyn FnMut(&Flight<K>)) {
        let (len, of_run) = (len.max(1), self.flights(len));
        if flights.is_empty() {
            return;
        }
        let runs = flights.start / of_run..flights.end.div_ceil(of_run);
        self.kept.for_each_in(runs, &mut |first_run, runs, start| {
            for run in first_run..first_run + runs {
                let offsets = core::array::from_fn(|k| start[k] + (run - first_run) * self.kept.strides[k]);
                let before = run * of_run;
                for index in flights.start.max(before)..flights.end.min(before + of_run) {
                    let first = (index - before) * len;
                    work(&Flight { run, offsets, first, sets: len.min(self.sets - first) });
                }
            }
        });
    }

    /// Bytes of so many sets of all operands.
    pub(super) fn bytes<T>(&self, sets: usize) -> usize {
        (K * size_of::<T>()).saturating_mul(sets).saturating_mul(self.set_len())
    }

    /// How many rows of columns are summed in one go before their sums, in f64, join the others: a megabyte or so, which threads can
    /// take one by one. It depends on the shape alone, and so do the sums.
    pub(super) fn rows_a_chunk(&self) -> usize {
        const ELEMENTS: usize = 1 << 18;
        (ELEMENTS / BLOCK_ROWS / self.sets.max(1)).max(1) * BLOCK_ROWS
    }

    /// Calls `work(first row, rows, offsets of the first in each operand)` for rows of the flight, in order, `block` at the
    /// most at once.
    pub(super) fn for_each_block(
        &self,
        flight: &Flight<K>,
        rows: Range<usize>,
        block: usize,
        work: &mut dyn FnMut(usize, usize, [usize; K]),
    ) {
        let base = self.start(flight);
        for start in rows.clone().step_by(block) {
            let end = rows.end.min(start.saturating_add(block));
            self.rows.for_each_in(start..end, &mut |first, rows, at| {
                work(first, rows, core::array::from_fn(|k| base[k] + at[k]));
            });
        }
    }

    /// As [`Problem::for_each_block`] for all rows, on several threads where there are many columns. (Segments are shared out by
    /// flights.)
    ///
    /// Rows of columns are taken from the last to the first, some at once: they were summed in order, so the last ones are what is
    /// left of them in the caches. Batch normalization of 25 MB was 1.1 times as fast, instance normalization 1.25.
    pub(super) fn share_rows<T>(&self, part: &Flight<K>, work: &(dyn Fn(usize, usize, [usize; K]) + Sync)) {
        let rows = self.rows.total;
        let (pieces, block) = match self.form {
            Form::Segments => (1, usize::MAX),
            _ => (
                threads::pieces(self.bytes::<T>(part.sets), rows),
                (BACKWARDS / (part.sets * size_of::<T>()).max(1)).max(1),
            ),
        };
        threads::for_each(pieces, &|piece| {
            let rows = threads::piece(piece, pieces, rows);
            for start in rows.clone().step_by(block).rev() {
                let end = rows.end.min(start.saturating_add(block));
                self.for_each_block(part, start..end, usize::MAX, &mut |first, rows, at| work(first, rows, at));
            }
            // What this thread may have streamed.
            cache::fence(pieces > 1);
        });
    }

    /// Where element `i` of the sets from `set` on lies in each operand, with its set and its row.
    pub(super) fn element(&self, flight: &Flight<K>, set: usize, i: usize) -> ([usize; K], usize, usize) {
        let (rest, within) = (i / self.n, i % self.n);
        let (set, row) = (set + rest / self.rows.total, rest % self.rows.total);
        let at = self.rows.offsets(row);
        let offset = |k: usize| flight.offsets[k] + set * self.set_strides[k] + at[k] + within;
        (core::array::from_fn(offset), set, row)
    }

    /// The arguments of a kernel, all but the pointers.
    pub(super) fn args<T: Element>(&self, sets: usize, rows: usize) -> SetArgs<T, ()> {
        // The operands are x and y, or x, dy and dx.
        let (dy, y) = if K == 3 { (1, 2) } else { (1, 1) };
        let (null, null_mut) = (core::ptr::null(), core::ptr::null_mut());
        SetArgs {
            x: core::ptr::null(),
            dy: core::ptr::null(),
            y: core::ptr::null_mut(),
            sets,
            rows,
            n: self.n,
            x_set: self.set_strides[0],
            dy_set: self.set_strides[dy],
            y_set: self.set_strides[y],
            x_row: self.rows.strides[0],
            dy_row: self.rows.strides[dy],
            y_row: self.rows.strides[y],
            mean: null,
            scale: null,
            slope: null,
            offset: null,
            centre: null,
            sum: core::ptr::null_mut(),
            square: core::ptr::null_mut(),
            column_sum: null_mut,
            column_square: null_mut,
            weight: core::ptr::null(),
            bias: core::ptr::null(),
            dweight: null_mut,
            dbias: null_mut,
            stream: false,
            ahead: 0,
        }
    }

    /// Whether the rows of these sets of a run start at cache lines, if those of the run do.
    pub(super) fn keeps_lines<T>(&self, sets: &Flight<K>) -> bool {
        self.form == Form::Segments || sets.first.is_multiple_of(64 / size_of::<T>())
    }

    /// Whether the tensors are read from memory, or as good as that.
    pub(super) fn is_distant<T>(&self) -> bool {
        cache::is_far(self.total.saturating_mul(2 * K * size_of::<T>()))
    }

    /// Whether stores to the last operand, at `y`, should go past the caches: where the tensors exceed the last level and, of
    /// segments, the lines at their ends, which go through the caches, are few; of columns, every row starts at a multiple of
    /// 64 bytes.
    pub(super) fn streams<T>(&self, y: *const T) -> bool {
        let (line, k) = (64 / size_of::<T>(), K - 1);
        cache::is_far(self.total.saturating_mul(K * size_of::<T>()))
            && match self.form {
                Form::Segments => self.n >= 16 * line,
                Form::Columns | Form::ColumnsByRow => {
                    y.addr().is_multiple_of(64) && self.kept.keeps_aligned(k, line) && self.rows.keeps_aligned(k, line)
                }
            }
    }
}

#[cfg(test)]
mod tests;
