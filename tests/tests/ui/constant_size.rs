use normkit::norm;

const HIDDEN: usize = 4096;

fn main() {
    let _kernel = norm!(kind = "rms", shape = [_, HIDDEN]);
    assert_eq!(HIDDEN, 4096);
}
