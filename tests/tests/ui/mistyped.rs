use normkit::normalize;

#[normalize(kind = "layer", shape = [_, 768], axis = "last")]
pub struct FinalNorm;

#[normalize(kind = "group", shape = [_, 320, 64, 64], groups = 0)]
pub struct NoGroups;

#[normalize(kind = "group", shape = [_, 320, 64, 64], groups = -1)]
pub struct AllInOne;

#[normalize(kind = "batch", shape = [_, 64, 56, 56], running_var = "sample")]
pub struct Bn1;

#[normalize(kind = "batch", shape = [_, 64, 56, 56], axis = "NHWC")]
pub struct Bn2;

#[normalize(kind = "rms", shape = [_, 4096], dtype = bf16, cast = "twice")]
pub struct InputNorm;

fn main() {}
