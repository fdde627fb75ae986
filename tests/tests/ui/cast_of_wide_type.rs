use normkit::normalize;

#[normalize(kind = "rms", shape = [_, 4096], cast = before_weight)]
pub struct InputNorm;

#[normalize(kind = "layer", cast = before_weight)]
pub struct FinalNorm {
    pub weight: [f64; 768],
    pub bias: [f64; 768],
}

fn main() {}
