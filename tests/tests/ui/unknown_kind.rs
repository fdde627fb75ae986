use normkit::normalize;

#[normalize(kind = "LayerNorm", shape = [_, 768])]
pub struct FinalNorm;

#[normalize(kind = "BatchNorm2d", shape = [_, 64, 56, 56])]
pub struct Bn1;

#[normalize(kind = "group_norm", shape = [_, 64, 56, 56], groups = 32)]
pub struct ResidualNorm;

#[normalize(kind = "InstanceNorm2d", shape = [_, 64, 56, 56])]
pub struct StyleNorm;

#[normalize(kind = "weight_norm", shape = [512, 256])]
pub struct Projection;

fn main() {}
