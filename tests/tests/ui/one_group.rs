use normkit::normalize;

#[normalize(kind = "group", shape = [_, 320, 64, 64], groups = 1, deny(one_group))]
pub struct ResidualNorm;

fn main() {}
