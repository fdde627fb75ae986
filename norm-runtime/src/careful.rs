//! One row, whatever its magnitude.
//!
//! The fast kernels test once per row whether their formula holds. Where it does not, the row comes here: scaled by a
//! power of two so that no square overflows or vanishes, with the mean found in two steps so that nothing cancels. Values
//! that are not finite propagate as in PyTorch: a NaN or an infinity makes its row NaN (rms with an infinity: zeros, and
//! NaN for the infinity itself). A constant row with `eps = 0` is 0 times infinity, so NaN.

use crate::dtype::{Compute, Element};
use crate::rows::{BackwardArgs, ForwardArgs};
use crate::spec::{Role, Spec};
use crate::untyped::WidenAt;

/// Terms that are summed side by side, and how many are summed so before sums are added in pairs: a long chain beside one
/// huge term would round in the same direction all along.
const LANES: usize = 16;
const BLOCK: usize = 8 * LANES;

fn sum<A: Compute>(n: usize, term: impl Fn(usize) -> A) -> A {
    sum_range(0, n, &term)
}

fn sum_range<A: Compute>(start: usize, n: usize, term: &impl Fn(usize) -> A) -> A {
    if n > BLOCK {
        let half = (n / 2).next_multiple_of(LANES);
        return sum_range(start, half, term) + sum_range(start + half, n - half, term);
    }
    let mut lanes = [A::default(); LANES];
    for i in 0..n {
        lanes[i % LANES] += term(start + i);
    }
    let mut width = LANES;
    while width > 1 {
        width /= 2;
        for i in 0..width {
            let upper = lanes[i + width];
            lanes[i] += upper;
        }
    }
    lanes[0]
}

/// The statistics of one set of elements, of the values divided by a power of two near the largest of them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Statistics<A> {
    exponent: i32,
    mean: A,
    shift: A,
    square: A,
    rstd: A,
}

impl<A: Compute> Statistics<A> {
    /// Of `n` elements; with `of_sum`, `rstd` is one over the root of the sum of squares instead of their mean.
    pub(crate) fn new(n: usize, at: impl Fn(usize) -> A, eps: A, centred: bool, of_sum: bool) -> Self {
        let count = A::from_f64(n as f64);
        let zero = A::default();
        let larger = |a: A, b: A| if b > a { b } else { a };
        let largest = (0..n).fold(eps.sqrt(), |m, i| larger(m, at(i).abs()));
        let exponent = if largest > zero && largest.is_finite() { largest.exponent() } else { 0 };
        let scaled = |i: usize| at(i).scale_by_power(-exponent);

        let (mean, shift) = if centred && n > 0 {
            let first = scaled(0);
            let mean = first + sum(n, |i| scaled(i) - first) / count;
            (mean, sum(n, |i| scaled(i) - mean) / count)
        } else {
            (zero, zero)
        };
        let square = sum(n, |i| {
            let d = (scaled(i) - mean) - shift;
            d * d
        });
        let square = if of_sum { square } else { square / count };
        let eps = eps.scale_by_power(-exponent).scale_by_power(-exponent);
        Statistics { exponent, mean, shift, square, rstd: A::ONE / (square + eps).sqrt() }
    }

    /// The normalized value.
    pub(crate) fn normalized(&self, value: A) -> A {
        ((value.scale_by_power(-self.exponent) - self.mean) - self.shift) * self.rstd
    }

    /// The mean, and what its rounding left.
    pub(crate) fn mean(&self) -> (A, A) {
        let whole = self.mean + self.shift;
        let residual = (self.mean - whole) + self.shift;
        (whole.scale_by_power(self.exponent), residual.scale_by_power(self.exponent))
    }

    pub(crate) fn rstd(&self) -> A {
        self.rstd.scale_by_power(-self.exponent)
    }

    /// The mean square of the deviations, without eps.
    pub(crate) fn variance(&self) -> A {
        self.square.scale_by_power(self.exponent).scale_by_power(self.exponent)
    }
}

/// The index of the parameters of element `i` of a row.
fn param_index(spec: &Spec, row: usize) -> impl Fn(usize) -> usize + use<> {
    let by_row = spec.param_role() == Role::Channel;
    move |i| if by_row { row } else { i }
}

/// Normalizes row `row` of `args`, of `n` elements, and keeps its statistics where there is room for them.
///
/// # Safety
/// As for the kernel that was given `args`; `row < args.rows` and `n` is the length of its rows; `widen_at` reads parameters of their type.
pub(crate) unsafe fn row<T: Element>(
    args: &ForwardArgs<T, ()>,
    widen_at: WidenAt<T::Compute>,
    row: usize,
    n: usize,
    spec: &Spec,
) {
    let (centred, of_param) = (spec.centred, param_index(spec, row));
    // SAFETY: `row < rows`, so the kernel's contract makes these `n` elements valid for reading and for writing.
    let (x, y) = unsafe { (args.x.add(row * args.x_stride), args.y.add(row * args.y_stride)) };
    // SAFETY: `i < n` at every call; `y` may be `x`, which is why there is no slice.
    let at = |i: usize| unsafe { x.add(i).read() }.widen();
    let statistics = Statistics::new(n, at, args.eps, centred, spec.of_sum);
    for i in 0..n {
        let mut value = spec.cast.apply::<T>(statistics.normalized(at(i)));
        // SAFETY: the parameters, where there are any, hold `n` elements or one for each row, by the kernel's contract, and `i < n`.
        unsafe {
            if !args.weight.is_null() {
                value = value * widen_at(args.weight, of_param(i));
            }
            if !args.bias.is_null() {
                value += widen_at(args.bias, of_param(i));
            }
            y.add(i).write(T::narrow(value));
        }
    }
    if !args.rstd.is_null() {
        // SAFETY: the statistics, where they are kept, have room for `rows` rows, and `row < rows`.
        unsafe {
            args.rstd.add(row).write(statistics.rstd());
            if centred {
                let (mean, residual) = statistics.mean();
                args.mean.add(row).write(mean);
                args.residual.add(row).write(residual);
            }
        }
    }
}

