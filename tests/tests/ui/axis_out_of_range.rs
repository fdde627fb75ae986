use normkit::normalize;

#[normalize(kind = "layer", shape = [_, 768], axis = 2)]
pub struct FinalNorm;

#[normalize(kind = "batch", shape = [64])]
pub struct Bn1;

#[normalize(kind = "batch", shape = [_, 64, 56, 56], axis = 4)]
pub struct Bn2;

fn main() {}
