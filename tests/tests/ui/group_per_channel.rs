use normkit::normalize;

#[normalize(kind = "group", shape = [_, 64, 56, 56], groups = 64, deny(group_per_channel))]
pub struct StyleNorm;

fn main() {}
