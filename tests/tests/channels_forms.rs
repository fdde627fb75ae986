//! The ways to say what is normalized: families, many axes, negative axes, and layers with fields of their own.

// Of what tests need, lints warn; this silences them.
#![allow(deprecated)]

use normkit::{NormError, NormLayer, Param, Saved, norm, normalize};
use normkit_tests::check::{BatchCase, Case, Check};
use normkit_tests::{Inputs, Numbers, Sets, at_each_level, batch, bits, kernel, narrow};

/// Sizes with a kernel each, on the axis of channels and on others, with and without one for all other sizes.
#[test]
fn families() {
    let spatial = kernel!(f32, weight bias; kind = "instance", shape = [_, 3, 16 | 49]);
    let channels = kernel!(f32, weight bias; kind = "group", shape = [_, 24 | 64 | _, 9], groups = 8);
    let last = kernel!(f32, weight bias; kind = "group", shape = [_, 9, 24 | 64 | _], axis = -1, groups = 8);
    let layer = kernel!(f32, weight bias; kind = "layer", shape = [_, 24 | 64 | _, 17], axis = 1);
    let columns = batch!(f32, weight bias; shape = [_, 24 | 64]);
    at_each_level("families", |level| {
        for n in [0, 1, 3] {
            for size in [16, 49] {
                Case { kernel: &spatial, sets: Sets::Instance { axis: 1 }, rest: vec![3, size] }.check(n, level);
            }
            for size in [24, 64, 40, 8] {
                let first = Sets::Groups { axis: 1, groups: 8 };
                Case { kernel: &channels, sets: first, rest: vec![size, 9] }.check(n, level);
                let sets = Sets::Groups { axis: 2, groups: 8 };
                Case { kernel: &last, sets, rest: vec![9, size] }.check(n, level);
                Case { kernel: &layer, sets: Sets::Over(&[1]), rest: vec![size, 17] }.check(n, level);
            }
            for size in [24, 64] {
                BatchCase { kernel: &columns, axis: 1, rest: vec![size] }.check(n + 2, level);
            }
        }
        let (x, mut y) = ([1.0_f32; 96], [7.0_f32; 96]);
        let params = normkit_tests::Params { weight: &[1.0; 3], bias: &[0.0; 3], eps: 1e-5 };
        let result = (spatial.forward)((&x, [2, 3, 16]).into(), params, (&mut y, [2, 3, 16]).into());
        assert_eq!(result, Ok(()));
        let result = (spatial.forward)((&x, [1, 3, 32]).into(), params, (&mut y, [1, 3, 32]).into());
        assert!(matches!(result, Err(NormError::NotInFamily { arg: "x", found: 32, .. })), "{result:?}");
    });
}

/// Up to eight axes, and axes counted from the end.
#[test]
fn many_axes() {
    let group = kernel!(f32, weight bias; kind = "group", shape = [_, 4, 2, 1, 3], groups = 2, axis = -4);
    let layer = kernel!(f32, weight bias; kind = "layer", shape = [_, 3, 2, 5], axis = [-3, -1]);
    let around = kernel!(f32, weight; kind = "rms", shape = [_, 3, 2, 5, 2], axis = [1, 2]);
    at_each_level("many axes", |level| {
        for n in [0, 1, 5] {
            let sets = Sets::Groups { axis: 1, groups: 2 };
            Case { kernel: &group, sets, rest: vec![4, 2, 1, 3] }.check(n, level);
            Case { kernel: &layer, sets: Sets::Over(&[1, 3]), rest: vec![3, 2, 5] }.check(n, level);
            Case { kernel: &around, sets: Sets::Over(&[1, 2]), rest: vec![3, 2, 5, 2] }.check(n, level);
        }
        // Eight are more than this package's tables of arrays: against the same with axes merged.
        let eight = norm!(kind = "instance", shape = [_, 6, 1, 2, 1, 3, 1, 2]);
        let merged = norm!(kind = "instance", shape = [_, 6, 12]);
        let x: Vec<f32> = narrow(&Numbers(1).normal(2 * 72, 1.0, 1.0));
        let (mut a, mut b) = (vec![0.0; 144], vec![0.0; 144]);
        eight.forward((&x, [2, 6, 1, 2, 1, 3, 1, 2]), &[1.0; 6], &[0.5; 6], &mut a).unwrap();
        merged.forward(&x, &[1.0; 6], &[0.5; 6], &mut b).unwrap();
        assert_eq!(bits(&a), bits(&b), "{level}");
    });
}

// ---- layers ----

/// Another name for each parameter, memory of the user's choice, and a field of the user's own.
#[normalize(kind = "group", shape = [_, 12, 7], groups = 4, eps = _)]
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Renamed {
    pub(crate) gamma: Vec<f32>,
    beta: Box<[f32; 12]>,
    tag: u8,
}

#[normalize(kind = "instance", shape = [_, _, 7], dtype = f64)]
struct Open;

