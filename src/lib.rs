//! Normalization layers for CPUs: SIMD kernels generated at compile time, with gradients.
//!
//! Annotate a struct, and it is a layer: at compile time it gets forward, training-forward and backward kernels for exactly
//! its technique, shape and type, for AVX-512, AVX2 and a portable level. The best that the machine has is picked at run time.
//!
//! ```
//! use normkit::{Saved, normalize};
//!
//! #[normalize(kind = "layer", axis = -1, eps = 1e-5)]
//! pub struct HiddenNorm {
//!     pub weight: [f32; 768],
//!     pub bias: [f32; 768],
//! }
//!
//! # fn main() -> Result<(), normkit::NormError> {
//! let norm = HiddenNorm::new();                             // weight 1, bias 0
//! let x: Vec<f32> = (0..4 * 768).map(|i| (i % 7) as f32).collect();
//! let mut y = vec![0.0; x.len()];                           // any number of rows of 768
//! norm.forward(&x, &mut y)?;
//!
//! let mut saved = Saved::default();                         // mean and rstd of each row; reused from call to call
//! norm.forward_train(&x, &mut y, &mut saved)?;
//! let (dy, mut dx) = (vec![1.0; x.len()], vec![0.0; x.len()]);
//! let mut grads = HiddenNormGrads::new();
//! norm.backward(&x, &dy, &saved, &mut dx, &mut grads)?;     // writes dx, adds to grads
//! assert_eq!(grads.bias[0], 4.0);
//! # Ok(())
//! # }
//! ```
//!
//! [`norm!`] gives the same kernels over memory of your own: see there. Both take the same keys.
//! [`guide`] explains the techniques: which to choose, what each computes and costs, and where it goes wrong.
//!
//! # Keys
//!
//! | key | value | meaning, default |
//! |---|---|---|
//! | [`kind`](keys::kind) | `"rms"` `"layer"` `"batch"` `"group"` `"instance"` `"weight"` | the technique; required |
//! | [`shape`](keys::shape) | `[_, 4096]`, `[_, 64, 56, 56]`, `[_, 768 \| 1024 \| _]` | `_` is a size known only at run time. `a \| b` is a family: one specialised kernel each; `_` as an alternative adds the kernel for all other sizes, without it they are an error value. May be left out where the fields' arrays tell the size: then it is `[_, N]` |
//! | [`axis`](keys::axis) | `-1`, `[-2, -1]`, `1..` | rms, layer: the axes that are normalized together, any of them; default `-1`. batch, group, instance: the axis of channels; default `1`, `-1` is channels-last. weight: the axis whose vectors keep their lengths (PyTorch's `dim`); default `0` |
//! | [`eps`](keys::eps) | number >= 0, or `_` | added to the mean square inside the root. Default 1e-6 for rms, 1e-5 for the others; weight has none. `_`: a field `eps` of the layer, an argument of the kernel after the parameters |
//! | [`groups`](keys::groups) | a number that divides the channels | group only, and required there |
//! | [`momentum`](keys::momentum) | number in 0..=1, or `cumulative` | batch only: `running = (1 - momentum) * running + momentum * batch`, PyTorch's convention; default 0.1. `cumulative`: the mean over all batches |
//! | [`running_var`](keys::running_var) | `unbiased` `biased` | batch only; default `unbiased` (PyTorch), `biased` for checkpoints of Flax and TensorFlow |
//! | [`dtype`](keys::dtype) | `f32` `f64` `f16` `bf16`, or alternatives `f32 \| bf16` | elements of x and y. Alternatives, which are computed in the same type, have a kernel each behind the same methods. Default: the fields' type, else f32 |
//! | [`param`](keys::param) | a dtype | elements of weight and bias, of running statistics, and of `weight_g`. Default: the fields' type, else the type that is computed in: f64 for f64, f32 for the others |
//! | [`cast`](keys::cast) | `once` `before_weight` | rms and layer over half types: when they are rounded, [see below](#half-types); default `once` |
//! | [`affine`](keys::affine) | `true` `false` `weight` | weight and bias, none, weight alone. Default: `weight` for rms and weight (which have no bias), `true` for the others |
//! | [`allow`](keys::allow) | `allow(name, ...)` | silences [lints](#lints) |
//! | [`deny`](keys::deny) | `deny(name, ...)` | makes lints errors |
//! | [`explain`](keys::explain) | nothing: it stands alone | prints `PLAN` while compiling: what was generated, and why |
//! | `crate` | a path | where this crate is, if it is renamed or re-exported: `crate = third::normkit` |
//!
//! Each has [a page](keys), which rust-analyzer shows where the key is written; it completes keys from them as well.
//!
//! # Lints
//!
//! What is right, and most likely not meant, is warned of by name, such as `small_batch` or `eps_unusual`; `allow(name)` and `deny(name)`
//! among the keys say else. The feature `deny-lints` makes errors of all that are not allowed, for a build that checks:
//! `cargo check --features normkit/deny-lints`. Why small batches, an `eps` or a `momentum` go wrong is told in the [guide]; the repository's
//! `docs/diagnostics.md` lists all lints.
//!
//! # What is generated
//!
//! For a layer `L`: `L::new()` (with the length as its argument, and a `Result`, where that is known only at run time),
//! `forward`, `forward_inplace`, `forward_train`, `backward`, the struct `LGrads` with the gradients of the parameters,
//! [`NormLayer`] for code that walks models, and `L::PLAN`, the table of what was chosen for each instruction set and why.
//! The same table stands in the documentation of `L`. With `explain` among the keys the compiler prints it, as a warning that is no error
//! under `deny(warnings)` either: that is how a macro can say something. Remove the key when you have read it.
//!
//! Parameters are recognised by the names of fields: `weight` (`gamma`, `scale`), `bias` (`beta`, `shift`), `running_mean`,
//! `running_var`, and `weight_v`, `weight_g` of weight normalization; their types may be `[T; N]`, `Box<[T; N]>`, `Vec<T>` or [`Param<T>`](Param). Those that the struct does not declare are added as `Param<T>`.
//! Other fields are kept and start as their `Default`. Derives go below the attribute.
//!
//! # Batch normalization
//!
//! Training and inference cannot be mixed up: `forward_train` takes the layer by unique reference, normalizes with the statistics of
//! the batch, and lets the running ones follow; `forward` takes it shared and uses the running ones. `backward` is the gradient of the
//! first, `backward_frozen` that of the second, for training on with fixed statistics.
//!
//! ```
//! use normkit::{NormError, Saved, normalize};
//!
//! #[normalize(kind = "batch", shape = [_, 16, 7, 7])]       // channels on axis 1; `axis = -1` is channels-last
//! pub struct Bn;                                            // weight, bias, running_mean, running_var, num_batches_tracked
//!
//! # fn main() -> Result<(), NormError> {
//! let mut bn = Bn::new();
//! let x: Vec<f32> = (0..8 * 16 * 49).map(|i| (i % 11) as f32).collect();
//! let (mut y, mut dx) = (vec![0.0; x.len()], vec![0.0; x.len()]);
//! let (mut saved, mut grads) = (Saved::default(), BnGrads::new());
//!
//! bn.forward_train(&x, &mut y, &mut saved)?;                // statistics of this batch
//! bn.backward(&x, &y, &saved, &mut dx, &mut grads)?;
//! assert_eq!(bn.num_batches_tracked, 1);
//! bn.forward(&x, &mut y)?;                                  // running statistics
//! bn.backward_frozen(&x, &y, &mut dx, &mut grads)?;
//!
//! // One value for each channel has no variance.
//! #[normalize(kind = "batch", shape = [_, 16])]
//! pub struct Bn1;
//! let one = Bn1::new().forward_train(&x[..16], &mut y[..16], &mut saved);
//! assert_eq!(one, Err(NormError::OneValuePerChannel { arg: "x" }));
//! # Ok(())
//! # }
//! ```
//!
//! # Weight normalization
//!
//! Here `x` is a parameter, `weight_v`: `forward` writes the weight, `backward` adds the gradients of directions and lengths. A vector
//! of zeros has no direction: its part of the weight is NaN, and no other.
//!
//! ```
//! use normkit::{Saved, normalize};
//!
//! #[normalize(kind = "weight", shape = [4, 6])]             // each of the 4 vectors keeps its length
//! pub struct Linear;
//!
//! # fn main() -> Result<(), normkit::NormError> {
//! let weight: Vec<f32> = (1..=24).map(|i| i as f32).collect();
//! let layer = Linear::from_weight(&weight)?;                // weight_v = weight, weight_g = its vectors' lengths
//! let (mut again, mut saved) = (vec![0.0; 24], Saved::default());
//! layer.forward_train(&mut again, &mut saved)?;
//! assert!(weight.iter().zip(&again).all(|(a, b)| (a - b).abs() < 1e-5));
//!
//! let mut grads = LinearGrads::new();
//! layer.backward(&again, &saved, &mut grads)?;              // adds to grads.weight_v and grads.weight_g
//! # Ok(())
//! # }
//! ```
//!
//! # Half types
//!
//! [`f16`](struct@f16) and [`bf16`] (those of the crate `half`) are types to store; all of a technique is computed in f32 and rounded once, to the
//! nearest, ties to even, when it is stored. Gradients of parameters and [`Saved`] are f32 whatever the types. `x` and the parameters may
//! be of different types; of weight normalization, `weight_v` is of `dtype`, `weight_g` of `param`.
//!
//! `cast = before_weight` rounds the normalized element too, before it is multiplied with the weight: so does the code that Llama
//! checkpoints were made with. Without it some elements differ by a unit in the last place.
//!
//! ```
//! use normkit::{bf16, normalize};
//!
//! #[normalize(kind = "rms", shape = [_, 64], dtype = f32 | bf16, param = bf16)]
//! pub struct Norm;                                          // weight: Param<bf16>
//!
//! # fn main() -> Result<(), normkit::NormError> {
//! let (norm, x) = (Norm::new(), [3.0_f32; 2 * 64]);
//! let mut y = [0.0; 2 * 64];
//! norm.forward(&x, &mut y)?;                                // in f32
//! let (x, mut y) = (x.map(bf16::from_f32), [bf16::ZERO; 2 * 64]);
//! norm.forward(&x, &mut y)?;                                // in bf16, by kernels of its own
//! assert_eq!(y[0], bf16::ONE);
//! # Ok(())
//! # }
//! ```
//!
//! Where a layer takes several types, arrays of arrays leave open which is meant: `View::<bf16>::from(&x)` says it.
//!
//! # Models
//!
//! `#[normalize]` without keys stands on a whole model, and `#[norm(...)]` with the keys of a layer on those of its fields that
//! are to be one. Their types are generated; all else stays as it is written: other fields, docs, derives, generics.
//!
//! ```
//! use normkit::{TensorMut, normalize};
//!
//! #[derive(Clone, Debug, Default)]
//! pub struct Attention { /* ... */ }
//!
//! #[derive(Clone, Debug, Default)]
//! pub struct Mlp { /* ... */ }
//!
//! #[normalize]
//! #[derive(Clone, Debug, Default)]
//! pub struct DecoderLayer {
//!     #[norm(kind = "rms", shape = [_, 64], eps = 1e-6)]
//!     pub input_layernorm: InputNorm,                       // `InputNorm` is generated
//!     pub attention: Attention,                             // none of ours
//!     #[norm(kind = "rms", shape = [_, 64], eps = 1e-6)]
//!     pub post_attention_layernorm: PostNorm,
//!     pub mlp: Mlp,
//! }
//!
//! # fn main() -> Result<(), normkit::NormError> {
//! let mut model = DecoderLayer::default();
//! let x = [2.0_f32; 2 * 64];
//! let mut y = [0.0; 2 * 64];
//! model.input_layernorm.forward(&x, &mut y)?;
//!
//! // All layers by field name, in the order of fields: to count parameters, load checkpoints, step an optimizer.
//! let params = model.norms().flat_map(|(_, norm)| norm.params());
//! assert_eq!(params.map(|(_, tensor)| tensor.len()).sum::<usize>(), 2 * 64);
//!
//! for (name, norm) in model.norms_mut() {
//!     for (param, tensor) in norm.params_mut() {
//!         if let ("input_layernorm", "weight", TensorMut::F32(values)) = (name, param, tensor) {
//!             values.fill(0.5);
//!         }
//!     }
//! }
//! model.input_layernorm.forward(&x, &mut y)?;
//! assert!((y[0] - 0.5).abs() < 1e-6);
//! # Ok(())
//! # }
//! ```
//!
//! - `norms(&self)` and `norms_mut(&mut self)` are iterators of `(&'static str, &dyn NormLayer)` and
//!   `(&'static str, &mut dyn NormLayer)`.
//! - A field's type is a new name of its own; its gradients are `InputNormGrads`, as those of any layer. Both are as visible as
//!   the model, so that its methods may show them whatever the field is. They are `Clone`, `Debug` and `PartialEq`, and `Default`
//!   where all lengths are known: a model may derive these. `Serialize` and `Deserialize` they have if the model derives them.
//! - The model may be generic; what `#[norm]` stands on may not depend on its parameters.
//! - `#[cfg]` on a field holds for all that is generated for it.
//! - `crate`, `allow`, `deny` and `explain` on the model hold for its fields too.
//!
//! # Tensors
//!
//! `x`, `y`, `dy` and `dx` are anything that converts into a [`View`] or [`ViewMut`]: slices, arrays, `Vec`, `&[[T; N]]`,
//! `(slice, [dims])`, and `(slice, [dims], [strides])` where outer axes are strided: all but the last ones of one role (normalized,
//! kept, or the channels); with the feature `ndarray`, its arrays too. Where more than one size is open, dims have to be given.
//! What does not fit is a [`NormError`] that names the argument, what was expected and what was found; nothing has been written then.
//!
//! # Numerics
//!
//! - Statistics are taken about a pivot near the mean, with a guard: nothing cancels at large means.
//! - Finite inputs give finite outputs at any magnitude: a row whose squares overflow or vanish is computed again, scaled.
//! - NaN and infinity stay in their row. A constant row gives exactly the bias (and NaN with `eps = 0`, as in PyTorch).
//! - A row's result does not depend on the rows beside it, bit for bit; nor does a channel's, group's or column's.
//! - Conversions of half types give the same bits at every level, subnormals and NaNs included.
//! - Gradients of parameters are summed in blocks and a fixed tree: the error grows with the logarithm of the rows.
//!
//! # Levels
//!
//! [`Level::current`] says which instruction set runs. `NORMKIT_LEVEL=portable` (or `avx2`, `avx512`) chooses another for a
//! whole process, [`Level::force`] for tests. Results of different levels differ in the last bits;
//! so do those over bf16 at AVX-512, between processors with and without AVX512-BF16.
//!
//! # Features
//!
//! All are off by default.
//!
//! | feature | what it adds |
//! |---|---|
//! | `ndarray` | arrays of `ndarray` 0.17 as tensors: the module `arrays` |
//! | `safetensors` | checkpoints of layers and models, with the names that PyTorch and others give: the module `checkpoint` |
//! | `serde` | `Serialize` and `Deserialize` for [`Param`], and so for layers and models that derive them: the module `serialization` |
//!
//! # Profiles
//!
//! Kernels compile in your crate, under your profile: without optimization they are far slower than scalar code. For
//! debug builds set `opt-level = 1` or more in `[profile.dev]`.
//!
//! Without optimization kernels are shorter, too: what is only there for speed is left out, with the same bits for results. The profile of
//! `norm-runtime` decides, so whoever optimizes a crate of layers alone (`[profile.dev.package.model]`) wants the same for
//! `[profile.dev.package.norm-runtime]`.

