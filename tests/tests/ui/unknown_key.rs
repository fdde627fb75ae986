use normkit::normalize;

#[normalize(kind = "layer", shape = [_, 768], epsilon = 1e-12)]
pub struct EmbeddingsNorm;

fn main() {}
