use normkit::normalize;

#[normalize(kind = "rms", shape = [_, 0])]
pub struct InputNorm;

fn main() {}
