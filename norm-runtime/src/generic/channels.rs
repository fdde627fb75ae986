//! Batch, instance and group normalization where the channels stand before the spatial axes: `[outer, channels, inner]`.

use crate::dtype::{Compute, Element};

/// Running statistics, one each per channel, as batch normalization keeps them in training.
#[derive(Debug)]
pub struct Running<'a, T> {
    /// The running mean.
    pub mean: &'a mut [T],
    /// The running variance, of unbiased variances.
    pub var: &'a mut [T],
    /// `running = (1 - momentum) * running + momentum * batch`; for a cumulative mean, one over the number of batches.
    pub momentum: f64,
}

impl<T: Element> Running<'_, T> {
    pub(super) fn update(&mut self, c: usize, mean: T::Compute, var: T::Compute, count: usize) {
        let unbiased = var * T::Compute::from_f64(count as f64 / (count as f64 - 1.0));
        let (m, rest) = (T::Compute::from_f64(self.momentum), T::Compute::from_f64(1.0 - self.momentum));
        self.mean[c] = T::narrow(self.mean[c].widen() * rest + mean * m);
        self.var[c] = T::narrow(self.var[c].widen() * rest + unbiased * m);
    }
}

pub(super) fn inverse_root<A: Compute>(var: A, eps: f64) -> A {
    A::ONE / (var + A::from_f64(eps)).sqrt()
}

/// The mean and the biased variance of channel `c`.
fn statistics<T: Element>(
    x: &[T],
    [outer, channels, inner]: [usize; 3],
    c: usize,
    count: usize,
) -> (T::Compute, T::Compute) {
    let count = T::Compute::from_f64(count as f64);
    let mut sum = T::Compute::default();
    for o in 0..outer {
        for i in 0..inner {
            sum += x[(o * channels + c) * inner + i].widen();
        }
    }
    let mean = sum / count;
    let mut sum = T::Compute::default();
    for o in 0..outer {
        for i in 0..inner {
            let d = x[(o * channels + c) * inner + i].widen() - mean;
            sum += d * d;
        }
    }
    (mean, sum / count)
}

/// Channel `c` of the output.
fn apply<T: Element>(
    x: &[T],
    [outer, channels, inner]: [usize; 3],
    c: usize,
    mean: T::Compute,
    rstd: T::Compute,
    weight: Option<&[T]>,
    bias: Option<&[T]>,
    y: &mut [T],
) {
    let weight = weight.map_or(T::Compute::ONE, |w| w[c].widen());
    let bias = bias.map_or(T::Compute::default(), |b| b[c].widen());
    for o in 0..outer {
        for i in 0..inner {
            let at = (o * channels + c) * inner + i;
            y[at] = T::narrow((x[at].widen() - mean) * rstd * weight + bias);
        }
    }
}

/// The sums of `dy` and of `dy * xhat` over channel `c`.
fn sums<T: Element>(
    x: &[T],
    dy: &[T],
    [outer, channels, inner]: [usize; 3],
    c: usize,
    mean: T::Compute,
    rstd: T::Compute,
) -> (T::Compute, T::Compute) {
    let (mut sum, mut dot) = (T::Compute::default(), T::Compute::default());
    for o in 0..outer {
        for i in 0..inner {
            let at = (o * channels + c) * inner + i;
            sum += dy[at].widen();
            dot += dy[at].widen() * (x[at].widen() - mean) * rstd;
        }
    }
    (sum, dot)
}

fn add<A: Compute>(gradient: &mut Option<&mut [A]>, c: usize, value: A) {
    if let Some(gradient) = gradient.as_deref_mut() {
        gradient[c] += value;
    }
}

/// Batch normalization in training: by the mean and variance of each channel over this batch.
///
/// Updates `running`. With one value per channel its variance becomes NaN.
pub fn batch_forward_train<T: Element>(
    x: &[T],
    weight: Option<&[T]>,
    bias: Option<&[T]>,
    eps: f64,
    shape: [usize; 3],
    mut running: Option<Running<'_, T>>,
    y: &mut [T],
) {
    let [outer, channels, inner] = shape;
    for c in 0..channels {
        let (mean, var) = statistics(x, shape, c, outer * inner);
        if let Some(running) = &mut running {
            running.update(c, mean, var, outer * inner);
        }
        apply(x, shape, c, mean, inverse_root(var, eps), weight, bias, y);
    }
}

/// Batch normalization at inference: by the running statistics.
pub fn batch_forward<T: Element>(
    x: &[T],
    running_mean: &[T],
    running_var: &[T],
    weight: Option<&[T]>,
    bias: Option<&[T]>,
    eps: f64,
    shape: [usize; 3],
    y: &mut [T],
) {
    for c in 0..shape[1] {
        let rstd = inverse_root(running_var[c].widen(), eps);
        apply(x, shape, c, running_mean[c].widen(), rstd, weight, bias, y);
    }
}

/// The gradients of [`batch_forward_train`].
pub fn batch_backward<T: Element>(
    x: &[T],
    dy: &[T],
    weight: Option<&[T]>,
    eps: f64,
    shape: [usize; 3],
    dx: &mut [T],
    mut dweight: Option<&mut [T::Compute]>,
    mut dbias: Option<&mut [T::Compute]>,
) {
    let [outer, channels, inner] = shape;
    let count = T::Compute::from_f64((outer * inner) as f64);
    for c in 0..channels {
        let (mean, var) = statistics(x, shape, c, outer * inner);
        let rstd = inverse_root(var, eps);
        let (sum, dot) = sums(x, dy, shape, c, mean, rstd);
        add(&mut dweight, c, dot);
        add(&mut dbias, c, sum);
        let scale = weight.map_or(rstd, |w| w[c].widen() * rstd);
        for o in 0..outer {
            for i in 0..inner {
                let at = (o * channels + c) * inner + i;
                let normalized = (x[at].widen() - mean) * rstd;
                dx[at] = T::narrow((dy[at].widen() - sum / count - normalized * dot / count) * scale);
            }
        }
    }
}

