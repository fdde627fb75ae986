use normkit::normalize;

#[normalize(kind = "rms", shape = [_, 4096], dtype = f64, param = f32)]
pub struct InputNorm;

// A family is held against the fields as one type is.
#[normalize(kind = "rms", dtype = f32 | bf16)]
pub struct PostNorm {
    pub weight: [f64; 4096],
}

fn main() {}
