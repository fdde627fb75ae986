//! What must hold for any input: agreement with the f64 oracle, with finite differences, and of a row with itself, wherever
//! the row lies and whatever lies beside it.

// Of what tests need, lints warn; this silences them.
#![allow(deprecated)]

mod random;

use normkit::{Compute, Saved, View, ViewMut};
use normkit_tests::{Expected, Inputs, Kernel, Numbers, Outputs, at_each_level, bits, error, kernel, widen};
use proptest::prelude::*;
use random::for_all;

/// All kinds of parameters, with lengths known only at run time and with some that were known when the kernel was made.
fn kernels() -> Vec<(Kernel<f32>, Option<usize>)> {
    vec![
        (kernel!(f32, weight bias; kind = "layer", shape = [_, _]), None),
        (kernel!(f32,; kind = "layer", shape = [_, _], affine = false), None),
        (kernel!(f32, weight; kind = "rms", shape = [_, _]), None),
        (kernel!(f32, weight bias; kind = "layer", shape = [_, 17]), Some(17)),
        (kernel!(f32, weight bias; kind = "layer", shape = [_, 100]), Some(100)),
        (kernel!(f32, weight; kind = "layer", shape = [_, 1027], affine = weight), Some(1027)),
        (kernel!(f32, weight; kind = "rms", shape = [_, 64]), Some(64)),
        (kernel!(f32,; kind = "rms", shape = [_, 257], affine = false), Some(257)),
    ]
}

/// What a random case is made from.
#[derive(Clone, Copy, Debug)]
struct Case {
    /// Index into the kernels.
    kernel: usize,
    rows: usize,
    /// Taken by kernels of any length.
    n: usize,
    seed: u64,
    /// In deviations.
    mean: f64,
    deviation: f64,
    /// For x, y, dy and dx: elements before the first row and between rows.
    starts: [usize; 4],
    gaps: [usize; 4],
}

fn case(kernels: usize) -> impl Strategy<Value = Case> {
    let n = prop_oneof![4 => 1..80_usize, 1 => 80..1500_usize];
    let mean = prop_oneof![Just(0.0), -10.0..10.0, (-1e4..1e4), (0.0..5.0).prop_map(|e: f64| 10_f64.powf(e))];
    let deviation = (-6.0..6.0).prop_map(|e: f64| 10_f64.powf(e));
    let gaps = prop_oneof![Just([0; 4]), prop::array::uniform4(0..40_usize)];
    (0..kernels, 0..12_usize, n, any::<u64>(), mean, deviation, prop::array::uniform4(0..17_usize), gaps).prop_map(
        |(kernel, rows, n, seed, mean, deviation, starts, gaps)| Case {
            kernel,
            rows,
            n,
            seed,
            mean,
            deviation,
            starts,
            gaps,
        },
    )
}

fn inputs<T: Compute>(kernel: &Kernel<T>, case: &Case, n: usize) -> Inputs<T> {
    let mut numbers = Numbers(case.seed);
    let x = numbers.normal(case.rows * n, case.mean * case.deviation, case.deviation);
    let dy = numbers.normal(case.rows * n, 0.0, 1.0);
    let (weight, bias) = (numbers.normal(n, 1.0, 0.5), numbers.normal(n, 0.0, 0.5));
    Inputs::new(&x, &dy, &weight, &bias, kernel.spec.eps)
}

/// What lies between rows, and must still lie there afterwards.
const SENTINEL: f64 = 12_345.0;

/// Rows in a larger buffer: `D` axes, the innermost contiguous.
#[derive(Clone, Copy, Debug)]
struct Placed<const D: usize> {
    dims: [usize; D],
    strides: [usize; D],
    start: usize,
}

impl<const D: usize> Placed<D> {
    /// `order` lists the leading axes from the innermost to the outermost in memory; `gap` elements follow each axis.
    fn new(dims: [usize; D], order: &[usize], start: usize, gap: usize) -> Self {
        let mut strides = [1; D];
        let mut extent = dims[D - 1];
        for &axis in order {
            strides[axis] = extent + gap;
            extent = strides[axis] * dims[axis];
        }
        Placed { dims, strides, start }
    }

