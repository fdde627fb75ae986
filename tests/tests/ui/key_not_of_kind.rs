use normkit::normalize;

#[normalize(kind = "layer", shape = [_, 768], groups = 12)]
pub struct FinalNorm;

#[normalize(kind = "rms", shape = [_, 4096], momentum = 0.1)]
pub struct InputNorm;

#[normalize(kind = "weight", shape = [512, 256], eps = 1e-12)]
pub struct Projection;

fn main() {
    let _kernel = normkit::norm!(kind = "instance", shape = [_, 64, 56, 56], running_var = biased);
}
