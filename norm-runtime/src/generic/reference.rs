//! The oracle: any technique of the family, over any axes, in `f64`, by its definition.
//!
//! `y = (x - mu) * r * weight + bias`, with `r = 1 / sqrt(mean((x - mu)^2) + eps)` over the reduced axes and the parameters
//! laid over another set of axes; `dx = r * (g - mean(g) - xhat * mean(g * xhat))` with `g = dy * weight`, the middle term
//! only where the mean is subtracted.
//!
//! All of it is `#[inline]`, so that it is compiled where it is called, and in no program that does not.
//!
//! | technique | constructor |
//! |---|---|
//! | rms, layer over the last axis, over any axes | [`Problem::rows`], [`Problem::over`] |
//! | batch, instance, group | [`Problem::batch`], [`Problem::instance`], [`Problem::group`] |
//! | batch at inference, and its gradients with fixed statistics | [`Problem::forward_fixed`], [`Problem::backward_fixed`] |
//! | weight | [`Problem::weight`]: `v` is `x`, `g` is the weight; `w` is `y`, `dv` is `dx`, `dg` is `dweight` |

/// What is computed: a technique is a choice of these.
#[derive(Clone, Debug)]
pub struct Problem {
    /// The sizes of the axes of `x`.
    pub dims: Vec<usize>,
    /// For each axis, whether it is normalized over.
    pub reduced: Vec<bool>,
    /// For each axis, whether the parameters extend along it.
    pub affine: Vec<bool>,
    /// Whether the mean is subtracted.
    pub centred: bool,
    /// Added to the mean square inside the root.
    pub eps: f64,
    /// Whether the root is of the sum of squares, as a norm is, and not of their mean.
    pub summed: bool,
}

/// What [`Problem::forward`] gives.
#[derive(Clone, Debug, PartialEq)]
pub struct Forward {
    /// As `x`.
    pub y: Vec<f64>,
    /// For each set normalized together, its mean (0 where it is not subtracted).
    pub mean: Vec<f64>,
    /// For each set normalized together, its mean square about that mean: the biased variance.
    pub var: Vec<f64>,
    /// For each set normalized together, one over its root mean square.
    pub rstd: Vec<f64>,
}

/// What [`Problem::backward`] gives.
#[derive(Clone, Debug, PartialEq)]
pub struct Backward {
    /// As `x`.
    pub dx: Vec<f64>,
    /// As the weight.
    pub dweight: Vec<f64>,
    /// As the bias.
    pub dbias: Vec<f64>,
}

/// A sum that carries along what rounding took from it (Neumaier, 1974).
#[derive(Clone, Copy, Debug, Default)]
struct Sum {
    sum: f64,
    lost: f64,
}

impl Sum {
    #[inline]
    fn add(&mut self, v: f64) {
        let sum = self.sum + v;
        let (large, small) = if self.sum.abs() >= v.abs() { (self.sum, v) } else { (v, self.sum) };
        self.lost += (large - sum) + small;
        self.sum = sum;
    }

    #[inline]
    fn value(&self) -> f64 {
        // Where the sum is not finite, what was lost is NaN.
        if self.sum.is_finite() { self.sum + self.lost } else { self.sum }
    }
}

impl Problem {
    /// Rows of `n` elements, each normalized for itself, the parameters along the row: rms and layer.
    #[inline]
    #[must_use]
    pub fn rows(rows: usize, n: usize, centred: bool, eps: f64) -> Self {
        Problem::over(&[rows, n], &[1], centred, eps)
    }

    /// Rms and layer over any `axes`, the parameters along those axes.
    #[inline]
    #[must_use]
    pub fn over(dims: &[usize], axes: &[usize], centred: bool, eps: f64) -> Self {
        let along: Vec<bool> = (0..dims.len()).map(|axis| axes.contains(&axis)).collect();
        Problem { dims: dims.to_vec(), reduced: along.clone(), affine: along, centred, eps, summed: false }
    }

    /// Batch normalization in training: each index of axis `channel` by itself. Statistics: `[channels]`.
    #[inline]
    #[must_use]
    pub fn batch(dims: &[usize], channel: usize, eps: f64) -> Self {
        Problem::keeping(dims, &[channel], channel, true, eps)
    }

    /// Instance normalization: each channel of each sample (axis 0) by itself. Statistics: `[samples, channels]`.
    ///
    /// # Panics
    /// If the channels are axis 0.
    #[inline]
    #[must_use]
    pub fn instance(dims: &[usize], channel: usize, eps: f64) -> Self {
        assert_ne!(channel, 0, "axis 0 holds the samples");
        Problem::keeping(dims, &[0, channel], channel, true, eps)
    }