    fn reach(&self) -> usize {
        if self.dims.contains(&0) {
            return self.start;
        }
        self.start + 1 + (0..D).map(|axis| (self.dims[axis] - 1) * self.strides[axis]).sum::<usize>()
    }

    /// Where each element lies, in the order of indices.
    fn places(&self) -> Vec<usize> {
        let len = self.dims.iter().product();
        (0..len)
            .map(|flat: usize| {
                let mut rest = flat;
                let mut at = self.start;
                for axis in (0..D).rev() {
                    at += rest % self.dims[axis] * self.strides[axis];
                    rest /= self.dims[axis];
                }
                at
            })
            .collect()
    }

    /// A buffer with `values` in place, or without, and sentinels everywhere else.
    fn buffer<T: Compute>(&self, values: Option<&[T]>) -> Vec<T> {
        let mut buffer = vec![T::from_f64(SENTINEL); self.reach()];
        for (&at, &value) in self.places().iter().zip(values.into_iter().flatten()) {
            buffer[at] = value;
        }
        buffer
    }

    fn view<'a, T>(&self, buffer: &'a [T]) -> View<'a, T> {
        (&buffer[self.start..], self.dims, self.strides).into()
    }

    fn view_mut<'a, T>(&self, buffer: &'a mut [T]) -> ViewMut<'a, T> {
        (&mut buffer[self.start..], self.dims, self.strides).into()
    }

    /// The elements in the order of indices; all else must be sentinels.
    fn gather<T: Compute>(&self, mut buffer: Vec<T>, what: &str) -> Vec<T> {
        let take = |at: usize| core::mem::replace(&mut buffer[at], T::from_f64(SENTINEL));
        let values = self.places().into_iter().map(take).collect();
        assert!(buffer.iter().all(|v| v.to_f64() == SENTINEL), "{what} was written to between rows");
        values
    }
}

/// All methods, each tensor placed by itself: x, y, dy, dx.
fn run_placed<T: Compute, const D: usize>(
    kernel: &Kernel<T>,
    inputs: &Inputs<T>,
    places: &[Placed<D>; 4],
) -> Outputs<T> {
    let params = inputs.params();
    let [px, py, pdy, pdx] = places;
    let (x, dy) = (px.buffer(Some(&inputs.x)), pdy.buffer(Some(&inputs.dy)));
    let (mut y, mut trained, mut dx) = (py.buffer(None), py.buffer(None), pdx.buffer(None));
    let mut inplace = x.clone();
    let mut saved = Saved::default();
    (kernel.forward)(px.view(&x), params, py.view_mut(&mut y)).unwrap();
    (kernel.inplace)(px.view_mut(&mut inplace), params).unwrap();
    (kernel.train)(px.view(&x), params, py.view_mut(&mut trained), &mut saved).unwrap();
    let zeros = |present: bool| vec![T::default(); if present { inputs.weight.len() } else { 0 }];
    let (mut dweight, mut dbias) = (zeros(kernel.has_weight()), zeros(kernel.has_bias()));
    (kernel.backward)(px.view(&x), pdy.view(&dy), params, &saved, pdx.view_mut(&mut dx), &mut dweight, &mut dbias)
        .unwrap();
    let y = py.gather(y, "y");
    assert_eq!(bits(&y), bits(&px.gather(inplace, "x")), "in place");
    assert_eq!(bits(&y), bits(&py.gather(trained, "y")), "training");
    Outputs { y, dx: pdx.gather(dx, "dx"), dweight, dbias, saved }
}

fn assert_same<T: Compute>(a: &Outputs<T>, b: &Outputs<T>, what: &str) {
    assert_eq!(bits(&a.y), bits(&b.y), "y {what}");
    assert_eq!(bits(&a.dx), bits(&b.dx), "dx {what}");
    assert_eq!(bits(&a.dweight), bits(&b.dweight), "dweight {what}");
    assert_eq!(bits(&a.dbias), bits(&b.dbias), "dbias {what}");
    assert_eq!(a.saved, b.saved, "saved {what}");
}

