//! Whole models annotated: `#[normalize]` on a struct with `#[norm(...)]` fields.

// Of what tests need, lints warn; this silences them.
#![allow(deprecated)]

use normkit::{NormError, NormLayer, Saved, Tensor, TensorMut, normalize};

/// None of ours.
#[derive(Clone, Debug, Default, PartialEq)]
struct Attention {
    heads: usize,
}

/// As a decoder has it.
#[normalize]
#[derive(Clone, Debug, Default, PartialEq)]
struct DecoderLayer {
    /// Before the attention.
    #[norm(kind = "rms", shape = [_, 64], eps = 1e-6)]
    pub input_layernorm: InputNorm,
    pub attention: Attention,
    #[norm(kind = "layer", shape = [_, 16], dtype = f64)]
    post_attention_layernorm: PostNorm,
}

fn names(norms: impl Iterator<Item = (&'static str, &'static str)>) -> Vec<(&'static str, &'static str)> {
    norms.collect()
}

/// The number of parameters of any model: what takes the iterator need not know the model.
fn count<'a>(norms: impl IntoIterator<Item = (&'static str, &'a dyn NormLayer)>) -> usize {
    norms.into_iter().flat_map(|(_, norm)| norm.params()).map(|(_, tensor)| tensor.len()).sum()
}

/// Writes `value` into all parameters of this name.
fn fill<'a>(norms: impl IntoIterator<Item = (&'static str, &'a mut dyn NormLayer)>, name: &str, value: f32) {
    for (_, norm) in norms {
        for (_, tensor) in norm.params_mut().into_iter().filter(|(found, _)| *found == name) {
            match tensor {
                TensorMut::F32(values) => values.fill(value),
                TensorMut::F64(values) => values.fill(value.into()),
                _ => panic!("another type"),
            }
        }
    }
}

#[test]
fn layers_are_found_by_name_in_the_order_of_fields() {
    let model = DecoderLayer::default();
    let found = names(model.norms().map(|(name, norm)| (name, norm.spec().kind)));
    assert_eq!(found, [("input_layernorm", "rms"), ("post_attention_layernorm", "layer")]);
    assert!(model.norms().all(|(_, norm)| norm.plan().contains("forward")));
    let of_second = model.norms().nth(1).unwrap().1.params();
    assert!(matches!(of_second[..], [("weight", Tensor::F64(_)), ("bias", Tensor::F64(_))]));
}

#[test]
fn parameters_are_counted_and_written() -> Result<(), NormError> {
    let mut model = DecoderLayer { attention: Attention { heads: 4 }, ..DecoderLayer::default() };
    assert_eq!(count(model.norms()), 64 + 2 * 16);
    fill(model.norms_mut(), "weight", 3.0);
    fill(model.norms_mut(), "bias", 0.5);
    assert_eq!(model.input_layernorm.weight.to_vec(), [3.0; 64]);
    let mut y = [-4.0; 64];
    model.input_layernorm.forward_inplace(&mut y)?;
    assert!(y.iter().all(|y| (y + 3.0).abs() < 1e-6));
    let mut y = [4.0; 16];
    model.post_attention_layernorm.forward_inplace(&mut y)?;
    assert_eq!(y, [0.5; 16]);
    Ok(())
}

#[test]
fn the_layers_of_a_model_train() -> Result<(), NormError> {
    let model = DecoderLayer::default();
    let x: Vec<f32> = (0..128).map(|i| (i % 13) as f32).collect();
    let (mut y, mut dx, mut saved) = ([0.0; 128], [0.0; 128], Saved::default());
    let (mut grads, dy) = (InputNormGrads::new(), [1.0; 128]);
    model.input_layernorm.forward_train(&x, &mut y, &mut saved)?;
    model.input_layernorm.backward(&x, &dy, &saved, &mut dx, &mut grads)?;
    assert!((grads.weight[5] - (y[5] + y[64 + 5])).abs() < 1e-5);
    Ok(())
}

#[test]
fn what_the_model_derives_its_layers_have() {
    let mut model = DecoderLayer::default();
    let copy = model.clone();
    assert_eq!(copy, model);
    model.post_attention_layernorm.bias[3] = 1.0;
    assert_ne!(copy, model);
    assert!(format!("{model:?}").contains("post_attention_layernorm: PostNorm { weight: ["));
}

