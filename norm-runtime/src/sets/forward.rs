//! The forward passes that take statistics of what they are given.

use super::SetArgs;
use super::entry::PassKernels;
use super::flight::Pad;
use super::problem::{Flight, Form, Problem};
use super::statistics::Formula;
use crate::cache::{self, fence};
use crate::careful;
use crate::dtype::{Compute, Element};
use crate::rows::{ForwardArgs, Kernel, Params};
use crate::saved::{Places, Saved};
use crate::scratch::Memory;
use crate::spec::Spec;
use crate::threads::{self, Shared};
use crate::untyped::ParamPlaces;
use crate::vectorize::vectorize;
use core::ops::Range;

/// A forward pass whose arguments have been checked.
pub(super) struct Forward<'a, T: Element> {
    pub(super) spec: &'static Spec,
    pub(super) problem: &'a Problem<2>,
    pub(super) kernels: PassKernels<T, ForwardArgs<T, ()>>,
    pub(super) x: *const T,
    /// May be `x`.
    pub(super) y: *mut T,
    pub(super) params: Params<'a, T::Compute>,
    /// The same as kernels take them.
    pub(super) places: ParamPlaces<'a>,
    pub(super) eps: T::Compute,
}

impl<'a, T: Element> Forward<'a, T> {
    /// Normalizes all sets and, with `saved` (which has room for them), keeps their statistics.
    ///
    /// # Safety
    /// `x` and `y` are those that the problem was made for, which has elements; the kernels keep to the contract of [`SetArgs`]
    /// for it, at a level that is available; the parameters have the length that the problem says.
    pub(super) unsafe fn run(&self, saved: Option<&mut Saved<T::Compute>>) {
        let problem = self.problem;
        let len = problem.flight_len(size_of::<T>());
        let stream = self.x != self.y.cast_const() && problem.streams(self.y);
        let flights = problem.kept.total * problem.flights(len);
        let pieces = threads::pieces(problem.bytes::<T>(problem.sets).saturating_mul(problem.kept.total), flights);
        // SAFETY: pieces are sets of their own, of `y` and of the statistics; the call waits for all of them.
        let shared = unsafe { Shared::new((self, Places::of(saved))) };
        threads::for_each(pieces, &|piece| {
            let (pass, saved) = shared.get();
            let mut memory = Memory::default();
            let mut pad = Pad::new(&mut memory, len, 0);
            pass.problem.for_each_flight(len, threads::piece(piece, pieces, flights), &mut |flight| {
                // SAFETY: the caller's contract.
                unsafe { pass.flight(&mut pad, flight, stream, saved) };
            });
            fence(stream);
        });
    }

    unsafe fn flight(
        &self,
        pad: &mut Pad<'_, T::Compute>,
        flight: &Flight<2>,
        stream: bool,
        saved: Places<T::Compute>,
    ) {
        let (sums, output) = match self.kernels {
            PassKernels::Sweeps { sums, output } => (sums, output),
            // SAFETY: the caller's contract.
            PassKernels::Rows(kernel) => return unsafe { self.rows(kernel, flight, stream, saved) },
        };
        let Problem { fuse, .. } = *self.problem;
        let sets = flight.sets;
        let formula = Formula {
            set_len: self.problem.set_len() as f64,
            fuse,
            eps: self.eps.to_f64(),
            centred: self.spec.centred,
            of_sum: self.spec.of_sum,
        };
        let rows = 0..self.problem.rows.total;
        // SAFETY: the caller's contract.
        unsafe {
            self.pivots(sums, pad, flight);
            self.sums(sums, pad, flight, rows.clone());
            if formula.moments(pad, sets) && formula.improve_pivots(pad, sets) {
                self.sums(sums, pad, flight, rows);
                formula.moments(pad, sets);
            }
        }
        formula.statistics(pad, sets);
        let index = self.problem.index(flight) / fuse;
        let values = [&pad.mean[..sets], &pad.centre[..sets], &pad.scale[..sets], &pad.slope[..sets]];
        // SAFETY: the caller's contract: where they are kept there is room for all sets, of which these are the flight's.
        unsafe { saved.set_all(index, fuse, values) };
        self.fold(pad, flight);
        self.mark_scales(pad, sets);
        if pad.careful[..sets].iter().any(|&flag| flag != 0) {
            for start in (0..sets).step_by(fuse).filter(|&start| pad.careful[start] != 0) {
                // SAFETY: the caller's contract.
                let statistics = unsafe { self.careful(flight, start) };
                let (mean, rstd, variance) = (statistics.mean(), statistics.rstd(), statistics.variance());
                // SAFETY: as above.
                unsafe { saved.set(index + start / fuse, mean, rstd, variance) };
            }
        }
        let mut rest = 0..sets;
        while let Some(range) = pad.next_good(&mut rest) {
            // SAFETY: the caller's contract.
            unsafe { self.output(output, pad, flight, &range, stream) };
        }
    }

