use normkit::normalize;

const HIDDEN: usize = 4096;

#[normalize(kind = "rms")]
pub struct InputNorm {
    pub weight: [f32; HIDDEN],
}

fn main() {}
