use normkit::normalize;

#[normalize(kind = "rms", shape = [_, 4096], dtype = float32)]
pub struct InputNorm;

#[normalize(kind = "rms", shape = [_, 4096], dtype = f32 | bfloat16, param = half)]
pub struct PostNorm;

fn main() {}
