//! What normkit is measured with: workloads, contenders that take turns, reports.
//!
//! | module | what it holds |
//! |---|---|
//! | [`workloads`] | what is measured: techniques, passes, shapes, and the calls on them |
//! | [`tensors`] | what the calls work on |
//! | [`copies`] | the limits: the same bytes, moved |
//! | [`measure`] | turns and medians |
//! | [`report`] | what comes out: JSON, table, chart, page; several reports as one |
//!
//! `normkit-peers`, a workspace of its own in `peers`, measures other libraries with the same.

pub use normkit::{bf16, f16};

pub mod copies;
pub mod measure;
pub mod report;
pub mod tensors;
pub mod workloads;
