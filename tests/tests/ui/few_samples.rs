use normkit::normalize;

#[normalize(kind = "batch", shape = [8, 64, 56, 56], deny(few_samples))]
pub struct Bn1;

fn main() {}
