use normkit::normalize;

#[normalize(kind = "layer")]
pub struct FinalNorm {
    pub weight: [f32; 768],
    pub bias: [f64; 768],
}

fn main() {}
