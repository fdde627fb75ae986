use normkit::normalize;

#[normalize(kind = "rms", shape = [_, 4096], dtype = float32)]
pub struct InputNorm;

fn main() {}
