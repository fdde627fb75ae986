// Nothing of ours runs where `#[normalize]` is missing, so the words are the compiler's.

pub struct DecoderLayer {
    #[norm(kind = "rms", shape = [_, 4096])]
    pub input_norm: InputNorm,
}

mod imported {
    use normkit::norm;

    pub struct DecoderLayer {
        #[norm(kind = "rms", shape = [_, 4096])]
        pub input_norm: InputNorm,
    }

    pub fn kernel() {
        let _ = norm!(kind = "rms", shape = [_, 4096]);
    }
}

fn main() {}
