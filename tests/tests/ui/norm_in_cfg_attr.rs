use normkit::normalize;

#[normalize]
pub struct DecoderLayer {
    #[cfg_attr(not(feature = "other"), norm(kind = "rms", shape = [_, 4096]))]
    pub input_norm: InputNorm,
    #[norm(kind = "rms", shape = [_, 4096])]
    pub post_norm: PostNorm,
}

fn main() {
    let layer = DecoderLayer { input_norm: InputNorm::new(), post_norm: PostNorm::new() };
    let _ = layer.norms().count();
}
