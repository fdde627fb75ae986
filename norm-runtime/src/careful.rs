//! One row, whatever its magnitude.
//!
//! The fast kernels test once per row whether their formula holds. Where it does not, the row comes here: scaled by a
//! power of two so that no square overflows or vanishes, with the mean found in two steps so that nothing cancels. Values
//! that are not finite propagate as in PyTorch: a NaN or an infinity makes its row NaN (rms with an infinity: zeros, and
//! NaN for the infinity itself). A constant row with `eps = 0` is 0 times infinity, so NaN.

use crate::dtype::{Compute, Element};
use crate::rows::{BackwardArgs, ForwardArgs};

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

/// Normalizes row `row` of `args`, of `n` elements, and keeps its statistics where there is room for them.
///
/// # Safety
/// As for the kernel that was given `args`; `row < args.rows` and `n` is the length of its rows.
pub(crate) unsafe fn row<T: Element, P: Element<Compute = T::Compute>>(
    args: &ForwardArgs<T, P>,
    row: usize,
    n: usize,
    centred: bool,
) {
    // SAFETY: `row < rows`, so the kernel's contract makes these `n` elements valid for reading and for writing.
    let (x, y) = unsafe { (args.x.add(row * args.x_stride), args.y.add(row * args.y_stride)) };
    // SAFETY: `i < n` at every call; `y` may be `x`, which is why there is no slice.
    let at = |i: usize| unsafe { x.add(i).read() }.widen();
    let count = T::Compute::from_f64(n as f64);
    let zero = T::Compute::default();

    let larger = |a: T::Compute, b: T::Compute| if b > a { b } else { a };
    let largest = (0..n).fold(args.eps.sqrt(), |m, i| larger(m, at(i).abs()));
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
    }) / count;
    let eps = args.eps.scale_by_power(-exponent).scale_by_power(-exponent);
    let rstd = T::Compute::ONE / (square + eps).sqrt();

    for i in 0..n {
        let mut value = ((scaled(i) - mean) - shift) * rstd;
        // SAFETY: the parameters, where there are any, hold `n` elements by the kernel's contract, and `i < n`.
        unsafe {
            if !args.weight.is_null() {
                value = value * args.weight.add(i).read().widen();
            }
            if !args.bias.is_null() {
                value += args.bias.add(i).read().widen();
            }
            y.add(i).write(T::narrow(value));
        }
    }
    if !args.rstd.is_null() {
        // SAFETY: the statistics, where they are kept, have room for `rows` rows, and `row < rows`.
        unsafe {
            args.rstd.add(row).write(rstd.scale_by_power(-exponent));
            if centred {
                let whole = mean + shift;
                args.mean.add(row).write(whole.scale_by_power(exponent));
                args.residual.add(row).write(((mean - whole) + shift).scale_by_power(exponent));
            }
        }
    }
}

/// The gradients of row `row` of `args`, of `n` elements, where the mean is subtracted and `x - mean` may overflow.
///
/// # Safety
/// As for the kernel that was given `args`; `row < args.rows` and `n` is the length of its rows.
pub(crate) unsafe fn backward_row<T: Element, P: Element<Compute = T::Compute>>(
    args: &BackwardArgs<T, P>,
    row: usize,
    n: usize,
) {
    // SAFETY: `row < rows`, so the kernel's contract makes these `n` elements valid, and the statistics hold the row.
    let (x, dy, dx, mean, residual, rstd) = unsafe {
        (
            args.x.add(row * args.x_stride),
            args.dy.add(row * args.dy_stride),
            args.dx.add(row * args.dx_stride),
            args.mean.add(row).read(),
            args.residual.add(row).read(),
            args.rstd.add(row).read(),
        )
    };
    let count = T::Compute::from_f64(n as f64);
    let quarter = |v: T::Compute| v * T::Compute::from_f64(0.25);
    let scale = rstd * T::Compute::from_f64(4.0);
    // SAFETY: `i < n` at every call, and the weight, where there is one, holds `n` elements.
    let d = |i: usize| unsafe { dy.add(i).read() }.widen();
    // SAFETY: as above.
    let g = |i: usize| if args.weight.is_null() { d(i) } else { d(i) * unsafe { args.weight.add(i).read() }.widen() };
    // SAFETY: as above.
    let h = |i: usize| ((quarter(unsafe { x.add(i).read() }.widen()) - quarter(mean)) - quarter(residual)) * scale;
    let mean_g = sum(n, g) / count;
    let mean_product = sum(n, |i| g(i) * h(i)) / count;
    for i in 0..n {
        // SAFETY: `i < n`; the gradients of parameters, where there are any, have room for `n` elements.
        unsafe {
            if !args.dweight.is_null() {
                *args.dweight.add(i) += d(i) * h(i);
            }
            if !args.dbias.is_null() {
                *args.dbias.add(i) += d(i);
            }
            dx.add(i).write(T::narrow(((g(i) - mean_g) - h(i) * mean_product) * rstd));
        }
    }
}
