use normkit::normalize;

#[normalize(kind = "rms", shape = [_, 4096], dtype = f64, param = f32)]
pub struct InputNorm;

fn main() {}
