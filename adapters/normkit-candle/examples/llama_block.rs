//! One block as Llama's descendants have it, with sizes from a config file: RMS norms, and one of each head's queries and keys, which
//! are normalized where they lie, in the output of a fused projection.
//!
//! `cargo run --release --example llama_block [config.json]` runs it forward and backward with our norms and with candle's composed of
//! tensor operations, and compares the two.

use candle_core::{D, DType, Device, Module, Result, Tensor};
use candle_nn::{Linear, VarBuilder, VarMap, linear_no_bias, ops::softmax, rotary_emb::rope_slow};
use normkit_candle::{RmsNorm, rms_norm};
use serde::Deserialize;
use std::time::Instant;

#[derive(Deserialize)]
struct Config {
    hidden_size: usize,
    intermediate_size: usize,
    num_attention_heads: usize,
    num_key_value_heads: usize,
    head_dim: usize,
    rms_norm_eps: f64,
    rope_theta: f64,
}

/// How the same norm is computed.
#[derive(Clone, Copy, Debug)]
enum By {
    Normkit,
    Candle,
}

impl By {
    fn apply(self, norm: &RmsNorm, x: &Tensor) -> Result<Tensor> {
        match self {
            By::Normkit => norm.forward(x),
            By::Candle => candle_nn::RmsNorm::new(norm.weight().clone(), norm.eps()).forward_diff(x),
        }
    }
}

struct Block {
    config: Config,
    input_norm: RmsNorm,
    qkv: Linear,
    query_norm: RmsNorm,
    key_norm: RmsNorm,
    output: Linear,
    post_norm: RmsNorm,
    gate_up: Linear,
    down: Linear,
}

impl Block {
    fn new(config: Config, vb: &VarBuilder) -> Result<Self> {
        let Config { hidden_size: size, intermediate_size: inner, head_dim, rms_norm_eps: eps, .. } = config;
        let (heads, kv) = (config.num_attention_heads, config.num_key_value_heads);
        Ok(Block {
            input_norm: rms_norm(size, eps, vb.pp("input_layernorm"))?,
            qkv: linear_no_bias(size, (heads + 2 * kv) * head_dim, vb.pp("self_attn.qkv_proj"))?,
            query_norm: rms_norm(head_dim, eps, vb.pp("self_attn.q_norm"))?,
            key_norm: rms_norm(head_dim, eps, vb.pp("self_attn.k_norm"))?,
            output: linear_no_bias(heads * head_dim, size, vb.pp("self_attn.o_proj"))?,
            post_norm: rms_norm(size, eps, vb.pp("post_attention_layernorm"))?,
            gate_up: linear_no_bias(size, 2 * inner, vb.pp("mlp.gate_up_proj"))?,
            down: linear_no_bias(inner, size, vb.pp("mlp.down_proj"))?,
            config,
        })
    }

    /// `x`: `[batch, tokens, hidden]`.
    fn forward(&self, x: &Tensor, by: By) -> Result<Tensor> {
        let x = (x + self.attention(&by.apply(&self.input_norm, x)?, by)?)?;
        let both = self.gate_up.forward(&by.apply(&self.post_norm, &x)?)?.chunk(2, D::Minus1)?;
        x + self.down.forward(&(both[0].silu()? * &both[1])?)?
    }

    fn attention(&self, x: &Tensor, by: By) -> Result<Tensor> {
        let (batch, tokens, _) = x.dims3()?;
        let (heads, kv, each) =
            (self.config.num_attention_heads, self.config.num_key_value_heads, self.config.head_dim);
        let qkv = self.qkv.forward(x)?.reshape((batch, tokens, heads + 2 * kv, each))?;
        // Heads that lie beside those of others: rows of `each` elements, strided along tokens.
        let query = by.apply(&self.query_norm, &qkv.narrow(2, 0, heads)?)?;
        let key = by.apply(&self.key_norm, &qkv.narrow(2, heads, kv)?)?;
        let value = qkv.narrow(2, heads + kv, kv)?;
        let by_heads = |x: Tensor| x.transpose(1, 2)?.contiguous();
        let (cos, sin) = self.rotations(tokens, x.device())?;
        let (query, key) = (rope_slow(&by_heads(query)?, &cos, &sin)?, rope_slow(&by_heads(key)?, &cos, &sin)?);
        let shared = |x: Tensor| {
            let grouped = x.unsqueeze(2)?.broadcast_as((batch, kv, heads / kv, tokens, each))?;
            grouped.contiguous()?.reshape((batch, heads, tokens, each))
        };
        let (key, value) = (shared(key)?, shared(by_heads(value)?)?);
        let scores = (query.matmul(&key.transpose(D::Minus1, D::Minus2)?.contiguous()?)? / (each as f64).sqrt())?;
        let causal: Vec<f32> = (0..tokens * tokens).map(|i| if i % tokens > i / tokens { -1e9 } else { 0.0 }).collect();
        let scores = scores.broadcast_add(&Tensor::from_vec(causal, (tokens, tokens), x.device())?)?;
        let seen =
            softmax(&scores, D::Minus1)?.matmul(&value)?.transpose(1, 2)?.reshape((batch, tokens, heads * each))?;
        self.output.forward(&seen)
    }

    fn rotations(&self, tokens: usize, device: &Device) -> Result<(Tensor, Tensor)> {
        let each = self.config.head_dim;
        let angle = |i: usize| {
            let exponent = (2 * (i % (each / 2))) as f64 / each as f64;
            ((i / (each / 2)) as f64 / self.config.rope_theta.powf(exponent)) as f32
        };
        let angles: Vec<f32> = (0..tokens * each / 2).map(angle).collect();
        let angles = Tensor::from_vec(angles, (tokens, each / 2), device)?;
        Ok((angles.cos()?, angles.sin()?))
    }
}

fn largest(x: &Tensor) -> Result<f32> {
    x.abs()?.flatten_all()?.max(0)?.to_scalar()
}

fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args().nth(1);
    let path = path.unwrap_or_else(|| concat!(env!("CARGO_MANIFEST_DIR"), "/examples/llama_block.json").into());
    let config: Config = serde_json::from_str(&std::fs::read_to_string(path)?)?;
    let vars = VarMap::new();
    let size = config.hidden_size;
    let block = Block::new(config, &VarBuilder::from_varmap(&vars, DType::F32, &Device::Cpu))?;
    let x = Tensor::randn(0f32, 1., (2, 64, size), &Device::Cpu)?;

    let run = |by: By| -> Result<_> {
        let start = Instant::now();
        let y = block.forward(&x, by)?;
        let grads = y.sqr()?.mean_all()?.backward()?;
        println!("{by:?}: forward and backward in {:.2} ms", start.elapsed().as_secs_f64() * 1e3);
        Ok((y, grads))
    };
    run(By::Normkit)?; // not counted: it is the first to touch the memory
    let ((y, grads), (y_candle, grads_candle)) = (run(By::Normkit)?, run(By::Candle)?);
    let mut worst = largest(&(&y - &y_candle)?)? / largest(&y_candle)?;
    for (name, var) in vars.data().lock().map_err(|_| "poisoned")?.iter() {
        let (Some(grad), Some(other)) = (grads.get(var), grads_candle.get(var)) else {
            return Err(format!("{name} has no gradient").into());
        };
        worst = worst.max(largest(&(grad - other)?)? / largest(other)?);
    }
    println!("{:?}; outputs and all gradients differ by at most {worst:.1e} of the largest", y.dims());
    if worst > 1e-4 { Err("they differ by more than rounding".into()) } else { Ok(()) }
}
