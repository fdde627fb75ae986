use normkit::norm;

fn main() {
    let _kernel = norm!(kind = "layer", shape = [_, 16 | 32, 64 | 128], axis = 1..);
}
