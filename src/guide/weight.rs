//! Weight normalization: a weight as directions and lengths, learned apart.
//!
//! # Definition
//!
//! Not activations are normalized, but the weight of a linear layer or a convolution. For each vector of the weight, that is, for each
//! index along the axis that is kept:
//!
//! ```text
//! norm   = sqrt(sum(v^2))                 a sum, not a mean; no eps
//! vhat   = v / norm
//! weight = vhat * g
//!
//! dg = sum(dweight * vhat)
//! dv = g / norm * (dweight - vhat * sum(dweight * vhat))
//! ```
//!
//! `g` is one number for each vector; the sums are over the vector. `v` is the field `weight_v`, `g` the field `weight_g`.
//!
//! | | |
//! |---|---|
//! | reduces over | all axes but the one that `axis` names: 0 by default, as weights are `[out, in]` in PyTorch; -1 for `[in, out]` |
//! | `weight_v`, `weight`, `dweight` | the shape of the weight: `[out, in]`, `[out, in, kh, kw]` |
//! | `weight_g` | `[out]`; `affine = false` for none, then vectors have length 1 |
//! | saved | `rstd`, which is `1 / norm` here, of each vector |
//!
//! `forward` takes no `x`: it writes the weight. `backward` takes the gradient of the weight and *adds* to the gradients of
//! both parameters. A vector of zeros has no direction: its part of the weight is NaN, and no other.
//!
//! `dv` is orthogonal to `v`. So a step of plain gradient descent makes `v` longer, never shorter, which makes later steps turn it less: a
//! learning rate that is too large calms itself.
//!
//! # When to use it
//!
//! - Where no statistics of activations are wanted: recurrent models, reinforcement learning, density models, audio generators, in
//!   which it is the usual choice.
//! - Where inference must cost nothing: compute the weight once and drop `v` and `g`.
//! - Any batch size: the batch does not occur.
//!
//! When not: as a replacement of [batch](super::batch) normalization in deep classifiers. It does not keep activations in range, so
//! they need a good start (below), and it does not regularise. Nor where the largest gain of a layer must be bounded, as in
//! discriminators: that is spectral normalization, which is not here.
//!
//! # Pitfalls
//!
//! - Vectors of zeros, such as weights that start at 0 or were pruned, are NaN. For a branch that starts at 0, set `weight_g` to 0, not `weight_v`.
//! - The axis: kernels that are `[in, out]` (Keras, Flax) need `axis = -1`. PyTorch's transposed convolutions are `[in, out, ...]`, and its
//!   `dim = 0` keeps the *inputs* there.
//! - Weight decay on `weight_v` changes no output, only the effective learning rate. If at all, decay `weight_g`.
//! - The bias of the linear layer is in use: nothing is subtracted.
//! - Gradients are added to: set them to 0 between steps.
//! - In half types, `weight_v` is of `dtype`, `weight_g` of `param`; the gradients of both are of the type that is computed in. Small
//!   steps of `v` get lost in bf16: keep it f32, and let only the model's copy of the weight be bf16.
//!
//! # Cost
//!
//! | | moved | beside that |
//! |---|---|---|
//! | forward | read `weight_v`, write `weight` | `weight_g` |
//! | backward | read `weight_v` and `dweight`, add to `dv` (a read and a write) | `dg`, which is added to |
//! | kept for backward | nothing but the parameters | one number a vector |
//!
//! The cost is that of the weight's size, once a step, whatever the batch. As many vectors as fit half of the L2 cache are summed, then written,
//! before the next are read; where the last axis is kept, the lanes of a vector are neighbours along it, and the weight is swept twice.
//!
//! # Placing and starting it
//!
//! - On every linear layer and convolution, usually the output layer too.
//! - From weights that there are: `from_weight` takes them as `weight_v`, and their lengths as `weight_g`; the output starts unchanged.
//!   `new()` alone starts with ones in both.
//! - By data (the paper's way): draw `v` at random, run one batch, and set `g` and the bias so that each output has mean 0 and variance 1:
//!   `g = 1 / std(t)`, `bias = -mean(t) / std(t)`, where `t` is the output at `g = 1` without bias.
//! - PyTorch's checkpoints have `weight_g` and `weight_v`, or `parametrizations.weight.original0` (g) and `original1` (v). Its `g` is of
//!   shape `[out, 1, ...]`; the numbers are the same.
//!
//! # The same elsewhere
//!
//! - PyTorch: `torch.nn.utils.parametrizations.weight_norm(module, dim=0)`, and the older `torch.nn.utils.weight_norm`. One length for the whole
//!   weight (`dim = None`) is not there.
//! - Flax: `WeightNorm(layer)`, with an `epsilon` of 1e-12 that we do not add. Keras itself has none.
//! - Tim Salimans and Diederik P. Kingma, 2016: Weight Normalization: A Simple Reparameterization to Accelerate Training of Deep Neural
//!   Networks.
//!
//! # Example
//!
//! Lengths, a gradient that only turns, one against a finite difference, and a vector without a direction.
//!
//! ```
//! use normkit::{Saved, normalize};
//!
//! #[normalize(kind = "weight", shape = [3, 4], dtype = f64)]
//! pub struct Kernel;                                        // weight_v: 12, weight_g: 3
//!
//! # fn main() -> Result<(), normkit::NormError> {
//! let mut kernel = Kernel::from_weight(&[1.0, 1.0, -1.0, 1.0, 0.0, 3.0, 4.0, 0.0, 2.0, -2.0, 2.0, 2.0])?;
//! assert!(kernel.weight_g.iter().zip([2.0, 5.0, 4.0]).all(|(g, length)| (g - length).abs() < 1e-12));
//! kernel.weight_g.copy_from_slice(&[10.0, 1.0, -1.0]);
//!
//! let (mut weight, mut saved, mut grads) = ([0.0; 12], Saved::default(), KernelGrads::new());
//! kernel.forward_train(&mut weight, &mut saved)?;
//! assert!((weight[5] - 0.6).abs() < 1e-12 && (weight[6] - 0.8).abs() < 1e-12); // length 1
//!
//! let dweight = [0.5, -1.0, 0.25, 2.0, 1.0, 0.0, -0.5, 1.0, 3.0, 1.0, -1.0, 0.5];
//! kernel.backward(&dweight, &saved, &mut grads)?;
//! for (v, dv) in kernel.weight_v.chunks(4).zip(grads.weight_v.chunks(4)) {
//!     assert!(v.iter().zip(dv).map(|(v, dv)| v * dv).sum::<f64>().abs() < 1e-12);
//! }
//! let loss = |weight: &[f64; 12]| weight.iter().zip(&dweight).map(|(w, dw)| w * dw).sum::<f64>();
//! let before = loss(&weight);
//! kernel.weight_v[4] += 1e-6;
//! kernel.forward(&mut weight)?;
//! assert!((grads.weight_v[4] - (loss(&weight) - before) / 1e-6).abs() < 1e-5);
//!
//! kernel.weight_v[8..].fill(0.0);
//! kernel.forward(&mut weight)?;
//! assert!(weight[..8].iter().all(|w| w.is_finite()) && weight[8..].iter().all(|w| w.is_nan()));
//! # Ok(())
//! # }
//! ```
