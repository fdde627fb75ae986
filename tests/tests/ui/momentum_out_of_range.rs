use normkit::normalize;

#[normalize(kind = "batch", shape = [_, 64, 56, 56], momentum = 1.1)]
pub struct Bn1;

#[normalize(kind = "batch", shape = [_, 64, 56, 56], momentum = -0.1)]
pub struct Bn2;

#[normalize(kind = "batch", shape = [_, 64, 56, 56], momentum = "average")]
pub struct Bn3;

#[normalize(kind = "batch", shape = [_, 64, 56, 56], momentum = 99)]
pub struct Bn4;

fn main() {}
