use normkit::{NormError, bf16, NormLayer, Saved, norm, normalize};

#[normalize(kind = "layer", shape = [_, 768], eps = -1.0)]
#[derive(Clone, Debug, PartialEq)]
pub struct Added;

#[normalize(kind = "layer", ax = -1)]
#[derive(Clone, Debug)]
pub struct Declared {
    pub gamma: [f64; 16],
    pub name: String,
}

#[normalize(kind = "rms", shape = [_, 64 | 128 | 64], eps = _)]
pub struct Family;

#[normalize(kind = "rms")]
pub struct Tuple([f32; 8]);

fn describe(layer: &dyn NormLayer) -> usize {
    layer.params().len() + layer.spec().shape.len() + layer.plan().len()
}

fn added(x: &[f32], dy: &[f32]) -> Result<f32, NormError> {
    let mut layer = Added::new();
    let (mut y, mut dx, mut saved, mut grads) = (vec![0.0; 1536], vec![0.0; 1536], Saved::default(), AddedGrads::new());
    layer.forward(x, &mut y)?;
    layer.forward_inplace(&mut y)?;
    layer.forward_train(x, &mut y, &mut saved)?;
    layer.backward(x, dy, &saved, &mut dx, &mut grads)?;
    for (weight, gradient) in layer.weight.iter_mut().zip(grads.weight.iter()) {
        *weight -= gradient;
    }
    layer.bias[0] -= grads.bias[0] * saved.rstd()[0];
    grads.zero();
    assert_eq!(layer.clone(), Added::default());
    println!("{layer:?} {} {}", Added::PLAN, describe(&layer));
    Ok(y[0])
}

fn declared(x: &[f64]) -> Result<f64, NormError> {
    let layer = Declared { name: "first".into(), ..Declared::default() };
    let (mut y, mut saved, mut grads) = (x.to_vec(), Saved::default(), DeclaredGrads::default());
    layer.forward_train(x, &mut y, &mut saved)?;
    layer.backward(x, x, &saved, &mut y, &mut grads)?;
    Ok(layer.gamma[0] + layer.bias[0] + grads.gamma[0] + grads.bias[0] + saved.mean()[0] + layer.name.len() as f64)
}

fn family(x: &[f32]) -> Result<f32, NormError> {
    let mut layer = Family::new(64)?;
    let (mut y, grads) = (x.to_vec(), FamilyGrads::new(64));
    layer.eps = 1e-5;
    layer.forward((x, [2, 64]), &mut y)?;
    Ok(y[0] + grads.weight[0])
}

fn tuple(x: &mut [f32]) -> Result<f32, NormError> {
    let layer = Tuple::new();
    layer.forward_inplace(x)?;
    Ok(layer.0[0])
}

#[normalize(kind = "rms", shape = [_, 8], dtype = bf16, param = bf16, epsilon = 1e-6)]
struct Half;

#[normalize(kind = "weight", shape = [2, 4], dtype = bf16, eps = 1e-6)]
struct HalfVectors;

fn halves(x: &mut [bf16]) -> Result<bf16, NormError> {
    let (half, mut vectors) = (Half::new(), HalfVectors::new());
    half.forward_inplace(x)?;
    vectors.weight_v.fill(half.weight[0]);
    vectors.weight_g.fill(1.0_f32);
    Ok(vectors.weight_v[0])
}

fn kernel(x: &[f32], weight: &[f32]) -> Result<f32, NormError> {
    let kernel = norm!(kind = "rms", shape = [_, 0]);
    let mut y = x.to_vec();
    kernel.forward(x, weight, &mut y)?;
    Ok(y[0])
}

fn main() -> Result<(), NormError> {
    added(&[0.5; 1536], &[0.5; 1536])?;
    declared(&[0.5; 16])?;
    family(&[0.5; 128])?;
    tuple(&mut [0.5; 8])?;
    kernel(&[0.5; 16], &[1.0; 8])?;
    halves(&mut [bf16::ONE; 16])?;
    Ok(())
}
