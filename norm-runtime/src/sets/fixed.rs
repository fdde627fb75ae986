//! Passes with statistics that are given: inference of batch normalization, and its gradients.

use super::SetArgs;
use super::backward::add_grads;
use super::flight::Pad;
use super::problem::{Flight, Form, Problem};
use crate::cache::fence;
use crate::dtype::{Compute, Element};
use crate::rows::{Kernel, ParamGrads, Params};
use crate::scratch::Memory;
use crate::threads::{self, Shared};

/// The statistics of each channel.
#[derive(Clone, Copy, Debug)]
pub struct Fixed<'a, P> {
    /// The running mean.
    pub mean: &'a [P],
    /// The running variance.
    pub var: &'a [P],
}

impl<P> Fixed<'_, P> {
    /// Of no channel.
    pub(super) const NONE: Self = Fixed { mean: &[], var: &[] };
}

impl<A: Compute> Fixed<'_, A> {
    fn rstd(&self, channel: usize, eps: f64) -> f64 {
        1.0 / (self.var[channel].to_f64() + eps).sqrt()
    }
}

/// Writes `(x - mean) * scale + offset` of each channel into `y`, which may be `x`.
///
/// # Safety
/// `x` and `y` are those that the problem was made for, which has elements; `kernel` is its output kernel, at a level that is
/// available; `fixed` and `params` have a number for each channel.
pub(super) unsafe fn forward<T: Element>(
    problem: &Problem<2>,
    kernel: Kernel<SetArgs<T, ()>>,
    (x, y): (*const T, *mut T),
    fixed: Fixed<'_, T::Compute>,
    params: Params<'_, T::Compute>,
    eps: T::Compute,
) {
    let stream = x != y.cast_const() && problem.streams(y);
    let mut memory = Memory::default();
    let mut pad = Pad::new(&mut memory, problem.sets, 0);
    for channel in 0..problem.sets {
        let (weight, bias) = params.at(channel);
        pad.mean[channel] = fixed.mean[channel];
        pad.scale[channel] = T::Compute::from_f64(fixed.rstd(channel, eps.to_f64()) * weight);
        pad.offset[channel] = T::Compute::from_f64(bias);
    }
    // SAFETY: the caller's contract.
    problem.for_each_flight(problem.sets, 0..problem.kept.total, &mut |flight| unsafe {
        apply(problem, kernel, &mut pad, flight, (x, 0), (y, 1), stream)
    });
}

/// Runs the output kernel from operand `from` to operand `to`, in the order of memory: row by row of all sets.
unsafe fn apply<T: Element, const K: usize>(
    problem: &Problem<K>,
    kernel: Kernel<SetArgs<T, ()>>,
    pad: &mut Pad<'_, T::Compute>,
    flight: &Flight<K>,
    (x, from): (*const T, usize),
    (y, to): (*mut T, usize),
    stream: bool,
) {
    let mut args = problem.args(flight.sets, 0);
    pad.point(&mut args, 0);
    args.stream = stream;
    args.x_set = problem.set_strides[from];
    args.x_row = problem.rows.strides[from];
    args.y_set = problem.set_strides[to];
    args.y_row = problem.rows.strides[to];
    let (block, all_rows) = (if problem.form == Form::Segments { 1 } else { usize::MAX }, problem.rows.total);
    // A single image is shared out by channels.
    let by_sets = problem.form == Form::Segments && all_rows == 1;
    let units = if by_sets { flight.sets } else { all_rows };
    let pieces = threads::pieces(problem.bytes::<T>(flight.sets), units);
    // SAFETY: pieces are sets or rows of their own, of `y`; the call waits for all of them.
    let shared = unsafe { Shared::new((x, y, &args)) };
    threads::for_each(pieces, &|piece| {
        let (x, y, args) = shared.get();
        let own = threads::piece(piece, pieces, units);
        let (sets, rows) = if by_sets { (own, 0..all_rows) } else { (0..flight.sets, own) };
        problem.for_each_block(&flight.part(&sets), rows, block, &mut |_, rows, at| {
            let args = args.of(&sets, rows);
            // SAFETY: these are where the rows start in the two operands; `pad` has numbers for all sets.
            unsafe { kernel(&SetArgs { x: x.add(at[from]), y: y.add(at[to]), ..args }) };
        });
        fence(stream);
    });
}

/// The gradients with fixed statistics: `dx = dy * weight * rstd`, and those of the parameters, which are added to `grads`.
pub(super) struct Backward<'a, T: Element> {
    pub(super) problem: &'a Problem<3>,
    /// The kernel that sums gradients, and the one that writes outputs in the forward pass.
    pub(super) sums: Kernel<SetArgs<T, ()>>,
    pub(super) output: Kernel<SetArgs<T, ()>>,
    pub(super) x: *const T,
    pub(super) dy: *const T,
    pub(super) dx: *mut T,
    pub(super) fixed: Fixed<'a, T::Compute>,
    pub(super) params: Params<'a, T::Compute>,
    pub(super) eps: T::Compute,
}

impl<T: Element> Backward<'_, T> {
    /// # Safety
    /// As for [`forward`], with `dy` and `dx`; `grads` have a number for each channel.
    pub(super) unsafe fn run(&self, mut grads: ParamGrads<'_, T::Compute>) {
        let problem = self.problem;
        let stream = problem.streams(self.dx);
        let zero = T::Compute::default();
        // Without parameters nothing is summed.
        let sums = grads.weight.is_some() || grads.bias.is_some();
        // SAFETY: nothing is written through it.
        let shared = unsafe { Shared::new(self) };
        let mut memory = Memory::default();
        let mut pad = Pad::new(&mut memory, problem.sets, 0);
        problem.for_each_flight(problem.sets, 0..problem.kept.total, &mut |flight| {
            for channel in 0..problem.sets {
                let rstd = self.fixed.rstd(channel, self.eps.to_f64());
                pad.mean[channel] = self.fixed.mean[channel];
                pad.scale[channel] = T::Compute::from_f64(rstd);
                pad.offset[channel] = zero;
            }
            if sums {
                let range = 0..problem.sets;
                pad.sum_rows(problem, flight, &range, 0..problem.rows.total, &|args, _, [x, dy, _]| {
                    let pass = shared.get();
                    // SAFETY: these are where the rows start in `x` and `dy`; `pad` has numbers for all sets.
                    unsafe { (pass.sums)(&SetArgs { x: pass.x.add(x), dy: pass.dy.add(dy), ..args }) };
                });
                add_grads(grads.weight.as_deref_mut(), pad.square);
                add_grads(grads.bias.as_deref_mut(), pad.sum);
            }
            for channel in 0..problem.sets {
                let rstd = self.fixed.rstd(channel, self.eps.to_f64());
                pad.mean[channel] = zero;
                pad.scale[channel] = T::Compute::from_f64(rstd * self.params.at(channel).0);
            }
            // SAFETY: the caller's contract.
            unsafe { apply(problem, self.output, &mut pad, flight, (self.dy, 1), (self.dx, 2), stream) };
        });
    }
}
