#[normkit::normalize(kind = "batch", shape = [64])]
pub struct Bn;

fn main() {}
