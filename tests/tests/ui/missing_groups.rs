use normkit::normalize;

#[normalize(kind = "group", shape = [_, 320, 64, 64])]
pub struct ResidualNorm;

fn main() {
    let _kernel = normkit::norm!(kind = "group", shape = [_, 12, _, _]);
}
