//! Calls that are shared out among threads: the same bits in any number of them, and safe within tasks of the caller's own.

use normkit::__private::threads;
use normkit::{Element, Saved, bf16, f16, norm, normalize, single_threaded};
use normkit_tests::{Numbers, at_each_level_of_halves, bits, narrow, turn};
use rayon::prelude::*;

/// Tensors of at least this many elements are shared out here, in several pieces.
const ELEMENTS: usize = 60_000;

fn numbers<T: Element>(len: usize, seed: u64) -> Vec<T> {
    narrow(&Numbers(seed).normal(len, 3.0, 1.0))
}

fn pool(threads: usize) -> rayon::ThreadPool {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap()
}

/// While there is one, calls are shared out from small tensors on.
struct Shared;

impl Shared {
    fn new() -> Self {
        threads::share_from(Some(1 << 17));
        Shared
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        threads::share_from(None);
    }
}

fn at_each_level_shared(name: &str, mut test: impl FnMut()) {
    at_each_level_of_halves(name, |_| {
        let _shared = Shared::new();
        test();
    });
}

/// Runs `outputs` on one thread and in pools of several sizes, and asks for the same bits.
fn same_in_all(what: &str, outputs: impl Fn() -> Vec<Vec<u64>> + Sync) {
    let alone = single_threaded(&outputs);
    assert!(alone.iter().all(|tensor| !tensor.is_empty()), "{what}");
    for threads in [1, 2, 4, 7] {
        let shared = pool(threads).install(&outputs);
        for (index, (found, expected)) in shared.iter().zip(&alone).enumerate() {
            assert!(found == expected, "{what}: output {index} differs in {threads} threads");
        }
    }
}

/// All passes of a kernel over `dims` with `params` weights and, where it says so, as many biases.
macro_rules! check {
    ($t:ty, $dims:expr, $params:literal, bias, $($keys:tt)*) => { check!(@ $t, $dims, $params, [bias dbias], $($keys)*) };
    ($t:ty, $dims:expr, $params:literal, $($keys:tt)*) => { check!(@ $t, $dims, $params, [], $($keys)*) };
    (@ $t:ty, $dims:expr, $params:literal, [$($bias:ident $dbias:ident)?], $($keys:tt)*) => {{
        let kernel = norm!($($keys)*, dtype = $t, param = f32);
        let dims = $dims;
        let len: usize = dims.iter().product();
        assert!(len >= ELEMENTS);
        let (x, dy): (Vec<$t>, Vec<$t>) = (numbers(len, 1), numbers(len, 2));
        let weight: Vec<f32> = numbers($params, 3);
        $(let $bias: Vec<f32> = numbers($params, 4);)?
        same_in_all(stringify!($t $($keys)*), || {
            let none = vec![<$t>::default(); len];
            let (mut y, mut trained, mut dx, mut saved) = (none.clone(), none.clone(), none, Saved::default());
            let mut dweight = vec![0.5_f32; $params];
            $(let mut $dbias = vec![0.25_f32; $params];)?
            kernel.forward((&x, dims), &weight, $(&$bias,)? (&mut y, dims)).unwrap();
            kernel.forward_train((&x, dims), &weight, $(&$bias,)? (&mut trained, dims), &mut saved).unwrap();
            kernel
                .backward((&x, dims), (&dy, dims), &weight, &saved, (&mut dx, dims), &mut dweight, $(&mut $dbias)?)
                .unwrap();
            vec![bits(&y), bits(&trained), bits(&dx), bits(&dweight), $(bits(&$dbias),)? bits(saved.rstd())]
        });
    }};
}

#[test]
fn rows() {
    at_each_level_shared("rows in threads", || {
        check!(f32, [80, 768], 768, bias, kind = "layer", shape = [_, 768]);
        check!(f32, [80, 768], 768, kind = "rms", shape = [_, 768]);
        check!(f32, [2001, 33], 33, bias, kind = "layer", shape = [_, _]);
        check!(bf16, [71, 1000], 1000, kind = "rms", shape = [_, 1000]);
        check!(f16, [7001, 9], 9, bias, kind = "layer", shape = [_, 9]);
        check!(f32, [30, 16, 8, 20], 320, bias, kind = "layer", shape = [_, 16, _, 20], axis = [1, 3]);
    });
}

#[test]
fn columns_by_row() {
    at_each_level_shared("columns by row in threads", || {
        check!(f32, [7, 100, 11, 11], 100, bias, kind = "layer", shape = [_, 100, _, _], axis = 1);
        check!(f32, [1, 9000, 7], 9000, kind = "rms", shape = [_, 9000, 7], axis = 1);
        check!(bf16, [70, 48, 7, 7], 48, kind = "rms", shape = [_, 48, 7, 7], axis = 1);
    });
}

