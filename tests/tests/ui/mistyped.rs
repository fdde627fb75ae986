use normkit::normalize;

#[normalize(kind = "layer", shape = [_, 768], axis = "last")]
pub struct FinalNorm;

fn main() {}
