//! All workloads there are. To add one, add a line.

use super::images::images;
use super::rows::rows;
use super::weights::weights;
use super::{Calls, Dtype, Kind, Layout, Number, Pass, Task, Workload};
use crate::tensors::WORKS;
use normkit::{bf16, f16, generic, norm};

/// A set of workloads, each with a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Set {
    /// How fast is each technique, on shapes that models use?
    Main,
    /// How does the speed of rows follow from their length and number?
    Lengths,
    /// What do half types gain on f32?
    Halves,
    /// All of them
    All,
}

/// The workloads of a set.
#[must_use]
pub fn workloads(set: Set) -> Vec<Workload> {
    match set {
        Set::Main => main(),
        Set::Lengths => lengths(),
        Set::Halves => halves(),
        Set::All => {
            let mut all = main();
            for workload in lengths().into_iter().chain(halves()) {
                // Some are in several sets.
                if !all.iter().any(|other| other.task == workload.task) {
                    all.push(workload);
                }
            }
            all
        }
    }
}

fn main() -> Vec<Workload> {
    let mut all = main_rows();
    all.extend(main_images());
    all.extend([weights!(fwd [512, 1536]), weights!(bwd [512, 1536])]);
    all
}

fn main_rows() -> Vec<Workload> {
    vec![
        rows!(rms fwd f32 8192, 64),
        rows!(rms fwd f32 4096, 128),
        rows!(rms fwd f32 1, 4096),
        rows!(rms fwd f32 128, 4096),
        rows!(rms fwd f32 8192, 4096),
        rows!(rms fwd bf16 512, 4096),
        rows!(rms fwd f16 512, 4096),
        rows!(rms bwd f32 512, 4096),
        rows!(rms bwd f32 4096, 128),
        rows!(layer fwd f32 512, 768),
        rows!(layer fwd f32 16384, 768),
        rows!(layer fwd f32 4096, 100),
        rows!(layer bwd f32 512, 768),
        rows!(layer bwd f32 16384, 768),
    ]
}

fn main_images() -> Vec<Workload> {
    vec![
        images!(batch train [32, 64, 56, 56], First, batch_forward_train),
        images!(batch infer [32, 64, 56, 56], First, batch_forward),
        images!(batch bwd [32, 64, 56, 56], First, batch_backward),
        images!(batch train [32, 64, 56, 56], Last, batch_forward_train_last),
        images!(batch infer [32, 64, 56, 56], Last, batch_forward_last),
        images!(batch bwd [32, 64, 56, 56], Last, batch_backward_last),
        images!(batch train [256, 1024], batch_forward_train_last),
        images!(batch infer [256, 1024], batch_forward_last),
        images!(batch bwd [256, 1024], batch_backward_last),
        images!(group 32 fwd [4, 320, 64, 64], First, group_forward),
        images!(group 32 bwd [4, 320, 64, 64], First, group_backward),
        images!(group 32 fwd [4, 320, 64, 64], Last, group_forward_last),
        images!(group 32 bwd [4, 320, 64, 64], Last, group_backward_last),
        images!(instance fwd [8, 64, 128, 128], First, instance_forward),
        images!(instance bwd [8, 64, 128, 128], First, instance_backward),
        // As in ConvNeXt.
        images!(layer fwd [8, 192, 28, 28], layer_forward_middle),
        images!(layer bwd [8, 192, 28, 28], layer_backward_middle),
    ]
}

/// Each kind and pass over rows, with these numbers of rows and these lengths.
macro_rules! each_length {
    ($all:ident, $rows:expr; $($n:literal)*) => {$(
        $all.extend([
            rows!(rms fwd f32 $rows, $n),
            rows!(rms train f32 $rows, $n),
            rows!(rms bwd f32 $rows, $n),
            rows!(layer fwd f32 $rows, $n),
            rows!(layer train f32 $rows, $n),
            rows!(layer bwd f32 $rows, $n),
        ]);
    )*};
}

fn lengths() -> Vec<Workload> {
    let mut all = Vec::new();
    for rows in [1, 64, 4096] {
        each_length!(all, rows; 64 100 128 256 768 1024 4096 8192);
    }
    all
}

/// Rms and layer normalization, forward and backward, of a half type.
macro_rules! each_half {
    ($all:ident, $rows:expr, $n:literal; $($dtype:ident)*) => {$(
        $all.extend([
            rows!(rms fwd $dtype $rows, $n),
            rows!(rms bwd $dtype $rows, $n),
            rows!(layer fwd $dtype $rows, $n),
            rows!(layer bwd $dtype $rows, $n),
        ]);
    )*};
}

fn halves() -> Vec<Workload> {
    let mut all = Vec::new();
    each_half!(all, 64, 100; bf16 f16);
    for rows in [64, 32_768] {
        each_half!(all, rows, 768; bf16 f16);
    }
    for rows in [64, 512] {
        each_half!(all, rows, 4096; bf16 f16);
    }
    all
}
