//! The runtime of [normkit](https://docs.rs/normkit): what generated kernels are written in.
//!
//! | module | what it holds |
//! |---|---|
//! | [`arch`] | the vector vocabulary: the same functions under the same names for each instruction set |
//! | [`level`] | which instruction set runs, picked once and cached |
//! | [`finish`] | from sums to statistics: the few scalar steps between the two sweeps of a row |
//! | [`view`], [`param`], [`saved`], [`error`] | memory: what comes in, what is owned, what is kept, what goes wrong |
//! | [`rows`] | the checked entry points of kernels whose reduced elements are contiguous |
//! | [`sets`] | the same for channels, groups, columns: whatever is not a row |
//! | [`shape`] | dims, strides and steps of a call, checked |
//! | [`threads`] | how large calls are shared out |
//! | [`cache`] | the sizes of the caches, and stores past them |
//! | [`careful`] | the row (or set) as it is computed when its magnitude leaves the range of the fast kernels |
//! | [`layer`] | the object-safe trait of layers |
//! | [`kernel`] | a kernel as plain data, for code that takes any |
//! | [`generic`] | the plain scalar implementation (baseline of benches) and the f64 reference (oracle of tests) |
//!
//! Users depend on the facade `normkit` alone; the names here are what macros expand to.

pub mod arch;
#[cfg(feature = "ndarray")]
mod arrays;
pub mod cache;
pub mod careful;
pub mod dtype;
pub mod error;
pub mod finish;
pub mod generic;
pub mod kernel;
pub mod layer;
pub mod level;
mod optimized;
pub mod param;
pub mod rows;
pub mod saved;
mod scratch;
pub mod sets;
pub mod shape;
#[cfg(unoptimized)]
#[doc(hidden)]
pub mod shared;
pub mod spec;
pub mod threads;
mod untyped;
mod vectorize;
pub mod view;

pub use dtype::{Compute, Element, bf16, f16};
pub use error::NormError;
pub use kernel::Kernel;
pub use layer::{NormLayer, Tensor, TensorMut};
pub use level::Level;
pub use param::{Param, Storage};
pub use saved::Saved;
pub use spec::{Affine, Cast, Dim, Role, Running, Spec};
pub use threads::single_threaded;
pub use view::{View, ViewMut};
