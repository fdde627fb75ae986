use normkit::normalize;

#[normalize(kind = "layer", shape = [_, 768])]
pub struct FinalNorm {
    pub weight: [f32; 768],
    pub bias: [f32; 786],
}

fn main() {}
