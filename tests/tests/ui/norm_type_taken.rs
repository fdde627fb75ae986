use normkit::normalize;

#[normalize]
pub struct DecoderLayer {
    #[norm(kind = "rms", shape = [_, 4096])]
    pub input_norm: Norm,
    #[norm(kind = "rms", shape = [_, 4096])]
    pub post_norm: Norm,
}

fn main() {}
