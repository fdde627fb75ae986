//! The oracle: any technique of the family, over any axes, in `f64`, by its definition.
//!
//! `y = (x - mu) * r * weight + bias`, with `r = 1 / sqrt(mean((x - mu)^2) + eps)` over the reduced axes and the parameters
//! laid over another set of axes; `dx = r * (g - mean(g) - xhat * mean(g * xhat))` with `g = dy * weight`, the middle term
//! only where the mean is subtracted.

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
}

/// What [`Problem::forward`] gives.
#[derive(Clone, Debug, PartialEq)]
pub struct Forward {
    /// As `x`.
    pub y: Vec<f64>,
    /// For each set normalized together, its mean (0 where it is not subtracted).
    pub mean: Vec<f64>,
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
    fn add(&mut self, v: f64) {
        let sum = self.sum + v;
        let (large, small) = if self.sum.abs() >= v.abs() { (self.sum, v) } else { (v, self.sum) };
        self.lost += (large - sum) + small;
        self.sum = sum;
    }

    fn value(&self) -> f64 {
        // Where the sum is not finite, what was lost is NaN.
        if self.sum.is_finite() { self.sum + self.lost } else { self.sum }
    }
}

impl Problem {
    /// Rows of `n` elements, each normalized for itself, the parameters along the row: rms and layer.
    #[must_use]
    pub fn rows(rows: usize, n: usize, centred: bool, eps: f64) -> Self {
        Problem { dims: vec![rows, n], reduced: vec![false, true], affine: vec![false, true], centred, eps }
    }

    /// The index, over the axes in `kept`, of each element.
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

    fn means(&self, sets: &[usize], total: usize, values: &[f64]) -> Vec<f64> {
        let mut sums = vec![Sum::default(); total];
        let mut counts = vec![0.0; total];
        for (&set, &v) in sets.iter().zip(values) {
            sums[set].add(v);
            counts[set] += 1.0;
        }
        sums.iter().zip(counts).map(|(sum, count)| sum.value() / count).collect()
    }

    /// The output and the statistics.
    #[must_use]
    pub fn forward(&self, x: &[f64], weight: Option<&[f64]>, bias: Option<&[f64]>) -> Forward {
        let (sets, total) = self.index(|axis| !self.reduced[axis]);
        let (params, _) = self.index(|axis| self.affine[axis]);
        let mean = if self.centred { self.means(&sets, total, x) } else { vec![0.0; total] };
        // A mean has no more than 53 bits: what that leaves of the deviations is taken off as well.
        let centred: Vec<f64> = x.iter().zip(&sets).map(|(v, &set)| v - mean[set]).collect();
        let left = if self.centred { self.means(&sets, total, &centred) } else { vec![0.0; total] };
        let centred: Vec<f64> = centred.iter().zip(&sets).map(|(v, &set)| v - left[set]).collect();
        let squares: Vec<f64> = centred.iter().map(|v| v * v).collect();
        let rstd: Vec<f64> = self.means(&sets, total, &squares).iter().map(|v| 1.0 / (v + self.eps).sqrt()).collect();
        let y = (0..x.len())
            .map(|i| {
                let scale = weight.map_or(1.0, |w| w[params[i]]);
                centred[i] * rstd[sets[i]] * scale + bias.map_or(0.0, |b| b[params[i]])
            })
            .collect();
        Forward { y, mean, rstd }
    }

    /// The gradients for the output gradient `dy`.
    #[must_use]
    pub fn backward(&self, x: &[f64], dy: &[f64], weight: Option<&[f64]>) -> Backward {
        let (sets, total) = self.index(|axis| !self.reduced[axis]);
        let (params, param_total) = self.index(|axis| self.affine[axis]);
        let Forward { y: xhat, rstd, .. } = self.forward(x, None, None);
        let (mut dweight, mut dbias) = (vec![Sum::default(); param_total], vec![Sum::default(); param_total]);
        for i in 0..x.len() {
            dweight[params[i]].add(dy[i] * xhat[i]);
            dbias[params[i]].add(dy[i]);
        }
        let g: Vec<f64> = (0..x.len()).map(|i| dy[i] * weight.map_or(1.0, |w| w[params[i]])).collect();
        let product: Vec<f64> = g.iter().zip(&xhat).map(|(g, h)| g * h).collect();
        let mean_g = if self.centred { self.means(&sets, total, &g) } else { vec![0.0; total] };
        let mean_product = self.means(&sets, total, &product);
        let dx =
            (0..x.len()).map(|i| rstd[sets[i]] * (g[i] - mean_g[sets[i]] - xhat[i] * mean_product[sets[i]])).collect();
        let values = |sums: Vec<Sum>| sums.iter().map(Sum::value).collect();
        Backward { dx, dweight: values(dweight), dbias: values(dbias) }
    }
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

    /// The gradient against central differences, for both members and for axes in the middle.
    #[test]
    fn finite_differences() {
        let dims = vec![2, 3, 4];
        let value = |i: usize| ((i * 7 + 3) % 11) as f64 / 5.0 - 1.0;
        let x: Vec<f64> = (0..24).map(value).collect();
        let dy: Vec<f64> = (0..24).map(|i| value(i * 5 + 1)).collect();
        for centred in [false, true] {
            for reduced in [vec![false, false, true], vec![false, true, false], vec![true, false, true]] {
                let affine = vec![false, true, false];
                let problem = Problem { dims: dims.clone(), reduced, affine, centred, eps: 1e-3 };
                let (w, b) = ([0.5, -1.5, 2.0], [0.1, 0.2, 0.3]);
                let loss = |x: &[f64], w: &[f64], b: &[f64]| {
                    problem.forward(x, Some(w), Some(b)).y.iter().zip(&dy).map(|(y, d)| y * d).sum::<f64>()
                };
                let got = problem.backward(&x, &dy, Some(&w));
                let check = |analytic: f64, loss: &dyn Fn(f64) -> f64| {
                    let numeric = (loss(1e-6) - loss(-1e-6)) / 2e-6;
                    assert!((analytic - numeric).abs() < 1e-7, "{analytic} {numeric}");
                };
                let nudged = |v: &[f64], i: usize, h: f64| {
                    let mut v = v.to_vec();
                    v[i] += h;
                    v
                };
                for i in 0..24 {
                    check(got.dx[i], &|h| loss(&nudged(&x, i, h), &w, &b));
                }
                for i in 0..3 {
                    check(got.dweight[i], &|h| loss(&x, &nudged(&w, i, h), &b));
                    check(got.dbias[i], &|h| loss(&x, &w, &nudged(&b, i, h)));
                }
            }
        }
    }
}
