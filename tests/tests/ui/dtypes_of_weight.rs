use normkit::normalize;

#[normalize(kind = "weight", shape = [512, 256], dtype = f32 | bf16)]
pub struct Projection;

fn main() {}
