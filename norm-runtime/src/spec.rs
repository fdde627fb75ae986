//! The description of a kernel that run-time checks work from.

/// What is known of one axis of the shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dim {
    /// `_`, or a family with `_` as one of its alternatives.
    Any,
    /// A number.
    Fixed(usize),
    /// A family without `_`.
    OneOf(&'static [usize]),
}

/// Which parameters are applied after normalization.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Affine {
    /// None.
    None,
    /// A weight.
    Weight,
    /// A weight and a bias.
    WeightAndBias,
}

/// What a kernel was generated for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spec {
    /// The technique: `"rms"`, `"layer"`.
    pub kind: &'static str,
    /// The shape of `x` and `y`.
    pub shape: &'static [Dim],
    /// How many axes of `shape` lead, so are not normalized; the rest is normalized together.
    pub leading: usize,
    /// Whether the mean is subtracted.
    pub centred: bool,
    /// Which parameters there are.
    pub affine: Affine,
    /// The value in force where `eps` is not given at run time.
    pub eps: f64,
    /// The element type of `x` and `y`: `"f32"`.
    pub dtype: &'static str,
    /// The element type of the parameters.
    pub param: &'static str,
}

impl Spec {
    /// The axes that are normalized.
    #[must_use]
    pub fn trailing(&self) -> &'static [Dim] {
        &self.shape[self.leading..]
    }

    /// How many elements are normalized together, where the shape tells.
    #[must_use]
    pub fn normalized_len(&self) -> Option<usize> {
        self.trailing().iter().try_fold(1, |product, dim| match dim {
            Dim::Fixed(n) => Some(product * n),
            _ => None,
        })
    }
}