    /// A number near the mean of each set: the mean of its first elements, up to 16, taken relative to the first one, so that it
    /// is exactly the element where all are equal.
    unsafe fn pivots(&self, sums: Kernel<SetArgs<T, ()>>, pad: &mut Pad<'_, T::Compute>, flight: &Flight<2>) {
        let problem = self.problem;
        if !self.spec.centred {
            pad.mean[..flight.sets].fill(T::Compute::default());
            return;
        }
        if problem.form != Form::Segments {
            // SAFETY: the caller's contract.
            return unsafe { self.pivots_of_columns(sums, pad, flight) };
        }
        let n = problem.n.min(16);
        let share = T::Compute::from_f64(1.0 / n as f64);
        for set in 0..flight.sets {
            let at = flight.offsets[0] + (flight.first + set) * problem.set_strides[0];
            // SAFETY: the first `n` elements of the set's first row, which are among those of `x`.
            let element = |i: usize| unsafe { self.x.add(at + i).read() }.widen();
            let first = element(0);
            // Four chains, which the compiler makes a vector of: one took a quarter of the time on channels of 8 x 8.
            let mut sums = [T::Compute::default(); 4];
            for i in 0..n / 4 {
                for (k, sum) in sums.iter_mut().enumerate() {
                    *sum += element(4 * i + k) - first;
                }
            }
            for i in n / 4 * 4..n {
                sums[0] += element(i) - first;
            }
            pad.mean[set] = first + ((sums[0] + sums[2]) + (sums[1] + sums[3])) * share;
        }
    }

    /// As [`Forward::pivots`], of the first rows.
    unsafe fn pivots_of_columns(
        &self,
        sums: Kernel<SetArgs<T, ()>>,
        pad: &mut Pad<'_, T::Compute>,
        flight: &Flight<2>,
    ) {
        let first = flight.offsets[0] + flight.first;
        for (set, pivot) in pad.mean[..flight.sets].iter_mut().enumerate() {
            // SAFETY: the first row of the flight's columns, which lie side by side.
            *pivot = unsafe { self.x.add(first + set).read() }.widen();
        }
        let rows = self.problem.rows.total.min(16);
        // SAFETY: the caller's contract; the rows are the first ones.
        unsafe { self.sums(sums, pad, flight, 0..rows) };
        let share = 1.0 / rows as f64;
        let pivots = pad.mean[..flight.sets].iter_mut().zip(&*pad.sum);
        vectorize(
            #[inline(always)]
            || {
                for (pivot, sum) in pivots {
                    *pivot = T::Compute::from_f64(pivot.to_f64() + sum * share);
                }
            },
        );
    }

    unsafe fn sums(
        &self,
        kernel: Kernel<SetArgs<T, ()>>,
        pad: &mut Pad<'_, T::Compute>,
        flight: &Flight<2>,
        rows: Range<usize>,
    ) {
        // SAFETY: nothing is written through it.
        let shared = unsafe { Shared::new(self) };
        pad.sum_rows(self.problem, flight, &(0..flight.sets), rows, &|args, _, [at, _]| {
            let pass = shared.get();
            // SAFETY: `at` is where these rows of the flight start, and `pad` has a number for each set of it.
            unsafe { kernel(&SetArgs { x: pass.x.add(at), ..args }) };
        });
    }

