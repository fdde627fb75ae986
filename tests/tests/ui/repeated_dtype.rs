use normkit::norm;

fn main() {
    let _kernel = norm!(kind = "rms", shape = [_, 4096], dtype = f32 | bf16 | f32);
}
