use normkit::normalize;

#[normalize(kind = "rms", shape = [_, 4096])]
pub struct InputNorm {
    pub weight: &'static [f32],
}

fn main() {}