/// Against the oracle, within `tolerance` of the natural scale of each tensor.
fn assert_near<T: Compute>(found: &Outputs<T>, expected: &Expected, rows: usize, tolerance: f64) {
    let near = |part: &str, found: &[T], expected: &[f64], scale: f64| {
        let error = error(&widen(found), expected, scale);
        assert!(error <= tolerance, "{part}: error {error:e} of {tolerance:e}");
    };
    near("y", &found.y, &expected.y, 1.0);
    near("rstd", found.saved.rstd(), &expected.rstd, f64::MIN_POSITIVE);
    // Terms that cancel in dx are of the size of rstd; those in the sums over rows of the size of one.
    let largest = expected.rstd.iter().fold(f64::MIN_POSITIVE, |m, &r| m.max(r));
    near("dx", &found.dx, &expected.dx, largest);
    near("dweight", &found.dweight, &expected.dweight, (rows as f64).sqrt().max(1.0));
    near("dbias", &found.dbias, &expected.dbias, (rows as f64).sqrt().max(1.0));
}

#[test]
fn any_rows_agree_with_the_oracle() {
    let kernels = kernels();
    for_all("oracle", 1500, &case(kernels.len()), |case| {
        let (kernel, n) = &kernels[case.kernel];
        let n = n.unwrap_or(case.n);
        let inputs = inputs(kernel, &case, n);
        let dims = [case.rows, n];
        let places = core::array::from_fn(|i| Placed::new(dims, &[0], case.starts[i], case.gaps[i]));
        let found = run_placed(kernel, &inputs, &places);
        assert_near(&found, &kernel.oracle(n, &inputs), case.rows, 4e-6);
    });
}

#[test]
fn f64_rows_agree_with_the_oracle() {
    let kernels = f64_kernels();
    for_all("oracle f64", 500, &case(kernels.len()), |case| {
        let (kernel, n) = &kernels[case.kernel];
        let n = n.unwrap_or(case.n);
        let inputs = inputs(kernel, &case, n);
        let places = core::array::from_fn(|i| Placed::new([case.rows, n], &[0], case.starts[i], case.gaps[i]));
        assert_near(&run_placed(kernel, &inputs, &places), &kernel.oracle(n, &inputs), case.rows, 1e-13);
    });
}

/// Strides, gaps and the alignment of the first element change no bit: of y, dx, the statistics, the gradients of
/// parameters.
#[test]
fn placement_changes_no_bit() {
    let kernels = kernels();
    for_all("placement", 1000, &case(kernels.len()), |case| {
        let (kernel, n) = &kernels[case.kernel];
        let n = n.unwrap_or(case.n);
        let inputs = inputs(kernel, &case, n);
        let dims = [case.rows, n];
        let contiguous = kernel.run(dims, &inputs);
        let placed = |starts: [usize; 4], gaps: [usize; 4]| {
            run_placed(kernel, &inputs, &core::array::from_fn(|i| Placed::new(dims, &[0], starts[i], gaps[i])))
        };
        assert_same(&contiguous, &placed(case.starts, [0; 4]), "at another alignment");
        assert_same(&contiguous, &placed([0; 4], case.gaps), "with gaps between rows");
        assert_same(&contiguous, &placed(case.starts, case.gaps), "with gaps at another alignment");
    });
}

