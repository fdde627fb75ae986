use normkit::normalize;

#[normalize(kind = "layer", shape = [_, 768])]
pub struct FinalNorm {
    pub weight: [f32; 768],
    pub bias: [f32; 786],
}

#[normalize(kind = "batch", shape = [_, 64, 56, 56])]
pub struct Bn1 {
    pub running_mean: [f32; 56],
}

#[normalize(kind = "weight", shape = [512, 256])]
pub struct Projection {
    pub weight_v: [f32; 512],
    pub weight_g: [f32; 256],
}

fn main() {}
