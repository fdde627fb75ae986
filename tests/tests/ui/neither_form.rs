use normkit::normalize;

pub struct Attention;

#[normalize]
pub struct DecoderLayer {
    pub attention: Attention,
}

fn main() {
    assert_eq!(DecoderLayer { attention: Attention }.norms().count(), 0);
}
