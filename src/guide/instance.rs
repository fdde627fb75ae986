//! Instance normalization: each channel of each sample to mean 0 and variance 1.
//!
//! # Definition
//!
//! For each channel of each sample, over its positions:
//!
//! ```text
//! mu   = mean(x)
//! var  = mean((x - mu)^2)                 biased: divided by the number of positions
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
//! | reduces over | all axes but those of the samples and the channels |
//! | `x`, `y`, `dy`, `dx` | `[N, C, L]`, `[N, C, H, W]`, or channels-last with `axis = -1` |
//! | parameters | `weight` and `bias`, `[C]`; `affine = false` for none |
//! | saved | mean (in two parts) and `rstd` of each channel of each sample, `[N, C]` |
//! | `eps` | inside the root, 1e-5 by default |
//!
//! Samples are apart: the same in training and inference, and at any batch size. It is [group](super::group) normalization with one channel
//! a group. There are no running statistics here.
//!
//! # When to use it
//!
//! - Style transfer and image-to-image translation: the contrast and brightness of each feature are the style, and are to go. Adaptive
//!   forms put those of another image back: `affine = false`, then scale and shift by its statistics.
//! - Where the exposure of single images should not matter: medical images of several devices, low-level tasks.
//! - Time series, each variable over its own window, with the statistics kept to undo it at the output.
//!
//! When not: recognition. That a feature is strong somewhere in an image is what a classifier looks for, and this is what gets
//! lost; [batch](super::batch) and [group](super::group) normalization keep relations between channels. Nor over few positions.
//!
//! # Pitfalls
//!
//! - Over one position (1x1 images, after global pooling) the output is exactly the bias, and `dx` is 0. PyTorch refuses that where it takes
//!   statistics from its input; here it is no error. Over 2x2 it is nearly as bad.
//! - Average pooling right after it gives the bias: the mean of each channel is what was removed. Put an activation between, or do without it.
//! - A bias of the convolution before it is useless: it is constant in each channel, and is subtracted. Leave it out.
//! - Constant regions (borders, black frames) have a small variance; then `eps` decides how far noise is amplified. At the default of 1e-5
//!   a channel with a deviation of 0.001 is amplified 300 times.
//! - Right before the output of a generator it fixes the mean and contrast of every image.
//! - PyTorch's default has no parameters, ours has: `affine = false` for the same. Its `track_running_stats = True` is not there.
//!
//! # Cost
//!
//! | | moved | beside that |
//! |---|---|---|
//! | forward | read `x`, write `y`; again `x` where a channel, or channels-last a sample, does not fit the cache | `2C` parameters |
//! | backward | read `x` and `dy`, write `dx`; again `x` and `dy`, likewise | `2C` gradients that are added to |
//! | kept for backward | `x`, which is the caller's | three numbers a channel and sample |
//!
//! Channels first, as many channels of a sample as fit half of the L2 cache are summed, then written, before the next are read.
//! Channels-last, the lanes of a vector are channels; a sample is swept once for the sums and once for the output. A channel costs some
//! nanoseconds beside its elements, which is most of the time on tiny images (see the README).
//!
//! # Placing and starting it
//!
//! - After the convolution (without bias), before the activation; in generators, in every layer but the last.
//! - Start with `weight = 1`, `bias = 0`, which `new()` does. The last norm of a residual branch may start with `weight = 0`.
//! - PyTorch's checkpoints have `<layer>.weight` and `<layer>.bias` only with `affine=True`. Where there are `running_mean` and `running_var`
//!   as well, the model was made to use them in inference: its inference is that of [batch](super::batch) normalization.
//!
//! # The same elsewhere
//!
//! - PyTorch: `torch.nn.functional.instance_norm(x, weight=weight, bias=bias, eps=eps)`, `torch.nn.InstanceNorm1d`, `2d`, `3d`.
//! - Keras: `GroupNormalization(groups=-1, epsilon=1e-5)`, channels-last. Flax: `InstanceNorm(epsilon=1e-6)`, channels-last.
//! - Dmitry Ulyanov, Andrea Vedaldi and Victor Lempitsky, 2016: Instance Normalization: The Missing Ingredient for Fast Stylization.
//! - The adaptive form: Xun Huang and Serge Belongie, 2017: Arbitrary Style Transfer in Real-time with Adaptive Instance
//!   Normalization.
//!
//! # Example
//!
//! Contrast and brightness of each channel go, and with them what a mean over the image would see.
//!
//! ```
//! use normkit::{Saved, normalize};
//!
//! #[normalize(kind = "instance", shape = [_, 3, _, _])]     // any image size
//! pub struct In;
//!
//! # fn main() -> Result<(), normkit::NormError> {
//! let mut norm = In::new();
//! norm.bias.copy_from_slice(&[0.25, -1.0, 2.0]);
//! let x: Vec<f32> = (0..3 * 64).map(|i| (i * 29 % 83) as f32).collect();
//! let other: Vec<f32> = (0..x.len()).map(|i| x[i] * [2.0, 0.5, 4.0][i / 64] + 10.0 * (i / 64) as f32).collect();
//! let (mut y, mut z, mut saved) = (vec![0.0; x.len()], vec![0.0; x.len()], Saved::default());
//! norm.forward_train((&x, [1, 3, 8, 8]), (&mut y, [1, 3, 8, 8]), &mut saved)?;
//! norm.forward((&other, [1, 3, 8, 8]), (&mut z, [1, 3, 8, 8]))?;
//! assert!(y.iter().zip(&z).all(|(y, z)| (y - z).abs() < 1e-4)); // the style is gone
//!
//! for (channel, bias) in y.chunks(64).zip(&*norm.bias) {
//!     assert!((channel.iter().sum::<f32>() / 64.0 - bias).abs() < 1e-5); // so is all that pooling would find
//! }
//!
//! // The gradient of one pixel reaches its own channel and no other.
//! let (mut dy, mut dx, mut grads) = (vec![0.0; x.len()], vec![1.0; x.len()], InGrads::new());
//! dy[70] = 1.0;                                             // in channel 1
//! norm.backward((&x, [1, 3, 8, 8]), (&dy, [1, 3, 8, 8]), &saved, (&mut dx, [1, 3, 8, 8]), &mut grads)?;
//! assert!(dx[..64].iter().chain(&dx[128..]).all(|&dx| dx == 0.0) && dx[70] > 0.0);
//! assert_eq!(grads.bias[..], [0.0, 1.0, 0.0]);
//! # Ok(())
//! # }
//! ```
