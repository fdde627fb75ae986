use normkit::normalize;

#[normalize]
pub struct DecoderLayer {
    #[norm(kind = "rms", shape = [_, 4096])]
    #[norm(kind = "layer", shape = [_, 4096])]
    pub input_norm: InputNorm,
}

fn main() {}
