//! Where tensors lie: what is strided along outer axes is read where it is, what is not is an error.

use crate::{compare, gradients, message, values, var};
use candle_core::{DType, Module, ModuleT, Result, Tensor, Var};
use normkit_candle::{BatchNorm, GroupNorm, InstanceNorm, LayerNorm, RmsNorm};

/// The layer on a part of `whole` gives the same, bit for bit, as on a contiguous copy of that part; so do all gradients, which
/// are 0 outside of the part.
fn same(
    what: &str,
    whole: &Tensor,
    part: impl Fn(&Tensor) -> Result<Tensor>,
    layer: impl Fn(&Tensor) -> Result<Tensor>,
) -> Result<()> {
    let (one, other) = (var(whole, DType::F32)?, var(whole, DType::F32)?);
    let (strided, copied) = (part(&one)?, part(&other)?.contiguous()?);
    assert!(!strided.is_contiguous() || strided.layout().start_offset() != 0, "{what}: the part is the whole");
    let (got, expected) = (layer(&strided)?, layer(&copied)?);
    compare(what, &got, &expected, 0.0);
    let dy = values(77, got.dims())?;
    let (got, expected) = (gradients(&got, &dy, &[&one])?, gradients(&expected, &dy, &[&other])?);
    compare(&format!("{what}: dx"), &got[0], &expected[0], 0.0);
    Ok(())
}

#[test]
fn rows() -> Result<()> {
    let rms = RmsNorm::new(values(1, &[64])?, 1e-6);
    let layer = LayerNorm::new(values(2, &[64])?, values(3, &[64])?, 1e-5);
    // Queries, keys and values of 4 heads of 64, of 5 tokens in 2 sequences.
    let fused = values(4, &[2, 5, 3, 4, 64])?;
    for which in 0..3 {
        let heads = |t: &Tensor| t.narrow(2, which, 1)?.squeeze(2);
        same("keys, rms", &fused, heads, |x| rms.forward(x))?;
        same("keys, layer", &fused, heads, |x| layer.forward(x))?;
        // Heads before tokens, as attention has them.
        same("transposed keys", &fused, |t| heads(t)?.transpose(1, 2), |x| rms.forward(x))?;
    }
    let sequence = values(5, &[4, 10, 64])?;
    same("the last tokens", &sequence, |t| t.narrow(1, 9, 1), |x| layer.forward(x))?;
    same("a later sequence", &sequence, |t| t.narrow(0, 3, 1), |x| layer.forward(x))?;
    Ok(())
}

#[test]
fn images() -> Result<()> {
    let images = values(6, &[4, 9, 5, 7])?;
    let param = |seed| values(seed, &[6]);
    let group = GroupNorm::new(param(7)?, param(8)?, 6, 3, 1e-5)?;
    let instance = InstanceNorm::new(param(9)?, param(10)?, 6, 1e-5)?;
    let running = || Ok::<_, candle_core::Error>((param(11)?, param(12)?.sqr()?));
    let batch = || BatchNorm::new(6, running()?.0, running()?.1, param(13)?, param(14)?, 1e-5);
    let channels = |t: &Tensor| t.narrow(1, 2, 6);
    let every_image = |t: &Tensor| t.narrow(1, 2, 6)?.narrow(0, 1, 2);
    same("groups of some channels", &images, channels, |x| group.forward(x))?;
    same("instances of some channels", &images, every_image, |x| instance.forward(x))?;
    same("a batch of some channels", &images, channels, |x| batch()?.forward_train(x))?;
    same("inference of some channels", &images, every_image, |x| batch()?.forward_t(x, false))?;
    same("a batch of columns", &values(15, &[8, 9])?, channels, |x| batch()?.forward_train(x))?;
    Ok(())
}

#[test]
fn strides_along_normalized_axes_are_errors() -> Result<()> {
    let norm = RmsNorm::new(values(16, &[8])?, 1e-6);
    let error = |x: Tensor| message(norm.forward(&x));
    let columns = error(values(17, &[8, 8])?.t()?);
    assert_eq!(
        columns,
        "rms: `x`: expected a stride of 1 (or more, for an axis that is not normalized) along axis 3, found 8; \
         help: `contiguous()` makes a copy that fits"
    );
    assert!(error(values(18, &[1, 8])?.broadcast_as((4, 8))?).contains("along axis 2, found 0"), "rows that overlap");
    let too_many = values(19, &[2, 3, 2, 3, 2, 8])?.permute((4, 2, 3, 1, 0, 5))?;
    assert!(error(too_many.clone()).contains("expected 4 axes"), "{}", error(too_many));

    let group = GroupNorm::new(values(20, &[6])?, values(21, &[6])?, 6, 2, 1e-5)?;
    let channels_last = values(22, &[2, 5, 5, 6])?.permute((0, 3, 1, 2))?;
    let error = message(group.forward(&channels_last));
    assert!(error.contains("contiguous()"), "{error}");
    Ok(())
}

/// Parameters that are a part of a larger tensor.
#[test]
fn parameters() -> Result<()> {
    let all = Var::from_tensor(&values(23, &[3, 64])?)?;
    let x = values(24, &[2, 64])?;
    let y = RmsNorm::new(all.get(1)?, 1e-6).forward(&x)?;
    compare("a row as the weight", &y, &RmsNorm::new(all.get(1)?.copy()?, 1e-6).forward(&x)?, 0.0);
    let grads = gradients(&y, &x, &[&all])?;
    let of_row = |row: usize| grads[0].get(row)?.abs()?.max(0)?.to_scalar::<f32>();
    assert!(of_row(0)? == 0.0 && of_row(1)? > 0.1 && of_row(2)? == 0.0);

    let column = RmsNorm::new(values(25, &[64, 2])?.narrow(1, 1, 1)?.squeeze(1)?, 1e-6).forward(&x);
    let error = message(column);
    assert!(error.starts_with("rms: `weight`: expected a contiguous tensor, found strides [2]"), "{error}");
    Ok(())
}
