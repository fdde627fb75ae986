use normkit::normalize;

#[normalize(kind = "batch", shape = [_, 64, 56, 56], momentum = 0, deny(momentum_extreme))]
pub struct Bn1;

fn main() {}
