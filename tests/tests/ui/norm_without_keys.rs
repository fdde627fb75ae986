use normkit::normalize;

#[normalize]
pub struct DecoderLayer {
    #[norm]
    pub input_norm: InputNorm,
}

fn main() {}