#[normalize(kind = "batch", shape = [_, 7, 3], axis = -1, momentum = 0.5)]
#[derive(Clone, Debug, PartialEq)]
struct Batch {
    weight: [f32; 3],
    running_mean: Vec<f32>,
    running_var: [f32; 3],
    num_batches_tracked: i64,
}

#[normalize(kind = "weight", shape = [3, 4])]
struct Weight;

#[normalize(kind = "weight", shape = [_, 4], axis = 1)]
struct OpenWeight;

#[normalize(kind = "weight", shape = [3, 4], affine = false)]
struct Direction {
    weight_v: [f32; 12],
}

#[test]
fn layers_do_what_kernels_do() {
    at_each_level("layers", |_| {
        let kernel = norm!(kind = "group", shape = [_, 12, 7], groups = 4, eps = _);
        let inputs = Inputs::<f32>::random(Sets::Groups { axis: 1, groups: 4 }, &[3, 12, 7], 1, 1.0, 1.0, 0.25);
        let mut layer = Renamed::new();
        assert_eq!((layer.eps.to_bits(), layer.tag, layer.gamma.len()), (1e-5_f32.to_bits(), 0, 12));
        assert!(layer.gamma == [1.0; 12] && *layer.beta == [0.0; 12]);
        layer.gamma.copy_from_slice(&inputs.weight);
        layer.beta.copy_from_slice(&inputs.bias);
        layer.eps = 0.25;
        let (mut a, mut b) = (vec![0.0; 252], vec![0.0; 252]);
        let (mut saved, mut grads) = (Saved::default(), RenamedGrads::new());
        kernel.forward(&inputs.x, &inputs.weight, &inputs.bias, 0.25, &mut a).unwrap();
        layer.forward(&inputs.x, &mut b).unwrap();
        assert_eq!(bits(&a), bits(&b));
        let mut inplace = inputs.x.clone();
        layer.forward_inplace(&mut inplace).unwrap();
        assert_eq!(bits(&a), bits(&inplace));
        layer.forward_train(&inputs.x, &mut b, &mut saved).unwrap();
        assert_eq!(bits(&a), bits(&b));
        let (mut dweight, mut dbias) = ([0.0; 12], [0.0; 12]);
        kernel.backward(&inputs.x, &inputs.dy, &inputs.weight, &saved, &mut a, &mut dweight, &mut dbias).unwrap();
        layer.backward(&inputs.x, &inputs.dy, &saved, &mut b, &mut grads).unwrap();
        assert_eq!((bits(&a), bits(&dweight), bits(&dbias)), (bits(&b), bits(&grads.gamma), bits(&grads.beta)));
        grads.zero();
        assert_eq!(grads, RenamedGrads::new());
        let names: Vec<_> = layer.params().into_iter().map(|(name, values)| (name, values.len())).collect();
        assert_eq!(names, [("gamma", 12), ("beta", 12)]);
        assert!(layer.buffers().is_empty() && layer.spec().kind == "group" && !layer.plan().is_empty());
    });
}

#[test]
fn open_layers_are_made_for_a_length() {
    let layer = Open::new(5).unwrap();
    assert_eq!((layer.weight.len(), layer.bias.len(), OpenGrads::new(5).weight.len()), (5, 5, 5));
    let (x, mut y) = ([1.0_f64; 70], [0.0_f64; 70]);
    layer.forward((&x, [2, 5, 7]), (&mut y, [2, 5, 7])).unwrap();
    assert_eq!(y, [0.0; 70]);
    assert!(layer.forward((&x, [1, 10, 7]), (&mut y, [1, 10, 7])).is_err());
}

#[test]
fn batch_layers_with_fields_of_their_own() {
    at_each_level("batch layers", |_| {
        let mut layer = Batch::new();
        assert_eq!(layer.num_batches_tracked, 0);
        assert!(layer.running_mean == [0.0; 3] && layer.running_var == [1.0; 3] && layer.bias[..] == [0.0; 3]);
        // Two samples of seven places: each channel counts from its own start.
        let x: Vec<f32> = (0..42).map(|i| (i / 3 + 100 * (i % 3)) as f32).collect();
        let (mut y, mut dx, mut saved, mut grads) = (vec![0.0; 42], vec![0.0; 42], Saved::default(), BatchGrads::new());
        layer.forward_train(&x, &mut y, &mut saved).unwrap();
        assert_eq!((saved.mean().len(), saved.rstd().len(), saved.variance().len()), (3, 3, 3));
        for c in 0..3 {
            assert!((layer.running_mean[c] - 0.5 * (6.5 + 100.0 * c as f32)).abs() < 1e-4);
            // Of 0 to 13: (14^2 - 1) / 12, times 14 / 13.
            assert!((layer.running_var[c] - (0.5 + 0.5 * 17.5)).abs() < 1e-5);
            assert!((saved.variance()[c] - 16.25).abs() < 1e-5);
        }
        layer.backward(&x, &y, &saved, &mut dx, &mut grads).unwrap();
        assert!(grads.weight.iter().all(|v| (v - 14.0).abs() < 1e-3), "{grads:?}");
        let frozen = layer.clone();
        layer.backward_frozen(&x, &y, &mut dx, &mut grads).unwrap();
        assert_eq!(layer, frozen, "frozen statistics stay");
        for (dx, y) in dx.iter().zip(&y) {
            assert!((dx - y / (9.25_f32 + 1e-5).sqrt()).abs() < 1e-6);
        }
    });
}

