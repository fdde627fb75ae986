//! Batch normalization: each channel to mean 0 and variance 1 over the batch; in inference, by running statistics.
//!
//! # Definition
//!
//! In training, for each channel, over the `m` elements that it has in the whole batch:
//!
//! ```text
//! mu   = mean(x)
//! var  = mean((x - mu)^2)                 biased: divided by m
//! r    = 1 / sqrt(var + eps)
//! xhat = (x - mu) * r
//! y    = xhat * weight + bias
//!
//! running_mean = (1 - momentum) * running_mean + momentum * mu
//! running_var  = (1 - momentum) * running_var  + momentum * var * m / (m - 1)      unbiased
//!
//! g       = dy * weight
//! dx      = r * (g - mean(g) - xhat * mean(g * xhat))
//! dweight = sum(dy * xhat)
//! dbias   = sum(dy)
//! ```
//!
//! In inference, `mu` and `var` are the running ones and depend on nothing; then `dx = r * g`, which is what `backward_frozen` gives.
//!
//! | | |
//! |---|---|
//! | reduces over | all axes but that of the channels, the batch among them |
//! | `x`, `y`, `dy`, `dx` | `[N, C]`, `[N, C, L]`, `[N, C, H, W]`, or channels-last with `axis = -1` |
//! | parameters | `weight` and `bias`, `[C]` |
//! | state | `running_mean`, `running_var`, `[C]`, and `num_batches_tracked` |
//! | saved | mean (in two parts), `rstd` and variance of each channel |
//! | `eps` | inside the root, 1e-5 by default |
//!
//! Momentum is the share of the *new* batch, as in PyTorch: 0.1. Keras and Flax name the share that *stays*: their 0.99 is 0.01
//! here. They also keep the biased variance: `running_var = biased`. `momentum = cumulative` is the plain mean over all batches.
//! One value for each channel has no variance, and is an error in training, as in PyTorch; inference takes it.
//!
//! # When to use it
//!
//! - Images with convolutions, and batches of 16 or more for each device: the usual choice, and free in inference, where it is a
//!   multiplication and an addition for each element, which may be folded into the convolution before it.
//! - Fully connected layers over tables, with large shuffled batches.
//! - Fine-tuning on few or other data, detection and segmentation with one or two images at a time: with frozen statistics, by
//!   `forward` and `backward_frozen`.
//!
//! When not: small batches trained from scratch ([group](super::group)); sequences of different lengths and recurrent models
//! ([layer](super::layer)); style transfer ([instance](super::instance)); wherever samples must not influence each other, as in
//! contrastive training, where the statistics leak the answer, or reinforcement learning, where the data drift.
//!
//! # Pitfalls
//!
//! - Statistics of few elements are noise, and the running ones then fit no batch: good training and bad inference. Over images,
//!   pixels count too, but neighbours are much alike.
//! - A bias of the layer before it is useless: it moves the mean, which is subtracted, and its gradient is 0. Leave it out.
//! - Running statistics lag behind parameters that move fast. After averaging weights, or after a few steps only, take them again: a
//!   pass over the training data with `momentum = cumulative`, from `num_batches_tracked = 0`.
//! - `forward` followed by `backward`, or `forward_train` followed by `backward_frozen`, is the gradient of something else.
//! - The last batch of an epoch may hold one sample: drop it, or merge it.
//! - A batch of which half is of another distribution (real and generated images) gets statistics of neither: use separate batches.
//! - Right before an output, predictions differ between training and inference by all that the statistics differ.
//! - With `param = bf16` running statistics are bf16 too. They move by a tenth or a hundredth of a difference, which is often less than
//!   bf16 resolves: keep `param = f32`.
//!
//! # Cost
//!
//! | | moved | beside that |
//! |---|---|---|
//! | training forward | read `x`, write `y`; again `x` where a channel, or channels-last the batch, does not fit the cache | `2C` parameters, `2C` statistics |
//! | backward | read `x` and `dy`, write `dx`; again `x` and `dy`, likewise | `2C` gradients that are added to |
//! | inference | read `x`, write `y` | four numbers a channel |
//! | kept for backward | `x`, which is the caller's | four numbers a channel |
//!
//! Channels first, as many channels as fit half of the L2 cache are summed and then written, before the next are read. Channels-last, the
//! lanes of a vector are channels, sums go down the rows of the whole batch, and a second sweep writes; inference is one sweep in both.
//!
//! # Placing and starting it
//!
//! - Between the convolution (without bias) and the activation: `relu(norm(conv(x)))`. Pre-activation networks: `conv(relu(norm(x)))`.
//! - Start with `weight = 1`, `bias = 0`, `running_mean = 0`, `running_var = 1`, which `new()` does. In residual networks, the weight of the
//!   last norm of each branch may start at 0: the block is then the identity at first.
//! - PyTorch's checkpoints have `weight`, `bias`, `running_mean`, `running_var`, `num_batches_tracked`: ours have the same names. Keras has
//!   `gamma`, `beta`, `moving_mean`, `moving_variance`; Flax `scale` and `bias`, and `mean` and `var` in another collection.
//!
//! # The same elsewhere
//!
//! - PyTorch: `torch.nn.functional.batch_norm`, with `training=True` or `False`; `torch.nn.BatchNorm1d`, `2d`, `3d`.
//! - Keras: `BatchNormalization(momentum=0.99, epsilon=1e-3)`, with `allow(eps_unusual)` here. Flax: `BatchNorm(momentum=0.99, epsilon=1e-5)`.
//! - Sergey Ioffe and Christian Szegedy, 2015: Batch Normalization: Accelerating Deep Network Training by Reducing Internal
//!   Covariate Shift.
//! - On zero weights at the end of branches: Priya Goyal and others, 2017: Accurate, Large Minibatch SGD: Training ImageNet in 1 Hour.
//!
//! # Example
//!
//! Running statistics by hand, dependence on the batch, and the two gradients.
//!
//! ```
//! use normkit::{Saved, normalize};
//!
//! #[normalize(kind = "batch", shape = [_, 1], dtype = f64, eps = 0)]
//! pub struct Bn;
//!
//! # fn main() -> Result<(), normkit::NormError> {
//! let (mut bn, mut saved, mut y) = (Bn::new(), Saved::default(), [0.0; 4]);
//! let x = [1.0, 2.0, 3.0, 6.0];                             // mean 3, variance 3.5, unbiased 14 / 3
//! bn.forward_train(&x, &mut y, &mut saved)?;
//! assert!((saved.mean()[0] - 3.0).abs() < 1e-12 && (saved.variance()[0] - 3.5).abs() < 1e-12);
//! assert!((bn.running_mean[0] - 0.1 * 3.0).abs() < 1e-12);
//! assert!((bn.running_var[0] - (0.9 * 1.0 + 0.1 * 14.0 / 3.0)).abs() < 1e-12);
//!
//! // In training, the 2 is below the mean; in inference, nothing depends on its neighbours.
//! let mut alone = [0.0];
//! bn.forward(&x[1..2], &mut alone)?;
//! assert!(y[1] < 0.0 && alone[0] > 0.0);
//!
//! // The gradient through the batch's statistics sums to 0: a shift of the whole batch changes nothing. With frozen ones it does.
//! let (dy, mut dx, mut grads) = ([1.0, 0.0, 2.0, 0.5], [0.0; 4], BnGrads::new());
//! bn.backward(&x, &dy, &saved, &mut dx, &mut grads)?;
//! assert!(dx.iter().sum::<f64>().abs() < 1e-12);
//! bn.backward_frozen(&x, &dy, &mut dx, &mut grads)?;
//! assert!((dx[0] - 1.0 / bn.running_var[0].sqrt()).abs() < 1e-12);
//! assert_eq!(grads.bias[0], 2.0 * 3.5);                     // both calls have added
//! # Ok(())
//! # }
//! ```