/// Every offset of a slice within a vector and a cache line, for each method.
#[test]
fn every_alignment_gives_the_same_bits() {
    let kernels = kernels();
    at_each_level("alignment", |level| {
        for (kernel, n) in &kernels {
            let n = n.unwrap_or(39);
            let case = Case { kernel: 0, rows: 5, n, seed: 7, mean: 3.0, deviation: 2.0, starts: [0; 4], gaps: [0; 4] };
            let inputs = inputs(kernel, &case, n);
            let contiguous = kernel.run([5, n], &inputs);
            for start in 0..=16 {
                let place = Placed::new([5, n], &[0], start, 0);
                let found = run_placed(kernel, &inputs, &[place; 4]);
                assert_same(&contiguous, &found, &format!("of {} from element {start} at {level}", kernel.name));
                // Parameters and their gradients at another alignment.
                let shifted = |values: &[f32]| [&vec![0.0; start][..], values].concat();
                let (weight, bias) = (shifted(&inputs.weight), shifted(&inputs.bias));
                let params = normkit_tests::Params { weight: &weight[start..], bias: &bias[start..], eps: inputs.eps };
                let (mut y, mut dx) = (vec![0.0; 5 * n], vec![0.0; 5 * n]);
                (kernel.forward)((&inputs.x, [5, n]).into(), params, (&mut y, [5, n]).into()).unwrap();
                assert_eq!(bits(&y), bits(&contiguous.y), "y of {}, parameters from {start}", kernel.name);
                let (mut dweight, mut dbias) = (vec![0.0; start + n], vec![0.0; start + n]);
                (kernel.backward)(
                    (&inputs.x, [5, n]).into(),
                    (&inputs.dy, [5, n]).into(),
                    params,
                    &contiguous.saved,
                    (&mut dx, [5, n]).into(),
                    &mut dweight[start..],
                    &mut dbias[start..],
                )
                .unwrap();
                assert_eq!(bits(&dx), bits(&contiguous.dx), "dx of {}, parameters from {start}", kernel.name);
                if kernel.has_weight() {
                    assert_eq!(bits(&dweight[start..]), bits(&contiguous.dweight), "dweight from {start}");
                }
                if kernel.has_bias() {
                    assert_eq!(bits(&dbias[start..]), bits(&contiguous.dbias), "dbias from {start}");
                }
            }
        }
    });
}

/// A row does not know its neighbours: alone, in any part of the batch, and with the batch reversed it has the same bits.
/// Every third row is one that the fast kernels hand on (its first elements are outliers).
#[test]
fn a_row_does_not_depend_on_its_batch() {
    let kernels = kernels();
    for_all("batch", 800, &(case(kernels.len()), 0..12_usize), |(case, cut)| {
        let (kernel, n) = &kernels[case.kernel];
        let n = n.unwrap_or(case.n);
        let mut inputs = inputs(kernel, &case, n);
        for (row, x) in inputs.x.chunks_exact_mut(n).enumerate() {
            if (row as u64 + case.seed).is_multiple_of(3) {
                x[0] = 1e6;
            }
        }
        let whole = kernel.run([case.rows, n], &inputs);
        let part = |rows: core::ops::Range<usize>| {
            let elements = rows.start * n..rows.end * n;
            let (x, dy) = (inputs.x[elements.clone()].to_vec(), inputs.dy[elements.clone()].to_vec());
            let found = kernel.run([rows.len(), n], &Inputs { x, dy, ..inputs.clone() });
            assert_eq!(bits(&found.y), bits(&whole.y[elements.clone()]), "y of rows {rows:?} of {}", case.rows);
            assert_eq!(bits(&found.dx), bits(&whole.dx[elements]), "dx of rows {rows:?} of {}", case.rows);
            assert_eq!(found.saved.rstd(), &whole.saved.rstd()[rows], "rstd");
        };
        (0..case.rows).for_each(|row| part(row..row + 1));
        part(0..cut.min(case.rows));
        part(cut.min(case.rows)..case.rows);
        let reversed = |values: &[f32]| values.chunks_exact(n).rev().flatten().copied().collect::<Vec<_>>();
        let backwards =
            kernel.run([case.rows, n], &Inputs { x: reversed(&inputs.x), dy: reversed(&inputs.dy), ..inputs.clone() });
        assert_eq!(bits(&reversed(&backwards.y)), bits(&whole.y), "y of rows in reverse");
        assert_eq!(bits(&reversed(&backwards.dx)), bits(&whole.dx), "dx of rows in reverse");
    });
}

