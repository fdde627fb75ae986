use normkit::normalize;

#[normalize(kind = "batch", shape = [_, 64, 56, 56], momentum = 0.99, deny(momentum_of_keras))]
pub struct Bn1;

fn main() {}
