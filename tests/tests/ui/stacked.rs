use normkit::normalize;

#[normalize(kind = "rms", shape = [_, 4096])]
#[normalize(kind = "layer", shape = [_, 4096])]
pub struct InputNorm;

fn main() {}
