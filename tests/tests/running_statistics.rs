//! What batch norm keeps of the batches it has seen, against the formulas and PyTorch's numbers.

// Of what tests need, lints warn; this silences them.
#![allow(deprecated)]

use normkit::{NormLayer, Saved, Tensor, TensorMut, norm, normalize};
use normkit_tests::{Numbers, at_each_level, bits};

#[normalize(kind = "batch", shape = [_, 3, _])]
struct Usual;

#[normalize(kind = "batch", shape = [_, _, 3], axis = -1, momentum = 0.25)]
struct ChannelsLast;

#[normalize(kind = "batch", shape = [_, 3, _], momentum = 0.0)]
struct Never;

#[normalize(kind = "batch", shape = [_, 3, _], momentum = 1)]
struct Latest;

#[normalize(kind = "batch", shape = [_, 3, _], momentum = cumulative)]
struct Cumulative;

#[normalize(kind = "batch", shape = [_, 3, _], running_var = biased)]
struct Biased;

#[normalize(kind = "batch", shape = [_, 3, _], momentum = cumulative, running_var = "biased", dtype = f64)]
struct Wide;

#[normalize(kind = "batch", shape = [_, 3], affine = false)]
struct Columns;

/// The statistics of `[n, 3, s]`, or of `[n, s, 3]`, in f64: mean and variance of each channel, by `n - 1` if unbiased.
fn statistics(x: &[f64], spatial: usize, last: bool, unbiased: bool) -> [(f64, f64); 3] {
    core::array::from_fn(|channel| {
        let of = |i: usize| if last { i % 3 } else { i / spatial % 3 };
        let own: Vec<f64> = (0..x.len()).filter(|&i| of(i) == channel).map(|i| x[i]).collect();
        let n = own.len() as f64;
        let mean = own.iter().sum::<f64>() / n;
        let squares = own.iter().map(|v| (v - mean).powi(2)).sum::<f64>();
        (mean, squares / if unbiased { n - 1.0 } else { n })
    })
}

/// Batches of different sizes through a layer, its running statistics held against the formula after each.
macro_rules! several_steps {
    ($layer:ident, $t:ident, $momentum:expr, last $last:literal, unbiased $unbiased:literal, within $bound:literal) => {
        at_each_level(stringify!($layer), |level| {
            let mut layer = $layer::new();
            let (mut mean, mut var) = ([0.0_f64; 3], [1.0_f64; 3]);
            let mut saved = Saved::default();
            for (step, (n, spatial)) in
                [(2, 1), (1, 2), (3, 7), (5, 49), (2, 130), (1, 33), (4, 16)].into_iter().enumerate()
            {
                let x = Numbers(step as u64).normal(n * spatial * 3, 3.0 - step as f64, 1.0 + step as f64);
                let narrow: Vec<$t> = x.iter().map(|&v| v as $t).collect();
                let mut y = vec![0.0; narrow.len()];
                let dims = if $last { [n, spatial, 3] } else { [n, 3, spatial] };
                layer.forward_train((&narrow, dims), (&mut y, dims), &mut saved).unwrap();
                let momentum: fn(f64) -> f64 = $momentum;
                let momentum = momentum(step as f64 + 1.0);
                for (c, (m, v)) in statistics(&x, spatial, $last, $unbiased).into_iter().enumerate() {
                    mean[c] = (1.0 - momentum) * mean[c] + momentum * m;
                    var[c] = (1.0 - momentum) * var[c] + momentum * v;
                    let found = (f64::from(layer.running_mean[c]), f64::from(layer.running_var[c]));
                    let errors = ((found.0 - mean[c]).abs() / mean[c].abs().max(1.0), (found.1 / var[c] - 1.0).abs());
                    let what = format!("{} at {level}, step {step}, channel {c}: {found:?}", stringify!($layer));
                    assert!(errors.0 <= $bound && errors.1 <= $bound, "{what}, not {:?}", (mean[c], var[c]));
                }
                assert_eq!(layer.num_batches_tracked, step as i64 + 1);
            }
        })
    };
}

