//! What normkit's adapters to other libraries of tensors share: tensors in memory as kernels take them, calls that find their types at
//! run time, and the kernels of their modules.
//!
//! An adapter makes an [`Argument`] of each tensor, passes them to a [`Call`], and makes tensors of the [`Values`] that it gives. That
//! there is one of these, whatever the library, keeps their errors and their kernels the same, and the kernels compiled once.
//!
//! ```
//! use normkit::Tensor;
//! use normkit_adapter::{Argument, Call, Values, kernels::RMS};
//!
//! let (x, weight) = ([3.0, -3.0, 3.0, -3.0], [1.0, 2.0]);
//! // Two rows of two elements, of rows that are four long.
//! let x = Argument::new(Tensor::F32(&x), &[1, 2], &[4_usize, 1][..], 2);
//! let weight = Argument::new(Tensor::F32(&weight), &[2], &[1_usize][..], 0);
//! let (y, _) = Call::new(RMS.of("f32")?).with_eps(0.0).forward(&[x, weight], false)?;
//! assert_eq!(y, Values::F32(vec![1.0, -2.0]));
//! # Ok::<(), normkit_adapter::Error>(())
//! ```

mod argument;
mod call;
mod error;
mod kept;
pub mod kernels;
mod scalar;

pub use argument::{Argument, Strides};
pub use call::{Call, Statistics};
pub use error::Error;
pub use kept::Kept;
pub use scalar::Values;
