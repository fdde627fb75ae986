//! A tiny model of the same form, made here: the example keeps working where the real one is not.

use candle_core::{DType, Device, Result, Tensor};
use candle_nn::{VarBuilder, VarMap};
use sentences::bert::{Bert, Config};
use sentences::norms::{Candle, Clock, Normkit};
use sentences::{Encoder, cosines};
use std::path::{Path, PathBuf};

const CONFIG: &str = r#"{
    "vocab_size": 12, "hidden_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 96,
    "hidden_act": "gelu", "max_position_embeddings": 16, "type_vocab_size": 2, "layer_norm_eps": 1e-12, "model_type": "bert"
}"#;

const TOKENIZER: &str = r#"{
    "version": "1.0", "truncation": null, "padding": null, "added_tokens": [], "normalizer": null,
    "pre_tokenizer": { "type": "Whitespace" }, "post_processor": null, "decoder": null,
    "model": { "type": "WordLevel", "unk_token": "[UNK]", "vocab": {
        "[PAD]": 0, "[UNK]": 1, "a": 2, "cat": 3, "dog": 4, "sleeps": 5, "runs": 6, "on": 7, "the": 8, "sofa": 9, "street": 10, ".": 11
    } }
}"#;

/// The folder of a model with random weights.
fn folder(name: &str) -> Result<PathBuf> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(&folder)?;
    std::fs::write(folder.join("config.json"), CONFIG)?;
    std::fs::write(folder.join("tokenizer.json"), TOKENIZER)?;
    let config: Config = serde_json::from_str(CONFIG).expect("as written above");
    let vars = VarMap::new();
    Bert::<Candle>::new(&config, &Clock::default(), &VarBuilder::from_varmap(&vars, DType::F32, &Device::Cpu))?;
    for (name, var) in vars.data().lock().expect("nobody has panicked").iter() {
        let around = if name.ends_with("LayerNorm.weight") { 1.0 } else { 0.0 };
        var.set(&Tensor::randn(around, 0.2_f32, var.dims(), &Device::Cpu)?)?;
    }
    vars.save(folder.join("model.safetensors"))?;
    Ok(folder)
}

#[test]
fn both_give_the_same_vectors() -> Result<()> {
    let folder = folder("same")?;
    let (candle, ours) = (Encoder::<Candle>::load(&folder)?, Encoder::<Normkit>::load(&folder)?);
    let sentences = ["a cat sleeps on the sofa .", "the dog runs", "a zebra"];
    let tokens = ours.tokens(&sentences)?;
    assert_eq!(tokens[0].dims(), [3, 7]);
    assert_eq!(tokens[1].to_vec2::<u32>()?[1], [1, 1, 1, 0, 0, 0, 0]);
    let (theirs, own) = (candle.encode(&tokens)?, ours.encode(&tokens)?);
    assert_eq!(own.dims(), [3, 48]);
    for (index, row) in cosines(&theirs, &own)?.iter().enumerate() {
        assert!(row[index] >= 0.999_999, "sentence {index}: {}", row[index]);
        assert!(row.iter().enumerate().all(|(other, cosine)| other == index || *cosine < 0.999), "{row:?}");
    }
    // Padding is nothing that a sentence would see.
    let alone = ours.encode(&ours.tokens(&sentences[1..2])?)?;
    assert!(cosines(&alone, &own)?[0][1] >= 0.999_999);
    assert!(!ours.clock.take().is_zero());
    Ok(())
}

#[test]
fn what_is_missing_is_named() -> Result<()> {
    let folder = folder("missing")?;
    let error = |folder: &Path| Encoder::<Normkit>::load(folder).err().expect("a file is missing").to_string();
    assert!(error(Path::new("/nowhere")).starts_with("/nowhere/config.json: "));
    std::fs::write(folder.join("config.json"), CONFIG.replace("\"gelu\"", "\"relu\""))?;
    assert!(error(&folder).contains("hidden_act: expected gelu, found relu"), "{}", error(&folder));
    std::fs::write(folder.join("config.json"), CONFIG.replace("48", "64"))?;
    assert!(error(&folder).contains("shape mismatch"), "{}", error(&folder));
    std::fs::remove_file(folder.join("tokenizer.json"))?;
    assert!(error(&folder).contains("tokenizer.json"));
    Ok(())
}
