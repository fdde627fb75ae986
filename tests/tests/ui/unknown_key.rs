use normkit::normalize;

#[normalize(kind = "layer", shape = [_, 768], epsilon = 1e-12)]
pub struct EmbeddingsNorm;

#[normalize(kind = "group", shape = [_, 320, 64, 64], num_groups = 32)]
pub struct ResidualNorm;

#[normalize(kind = "batch", shape = [_, 64, 56, 56], track_running_stats = true)]
pub struct Bn1;

#[normalize(kind = "batch", num_features = 64)]
pub struct Bn2;

#[normalize(kind = "weight", shape = [512, 256], dim = 0)]
pub struct Projection;

#[normalize(kind = "instance", shape = [_, 64, 56, 56], channel = 1)]
pub struct StyleNorm;

#[normalize(kind = "batch", shape = [_, 56, 56, 64], channels_last = true)]
pub struct Bn4;

fn main() {}
