use normkit::normalize;

#[normalize(kind = "rms", eps = 1e-6, shape = [_, 4096], eps = 1e-5)]
pub struct InputNorm;

#[normalize(
    kind = "layer",
    shape = [_, 768],
    kind = "rms",
)]
pub struct FinalNorm;

fn main() {
    let _kernel = normkit::norm!(kind = "rms", shape = [_, 64], affine = false, shape = [_, 64]);
}
