use normkit::{NormError, NormLayer, TensorMut, normalize};

/// What is wrong with one field hides nothing of another, nor of the model, and keeps all else from complaining.
#[normalize(kind = "rms", allow(mixed_kinds))]
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DecoderLayer<T> {
    #[norm(kind = "rmsnorm", shape = [_, 4096])]
    pub input_norm: InputNorm,
    #[norm(kind = "layer")]
    pub post_norm: PostNorm,
    #[norm(kind = "layer", shape = [_, 0], epsilon = 1e-5)]
    q_norm: QNorm,
    #[norm(kind = "layer", shape = [_, 8])]
    pub k_norm: QNorm,
    #[norm(kind = "rms", shape = [_, 8])]
    pub right: Right,
    #[norm(kind = "rms", shape = [_, 8])]
    pub bias: [f32; 8],
    pub other: T,
    #[cfg(any())]
    #[norm(kind = "absent")]
    absent: Absent,
}

#[normalize]
pub struct Tuple(#[norm(kind = "rms", shape = [_, 8])] InTuple);

fn count(norm: &dyn NormLayer) -> usize {
    norm.params().iter().map(|(_, tensor)| tensor.len()).sum()
}

fn main() -> Result<(), NormError> {
    let mut model = DecoderLayer::<u8>::default();
    let (mut y, mut grads) = ([0.0; 8], RightGrads::new());
    model.right.forward_inplace(&mut y)?;
    model.input_norm.forward_inplace(&mut y)?;
    model.post_norm.forward(&[0.0; 8], &mut y)?;
    model.q_norm.weight[0] = y[0] + model.k_norm.bias[0];
    grads.zero();
    let total: usize = model.norms().map(|(name, norm)| name.len() + count(norm)).sum();
    for (_, norm) in model.norms_mut() {
        for (_, tensor) in norm.params_mut() {
            if let TensorMut::F32(values) = tensor {
                values.fill(total as f32);
            }
        }
    }
    assert_eq!(model.clone(), DecoderLayer { other: 1, bias: [0.0; 8], ..DecoderLayer::default() });
    let tuple = Tuple(InTuple::new());
    tuple.0.forward_inplace(&mut y)?;
    println!("{model:?} {}", tuple.norms().count());
    Ok(())
}
