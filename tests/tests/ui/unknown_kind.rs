use normkit::normalize;

#[normalize(kind = "LayerNorm", shape = [_, 768])]
pub struct FinalNorm;

fn main() {}