/// What `backward` adds does not depend on what was there, up to one rounding; dx does not depend on it at all.
#[test]
fn gradients_are_added() {
    let kernels = kernels();
    for_all("added", 200, &case(kernels.len()), |case| {
        let (kernel, n) = &kernels[case.kernel];
        let n = n.unwrap_or(case.n);
        let inputs = inputs(kernel, &case, n);
        let once = kernel.run([case.rows, n], &inputs);
        let (mut dweight, mut dbias) = (once.dweight.clone(), once.dbias.clone());
        let mut dx = vec![f32::NAN; inputs.x.len()];
        let dims = [case.rows, n];
        (kernel.backward)(
            (&inputs.x, dims).into(),
            (&inputs.dy, dims).into(),
            inputs.params(),
            &once.saved,
            (&mut dx, dims).into(),
            &mut dweight,
            &mut dbias,
        )
        .unwrap();
        // Twice the same is exact.
        let twice = |values: &[f32]| values.iter().map(|v| v + v).collect::<Vec<_>>();
        assert_eq!(bits(&dx), bits(&once.dx));
        assert_eq!((bits(&dweight), bits(&dbias)), (bits(&twice(&once.dweight)), bits(&twice(&once.dbias))));
    });
}

/// Leading axes in any order in memory, each tensor in its own: the same bits as contiguous tensors.
#[test]
fn several_leading_axes_in_any_order() {
    let three = kernel!(f32, weight bias; kind = "layer", shape = [_, _, 20]);
    let four = kernel!(f32, weight; kind = "rms", shape = [_, 3, _, _], axis = -1);
    let tensors = || prop::array::uniform4((Just(vec![0_usize, 1, 2]).prop_shuffle(), 0..5_usize, 0..17_usize));
    let dims = (0..6_usize, 0..5_usize, 1..50_usize);
    for_all("leading axes", 800, &(tensors(), dims, any::<u64>()), |(tensors, (a, b, n), seed)| {
        let case = Case { kernel: 0, rows: a * b, n, seed, mean: 2.0, deviation: 1.0, starts: [0; 4], gaps: [0; 4] };
        let data = inputs(&three, &case, 20);
        let places = core::array::from_fn(|i| {
            let (order, gap, start) = &tensors[i];
            let order: Vec<usize> = order.iter().copied().filter(|&axis| axis < 2).collect();
            Placed::new([a, b, 20], &order, *start, *gap)
        });
        assert_same(&three.run([a, b, 20], &data), &run_placed(&three, &data, &places), "over three axes");

        let data = inputs(&four, &Case { rows: a * 3 * b, ..case }, n);
        let places = core::array::from_fn(|i| {
            let (order, gap, start) = &tensors[i];
            Placed::new([a, 3, b, n], order, *start, *gap)
        });
        assert_same(&four.run([a, 3, b, n], &data), &run_placed(&four, &data, &places), "over four axes");
    });
}

/// Blocks of gradients (1024 rows of 64 elements) meet strided stretches that end elsewhere.
#[test]
fn gradients_of_many_strided_rows() {
    let kernel = kernel!(f32, weight bias; kind = "layer", shape = [_, _, 20]);
    at_each_level("many strided rows", |level| {
        let (a, b) = (7, 331);
        let case =
            Case { kernel: 0, rows: a * b, n: 20, seed: 3, mean: 1.0, deviation: 1.0, starts: [0; 4], gaps: [0; 4] };
        let data = inputs(&kernel, &case, 20);
        let contiguous = kernel.run([a, b, 20], &data);
        assert_near(&contiguous, &kernel.oracle(20, &data), case.rows, 2e-6);
        for order in [[0, 1], [1, 0]] {
            let places = core::array::from_fn(|i| Placed::new([a, b, 20], &order, i, 3 * i));
            let found = run_placed(&kernel, &data, &places);
            assert_same(&contiguous, &found, &format!("in order {order:?} at {level}"));
        }
    });
}

