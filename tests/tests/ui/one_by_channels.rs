use normkit::normalize;

#[normalize(kind = "batch", shape = [1, 64], deny(one_by_channels))]
pub struct Bn1;

fn main() {}
