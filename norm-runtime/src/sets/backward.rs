//! The backward pass through statistics of what the forward pass was given.

use super::SetArgs;
use super::entry::PassKernels;
use super::flight::{Pad, add};
use super::problem::{Flight, Form, Problem};
use crate::cache::fence;
use crate::careful;
use crate::dtype::{Compute, Element};
use crate::rows::{BackwardArgs, Kernel, PADDING, ParamGrads, Params};
use crate::saved::Saved;
use crate::scratch::Memory;
use crate::spec::Spec;
use crate::threads::{self, Shared};
use crate::untyped::ParamPlaces;
use crate::vectorize::vectorize;
use core::ops::Range;

/// A backward pass whose arguments have been checked.
pub(super) struct Backward<'a, T: Element> {
    pub(super) spec: &'static Spec,
    pub(super) problem: &'a Problem<3>,
    pub(super) kernels: PassKernels<T, BackwardArgs<T, ()>>,
    pub(super) x: *const T,
    pub(super) dy: *const T,
    /// The gradient of a weight's vectors, which are parameters, is of the type that is computed in.
    pub(super) dx: *mut T,
    pub(super) params: Params<'a, T::Compute>,
    /// The same as kernels take them.
    pub(super) places: ParamPlaces<'a>,
    pub(super) saved: &'a Saved<T::Compute>,
}

/// Columns by row: elements of a row that are summed, a vector side by side, before the sums are added up in f64.
const LONGEST_PARTIAL: usize = 4096;

/// Groups of runs whose gradients of parameters are summed apart: enough for any number of threads that a call is shared among.
const MOST_GROUPS: usize = 64;

/// Where the gradients of the parameters are summed: those of the weight, then those of the bias.
#[derive(Clone, Copy)]
struct Sums {
    at: *mut f64,
    params: usize,
}

impl Sums {
    /// # Safety
    /// `range` is one of parameters; nothing else refers to the sums of these while 'a lasts.
    unsafe fn of<'a>(self, range: Range<usize>) -> [&'a mut [f64]; 2] {
        debug_assert!(range.end <= self.params);
        // SAFETY: the caller's contract; the two halves do not overlap.
        [0, self.params]
            .map(|half| unsafe { core::slice::from_raw_parts_mut(self.at.add(half + range.start), range.len()) })
    }
}

