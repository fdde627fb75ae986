use normkit::normalize;

#[normalize(kind = "instance", shape = [_, 64])]
pub struct StyleNorm;

#[normalize(kind = "weight", shape = [512], axis = 0)]
pub struct Gain;

fn main() {}