    /// Group normalization: `groups` groups of neighbouring channels of each sample (axis 0). Statistics: `[samples, groups]`.
    ///
    /// The channel axis becomes two, `[groups, channels / groups]`: memory and parameters stay as they are.
    ///
    /// # Panics
    /// If the channels are axis 0, or `groups` does not divide them.
    #[inline]
    #[must_use]
    pub fn group(dims: &[usize], channel: usize, groups: usize, eps: f64) -> Self {
        assert_ne!(channel, 0, "axis 0 holds the samples");
        assert_eq!(dims[channel] % groups, 0, "the groups divide the channels");
        let mut dims = dims.to_vec();
        dims.splice(channel..=channel, [groups, dims[channel] / groups]);
        let mut problem = Problem::keeping(&dims, &[0, channel], channel, true, eps);
        problem.affine[channel + 1] = true;
        problem
    }

    /// Weight normalization, one norm for each index of axis `kept`: `w = g * v / ||v||`. Statistics: `[kept]`.
    #[inline]
    #[must_use]
    pub fn weight(dims: &[usize], kept: usize) -> Self {
        Problem { summed: true, ..Problem::keeping(dims, &[kept], kept, false, 0.0) }
    }

    /// Over all axes but `kept`, the parameters along `affine`.
    #[inline]
    fn keeping(dims: &[usize], kept: &[usize], affine: usize, centred: bool, eps: f64) -> Self {
        Problem {
            dims: dims.to_vec(),
            reduced: (0..dims.len()).map(|axis| !kept.contains(&axis)).collect(),
            affine: (0..dims.len()).map(|axis| axis == affine).collect(),
            centred,
            eps,
            summed: false,
        }
    }

    /// The index, over the axes in `kept`, of each element.
    #[inline]
    fn index(&self, kept: impl Fn(usize) -> bool) -> (Vec<usize>, usize) {
        let len = self.dims.iter().product();
        let total = (0..self.dims.len()).filter(|&axis| kept(axis)).map(|axis| self.dims[axis]).product();
        let of = |flat: usize| {
            let (mut rest, mut index, mut scale) = (flat, 0, 1);
            for axis in (0..self.dims.len()).rev() {
                if kept(axis) {
                    index += rest % self.dims[axis] * scale;
                    scale *= self.dims[axis];
                }
                rest /= self.dims[axis];
            }
            index
        };
        ((0..len).map(of).collect(), total)
    }

    /// One over the root of the mean square (or sum of squares) `var`.
    #[inline]
    fn inverse_roots(&self, var: &[f64]) -> Vec<f64> {
        var.iter().map(|var| 1.0 / (var + self.eps).sqrt()).collect()
    }

    #[inline]
    fn means(sets: &[usize], total: usize, values: &[f64]) -> Vec<f64> {
        Problem::sums_and_counts(sets, total, values).map(|(sum, count)| sum / count).collect()
    }

    /// Means, or sums where the root is of a sum.
    #[inline]
    fn means_or_sums(&self, sets: &[usize], total: usize, values: &[f64]) -> Vec<f64> {
        let of = |(sum, count)| if self.summed { sum } else { sum / count };
        Problem::sums_and_counts(sets, total, values).map(of).collect()
    }

    #[inline]
    fn sums_and_counts(sets: &[usize], total: usize, values: &[f64]) -> impl Iterator<Item = (f64, f64)> {
        let mut sums = vec![Sum::default(); total];
        let mut counts = vec![0.0; total];
        for (&set, &v) in sets.iter().zip(values) {
            sums[set].add(v);
            counts[set] += 1.0;
        }
        sums.into_iter().zip(counts).map(|(sum, count)| (sum.value(), count))
    }

    /// The output and the statistics.
    #[inline]
    #[must_use]
    pub fn forward(&self, x: &[f64], weight: Option<&[f64]>, bias: Option<&[f64]>) -> Forward {
        let (sets, total) = self.index(|axis| !self.reduced[axis]);
        let mean = if self.centred { Problem::means(&sets, total, x) } else { vec![0.0; total] };
        // A mean has no more than 53 bits: what that leaves of the deviations is taken off as well.
        let centred = subtract(x, &sets, &mean);
        let left = if self.centred { Problem::means(&sets, total, &centred) } else { vec![0.0; total] };
        let centred = subtract(&centred, &sets, &left);
        let squares: Vec<f64> = centred.iter().map(|v| v * v).collect();
        let var = self.means_or_sums(&sets, total, &squares);
        let rstd = self.inverse_roots(&var);
        let y = self.affine(&scale(&centred, &sets, &rstd), weight, bias);
        Forward { y, mean, var, rstd }
    }

