use normkit::normalize;

#[normalize(kind = "rms", shape = [_, 4096], eps = 1e-6f32)]
pub struct InputNorm;

fn main() {}
