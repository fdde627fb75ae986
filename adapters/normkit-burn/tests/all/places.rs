//! Where tensors lie: what is strided along outer axes is read where it is, all else is copied; neither changes a bit.

use crate::slow_path::{batch, group, instance, layer, rms};
use crate::{compare, numbers, plain, tracked, values};
use burn::module::Module;
use burn::tensor::{DType, Device, Tensor};

type Part<'a, const W: usize, const D: usize> = &'a dyn Fn(Tensor<W>) -> Tensor<D>;

/// The layer on a part of `whole` gives the same, bit for bit, as on a tensor of that part alone; so do all gradients, which are 0
/// outside of the part.
fn same<const W: usize, const D: usize>(
    what: &str,
    dims: [usize; W],
    part: Part<'_, W, D>,
    layer: impl Fn(Tensor<D>) -> Tensor<D>,
) {
    let whole = values(4, &dims).var::<W>(DType::F32);
    let strided = part(whole.clone());
    let alone = numbers(&strided).var::<D>(DType::F32);
    let (got, expected) = (layer(strided), layer(alone.clone()));
    compare(what, &numbers(&got), &numbers(&expected), 0.0);
    let dy = values(77, &numbers(&got).dims).tensor(DType::F32, &tracked());
    let of_part = whole.grad(&(got * dy.clone()).sum().backward()).expect("a gradient");
    let of_alone = alone.grad(&(expected * dy).sum().backward()).expect("a gradient");
    compare(&format!("{what}: dx"), &numbers(&part(of_part.clone())), &numbers(&of_alone), 0.0);
    let sum = |numbers: crate::Numbers| numbers.values.iter().map(|value| value.abs()).sum::<f64>();
    let (all, inside) = (sum(numbers(&of_part)), sum(numbers(&of_alone)));
    assert!((all - inside).abs() <= 1e-9 * all, "{what}: a gradient outside of the part");
}

fn params(n: usize, device: &Device) -> [Tensor<1>; 2] {
    [1, 2].map(|seed| values(seed, &[n]).tensor(DType::F32, device))
}

#[test]
fn rows() {
    let rms = rms(&params(64, &tracked()), 1e-6);
    let layer = layer(&params(64, &tracked()), 1e-5);
    // Queries, keys and values of 4 heads of 64, of 5 tokens in 2 sequences.
    let fused = [2, 5, 3, 4, 64];
    for which in 0..3 {
        let heads = |t: Tensor<5>| t.narrow(2, which, 1).squeeze_dim::<4>(2);
        same("keys, rms", fused, &heads, |x| rms.forward(x));
        same("keys, layer", fused, &heads, |x| layer.forward(x));
        // Heads before tokens, as attention has them.
        same("transposed keys", fused, &|t| heads(t).swap_dims(1, 2), |x| rms.forward(x));
    }
    same("the last tokens", [4, 10, 64], &|t: Tensor<3>| t.narrow(1, 9, 1), |x| layer.forward(x));
    same("a later sequence", [4, 10, 64], &|t: Tensor<3>| t.narrow(0, 3, 1), |x| layer.forward(x));
    // These are copied.
    same("columns", [64, 10], &|t: Tensor<2>| t.transpose(), |x| layer.forward(x));
    same("from the last to the first", [10, 64], &|t: Tensor<2>| t.flip([0, 1]), |x| layer.forward(x));
    let shuffled = |t: Tensor<6>| t.permute([4, 2, 3, 1, 0, 5]);
    same("more axes than there are", [2, 3, 2, 3, 2, 64], &shuffled, |x| rms.forward(x));
}

