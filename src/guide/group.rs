//! Group normalization: each group of channels of each sample to mean 0 and variance 1.
//!
//! # Definition
//!
//! The channels are cut into `groups` groups of neighbours, `C / groups` channels each. For each group of each sample, over all its
//! channels and positions:
//!
//! ```text
//! mu   = mean(x)
//! var  = mean((x - mu)^2)                 biased: divided by the number of elements
//! r    = 1 / sqrt(var + eps)
//! xhat = (x - mu) * r
//! y    = xhat * weight[c] + bias[c]
//!
//! g          = dy * weight[c]
//! dx         = r * (g - mean(g) - xhat * mean(g * xhat))
//! dweight[c] = sum over samples and positions of dy * xhat
//! dbias[c]   = sum over samples and positions of dy
//! ```
//!
//! | | |
//! |---|---|
//! | reduces over | the channels of the group, and all axes but the samples' |
//! | `x`, `y`, `dy`, `dx` | `[N, C]`, `[N, C, L]`, `[N, C, H, W]`, or channels-last with `axis = -1` |
//! | parameters | `weight` and `bias`, `[C]`: one for each channel, not for each group |
//! | saved | mean (in two parts) and `rstd` of each group of each sample, `[N, groups]` |
//! | `eps` | inside the root, 1e-5 by default |
//!
//! Samples are apart: the same in training and inference, and at any batch size. With one group the statistics are those of
//! [layer](super::layer) normalization over the whole sample; with as many as there are channels it is
//! [instance](super::instance) normalization.
//!
//! # When to use it
//!
//! - Images at small batches: detection, segmentation, video, large images, few samples for each device. There the statistics of a
//!   [batch](super::batch) are noise, and those of a group are not.
//! - Diffusion models and other generators, whose U-Nets mostly have 32 groups.
//! - Where the batch must not couple samples, or where the batch size differs between training and use.
//!
//! When not: for classification of images with large batches, batch normalization is usually a little better, and free in
//! inference; group normalization takes statistics there too. Over `[N, C]` without positions, a group has only `C / groups`
//! elements: prefer layer normalization.
//!
//! # Pitfalls
//!
//! - `groups` has to divide the channels: a compile error where both are known, an error value else.
//! - 32 groups of 32 channels are instance normalization, perhaps unintended; on 1x1 positions the output is then the bias, whatever `x` is.
//!   Networks with few channels at the start want `groups` smaller there, or a fixed number of channels a group, such as 16.
//! - One group mixes channels whose scales differ: a large one hides the others.
//! - Channels of a group are neighbours. A permutation of channels (a shuffle, a concatenation before the norm) makes other groups.
//! - Of a bias of the convolution before it, the mean over the group is removed; the differences within a group stay in use. It is useless
//!   where each channel is its own group.
//! - Right before global average pooling with few channels a group, the pooled features keep little: with one channel a group
//!   they are the bias.
//!
//! # Cost
//!
//! | | moved | beside that |
//! |---|---|---|
//! | forward | read `x`, write `y`; again `x` where a sample (channels-last) or a group does not fit the cache | `2C` parameters |
//! | backward | read `x` and `dy`, write `dx`; again `x` and `dy`, likewise | `2C` gradients that are added to |
//! | kept for backward | `x`, which is the caller's | three numbers a group and sample |
//!
//! Each channel is summed by itself, as in batch normalization, and the means and variances of a group's channels are merged in f64
//! before the second sweep writes. Channels first, groups that fit half of the L2 cache are summed and written before the next;
//! channels-last, the lanes of a vector are channels, and a sample is swept twice.
//!
//! # Placing and starting it
//!
//! - Where batch normalization would stand: after the convolution, before the activation; or before both, as in U-Nets of diffusion models:
//!   `conv(silu(norm(x)))`.
//! - Start with `weight = 1`, `bias = 0`, which `new()` does. The last norm of a residual branch may start with `weight = 0`.
//! - PyTorch's checkpoints have `<layer>.weight` and `<layer>.bias`, `[C]`. The number of groups is not in them: it is in the
//!   model's code. `eps` may be 1e-6 there instead of 1e-5.
//! - Scale and shift from a condition (time, class): `affine = false`, and apply them to the output.
//!
//! # The same elsewhere
//!
//! - PyTorch: `torch.nn.functional.group_norm(x, num_groups, weight, bias, eps)`, `torch.nn.GroupNorm`.
//! - Keras: `GroupNormalization(groups=32, axis=-1, epsilon=1e-3)`, with `allow(eps_unusual)` here. Flax:
//!   `GroupNorm(num_groups=32, epsilon=1e-6)`. Both are channels-last.
//! - Yuxin Wu and Kaiming He, 2018: Group Normalization.
//!
//! # Example
//!
//! Statistics of each group, independence of the batch, and the gradient of a bias.
//!
//! ```
//! use normkit::{Saved, normalize};
//!
//! #[normalize(kind = "group", groups = 2, shape = [_, 6, 4, 4])]
//! pub struct Gn;                                            // 6 weights, 6 biases
//!
//! # fn main() -> Result<(), normkit::NormError> {
//! let (norm, len) = (Gn::new(), 6 * 16);
//! let x: Vec<f32> = (0..2 * len).map(|i| (i * 53 % 97) as f32 + 100.0 * (i / 48) as f32).collect();
//! let (mut y, mut saved) = (vec![0.0; x.len()], Saved::default());
//! norm.forward_train(&x, &mut y, &mut saved)?;
//! assert_eq!(saved.mean().len(), 2 * 2);                    // samples times groups
//! for group in y.chunks(3 * 16) {                           // three channels lie side by side
//!     let mean = group.iter().sum::<f32>() / 48.0;
//!     let var = group.iter().map(|y| (y - mean).powi(2)).sum::<f32>() / 48.0;
//!     assert!(mean.abs() < 1e-5 && (var - 1.0).abs() < 1e-4);
//! }
//!
//! // The second sample alone: the same bits as beside the first.
//! let mut alone = vec![0.0; len];
//! norm.forward(&x[len..], &mut alone)?;
//! assert_eq!(alone, y[len..]);
//!
//! // A loss that is the sum of the output does not depend on x, only on the biases.
//! let (mut dx, mut grads) = (vec![1.0; x.len()], GnGrads::new());
//! norm.backward(&x, &vec![1.0; x.len()], &saved, &mut dx, &mut grads)?;
//! assert!(dx.iter().all(|dx| dx.abs() < 1e-6));
//! assert!(grads.bias.iter().all(|&db| db == 2.0 * 16.0));
//! # Ok(())
//! # }
//! ```