#[test]
fn channels() {
    at_each_level_shared("channels in threads", || {
        check!(f32, [5, 24, 24, 24], 24, bias, kind = "instance", shape = [_, 24, 24, 24]);
        check!(f32, [150, 8, 8, 9], 8, bias, kind = "group", shape = [_, 8, 8, 9], groups = 4);
        check!(f32, [1, 24, 60, 60], 24, bias, kind = "group", shape = [_, 24, _, _], groups = 3);
        check!(f32, [3, 21, 21, 48], 48, bias, kind = "instance", shape = [_, 21, 21, 48], axis = -1);
        check!(f32, [2, 140_000, 4], 4, bias, kind = "group", shape = [_, _, 4], groups = 2, axis = -1);
        check!(bf16, [9, 32, 16, 16], 32, bias, kind = "instance", shape = [_, 32, 16, 16]);
    });
}

#[normalize(kind = "batch", shape = [_, 24, 20, 30])]
struct ChannelsFirst;

#[normalize(kind = "batch", shape = [_, 20, 30, 24], axis = -1)]
struct ChannelsLast;

#[normalize(kind = "weight", shape = [150, 500])]
struct Weight;

/// All passes of a batch normalization layer, the frozen ones too.
macro_rules! check_batch {
    ($layer:ident, $grads:ident, $dims:expr) => {{
        let dims: [usize; 4] = $dims;
        let len: usize = dims.iter().product();
        let (x, dy): (Vec<f32>, Vec<f32>) = (numbers(len, 1), numbers(len, 2));
        same_in_all(stringify!($layer), || {
            let mut layer = $layer::new();
            let (mut y, mut trained, mut dx, mut frozen) =
                (vec![0.0; len], vec![0.0; len], vec![0.0; len], vec![0.0; len]);
            let (mut saved, mut grads) = (Saved::default(), $grads::new());
            layer.forward_train((&x, dims), (&mut trained, dims), &mut saved).unwrap();
            layer.backward((&x, dims), (&dy, dims), &saved, (&mut dx, dims), &mut grads).unwrap();
            layer.forward((&x, dims), (&mut y, dims)).unwrap();
            layer.backward_frozen((&x, dims), (&dy, dims), (&mut frozen, dims), &mut grads).unwrap();
            let running = [bits(&layer.running_mean[..]), bits(&layer.running_var[..])].concat();
            let grads = [bits(&grads.weight[..]), bits(&grads.bias[..])].concat();
            vec![bits(&y), bits(&trained), bits(&dx), bits(&frozen), running, grads]
        });
    }};
}

#[test]
fn batches() {
    at_each_level_shared("batches in threads", || {
        check_batch!(ChannelsFirst, ChannelsFirstGrads, [6, 24, 20, 30]);
        check_batch!(ChannelsFirst, ChannelsFirstGrads, [1, 24, 20, 30]);
        check_batch!(ChannelsLast, ChannelsLastGrads, [60, 20, 30, 24]);
    });
}

#[test]
fn vectors_of_a_weight() {
    at_each_level_shared("vectors of a weight in threads", || {
        let mut layer = Weight::new();
        layer.weight_v.iter_mut().zip(numbers::<f32>(150 * 500, 1)).for_each(|(place, value)| *place = value);
        let dweight: Vec<f32> = numbers(150 * 500, 2);
        same_in_all("weight", || {
            let (mut weight, mut saved, mut grads) = (vec![0.0; 150 * 500], Saved::default(), WeightGrads::new());
            layer.forward_train(&mut weight, &mut saved).unwrap();
            layer.backward(&dweight, &saved, &mut grads).unwrap();
            vec![bits(&weight), bits(&grads.weight_v[..]), bits(&grads.weight_g[..])]
        });
    });
}

/// Tasks of a pool that each make calls which are shared out in the same pool.
#[test]
fn calls_within_tasks() {
    let _turn = turn();
    let _shared = Shared::new();
    let kernel = norm!(kind = "layer", shape = [_, 500]);
    let x: Vec<f32> = numbers(ELEMENTS, 1);
    let (weight, bias) = (numbers::<f32>(500, 2), numbers::<f32>(500, 3));
    let both = || {
        let (mut y, mut dx, mut saved) = (vec![0.0; ELEMENTS], vec![0.0; ELEMENTS], Saved::default());
        let (mut dweight, mut dbias) = (vec![0.0; 500], vec![0.0; 500]);
        kernel.forward_train(&x, &weight, &bias, &mut y, &mut saved).unwrap();
        kernel.backward(&x, &y, &weight, &saved, &mut dx, &mut dweight, &mut dbias).unwrap();
        [bits(&y), bits(&dx), bits(&dweight), bits(&dbias)]
    };
    let expected = single_threaded(both);
    for threads in [1, 2, 3] {
        let all: Vec<_> = pool(threads).install(|| (0..12).into_par_iter().map(|_| both()).collect());
        assert!(all.iter().all(|found| *found == expected), "{threads} threads");
    }
}
