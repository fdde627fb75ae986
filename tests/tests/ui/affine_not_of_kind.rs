use normkit::normalize;

#[normalize(kind = "rms", shape = [_, 4096], affine = true)]
pub struct InputNorm;

#[normalize(kind = "weight", shape = [512, 256], affine = true)]
pub struct Projection;

fn main() {}
