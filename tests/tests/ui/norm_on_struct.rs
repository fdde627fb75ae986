use normkit::normalize;

#[normalize(kind = "rms", shape = [_, 4096])]
#[norm(eps = 1e-6)]
pub struct InputNorm;

#[normalize]
#[norm(kind = "layer", shape = [_, 768])]
pub struct FinalNorm;

fn main() {
    let _ = InputNorm::new().forward(&[0.0; 4096], &mut [0.0; 4096]);
}