    /// Statistics and parameters, as the output's numbers: `scale` is `rstd * weight`, `offset` what is left of the mean, so scaled,
    /// and the bias.
    fn fold(&self, pad: &mut Pad<'_, T::Compute>, flight: &Flight<2>) {
        let sets = flight.first..flight.first + flight.sets;
        let of_sets = |values: Option<&'a [T::Compute]>| match self.problem.form {
            Form::ColumnsByRow => None,
            _ => values.map(|values| &values[sets.clone()]),
        };
        let (weight, bias) = (of_sets(self.params.weight), of_sets(self.params.bias));
        // Slices of one length, so that no index is checked in the loops.
        let (offsets, scales) = (&mut pad.sum[..flight.sets], &mut pad.square[..flight.sets]);
        let (offset, scale) = (&mut pad.offset[..flight.sets], &mut pad.scale[..flight.sets]);
        vectorize(
            #[inline(always)]
            || {
                for (offset, scale) in offsets.iter_mut().zip(&*scales) {
                    *offset *= -scale;
                }
                if let Some(weight) = weight {
                    for ((offset, scale), weight) in offsets.iter_mut().zip(&mut *scales).zip(weight) {
                        let weight = weight.to_f64();
                        *offset *= weight;
                        *scale *= weight;
                    }
                }
                if let Some(bias) = bias {
                    for (offset, bias) in offsets.iter_mut().zip(bias) {
                        *offset += bias.to_f64();
                    }
                }
                for (to, from) in offset.iter_mut().zip(&*offsets) {
                    *to = T::Compute::from_f64(*from);
                }
                for (to, from) in scale.iter_mut().zip(&*scales) {
                    *to = T::Compute::from_f64(*from);
                }
            },
        );
    }

    /// Marks groups in which `rstd * weight` leaves the range that it keeps its precision in, where the two one after the other do not.
    fn mark_scales(&self, pad: &mut Pad<'_, T::Compute>, sets: usize) {
        let (smallest, largest) = (T::Compute::SMALLEST, T::Compute::LARGEST);
        let zero = T::Compute::default();
        let leaves = |scale: &T::Compute| (*scale != zero && scale.abs() < smallest) || scale.abs() > largest;
        let scales = &pad.scale[..sets];
        // Not `any`: a loop that may end early is no vector's.
        let any = vectorize(
            #[inline(always)]
            || scales.iter().fold(false, |any, scale| any | leaves(scale)),
        );
        if any {
            let fuse = self.problem.fuse;
            for (careful, scales) in pad.careful[..sets].chunks_mut(fuse).zip(pad.scale[..sets].chunks(fuse)) {
                if scales.iter().any(leaves) {
                    careful.fill(1);
                }
            }
        }
    }

    /// Reads the group that starts at set `start` of the flight again, and normalizes it, one element at a time.
    unsafe fn careful(&self, flight: &Flight<2>, start: usize) -> careful::Statistics<T::Compute> {
        let problem = self.problem;
        let element = |i: usize| problem.element(flight, flight.first + start, i);
        // SAFETY: all elements of the group are among those of `x`.
        let x = |i: usize| unsafe { self.x.add(element(i).0[0]).read() }.widen();
        let (centred, of_sum) = (self.spec.centred, self.spec.of_sum);
        let statistics = careful::Statistics::new(problem.count(), x, self.eps, centred, of_sum);
        for i in 0..problem.count() {
            let ([_, to], set, row) = element(i);
            let (weight, bias) = self.params.at(if problem.form == Form::ColumnsByRow { row } else { set });
            let [weight, bias] = [weight, bias].map(T::Compute::from_f64);
            let value = self.spec.cast.apply::<T>(statistics.normalized(x(i))) * weight + bias;
            // SAFETY: as above, of `y`; where it is `x`, element `i` is read no more.
            unsafe { self.y.add(to).write(T::narrow(value)) };
        }
        statistics
    }

    /// Both sweeps of sets that are rows.
    unsafe fn rows(
        &self,
        kernel: Kernel<ForwardArgs<T, ()>>,
        flight: &Flight<2>,
        stream: bool,
        saved: Places<T::Compute>,
    ) {
        let problem = self.problem;
        let [x, y] = problem.start(flight);
        let (weight, bias) = self.places.at(flight.first);
        let [mean, residual, rstd] = saved.at(problem.index(flight));
        let bytes = problem.total.saturating_mul(2 * size_of::<T>());
        // SAFETY: the caller's contract: these are where the flight's sets start, which are rows, side by side in the operands, in the
        // parameters and in the statistics.
        unsafe {
            kernel(&ForwardArgs {
                x: self.x.add(x),
                y: self.y.add(y),
                weight,
                bias,
                rows: flight.sets,
                x_stride: problem.set_strides[0],
                y_stride: problem.set_strides[1],
                n: problem.n,
                eps: self.eps,
                together: !stream && cache::takes_together::<T>(bytes, problem.n),
                stream,
                mean,
                residual,
                rstd,
            });
        }
    }

    unsafe fn output(
        &self,
        kernel: Kernel<SetArgs<T, ()>>,
        pad: &mut Pad<'_, T::Compute>,
        flight: &Flight<2>,
        range: &Range<usize>,
        stream: bool,
    ) {
        let problem = self.problem;
        let part = flight.part(range);
        let mut args = problem.args(part.sets, 0);
        pad.point(&mut args, range.start);
        args.stream = stream && problem.keeps_lines::<T>(&part);
        args.ahead = part.sets;
        // SAFETY: pieces are rows of their own, of `y`; the call waits for all of them.
        let shared = unsafe { Shared::new((self, &args)) };
        problem.share_rows::<T>(&part, &|first, rows, [from, to]| {
            let (pass, args) = shared.get();
            let mut args = SetArgs { rows, ..*args };
            if pass.problem.form == Form::ColumnsByRow {
                (args.weight, args.bias) = pass.places.at(first);
            }
            // SAFETY: these are where the rows of this part of the flight start; `pad` has numbers for its sets; the parameters
            // by row are those from `first` on.
            unsafe {
                let (x, y) = (pass.x.add(from), pass.y.add(to));
                kernel(&SetArgs { x, y, ..args });
            }
        });
    }
}
