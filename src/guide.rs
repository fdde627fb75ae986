//! The techniques explained: what each computes, when to use it, what it costs, and what goes wrong with it.
//!
//! One page for each: [`rms`], [`layer`], [`batch`], [`group`], [`instance`], [`weight`]. They hold text and examples, and no code
//! to call; how layers are written is told on [the front page](crate).
//!
//! # Which one
//!
//! A checkpoint decides first: use what it was trained with, with its `eps`. Else:
//!
//! | task | batch size | device, latency | technique |
//! |---|---|---|---|
//! | language models, transformers of large size | any | any; least work of those over rows | [rms] |
//! | transformers in general, recurrent models | any | any | [layer] |
//! | reinforcement and online learning | any | any; one sample at a time | [layer], or [weight] for free inference |
//! | image classification, convolutions | 16 or more for each device | inference is to be free: folded into the convolution | [batch] |
//! | image classification of the ConvNeXt kind | any | channels first or last, without a transposed copy | [layer] over the channels |
//! | detection, segmentation, video, large images | 1 to 8 | statistics in inference are affordable | [group] |
//! | the same, from a pretrained network | 1 to 8 | inference is to be free | [batch], frozen |
//! | diffusion models, U-Nets | any | any | [group], with [layer] in attention |
//! | style transfer, image translation | any, often 1 | any | [instance] |
//! | audio and density models | any | inference is to be free | [weight] |
//! | tables, fully connected | large and shuffled | inference is to be free | [batch] |
//! | tables, fully connected | small | any | [layer] |
//!
//! These are starting points. `cargo run --release --example digits` in the repository trains the same small network with each of
//! them, and with none, at four batch sizes.
//!
//! # Side by side
//!
//! For `x` of shape `[N, C, H, W]`, or rows of `n` features:
//!
//! | | reduces over | depends on the batch | parameters | state | training = inference? |
//! |---|---|---|---|---|---|
//! | [rms] | `n`, or any axes | no | weight `[n]` | none | yes |
//! | [layer] | `n`, or any axes | no | weight, bias `[n]` | none | yes |
//! | [batch] | `N`, `H`, `W` | in training | weight, bias `[C]` | running mean and variance `[C]`, a count | no |
//! | [group] | `H`, `W`, and `C / groups` channels | no | weight, bias `[C]` | none | yes |
//! | [instance] | `H`, `W` | no | weight, bias `[C]` | none | yes |
//! | [weight] | the weight, all axes but one | no | `weight_v` like the weight, `weight_g` `[C]` | none | yes, and may be computed once |
//!
//! All but the last are one formula, `y = (x - mu) * r * weight + bias` with `r = 1 / sqrt(mean((x - mu)^2) + eps)`, over different
//! sets of elements. So is their gradient: with `xhat = (x - mu) * r` and `g = dy * weight`, it is
//! `dx = r * (g - mean(g) - xhat * mean(g * xhat))`. Rms has `mu = 0` and no `mean(g)`; weight normalization has sums instead of means as
//! well, and no `eps`. The variance under the root is always the biased one. [`generic::reference`](crate::generic::reference) is
//! this formula in f64, over any axes, and is what the kernels are tested against.
//!
//! `forward_train` keeps statistics of each set in [`Saved`](crate::Saved); `backward` takes them together with the `x` that was
//! normalized (of weight normalization that is the field `weight_v`). `y` is not needed again. `forward_inplace` overwrites `x`, so it is for inference.
//!
//! # Half types, and where statistics are computed
//!
//! [`f16`](crate::f16) and [`bf16`](crate::bf16) are types to store. What is read is widened to f32, everything is computed there, and the
//! result is rounded once. Statistics are kept as f32 for f16, bf16 and f32, as f64 for f64; those of channels, groups and columns are
//! summed in short stretches that are added up in f64. Gradients of parameters and what [`Saved`](crate::Saved) holds are of that type
//! too: f32 for half types.
//!
//! - `eps` is added in f32 too: 1e-6 is safe with f16 data, whose own smallest normal number is 6e-5.
//! - The square of any f16 number is far inside f32. A bf16 number reaches as far as f32 does: rows whose squares overflow or vanish are
//!   computed again, scaled.
//! - Parameters are f32 unless `param` or a declared field says else. That is what training wants: a step of less than 0.2 % of a value is lost in bf16.
//!   `param = bf16` halves what inference reads of them.
//! - Running statistics are of the parameters' type, and move by smaller steps still.
//! - Some code rounds the normalized element before the weight is applied, Llama's for one: `cast = before_weight`.
//!
//! Code elsewhere that rounds to the half type more often differs from this in the last bits of that type.

pub mod batch;
pub mod group;
pub mod instance;
pub mod layer;
pub mod rms;
pub mod weight;