#[test]
fn several_batches() {
    several_steps!(Usual, f32, |_| 0.1, last false, unbiased true, within 1e-6);
    several_steps!(ChannelsLast, f32, |_| 0.25, last true, unbiased true, within 1e-6);
    several_steps!(Never, f32, |_| 0.0, last false, unbiased true, within 0.0);
    several_steps!(Latest, f32, |_| 1.0, last false, unbiased true, within 1e-6);
    several_steps!(Cumulative, f32, |count| 1.0 / count, last false, unbiased true, within 1e-6);
    several_steps!(Biased, f32, |_| 0.1, last false, unbiased false, within 1e-6);
    several_steps!(Wide, f64, |count| 1.0 / count, last false, unbiased false, within 1e-14);
}

/// A step of `[n, 3, 1]`-shaped columns through a layer of any momentum.
macro_rules! columns {
    ($layer:expr, $batches:expr) => {
        for x in $batches {
            // Three channels alike.
            let x: Vec<_> = x.iter().flat_map(|&v| [v; 3]).collect();
            let mut y = x.clone();
            let dims = [x.len() / 3, 3, 1];
            $layer.forward_train((&x, dims), (&mut y, dims), &mut Saved::default()).unwrap();
        }
    };
}

/// PyTorch's: one batch of [1, 2, 3, 6]; three batches with `momentum=None`.
#[test]
fn by_hand() {
    at_each_level("by hand", |_| {
        let near =
            |found: f32, expected: f64| assert!((f64::from(found) - expected).abs() < 1e-6, "{found}, not {expected}");
        let mut layer = Usual::new();
        columns!(layer, [[1.0, 2.0, 3.0, 6.0]]);
        near(layer.running_mean[2], 0.3);
        near(layer.running_var[2], 1.366_666_7);
        assert_eq!(layer.num_batches_tracked, 1);

        let mut layer = Cumulative::new();
        columns!(layer, [[1.0, 2.0, 3.0, 6.0], [2.0, 4.0, 6.0, 12.0], [3.0, 6.0, 9.0, 18.0]]);
        near(layer.running_mean[0], 6.0);
        near(layer.running_var[0], 14.0 / 9.0 * 14.0);
        assert_eq!(layer.num_batches_tracked, 3);

        let mut layer = Biased::new();
        columns!(layer, [[1.0, 2.0, 3.0, 6.0]]);
        near(layer.running_var[1], 0.9 + 0.35);

        // Two values: the unbiased variance is twice the biased one.
        let mut layer = Latest::new();
        columns!(layer, [[1.0, 3.0]]);
        near(layer.running_var[0], 2.0);
        near(layer.running_mean[0], 2.0);
    });
}

/// `update_running` is what `forward_train` of a layer does after normalizing.
#[test]
fn the_kernel_keeps_what_the_layer_keeps() {
    at_each_level("kernel and layer", |_| {
        let kernel = norm!(kind = "batch", shape = [_, 3, _]);
        let mut layer = Usual::new();
        let (mut mean, mut var, mut tracked) = ([0.0_f32; 3], [1.0_f32; 3], 0_i64);
        let mut saved = Saved::default();
        for step in 0..4_u64 {
            let dims = [3, 3, 17];
            let x: Vec<f32> = Numbers(step).normal(153, 2.0, 1.0).iter().map(|&v| v as f32).collect();
            let (mut a, mut b) = (vec![0.0; 153], vec![0.0; 153]);
            kernel.forward_train((&x, dims), &[1.0; 3], &[0.0; 3], (&mut a, dims), &mut saved).unwrap();
            assert_eq!(tracked, step as i64, "training alone touches no running statistics");
            kernel.update_running(&saved, &mut mean, &mut var, &mut tracked).unwrap();
            layer.forward_train((&x, dims), (&mut b, dims), &mut saved).unwrap();
            assert_eq!(bits(&a), bits(&b));
            assert_eq!(bits(&mean), bits(&layer.running_mean));
            assert_eq!(bits(&var), bits(&layer.running_var));
            assert_eq!(tracked, layer.num_batches_tracked);
        }
    });
}

