use normkit::normalize;

#[normalize(kind = "rms")]
pub struct InputNorm<const N: usize> {
    pub weight: [f32; N],
}

fn main() {}
