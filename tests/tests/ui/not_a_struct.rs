use normkit::normalize;

#[normalize(kind = "rms", shape = [_, 4096])]
pub enum Norm {
    Input,
    Output,
}

#[normalize(kind = "rms", shape = [_, 4096])]
pub union Either {
    pub weight: [f32; 4096],
    pub bits: [u32; 4096],
}

#[normalize(kind = "rms", shape = [_, 4096])]
pub fn input_norm(x: &mut [f32]) {
    x.fill(0.0);
}

#[normalize]
pub enum Layer {
    Normalized(#[norm(kind = "rms", shape = [_, 4096])] Norm),
    Plain { #[norm] norm: Norm },
}

fn main() {
    input_norm(&mut [1.0]);
    let _ = (Layer::Normalized(Norm::Input), Layer::Plain { norm: Norm::Output }, Either { bits: [0; 4096] });
}
