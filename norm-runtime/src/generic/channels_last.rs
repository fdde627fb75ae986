//! Batch, instance and group normalization where the channels are the last axis: `[outer, spatial, channels]`.
//!
//! Batch normalization walks over positions and keeps one sum per channel: the order of memory, and the compiler can
//! make vectors of it. `[rows, channels]` of a linear layer is this with `spatial` 1.

use super::channels::{Running, inverse_root};
use crate::dtype::{Compute, Element};

/// The mean and the biased variance of each channel.
fn statistics<T: Element>(x: &[T], channels: usize) -> (Vec<T::Compute>, Vec<T::Compute>) {
    let count = T::Compute::from_f64((x.len() / channels) as f64);
    let mut mean = vec![T::Compute::default(); channels];
    for x in x.chunks_exact(channels) {
        for c in 0..channels {
            mean[c] += x[c].widen();
        }
    }
    for c in 0..channels {
        mean[c] = mean[c] / count;
    }
    let mut var = vec![T::Compute::default(); channels];
    for x in x.chunks_exact(channels) {
        for c in 0..channels {
            let d = x[c].widen() - mean[c];
            var[c] += d * d;
        }
    }
    for c in 0..channels {
        var[c] = var[c] / count;
    }
    (mean, var)
}

fn inverse_roots<A: Compute>(var: impl Iterator<Item = A>, eps: f64) -> Vec<A> {
    var.map(|var| inverse_root(var, eps)).collect()
}

fn apply<T: Element>(
    x: &[T],
    channels: usize,
    mean: &[T::Compute],
    rstd: &[T::Compute],
    weight: Option<&[T]>,
    bias: Option<&[T]>,
    y: &mut [T],
) {
    for (x, y) in x.chunks_exact(channels).zip(y.chunks_exact_mut(channels)) {
        for c in 0..channels {
            let mut v = (x[c].widen() - mean[c]) * rstd[c];
            if let Some(weight) = weight {
                v = v * weight[c].widen();
            }
            if let Some(bias) = bias {
                v += bias[c].widen();
            }
            y[c] = T::narrow(v);
        }
    }
}

/// The sums of `dy` and of `dy * xhat` over each channel.
fn sums<T: Element>(
    x: &[T],
    dy: &[T],
    channels: usize,
    mean: &[T::Compute],
    rstd: &[T::Compute],
) -> (Vec<T::Compute>, Vec<T::Compute>) {
    let mut sum = vec![T::Compute::default(); channels];
    let mut dot = vec![T::Compute::default(); channels];
    for (x, dy) in x.chunks_exact(channels).zip(dy.chunks_exact(channels)) {
        for c in 0..channels {
            sum[c] += dy[c].widen();
            dot[c] += dy[c].widen() * (x[c].widen() - mean[c]) * rstd[c];
        }
    }
    (sum, dot)
}

fn add<A: Compute>(gradient: Option<&mut [A]>, values: &[A]) {
    if let Some(gradient) = gradient {
        for c in 0..values.len() {
            gradient[c] += values[c];
        }
    }
}

/// [`batch_forward_train`](super::batch_forward_train) of channels-last memory.
pub fn batch_forward_train_last<T: Element>(
    x: &[T],
    weight: Option<&[T]>,
    bias: Option<&[T]>,
    eps: f64,
    [outer, spatial, channels]: [usize; 3],
    running: Option<Running<'_, T>>,
    y: &mut [T],
) {
    let (mean, var) = statistics(x, channels);
    if let Some(mut running) = running {
        for c in 0..channels {
            running.update(c, mean[c], var[c], outer * spatial);
        }
    }
    let rstd = inverse_roots(var.into_iter(), eps);
    apply(x, channels, &mean, &rstd, weight, bias, y);
}

