use normkit::normalize;

#[normalize(kind = "rms", shape = [_, 4096])]
#[derive(Clone, Debug, Default)]
pub struct InputNorm;

fn main() {}
