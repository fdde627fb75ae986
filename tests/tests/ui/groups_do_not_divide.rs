use normkit::normalize;

#[normalize(kind = "group", shape = [_, 320, 64, 64], groups = 48)]
pub struct ResidualNorm;

#[normalize(kind = "group", shape = [_, 64, 64, 3], axis = -1, groups = 32)]
pub struct ImageNorm;

#[normalize(kind = "group", shape = [_, 64 | 100, _], groups = 32)]
pub struct SomeOfTheFamily;

fn main() {}