#[cfg(feature = "ndarray")]
pub mod arrays;
#[cfg(feature = "safetensors")]
pub mod checkpoint;
pub mod guide;
pub mod keys;
#[cfg(feature = "serde")]
pub mod serialization;

/// A zero-sized kernel over memory of your own, wherever an expression may stand.
///
/// It has the methods of a layer, with the parameters as arguments: `forward(x, weight, bias, y)`,
/// `forward_inplace(x, weight, bias)`, `forward_train(x, weight, bias, y, &mut saved)` and
/// `backward(x, dy, weight, &saved, dx, dweight, dbias)`. Parameters that the kernel does not have are left out; `eps = _` adds an
/// argument after the parameters. The keys are those of [`macro@normalize`]: see [the table](crate#keys).
///
/// Batch normalization: `forward(x, running_mean, running_var, weight, bias, y)` and `forward_inplace` are inference;
/// `forward_train` touches no running statistics, which `update_running(&saved, &mut running_mean, &mut running_var,
/// &mut num_batches_tracked)` does; `backward_frozen(x, dy, running_mean, running_var, weight, dx, dweight, dbias)` is the gradient
/// of inference. Weight normalization: `forward(weight_v, weight_g, weight)`, and `backward(weight_v, dweight, weight_g, &saved,
/// dweight_v, dweight_g)` *adds* to both gradients.
///
/// ```
/// # fn main() -> Result<(), normkit::NormError> {
/// let rms = normkit::norm!(kind = "rms", axis = -1, eps = 1e-6, shape = [_, 2048 | 4096 | _]);
/// let (x, weight) = (vec![2.0_f32; 3 * 100], vec![0.5; 100]);
/// let mut y = vec![0.0; x.len()];
/// rms.forward(&x, &weight, &mut y)?;                 // the length of a row is the weight's
/// assert!((y[0] - 0.5).abs() < 1e-6);
///
/// let mut again = x.clone();
/// rms.forward_inplace((&mut again, [3, 100]), &weight)?;
/// assert_eq!(again, y);
/// # Ok(())
/// # }
/// ```
pub use norm_macros::norm;

