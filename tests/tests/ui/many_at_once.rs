use normkit::normalize;

#[normalize(
    kind = "rmsnorm",
    shape = [_, 0],
    axes = -1,
    eps = "small",
    dtype = f33,
    affine = maybe,
    eps = 1e-6,
    param f32,
)]
pub struct InputNorm {
    pub weight: [i8; 4096],
}

fn main() {
    let _kernel = normkit::norm!(kind = "layer", shape = [_, 768 | 768], affine = no, epsilon = 1e-5);
}
