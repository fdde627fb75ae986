//! Rms and layer normalization over an axis in the middle: `n` of `[outer, n, inner]`, such as the channels of NCHW.
//!
//! One position after the other, as the definition reads; the elements of one are `inner` apart.

use super::channels::inverse_root;
use crate::dtype::{Compute, Element};

/// The mean and one over the root mean square about it, of `n` elements from `first` on, `inner` apart.
fn statistics<T: Element>(
    x: &[T],
    first: usize,
    n: usize,
    inner: usize,
    centred: bool,
    eps: f64,
) -> (T::Compute, T::Compute) {
    let count = T::Compute::from_f64(n as f64);
    let mut mean = T::Compute::default();
    if centred {
        for k in 0..n {
            mean += x[first + k * inner].widen();
        }
        mean = mean / count;
    }
    let mut sum = T::Compute::default();
    for k in 0..n {
        let d = x[first + k * inner].widen() - mean;
        sum += d * d;
    }
    (mean, inverse_root(sum / count, eps))
}

fn forward<T: Element>(
    x: &[T],
    weight: Option<&[T]>,
    bias: Option<&[T]>,
    eps: f64,
    [outer, n, inner]: [usize; 3],
    centred: bool,
    y: &mut [T],
) {
    for o in 0..outer {
        for i in 0..inner {
            let first = o * n * inner + i;
            let (mean, rstd) = statistics(x, first, n, inner, centred, eps);
            for k in 0..n {
                let at = first + k * inner;
                let mut v = (x[at].widen() - mean) * rstd;
                if let Some(weight) = weight {
                    v = v * weight[k].widen();
                }
                if let Some(bias) = bias {
                    v += bias[k].widen();
                }
                y[at] = T::narrow(v);
            }
        }
    }
}

fn backward<T: Element>(
    x: &[T],
    dy: &[T],
    weight: Option<&[T]>,
    eps: f64,
    [outer, n, inner]: [usize; 3],
    centred: bool,
    dx: &mut [T],
    mut dweight: Option<&mut [T::Compute]>,
    mut dbias: Option<&mut [T::Compute]>,
) {
    let count = T::Compute::from_f64(n as f64);
    for o in 0..outer {
        for i in 0..inner {
            let first = o * n * inner + i;
            let (mean, rstd) = statistics(x, first, n, inner, centred, eps);
            let (mut sum, mut dot) = (T::Compute::default(), T::Compute::default());
            for k in 0..n {
                let at = first + k * inner;
                let normalized = (x[at].widen() - mean) * rstd;
                if let Some(dweight) = dweight.as_deref_mut() {
                    dweight[k] += dy[at].widen() * normalized;
                }
                if let Some(dbias) = dbias.as_deref_mut() {
                    dbias[k] += dy[at].widen();
                }
                let g = weight.map_or(dy[at].widen(), |w| dy[at].widen() * w[k].widen());
                if centred {
                    sum += g;
                }
                dot += g * normalized;
            }
            for k in 0..n {
                let at = first + k * inner;
                let normalized = (x[at].widen() - mean) * rstd;
                let g = weight.map_or(dy[at].widen(), |w| dy[at].widen() * w[k].widen());
                dx[at] = T::narrow((g - sum / count - normalized * dot / count) * rstd);
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
