use normkit::normalize;

#[normalize(kind = "rms")]
pub struct InputNorm;

fn main() {}
