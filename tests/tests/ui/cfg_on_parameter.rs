use normkit::normalize;

#[normalize(kind = "layer")]
pub struct FinalNorm {
    pub weight: [f32; 768],
    #[cfg(not(windows))]
    pub bias: [f32; 768],
}

#[normalize(kind = "rms", eps = _)]
pub struct InputNorm {
    pub weight: [f32; 4096],
    #[cfg(not(windows))]
    pub eps: f32,
}

fn main() {
    // Nothing more is said of it.
    let _ = (FinalNorm::new().forward(&[0.0; 768], &mut [0.0; 768]), InputNorm::new().eps);
}
