//! The workloads that both the criterion benches and the table of `normkit-bench` run.
//!
//! A workload is one kernel on one shape, with its contenders: the generated kernel for those sizes, our kernel for sizes
//! known at run time (where there is one), the generic scalar code, and a copy of the same bytes. All of them reuse their
//! outputs. Half types have the same in f32 beside them.

pub mod channels;
pub mod halves;
pub mod rows;
mod tensors;

/// All there are.
#[must_use]
pub fn workloads() -> Vec<Workload> {
    rows::workloads().into_iter().chain(halves::workloads()).chain(channels::workloads()).collect()
}

/// One kernel on one shape.
pub struct Workload {
    /// Such as `rms_fwd_f32_4096x128`: kind, pass, type and sizes. Channels stand second, `_cl` where they lie last in memory.
    pub name: String,
    /// Elements of `x`.
    pub elements: usize,
    /// Bytes that have to move: each tensor once.
    pub bytes: usize,
    /// Allocates the tensors.
    pub build: Box<dyn Fn() -> Vec<Contender>>,
}

/// One way to do the work.
pub struct Contender {
    /// `generated`, `runtime`, `generic`, `f32`, `copy`.
    pub name: &'static str,
    /// Does it once.
    pub run: Box<dyn FnMut()>,
}

impl Contender {
    fn new(name: &'static str, run: impl FnMut() + 'static) -> Self {
        Contender { name, run: Box::new(run) }
    }
}
