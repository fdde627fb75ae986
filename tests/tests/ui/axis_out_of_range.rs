use normkit::normalize;

#[normalize(kind = "layer", shape = [_, 768], axis = 2)]
pub struct FinalNorm;

fn main() {}
