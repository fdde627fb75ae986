use normkit::normalize;

#[normalize(kind = "layer", shape = [_, 768], eps = 1e-3, deny(eps_unusual))]
pub struct FinalNorm;

fn main() {}