fn f64_kernels() -> Vec<(Kernel<f64>, Option<usize>)> {
    vec![
        (kernel!(f64, weight bias; kind = "layer", shape = [_, _]), None),
        (kernel!(f64, weight; kind = "rms", shape = [_, _]), None),
        (kernel!(f64, weight bias; kind = "layer", shape = [_, 21]), Some(21)),
        (kernel!(f64, weight; kind = "rms", shape = [_, 13], eps = 1e-3), Some(13)),
    ]
}

/// The loss `sum(y * dy)` moves as the gradients say when an element of x, weight or bias does.
#[test]
fn finite_differences() {
    const STEP: f64 = 1e-5;
    let kernels = f64_kernels();
    let strategy = (0..kernels.len(), 1..4_usize, 2..24_usize, any::<u64>(), -5.0..5.0_f64);
    for_all("finite differences", 200, &strategy, |(index, rows, n, seed, mean)| {
        let (kernel, fixed) = &kernels[index];
        let n = fixed.unwrap_or(n);
        let case = Case { kernel: index, rows, n, seed, mean, deviation: 1.0, starts: [0; 4], gaps: [0; 4] };
        let mut data = inputs(kernel, &case, n);
        // Nearly equal elements have a steep gradient that differences cannot follow: keep them 0.2 apart.
        let mut numbers = Numbers(seed);
        data.x.iter_mut().enumerate().for_each(|(i, x)| *x = mean + (i % n) as f64 + 0.4 * numbers.next_unit());
        let dims = [rows, n];
        let analytic = kernel.run(dims, &data);
        let loss = |data: &Inputs<f64>| {
            let mut y = vec![0.0; data.x.len()];
            (kernel.forward)((&data.x, dims).into(), data.params(), (&mut y, dims).into()).unwrap();
            y.iter().zip(&data.dy).map(|(y, dy)| y * dy).sum::<f64>()
        };
        let mut check = |part: &str, gradient: &[f64], of: fn(&mut Inputs<f64>) -> &mut [f64]| {
            for (i, &gradient) in gradient.iter().enumerate() {
                let at = of(&mut data)[i];
                let mut nudged = |by: f64| {
                    of(&mut data)[i] = at + by;
                    loss(&data)
                };
                let numeric = (nudged(STEP) - nudged(-STEP)) / (2.0 * STEP);
                of(&mut data)[i] = at;
                let error = (gradient - numeric).abs();
                assert!(error < 1e-6, "{part}[{i}]: {gradient:e}, by differences {numeric:e}");
            }
        };
        check("dx", &analytic.dx, |data| &mut data.x);
        check("dweight", &analytic.dweight, |data| &mut data.weight);
        check("dbias", &analytic.dbias, |data| &mut data.bias);
    });
}

/// The properties compare what they are meant to compare: one changed bit is seen.
#[test]
fn a_changed_bit_is_seen() {
    let kernel = kernel!(f32, weight; kind = "rms", shape = [_, 64]);
    let case = Case { kernel: 0, rows: 2, n: 64, seed: 1, mean: 0.0, deviation: 1.0, starts: [0; 4], gaps: [0; 4] };
    let inputs = inputs(&kernel, &case, 64);
    let outputs = kernel.run([2, 64], &inputs);
    let fails = |change: fn(&mut Outputs<f32>)| {
        let mut changed = outputs.clone();
        change(&mut changed);
        std::panic::catch_unwind(|| assert_same(&outputs, &changed, "")).is_err()
    };
    assert!(!fails(|_| {}));
    assert!(fails(|o| o.y[70] = f32::from_bits(o.y[70].to_bits() ^ 1)));
    assert!(fails(|o| o.dx[3] = f32::from_bits(o.dx[3].to_bits() ^ 1)));
    assert!(fails(|o| o.dweight[63] = -o.dweight[63]));
    let place = Placed::new([2, 64], &[0], 3, 1);
    let mut buffer = place.buffer(Some(&outputs.y));
    buffer[3 + 64] = 0.0;
    assert!(std::panic::catch_unwind(move || place.gather(buffer, "y")).is_err());
}
