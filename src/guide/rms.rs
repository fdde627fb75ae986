//! RMS normalization: divide each row by its root mean square.
//!
//! # Definition
//!
//! For each row of `n` elements:
//!
//! ```text
//! r    = 1 / sqrt(mean(x^2) + eps)
//! xhat = x * r
//! y    = xhat * weight
//!
//! g       = dy * weight
//! dx      = r * (g - xhat * mean(g * xhat))
//! dweight = sum over rows of dy * xhat
//! ```
//!
//! The mean is taken over the `n` elements. It is not subtracted, so there is no `mean(g)` in the gradient, and no bias.
//!
//! | | |
//! |---|---|
//! | reduces over | the axes that `axis` names; the last one by default |
//! | `x`, `y`, `dy`, `dx` | `[..., n]`, any number of rows; or any shape with the normalized axes where `axis` says |
//! | parameters | `weight`, one for each normalized element: `[n]`, or the sizes of the normalized axes in their order |
//! | saved | `rstd` of each row; no mean |
//! | `eps` | inside the root, 1e-6 by default |
//!
//! Each row is normalized for itself, in training as in inference. A row times a positive number gives the same output, but for `eps`;
//! a row plus a number does not.
//!
//! # When to use it
//!
//! - Transformers, above all large language models: it does what [layer normalization](super::layer) does there with half the
//!   statistics. Checkpoints decide: one trained with RMS needs RMS.
//! - Queries and keys of attention, each head for itself, to bound the logits: `axis = -1` over the head's size, and strides for
//!   heads within a fused buffer.
//! - Any batch size, sequences of any length, one token at a time.
//!
//! When not: where the mean of the features is large and says nothing, it takes most of the root mean square, and the rest is
//! pressed together; layer normalization removes it. On images, where statistics of the space matter, see [batch](super::batch)
//! and [group](super::group).
//!
//! # Pitfalls
//!
//! - A linear layer's bias before it is *not* useless: no mean is subtracted.
//! - Over one element, `y` is the element's sign times the weight, nearly: the magnitude is gone.
//! - `eps` differs between models (1e-5, 1e-6) and between frameworks (PyTorch's default depends on the type). Set it from the
//!   model's configuration. Where rows may be small, such as 1e-3, an `eps` of 1e-6 is as large as the mean square itself.
//! - Some models store `weight - 1` (Gemma): add 1 when loading.
//! - Llama's code in half types rounds before the weight is applied. `cast = before_weight` does the same; the default rounds once,
//!   which is more exact, but not those bits.
//! - Every row comes out with a length of about `sqrt(n)` times the weight. Right before the output of a regression, that takes the
//!   magnitude which was to be predicted. Before the vocabulary projection of a language model it is usual and right.
//!
//! # Cost
//!
//! | | moved | beside that |
//! |---|---|---|
//! | forward | read `x`, write `y` | `n` weights |
//! | backward | read `x` and `dy`, write `dx` | weights, and `n` gradients that are added to |
//! | kept for backward | `x`, which is the caller's | one number a row |
//!
//! Rows that fit the registers are taken two or four together and read once; longer ones are swept twice, and the second sweep
//! finds them in the cache. Backward keeps short rows and the gradient of the weight in registers, and takes longer rows two
//! together where there are registers for it. The README has measurements; `PLAN` of a layer says which schedule it got.
//!
//! # Placing and starting it
//!
//! - Pre-norm: `x + f(norm(x))`, and one more norm after the last block. This is how nearly all models with RMS are built.
//! - Post-norm: `norm(x + f(x))`; deep models then need a warm-up of the learning rate.
//! - Start with `weight = 1`, which `new()` does. For a branch that starts as the identity, make the last *linear* weight of `f` zero,
//!   or the weight of a norm that stands at the end of `f`.
//! - PyTorch's checkpoints have `<layer>.weight`, of the normalized shape; ours is the same tensor, flat. Flax and Keras call it
//!   `scale`; a field of that name is recognised.
//! - Weight decay is usually left off it.
//!
//! # The same elsewhere
//!
//! - PyTorch: `torch.nn.functional.rms_norm(x, normalized_shape, weight, eps)`, `torch.nn.RMSNorm`.
//! - Keras: `RMSNormalization(axis=-1, epsilon=1e-6)`. Flax: `RMSNorm(epsilon=1e-6)`.
//! - Biao Zhang and Rico Sennrich, 2019: Root Mean Square Layer Normalization.
//!
//! # Example
//!
//! The gradient against a finite difference, in f64, and what the technique ignores.
//!
//! ```
//! use normkit::{NormError, Saved, normalize};
//!
//! #[normalize(kind = "rms", shape = [_, 6], dtype = f64)]
//! pub struct Norm;
//!
//! # fn main() -> Result<(), NormError> {
//! let mut norm = Norm::new();
//! norm.weight.copy_from_slice(&[0.5, -1.0, 2.0, 1.0, 0.25, 3.0]);
//! let x = [1.0, 2.0, -0.5, 0.25, 4.0, -3.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6]; // two rows
//! let dy = [0.3, -0.1, 0.2, 0.7, -0.4, 0.5, 1.0, 0.0, -1.0, 0.5, 0.2, 0.1];
//!
//! let (mut y, mut dx) = ([0.0; 12], [0.0; 12]);
//! let (mut saved, mut grads) = (Saved::default(), NormGrads::new());
//! norm.forward_train(&x, &mut y, &mut saved)?;
//! norm.backward(&x, &dy, &saved, &mut dx, &mut grads)?;
//!
//! let loss = |x: &[f64; 12]| -> Result<f64, NormError> {
//!     let mut y = [0.0; 12];
//!     norm.forward(x, &mut y)?;
//!     Ok(y.iter().zip(&dy).map(|(y, dy)| y * dy).sum())
//! };
//! for i in 0..12 {
//!     let (mut more, mut less) = (x, x);
//!     more[i] += 1e-6;
//!     less[i] -= 1e-6;
//!     assert!((dx[i] - (loss(&more)? - loss(&less)?) / 2e-6).abs() < 1e-6);
//! }
//! assert!((loss(&x.map(|x| 8.0 * x))? - loss(&x)?).abs() < 1e-4); // the scale of a row is gone,
//! assert!((loss(&x.map(|x| x + 8.0))? - loss(&x)?).abs() > 0.1);  // its mean is not
//! # Ok(())
//! # }
//! ```
