use normkit::normalize;

#[normalize(kind = "instance", shape = [_, 64, 1, 1], deny(instance_of_one))]
pub struct StyleNorm;

fn main() {}
