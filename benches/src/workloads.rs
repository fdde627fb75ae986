//! Workloads: one kernel on one shape each.
//!
//! [`list`] has them all. What a workload is (technique, pass, type, dims) is data, from which its name and the bytes that it
//! moves follow; its contenders are calls on [`Tensors`], which the macros of `rows`, `images` and
//! `weights` write.

mod images;
pub mod list;
mod rows;
mod weights;

use crate::copies;
use crate::measure::{Contender, Role};
use crate::tensors::{Sizes, Tensors};
use normkit::{Element, Level};
use serde::{Deserialize, Serialize};
use std::cell::RefCell;
use std::fmt::{self, Display};
use std::rc::Rc;

/// The technique.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Over rows.
    Rms,
    /// Over rows; with a kept axis, over the channels of images.
    Layer,
    /// Over all but the channels.
    Batch,
    /// Over groups of channels.
    Group,
    /// Over each channel of each image.
    Instance,
    /// The vectors of a parameter.
    Weight,
}

/// What is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Pass {
    /// Inference.
    Fwd,
    /// Forward, keeping what backward needs.
    Train,
    /// Inference with running statistics, of batch normalization.
    Infer,
    /// The gradients.
    Bwd,
}

/// The type of `x`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Dtype {
    /// Single precision.
    F32,
    /// Half precision.
    F16,
    /// The upper half of `f32`.
    Bf16,
}

/// The type of numbers that a [`Dtype`] stands for.
pub trait Number: Element<Compute = f32> {
    /// Its name.
    const DTYPE: Dtype;
}

impl Number for f32 {
    const DTYPE: Dtype = Dtype::F32;
}
impl Number for normkit::f16 {
    const DTYPE: Dtype = Dtype::F16;
}
impl Number for normkit::bf16 {
    const DTYPE: Dtype = Dtype::Bf16;
}

/// How the axes lie in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Layout {
    /// In the order of the dims: rows, or images with their channels first.
    First,
    /// The channels, second among the dims, lie last in memory.
    Last,
}

/// What a workload computes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// The technique.
    pub kind: Kind,
    /// What is computed.
    pub pass: Pass,
    /// The type of `x`.
    pub dtype: Dtype,
    /// The dims of `x`; of images in the order batch, channels, height, width, whatever the layout.
    pub dims: Vec<usize>,
    /// How they lie in memory.
    pub layout: Layout,
    /// The axis that layer normalization is over, where it is not the last.
    pub axis: Option<usize>,
    /// Into how many groups the channels fall, of group normalization.
    pub groups: Option<usize>,
}

impl Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::Rms => "rms",
            Kind::Layer => "layer",
            Kind::Batch => "batch",
            Kind::Group => "group",
            Kind::Instance => "instance",
            Kind::Weight => "weight",
        })
    }
}

impl Display for Pass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Pass::Fwd => "fwd",
            Pass::Train => "train",
            Pass::Infer => "infer",
            Pass::Bwd => "bwd",
        })
    }
}

impl Display for Dtype {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Dtype::F32 => "f32",
            Dtype::F16 => "f16",
            Dtype::Bf16 => "bf16",
        })
    }
}

impl Dtype {
    /// Bytes of a number.
    #[must_use]
    pub fn size(self) -> usize {
        match self {
            Dtype::F32 => 4,
            Dtype::F16 | Dtype::Bf16 => 2,
        }
    }
}

/// Kind, pass, type and dims, then what else tells it from others: `rms_fwd_f32_4096x128`, `batch_train_f32_32x64x56x56_cl`.
impl Display for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let dims: Vec<String> = self.dims.iter().map(usize::to_string).collect();
        write!(f, "{}_{}_{}_{}", self.kind, self.pass, self.dtype, dims.join("x"))?;
        if let Some(groups) = self.groups {
            write!(f, "_g{groups}")?;
        }
        if let Some(axis) = self.axis {
            write!(f, "_ax{axis}")?;
        }
        if self.layout == Layout::Last {
            f.write_str("_cl")?;
        }
        Ok(())
    }
}

impl Task {
    /// Elements of `x`.
    #[must_use]
    pub fn elements(&self) -> usize {
        self.dims.iter().product()
    }

    /// Elements of weight and bias.
    #[must_use]
    pub fn params(&self) -> usize {
        let axis = match (self.kind, self.axis) {
            (Kind::Rms | Kind::Layer, None) => self.dims.len() - 1,
            (Kind::Weight, _) => 0,
            (_, axis) => axis.unwrap_or(1),
        };
        self.dims[axis]
    }

    /// The dims of `x` in the order of memory.
    #[must_use]
    pub fn memory_dims(&self) -> Vec<usize> {
        let mut dims = self.dims.clone();
        if self.layout == Layout::Last {
            dims[1..].rotate_left(1);
        }
        dims
    }

