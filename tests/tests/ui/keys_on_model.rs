use normkit::normalize;

#[normalize(kind = "rms", shape = [_, 4096])]
pub struct DecoderLayer {
    #[norm(kind = "rms", shape = [_, 4096])]
    pub input_norm: InputNorm,
}

fn main() {}
