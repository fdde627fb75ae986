use normkit::normalize;

#[normalize(kind = "rms", shape = [_, 4096])]
pub struct InputNorm {
    pub weight: &'static [f32],
}

#[normalize(kind = "batch", shape = [_, 64, 56, 56])]
pub struct Bn1 {
    pub num_batches_tracked: u32,
}

fn main() {}