    /// The gradients of [`Problem::forward`] for the output gradient `dy`.
    #[inline]
    #[must_use]
    pub fn backward(&self, x: &[f64], dy: &[f64], weight: Option<&[f64]>) -> Backward {
        let (sets, total) = self.index(|axis| !self.reduced[axis]);
        let Forward { y: xhat, rstd, .. } = self.forward(x, None, None);
        let (dweight, dbias) = self.parameter_gradients(&xhat, dy);
        let g = self.affine(dy, weight, None);
        let product: Vec<f64> = g.iter().zip(&xhat).map(|(g, h)| g * h).collect();
        let mean_g = if self.centred { Problem::means(&sets, total, &g) } else { vec![0.0; total] };
        let mean_product = self.means_or_sums(&sets, total, &product);
        let dx =
            (0..x.len()).map(|i| rstd[sets[i]] * (g[i] - mean_g[sets[i]] - xhat[i] * mean_product[sets[i]])).collect();
        Backward { dx, dweight, dbias }
    }

    /// The output by given statistics, one each for each set normalized together: batch normalization at inference.
    #[inline]
    #[must_use]
    pub fn forward_fixed(
        &self,
        x: &[f64],
        mean: &[f64],
        var: &[f64],
        weight: Option<&[f64]>,
        bias: Option<&[f64]>,
    ) -> Vec<f64> {
        let (sets, _) = self.index(|axis| !self.reduced[axis]);
        self.affine(&scale(&subtract(x, &sets, mean), &sets, &self.inverse_roots(var)), weight, bias)
    }

    /// The gradients of [`Problem::forward_fixed`]: the statistics are constants.
    #[inline]
    #[must_use]
    pub fn backward_fixed(&self, x: &[f64], dy: &[f64], mean: &[f64], var: &[f64], weight: Option<&[f64]>) -> Backward {
        let (sets, _) = self.index(|axis| !self.reduced[axis]);
        let xhat = self.forward_fixed(x, mean, var, None, None);
        let (dweight, dbias) = self.parameter_gradients(&xhat, dy);
        let dx = scale(&self.affine(dy, weight, None), &sets, &self.inverse_roots(var));
        Backward { dx, dweight, dbias }
    }

    /// Moves running statistics towards those of `batch`: `running = (1 - momentum) * running + momentum * batch`.
    ///
    /// `unbiased`: the variance is that of `n - 1`, as PyTorch keeps it. For a cumulative mean, the momentum is one over
    /// the number of batches, this one included.
    #[inline]
    pub fn update_running(
        &self,
        batch: &Forward,
        momentum: f64,
        unbiased: bool,
        running_mean: &mut [f64],
        running_var: &mut [f64],
    ) {
        let count: usize =
            self.dims.iter().zip(&self.reduced).filter(|(_, reduced)| **reduced).map(|(n, _)| n).product();
        let correction = if unbiased { count as f64 / (count as f64 - 1.0) } else { 1.0 };
        let step = |running: &mut f64, batch: f64| *running = (1.0 - momentum) * *running + momentum * batch;
        running_mean.iter_mut().zip(&batch.mean).for_each(|(running, mean)| step(running, *mean));
        running_var.iter_mut().zip(&batch.var).for_each(|(running, var)| step(running, var * correction));
    }

    /// `v * weight + bias`.
    #[inline]
    fn affine(&self, v: &[f64], weight: Option<&[f64]>, bias: Option<&[f64]>) -> Vec<f64> {
        let (params, _) = self.index(|axis| self.affine[axis]);
        let of = |(v, &at): (&f64, &usize)| v * weight.map_or(1.0, |w| w[at]) + bias.map_or(0.0, |b| b[at]);
        v.iter().zip(&params).map(of).collect()
    }

    /// The gradients of the weight and of the bias.
    #[inline]
    fn parameter_gradients(&self, xhat: &[f64], dy: &[f64]) -> (Vec<f64>, Vec<f64>) {
        let (params, total) = self.index(|axis| self.affine[axis]);
        let (mut dweight, mut dbias) = (vec![Sum::default(); total], vec![Sum::default(); total]);
        for i in 0..dy.len() {
            dweight[params[i]].add(dy[i] * xhat[i]);
            dbias[params[i]].add(dy[i]);
        }
        let values = |sums: Vec<Sum>| sums.iter().map(Sum::value).collect();
        (values(dweight), values(dbias))
    }
}

