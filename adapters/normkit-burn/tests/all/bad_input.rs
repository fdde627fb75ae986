//! What does not fit is an error that names the argument, what was expected and what was found; `forward` panics with it.

use crate::slow_path::{batch, group, instance, layer, rms};
use crate::{numbers, plain, tracked, values};
use burn::tensor::{DType, Tensor};
use normkit::norm;
use normkit_burn::{BatchNormConfig, Error, GroupNormConfig, Norm, NormOp, RmsNormConfig};
use std::panic::{AssertUnwindSafe, catch_unwind};

#[track_caller]
fn refused<T>(result: Result<T, Error>, expected: &str) {
    match result {
        Ok(_) => panic!("expected an error: {expected}"),
        Err(error) => assert_eq!(error.to_string(), expected),
    }
}

/// The message that this panics with.
#[track_caller]
fn panics<T>(run: impl FnOnce() -> T) -> String {
    let payload = catch_unwind(AssertUnwindSafe(run)).err().expect("a panic");
    match payload.downcast::<String>() {
        Ok(message) => *message,
        Err(payload) => payload.downcast_ref::<&str>().expect("a message").to_string(),
    }
}

fn x<const D: usize>(dims: [usize; D]) -> Tensor<D> {
    values(1, &dims).tensor(DType::F32, &plain())
}

fn ones(n: usize, dtype: DType) -> Tensor<1> {
    Tensor::ones([n], (&plain(), dtype))
}

#[test]
fn rows() {
    let norm = rms(&[ones(64, DType::F32)], 1e-6);
    let size = "rms: `weight`: expected 65 elements, found 64";
    refused(norm.try_forward(x([2, 65])), size);
    assert_eq!(panics(|| norm.forward(x([2, 65]))), size);
    refused(
        norm.try_forward(values(1, &[2, 64]).tensor::<2>(DType::F64, &plain())),
        "rms: `weight`: expected elements of f64, found f32",
    );
    refused(
        rms(&[ones(64, DType::F32)], -1.0).try_forward(x([2, 64])),
        "rms: `eps`: expected a finite number >= 0, found -1",
    );
    let short = layer(&[ones(64, DType::F32), ones(63, DType::F32)], 1e-5);
    refused(short.try_forward(x([2, 64])), "layer: `bias`: expected 64 elements, found 63");
    let half = layer(&[ones(64, DType::F32), ones(64, DType::BF16)], 1e-5);
    refused(half.try_forward(x([2, 64])), "layer: `bias`: expected elements of f32, found bf16");
    // With a graph, too, which then has nothing of it.
    let tracked_x = values(1, &[2, 65]).var::<2>(DType::F32);
    refused(norm.try_forward(tracked_x.clone()), size);
    assert!(tracked_x.grad(&tracked_x.clone().sum().backward()).is_some());
    assert_eq!(panics(|| RmsNormConfig::new(8).with_epsilon(0.0).init(&plain())), "epsilon must be positive.");
}

#[test]
fn channels() {
    let two = || [ones(6, DType::F32), ones(6, DType::F32)];
    let wrong = "group: `x`: expected [N, 6] or [N, 6, ...], found [2, 5, 3]";
    refused(group(&two(), 6, 2, 1e-5).try_forward(x([2, 5, 3])), wrong);
    refused(group(&two(), 6, 0, 1e-5).try_forward(x([2, 6, 3])), "group: expected at least 1 group, found 0");
    refused(
        group(&two(), 6, 4, 1e-5).try_forward(x([2, 6, 3])),
        "group: `x`: expected a number of channels that 4 groups divide, found 6",
    );
    let divide = "The number of channels must be divisible by the number of groups";
    assert_eq!(panics(|| GroupNormConfig::new(4, 6).init(&plain())), divide);
    assert_eq!(panics(|| GroupNormConfig::new(0, 6).init(&plain())), divide);
    let mut bare = group(&two(), 6, 2, 1e-5);
    bare.beta = None;
    refused(bare.try_forward(x([2, 6, 3])), "group: expected a weight and a bias, as `affine` says, found none");
    refused(
        instance(&[ones(6, DType::F32), ones(5, DType::F32)], 6, 1e-5).try_forward(x([2, 6, 3, 3])),
        "instance: `bias`: expected 6 elements, found 5",
    );
    refused(
        instance(&[], 5, 1e-5).try_forward(x([2, 6, 3, 3])),
        "instance: `x`: expected [N, 5] or [N, 5, ...], found [2, 6, 3, 3]",
    );
}

