use normkit::normalize;

#[normalize(kind = "layer", shape = [_, 16, 64], axis = [-1, 2])]
pub struct FinalNorm;

fn main() {}
