//! Forward and every gradient against burn's operations on tensors, in f64.

use crate::{F32, F64, Numbers, check, compare, numbers, plain, tracked, values};
use burn::module::{Param, RunningState};
use burn::tensor::{DType, Tensor};
use normkit_burn::{BatchNorm, GroupNorm, InstanceNorm, LayerNorm, RmsNorm};

const EPS: f64 = 1e-5;

/// Modules of parameters that gradients may be asked of.
pub fn param(tensor: &Tensor<1>) -> Param<Tensor<1>> {
    Param::initialized(burn::module::ParamId::new(), tensor.clone())
}

pub fn rms(params: &[Tensor<1>], epsilon: f64) -> RmsNorm {
    RmsNorm { gamma: param(&params[0]), epsilon }
}

pub fn layer(params: &[Tensor<1>], epsilon: f64) -> LayerNorm {
    LayerNorm { gamma: param(&params[0]), beta: params.get(1).map(param), epsilon }
}

pub fn group(params: &[Tensor<1>], num_channels: usize, num_groups: usize, epsilon: f64) -> GroupNorm {
    let (gamma, beta) = (params.first().map(param), params.get(1).map(param));
    GroupNorm { affine: gamma.is_some(), gamma, beta, num_groups, num_channels, epsilon }
}

pub fn instance(params: &[Tensor<1>], num_channels: usize, epsilon: f64) -> InstanceNorm {
    let (gamma, beta) = (params.first().map(param), params.get(1).map(param));
    InstanceNorm { affine: gamma.is_some(), gamma, beta, num_channels, epsilon }
}

pub fn batch(params: &[Tensor<1>], epsilon: f64, mean: Tensor<1>, var: Tensor<1>) -> BatchNorm {
    BatchNorm {
        gamma: param(&params[0]),
        beta: param(&params[1]),
        training: Param::from_bool(true),
        running_mean: RunningState::new(mean),
        running_var: RunningState::new(var),
        momentum: 0.1,
        epsilon,
    }
}

/// Normalized over these axes, by burn's operations.
pub fn normalized<const D: usize>(x: Tensor<D>, axes: &[usize], eps: f64) -> Tensor<D> {
    let mean = |x: Tensor<D>| axes.iter().fold(x, |x, axis| x.mean_dim(*axis));
    let centred = x.clone() - mean(x);
    centred.clone() / (mean(centred.clone() * centred) + eps).sqrt()
}

/// Divided by the root of the mean square of the last axis, by burn's operations.
pub fn rms_slow<const D: usize>(x: Tensor<D>, weight: &Tensor<1>, eps: f64) -> Tensor<D> {
    let square = (x.clone() * x.clone()).mean_dim(D - 1);
    x / (square + eps).sqrt() * weight.clone().unsqueeze()
}

/// Weight and bias along an axis, as far as there are any.
pub fn affine<const D: usize>(y: Tensor<D>, params: &[Tensor<1>], axis: usize) -> Tensor<D> {
    let along = |param: &Tensor<1>| {
        let mut shape = [1; D];
        shape[axis] = param.dims()[0];
        param.clone().reshape(shape)
    };
    let y = params.first().map_or(y.clone(), |weight| y * along(weight));
    params.get(1).map_or(y.clone(), |bias| y + along(bias))
}

/// Sizes with a kernel of their own, and such without.
const SIZES: [usize; 11] = [7, 63, 64, 96, 100, 128, 768, 769, 1000, 2048, 8192];

#[test]
fn rows_of_all_sizes() {
    for n in SIZES {
        let (x, params) = (values(1, &[2, 3, n]), [values(2, &[n]), values(3, &[n])]);
        for of in [F32, F64] {
            check::<3>(
                &format!("rms of {n}"),
                of,
                &x,
                &params[..1],
                &|x, params| rms(params, EPS).forward(x),
                &|x, params| rms_slow(x, &params[0], EPS),
            );
            for (what, params) in [("", &params[..]), (" without bias", &params[..1])] {
                check::<3>(
                    &format!("layer of {n}{what}"),
                    of,
                    &x,
                    params,
                    &|x, params| layer(params, EPS).forward(x),
                    &|x, params| affine(normalized(x, &[2], EPS), params, 2),
                );
            }
        }
    }
}

