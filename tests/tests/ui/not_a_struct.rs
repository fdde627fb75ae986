use normkit::normalize;

#[normalize(kind = "rms", shape = [_, 4096])]
pub enum Norm {
    Input,
    Output,
}

fn main() {}
