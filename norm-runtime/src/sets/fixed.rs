//! Passes with statistics that are given: inference of batch normalization, and its gradients.

use super::SetArgs;
use super::backward::add_grads;
use super::flight::{self, Pad};
use super::problem::{Flight, Form, Problem};
use crate::cache::fence;
use crate::dtype::{Compute, Element};
use crate::rows::{Kernel, ParamGrads, Params};

/// The statistics of each channel.
#[derive(Clone, Copy, Debug)]
pub struct Fixed<'a, P> {
    /// The running mean.
    pub mean: &'a [P],
    /// The running variance.
    pub var: &'a [P],
}

impl<P: Element> Fixed<'_, P> {
    fn rstd(&self, channel: usize, eps: f64) -> f64 {
        1.0 / (self.var[channel].widen().to_f64() + eps).sqrt()
    }
}

/// Writes `(x - mean) * scale + offset` of each channel into `y`, which may be `x`.
///
/// # Safety
/// `x` and `y` are those that the problem was made for, which has elements; `kernel` is its output kernel, at a level that is
/// available; `fixed` and `params` have a number for each channel.
pub(super) unsafe fn forward<T: Element, P: Element<Compute = T::Compute>>(
    problem: &Problem<2>,
    kernel: Kernel<SetArgs<T, P>>,
    (x, y): (*const T, *mut T),
    fixed: Fixed<'_, P>,
    params: Params<'_, P>,
    eps: T::Compute,
) {
    let stream = x != y.cast_const() && problem.streams(y);
    flight::with(problem.sets, 0, 0, |pad| {
        for channel in 0..problem.sets {
            let (weight, bias) = params.at(channel);
            pad.mean[channel] = fixed.mean[channel].widen();
            pad.scale[channel] = T::Compute::from_f64(fixed.rstd(channel, eps.to_f64()) * weight);
            pad.offset[channel] = T::Compute::from_f64(bias);
        }
        // SAFETY: the caller's contract.
        problem.for_each_flight(problem.sets, |flight| unsafe {
            apply(problem, kernel, pad, flight, (x, 0), (y, 1), stream)
        });
    });
    fence(stream);
}

/// Runs the output kernel from operand `from` to operand `to`, in the order of memory: row by row of all sets.
unsafe fn apply<T: Element, P, const K: usize>(
    problem: &Problem<K>,
    kernel: Kernel<SetArgs<T, P>>,
    pad: &mut Pad<'_, T::Compute>,
    flight: &Flight<K>,
    (x, from): (*const T, usize),
    (y, to): (*mut T, usize),
    stream: bool,
) {
    let block = if problem.form == Form::Segments { 1 } else { usize::MAX };
    problem.for_each_block(flight, 0..problem.rows.total, block, |_, rows, at| {
        let mut args = problem.args(flight.sets, rows);
        pad.point(&mut args, 0);
        args.x_set = problem.set_strides[from];
        args.x_row = problem.rows.strides[from];
        args.y_set = problem.set_strides[to];
        args.y_row = problem.rows.strides[to];
        // SAFETY: these are where the rows start in the two operands; `pad` has numbers for all sets.
        unsafe { kernel(&SetArgs { x: x.add(at[from]), y: y.add(at[to]), stream, ..args }) };
    });
}

/// The gradients with fixed statistics: `dx = dy * weight * rstd`, and those of the parameters, which are added to `grads`.
pub(super) struct Backward<'a, T: Element, P> {
    pub(super) problem: &'a Problem<3>,
    /// The kernel that sums gradients, and the one that writes outputs in the forward pass.
    pub(super) sums: Kernel<SetArgs<T, P>>,
    pub(super) output: Kernel<SetArgs<T, P>>,
    pub(super) x: *const T,
    pub(super) dy: *const T,
    pub(super) dx: *mut T,
    pub(super) fixed: Fixed<'a, P>,
    pub(super) params: Params<'a, P>,
    pub(super) eps: T::Compute,
}

impl<T: Element, P: Element<Compute = T::Compute>> Backward<'_, T, P> {
    /// # Safety
    /// As for [`forward`], with `dy` and `dx`; `grads` have a number for each channel.
    pub(super) unsafe fn run(&self, grads: ParamGrads<'_, T::Compute>) {
        let problem = self.problem;
        let stream = problem.streams(self.dx);
        let zero = T::Compute::default();
        // Without parameters nothing is summed.
        let sums = grads.weight.is_some() || grads.bias.is_some();
        flight::with(problem.sets, problem.sets, 0, |pad| {
            problem.for_each_flight(problem.sets, |flight| {
                for channel in 0..problem.sets {
                    let rstd = self.fixed.rstd(channel, self.eps.to_f64());
                    pad.mean[channel] = self.fixed.mean[channel].widen();
                    pad.scale[channel] = T::Compute::from_f64(rstd);
                    pad.offset[channel] = zero;
                }
                if sums {
                    let range = 0..problem.sets;
                    pad.sum_rows(problem, flight, &range, 0..problem.rows.total, |args, _, [x, dy, _]| {
                        // SAFETY: these are where the rows start in `x` and `dy`; `pad` has numbers for all sets.
                        unsafe { (self.sums)(&SetArgs { x: self.x.add(x), dy: self.dy.add(dy), ..args }) };
                    });
                }
                for channel in 0..problem.sets {
                    pad.dweight[channel] += pad.square[channel];
                    pad.dbias[channel] += pad.sum[channel];
                    let rstd = self.fixed.rstd(channel, self.eps.to_f64());
                    pad.mean[channel] = zero;
                    pad.scale[channel] = T::Compute::from_f64(rstd * self.params.at(channel).0);
                }
                // SAFETY: the caller's contract.
                unsafe { apply(problem, self.output, pad, flight, (self.dy, 1), (self.dx, 2), stream) };
            });
            if sums {
                add_grads(grads.weight, pad.dweight);
                add_grads(grads.bias, pad.dbias);
            }
        });
        fence(stream);
    }
}