/// Nothing is derived: what it does it says itself.
#[normalize]
struct ByHand {
    #[norm(kind = "rms", shape = [_, 64 | 128 | _], eps = _)]
    norm: OpenNorm,
    calls: std::cell::Cell<usize>,
}

impl Clone for ByHand {
    fn clone(&self) -> Self {
        ByHand { norm: self.norm.clone(), calls: std::cell::Cell::default() }
    }
}

#[test]
fn lengths_and_eps_may_be_known_late() -> Result<(), NormError> {
    let mut model = ByHand { norm: OpenNorm::new(20)?, calls: 1.into() }.clone();
    model.norm.eps = 0.25;
    assert_eq!((count(model.norms()), model.calls.get()), (20, 0));
    let mut y = [0.0; 20];
    model.norm.forward((&[1.0; 20][..], [1, 20]), &mut y)?;
    assert!((y[0] - 0.8_f32.sqrt()).abs() < 1e-6);
    Ok(())
}

/// Generic in all ways; its layers are not.
#[normalize]
#[derive(Clone, Debug, PartialEq)]
struct Generic<'a, T, const N: usize = 2>
where
    T: Clone,
{
    others: [&'a T; N],
    #[norm(kind = "rms", shape = [_, 8], affine = false)]
    first: GenericFirst,
    #[norm(kind = "layer", shape = [_, 8])]
    second: GenericSecond,
}

/// What is borrowed is the model, not what the model borrows.
fn of_generic<'m, T: Clone>(
    model: &'m mut Generic<'_, T>,
) -> impl Iterator<Item = (&'static str, &'m mut dyn NormLayer)> + use<'m, T> {
    model.norms_mut()
}

#[test]
fn a_model_may_be_generic() {
    let text = String::from("text");
    let mut model = Generic { others: [&text; 2], first: GenericFirst::new(), second: GenericSecond::new() };
    fill(of_generic(&mut model), "bias", 2.0);
    assert_eq!((count(model.norms()), model.second.bias.to_vec(), model.others), (16, vec![2.0; 8], [&text; 2]));
    let several: Vec<_> = [model.clone(), model].into_iter().collect();
    assert_eq!(several.iter().map(|model| count(model.norms())).sum::<usize>(), 32);
}

/// Fields that are there, that are not, and one that is the one or the other.
#[normalize]
#[derive(Default)]
struct Conditional {
    #[cfg(any())]
    #[norm(kind = "absent, so its mistake is too")]
    #[norm]
    absent: Absent,
    #[norm(kind = "rms", shape = [_, 8])]
    #[cfg(not(doc))]
    present: Present,
    #[cfg(test)]
    #[norm(kind = "layer", shape = [_, 8])]
    either: Either,
    #[cfg(not(test))]
    #[norm(kind = "rms", shape = [_, 16])]
    either: Either,
}

#[normalize]
struct NoneThere {
    #[cfg(any())]
    #[norm(kind = "rms", shape = [_, 8])]
    absent: Absent,
    other: u8,
}

#[test]
fn fields_may_be_conditional() {
    let mut model = Conditional::default();
    let found = names(model.norms().map(|(name, norm)| (name, norm.spec().kind)));
    assert_eq!(found, [("present", "rms"), ("either", "layer")]);
    assert_eq!((model.norms_mut().count(), model.present.weight.len(), model.either.bias.len()), (2, 8, 8));
    let mut none = NoneThere { other: 1 };
    assert_eq!((none.norms().count(), none.norms_mut().count(), none.other), (0, 0, 1));
}

mod hidden {
    /// A private field, shown by a method: so its type is as visible as the model.
    #[normkit::normalize]
    #[derive(Default)]
    pub struct Model {
        #[norm(kind = "rms", shape = [_, 8])]
        r#final: FinalNorm,
    }

    impl Model {
        pub fn last(&mut self) -> (&mut FinalNorm, FinalNormGrads) {
            (&mut self.r#final, FinalNormGrads::new())
        }
    }
}

#[test]
fn what_is_private_stays_so() {
    let mut model = hidden::Model::default();
    let (norm, grads): (&mut hidden::FinalNorm, hidden::FinalNormGrads) = model.last();
    norm.weight.copy_from_slice(&grads.weight);
    let (name, norm) = model.norms().next().unwrap();
    assert_eq!((name, norm.params()), ("final", vec![("weight", Tensor::F32(&[0.0; 8]))]));
}
