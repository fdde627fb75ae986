//! BERT (Devlin et al., 2018), the encoder alone, with the names of Hugging Face's checkpoints.

use crate::norms::{Clock, Norms, Timed};
use candle_core::{D, DType, Module, Result, Tensor, bail};
use candle_nn::{Embedding, Linear, VarBuilder, embedding, linear, ops::softmax_last_dim};
use serde::Deserialize;

/// What of `config.json` decides over shapes and numbers.
#[derive(Clone, Debug, Deserialize)]
#[allow(missing_docs, reason = "named as in the file")]
pub struct Config {
    pub vocab_size: usize,
    pub hidden_size: usize,
    pub num_hidden_layers: usize,
    pub num_attention_heads: usize,
    pub intermediate_size: usize,
    pub hidden_act: String,
    pub max_position_embeddings: usize,
    pub type_vocab_size: usize,
    pub layer_norm_eps: f64,
}

/// The encoder.
pub struct Bert<N: Norms> {
    words: Embedding,
    positions: Embedding,
    types: Embedding,
    norm: Timed<N::Layer>,
    layers: Vec<Layer<N>>,
}

impl<N: Norms> Bert<N> {
    /// Reads the encoder; its layer norms add their time to `clock`.
    ///
    /// # Errors
    /// If a tensor is missing or of another shape, or the config is of another model.
    pub fn new(config: &Config, clock: &Clock, vb: &VarBuilder) -> Result<Self> {
        if config.hidden_act != "gelu" {
            bail!("hidden_act: expected gelu, found {}", config.hidden_act)
        }
        let (size, heads) = (config.hidden_size, config.num_attention_heads);
        if heads == 0 || !size.is_multiple_of(heads) {
            bail!("num_attention_heads: expected a divisor of hidden_size {size}, found {heads}")
        }
        let at = vb.pp("embeddings");
        let layer = |index: usize| Layer::new(config, clock, &vb.pp("encoder.layer").pp(index));
        Ok(Bert {
            words: embedding(config.vocab_size, size, at.pp("word_embeddings"))?,
            positions: embedding(config.max_position_embeddings, size, at.pp("position_embeddings"))?,
            types: embedding(config.type_vocab_size, size, at.pp("token_type_embeddings"))?,
            norm: norm::<N>(config, clock, at.pp("LayerNorm"))?,
            layers: (0..config.num_hidden_layers).map(layer).collect::<Result<_>>()?,
        })
    }

    /// `ids` and `mask`: `[batch, tokens]`; gives `[batch, tokens, hidden]`.
    ///
    /// # Errors
    /// If there are more tokens than positions, or ids that are not in the vocabulary.
    pub fn forward(&self, ids: &Tensor, mask: &Tensor) -> Result<Tensor> {
        let positions = Tensor::arange(0, ids.dim(1)? as u32, ids.device())?;
        let positions = self.positions.forward(&positions)?;
        let types = self.types.forward(&ids.zeros_like()?)?;
        let x = (self.words.forward(ids)? + types)?.broadcast_add(&positions)?;
        let mut x = self.norm.forward(&x)?;
        // 0 where there is a token, and what no softmax survives where there is none: [batch, 1, 1, tokens].
        let hidden = ((mask.to_dtype(DType::F32)? - 1.0)? * 1e9)?.unsqueeze(1)?.unsqueeze(1)?;
        for layer in &self.layers {
            x = layer.forward(&x, &hidden)?;
        }
        Ok(x)
    }
}

fn norm<N: Norms>(config: &Config, clock: &Clock, vb: VarBuilder) -> Result<Timed<N::Layer>> {
    Ok(Timed::new(N::layer_norm(config.hidden_size, config.layer_norm_eps, vb)?, clock))
}

struct Layer<N: Norms> {
    heads: usize,
    query: Linear,
    key: Linear,
    value: Linear,
    attention: Linear,
    attention_norm: Timed<N::Layer>,
    intermediate: Linear,
    output: Linear,
    output_norm: Timed<N::Layer>,
}

impl<N: Norms> Layer<N> {
    fn new(config: &Config, clock: &Clock, vb: &VarBuilder) -> Result<Self> {
        let (size, inner) = (config.hidden_size, config.intermediate_size);
        let (own, out) = (vb.pp("attention.self"), vb.pp("attention.output"));
        Ok(Layer {
            heads: config.num_attention_heads,
            query: linear(size, size, own.pp("query"))?,
            key: linear(size, size, own.pp("key"))?,
            value: linear(size, size, own.pp("value"))?,
            attention: linear(size, size, out.pp("dense"))?,
            attention_norm: norm::<N>(config, clock, out.pp("LayerNorm"))?,
            intermediate: linear(size, inner, vb.pp("intermediate.dense"))?,
            output: linear(inner, size, vb.pp("output.dense"))?,
            output_norm: norm::<N>(config, clock, vb.pp("output.LayerNorm"))?,
        })
    }

    fn forward(&self, x: &Tensor, hidden: &Tensor) -> Result<Tensor> {
        let (batch, tokens, size) = x.dims3()?;
        let each = size / self.heads;
        let split = |x: Tensor| x.reshape((batch, tokens, self.heads, each))?.transpose(1, 2)?.contiguous();
        let (query, key) = (split(self.query.forward(x)?)?, split(self.key.forward(x)?)?);
        let value = split(self.value.forward(x)?)?;
        let scores = (query.matmul(&key.transpose(D::Minus1, D::Minus2)?)? / (each as f64).sqrt())?;
        let seen = softmax_last_dim(&scores.broadcast_add(hidden)?)?.matmul(&value)?;
        let seen = seen.transpose(1, 2)?.reshape((batch, tokens, size))?;
        let x = self.attention_norm.forward(&(self.attention.forward(&seen)? + x)?)?;
        let inner = self.intermediate.forward(&x)?.gelu_erf()?;
        self.output_norm.forward(&(self.output.forward(&inner)? + x)?)
    }
}
