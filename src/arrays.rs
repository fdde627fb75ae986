//! Arrays of the crate `ndarray` (0.17) as tensors.
//!
//! With the feature `ndarray`. There is nothing to call here: wherever a method takes `impl Into<View>` or `impl Into<ViewMut>`, it takes
//! `&Array`, `&ArrayView`, `&ArrayRef` and all else that derefs to [`ArrayRef`](https://docs.rs/ndarray/0.17/ndarray/struct.ArrayRef.html),
//! `&mut` of them to write to, and `ArrayView` and `ArrayViewMut` themselves. Dimensions may be known at compile time or not (`IxDyn`).
//!
//! ```
//! use ndarray::{Array2, Array3, s};
//! use normkit::{NormError, normalize};
//!
//! #[normalize(kind = "rms", shape = [_, _, 64])]            // [tokens, heads, head_dim]
//! pub struct KeyNorm;
//!
//! # fn main() -> Result<(), NormError> {
//! // The keys in the output of a fused projection to queries, keys and values: strided, and not copied.
//! let mut qkv = Array3::from_elem((10, 3 * 4, 64), 2.0_f32);
//! KeyNorm::new().forward_inplace(qkv.slice_mut(s![.., 4..8, ..]))?;
//! assert!((qkv[[9, 7, 63]] - 1.0).abs() < 1e-6 && qkv[[9, 8, 0]] == 2.0);
//!
//! // What is normalized over has to be contiguous. It is not in a transposed array:
//! let layer = normkit::norm!(kind = "layer", shape = [_, 64], affine = false);
//! let (columns, mut y) = (Array2::<f32>::ones((64, 10)), Array2::zeros((10, 64)));
//! let error = layer.forward(columns.t(), &mut y).unwrap_err();
//! assert_eq!(error, NormError::ArrayStride { arg: "x", axis: 1, expected: 1, found: 10 });
//! layer.forward(&columns.t().as_standard_layout(), &mut y)?; // a copy that can be seen
//! # Ok(())
//! # }
//! ```
//!
//! # Which layouts
//!
//! | array | taken |
//! |---|---|
//! | standard layout | yes; of one axis like a bare slice: as many rows as it holds |
//! | outer axes strided: slices with or without a step, outer axes permuted | yes, without a copy, where `(slice, [dims], [strides])` is |
//! | inner axes strided, transposed | no: [`NormError::ArrayStride`](crate::NormError::ArrayStride) at the call |
//! | reversed | no: the same |
//! | broadcast | no, neither to read nor to write: the same. Each row of it has the same result |
//! | more or fewer axes than `shape` | no: [`NormError::Rank`](crate::NormError::Rank); arrays of one axis excepted |
//! | without elements | yes |
//!
//! Nothing is ever copied. The error names the argument, and says what copies: `as_standard_layout()`, or, for an output, a new array
//! that is then `assign`ed. Views of one array that lie between each other's rows, as `multi_slice_mut` gives them, may be arguments of
//! one call, or of calls on several threads.
//!
//! Parameters are slices: those of a layer are its own, and [`norm!`](macro@crate::norm) takes `weight.as_slice()`.
