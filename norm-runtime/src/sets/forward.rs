//! The forward passes that take statistics of what they are given.

use super::SetArgs;
use super::flight::{self, Pad};
use super::problem::{Flight, Form, Problem, fence};
use super::statistics::{Formula, Statistics};
use crate::careful;
use crate::dtype::{Compute, Element};
use crate::rows::{Kernel, Params};
use crate::saved::Saved;
use crate::spec::Spec;
use core::ops::Range;

/// A forward pass whose arguments have been checked.
pub(super) struct Forward<'a, T: Element, P> {
    pub(super) spec: &'static Spec,
    pub(super) problem: &'a Problem<2>,
    /// The kernels of the two sweeps.
    pub(super) sums: Kernel<SetArgs<T, P>>,
    pub(super) output: Kernel<SetArgs<T, P>>,
    pub(super) x: *const T,
    /// May be `x`.
    pub(super) y: *mut T,
    pub(super) params: Params<'a, P>,
    pub(super) eps: T::Compute,
}

impl<T: Element, P: Element<Compute = T::Compute>> Forward<'_, T, P> {
    /// Normalizes all sets and, with `saved` (which has room for them), keeps their statistics.
    ///
    /// # Safety
    /// `x` and `y` are those that the problem was made for, which has elements; the kernels keep to the contract of [`SetArgs`]
    /// for it, at a level that is available; the parameters have the length that the problem says.
    pub(super) unsafe fn run(&self, mut saved: Option<&mut Saved<T::Compute>>) {
        let problem = self.problem;
        let len = problem.flight_len(size_of::<T>());
        let stream = self.x != self.y.cast_const() && problem.streams(self.y);
        flight::with(len, 0, 0, |pad| {
            problem.for_each_flight(len, |flight| {
                // SAFETY: the caller's contract.
                unsafe { self.flight(pad, flight, stream, saved.as_deref_mut()) };
            });
        });
        fence(stream);
    }

    unsafe fn flight(
        &self,
        pad: &mut Pad<'_, T::Compute>,
        flight: &Flight<2>,
        stream: bool,
        mut saved: Option<&mut Saved<T::Compute>>,
    ) {
        let Problem { fuse, .. } = *self.problem;
        let formula = Formula {
            set_len: self.problem.set_len() as f64,
            eps: self.eps.to_f64(),
            centred: self.spec.centred,
            of_sum: self.spec.of_sum,
        };
        pad.careful.fill(0);
        // SAFETY: the caller's contract.
        unsafe {
            if self.spec.centred {
                self.pivots(pad, flight);
            }
            self.sums(pad, flight, 0..self.problem.rows.total);
            if self.spec.centred && formula.improve_pivots(pad, flight.sets) {
                self.sums(pad, flight, 0..self.problem.rows.total);
            }
        }
        for start in (0..flight.sets).step_by(fuse) {
            let group = start..start + fuse;
            let statistics = formula.merge(pad, &group);
            let index = (flight.run * self.problem.sets + flight.first + start) / fuse;
            if statistics.good {
                if let Some(saved) = saved.as_deref_mut() {
                    let (rstd, variance) = (statistics.rstd, statistics.variance);
                    let [rstd, variance] = [rstd, variance].map(T::Compute::from_f64);
                    saved.set(index, statistics.split_mean(), rstd, variance);
                }
                self.fold(pad, flight, &group, &statistics);
            } else {
                pad.careful[group].fill(1);
                // SAFETY: the caller's contract.
                let statistics = unsafe { self.careful(flight, start) };
                if let Some(saved) = saved.as_deref_mut() {
                    saved.set(index, statistics.mean(), statistics.rstd(), statistics.variance());
                }
            }
        }
        for range in pad.good_ranges(flight.sets) {
            // SAFETY: the caller's contract.
            unsafe { self.output(pad, flight, &range, stream) };
        }
    }

    /// A number near the mean of each set: the mean of its first elements, up to 16, taken relative to the first one, so that it
    /// is exactly the element where all are equal.
    unsafe fn pivots(&self, pad: &mut Pad<'_, T::Compute>, flight: &Flight<2>) {
        let problem = self.problem;
        let n = problem.n.min(16);
        let share = T::Compute::from_f64(1.0 / n as f64);
        for set in 0..flight.sets {
            let at = flight.offsets[0] + (flight.first + set) * problem.set_strides[0];
            // SAFETY: the first `n` elements of the set's first row, which are among those of `x`.
            let element = |i: usize| unsafe { self.x.add(at + i).read() }.widen();
            let first = element(0);
            let mut sum = T::Compute::default();
            for i in 1..n {
                sum += element(i) - first;
            }
            pad.mean[set] = first + sum * share;
        }
        if problem.form == Form::Segments {
            return;
        }
        let rows = problem.rows.total.min(16);
        // SAFETY: the caller's contract; the rows are the first ones.
        unsafe { self.sums(pad, flight, 0..rows) };
        for set in 0..flight.sets {
            let mean = pad.mean[set].to_f64() + pad.sum[set] / rows as f64;
            pad.mean[set] = T::Compute::from_f64(mean);
        }
    }

    unsafe fn sums(&self, pad: &mut Pad<'_, T::Compute>, flight: &Flight<2>, rows: Range<usize>) {
        pad.sum_rows(self.problem, flight, &(0..flight.sets), rows, |args, _, [at, _]| {
            // SAFETY: `at` is where these rows of the flight start, and `pad` has a number for each set of it.
            unsafe { (self.sums)(&SetArgs { x: self.x.add(at), ..args }) };
        });
    }

    /// Statistics and parameters of the sets of a group, as the output's numbers.
    fn fold(&self, pad: &mut Pad<'_, T::Compute>, flight: &Flight<2>, group: &Range<usize>, statistics: &Statistics) {
        let (mean, residual) = statistics.split_mean::<T::Compute>();
        let offset = -residual.to_f64() * statistics.rstd;
        for set in group.clone() {
            let (weight, bias) = match self.problem.form {
                Form::ColumnsByRow => (1.0, 0.0),
                _ => self.params.at(flight.first + set),
            };
            pad.mean[set] = mean;
            pad.scale[set] = T::Compute::from_f64(statistics.rstd * weight);
            pad.offset[set] = T::Compute::from_f64(offset * weight + bias);
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
            let value = statistics.normalized(x(i)) * weight + bias;
            // SAFETY: as above, of `y`; where it is `x`, element `i` is read no more.
            unsafe { self.y.add(to).write(T::narrow(value)) };
        }
        statistics
    }

    unsafe fn output(&self, pad: &mut Pad<'_, T::Compute>, flight: &Flight<2>, range: &Range<usize>, stream: bool) {
        let problem = self.problem;
        let by_row = problem.form == Form::ColumnsByRow;
        let part = flight.part(range);
        let stream = stream && (problem.form == Form::Segments || part.first.is_multiple_of(64 / size_of::<T>()));
        let block = problem.output_block(size_of::<T>());
        problem.for_each_block(&part, 0..problem.rows.total, block, |first, rows, [from, to]| {
            let mut args = problem.args(part.sets, rows);
            pad.point(&mut args, range.start);
            if by_row {
                (args.weight, args.bias) = self.params.pointers(first);
            }
            // SAFETY: these are where the rows of this part of the flight start; `pad` has numbers for its sets; the parameters
            // by row are those from `first` on.
            unsafe {
                let (x, y) = (self.x.add(from), self.y.add(to));
                (self.output)(&SetArgs { x, y, stream, ..args });
            }
        });
    }
}
