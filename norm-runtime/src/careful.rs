//! One row, whatever its magnitude.
//!
//! The fast kernels test once per row whether their formula holds. Where it does not, the row comes here: scaled by a
//! power of two so that no square overflows or vanishes, with the mean found in two steps so that nothing cancels. Values
//! that are not finite propagate as in PyTorch: a NaN or an infinity makes its row NaN (rms with an infinity: zeros, and
//! NaN for the infinity itself). A constant row with `eps = 0` is 0 times infinity, so NaN.

use crate::dtype::{Compute, Element};
use crate::rows::ForwardArgs;

/// Partial sums kept side by side: shorter chains lose less, and the compiler may use vectors for them.
const LANES: usize = 16;

fn sum<A: Compute>(n: usize, term: impl Fn(usize) -> A) -> A {
    let mut lanes = [A::default(); LANES];
    for i in 0..n {
        lanes[i % LANES] += term(i);
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