#[test]
fn rows_of_all_ranks() {
    fn of_rank<const D: usize>(dims: [usize; D]) {
        check::<D>(
            &format!("rms of {dims:?}"),
            F32,
            &values(4, &dims),
            &[values(5, &[100])],
            &|x, params| rms(params, EPS).forward(x),
            &|x, params| rms_slow(x, &params[0], EPS),
        );
    }
    of_rank([100]);
    of_rank([4, 100]);
    of_rank([2, 3, 100]);
    of_rank([2, 3, 2, 100]);
    of_rank([2, 1, 2, 3, 100]);
}

/// No rows are normalized into none, and have no gradient but 0.
#[test]
fn no_rows() {
    for dims in [[0, 3, 64], [2, 0, 64]] {
        let (x, weight) = (values(4, &dims).var::<3>(DType::F32), values(5, &[64]).var::<1>(DType::F32));
        let y = rms(std::slice::from_ref(&weight), EPS).forward(x.clone());
        assert_eq!(y.dims(), dims);
        let grads = y.sum().backward();
        assert_eq!(x.grad(&grads).expect("a gradient").dims(), dims);
        assert_eq!(numbers(&weight.grad(&grads).expect("a gradient")).values, [0.0; 64]);
    }
}

#[test]
fn groups() {
    fn of_rank<const D: usize>(dims: [usize; D], groups: usize) {
        let channels = dims[1];
        let (x, params) = (values(9, &dims), [values(10, &[channels]), values(11, &[channels])]);
        for of in [F32, F64] {
            for params in [&params[..], &[]] {
                check::<D>(
                    &format!("{groups} groups of {dims:?}, {} parameters", params.len()),
                    of,
                    &x,
                    params,
                    &|x, params| group(params, channels, groups, EPS).forward(x),
                    &|x, params| {
                        let flat = x.reshape([dims[0] as i32, groups as i32, -1]);
                        affine(normalized::<3>(flat, &[2], EPS).reshape(dims), params, 1)
                    },
                );
            }
        }
    }
    of_rank([2, 6, 5, 7], 3);
    of_rank([1, 6, 50], 6);
    of_rank([3, 64, 4, 4], 32);
    of_rank([2, 6, 3, 2, 5], 1);
    of_rank([5, 12], 4);
}

#[test]
fn instances() {
    fn of_rank<const D: usize>(dims: [usize; D]) {
        let channels = dims[1];
        let (x, params) = (values(12, &dims), [values(13, &[channels]), values(14, &[channels])]);
        let axes: Vec<usize> = (2..D).collect();
        for of in [F32, F64] {
            for params in [&params[..], &[]] {
                check::<D>(
                    &format!("instances of {dims:?}, {} parameters", params.len()),
                    of,
                    &x,
                    params,
                    &|x, params| instance(params, channels, EPS).forward(x),
                    &|x, params| affine(normalized(x, &axes, EPS), params, 1),
                );
            }
        }
    }
    of_rank([2, 3, 5, 7]);
    of_rank([1, 4, 50]);
    of_rank([2, 3, 2, 3, 4]);
}

/// Running statistics that are neither 0 nor 1.
fn running(channels: usize) -> [Numbers; 2] {
    [values(18, &[channels]), values(19, &[channels]).map(|value| value * value + 0.5)]
}