/// Training looks at the batch alone, inference at the running statistics alone.
#[test]
fn training_and_inference_do_not_mix() {
    at_each_level("no mixing", |_| {
        let dims = [4, 3, 9];
        let x: Vec<f32> = Numbers(8).normal(108, 5.0, 2.0).iter().map(|&v| v as f32).collect();
        let (mut clean, mut poisoned) = (Usual::new(), Usual::new());
        poisoned.running_mean.fill(f32::NAN);
        poisoned.running_var.fill(-1.0);
        let (mut a, mut b, mut saved) = (vec![0.0; 108], vec![0.0; 108], Saved::default());
        clean.forward_train((&x, dims), (&mut a, dims), &mut saved).unwrap();
        poisoned.forward_train((&x, dims), (&mut b, dims), &mut saved).unwrap();
        assert_eq!(bits(&a), bits(&b));
        let mut layer = Usual::new();
        layer.running_mean.copy_from_slice(&[1.0, 2.0, 3.0]);
        layer.running_var.copy_from_slice(&[4.0, 9.0, 16.0]);
        layer.forward((&x, dims), (&mut a, dims)).unwrap();
        for (i, (y, x)) in a.iter().zip(&x).enumerate() {
            let c = i / 9 % 3;
            let expected = (f64::from(*x) - c as f64 - 1.0) / ((c as f64 + 2.0).powi(2) + 1e-5).sqrt();
            assert!((f64::from(*y) - expected).abs() < 1e-6);
        }
        assert_eq!(layer.num_batches_tracked, 0, "inference counts nothing");
    });
}

/// As PyTorch has it: an empty batch counts, and changes nothing else.
#[test]
fn empty_batches_count() {
    at_each_level("empty batches", |_| {
        let mut saved = Saved::default();
        let mut layer = Usual::new();
        layer.running_mean.copy_from_slice(&[1.5, -0.0, f32::NAN]);
        layer.running_var.copy_from_slice(&[0.5, 2.0, f32::INFINITY]);
        let before = (bits(&layer.running_mean), bits(&layer.running_var));
        layer.forward_train((&[0.0_f32; 0], [0, 3, 5]), (&mut [0.0_f32; 0], [0, 3, 5]), &mut saved).unwrap();
        assert_eq!((bits(&layer.running_mean), bits(&layer.running_var)), before);
        assert_eq!(layer.num_batches_tracked, 1);
        layer.forward_train((&[0.0_f32; 0], [2, 3, 0]), (&mut [0.0_f32; 0], [2, 3, 0]), &mut saved).unwrap();
        assert_eq!((bits(&layer.running_mean), bits(&layer.running_var)), before);
        assert_eq!(layer.num_batches_tracked, 2);

        // In a cumulative mean it has a share all the same: the next factor is a half.
        let mut layer = Cumulative::new();
        layer.forward_train((&[0.0_f32; 0], [0, 3, 1]), (&mut [0.0_f32; 0], [0, 3, 1]), &mut saved).unwrap();
        columns!(layer, [[1.0, 2.0, 3.0, 6.0]]);
        assert!((layer.running_mean[0] - 1.5).abs() < 1e-6 && layer.num_batches_tracked == 2);

        // With the kernel.
        let kernel = norm!(kind = "batch", shape = [_, 3], affine = false);
        let (mut mean, mut var, mut tracked) = ([1.0_f32; 3], [2.0_f32; 3], 6_i64);
        kernel.forward_train(&[0.0_f32; 0], &mut [0.0_f32; 0], &mut saved).unwrap();
        kernel.update_running(&saved, &mut mean, &mut var, &mut tracked).unwrap();
        assert_eq!((mean, var, tracked), ([1.0; 3], [2.0; 3], 7));
        let mut dx = [0.0_f32; 0];
        kernel.backward(&[0.0_f32; 0], &[0.0_f32; 0], &saved, &mut dx).unwrap();
    });
}

