//! A sentence encoder of the BERT family, from a local folder, with layer norms of choice.
//!
//! The folder has what the hub has: `config.json`, `tokenizer.json`, `model.safetensors`.

pub mod bert;
pub mod norms;

use bert::{Bert, Config};
use candle_core::{DType, Device, Error, Result, Tensor};
use candle_nn::VarBuilder;
use norms::{Clock, Norms};
use std::path::Path;
use tokenizers::{PaddingParams, PaddingStrategy, Tokenizer};

/// Sentences to vectors of length 1.
pub struct Encoder<N: Norms> {
    tokenizer: Tokenizer,
    bert: Bert<N>,
    /// What its layer norms have taken.
    pub clock: Clock,
}

impl<N: Norms> Encoder<N> {
    /// Reads the model.
    ///
    /// # Errors
    /// If a file is missing, or is not that of such a model; the message names it.
    pub fn load(folder: &Path) -> Result<Self> {
        let path = |name: &str| folder.join(name);
        let of = |name: &str, error: &dyn std::fmt::Display| Error::msg(format!("{}: {error}", path(name).display()));
        let config = std::fs::read_to_string(path("config.json")).map_err(|error| of("config.json", &error))?;
        let config: Config = serde_json::from_str(&config).map_err(|error| of("config.json", &error))?;
        let mut tokenizer =
            Tokenizer::from_file(path("tokenizer.json")).map_err(|error| of("tokenizer.json", &error))?;
        // As long as the longest of a batch, whatever the file says.
        let padding = tokenizer.get_padding().cloned().unwrap_or_default();
        tokenizer.with_padding(Some(PaddingParams { strategy: PaddingStrategy::BatchLongest, ..padding }));
        let weights = std::fs::read(path("model.safetensors")).map_err(|error| of("model.safetensors", &error))?;
        let vb = VarBuilder::from_buffered_safetensors(weights, DType::F32, &Device::Cpu)
            .map_err(|error| of("model.safetensors", &error))?;
        let clock = Clock::default();
        let bert = Bert::new(&config, &clock, &vb).map_err(|error| of("model.safetensors", &error))?;
        Ok(Encoder { tokenizer, bert, clock })
    }

    /// Token ids and mask of a batch: `[batch, tokens]`, padded to the longest.
    ///
    /// # Errors
    /// If a sentence cannot be tokenized.
    pub fn tokens(&self, sentences: &[&str]) -> Result<[Tensor; 2]> {
        let encodings = self.tokenizer.encode_batch(sentences.to_vec(), true).map_err(Error::msg)?;
        let stack = |of: fn(&tokenizers::Encoding) -> &[u32]| {
            let rows =
                encodings.iter().map(|encoding| Tensor::new(of(encoding), &Device::Cpu)).collect::<Result<Vec<_>>>()?;
            Tensor::stack(&rows, 0)
        };
        Ok([stack(tokenizers::Encoding::get_ids)?, stack(tokenizers::Encoding::get_attention_mask)?])
    }

    /// The vector of each sentence: the mean over its tokens, of length 1. `[batch, hidden]`.
    ///
    /// # Errors
    /// If the tokens are more than the model has positions, or others than it knows.
    pub fn encode(&self, [ids, mask]: &[Tensor; 2]) -> Result<Tensor> {
        let hidden = self.bert.forward(ids, mask)?;
        let mask = mask.to_dtype(DType::F32)?.unsqueeze(2)?;
        let mean = hidden.broadcast_mul(&mask)?.sum(1)?.broadcast_div(&mask.sum(1)?)?;
        mean.broadcast_div(&mean.sqr()?.sum_keepdim(1)?.sqrt()?)
    }
}

/// The cosines of each vector of `a` with each of `b`, all of length 1.
///
/// # Errors
/// If they are of different sizes.
pub fn cosines(a: &Tensor, b: &Tensor) -> Result<Vec<Vec<f32>>> {
    a.matmul(&b.t()?)?.to_vec2()
}
