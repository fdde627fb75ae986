//! Where the passes over channels, columns and vectors reach the edge of what they do fast: gradients near the type's range, long
//! rows, strides that keep rows from merging, dims that nothing backs.

// Of what tests need, lints warn; this silences them.
#![allow(deprecated)]

use normkit::{NormError, Saved, norm, normalize};
use normkit_tests::{Numbers, at_each_level};

#[normalize(kind = "weight", shape = [_, _])]
struct Matrix;

#[normalize(kind = "weight", shape = [_, _, _])]
struct Kernel;

#[normalize(kind = "weight", shape = [_, _], affine = false)]
struct Directions;

/// The gradient of tiny vectors is large, and finite: as the same in f64.
#[test]
fn gradients_of_tiny_vectors_are_finite() {
    at_each_level("tiny vectors", |level| {
        for (scale, upstream) in [(1e-18, 1e4), (1e-13, 1.0), (1e-11, 1e16), (1e-10, 1e22)] {
            let v = [1.0, 2.0, -1.0, 0.5].map(|v| v * scale);
            let dw = [1.0, -2.0, 3.0, 1.0].map(|d| d * upstream);
            let (mut w, mut dv, mut dg, mut saved) = ([0.0; 4], [0.0; 4], [0.0], Saved::default());
            let wide = norm!(kind = "weight", shape = [1, 4], dtype = f64);
            wide.forward_train(&v, &[1.0], &mut w, &mut saved).unwrap();
            wide.backward(&v, &dw, &[1.0], &saved, &mut dv, &mut dg).unwrap();

            let (v, dw) = (v.map(|v| v as f32), dw.map(|d| d as f32));
            let (mut w, mut dv32, mut dg32, mut saved) = ([0.0_f32; 4], [0.0_f32; 4], [0.0_f32], Saved::default());
            let narrow = norm!(kind = "weight", shape = [1, 4]);
            narrow.forward_train(&v, &[1.0], &mut w, &mut saved).unwrap();
            narrow.backward(&v, &dw, &[1.0], &saved, &mut dv32, &mut dg32).unwrap();
            let largest = dv.iter().fold(0.0_f64, |m, d| m.max(d.abs()));
            for (found, expected) in dv32.iter().zip(dv) {
                let error = (f64::from(*found) - expected).abs() / largest;
                assert!(error < 1e-6, "{scale:e} at {level}: {dv32:?}, expected {dv:?}");
            }
            assert!((f64::from(dg32[0]) - dg[0]).abs() <= 1e-6 * upstream * 4.0, "{dg32:?} {dg:?}");
        }
    });
}

/// `rstd * weight` below the type's range, though neither the output nor either of them is.
#[test]
fn small_weights_of_large_channels_keep_their_precision() {
    at_each_level("small weights", |level| {
        let x = [1e18_f32, -2e18, 3e18, -1.5e18];
        let (mut y, mut unit) = ([0.0_f32; 4], [0.0_f32; 4]);
        let kernel = norm!(kind = "instance", shape = [1, 1, 4]);
        kernel.forward(&x, &[1e-24], &[0.0], &mut y).unwrap();
        kernel.forward(&x, &[1.0], &[0.0], &mut unit).unwrap();
        for (y, unit) in y.iter().zip(unit) {
            let expected = f64::from(unit) * f64::from(1e-24_f32);
            assert!((f64::from(*y) / expected - 1.0).abs() < 1e-6, "at {level}: {y:e}, expected {expected:e}");
        }
        // An infinite weight makes infinities, not NaN.
        kernel.forward(&x, &[f32::INFINITY], &[0.0], &mut y).unwrap();
        assert_eq!(y, unit.map(|v| f32::INFINITY.copysign(v)), "at {level}");
    });
}

/// One run of many columns: the gradient of a row's bias is a sum over all of them. Equal terms are the worst case: all roundings
/// of a chain go the same way (2.4e-6 in the chains there are; one chain over all columns would lose 2e-4).
#[test]
fn gradients_of_long_rows() {
    at_each_level("long rows", |level| {
        let columns = 300_000;
        let (x, dy) = (Numbers(1).normal(2 * columns, 0.0, 1.0), vec![0.1_f32; 2 * columns]);
        let x: Vec<f32> = x.iter().map(|&v| v as f32).collect();
        let (mut y, mut dx, mut saved) = (x.clone(), x.clone(), Saved::default());
        let (mut dweight, mut dbias) = ([0.0_f32; 2], [0.0_f32; 2]);
        let kernel = norm!(kind = "layer", axis = 1, shape = [_, 2, _]);
        let dims = [1, 2, columns];
        kernel.forward_train((&x, dims), &[1.0, 1.0], &[0.0, 0.0], (&mut y, dims), &mut saved).unwrap();
        kernel.backward((&x, dims), &dy, &[1.0, 1.0], &saved, &mut dx, &mut dweight, &mut dbias).unwrap();
        let expected = f64::from(0.1_f32) * columns as f64;
        for found in dbias {
            let error = (f64::from(found) / expected - 1.0).abs();
            assert!(error < 5e-6, "at {level}: {found}, expected {expected}, error {error:e}");
        }
    });
}