#[test]
fn images() {
    let [weight, bias] = params(6, &tracked());
    let both = [weight.clone(), bias.clone()];
    let group = group(&both, 6, 3, 1e-5);
    let instance = instance(&both, 6, 1e-5);
    let train = || batch(&both, 1e-5, bias.clone(), weight.clone() * weight.clone());
    let infer = || train().freeze();
    let images = [4, 9, 5, 7];
    let channels = |t: Tensor<4>| t.narrow(1, 2, 6);
    let every_image = |t: Tensor<4>| t.narrow(1, 2, 6).narrow(0, 1, 2);
    let channels_last = |t: Tensor<4>| t.permute([0, 3, 1, 2]);
    same("groups of some channels", images, &channels, |x| group.forward(x));
    same("instances of some channels", images, &every_image, |x| instance.forward(x));
    same("a batch of some channels", images, &channels, |x| train().forward(x));
    same("inference of some channels", images, &every_image, |x| infer().forward(x));
    same("a batch of columns", [8, 9], &|t: Tensor<2>| t.narrow(1, 2, 6), |x| train().forward(x));
    same("channels last", [2, 5, 7, 6], &channels_last, |x| group.forward(x));
    let running = values(16, &[6, 2]).map(f64::abs).tensor::<2>(DType::F32, &plain());
    let [mean, var] = [0, 1].map(|column| running.clone().narrow(1, column, 1).squeeze_dim::<1>(1));
    let copied = [&mean, &var].map(|column| numbers(column).tensor::<1>(DType::F32, &plain()));
    let x = values(17, &[2, 6, 5]).tensor::<3>(DType::F32, &plain());
    let infer = |[mean, var]: [Tensor<1>; 2]| batch(&both, 1e-5, mean, var).freeze().forward(x.clone());
    compare("running statistics", &numbers(&infer([mean, var])), &numbers(&infer(copied)), 0.0);
}

/// One row, read as many; and parameters that are strided, or a part of a larger tensor.
#[test]
fn broadcast_rows_and_parameters() {
    let weights = values(5, &[3, 64]);
    let all = weights.var::<2>(DType::F32);
    let row = values(6, &[1, 64]).var::<2>(DType::F32);
    let weight = all.clone().narrow(0, 1, 1).squeeze_dim::<1>(0);
    let y = rms(&[weight], 1e-6).forward(row.clone().expand([4, 64]));
    let alone = values(5, &[3, 64]).values[64..128].to_vec();
    let alone = crate::Numbers { values: alone, dims: vec![64] }.tensor(DType::F32, &plain());
    let expected = rms(&[alone], 1e-6).forward(row.clone().without_autodiff());
    compare("a row of four", &numbers(&y.clone().narrow(0, 3, 1)), &numbers(&expected), 0.0);
    let grads = y.sum().backward();
    let of_row = |row: usize| {
        let values = numbers(&all.grad(&grads).unwrap()).values;
        values[row * 64..][..64].iter().fold(0.0_f64, |most, value| most.max(value.abs()))
    };
    assert!(of_row(0) == 0.0 && of_row(1) > 0.1 && of_row(2) == 0.0);
    assert_eq!(row.grad(&grads).unwrap().dims(), [1, 64]);

    let pairs = values(7, &[64, 2]).tensor::<2>(DType::F32, &plain());
    let column = pairs.narrow(1, 1, 1).squeeze_dim::<1>(1);
    let copied = numbers(&column).tensor(DType::F32, &plain());
    let x = values(8, &[2, 64]).tensor::<2>(DType::F32, &plain());
    let (got, expected) = (rms(&[column], 1e-6).forward(x.clone()), rms(&[copied], 1e-6).forward(x));
    compare("a column as the weight", &numbers(&got), &numbers(&expected), 0.0);
}

/// A gradient that comes as columns, as that of a transposed output does.
#[test]
fn gradients() {
    let rms = rms(&params(64, &tracked()), 1e-6);
    let (x, dy) =
        (values(9, &[10, 64]).var::<2>(DType::F32), values(10, &[64, 10]).tensor::<2>(DType::F32, &tracked()));
    let y = rms.forward(x.clone());
    let columns = x.grad(&(y.clone().transpose() * dy.clone()).sum().backward()).expect("a gradient");
    let rows = numbers(&dy.transpose()).tensor::<2>(DType::F32, &tracked());
    let y = rms.forward(x.clone());
    let expected = x.grad(&(y * rows).sum().backward()).expect("a gradient");
    compare("dx", &numbers(&columns), &numbers(&expected), 0.0);
}
