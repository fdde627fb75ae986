use normkit::normalize;

#[normalize(kind = "batch", shape = [_, 64, 56, 56], axis = [2, 3])]
pub struct PixelNorm;

#[normalize(kind = "weight", shape = [512, 256, 3, 3], axis = 1..)]
pub struct ConvWeight;

fn main() {
    let _kernel = normkit::norm!(kind = "instance", shape = [_, 64, 56, 56], axis = [0, 1]);
}
