//! Tensors larger than the caches, whose outputs may be stored past them, and sums of very many terms.

use normkit::{Compute, Param};
use normkit_tests::{
    Batch, BatchInputs, Inputs, Kernel, Place, Places, Sets, at_each_level, batch, bits, error, kernel,
};
use normkit_tests::{WeightInputs, open, weight_norm, widen};

/// 20 MB in each tensor: beyond what most last-level caches hold of two.
const LEN: usize = 5 << 20;

/// In memory that starts at a cache line, and one element further, where stores go through the caches.
fn aligned(values: &[f32]) -> Param<f32> {
    let mut param = Param::filled(0.0, values.len());
    param.copy_from_slice(values);
    param
}

/// Dims, and the same with one element before the tensor.
fn shifted(dims: &[usize]) -> Places {
    let order: Vec<usize> = (0..dims.len() - 1).rev().collect();
    core::array::from_fn(|_| Place::strided(dims, 1, &order, 1, 0))
}

/// Stores past the caches give the bits that other stores give.
#[test]
fn stores_past_the_caches() {
    let kernels: Vec<(Kernel<f32>, Sets, [usize; 3])> = vec![
        (
            kernel!(f32, weight bias; kind = "instance", shape = [_, 64, 16384]),
            Sets::Instance { axis: 1 },
            [5, 64, 16384],
        ),
        (
            kernel!(f32, weight bias; kind = "group", shape = [_, 4096, 256], axis = -1, groups = 32),
            Sets::Groups { axis: 2, groups: 32 },
            [5, 4096, 256],
        ),
        (kernel!(f32, weight bias; kind = "layer", shape = [_, 64, _], axis = 1), Sets::Over(&[1]), [5, 64, 16384]),
    ];
    let batches: Vec<(Batch<f32>, usize, [usize; 3])> = vec![
        (batch!(f32, weight bias; shape = [_, 64, 16384]), 1, [5, 64, 16384]),
        (batch!(f32, weight bias; shape = [_, 4096, 256], axis = -1), 2, [5, 4096, 256]),
    ];
    let inputs: Vec<_> = kernels.iter().map(|(_, sets, dims)| Inputs::random(*sets, dims, 3, 1.0, 1.0, 1e-5)).collect();
    let of_batches: Vec<_> =
        batches.iter().map(|(_, axis, dims)| BatchInputs::<f32>::random(*axis, dims, 3, 1.0, 1.0, 1e-5)).collect();
    at_each_level("stores past the caches", |level| {
        for ((kernel, _, dims), inputs) in kernels.iter().zip(&inputs) {
            assert_eq!(dims.iter().product::<usize>(), LEN);
            let plain = kernel.run_at(inputs, &shifted(dims));
            let what = format!("{} at {level}", kernel.name);
            let place = Place::contiguous(dims);
            let (x, dy) = (aligned(&inputs.x), aligned(&inputs.dy));
            let mut out = Param::filled(f32::NAN, LEN);
            (kernel.forward)(place.view(&x), inputs.params(), place.view_mut(&mut out)).unwrap();
            assert!(*out == plain.y[..], "{what}: y");
            out.fill(f32::NAN);
            let [mut dweight, mut dbias] = [(); 2].map(|()| vec![0.0; inputs.weight.len()]);
            let (x, dy, dx) = (place.view(&x), place.view(&dy), place.view_mut(&mut out));
            (kernel.backward)(x, dy, inputs.params(), &plain.saved, dx, &mut dweight, &mut dbias).unwrap();
            assert!(*out == plain.dx[..], "{what}: dx");
            assert_eq!((bits(&dweight), bits(&dbias)), (bits(&plain.dweight), bits(&plain.dbias)), "{what}");
        }
        for ((kernel, axis, dims), inputs) in batches.iter().zip(&of_batches) {
            let (trained, frozen) =
                (kernel.train_at(&inputs.inputs, &shifted(dims)), kernel.infer_at(inputs, &shifted(dims)));
            let what = format!("{} at {level}", kernel.name);
            let place = Place::contiguous(dims);
            let (params, running) = (inputs.inputs.params(), inputs.running());
            let (x, dy) = (aligned(&inputs.inputs.x), aligned(&inputs.inputs.dy));
            let (mut out, mut saved) = (Param::filled(f32::NAN, LEN), normkit::Saved::default());
            (kernel.train)(place.view(&x), params, place.view_mut(&mut out), &mut saved).unwrap();
            assert!(*out == trained.y[..] && saved == trained.saved, "{what}: y in training");
            out.fill(f32::NAN);
            (kernel.forward)(place.view(&x), running, params, place.view_mut(&mut out)).unwrap();
            assert!(*out == frozen.y[..], "{what}: y");
            for is_frozen in [false, true] {
                out.fill(f32::NAN);
                let [mut dweight, mut dbias] = [(); 2].map(|()| vec![0.0; dims[*axis]]);
                let (x, dy, dx) = (place.view(&x), place.view(&dy), place.view_mut(&mut out));
                if is_frozen {
                    (kernel.frozen)(x, dy, running, params, dx, &mut dweight, &mut dbias).unwrap();
                    assert!(*out == frozen.dx[..] && dweight == frozen.dweight, "{what}: frozen dx");
                } else {
                    (kernel.backward)(x, dy, params, &saved, dx, &mut dweight, &mut dbias).unwrap();
                    assert!(*out == trained.dx[..] && dweight == trained.dweight, "{what}: dx");
                }
            }
        }
    });
}

