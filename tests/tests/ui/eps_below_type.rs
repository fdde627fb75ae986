use normkit::norm;

fn main() {
    let _ = norm!(kind = "rms", shape = [_, 4096], eps = 1e-8, dtype = f16, deny(eps_below_type));
}