/// Two axes before the channels that do not merge: the same sums in the same order, in f64 too, where every bit shows.
#[test]
fn rows_that_do_not_merge_give_the_same_bits() {
    const DIMS: [usize; 4] = [37, 5, 3, 7];
    const GAP: usize = 11;
    at_each_level("rows that do not merge", |level| {
        let kernel = norm!(kind = "batch", axis = 2, shape = [_, _, _, _], affine = false, dtype = f64);
        let (outer, total) = (5 * 3 * 7, 37 * 5 * 3 * 7);
        for seed in 0..20 {
            let x: Vec<f64> = (0..total).map(|i| Numbers(seed * 10_000 + i).next_unit()).collect();
            let mut spaced = vec![f64::NAN; 37 * (outer + GAP)];
            for (from, to) in x.chunks(outer).zip(spaced.chunks_mut(outer + GAP)) {
                to[..outer].copy_from_slice(from);
            }
            let strides = [outer + GAP, 21, 7, 1];
            let (mut y, mut z) = (x.clone(), x.clone());
            let (mut saved, mut again) = (Saved::default(), Saved::default());
            kernel.forward_train((&x, DIMS), (&mut y, DIMS), &mut saved).unwrap();
            kernel.forward_train((&spaced, DIMS, strides), (&mut z, DIMS), &mut again).unwrap();
            assert_eq!((&y, &saved), (&z, &again), "seed {seed} at {level}");
            let (mut dx, mut dz) = (x.clone(), x.clone());
            kernel.backward((&x, DIMS), &y, &saved, &mut dx).unwrap();
            kernel.backward((&spaced, DIMS, strides), &y, &saved, &mut dz).unwrap();
            assert_eq!(dx, dz, "gradient, seed {seed} at {level}");
        }
    });
}

#[test]
fn a_weight_is_taken_apart_in_its_own_dims() {
    let weight: Vec<f32> = (1_u8..=24).map(f32::from).collect();
    let error = |axis, expected, found| NormError::Dims { arg: "weight", axis, expected, found };
    assert_eq!(Matrix::from_weight((&weight, [4, 6]), [6, 4]).err(), Some(error(0, 6, 4)));
    assert_eq!(Matrix::from_weight((&weight, [2, 3]), [6, 4]).err(), Some(error(0, 6, 2)));
    let spaced = vec![1.0_f32; 40];
    assert_eq!(Matrix::from_weight((&spaced, [4, 6], [6, 1]), [5, 8]).err(), Some(error(0, 5, 4)));

    let layer = Kernel::from_weight(&weight, [2, 3, 4]).unwrap();
    let mut again = vec![0.0; 24];
    layer.forward((&mut again, [2, 3, 4])).unwrap();
    assert!(weight.iter().zip(&again).all(|(a, b)| (a - b).abs() < 1e-5), "{again:?}");
    assert_eq!(Directions::from_weight(&weight, [4, 6]).unwrap().weight_v[..], weight[..]);
}

/// Dims whose product is 0, and others beside it that no memory could hold: nothing is there, so nothing is wrong, and nothing is allocated.
#[test]
fn dims_that_nothing_backs() {
    let none: [f32; 0] = [];
    let mut saved = Saved::default();
    let batch = norm!(kind = "batch", shape = [_, 4, _, _], affine = false);
    let dims = [0, 4, 1 << 40, 1 << 40];
    assert_eq!(batch.forward_train((&none, dims), (&mut [], dims), &mut saved), Ok(()));
    let layer = norm!(kind = "layer", axis = 1, shape = [_, _, _, _], affine = false);
    assert_eq!(layer.forward((&none, dims), (&mut [], dims)), Ok(()));
    let pieces = norm!(kind = "layer", axis = [1, 3], shape = [_, _, _, _], affine = false);
    let dims = [0, 1 << 40, 1, 1 << 40];
    assert_eq!(pieces.forward((&none, dims), (&mut [], dims)), Ok(()));

    let open = norm!(kind = "batch", shape = [_, _, 7, 7], affine = false);
    let dims = [0, 1 << 55, 7, 7];
    assert_eq!(open.forward_train((&none, dims), (&mut [], dims), &mut saved), Ok(()));
    assert_eq!(saved.rstd().len(), 0);
    assert!(Matrix::new([1 << 62, 0]).is_err());
}

#[test]
fn an_empty_call_leaves_no_old_statistics() {
    let kernel = norm!(kind = "instance", shape = [_, 2, _], affine = false);
    let mut saved = Saved::default();
    kernel.forward_train((&[1.0_f32; 8], [1, 2, 4]), (&mut [0.0; 8], [1, 2, 4]), &mut saved).unwrap();
    assert_eq!(saved.mean(), [1.0, 1.0]);
    kernel.forward_train((&[], [1, 2, 0]), (&mut [], [1, 2, 0]), &mut saved).unwrap();
    assert_eq!((saved.mean().len(), saved.rstd().len(), saved.count()), (0, 0, 0));
}

/// A count from a broken checkpoint does not make the running statistics NaN.
#[test]
fn a_count_below_zero() {
    let kernel = norm!(kind = "batch", shape = [_, 1, 4], affine = false, momentum = cumulative);
    let (mut saved, mut count) = (Saved::default(), -1_i64);
    kernel.forward_train(&[1.0_f32, 2.0, 3.0, 6.0], &mut [0.0; 4], &mut saved).unwrap();
    let (mut mean, mut var) = ([0.0_f32], [1.0_f32]);
    kernel.update_running(&saved, &mut mean, &mut var, &mut count).unwrap();
    assert!(mean[0].is_finite() && var[0].is_finite() && count == 0);
}
