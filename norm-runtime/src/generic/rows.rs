//! Rms and layer normalization over the elements of contiguous rows.
//!
//! Shapes: `x`, `y`, `dy`, `dx`: `[rows, n]`; `weight`, `bias` and their gradients: `[n]`.

use crate::dtype::{Compute, Element};

fn mean<T: Element>(row: &[T]) -> T::Compute {
    let mut sum = T::Compute::default();
    for &v in row {
        sum += v.widen();
    }
    sum / T::Compute::from_f64(row.len() as f64)
}

fn rstd<T: Element>(row: &[T], mean: T::Compute, eps: f64) -> T::Compute {
    let mut sum = T::Compute::default();
    for &v in row {
        let d = v.widen() - mean;
        sum += d * d;
    }
    T::Compute::ONE / (sum / T::Compute::from_f64(row.len() as f64) + T::Compute::from_f64(eps)).sqrt()
}

fn forward<T: Element>(
    x: &[T],
    weight: Option<&[T]>,
    bias: Option<&[T]>,
    eps: f64,
    n: usize,
    y: &mut [T],
    mean: fn(&[T]) -> T::Compute,
) {
    for (x, y) in x.chunks_exact(n).zip(y.chunks_exact_mut(n)) {
        let mean = mean(x);
        let rstd = rstd(x, mean, eps);
        for i in 0..n {
            let mut v = (x[i].widen() - mean) * rstd;
            if let Some(weight) = weight {
                v = v * weight[i].widen();
            }
            if let Some(bias) = bias {
                v += bias[i].widen();
            }
            y[i] = T::narrow(v);
        }
    }
}

/// RMS normalization: `y = x / sqrt(mean(x^2) + eps) * weight`.
pub fn rms_forward<T: Element>(x: &[T], weight: Option<&[T]>, eps: f64, n: usize, y: &mut [T]) {
    forward(x, weight, None, eps, n, y, |_| T::Compute::default());
}

/// Layer normalization: `y = (x - mean) / sqrt(var + eps) * weight + bias`.
pub fn layer_forward<T: Element>(x: &[T], weight: Option<&[T]>, bias: Option<&[T]>, eps: f64, n: usize, y: &mut [T]) {
    forward(x, weight, bias, eps, n, y, mean);
}

/// The gradients of [`rms_forward`].
pub fn rms_backward<T: Element>(
    x: &[T],
    dy: &[T],
    weight: Option<&[T]>,
    eps: f64,
    n: usize,
    dx: &mut [T],
    mut dweight: Option<&mut [T::Compute]>,
) {
    let count = T::Compute::from_f64(n as f64);
    for ((x, dy), dx) in x.chunks_exact(n).zip(dy.chunks_exact(n)).zip(dx.chunks_exact_mut(n)) {
        let rstd = rstd(x, T::Compute::default(), eps);
        let g = |i: usize| weight.map_or(dy[i].widen(), |w| dy[i].widen() * w[i].widen());
        let mut dot = T::Compute::default();
        for i in 0..n {
            dot += g(i) * x[i].widen() * rstd;
        }
        for i in 0..n {
            let normalized = x[i].widen() * rstd;
            if let Some(dweight) = dweight.as_deref_mut() {
                dweight[i] += dy[i].widen() * normalized;
            }
            dx[i] = T::narrow((g(i) - normalized * dot / count) * rstd);
        }
    }
}

/// The gradients of [`layer_forward`].
pub fn layer_backward<T: Element>(
    x: &[T],
    dy: &[T],
    weight: Option<&[T]>,
    eps: f64,
    n: usize,
    dx: &mut [T],
    mut dweight: Option<&mut [T::Compute]>,
    mut dbias: Option<&mut [T::Compute]>,
) {
    let count = T::Compute::from_f64(n as f64);
    for ((x, dy), dx) in x.chunks_exact(n).zip(dy.chunks_exact(n)).zip(dx.chunks_exact_mut(n)) {
        let mean = mean(x);
        let rstd = rstd(x, mean, eps);
        let g = |i: usize| weight.map_or(dy[i].widen(), |w| dy[i].widen() * w[i].widen());
        let (mut sum, mut dot) = (T::Compute::default(), T::Compute::default());
        for i in 0..n {
            sum += g(i);
            dot += g(i) * (x[i].widen() - mean) * rstd;
        }
        for i in 0..n {
            let normalized = (x[i].widen() - mean) * rstd;
            if let Some(dweight) = dweight.as_deref_mut() {
                dweight[i] += dy[i].widen() * normalized;
            }
            if let Some(dbias) = dbias.as_deref_mut() {
                dbias[i] += dy[i].widen();
            }
            dx[i] = T::narrow((g(i) - sum / count - normalized * dot / count) * rstd);
        }
    }
}
