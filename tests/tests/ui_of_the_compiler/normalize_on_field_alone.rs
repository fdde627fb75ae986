// The attribute belongs on the struct; without it there, nothing of ours runs.

use normkit::normalize;

pub struct DecoderLayer {
    #[normalize(kind = "rms", shape = [_, 4096])]
    pub input_norm: f32,
}

fn main() {}
