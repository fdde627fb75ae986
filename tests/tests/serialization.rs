//! Layers and models through serde.

use normkit::{NormError, Param, bf16, normalize};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

#[normalize(kind = "batch", shape = [_, 3, _], eps = _)]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Batch {
    running_var: [f32; 3],
    /// None of ours.
    name: String,
}

#[normalize(kind = "rms", shape = [_, _], dtype = f64)]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Open;

#[normalize(allow(mixed_kinds))]
#[derive(Clone, Debug, PartialEq, Serialize, serde::Deserialize)]
struct Model {
    #[norm(kind = "layer", shape = [_, 40], eps = _)]
    #[serde(rename = "ln_1")]
    first: First,
    #[norm(kind = "rms", shape = [_, 4], dtype = bf16, param = bf16)]
    last: Last,
    heads: usize,
}

fn round_trip<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(value: &T) -> String {
    let text = serde_json::to_string(value).unwrap();
    assert_eq!(serde_json::from_str::<T>(&text).unwrap(), *value);
    text
}

#[test]
fn layers_keep_all_they_have() {
    let mut batch = Batch::new();
    batch.weight[1] = 0.1;
    batch.running_var = [0.25, 1e-30, 3.0];
    (batch.num_batches_tracked, batch.eps, batch.name) = (7, 1e-3, "bn1".into());
    let text = round_trip(&batch);
    assert_eq!(
        text,
        r#"{"running_var":[0.25,1e-30,3.0],"name":"bn1","weight":[1.0,0.1,1.0],"bias":[0.0,0.0,0.0],"running_mean":[0.0,0.0,0.0],"num_batches_tracked":7,"eps":0.001}"#
    );
    let mut open = Open::new(5).unwrap();
    open.weight[4] = 1.0 / 3.0;
    assert_eq!(round_trip(&open), r#"{"weight":[1.0,1.0,1.0,1.0,0.3333333333333333]}"#);
}

#[test]
fn a_model_gives_its_derives_to_its_layers() {
    let mut model = Model { first: First::new(), last: Last::new(), heads: 4 };
    model.first.eps = 1e-12;
    model.first.bias[39] = -2.5;
    model.last.weight[0] = bf16::from_f32(0.1);
    let text = round_trip(&model);
    assert!(text.starts_with(r#"{"ln_1":{"weight":[1.0,"#), "{text}");
    assert!(text.ends_with(r#""last":{"weight":[15821,16256,16256,16256]},"heads":4}"#), "half types are bits: {text}");
}

#[test]
fn another_length_is_an_error_of_the_call() {
    let short: Model = {
        let model = Model { first: First::new(), last: Last::new(), heads: 4 };
        let text = serde_json::to_string(&model).unwrap();
        serde_json::from_str(&text.replace("[16256,16256,", "[16256,")).unwrap()
    };
    let mut x = [bf16::ONE; 8];
    let expected = Err(NormError::Length { arg: "weight", expected: 4, found: 3 });
    assert_eq!(short.last.forward_inplace(&mut x), expected);
    assert_eq!(x, [bf16::ONE; 8]);
}

#[test]
fn what_is_no_parameter_is_refused() {
    assert_eq!(*serde_json::from_str::<Param<f32>>("[]").unwrap(), [0.0; 0]);
    assert_eq!(*serde_json::from_str::<Param<f64>>("[1, 2.5]").unwrap(), [1.0, 2.5]);
    for text in ["1", "{}", "[\"a\"]", "[1", "[null]"] {
        assert!(serde_json::from_str::<Param<f32>>(text).is_err(), "{text}");
    }
    let missing = serde_json::from_str::<Open>("{}").unwrap_err();
    assert!(missing.to_string().starts_with("missing field `weight`"), "{missing}");
}