/// Training and inference, whose gradients take the running statistics for constants.
#[test]
fn batches() {
    fn of_rank<const D: usize>(dims: [usize; D]) {
        let channels = dims[1];
        let (x, params) = (values(15, &dims), [values(16, &[channels]), values(17, &[channels])]);
        let axes: Vec<usize> = (0..D).filter(|axis| *axis != 1).collect();
        let module = |params: &[Tensor<1>], dtype| {
            let [mean, var] = running(channels).map(|numbers| numbers.tensor(dtype, &params[0].device()));
            batch(params, EPS, mean, var)
        };
        for of in [F32, F64] {
            check::<D>(
                &format!("batch of {dims:?}"),
                of,
                &x,
                &params,
                &|x, params| module(params, of.0).forward(x),
                &|x, params| affine(normalized(x, &axes, EPS), params, 1),
            );
            check::<D>(
                &format!("inference of {dims:?}"),
                of,
                &x,
                &params,
                &|x, params| {
                    let norm = module(params, of.0);
                    BatchNorm { training: Param::from_bool(false), ..norm }.forward(x)
                },
                &|x, params| {
                    let [mean, var] = running(channels).map(|numbers| numbers.tensor(DType::F64, &tracked()));
                    let minus_mean = affine(x.ones_like(), &[mean], 1).neg();
                    affine((x + minus_mean) / (affine_ones(&dims, &var) + EPS).sqrt(), params, 1)
                },
            );
        }
    }
    of_rank([6, 5]);
    of_rank([4, 5, 9]);
    of_rank([2, 3, 5, 7]);
    of_rank([2, 3, 2, 3, 4]);
    of_rank([300, 70]);
}

/// A value for each channel, in a tensor of these dims.
fn affine_ones<const D: usize>(dims: &[usize; D], values: &Tensor<1>) -> Tensor<D> {
    affine(Tensor::ones(*dims, (&values.device(), values.dtype())), std::slice::from_ref(values), 1)
}

/// With the unbiased variance, as PyTorch's; burn's own layer takes the biased one.
#[test]
fn running_statistics_follow() {
    fn of_rank<const D: usize>(dims: [usize; D], momentum: f64) {
        let channels = dims[1];
        let n = (dims.iter().product::<usize>() / channels) as f64;
        let ones = Numbers { values: vec![1.0; channels], dims: vec![channels] }.tensor(DType::F64, &tracked());
        let [mean, var] = running(channels).map(|numbers| numbers.tensor(DType::F64, &tracked()));
        let norm = BatchNorm { momentum, ..batch(&[ones.clone(), ones], EPS, mean, var) };
        let [mut mean, mut var] = running(channels);
        for step in 0..4 {
            let x = values(21 + step, &dims);
            norm.forward(x.tensor::<D>(DType::F64, &tracked()));
            let inner: usize = dims[2..].iter().product();
            for channel in 0..channels {
                let of_channel = |index: &usize| index / inner % channels == channel;
                let values: Vec<f64> = (0..x.values.len()).filter(of_channel).map(|index| x.values[index]).collect();
                let (m, s) =
                    (values.iter().sum::<f64>() / n, |m: f64| values.iter().map(|v| (v - m).powi(2)).sum::<f64>());
                mean.values[channel] = (1.0 - momentum) * mean.values[channel] + momentum * m;
                var.values[channel] = (1.0 - momentum) * var.values[channel] + momentum * s(m) / (n - 1.0);
            }
            compare("running mean", &numbers(&norm.running_mean.value_sync()), &mean, 1e-13);
            compare("running variance", &numbers(&norm.running_var.value_sync()), &var, 1e-13);
        }
        let nothing = [&[0], &dims[1..]].concat();
        assert_eq!(norm.forward(values(0, &nothing).tensor::<D>(DType::F64, &tracked())).dims()[0], 0);
        compare("a batch of nothing changes nothing", &numbers(&norm.running_var.value_sync()), &var, 1e-13);
        norm.forward(values(30, &dims).tensor::<D>(DType::F64, &plain()));
        compare("nor does inference", &numbers(&norm.running_var.value_sync()), &var, 1e-13);
    }
    of_rank([4, 5, 3, 3], 0.1);
    of_rank([7, 5], 0.25);
}
