//! Other backends: modules are burn's own there, operations are errors. Burn's capture stands for them, which records and computes nothing.

use crate::slow_path::{batch, group, instance, layer, rms};
use crate::{compare, numbers, plain, tracked, values};
use burn::module::Module;
use burn::tensor::{DType, Device, Tensor};
use normkit_burn::NormOp;

fn params(n: usize, device: &Device) -> [Tensor<1>; 2] {
    [1, 2].map(|seed| values(seed, &[n]).tensor::<1>(DType::F32, device))
}

/// What modules fall back to has their parameters and their `eps`.
#[test]
fn the_same_layers_of_burn() {
    let both = params(6, &plain());
    let x = values(3, &[4, 6, 5, 6]).tensor::<4>(DType::F32, &plain());
    macro_rules! same {
        ($what:literal, $theirs:ident, $layer:expr) => {
            let ours = $layer;
            let theirs = burn::nn::$theirs::from(ours.clone());
            assert_eq!(ours.to_string(), theirs.to_string());
            compare($what, &numbers(&ours.forward(x.clone())), &numbers(&theirs.forward(x.clone())), 2e-6);
        };
    }
    same!("rms", RmsNorm, rms(&both, 0.3));
    same!("layer", LayerNorm, layer(&both, 0.3));
    same!("layer without bias", LayerNorm, layer(&both[..1], 0.3));
    same!("group", GroupNorm, group(&both, 6, 2, 0.3));
    same!("group without parameters", GroupNorm, group(&[], 6, 3, 0.3));
    same!("instance", InstanceNorm, instance(&both, 6, 0.3));
    same!("instance without parameters", InstanceNorm, instance(&[], 6, 0.3));
    let [mean, var] = params(6, &plain());
    same!("batch", BatchNorm, batch(&both, 0.3, mean, var.abs()));
    same!("frozen batch", BatchNorm, batch(&both, 0.3, both[0].clone(), both[1].clone().abs()).freeze());
}

/// And the way back.
#[test]
fn from_burn() {
    let device = plain();
    let theirs = burn::nn::RmsNormConfig::new(8).with_epsilon(0.3).init(&device);
    assert_eq!(normkit_burn::RmsNorm::from(theirs.clone()).to_string(), theirs.to_string());
    let theirs = burn::nn::BatchNormConfig::new(8).with_epsilon(0.3).with_momentum(0.2).init(&device);
    assert_eq!(normkit_burn::BatchNorm::from(theirs.clone()).to_string(), theirs.to_string());
    let theirs = burn::nn::GroupNormConfig::new(2, 8).with_epsilon(0.3).with_affine(false).init(&device);
    assert_eq!(normkit_burn::GroupNorm::from(theirs.clone()).to_string(), theirs.to_string());
    let theirs = burn::nn::InstanceNormConfig::new(8).with_epsilon(0.3).init(&device);
    assert_eq!(normkit_burn::InstanceNorm::from(theirs.clone()).to_string(), theirs.to_string());
}

#[test]
fn on_another_backend() {
    let device = Device::capture();
    let graph = device.capture_scope(|scope| {
        let both = params(6, &device);
        let x = values(3, &[4, 6, 6]).tensor::<3>(DType::F32, &device);
        assert_eq!(rms(&both, 1e-6).forward(x.clone()).dims(), [4, 6, 6]);
        assert_eq!(layer(&both, 1e-6).forward(x.clone()).dims(), [4, 6, 6]);
        assert_eq!(group(&both, 6, 2, 1e-6).forward(x.clone()).dims(), [4, 6, 6]);
        assert_eq!(instance(&both, 6, 1e-6).forward(x.clone()).dims(), [4, 6, 6]);
        let [mean, var] = params(6, &device);
        assert_eq!(batch(&both, 1e-6, mean, var).forward(x.clone()).dims(), [4, 6, 6]);

        let op = NormOp::new(normkit::norm!(kind = "rms", shape = [_, 6]).kernel());
        let [weight, _] = both;
        let error = op.try_forward(x.clone(), weight.clone()).unwrap_err().to_string();
        assert!(error.starts_with("rms: `x`: expected a tensor on Flex, found one on Capture"), "{error}");
        let here = values(3, &[4, 6]).tensor::<2>(DType::F32, &tracked());
        let error = op.try_forward(here, weight).unwrap_err().to_string();
        assert!(error.starts_with("rms: `weight`: expected a tensor on Flex, found one on Capture"), "{error}");
        scope.complete([], [])
    });
    assert!(graph.is_ok(), "{:?}", graph.err());
}
