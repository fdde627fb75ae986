use normkit::normalize;

#[normalize(kind = "rms", shape = [_, 768 | 1024])]
pub struct InputNorm {
    pub weight: [f32; 768],
}

#[normalize(kind = "batch", shape = [_, _, 56, 56])]
pub struct AnyChannels {
    pub running_var: [f32; 64],
}

fn main() {}
