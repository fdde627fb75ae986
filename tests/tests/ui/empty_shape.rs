use normkit::norm;

fn main() {
    let _kernel = norm!(kind = "rms", shape = []);
}