/// Beyond what an f32 counts, and at the end of an i64.
#[test]
fn many_batches() {
    let mut layer = Cumulative::new();
    for start in [1 << 24, 1 << 40, i64::MAX - 1, i64::MAX] {
        layer.num_batches_tracked = start;
        columns!(layer, [[1.0, 2.0, 3.0, 6.0]]);
        assert_eq!(layer.num_batches_tracked, start.saturating_add(1));
    }
}

/// A mean far from zero: the deviation of the running variance is that of the batch, not of its rounding.
#[test]
fn far_from_zero() {
    at_each_level("running statistics far from zero", |level| {
        for mean in [1e3, -1e5, 1e6] {
            let x = Numbers(4).normal(3 * 600, mean, 1.0);
            let narrow: Vec<f32> = x.iter().map(|&v| v as f32).collect();
            let expected = statistics(&x, 200, false, true);
            let mut layer = Latest::new();
            let dims = [3, 3, 200];
            layer.forward_train((&narrow, dims), (&mut vec![0.0; 1800], dims), &mut Saved::default()).unwrap();
            for (c, (m, v)) in expected.into_iter().enumerate() {
                let errors = (f64::from(layer.running_mean[c]) / m - 1.0, f64::from(layer.running_var[c]) / v - 1.0);
                assert!(errors.0.abs() < 1e-7 && errors.1.abs() < 1e-6, "mean {mean:e} at {level}: {errors:?}");
            }
        }
    });
}

/// NaN in one channel of a batch spoils the statistics of that channel, and they stay so, as in PyTorch.
#[test]
fn nan_stays_in_its_channel() {
    at_each_level("NaN in a batch", |_| {
        let mut layer = Columns::new();
        let mut x = [1.0_f32, 2.0, 3.0, 2.0, 4.0, 6.0];
        let (mut y, mut saved) = ([0.0; 6], Saved::default());
        x[1] = f32::NAN;
        layer.forward_train(&x, &mut y, &mut saved).unwrap();
        x[1] = 2.0;
        layer.forward_train(&x, &mut y, &mut saved).unwrap();
        let nan = |values: &[f32]| values.iter().map(|v| v.is_nan()).collect::<Vec<_>>();
        assert_eq!(nan(&layer.running_mean), [false, true, false]);
        assert_eq!(nan(&layer.running_var), [false, true, false]);
    });
}

/// Checkpoints need them by name, with the count as an integer.
#[test]
fn buffers_by_name() {
    let mut layer = Usual::new();
    layer.num_batches_tracked = 7;
    {
        let buffers = layer.buffers();
        let names: Vec<_> = buffers.iter().map(|(name, _)| *name).collect();
        assert_eq!(names, ["running_mean", "running_var", "num_batches_tracked"]);
        assert_eq!(buffers[0].1, Tensor::F32(&[0.0; 3]));
        assert_eq!(buffers[1].1, Tensor::F32(&[1.0; 3]));
        assert_eq!(buffers[2].1, Tensor::I64(&[7]));
    }
    for (name, values) in layer.buffers_mut() {
        match (name, values) {
            ("running_mean", TensorMut::F32(values)) => values.fill(2.0),
            ("running_var", TensorMut::F32(values)) => values.fill(3.0),
            ("num_batches_tracked", TensorMut::I64(values)) => values[0] = 1 << 40,
            (name, values) => panic!("{name}: {values:?}"),
        }
    }
    assert_eq!((&layer.running_mean[..], &layer.running_var[..]), (&[2.0; 3][..], &[3.0; 3][..]));
    assert_eq!(layer.num_batches_tracked, 1 << 40);
    let params: Vec<_> = layer.params().into_iter().map(|(name, _)| name).collect();
    assert_eq!(params, ["weight", "bias"], "an optimizer sees no statistics");
    let columns = Columns::new();
    assert!(columns.params().is_empty() && columns.buffers().len() == 3);
}
