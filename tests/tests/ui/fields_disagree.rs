use normkit::normalize;

#[normalize(kind = "layer")]
pub struct FinalNorm {
    pub weight: [f32; 768],
    pub bias: [f64; 768],
}

#[normalize(kind = "batch", shape = [_, 64, 56, 56])]
pub struct Bn1 {
    pub weight: [f32; 64],
    pub running_var: [f64; 64],
}

fn main() {}
