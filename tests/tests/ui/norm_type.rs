use normkit::normalize;

#[normalize]
pub struct DecoderLayer<T> {
    #[norm(kind = "rms", shape = [_, 4096])]
    pub input_norm: Vec<f32>,
    #[norm(kind = "rms", shape = [_, 4096])]
    pub post_norm: T,
    #[norm(kind = "rms", shape = [_, 128])]
    pub q_norm: f32,
}

fn main() {}
