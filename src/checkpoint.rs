//! Checkpoints in the format of `safetensors`: parameters and buffers of layers and models, read and written.
//!
//! With the feature `safetensors`. [`Checkpoint`] is opened from a file, from a folder as model hubs have them (sharded or not), or from
//! bytes; of a file only the header is read, and then the tensors that are asked for. [`Writer`] writes one.
//!
//! ```
//! use normkit::checkpoint::{Checkpoint, Writer};
//! use normkit::normalize;
//!
//! #[normalize(kind = "layer", shape = [_, 64])]
//! pub struct FinalNorm;
//!
//! #[normalize]
//! #[derive(Default)]
//! pub struct DecoderLayer {
//!     #[norm(kind = "rms", shape = [_, 64])]
//!     pub input_layernorm: InputNorm,
//!     #[norm(kind = "rms", shape = [_, 64])]
//!     pub post_attention_layernorm: PostNorm,
//! }
//!
//! # fn main() -> Result<(), normkit::checkpoint::Error> {
//! let (mut last, mut blocks) = (FinalNorm::new(), [DecoderLayer::default(), DecoderLayer::default()]);
//! last.weight[3] = 0.5;
//!
//! let mut writer = Writer::new();
//! writer.add("model.norm", &last)?;                                    // model.norm.weight, model.norm.bias
//! for (i, block) in blocks.iter().enumerate() {
//!     writer.add_all(&format!("model.layers.{i}"), block.norms())?;    // model.layers.0.input_layernorm.weight, ...
//! }
//! let bytes = writer.to_bytes()?;                                      // or `writer.save(path)?`
//!
//! let checkpoint = Checkpoint::from_bytes(bytes)?;                     // or `Checkpoint::open(path)?`
//! assert_eq!(checkpoint.shape("model.norm.weight"), Some(&[64][..]));
//! checkpoint.load("model.norm", &mut last)?;
//! // All or nothing, for as many layers as the iterator has: here those of all blocks.
//! let blocks = blocks.iter_mut().enumerate();
//! let layers = blocks.flat_map(|(i, block)| block.norms_mut().map(move |(name, norm)| (format!("{i}.{name}"), norm)));
//! checkpoint.load_all("model.layers", layers)?;
//! # Ok(())
//! # }
//! ```
//!
//! # Names
//!
//! A tensor's name is the prefix, a dot, and one of the spellings in use; a dot at the end of the prefix may be there or not, and an
//! empty prefix adds nothing. Whatever the field is called:
//!
//! | parameter | spellings read | written as |
//! |---|---|---|
//! | weight | `weight`, `gamma`, `scale` | `weight` |
//! | bias | `bias`, `beta`, `shift` | `bias` |
//! | running mean | `running_mean`, `moving_mean` | `running_mean` |
//! | running variance | `running_var`, `moving_variance` | `running_var` |
//! | count of batches | `num_batches_tracked` | `num_batches_tracked` |
//! | a weight's lengths | `weight_g`, `parametrizations.weight.original0` | `weight_g` |
//! | a weight's vectors | `weight_v`, `parametrizations.weight.original1` | `weight_v` |
//!
//! What is written PyTorch reads with `load_state_dict`: the two of `weight_norm` also where they are a parametrization. Two spellings of
//! one parameter in one place are an error. Tensors that nothing asks for are no error: a checkpoint has more than norms.
//!
//! # Shapes and types
//!
//! A parameter has the axes of the layer's `shape` that it extends along: `[C]` for channels, `[64, 768]` for
//! `kind = "layer", shape = [_, 64, 768], axis = 1..`. Vectors of a weight have the whole shape; its lengths have 1 on all axes
//! but their own (as in PyTorch), or are `[C]`. Lengths that are open in `shape` are those of the layer at hand, and
//! [`Checkpoint::shape`] tells beforehand what to make it with.
//!
//! `f16`, `bf16`, `f32` and `f64` are converted to the parameter's type, to the nearest and ties to even; a finite number that would become
//! infinite is an error. Data need not be aligned. Layers are written in the type that they have.
//!
//! # What is changed
//!
//! Nothing unless everything fits: [`Checkpoint::load`] changes all tensors of a layer or none, [`Checkpoint::load_all`] all
//! tensors of all layers that it was given or none. [`Error::Tensors`] has all that does not fit, not the first of it.

mod convert;
mod error;
mod names;
mod read;
mod shape;
mod source;
mod write;

pub use error::{Error, TensorError};
pub use read::Checkpoint;
pub use write::Writer;
