//! The keys of [`normalize`](macro@crate::normalize), `#[norm(...)]` and [`norm!`](crate::norm), a page for each.
//!
//! The modules are empty. They are what an editor with rust-analyzer shows where a key is written, and what it completes keys from;
//! [a table](crate#keys) has them side by side. The key `crate`, which has no page, says where this crate is, if it is renamed or
//! passed on by another: `crate = third::normkit`.

/// The technique: `"rms"`, `"layer"`, `"batch"`, `"group"`, `"instance"` or `"weight"`, with or without quotes. Required.
///
/// The [guide](crate::guide) tells [which one](crate::guide#which-one), with a page on each.
///
/// ```
/// # use normkit::normalize;
/// #[normalize(kind = "layer", shape = [_, 768])]
/// pub struct FinalNorm;
/// ```
pub mod kind {}

/// The sizes of all axes of `x`: numbers, `_` where one is known only at run time, families.
///
/// `768 | 1024` is a family: a specialised kernel for each size, and an error value for any other; `768 | 1024 | _` takes all, the
/// others with a kernel for lengths known at run time. May be left out where the struct declares parameters as arrays: then it is
/// `[_, N]`.
///
/// ```
/// # use normkit::norm;
/// let rows = norm!(kind = "rms", shape = [_, 768 | 1024 | _]);
/// let images = norm!(kind = "batch", shape = [_, 64, 56, 56]);
/// ```
pub mod shape {}

/// Which axes, by number from 0 or, from the end, by -1, -2: `-1`, `[-2, -1]`, or `1..` for axis 1 and all after it.
///
/// | kind | the axes | default |
/// |---|---|---|
/// | rms, layer | that are normalized together: PyTorch's `normalized_shape` is `1..`, or as many as it has | `-1` |
/// | batch, group, instance | the axis of channels; `-1` is channels-last | `1` |
/// | weight | the axis whose vectors keep their lengths: PyTorch's `dim` | `0` |
///
/// ```
/// # use normkit::norm;
/// let channels_last = norm!(kind = "group", groups = 32, shape = [_, 64, 64, 320], axis = -1);
/// let image = norm!(kind = "layer", shape = [_, 3, 32, 32], axis = 1..);
/// ```
pub mod axis {}

/// What is added to the variance, or the mean square, inside the root: a number of at least 0, or `_`.
///
/// Default 1e-6 for rms, 1e-5 for the others; weight has none. `_` is a number given at run time: the field `eps` of a layer, an
/// argument of a kernel after the parameters. Outside of 1e-8 to 1e-5 (in f32) the lint `eps_unusual` asks whether a checkpoint wants it.
///
/// ```
/// # use normkit::norm;
/// let bert = norm!(kind = "layer", shape = [_, 768], eps = 1e-12, allow(eps_unusual));
/// let any = norm!(kind = "layer", shape = [_, 768], eps = _);
/// ```
pub mod eps {}

/// How many groups the channels fall into: a number that divides them. Of the kind group alone, and required there.
///
/// ```
/// # use normkit::norm;
/// let norm = norm!(kind = "group", groups = 32, shape = [_, 320, 64, 64]);
/// ```
pub mod groups {}

/// The share of the new batch in the running statistics, from 0 to 1, or `cumulative`. Of the kind batch alone; default 0.1.
///
/// `running = (1 - momentum) * running + momentum * batch`, as in PyTorch; Keras and Flax name the share that stays, so their 0.99 is
/// 0.01 here. `cumulative` is the mean over all batches.
///
/// ```
/// # use normkit::normalize;
/// #[normalize(kind = "batch", shape = [_, 64, 56, 56], momentum = 0.01)]
/// pub struct Bn1;
/// ```
pub mod momentum {}

/// Whether the running variance is `unbiased` (divided by one less than the elements, as in PyTorch) or `biased` (as in Flax and
/// TensorFlow). Of the kind batch alone; default `unbiased`. What is normalized with in training is biased in all of them.
///
/// ```
/// # use normkit::normalize;
/// #[normalize(kind = "batch", shape = [_, 64, 56, 56], running_var = biased)]
/// pub struct Bn1;
/// ```
pub mod running_var {}

/// The type of the elements of x and y: `f32`, `f64`, `f16`, `bf16`, or a family of those that are computed in f32.
///
/// Default: that of the fields that the struct declares, else `f32`. See [half types](crate#half-types).
///
/// ```
/// # use normkit::norm;
/// let any = norm!(kind = "rms", shape = [_, 4096], dtype = f32 | bf16);
/// ```
pub mod dtype {}

/// The type of the parameters: `f32`, `f64`, `f16` or `bf16`, with running statistics and `weight_g`.
///
/// Default: that of the fields that the struct declares, else the type that is computed in: f64 for f64, f32 for all others.
///
/// ```
/// # use normkit::norm;
/// let all_half = norm!(kind = "rms", shape = [_, 4096], dtype = bf16, param = bf16);
/// ```
pub mod param {}

/// When half types are rounded: `once`, at the end, or `before_weight` as well, as the code of Llama does. Of rms and layer; default
/// `once`.
///
/// ```
/// # use normkit::norm;
/// let llama = norm!(kind = "rms", shape = [_, 4096], dtype = bf16, param = bf16, cast = before_weight);
/// ```
pub mod cast {}

/// Which parameters there are: `true` is weight and bias, `weight` the weight alone, `false` none.
///
/// Default: `weight` for rms and weight, which have no bias, `true` for the others.
///
/// ```
/// # use normkit::norm;
/// let scaled = norm!(kind = "layer", shape = [_, 768], affine = weight);
/// ```
pub mod affine {}

/// Silences [lints](crate#lints): `allow(eps_unusual, small_batch)`.
///
/// ```
/// # use normkit::normalize;
/// #[normalize(kind = "batch", shape = [8, 64, 56, 56], allow(few_samples))]
/// pub struct Bn1;
/// ```
pub mod allow {}

/// Makes errors of [lints](crate#lints): `deny(eps_unusual, small_batch)`.
///
/// ```
/// # use normkit::normalize;
/// #[normalize(kind = "batch", shape = [_, 64, 56, 56], deny(momentum_of_keras))]
/// pub struct Bn1;
/// ```
pub mod deny {}

/// Prints the plan while compiling, as a warning: what was generated for each instruction set, and why. It takes no value. Remove
/// it when you have read that; the same table is in the documentation of the layer, and in its `PLAN`.
///
/// ```no_run
/// # use normkit::normalize;
/// #[normalize(kind = "rms", shape = [_, 4096], explain)]
/// pub struct InputNorm;
/// ```
pub mod explain {}
