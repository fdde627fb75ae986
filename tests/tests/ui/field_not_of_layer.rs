use normkit::normalize;

#[normalize(kind = "rms")]
pub struct InputNorm {
    pub weight: [f32; 4096],
    pub bias: [f32; 4096],
}

#[normalize(kind = "weight", shape = [512, 256])]
pub struct Projection {
    pub bias: [f32; 512],
}

#[normalize(kind = "group", shape = [_, 64, 8, 8], groups = 8, affine = false)]
pub struct PlainNorm {
    pub weight: [f32; 64],
}

#[normalize(kind = "instance", shape = [_, 64, 8, 8])]
pub struct StyleNorm {
    pub running_mean: [f32; 64],
}

#[normalize(kind = "layer", shape = [_, 768])]
pub struct DecoupledNorm {
    pub weight_g: [f32; 768],
}

fn main() {}
