//! Calls that are shared out among threads: the same bits in any number of them, and safe within tasks of the caller's own.

use normkit::{Element, Saved, bf16, f16, norm, normalize, single_threaded};
use normkit_tests::{Numbers, at_each_level_of_halves, bits, narrow, turn};
use rayon::prelude::*;

/// Tensors of at least this many elements are shared out, in several pieces.
const ELEMENTS: usize = 600_000;

fn numbers<T: Element>(len: usize, seed: u64) -> Vec<T> {
    narrow(&Numbers(seed).normal(len, 3.0, 1.0))
}

fn pool(threads: usize) -> rayon::ThreadPool {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap()
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
    at_each_level_of_halves("rows in threads", |_| {
        check!(f32, [800, 768], 768, bias, kind = "layer", shape = [_, 768]);
        check!(f32, [800, 768], 768, kind = "rms", shape = [_, 768]);
        check!(f32, [20_000, 33], 33, bias, kind = "layer", shape = [_, _]);
        check!(bf16, [701, 1000], 1000, kind = "rms", shape = [_, 1000]);
        check!(f16, [70_001, 9], 9, bias, kind = "layer", shape = [_, 9]);
        check!(f32, [300, 16, 8, 20], 320, bias, kind = "layer", shape = [_, 16, _, 20], axis = [1, 3]);
    });
}

#[test]
fn columns_by_row() {
    at_each_level_of_halves("columns by row in threads", |_| {
        check!(f32, [7, 100, 31, 31], 100, bias, kind = "layer", shape = [_, 100, _, _], axis = 1);
        check!(f32, [1, 9000, 70], 9000, kind = "rms", shape = [_, 9000, 70], axis = 1);
        check!(bf16, [70, 48, 16, 16], 48, kind = "rms", shape = [_, 48, 16, 16], axis = 1);
    });
}

#[test]
fn channels() {
    at_each_level_of_halves("channels in threads", |_| {
        check!(f32, [5, 24, 72, 72], 24, bias, kind = "instance", shape = [_, 24, 72, 72]);
        check!(f32, [150, 64, 8, 9], 64, bias, kind = "group", shape = [_, 64, 8, 9], groups = 8);
        check!(f32, [1, 24, 180, 180], 24, bias, kind = "group", shape = [_, 24, _, _], groups = 3);
        check!(f32, [3, 70, 70, 48], 48, bias, kind = "instance", shape = [_, 70, 70, 48], axis = -1);
        check!(f32, [2, 8000, 64], 64, bias, kind = "group", shape = [_, _, 64], groups = 4, axis = -1);
        check!(bf16, [9, 32, 50, 50], 32, bias, kind = "instance", shape = [_, 32, 50, 50]);
    });
}

#[normalize(kind = "batch", shape = [_, 24, 70, 80])]
struct ChannelsFirst;

#[normalize(kind = "batch", shape = [_, 70, 80, 24], axis = -1)]
struct ChannelsLast;

#[normalize(kind = "weight", shape = [1500, 500])]
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
    at_each_level_of_halves("batches in threads", |_| {
        check_batch!(ChannelsFirst, ChannelsFirstGrads, [6, 24, 70, 80]);
        check_batch!(ChannelsFirst, ChannelsFirstGrads, [1, 24, 70, 80]);
        check_batch!(ChannelsLast, ChannelsLastGrads, [5, 70, 80, 24]);
    });
}

#[test]
fn vectors_of_a_weight() {
    at_each_level_of_halves("vectors of a weight in threads", |_| {
        let mut layer = Weight::new();
        layer.weight_v.iter_mut().zip(numbers::<f32>(1500 * 500, 1)).for_each(|(place, value)| *place = value);
        let dweight: Vec<f32> = numbers(1500 * 500, 2);
        same_in_all("weight", || {
            let (mut weight, mut saved, mut grads) = (vec![0.0; 1500 * 500], Saved::default(), WeightGrads::new());
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

/// What a large call does in a pool happens in that pool alone.
#[test]
fn the_callers_pool_is_the_one() {
    let _turn = turn();
    let x: Vec<f32> = numbers(ELEMENTS, 1);
    let mut y = vec![0.0; ELEMENTS];
    pool(2).install(|| norm!(kind = "rms", shape = [_, 500], affine = false).forward(&x, &mut y)).unwrap();
    single_threaded(|| norm!(kind = "rms", shape = [_, 500], affine = false).forward_inplace(&mut y)).unwrap();
}
