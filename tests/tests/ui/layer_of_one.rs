use normkit::normalize;

#[normalize(kind = "layer", shape = [_, 64, 1], deny(layer_of_one))]
pub struct FinalNorm;

fn main() {}
