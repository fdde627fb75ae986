use normkit::normalize;

#[normalize(kind = "layer", shape = [_, 768], dtype = bf16 | f64)]
pub struct FinalNorm;

fn main() {
    let _kernel = normkit::norm!(kind = "rms", shape = [_, 4096], dtype = f64 | f32);
}