/// [`batch_forward`](super::batch_forward) of channels-last memory.
pub fn batch_forward_last<T: Element>(
    x: &[T],
    running_mean: &[T],
    running_var: &[T],
    weight: Option<&[T]>,
    bias: Option<&[T]>,
    eps: f64,
    [_, _, channels]: [usize; 3],
    y: &mut [T],
) {
    let mean: Vec<T::Compute> = running_mean.iter().map(|mean| mean.widen()).collect();
    let rstd = inverse_roots(running_var.iter().map(|var| var.widen()), eps);
    apply(x, channels, &mean, &rstd, weight, bias, y);
}

/// [`batch_backward`](super::batch_backward) of channels-last memory.
pub fn batch_backward_last<T: Element>(
    x: &[T],
    dy: &[T],
    weight: Option<&[T]>,
    eps: f64,
    [outer, spatial, channels]: [usize; 3],
    dx: &mut [T],
    dweight: Option<&mut [T::Compute]>,
    dbias: Option<&mut [T::Compute]>,
) {
    let count = T::Compute::from_f64((outer * spatial) as f64);
    let (mean, var) = statistics(x, channels);
    let rstd = inverse_roots(var.into_iter(), eps);
    let (sum, dot) = sums(x, dy, channels, &mean, &rstd);
    add(dweight, &dot);
    add(dbias, &sum);
    for ((x, dy), dx) in x.chunks_exact(channels).zip(dy.chunks_exact(channels)).zip(dx.chunks_exact_mut(channels)) {
        for c in 0..channels {
            let normalized = (x[c].widen() - mean[c]) * rstd[c];
            let mut v = (dy[c].widen() - sum[c] / count - normalized * dot[c] / count) * rstd[c];
            if let Some(weight) = weight {
                v = v * weight[c].widen();
            }
            dx[c] = T::narrow(v);
        }
    }
}

/// [`batch_backward_frozen`](super::batch_backward_frozen) of channels-last memory.
pub fn batch_backward_frozen_last<T: Element>(
    x: &[T],
    dy: &[T],
    running_mean: &[T],
    running_var: &[T],
    weight: Option<&[T]>,
    eps: f64,
    [_, _, channels]: [usize; 3],
    dx: &mut [T],
    dweight: Option<&mut [T::Compute]>,
    dbias: Option<&mut [T::Compute]>,
) {
    let mean: Vec<T::Compute> = running_mean.iter().map(|mean| mean.widen()).collect();
    let rstd = inverse_roots(running_var.iter().map(|var| var.widen()), eps);
    let (sum, dot) = sums(x, dy, channels, &mean, &rstd);
    add(dweight, &dot);
    add(dbias, &sum);
    for (dy, dx) in dy.chunks_exact(channels).zip(dx.chunks_exact_mut(channels)) {
        for c in 0..channels {
            let mut v = dy[c].widen() * rstd[c];
            if let Some(weight) = weight {
                v = v * weight[c].widen();
            }
            dx[c] = T::narrow(v);
        }
    }
}

/// [`instance_forward`](super::instance_forward) of channels-last memory.
pub fn instance_forward_last<T: Element>(
    x: &[T],
    weight: Option<&[T]>,
    bias: Option<&[T]>,
    eps: f64,
    [_, spatial, channels]: [usize; 3],
    y: &mut [T],
) {
    let sample = spatial * channels;
    for (x, y) in x.chunks_exact(sample).zip(y.chunks_exact_mut(sample)) {
        batch_forward_train_last(x, weight, bias, eps, [1, spatial, channels], None, y);
    }
}

/// [`instance_backward`](super::instance_backward) of channels-last memory.
pub fn instance_backward_last<T: Element>(
    x: &[T],
    dy: &[T],
    weight: Option<&[T]>,
    eps: f64,
    [_, spatial, channels]: [usize; 3],
    dx: &mut [T],
    mut dweight: Option<&mut [T::Compute]>,
    mut dbias: Option<&mut [T::Compute]>,
) {
    let sample = spatial * channels;
    for ((x, dy), dx) in x.chunks_exact(sample).zip(dy.chunks_exact(sample)).zip(dx.chunks_exact_mut(sample)) {
        let (dweight, dbias) = (dweight.as_deref_mut(), dbias.as_deref_mut());
        batch_backward_last(x, dy, weight, eps, [1, spatial, channels], dx, dweight, dbias);
    }
}

