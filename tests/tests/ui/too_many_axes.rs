use normkit::normalize;

#[normalize(kind = "rms", shape = [_, 2, 2, 2, 2, 2, 2, 2, 64])]
pub struct InputNorm;

fn main() {}
