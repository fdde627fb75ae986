use normkit::normalize;

#[normalize(kind = "batch", shape = [2, 64, 56, 56], deny(small_batch))]
pub struct Bn1;

fn main() {}
