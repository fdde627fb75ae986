//! Layer normalization: each row to mean 0 and variance 1.
//!
//! # Definition
//!
//! For each row of `n` elements:
//!
//! ```text
//! mu   = mean(x)
//! var  = mean((x - mu)^2)                 biased: divided by n
//! r    = 1 / sqrt(var + eps)
//! xhat = (x - mu) * r
//! y    = xhat * weight + bias
//!
//! g       = dy * weight
//! dx      = r * (g - mean(g) - xhat * mean(g * xhat))
//! dweight = sum over rows of dy * xhat
//! dbias   = sum over rows of dy
//! ```
//!
//! All means are over the `n` elements of the row.
//!
//! | | |
//! |---|---|
//! | reduces over | the axes that `axis` names: `-1` (features), `1` (channels of an image, pixel by pixel), `1..` (a whole sample) |
//! | `x`, `y`, `dy`, `dx` | any shape; what `axis` does not name are rows |
//! | parameters | `weight` and `bias`, one each for each normalized element: the sizes of the normalized axes in their order |
//! | saved | mean (in two parts) and `rstd` of each row |
//! | `eps` | inside the root, 1e-5 by default |
//!
//! Each row is normalized for itself, in training as in inference. Adding a number to a row, or multiplying it by a positive one,
//! changes nothing but for `eps`. `dx` of a row sums to 0, and is nearly orthogonal to `xhat`: the gradient has no part along what
//! the norm removes.
//!
//! # When to use it
//!
//! - Transformers and other sequence models, recurrent ones included: no dependence on the batch or on other positions.
//! - Any batch size, also 1; online learning, reinforcement learning, where samples of a batch are no fair draw.
//! - Convolutional networks of the ConvNeXt kind: over the channels of each pixel, `axis = 1` or channels-last `axis = -1`.
//!
//! When not: for images with ordinary convolutions and large batches, [batch](super::batch) normalization usually trains better and
//! costs nothing in inference, where it can be folded. Over `[C, H, W]` at once (`axis = 1..`) the parameters fix the image's size;
//! [group](super::group) normalization with one group has the same statistics and parameters for each channel only. For large
//! language models, [rms](super::rms) is cheaper, and usually as good.
//!
//! # Pitfalls
//!
//! - Over one element the deviation is 0: the output is exactly the bias, and `dx` is 0. Over two it is nearly a sign.
//! - Of a linear layer's bias before it, only the mean over the features is removed; the rest is in use. A bias that is the same for all
//!   normalized elements is useless.
//! - A constant row gives the bias, and NaN with `eps = 0`.
//! - Right before an output: every row has length `sqrt(n)` before the parameters are applied, so a regression loses level and magnitude.
//!   After the last block of a pre-norm transformer it is needed.
//! - `eps` is 1e-5 in PyTorch, 1e-3 in Keras, 1e-6 in Flax: take the checkpoint's. BERT uses 1e-12, which is nothing in half types
//!   if they are computed in; here it is added in f32. The lint `eps_unusual` warns of Keras' and BERT's, which no new model wants:
//!   with their checkpoints write `eps = 1e-12, allow(eps_unusual)`.
//! - Padding within a normalized axis counts as data. Padding of other positions does not matter.
//!
//! # Cost
//!
//! | | moved | beside that |
//! |---|---|---|
//! | forward | read `x`, write `y` | `2n` parameters |
//! | backward | read `x` and `dy`, write `dx` | weights, and `2n` gradients that are added to |
//! | kept for backward | `x`, which is the caller's | three numbers a row |
//!
//! Sums of `x - pivot` and of its squares are taken in one sweep about a pivot near the mean, and the output in a second one, from
//! registers if the row fits them, else from the cache; several rows together hide the latency of the two reductions. Where the
//! normalized axis is not the innermost (`axis = 1` of an image), the lanes of a vector are neighbouring pixels, and nothing is transposed.
//!
//! # Placing and starting it
//!
//! - Pre-norm: `x + f(norm(x))` and a final norm; can be trained without a warm-up. Post-norm: `norm(x + f(x))`, as in the first transformers;
//!   deep models need a warm-up.
//! - Start with `weight = 1` and `bias = 0`, which `new()` does. Where a norm ends a residual branch, its weight may start at 0, so that
//!   the block starts as the identity.
//! - PyTorch's checkpoints have `<layer>.weight` and `<layer>.bias`; old TensorFlow ones `gamma` and `beta`, Flax `scale` and `bias`. Fields
//!   of these names are recognised.
//! - Adaptive layer norm (scale and shift from a condition): `affine = false`, and apply them to the output.
//!
//! # The same elsewhere
//!
//! - PyTorch: `torch.nn.functional.layer_norm(x, normalized_shape, weight, bias, eps)`, `torch.nn.LayerNorm`.
//! - Keras: `LayerNormalization(axis=-1, epsilon=1e-3)`. Flax: `LayerNorm(epsilon=1e-6)`.
//! - Jimmy Lei Ba, Jamie Ryan Kiros and Geoffrey E. Hinton, 2016: Layer Normalization.
//! - On where to place it: Ruibin Xiong and others, 2020: On Layer Normalization in the Transformer Architecture.
//!
//! # Example
//!
//! Over the channels of each pixel, channels first: mean 0 and variance 1, and a gradient without a part along either.
//!
//! ```
//! use normkit::{Saved, normalize};
//!
//! #[normalize(kind = "layer", shape = [_, 8, 3, 3], axis = 1)]
//! pub struct PixelNorm;                                     // 8 weights, 8 biases
//!
//! # fn main() -> Result<(), normkit::NormError> {
//! let norm = PixelNorm::new();
//! let x: Vec<f32> = (0..2 * 8 * 9).map(|i| (i * 37 % 101) as f32).collect();
//! let dy: Vec<f32> = (0..x.len()).map(|i| (i * 23 % 17) as f32 - 8.0).collect();
//! let (mut y, mut dx) = (vec![0.0; x.len()], vec![0.0; x.len()]);
//! let (mut saved, mut grads) = (Saved::default(), PixelNormGrads::new());
//! norm.forward_train(&x, &mut y, &mut saved)?;
//! norm.backward(&x, &dy, &saved, &mut dx, &mut grads)?;
//! assert_eq!((saved.mean().len(), saved.rstd().len()), (2 * 9, 2 * 9)); // one of each a pixel
//!
//! for (image, pixel) in (0..2).flat_map(|image| (0..9).map(move |pixel| (image, pixel))) {
//!     let at = |channel: usize| (image * 8 + channel) * 9 + pixel;
//!     let mean = |value: &dyn Fn(usize) -> f32| (0..8).map(|c| value(at(c))).sum::<f32>() / 8.0;
//!     assert!(mean(&|i| y[i]).abs() < 1e-5);
//!     assert!((mean(&|i| y[i] * y[i]) - 1.0).abs() < 1e-4);
//!     assert!(mean(&|i| dx[i]).abs() < 1e-5);               // weight 1, bias 0: here y is xhat
//!     assert!(mean(&|i| dx[i] * y[i]).abs() < 1e-5);
//! }
//! # Ok(())
//! # }
//! ```
