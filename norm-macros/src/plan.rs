//! How it is computed: per length and instruction set a schedule for each pass. Plain data, compared and printed; no kernel
//! is needed to test it.

mod schedule;
pub mod table;

#[cfg(test)]
mod tests;

pub use schedule::{Isa, Schedule, Tail};

use crate::model::{Affine, Dtype, Len, Model};

/// Everything that is generated for a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// One for each length, in the order of the source.
    pub kernels: Vec<LengthPlan>,
}

/// The kernels for one length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LengthPlan {
    pub len: Len,
    /// One for each instruction set and pass.
    pub passes: Vec<PassPlan>,
}

/// The direction of a kernel. The training forward pass is the forward one: it keeps its statistics where it is given room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pass {
    Forward,
    Backward,
}

/// One kernel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PassPlan {
    pub isa: Isa,
    pub pass: Pass,
    pub schedule: Schedule,
}

/// What a schedule is chosen by.
#[derive(Clone, Copy, Debug)]
pub struct Facts {
    pub len: Len,
    pub pass: Pass,
    pub centred: bool,
    pub affine: Affine,
    pub dtype: Dtype,
}

/// The plan for a model.
pub fn plan(model: &Model) -> Plan {
    let kernels = model.lens().into_iter().map(|len| LengthPlan { len, passes: passes(model, len) }).collect();
    Plan { kernels }
}

fn passes(model: &Model, len: Len) -> Vec<PassPlan> {
    let mut passes = Vec::new();
    for pass in [Pass::Forward, Pass::Backward] {
        for isa in Isa::ALL {
            let facts = Facts { len, pass, centred: model.technique.centred, affine: model.affine, dtype: model.dtype };
            passes.push(PassPlan { isa, pass, schedule: schedule::choose(isa, &facts) });
        }
    }
    passes
}
