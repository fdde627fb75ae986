use normkit::normalize;

#[normalize(kind = "rms", shape = [_, 4096], affine = true)]
pub struct InputNorm;

fn main() {}
