use normkit::normalize;

pub struct Linear;

#[normalize(deny(norm_before_output))]
pub struct Head {
    pub hidden: Linear,
    #[norm(kind = "layer", shape = [_, 768])] pub norm: HeadNorm,
}

fn main() {}
