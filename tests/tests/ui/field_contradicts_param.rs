use normkit::{bf16, normalize};

#[normalize(kind = "rms", param = f64, dtype = f64)]
pub struct InputNorm {
    pub weight: [f32; 4096],
}

#[normalize(kind = "weight", shape = [2, 4], dtype = f32)]
pub struct Projection {
    pub weight_v: [bf16; 8],
}

fn main() {}
