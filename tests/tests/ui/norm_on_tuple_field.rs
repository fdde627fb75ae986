use normkit::normalize;

#[normalize]
pub struct DecoderLayer(#[norm(kind = "rms", shape = [_, 4096])] pub InputNorm);

fn main() {}