impl<T: Element> Backward<'_, T> {
    /// Writes the gradient of `x` and adds those of the parameters to `grads`.
    ///
    /// Sums over several runs are added up in f64: in the order of the runs in groups of them, which the shape alone tells, and then
    /// in the order of the groups.
    ///
    /// # Safety
    /// As for `Forward::run`, with `dy` and `dx`; `saved` has all statistics, and `grads` the length that the problem says.
    pub(super) unsafe fn run(&self, mut grads: ParamGrads<'_, T::Compute>) {
        let problem = self.problem;
        let len = problem.flight_len(size_of::<T>());
        let stream = problem.streams(self.dx) && !self.spec.of_sum;
        let by_row = problem.form == Form::ColumnsByRow;
        let partial_rows = if by_row && grads.weight.is_some() { problem.rows.total } else { 0 };
        // No more of them than make a fraction of the tensors' own memory.
        let most = MOST_GROUPS.min(problem.total / (16 * problem.params())).max(1);
        let runs = problem.kept.total.div_ceil(most).next_multiple_of(self.runs_a_partial());
        let groups = problem.kept.total.div_ceil(runs);
        // Partial sums of rows go through all flights of a run; those of channels are each flight's own.
        let shares = if by_row { 1 } else { problem.flights(len) };
        let bytes = problem.bytes::<T>(problem.sets).saturating_mul(problem.kept.total);
        let pieces = threads::pieces(bytes, groups * shares);
        let size = 2 * problem.params();
        let mut memory = Memory::default();
        let memory: &mut [f64] = memory.elements(groups * size);
        memory.fill(0.0);
        // SAFETY: pieces are groups or sets of their own, of `dx` and of the sums; the call waits for all of them.
        let shared = unsafe { Shared::new((self, memory.as_mut_ptr())) };
        threads::for_each(pieces, &|piece| {
            let (pass, memory) = shared.get();
            let problem = pass.problem;
            let mut scratch = Memory::default();
            let mut pad = Pad::new(&mut scratch, len, partial_rows);
            for share in threads::piece(piece, pieces, groups * shares) {
                let (group, flight) = (share / shares, share % shares);
                let sums = Sums { at: memory.wrapping_add(group * size), params: problem.params() };
                for run in group * runs..problem.kept.total.min((group + 1) * runs) {
                    let first = run * problem.flights(len) + flight;
                    let count = if by_row { problem.flights(len) } else { 1 };
                    // SAFETY: the caller's contract; no other piece has this group's sums of these sets.
                    problem.for_each_flight(len, first..first + count, &mut |flight| unsafe {
                        pass.flight(&mut pad, flight, sums, stream);
                    });
                }
                // SAFETY: as above.
                unsafe { collect_partials(&mut pad, sums) };
            }
            fence(stream);
        });
        for sums in memory.chunks_exact(size) {
            let (dweight, dbias) = sums.split_at(problem.params());
            add_grads(grads.weight.as_deref_mut(), dweight);
            add_grads(grads.bias.as_deref_mut(), dbias);
        }
    }

    /// How many runs go by before partial sums of rows are added up.
    fn runs_a_partial(&self) -> usize {
        (LONGEST_PARTIAL / self.problem.sets.max(1)).max(1)
    }

    /// Where that element of `dx` is.
    fn dx_at(&self, offset: usize) -> *mut T {
        if self.spec.of_sum {
            self.dx.cast::<T::Compute>().wrapping_add(offset).cast()
        } else {
            self.dx.wrapping_add(offset)
        }
    }

    unsafe fn flight(&self, pad: &mut Pad<'_, T::Compute>, flight: &Flight<3>, grads: Sums, stream: bool) {
        let (sums, output) = match self.kernels {
            PassKernels::Sweeps { sums, output } => (sums, output),
            // SAFETY: the caller's contract.
            PassKernels::Rows(kernel) => return unsafe { self.rows(kernel, pad, flight, grads, stream) },
        };
        let Problem { fuse, form, .. } = *self.problem;
        let sets = flight.sets;
        let careful = self.prepare(pad, flight);
        // Strips that end at absolute multiples: sums do not show how flights were cut.
        let mut start = 0;
        while start < sets {
            let strip = LONGEST_PARTIAL - (flight.first + start) % LONGEST_PARTIAL;
            let end = sets.min(start + strip);
            let mut rest = start..end;
            while let Some(range) = pad.next_good(&mut rest) {
                // SAFETY: the caller's contract.
                unsafe { self.sums(sums, pad, flight, &range) };
            }
            let runs = self.runs_a_partial();
            let ends = flight.first + end == self.problem.sets && (flight.run + 1).is_multiple_of(runs);
            if ends || (flight.first + end).is_multiple_of(LONGEST_PARTIAL) {
                // SAFETY: the caller's contract.
                unsafe { collect_partials(pad, grads) };
            }
            start = end;
        }
        if careful {
            for start in (0..sets).step_by(fuse) {
                if pad.careful[start] != 0 {
                    pad.sum[start..start + fuse].fill(0.0);
                    pad.square[start..start + fuse].fill(0.0);
                    // SAFETY: the caller's contract.
                    unsafe { self.careful(flight, start, Some(grads)) };
                }
            }
        }
        if form != Form::ColumnsByRow {
            // SAFETY: the caller's contract.
            let [dweight, dbias] = unsafe { grads.of(flight.first..flight.first + sets) };
            add(dweight, pad.square);
            add(dbias, pad.sum);
        }
        self.fold(pad, flight);
        // A gradient so large that a number does not fit, though its product with the element may.
        let infinite = |slope: &T::Compute| slope.abs() > T::Compute::LARGEST;
        if pad.slope[..sets].iter().any(infinite) {
            for start in (0..sets).step_by(fuse) {
                if pad.careful[start] == 0 && infinite(&pad.slope[start]) {
                    pad.careful[start..start + fuse].fill(1);
                    // SAFETY: the caller's contract.
                    unsafe { self.careful(flight, start, None) };
                }
            }
        }
        let mut rest = 0..sets;
        while let Some(range) = pad.next_good(&mut rest) {
            // SAFETY: the caller's contract.
            unsafe { self.output(output, pad, flight, &range, stream) };
        }
    }

    /// The statistics of the flight's sets, as the numbers of the sums; whether there are sets whose magnitude leaves the range of
    /// the kernels.
    fn prepare(&self, pad: &mut Pad<'_, T::Compute>, flight: &Flight<3>) -> bool {
        let sets = flight.sets;
        if self.problem.fuse == 1 && self.spec.centred {
            let index = self.problem.index(flight);
            pad.mean[..sets].copy_from_slice(&self.saved.mean()[index..][..sets]);
            pad.offset[..sets].copy_from_slice(&self.saved.residual()[index..][..sets]);
            pad.scale[..sets].copy_from_slice(&self.saved.rstd()[index..][..sets]);
        } else {
            for set in 0..sets {
                [pad.mean[set], pad.offset[set], pad.scale[set]] = self.statistics(flight, set);
            }
        }
        let numbers = pad.offset[..sets].iter_mut().zip(&pad.scale[..sets]).zip(&mut pad.careful[..sets]);
        vectorize(
            #[inline(always)]
            || {
                let mut any = false;
                for ((offset, &rstd), careful) in numbers {
                    let square = rstd * rstd;
                    let good = square <= T::Compute::STEADY && square * T::Compute::STEADY >= T::Compute::ONE;
                    *offset = T::Compute::default() - *offset * rstd;
                    *careful = u8::from(!good);
                    any |= !good;
                }
                any
            },
        )
    }

    /// The mean, its residual and `rstd` of a set of the flight.
    fn statistics(&self, flight: &Flight<3>, set: usize) -> [T::Compute; 3] {
        let index = (self.problem.index(flight) + set) / self.problem.fuse;
        let rstd = self.saved.rstd()[index];
        if self.spec.centred {
            [self.saved.mean()[index], self.saved.residual()[index], rstd]
        } else {
            [T::Compute::default(), T::Compute::default(), rstd]
        }
    }

    unsafe fn sums(
        &self,
        kernel: Kernel<SetArgs<T, ()>>,
        pad: &mut Pad<'_, T::Compute>,
        flight: &Flight<3>,
        range: &Range<usize>,
    ) {
        let by_row = self.problem.form == Form::ColumnsByRow;
        let has_grads = !pad.weight_partial.is_empty();
        let partials = [pad.weight_partial.as_mut_ptr(), pad.bias_partial.as_mut_ptr()];
        // SAFETY: pieces are sets or rows of their own, and the partial sums are those of rows.
        let shared = unsafe { Shared::new((self, partials)) };
        pad.sum_rows(self.problem, flight, range, 0..self.problem.rows.total, &|mut args, first, [x, dy, _]| {
            let (pass, partials) = shared.get();
            if by_row {
                (args.weight, _) = pass.places.at(first);
            }
            if has_grads {
                [args.dweight, args.dbias] = partials.map(|partial| partial.wrapping_add(first * PADDING));
            }
            // SAFETY: these are where the rows of this part of the flight start; `pad` has numbers for its sets and, by row,
            // partial sums for the rows from `first` on.
            unsafe {
                let (x, dy) = (pass.x.add(x), pass.dy.add(dy));
                kernel(&SetArgs { x, dy, ..args });
            }
        });
    }

    /// `dx = rstd * (g - mean(g) - h * mean(g * h))`, `h = (x - mean) * rstd + offset`, as the output's numbers.
    ///
    /// Where sets do not share statistics the mean of `g` is subtracted from `g` itself, so that the gradient of a single element
    /// is exactly 0.
    fn fold(&self, pad: &mut Pad<'_, T::Compute>, flight: &Flight<3>) {
        let (sets, fuse) = (flight.sets, self.problem.fuse);
        let weight = match self.params.weight {
            Some(weight) if self.problem.form != Form::ColumnsByRow => Some(&weight[flight.first..][..sets]),
            _ => None,
        };
        let count = self.problem.count() as f64;
        let inverse = 1.0 / count;
        // Products of the weight with each set's sums, in their places.
        if let Some(weight) = weight {
            for (square, weight) in pad.square.iter_mut().zip(weight) {
                *square *= weight.to_f64();
            }
        }
        if fuse > 1 {
            for start in (0..sets).step_by(fuse) {
                let group = start..start + fuse;
                let weight = |set: usize| weight.map_or(1.0, |weight| weight[set].to_f64());
                let product = pad.square[group.clone()].iter().sum::<f64>();
                let mean_g = group.clone().map(|set| weight(set) * pad.sum[set]).sum::<f64>();
                pad.square[group.clone()].fill(product);
                pad.sum[group].fill(mean_g);
            }
        }
        // The direction of a single element does not change.
        let moves = if self.spec.of_sum && count == 1.0 { 0.0 } else { 1.0 };
        let share = if self.spec.of_sum { 1.0 } else { inverse };
        // Slices of one length, so that no index is checked in the loop.
        let (sums, squares) = (&pad.sum[..sets], &pad.square[..sets]);
        let (scale, slope) = (&mut pad.scale[..sets], &mut pad.slope[..sets]);
        let (offset, centre) = (&mut pad.offset[..sets], &mut pad.centre[..sets]);
        let alone = fuse == 1;
        vectorize(
            #[inline(always)]
            || {
                for set in 0..sets {
                    let (rstd, mean_g) = (scale[set].to_f64() * moves, sums[set] * inverse);
                    let product = squares[set] * share * rstd;
                    slope[set] = T::Compute::from_f64(-product * rstd);
                    scale[set] = T::Compute::from_f64(rstd);
                    let left = -product * offset[set].to_f64();
                    offset[set] = T::Compute::from_f64(if alone { left } else { left - rstd * mean_g });
                    centre[set] = if alone { T::Compute::from_f64(mean_g) } else { T::Compute::default() };
                }
            },
        );
        if let Some(weight) = weight {
            for (scale, weight) in pad.scale.iter_mut().zip(weight) {
                *scale = *scale * *weight;
            }
        }
    }

    /// The gradient of the group that starts at set `start` of the flight, one element at a time; with `grads`, also what it adds to
    /// those of the parameters.
    unsafe fn careful(&self, flight: &Flight<3>, start: usize, grads: Option<Sums>) {
        let problem = self.problem;
        let statistics = self.statistics(flight, start);
        let element = |i: usize| {
            let (at, set, row) = problem.element(flight, flight.first + start, i);
            (at, if problem.form == Form::ColumnsByRow { row } else { set })
        };
        // SAFETY: all elements of the group are among those of `x` and `dy`.
        let x = |i: usize| unsafe { self.x.add(element(i).0[0]).read() }.widen();
        // SAFETY: as above.
        let dy = |i: usize| unsafe { self.dy.add(element(i).0[1]).read() }.widen();
        let g = |i: usize| dy(i) * T::Compute::from_f64(self.params.at(element(i).1).0);
        let (centred, of_sum) = (self.spec.centred, self.spec.of_sum);
        let gradient = careful::Gradient::new(problem.count(), x, g, statistics, centred, of_sum);
        for i in 0..problem.count() {
            let ([_, _, to], param) = element(i);
            let h = gradient.normalized(x(i));
            if let Some(grads) = grads {
                // SAFETY: the caller's contract: sums of parameters of this flight.
                let [dweight, dbias] = unsafe { grads.of(param..param + 1) };
                dweight[0] += dy(i).to_f64() * self.spec.cast.apply::<T>(h).to_f64();
                dbias[0] += dy(i).to_f64();
            }
            let value = gradient.of(g(i), h);
            let to = self.dx_at(to);
            // SAFETY: as above, of `dx`, which is neither of them.
            unsafe {
                if of_sum {
                    // A gradient of parameters is added to.
                    *to.cast::<T::Compute>() += value;
                } else {
                    to.write(T::narrow(value));
                }
            }
        }
    }

    /// Both sweeps of sets that are rows.
    unsafe fn rows(
        &self,
        kernel: Kernel<BackwardArgs<T, ()>>,
        pad: &mut Pad<'_, T::Compute>,
        flight: &Flight<3>,
        grads: Sums,
        stream: bool,
    ) {
        let (problem, saved) = (self.problem, self.saved);
        let [x, dy, dx] = problem.start(flight);
        let index = problem.index(flight);
        // Where nothing is given, there are zeros.
        let (dweights, dbiases) = (&mut pad.scale[..flight.sets], &mut pad.offset[..flight.sets]);
        dweights.fill(T::Compute::default());
        dbiases.fill(T::Compute::default());
        // SAFETY: the caller's contract: these are where the flight's sets start, which are rows, side by side in the operands, in the
        // parameters and in the statistics; `pad` has room for a number of each.
        unsafe {
            kernel(&BackwardArgs {
                x: self.x.add(x),
                dy: self.dy.add(dy),
                dx: self.dx_at(dx),
                weight: self.places.at(flight.first).0,
                mean: saved.mean().as_ptr().wrapping_add(index),
                residual: saved.residual().as_ptr().wrapping_add(index),
                rstd: saved.rstd().as_ptr().add(index),
                dweight: dweights.as_mut_ptr(),
                dbias: dbiases.as_mut_ptr(),
                rows: flight.sets,
                x_stride: problem.set_strides[0],
                dy_stride: problem.set_strides[1],
                dx_stride: problem.set_strides[2],
                n: problem.n,
                stream,
            });
        }
        // SAFETY: the caller's contract.
        let [dweight, dbias] = unsafe { grads.of(flight.first..flight.first + flight.sets) };
        add(dweight, dweights);
        add(dbias, dbiases);
    }

    unsafe fn output(
        &self,
        kernel: Kernel<SetArgs<T, ()>>,
        pad: &mut Pad<'_, T::Compute>,
        flight: &Flight<3>,
        range: &Range<usize>,
        stream: bool,
    ) {
        let problem = self.problem;
        let part = flight.part(range);
        let mut args = problem.args(part.sets, 0);
        pad.point(&mut args, range.start);
        args.stream = stream && problem.keeps_lines::<T>(&part);
        args.ahead = part.sets;
        // SAFETY: pieces are rows of their own, of `dx`; the call waits for all of them.
        let shared = unsafe { Shared::new((self, &args)) };
        problem.share_rows::<T>(&part, &|first, rows, [x, dy, dx]| {
            let (pass, args) = shared.get();
            let mut args = SetArgs { rows, ..*args };
            if pass.problem.form == Form::ColumnsByRow {
                (args.weight, _) = pass.places.at(first);
            }
            // SAFETY: these are where the rows of this part of the flight start; `pad` has numbers for its sets.
            unsafe {
                let (x, dy, y) = (pass.x.add(x), pass.dy.add(dy), pass.dx_at(dx));
                kernel(&SetArgs { x, dy, y, ..args });
            }
        });
    }
}

/// Adds the partial sums of each row up, and makes them zero.
///
/// # Safety
/// No other thread has sums of the rows that `pad` has partial ones of.
unsafe fn collect_partials<A: Compute>(pad: &mut Pad<'_, A>, grads: Sums) {
    let rows = pad.weight_partial.len() / PADDING;
    // SAFETY: the caller's contract; those rows are the parameters.
    let [dweight, dbias] = unsafe { grads.of(0..rows) };
    let of = |sums: &mut [f64], partials: &mut [A]| {
        for (sum, partials) in sums.iter_mut().zip(partials.chunks_exact_mut(PADDING)) {
            let mut lanes = [0.0; PADDING];
            add(&mut lanes, partials);
            *sum += lanes.iter().sum::<f64>();
            partials.fill(A::default());
        }
    };
    of(dweight, pad.weight_partial);
    of(dbias, pad.bias_partial);
}

/// Adds gradients to what the caller has.
pub(super) fn add_grads<A: Compute>(grads: Option<&mut [A]>, values: &[f64]) {
    for (grad, &value) in grads.into_iter().flatten().zip(values) {
        *grad = A::from_f64(grad.to_f64() + value);
    }
}
