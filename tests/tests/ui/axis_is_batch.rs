use normkit::normalize;

#[normalize(kind = "instance", shape = [_, 64, 56, 56], axis = 0)]
pub struct StyleNorm;

#[normalize(kind = "group", shape = [_, 320, _, _], groups = 32, axis = -4)]
pub struct ResidualNorm;

fn main() {}
