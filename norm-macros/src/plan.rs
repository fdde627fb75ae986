//! How it is computed: per length and instruction set a schedule for each pass. Plain data, compared and printed; no kernel
//! is needed to test it.

mod schedule;
pub mod table;

#[cfg(test)]
mod tests;

pub use schedule::{Isa, Schedule, Tail};

use crate::model::{Affine, Dtype, Form, Len, Model, Technique};

/// Everything that is generated for a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// One for each element type and length, in the order of the source.
    pub kernels: Vec<LengthPlan>,
}

/// The kernels for one element type and length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LengthPlan {
    pub dtype: Dtype,
    pub len: Len,
    /// One for each instruction set and pass.
    pub passes: Vec<PassPlan>,
}

/// What a kernel does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pass {
    /// Over rows: both sweeps. The training forward pass is the same: it keeps its statistics where it is given room.
    Forward,
    /// Over rows: both sweeps of the backward pass.
    Backward,
    /// Over sets, which the runtime hands out as many at a time as fit the cache: the sums that statistics are made of.
    Sums,
    /// Over sets: from statistics to output.
    Output,
    /// Over sets: the sums that gradients are made of.
    GradientSums,
    /// Over sets: from sums to the gradient.
    Gradient,
}

impl Pass {
    /// The passes over rows.
    pub const ROWS: [Pass; 2] = [Pass::Forward, Pass::Backward];
    /// The passes over sets.
    pub const SETS: [Pass; 4] = [Pass::Sums, Pass::Output, Pass::GradientSums, Pass::Gradient];

    /// Whether it gives the gradient of a parameter, which is added to, in the type that is computed in: where `x` is one.
    pub fn adds(self, technique: &Technique) -> bool {
        technique.of_sum && matches!(self, Pass::Gradient | Pass::Backward)
    }

    /// How its kernels are called.
    pub const fn name(self) -> &'static str {
        match self {
            Pass::Forward => "forward",
            Pass::Backward => "backward",
            Pass::Sums => "sums",
            Pass::Output => "output",
            Pass::GradientSums => "gradient_sums",
            Pass::Gradient => "gradient",
        }
    }

    /// What a model needs.
    pub fn of(form: Form) -> &'static [Pass] {
        match form {
            Form::Rows | Form::Gathered | Form::ChannelRows => &Self::ROWS,
            Form::Segments | Form::Columns | Form::ColumnsByRow => &Self::SETS,
        }
    }
}

/// One kernel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PassPlan {
    pub dtype: Dtype,
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
    /// Which parameters lie along a row: a number of each for a row takes no registers.
    pub affine: Affine,
    pub dtype: Dtype,
}

/// The plan for a model.
pub fn plan(model: &Model) -> Plan {
    let lens = model.lens();
    let kernel = |dtype, len| LengthPlan { dtype, len, passes: passes(model, dtype, len) };
    let kernels = model.dtypes.iter().flat_map(|&dtype| lens.iter().map(move |&len| kernel(dtype, len)));
    Plan { kernels: kernels.collect() }
}

fn passes(model: &Model, dtype: Dtype, len: Len) -> Vec<PassPlan> {
    let form = model.form();
    let mut passes = Vec::new();
    for &pass in Pass::of(form) {
        for &isa in Isa::of(dtype) {
            let affine = model.affine_along_row();
            let facts = Facts { len, pass, centred: model.technique.centred, affine, dtype };
            let schedule = match form {
                Form::Rows | Form::Gathered | Form::ChannelRows => schedule::choose(isa, &facts),
                Form::Segments => schedule::segments(isa, &facts),
                Form::Columns | Form::ColumnsByRow => schedule::columns(isa, &facts),
            };
            passes.push(PassPlan { dtype, isa, pass, schedule });
        }
    }
    passes
}