/// A weight whose gradient does not fit a cache is still added to, not overwritten.
#[test]
fn a_large_weight_is_added_to() {
    let kernel = weight_norm!(f32, g; shape = [_, 16384]);
    let dims = [320, 16384];
    let inputs = WeightInputs::<f32>::random(0, &dims, 3, 0.0, 1.0);
    let expected = inputs.expected(0, &dims, true);
    let place = Place::contiguous(&dims);
    let (v, dw) = (aligned(&inputs.v), aligned(&inputs.dw));
    at_each_level("a large weight", |level| {
        let (mut w, mut dv, mut saved) =
            (Param::filled(f32::NAN, LEN), Param::filled(0.5, LEN), normkit::Saved::default());
        (kernel.train)(place.view(&v), &inputs.g, place.view_mut(&mut w), &mut saved).unwrap();
        let (v, dw) = (place.view(&v), place.view(&dw));
        (kernel.backward)(v, dw, &inputs.g, &saved, place.view_mut(&mut dv), &mut vec![0.0; 320]).unwrap();
        let w_error = error(&widen(&w), &expected.w, f64::MIN_POSITIVE);
        let dv: Vec<f64> = dv.iter().map(|dv| f64::from(*dv) - 0.5).collect();
        let dv_error = error(&dv, &expected.dv, 0.5);
        assert!(w_error < 1e-6 && dv_error < 1e-6, "at {level}: w {w_error:e}, dv {dv_error:e}");
    });
}

type Run = Box<dyn Fn(&[usize], &Inputs<f32>) -> normkit_tests::Outputs<f32>>;

/// Gradients whose terms all have one sign: row after row in f32, each addition loses a little more.
#[test]
fn gradients_of_many_terms() {
    const BOUND: f64 = 1e-6;
    let mut kernels: Vec<(&str, Sets, Run)> = Vec::new();
    for open::Open { kernel, sets, .. } in open::three_axes() {
        kernels.push((kernel.name, sets, Box::new(move |dims, inputs| kernel.run_in(dims, inputs))));
    }
    for open::OpenBatch { kernel, axis } in open::batch_three_axes() {
        let sets = Sets::Each { axis };
        kernels.push((kernel.name, sets, Box::new(move |dims, inputs| kernel.train_in(dims, inputs))));
    }
    let mut cases = Vec::new();
    for (name, sets, run) in &kernels {
        let last = matches!(sets, Sets::Instance { axis: 2 } | Sets::Groups { axis: 2, .. } | Sets::Each { axis: 2 });
        for mut dims in [[1024, 4, 128], [2, 4, 1 << 16], [1 << 15, 4, 3]] {
            if last {
                dims.swap(1, 2);
            }
            let mut inputs = Inputs::<f32>::random(*sets, &dims, 1, 0.5, 1.0, 1e-5);
            inputs.dy.iter_mut().for_each(|dy| *dy = dy.abs() + 0.1);
            let in_f32: f32 = inputs.dy.iter().sum();
            let exact: f64 = inputs.dy.iter().map(|v| v.to_f64()).sum();
            assert!((f64::from(in_f32) / exact - 1.0).abs() > BOUND, "{dims:?} shows nothing");
            let expected = inputs.expected(*sets, &dims, true, true, true);
            cases.push((name, dims, inputs, expected, run));
        }
    }
    at_each_level("gradients of many terms", |level| {
        for (name, dims, inputs, expected, run) in &cases {
            let found = run(dims, inputs);
            // No term cancels another in dbias; dweight is of the same scale.
            let scale = expected.dbias.iter().fold(0.0_f64, |m, v| m.max(v.abs()));
            let dbias = error(&widen(&found.dbias), &expected.dbias, 0.0);
            let dweight = error(&widen(&found.dweight), &expected.dweight, scale);
            let what = format!("{name} over {dims:?} at {level}: dweight {dweight:.1e}, dbias {dbias:.1e}");
            println!("{what}");
            assert!(dweight <= BOUND && dbias <= BOUND, "{what}");
        }
    });
}

/// Terms of one size: each addition to a long chain rounds in the same direction.
#[test]
fn long_planes_do_not_lose_precision() {
    let instance = open::instance_images();
    let batch = open::batch_images();
    at_each_level("long planes", |level| {
        for side in [256, 1024] {
            let dims = [1, 1, side, side];
            let mut inputs = Inputs::<f32>::random(Sets::Instance { axis: 1 }, &dims, 7, 0.5, 1.0, 1e-5);
            inputs.x.iter_mut().enumerate().for_each(|(i, x)| *x = if i % 2 == 0 { 0.1 } else { -0.1 });
            let expected = instance.expected(Sets::Instance { axis: 1 }, &dims, &inputs);
            for (name, found) in
                [("instance", instance.run_in(&dims, &inputs)), ("batch", batch.train_in(&dims, &inputs))]
            {
                let y = error(&widen(&found.y), &expected.y, 1.0);
                let dx = error(&widen(&found.dx), &expected.dx, expected.rstd[0]);
                println!("{name} of {side} x {side} at {level}: y {y:.1e}, dx {dx:.1e}");
                assert!(y <= 1e-6 && dx <= 1e-6, "{name} of {side} x {side} at {level}: y {y:e}, dx {dx:e}");
            }
        }
    });
}
