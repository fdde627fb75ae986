#[normkit::normalize(kind = "batch", shape = [_, 64, 56, 56])]
pub struct Bn {
    pub num_batches_tracked: u32,
}

fn main() {}