/// The gradients of [`batch_forward`]: the statistics are constants.
pub fn batch_backward_frozen<T: Element>(
    x: &[T],
    dy: &[T],
    running_mean: &[T],
    running_var: &[T],
    weight: Option<&[T]>,
    eps: f64,
    shape: [usize; 3],
    dx: &mut [T],
    mut dweight: Option<&mut [T::Compute]>,
    mut dbias: Option<&mut [T::Compute]>,
) {
    let [outer, channels, inner] = shape;
    for c in 0..channels {
        let rstd = inverse_root(running_var[c].widen(), eps);
        let (sum, dot) = sums(x, dy, shape, c, running_mean[c].widen(), rstd);
        add(&mut dweight, c, dot);
        add(&mut dbias, c, sum);
        let scale = weight.map_or(rstd, |w| w[c].widen() * rstd);
        for o in 0..outer {
            for i in 0..inner {
                let at = (o * channels + c) * inner + i;
                dx[at] = T::narrow(dy[at].widen() * scale);
            }
        }
    }
}

/// Instance normalization: each channel of each sample by itself, which is batch normalization of one sample at a time.
pub fn instance_forward<T: Element>(
    x: &[T],
    weight: Option<&[T]>,
    bias: Option<&[T]>,
    eps: f64,
    [_, channels, inner]: [usize; 3],
    y: &mut [T],
) {
    let sample = channels * inner;
    for (x, y) in x.chunks_exact(sample).zip(y.chunks_exact_mut(sample)) {
        batch_forward_train(x, weight, bias, eps, [1, channels, inner], None, y);
    }
}

/// The gradients of [`instance_forward`].
pub fn instance_backward<T: Element>(
    x: &[T],
    dy: &[T],
    weight: Option<&[T]>,
    eps: f64,
    [_, channels, inner]: [usize; 3],
    dx: &mut [T],
    mut dweight: Option<&mut [T::Compute]>,
    mut dbias: Option<&mut [T::Compute]>,
) {
    let sample = channels * inner;
    for ((x, dy), dx) in x.chunks_exact(sample).zip(dy.chunks_exact(sample)).zip(dx.chunks_exact_mut(sample)) {
        let (dweight, dbias) = (dweight.as_deref_mut(), dbias.as_deref_mut());
        batch_backward(x, dy, weight, eps, [1, channels, inner], dx, dweight, dbias);
    }
}

/// Group normalization: `groups` groups of neighbouring channels of each sample.
pub fn group_forward<T: Element>(
    x: &[T],
    weight: Option<&[T]>,
    bias: Option<&[T]>,
    eps: f64,
    [outer, channels, inner]: [usize; 3],
    groups: usize,
    y: &mut [T],
) {
    let per_group = channels / groups;
    for o in 0..outer {
        for group in 0..groups {
            let first = (o * channels + group * per_group) * inner;
            let (mean, rstd) = group_statistics(&x[first..first + per_group * inner], eps);
            for k in 0..per_group {
                let c = group * per_group + k;
                let weight = weight.map_or(T::Compute::ONE, |w| w[c].widen());
                let bias = bias.map_or(T::Compute::default(), |b| b[c].widen());
                for i in 0..inner {
                    let at = first + k * inner + i;
                    y[at] = T::narrow((x[at].widen() - mean) * rstd * weight + bias);
                }
            }
        }
    }
}

/// The mean and one over the deviation of a group, whose elements lie together.
fn group_statistics<T: Element>(x: &[T], eps: f64) -> (T::Compute, T::Compute) {
    let (mean, var) = statistics(x, [1, 1, x.len()], 0, x.len());
    (mean, inverse_root(var, eps))
}

/// The gradients of [`group_forward`].
pub fn group_backward<T: Element>(
    x: &[T],
    dy: &[T],
    weight: Option<&[T]>,
    eps: f64,
    [outer, channels, inner]: [usize; 3],
    groups: usize,
    dx: &mut [T],
    mut dweight: Option<&mut [T::Compute]>,
    mut dbias: Option<&mut [T::Compute]>,
) {
    let per_group = channels / groups;
    let count = T::Compute::from_f64((per_group * inner) as f64);
    for o in 0..outer {
        for group in 0..groups {
            let first = (o * channels + group * per_group) * inner;
            let (mean, rstd) = group_statistics(&x[first..first + per_group * inner], eps);
            let (mut sum_g, mut dot_g) = (T::Compute::default(), T::Compute::default());
            for k in 0..per_group {
                let c = group * per_group + k;
                let (mut sum, mut dot) = (T::Compute::default(), T::Compute::default());
                for i in 0..inner {
                    let at = first + k * inner + i;
                    sum += dy[at].widen();
                    dot += dy[at].widen() * (x[at].widen() - mean) * rstd;
                }
                add(&mut dweight, c, dot);
                add(&mut dbias, c, sum);
                let weight = weight.map_or(T::Compute::ONE, |w| w[c].widen());
                sum_g += weight * sum;
                dot_g += weight * dot;
            }
            for k in 0..per_group {
                let weight = weight.map_or(T::Compute::ONE, |w| w[group * per_group + k].widen());
                for i in 0..inner {
                    let at = first + k * inner + i;
                    let normalized = (x[at].widen() - mean) * rstd;
                    let g = dy[at].widen() * weight;
                    dx[at] = T::narrow((g - sum_g / count - normalized * dot_g / count) * rstd);
                }
            }
        }
    }
}