/// The gradient of one set of elements whose magnitude leaves the range of the fast kernels.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Gradient<A> {
    mean: A,
    residual: A,
    rstd: A,
    mean_g: A,
    mean_product: A,
    /// Whether nothing depends on the element: the direction of a vector of one (which zero has none of: that stays NaN).
    constant: bool,
}

impl<A: Compute> Gradient<A> {
    /// Of `n` elements, from their statistics `[mean, residual, rstd]`; `g` is the gradient of the output times the weight.
    /// With `of_sum` the divisor was a root of a sum.
    pub(crate) fn new(
        n: usize,
        x: impl Fn(usize) -> A,
        g: impl Fn(usize) -> A,
        [mean, residual, rstd]: [A; 3],
        centred: bool,
        of_sum: bool,
    ) -> Self {
        let zero = A::default();
        let count = A::from_f64(n as f64);
        let constant = of_sum && n == 1;
        let mut gradient = Gradient { mean, residual, rstd, mean_g: zero, mean_product: zero, constant };
        if centred {
            gradient.mean_g = sum(n, &g) / count;
        }
        let product = sum(n, |i| g(i) * gradient.normalized(x(i)));
        gradient.mean_product = if of_sum { product } else { product / count };
        gradient
    }

    /// The normalized value: of quarters, whose difference cannot overflow.
    pub(crate) fn normalized(&self, x: A) -> A {
        let quarter = |v: A| v * A::from_f64(0.25);
        ((quarter(x) - quarter(self.mean)) - quarter(self.residual)) * (self.rstd * A::from_f64(4.0))
    }

    /// The gradient of the element whose normalized value is `h`.
    pub(crate) fn of(&self, g: A, h: A) -> A {
        if self.constant { self.rstd * A::default() } else { ((g - self.mean_g) - h * self.mean_product) * self.rstd }
    }
}

/// The gradients of row `row` of `args`, of `n` elements, where the mean is subtracted and `x - mean` may overflow.
///
/// # Safety
/// As for [`row`].
pub(crate) unsafe fn backward_row<T: Element>(
    args: &BackwardArgs<T, ()>,
    widen_at: WidenAt<T::Compute>,
    row: usize,
    n: usize,
    spec: &Spec,
) {
    let of_param = param_index(spec, row);
    // SAFETY: `row < rows`, so the kernel's contract makes these `n` elements valid, and the statistics hold the row.
    let (x, dy, dx, statistics) = unsafe {
        (
            args.x.add(row * args.x_stride),
            args.dy.add(row * args.dy_stride),
            args.dx.add(row * args.dx_stride),
            [args.mean.add(row).read(), args.residual.add(row).read(), args.rstd.add(row).read()],
        )
    };
    // SAFETY: `i < n` at every call, and the weight, where there is one, holds `n` elements or one for each row.
    let d = |i: usize| unsafe { dy.add(i).read() }.widen();
    // SAFETY: as above.
    let weight = |i: usize| unsafe { widen_at(args.weight, of_param(i)) };
    let g = |i: usize| if args.weight.is_null() { d(i) } else { d(i) * weight(i) };
    // SAFETY: as above.
    let x = |i: usize| unsafe { x.add(i).read() }.widen();
    let gradient = Gradient::new(n, x, g, statistics, true, false);
    // Those along the row; where there is one number for each row, it is given here.
    let (mut dweight, mut dbias) = (args.dweight, args.dbias);
    if spec.param_role() == Role::Channel {
        // SAFETY: the gradients of parameters have room for each row, and `row < rows`.
        unsafe {
            dweight.add(row).write(sum(n, |i| d(i) * gradient.normalized(x(i))));
            dbias.add(row).write(sum(n, d));
        }
        (dweight, dbias) = (core::ptr::null_mut(), core::ptr::null_mut());
    }
    for i in 0..n {
        let h = gradient.normalized(x(i));
        // SAFETY: `i < n`; the gradients of parameters, where there are any, have room for `n` elements.
        unsafe {
            if !dweight.is_null() {
                *dweight.add(i) += d(i) * spec.cast.apply::<T>(h);
            }
            if !dbias.is_null() {
                *dbias.add(i) += d(i);
            }
            dx.add(i).write(T::narrow(gradient.of(g(i), h)));
        }
    }
}
