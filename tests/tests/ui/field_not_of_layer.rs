use normkit::normalize;

#[normalize(kind = "rms")]
pub struct InputNorm {
    pub weight: [f32; 4096],
    pub bias: [f32; 4096],
}

fn main() {}
