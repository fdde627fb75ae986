use normkit::normalize;

pub struct Linear;

#[normalize(deny(norm_before_output))]
pub struct LanguageModel {
    pub embedding: Linear,
    pub lm_head: Linear,
    #[norm(kind = "layer", shape = [_, 768])] pub norm: FinalNorm,
}

#[normalize(deny(norm_before_output))]
pub struct ImageNet {
    pub conv: Linear,
    pub dense: Linear,
    #[norm(kind = "batch", shape = [_, 10])] pub bn: Bn,
}

fn main() {}
