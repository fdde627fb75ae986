use normkit::normalize;

#[normalize(kind = "rms", shape = [_, 4096], eps = 1e-6, allow(unusual_eps), deny(eps_unusal))]
pub struct InputNorm;

fn main() {}
