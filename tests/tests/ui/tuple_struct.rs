use normkit::normalize;

#[normalize(kind = "rms")]
pub struct InputNorm([f32; 4096]);

fn main() {}