    /// How many elements of `x`, in the order of memory, have to be read before the first of them can be written: until the statistics of
    /// some are complete. `None` where statistics are given.
    #[must_use]
    pub fn stretch(&self) -> Option<usize> {
        let dims = self.memory_dims();
        let image = dims[1..].iter().product::<usize>();
        let channel = image / self.params();
        Some(match (self.kind, self.layout) {
            _ if self.pass == Pass::Infer => return None,
            (Kind::Rms | Kind::Layer, _) if self.axis.is_none() => *dims.last()?,
            (Kind::Rms | Kind::Layer | Kind::Weight, _) => image,
            (Kind::Batch, Layout::First) if channel > 1 => dims[0] * channel,
            (Kind::Batch, _) => self.elements(),
            (Kind::Group, Layout::First) => image / self.groups.unwrap_or(1),
            (Kind::Instance, Layout::First) => channel,
            (Kind::Group | Kind::Instance, Layout::Last) => image,
        })
    }

    /// Which tensors as large as `x` have to move, the least there can be.
    #[must_use]
    pub fn traffic(&self) -> Traffic {
        match (self.pass, self.kind) {
            (Pass::Fwd | Pass::Train | Pass::Infer, _) => Traffic::Forward,
            (Pass::Bwd, Kind::Weight) => Traffic::BackwardAdding,
            (Pass::Bwd, _) => Traffic::Backward,
        }
    }

    /// Bytes that have to move. What a write reads before it, because the processor owns whole cache lines, is not counted.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.traffic().tensors() * self.elements() * self.dtype.size()
    }

    /// Bytes of memory that are touched.
    #[must_use]
    pub fn footprint(&self) -> usize {
        self.traffic().tensors().min(3) * self.elements() * self.dtype.size()
    }
}

/// Which tensors a pass moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Traffic {
    /// Reads x, writes y.
    Forward,
    /// Reads x and dy, writes dx.
    Backward,
    /// Reads x and dy, adds to dx, as where x is a parameter itself.
    BackwardAdding,
}

impl Traffic {
    /// How many tensors as large as `x`.
    #[must_use]
    pub fn tensors(self) -> usize {
        match self {
            Traffic::Forward => 2,
            Traffic::Backward => 3,
            Traffic::BackwardAdding => 4,
        }
    }
}

/// Calls on the tensors of a workload.
pub(crate) struct Calls<T: Number> {
    /// Once, before all: what backward needs from forward.
    pub(crate) prepare: fn(&mut Tensors<T>),
    /// The kernel for exactly these sizes.
    pub(crate) fixed: fn(&mut Tensors<T>),
    /// Our kernel for sizes known at run time.
    pub(crate) open: fn(&mut Tensors<T>),
    /// Scalar code.
    pub(crate) scalar: fn(&mut Tensors<T>),
}

/// One kernel on one shape.
pub struct Workload {
    /// What is computed.
    pub task: Task,
    build: Build,
}

/// Allocates the tensors of a task, and makes the contenders on them.
type Build = Box<dyn Fn(&Task) -> Vec<Contender>>;

impl Workload {
    /// All contenders work on the same tensors, so that none has the better place in memory.
    pub(crate) fn new<T: Number>(task: Task, calls: Calls<T>) -> Self {
        let build = move |task: &Task| {
            let tensors = shared::<T>(task, calls.prepare);
            let mut all: Vec<Contender> = Level::available()
                .into_iter()
                .map(|level| Contender::on(&tensors, format!("normkit {level}"), Role::Normkit, calls.fixed).at(level))
                .collect();
            all.push(Contender::on(&tensors, RUNTIME_LENGTH.into(), Role::Baseline, calls.open));
            all.push(Contender::on(&tensors, GENERIC.into(), Role::Baseline, calls.scalar));
            all.extend(copies::contenders(&tensors, task.traffic()));
            all
        };
        Workload { task, build: Box::new(build) }
    }

    /// As [`Workload::new`], for a half type, with the same in `f32` beside it.
    pub(crate) fn with_f32<T: Number>(task: Task, calls: Calls<T>, f32s: Calls<f32>) -> Self {
        let own = Workload::new(task.clone(), calls);
        let build = move |task: &Task| {
            let mut all = (own.build)(task);
            all.push(Contender::on(&shared(task, f32s.prepare), F32.into(), Role::Baseline, f32s.fixed));
            all
        };
        Workload { task, build: Box::new(build) }
    }

    /// The name that `--filter` searches.
    #[must_use]
    pub fn name(&self) -> String {
        self.task.to_string()
    }

    /// Allocates the tensors.
    #[must_use]
    pub fn contenders(&self) -> Vec<Contender> {
        (self.build)(&self.task)
    }
}

/// The tensors of a task, which `prepare` has seen.
fn shared<T: Number>(task: &Task, prepare: fn(&mut Tensors<T>)) -> Rc<RefCell<Tensors<T>>> {
    let mut tensors = Tensors::new(Sizes { elements: task.elements(), params: task.params(), stretch: task.stretch() });
    prepare(&mut tensors);
    Rc::new(RefCell::new(tensors))
}

/// The contender that is our kernel for sizes known at run time.
pub const RUNTIME_LENGTH: &str = "normkit runtime-length";
/// The contender that is scalar code.
pub const GENERIC: &str = "generic";
/// The contender that is the same kernel in `f32`, beside half types.
pub const F32: &str = "normkit f32";

#[cfg(test)]
mod tests;
