use normkit::normalize;

#[normalize(deny(mixed_kinds))]
pub struct DecoderLayer {
    #[norm(kind = "rms", shape = [_, 4096])] pub input_norm: InputNorm,
    #[norm(kind = "layer", shape = [_, 4096])] pub post_norm: PostNorm,
}

fn main() {}
