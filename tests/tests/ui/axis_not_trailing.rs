use normkit::normalize;

#[normalize(kind = "layer", shape = [_, 64, 56, 56], axis = 1)]
pub struct ChannelNorm;

fn main() {}
