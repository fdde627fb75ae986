//! Random tensors with channels.

use normkit::Compute;
use normkit_tests::open::GROUPS;
use normkit_tests::{Inputs, Sets};
use proptest::prelude::*;

/// Sizes and numbers of a random tensor.
#[derive(Clone, Copy, Debug)]
pub struct Tensor {
    pub n: usize,
    /// A multiple of [`GROUPS`].
    pub channels: usize,
    pub spatial: usize,
    pub seed: u64,
    /// In deviations.
    pub mean: f64,
    pub deviation: f64,
}

/// Any of them.
pub fn tensor() -> impl Strategy<Value = Tensor> {
    let spatial = prop_oneof![4 => 1..70_usize, 1 => 70..700_usize];
    let mean = prop_oneof![Just(0.0), -10.0..10.0, -1e3..1e3];
    let deviation = (-3.0..3.0).prop_map(|e: f64| 10_f64.powf(e));
    (1..5_usize, 1..13_usize, spatial, any::<u64>(), mean, deviation).prop_map(
        |(n, quarter, spatial, seed, mean, deviation)| Tensor {
            n,
            channels: GROUPS * quarter,
            spatial,
            seed,
            mean,
            deviation,
        },
    )
}

impl Tensor {
    /// With the channels first.
    pub fn first(&self) -> [usize; 3] {
        [self.n, self.channels, self.spatial]
    }

    /// With the channels last.
    pub fn last(&self) -> [usize; 3] {
        [self.n, self.spatial, self.channels]
    }

    /// In the order of the sets' own axes.
    pub fn dims(&self, sets: Sets) -> [usize; 3] {
        match sets {
            Sets::Instance { axis: 2 } | Sets::Groups { axis: 2, .. } | Sets::Each { axis: 2 } => self.last(),
            _ => self.first(),
        }
    }

    /// For a kernel over these sets.
    pub fn inputs<T: Compute>(&self, sets: Sets, eps: f64) -> Inputs<T> {
        let dims = self.dims(sets);
        Inputs::random(sets, &dims, self.seed, self.mean * self.deviation, self.deviation, eps)
    }
}

/// Batch training takes no tensor of one value per channel.
pub fn unless_one_value(tensor: &Tensor, property: impl Fn(&Tensor)) {
    if tensor.n * tensor.spatial > 1 {
        property(tensor);
    }
}
