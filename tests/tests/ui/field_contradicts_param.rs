use normkit::normalize;

#[normalize(kind = "rms", param = f64, dtype = f64)]
pub struct InputNorm {
    pub weight: [f32; 4096],
}

fn main() {}
