use normkit::normalize;

#[normalize(kind = "rms", shape = [_, 768 | 1024])]
pub struct InputNorm {
    pub weight: [f32; 768],
}

fn main() {}
