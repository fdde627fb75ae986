use normkit::normalize;

#[normalize(kind = "batch", shape = [64, _], axis = 0, deny(batch_axis_last))]
pub struct Bn1;

fn main() {}