/// Of each element, less the value of its set.
#[inline]
fn subtract(x: &[f64], sets: &[usize], values: &[f64]) -> Vec<f64> {
    x.iter().zip(sets).map(|(v, &set)| v - values[set]).collect()
}

/// Of each element, times the value of its set.
#[inline]
fn scale(x: &[f64], sets: &[usize], values: &[f64]) -> Vec<f64> {
    x.iter().zip(sets).map(|(v, &set)| v * values[set]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By hand: the row [1, 2, 3, 6] has mean 3 and variance 3.5.
    #[test]
    fn a_row_by_hand() {
        let y = Problem::rows(1, 4, true, 0.0).forward(&[1.0, 2.0, 3.0, 6.0], None, None).y;
        let s = 3.5_f64.sqrt();
        for (y, expected) in y.iter().zip([-2.0 / s, -1.0 / s, 0.0, 3.0 / s]) {
            assert!((y - expected).abs() < 1e-15);
        }
    }

    /// PyTorch's answers for one batch of [1, 2, 3, 6] from running statistics 0 and 1, and for two in a cumulative mean.
    #[test]
    fn running_statistics_by_hand() {
        let problem = Problem::batch(&[4, 1], 1, 1e-5);
        let first = problem.forward(&[1.0, 2.0, 3.0, 6.0], None, None);
        let (mut mean, mut var) = ([0.0], [1.0]);
        problem.update_running(&first, 0.1, true, &mut mean, &mut var);
        assert!((mean[0] - 0.3).abs() < 1e-15);
        assert!((var[0] - (0.9 + 0.1 * 14.0 / 3.0)).abs() < 1e-15);
        let second = problem.forward(&[5.0, 6.0, 7.0, 10.0], None, None);
        let (mut mean, mut var) = ([0.0], [1.0]);
        problem.update_running(&first, 1.0, false, &mut mean, &mut var);
        problem.update_running(&second, 0.5, false, &mut mean, &mut var);
        assert!((mean[0] - 5.0).abs() < 1e-15 && (var[0] - 3.5).abs() < 1e-15);
    }

    /// By hand: a row of four ones has norm 2; a row of zeros is NaN, and no other row is.
    #[test]
    fn weight_by_hand() {
        let x = [1.0, 1.0, -1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 2.0, 2.0, 2.0, -2.0];
        let got = Problem::weight(&[3, 4], 0).forward(&x, Some(&[10.0, 1.0, 1.0]), None);
        assert_eq!(got.rstd, [0.5, f64::INFINITY, 0.25]);
        assert_eq!((&got.y[..4], &got.y[8..]), (&[5.0, 5.0, -5.0, 5.0][..], &[0.5, 0.5, 0.5, -0.5][..]));
        assert!(got.y[4..8].iter().all(|w| w.is_nan()));
    }

    /// The relations between the techniques: each constructor against another way to say the same.
    #[test]
    fn techniques_meet_where_they_should() {
        let dims = [2, 6, 3, 2];
        let (x, _) = values(72);
        let w = [0.5, -1.5, 2.0, 1.0, 0.25, 3.0];
        let b = [0.1, 0.2, 0.3, -0.1, -0.2, -0.3];
        let (w, b) = (Some(&w[..]), Some(&b[..]));
        let instance = Problem::instance(&dims, 1, 1e-3).forward(&x, w, b);
        assert_eq!(Problem::group(&dims, 1, 6, 1e-3).forward(&x, w, b), instance);
        let layer = Problem::over(&dims, &[1, 2, 3], true, 1e-3).forward(&x, None, None);
        assert_eq!(Problem::group(&dims, 1, 1, 1e-3).forward(&x, None, None), layer);
        let batch = Problem::batch(&dims[1..], 0, 1e-3).forward(&x[..36], w, b);
        assert_eq!(batch.y, instance.y[..36]);
        assert_eq!((batch.mean, batch.var), (instance.mean[..6].to_vec(), instance.var[..6].to_vec()));
        // Channels-last is the same on transposed memory.
        let last: Vec<f64> = (0..72).map(|i| x[i / 36 * 36 + i % 6 * 6 + i % 36 / 6]).collect();
        let got = Problem::group(&[2, 3, 2, 6], 3, 3, 1e-3).forward(&last, w, b);
        let expected = Problem::group(&dims, 1, 3, 1e-3).forward(&x, w, b);
        for i in 0..72 {
            assert!((got.y[i] - expected.y[i / 36 * 36 + i % 6 * 6 + i % 36 / 6]).abs() < 1e-14);
        }
        assert_eq!(expected.mean.len(), 6);
        // Fixed statistics that happen to be those of the batch.
        let problem = Problem::batch(&dims, 1, 1e-3);
        let expected = problem.forward(&x, w, b);
        let got = problem.forward_fixed(&x, &expected.mean, &expected.var, w, b);
        assert!(got.iter().zip(&expected.y).all(|(a, b)| (a - b).abs() < 1e-14));
    }

    fn values(len: usize) -> (Vec<f64>, Vec<f64>) {
        let value = |i: usize| ((i * 7 + 3) % 11) as f64 / 5.0 - 1.0 + (i % 5) as f64 / 50.0;
        ((0..len).map(value).collect(), (0..len).map(|i| value(i * 5 + 1)).collect())
    }

    /// The gradients of `forward` against central differences, for the loss `sum(forward * dy)`.
    fn check(
        x: &[f64],
        dy: &[f64],
        (w, b): (&[f64], &[f64]),
        got: &Backward,
        forward: impl Fn(&[f64], &[f64], &[f64]) -> Vec<f64>,
    ) {
        let loss = |x: &[f64], w: &[f64], b: &[f64]| forward(x, w, b).iter().zip(dy).map(|(y, d)| y * d).sum::<f64>();
        let compare = |analytic: f64, loss: &dyn Fn(f64) -> f64| {
            let numeric = (loss(1e-6) - loss(-1e-6)) / 2e-6;
            assert!((analytic - numeric).abs() < 1e-7, "{analytic} {numeric}");
        };
        let nudged = |v: &[f64], i: usize, h: f64| {
            let mut v = v.to_vec();
            v[i] += h;
            v
        };
        for i in 0..x.len() {
            compare(got.dx[i], &|h| loss(&nudged(x, i, h), w, b));
        }
        for i in 0..w.len() {
            compare(got.dweight[i], &|h| loss(x, &nudged(w, i, h), b));
            compare(got.dbias[i], &|h| loss(x, w, &nudged(b, i, h)));
        }
    }

    /// For both members, with a mean or a sum under the root, and for axes in the middle.
    #[test]
    fn finite_differences() {
        let (x, dy) = values(24);
        let (w, b) = ([0.5, -1.5, 2.0], [0.1, 0.2, 0.3]);
        for (centred, summed) in [(false, false), (true, false), (false, true), (true, true)] {
            for reduced in [vec![false, false, true], vec![false, true, false], vec![true, false, true]] {
                let affine = vec![false, true, false];
                let problem = Problem { dims: vec![2, 3, 4], reduced, affine, centred, eps: 1e-3, summed };
                let got = problem.backward(&x, &dy, Some(&w));
                check(&x, &dy, (&w, &b), &got, |x, w, b| problem.forward(x, Some(w), Some(b)).y);
            }
        }
    }

    #[test]
    fn finite_differences_of_each_technique() {
        let (x, dy) = values(48);
        let (w, b) = ([0.5, -1.5, 2.0, 1.0], [0.1, 0.2, 0.3, 0.4]);
        let (first, last) = ([2, 4, 3, 2], [2, 3, 2, 4]);
        for problem in [
            Problem::batch(&first, 1, 1e-3),
            Problem::batch(&last, 3, 1e-3),
            Problem::instance(&first, 1, 1e-3),
            Problem::instance(&last, 3, 1e-3),
            Problem::group(&first, 1, 2, 1e-3),
            Problem::group(&last, 3, 2, 1e-3),
            Problem::weight(&first, 1),
            Problem::weight(&last, 3),
            Problem::over(&first, &[1], true, 1e-3),
            Problem::over(&first, &[1], false, 1e-3),
        ] {
            let got = problem.backward(&x, &dy, Some(&w));
            check(&x, &dy, (&w, &b), &got, |x, w, b| problem.forward(x, Some(w), Some(b)).y);
        }
        let (mean, var) = ([0.1, -0.2, 0.3, 0.0], [0.5, 1.0, 2.0, 0.1]);
        for problem in [Problem::batch(&first, 1, 1e-3), Problem::batch(&last, 3, 1e-3)] {
            let got = problem.backward_fixed(&x, &dy, &mean, &var, Some(&w));
            check(&x, &dy, (&w, &b), &got, |x, w, b| problem.forward_fixed(x, &mean, &var, Some(w), Some(b)));
        }
    }
}
