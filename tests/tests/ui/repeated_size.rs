use normkit::norm;

fn main() {
    let _kernel = norm!(kind = "rms", shape = [_, 768 | 1024 | 768]);
}
