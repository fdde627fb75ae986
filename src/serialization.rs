//! Layers and models through `serde`.
//!
//! With the feature `serde`, [`Param`](crate::Param) implements `Serialize` and `Deserialize`, and so do layers and models that derive
//! them, with all they keep: parameters, running statistics, the count of batches, `eps` where it is a field. A model that derives them
//! gives them to the layers that are generated for it.
//!
//! ```
//! use normkit::normalize;
//! use serde::{Deserialize, Serialize};
//!
//! #[normalize(kind = "batch", shape = [_, 8, _, _])]
//! #[derive(Debug, PartialEq, Serialize, Deserialize)]       // derives go below the attribute
//! pub struct ImageNorm;
//!
//! #[normalize]
//! #[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
//! pub struct Model {
//!     #[norm(kind = "rms", shape = [_, 64])]
//!     pub input: InputNorm,
//!     pub heads: usize,
//! }
//!
//! # fn main() -> serde_json::Result<()> {
//! let (mut norm, model) = (ImageNorm::new(), Model { heads: 4, ..Model::default() });
//! norm.running_mean[3] = 0.1;
//! let json = serde_json::to_string(&norm)?;
//! assert!(json.contains(r#""num_batches_tracked":0"#));
//! assert_eq!(serde_json::from_str::<ImageNorm>(&json)?, norm);
//! assert_eq!(serde_json::from_str::<Model>(&serde_json::to_string(&model)?)?, model);
//! # Ok(())
//! # }
//! ```
//!
//! - A parameter is a sequence of numbers, those of half types of their bits. JSON has no infinity and no NaN.
//! - serde's derives take arrays of up to 32 elements. For more, leave the field out: it is added as a `Param`. (Or let the crate
//!   `serde-big-array` do it.)
//! - A `Param` or `Vec` comes back with the length that it was stored with; if that is not the layer's, its methods say so.
//! - For the checkpoints of other frameworks there is the module `checkpoint`, with the feature `safetensors`.