/// The mean and one over the deviation of the group of sample `o` that begins at channel `first`.
fn group_statistics<T: Element>(
    x: &[T],
    [_, spatial, channels]: [usize; 3],
    o: usize,
    first: usize,
    per_group: usize,
    eps: f64,
) -> (T::Compute, T::Compute) {
    let count = T::Compute::from_f64((spatial * per_group) as f64);
    let mut sum = T::Compute::default();
    for s in 0..spatial {
        for c in first..first + per_group {
            sum += x[(o * spatial + s) * channels + c].widen();
        }
    }
    let mean = sum / count;
    let mut sum = T::Compute::default();
    for s in 0..spatial {
        for c in first..first + per_group {
            let d = x[(o * spatial + s) * channels + c].widen() - mean;
            sum += d * d;
        }
    }
    (mean, inverse_root(sum / count, eps))
}

/// [`group_forward`](super::group_forward) of channels-last memory.
pub fn group_forward_last<T: Element>(
    x: &[T],
    weight: Option<&[T]>,
    bias: Option<&[T]>,
    eps: f64,
    shape: [usize; 3],
    groups: usize,
    y: &mut [T],
) {
    let [outer, spatial, channels] = shape;
    let per_group = channels / groups;
    for o in 0..outer {
        for group in 0..groups {
            let first = group * per_group;
            let (mean, rstd) = group_statistics(x, shape, o, first, per_group, eps);
            for s in 0..spatial {
                for c in first..first + per_group {
                    let at = (o * spatial + s) * channels + c;
                    let mut v = (x[at].widen() - mean) * rstd;
                    if let Some(weight) = weight {
                        v = v * weight[c].widen();
                    }
                    if let Some(bias) = bias {
                        v += bias[c].widen();
                    }
                    y[at] = T::narrow(v);
                }
            }
        }
    }
}

/// [`group_backward`](super::group_backward) of channels-last memory.
pub fn group_backward_last<T: Element>(
    x: &[T],
    dy: &[T],
    weight: Option<&[T]>,
    eps: f64,
    shape: [usize; 3],
    groups: usize,
    dx: &mut [T],
    mut dweight: Option<&mut [T::Compute]>,
    mut dbias: Option<&mut [T::Compute]>,
) {
    let [outer, spatial, channels] = shape;
    let per_group = channels / groups;
    let count = T::Compute::from_f64((spatial * per_group) as f64);
    for o in 0..outer {
        for group in 0..groups {
            let first = group * per_group;
            let (mean, rstd) = group_statistics(x, shape, o, first, per_group, eps);
            let (mut sum, mut dot) = (T::Compute::default(), T::Compute::default());
            for s in 0..spatial {
                for c in first..first + per_group {
                    let at = (o * spatial + s) * channels + c;
                    let normalized = (x[at].widen() - mean) * rstd;
                    if let Some(dweight) = dweight.as_deref_mut() {
                        dweight[c] += dy[at].widen() * normalized;
                    }
                    if let Some(dbias) = dbias.as_deref_mut() {
                        dbias[c] += dy[at].widen();
                    }
                    let g = weight.map_or(dy[at].widen(), |w| dy[at].widen() * w[c].widen());
                    sum += g;
                    dot += g * normalized;
                }
            }
            for s in 0..spatial {
                for c in first..first + per_group {
                    let at = (o * spatial + s) * channels + c;
                    let normalized = (x[at].widen() - mean) * rstd;
                    let g = weight.map_or(dy[at].widen(), |w| dy[at].widen() * w[c].widen());
                    dx[at] = T::narrow((g - sum / count - normalized * dot / count) * rstd);
                }
            }
        }
    }
}