/// Makes a struct a normalization layer, or the fields of a model that have `#[norm(...)]`.
///
/// See [the crate's documentation](crate) for the keys and for what is generated, and [there](crate#models) for models.
///
/// ```
/// use normkit::normalize;
///
/// #[normalize(kind = "rms", axis = -1, eps = 1e-6)]
/// #[derive(Clone, Debug)]
/// pub struct InputNorm {
///     pub weight: [f32; 64],
/// }
///
/// #[normalize(kind = "rms", shape = [_, 64])] // the field `weight` is added
/// pub struct PostNorm;
///
/// let mut x = vec![3.0_f32; 5 * 64];
/// InputNorm::new().forward_inplace(&mut x)?;
/// assert!((x[0] - 1.0).abs() < 1e-6);
/// assert!(InputNorm::PLAN.contains("avx512"));
/// assert_eq!(PostNorm::new().weight.len(), 64);
/// # Ok::<(), normkit::NormError>(())
/// ```
pub use norm_macros::normalize;

pub use norm_runtime::{
    Affine, Cast, Compute, Dim, Element, Kernel, Level, NormError, NormLayer, Param, Role, Running, Saved, Spec,
    Tensor, TensorMut, View, ViewMut, bf16, f16, generic, kernel, single_threaded,
};

#[doc(hidden)]
pub use norm_runtime as __private;

/// Runs the code of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
