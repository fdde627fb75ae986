use normkit::normalize;

#[normalize(kind = "layer", shape = [_, 65536, 65536], axis = 1..)]
pub struct ImageNorm;

fn main() {}
