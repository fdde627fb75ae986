use normkit::normalize;

#[normalize(kind = "layer")]
pub struct FinalNorm {
    pub weight: [f32; 768],
    pub gamma: [f32; 768],
}

fn main() {}
