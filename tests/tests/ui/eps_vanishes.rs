use normkit::normalize;

#[normalize(kind = "rms", shape = [_, 4096], eps = 1e-60)]
pub struct InputNorm;

fn main() {}
