use normkit::normalize;

#[normalize(kind = "rms", eps = 1e-6, shape = [_, 4096], eps = 1e-5)]
pub struct InputNorm;

fn main() {}