#[test]
fn weight_layers() {
    at_each_level("weight layers", |_| {
        // From a weight: the same weight comes out, whatever its rows.
        let w: Vec<f32> = narrow(&Numbers(3).normal(12, 0.5, 1.0));
        let mut layer = Weight::from_weight(&w).unwrap();
        assert_eq!(bits(&layer.weight_v), bits(&w));
        for (g, row) in layer.weight_g.iter().zip(w.chunks_exact(4)) {
            let norm = row.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>().sqrt();
            assert!((f64::from(*g) / norm - 1.0).abs() < 1e-6);
        }
        let mut out = [0.0; 12];
        layer.forward(&mut out).unwrap();
        assert!(out.iter().zip(&w).all(|(a, b)| (a - b).abs() <= 1e-6), "{out:?}, not {w:?}");
        // Twice as long: twice the weight.
        layer.weight_g.iter_mut().for_each(|g| *g *= 2.0);
        let (mut saved, mut grads) = (Saved::default(), WeightGrads::new());
        layer.forward_train(&mut out, &mut saved).unwrap();
        assert!(out.iter().zip(&w).all(|(a, b)| (a - 2.0 * b).abs() <= 2e-6));
        let dw = [1.0; 12];
        layer.backward(&dw, &saved, &mut grads).unwrap();
        let once = grads.clone();
        layer.backward(&dw, &saved, &mut grads).unwrap();
        let twice = |values: &[f32]| bits(&values.iter().map(|v| v + v).collect::<Vec<_>>());
        assert_eq!((bits(&grads.weight_v), bits(&grads.weight_g)), (twice(&once.weight_v), twice(&once.weight_g)));
        // The gradient of the direction is at right angles to it.
        for (dv, v) in once.weight_v.chunks_exact(4).zip(w.chunks_exact(4)) {
            let along: f32 = dv.iter().zip(v).map(|(dv, v)| dv * v).sum();
            assert!(along.abs() < 1e-5, "{along}");
        }
        let names: Vec<_> = layer.params().into_iter().map(|(name, values)| (name, values.len())).collect();
        assert_eq!(names, [("weight_v", 12), ("weight_g", 3)]);

        // As it starts, each vector has length 1.
        Weight::new().forward(&mut out).unwrap();
        assert!(out.iter().all(|w| (w - 0.5).abs() < 1e-6), "{out:?}");

        let open = OpenWeight::new([3, 4]).unwrap();
        assert_eq!((open.weight_v.len(), open.weight_g.len()), (12, 4));
        let mut saved = Saved::default();
        open.forward_train((&mut out, [3, 4]), &mut saved).unwrap();
        assert!(out.iter().all(|w| (w - 1.0 / 3.0_f32.sqrt()).abs() < 1e-6) && saved.rstd().len() == 4, "{out:?}");
        assert!(matches!(
            OpenWeight::new([3, 5]).map(|_| ()),
            Err(NormError::Dims { axis: 1, expected: 4, found: 5, .. })
        ));

        let mut direction = Direction::new();
        direction.weight_v.copy_from_slice(&w);
        let (mut saved, mut grads) = (Saved::default(), DirectionGrads::new());
        direction.forward_train(&mut out, &mut saved).unwrap();
        for row in out.chunks_exact(4) {
            assert!((row.iter().map(|w| w * w).sum::<f32>() - 1.0).abs() < 1e-6);
        }
        direction.backward(&dw, &saved, &mut grads).unwrap();
        assert!(grads.weight_v.iter().any(|v| *v != 0.0));
        assert_eq!(direction.params().len(), 1);
    });
}

/// A weight with a row of zeros has no direction there: it comes out as NaN, and the others come out.
#[test]
fn a_weight_with_a_row_of_zeros() {
    let mut w = [1.0_f32; 12];
    w[4..8].fill(0.0);
    let layer = Weight::from_weight(&w).unwrap();
    assert_eq!(layer.weight_g[1], 0.0);
    let mut out = Param::filled(7.0_f32, 12);
    layer.forward(&mut out).unwrap();
    assert!(out[4..8].iter().all(|w| w.is_nan()));
    assert!(out[..4].iter().chain(&out[8..]).all(|w| (w - 1.0).abs() < 1e-6), "{out:?}");
}
