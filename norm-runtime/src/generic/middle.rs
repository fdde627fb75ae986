//! Rms and layer normalization over an axis in the middle: `n` of `[outer, n, inner]`, such as the channels of NCHW.
//!
//! Walks in the order of memory and keeps one sum for each of the `inner` positions, as `channels_last` does for channels:
//! one position after the other would stride through memory.

use super::channels::inverse_root;
use crate::dtype::{Compute, Element};

/// The mean and one over the root mean square about it, of each position of one `[n, inner]`.
fn statistics<T: Element>(
    x: &[T],
    n: usize,
    inner: usize,
    centred: bool,
    eps: f64,
) -> (Vec<T::Compute>, Vec<T::Compute>) {
    let count = T::Compute::from_f64(n as f64);
    let mut mean = vec![T::Compute::default(); inner];
    if centred {
        for x in x.chunks_exact(inner) {
            for i in 0..inner {
                mean[i] += x[i].widen();
            }
        }
        for i in 0..inner {
            mean[i] = mean[i] / count;
        }
    }
    let mut rstd = vec![T::Compute::default(); inner];
    for x in x.chunks_exact(inner) {
        for i in 0..inner {
            let d = x[i].widen() - mean[i];
            rstd[i] += d * d;
        }
    }
    for i in 0..inner {
        rstd[i] = inverse_root(rstd[i] / count, eps);
    }
    (mean, rstd)
}

fn forward<T: Element>(
    x: &[T],
    weight: Option<&[T]>,
    bias: Option<&[T]>,
    eps: f64,
    [_, n, inner]: [usize; 3],
    centred: bool,
    y: &mut [T],
) {
    for (x, y) in x.chunks_exact(n * inner).zip(y.chunks_exact_mut(n * inner)) {
        let (mean, rstd) = statistics(x, n, inner, centred, eps);
        for k in 0..n {
            let weight = weight.map_or(T::Compute::ONE, |w| w[k].widen());
            let bias = bias.map_or(T::Compute::default(), |b| b[k].widen());
            let (x, y) = (&x[k * inner..][..inner], &mut y[k * inner..][..inner]);
            for i in 0..inner {
                y[i] = T::narrow((x[i].widen() - mean[i]) * rstd[i] * weight + bias);
            }
        }
    }
}

fn backward<T: Element>(
    x: &[T],
    dy: &[T],
    weight: Option<&[T]>,
    eps: f64,
    [_, n, inner]: [usize; 3],
    centred: bool,
    dx: &mut [T],
    mut dweight: Option<&mut [T::Compute]>,
    mut dbias: Option<&mut [T::Compute]>,
) {
    let count = T::Compute::from_f64(n as f64);
    let sample = n * inner;
    for ((x, dy), dx) in x.chunks_exact(sample).zip(dy.chunks_exact(sample)).zip(dx.chunks_exact_mut(sample)) {
        let (mean, rstd) = statistics(x, n, inner, centred, eps);
        let mut sum = vec![T::Compute::default(); inner];
        let mut dot = vec![T::Compute::default(); inner];
        for k in 0..n {
            let weight = weight.map_or(T::Compute::ONE, |w| w[k].widen());
            let (x, dy) = (&x[k * inner..][..inner], &dy[k * inner..][..inner]);
            let (mut dw, mut db) = (T::Compute::default(), T::Compute::default());
            for i in 0..inner {
                let normalized = (x[i].widen() - mean[i]) * rstd[i];
                dw += dy[i].widen() * normalized;
                db += dy[i].widen();
                sum[i] += dy[i].widen() * weight;
                dot[i] += dy[i].widen() * weight * normalized;
            }
            if let Some(dweight) = dweight.as_deref_mut() {
                dweight[k] += dw;
            }
            if let Some(dbias) = dbias.as_deref_mut() {
                dbias[k] += db;
            }
        }
        for i in 0..inner {
            sum[i] = if centred { sum[i] / count } else { T::Compute::default() };
            dot[i] = dot[i] / count;
        }
        for k in 0..n {
            let weight = weight.map_or(T::Compute::ONE, |w| w[k].widen());
            let (x, dy) = (&x[k * inner..][..inner], &dy[k * inner..][..inner]);
            let dx = &mut dx[k * inner..][..inner];
            for i in 0..inner {
                let normalized = (x[i].widen() - mean[i]) * rstd[i];
                dx[i] = T::narrow((dy[i].widen() * weight - sum[i] - normalized * dot[i]) * rstd[i]);
            }
        }
    }
}

/// [`rms_forward`](super::rms_forward) over the middle of `[outer, n, inner]`.
pub fn rms_forward_middle<T: Element>(x: &[T], weight: Option<&[T]>, eps: f64, shape: [usize; 3], y: &mut [T]) {
    forward(x, weight, None, eps, shape, false, y);
}

/// [`layer_forward`](super::layer_forward) over the middle of `[outer, n, inner]`.
pub fn layer_forward_middle<T: Element>(
    x: &[T],
    weight: Option<&[T]>,
    bias: Option<&[T]>,
    eps: f64,
    shape: [usize; 3],
    y: &mut [T],
) {
    forward(x, weight, bias, eps, shape, true, y);
}

/// The gradients of [`rms_forward_middle`].
pub fn rms_backward_middle<T: Element>(
    x: &[T],
    dy: &[T],
    weight: Option<&[T]>,
    eps: f64,
    shape: [usize; 3],
    dx: &mut [T],
    dweight: Option<&mut [T::Compute]>,
) {
    backward(x, dy, weight, eps, shape, false, dx, dweight, None);
}

/// The gradients of [`layer_forward_middle`].
pub fn layer_backward_middle<T: Element>(
    x: &[T],
    dy: &[T],
    weight: Option<&[T]>,
    eps: f64,
    shape: [usize; 3],
    dx: &mut [T],
    dweight: Option<&mut [T::Compute]>,
    dbias: Option<&mut [T::Compute]>,
) {
    backward(x, dy, weight, eps, shape, true, dx, dweight, dbias);
}