#[test]
fn batches() {
    let train = BatchNormConfig::new(6).init(&tracked());
    let images = |dims: [usize; 4]| values(2, &dims).tensor::<4>(DType::F32, &tracked());
    refused(train.try_forward(images([2, 5, 3, 3])), "batch: `x`: expected [N, 6] or [N, 6, ...], found [2, 5, 3, 3]");
    let vector = values(2, &[6]).tensor::<1>(DType::F32, &tracked());
    refused(train.try_forward(vector), "batch: `x`: expected [N, 6] or [N, 6, ...], found [6]");
    let alone = "batch: `x`: expected more than one value per channel in training, found 1";
    refused(train.try_forward(images([1, 6, 1, 1])), alone);
    refused(train.try_forward(values(2, &[1, 6]).tensor::<2>(DType::F32, &tracked())), alone);
    assert_eq!(panics(|| train.forward(images([1, 6, 1, 1]))), alone);
    assert_eq!(numbers(&train.running_var.value_sync()).values, [1.0; 6], "nothing has changed");
    assert_eq!(numbers(&train.running_mean.value_sync()).values, [0.0; 6], "nothing has changed");
    let infer = |mean, var| batch(&[ones(6, DType::F32), ones(6, DType::F32)], 1e-5, mean, var);
    refused(
        infer(ones(6, DType::F32), ones(6, DType::F32).neg()).try_forward(x([2, 6, 3])),
        "batch: `running_var`: expected variances of at least 0, found -1 at channel 0",
    );
    refused(
        infer(ones(6, DType::F64), ones(6, DType::F32)).try_forward(x([2, 6, 3])),
        "batch: `running_mean`: expected elements of f32, found f64",
    );
    refused(
        infer(ones(6, DType::F32), ones(5, DType::F32)).try_forward(x([2, 6, 3])),
        "batch: `running_var`: expected 6 elements, found 5",
    );
}

#[test]
fn operations() {
    let layer = NormOp::new(norm!(kind = "layer", shape = [_, 8]).kernel());
    let w = || ones(8, DType::F32);
    refused(layer.try_forward(x([2, 8]), w()), "layer: expected 2 parameters (weight, bias), found 1");
    refused(layer.try_forward(x([2, 8]), vec![w(), w(), w()]), "layer: expected 2 parameters (weight, bias), found 3");
    refused(layer.try_forward(x([2, 9]), (w(), w())), "layer: `x`: expected size 8 along axis 1, found 9");
    let half = values(3, &[2, 8]).tensor::<2>(DType::BF16, &plain());
    refused(layer.try_forward(half, (w(), w())), "layer: `x`: expected elements of f32, found bf16");
    refused(
        layer.try_forward_fixed(x([2, 8]), w(), w(), (w(), w())),
        "layer: a kernel of kind `layer` has no pass `infer`",
    );
    refused(
        layer.try_forward_train(x([2, 8]), (w(), w())),
        "layer: only batch normalization keeps the statistics of a batch",
    );
    let fixed = NormOp::new(norm!(kind = "rms", shape = [4, 8]).kernel());
    refused(
        fixed.try_forward(x([2, 4, 8]), w()),
        "rms: `x`: expected 2 axes, or more that are merged into those, found [2, 4, 8] with strides [32, 8, 1]",
    );
    let family = NormOp::new(norm!(kind = "rms", shape = [_, 8 | 16]).kernel());
    refused(family.try_forward(x([2, 9]), ones(9, DType::F32)), "rms: `x`: expected one of the sizes [8, 16], found 9");

    let batch = NormOp::new(norm!(kind = "batch", shape = [_, 8]).kernel());
    let no_module = "batch: a module takes kernels of x, without running statistics; this kind has `NormOp`";
    refused(Norm::new(batch, Some(w()), Some(w())), no_module);
    refused(Norm::init(batch, [8], &plain()), no_module);
    refused(Norm::new(layer, Some(w()), None), "layer: expected 2 parameters (weight, bias), found 1");
    let (_, statistics) = batch.try_forward_train(x([3, 8]), (w(), w())).unwrap();
    refused(
        statistics.follow([ones(8, DType::F32), ones(7, DType::F32)], 0.1, true),
        "running statistics: expected 8 channels, found 7",
    );
}
