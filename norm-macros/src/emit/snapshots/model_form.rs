// #[normalize(crate = mine::normkit)] on a model; what is inside of `const _` left out.

/// A block.
#[derive(Clone)]
pub(crate) struct Block<'a, T: Copy, const N: usize>
where
    T: 'a,
{
    /// First.
    pub input: InputNorm,
    other: &'a [T; N],
    #[cfg(feature = "last")]
    r#final: FinalNorm,
}
#[allow(single_use_lifetimes)]
impl<'a, T: Copy, const N: usize> Block<'a, T, N>
where
    T: 'a,
{
    /// The normalization layers, by field name, in the order of fields.
    pub(crate) fn norms<'normkit_model>(
        &'normkit_model self,
    ) -> impl ::core::iter::Iterator<
        Item = (
            &'static ::core::primitive::str,
            &'normkit_model dyn mine::normkit::NormLayer,
        ),
    > + use<'normkit_model, T, N> {
        mine::normkit::__private::layer::norms::<
            (&'static ::core::primitive::str, &dyn mine::normkit::NormLayer),
            _,
        >([("input", &self.input), #[cfg(feature = "last")] ("final", &self.r#final)])
    }
    /// The normalization layers, by field name, in the order of fields, to be written.
    pub(crate) fn norms_mut<'normkit_model>(
        &'normkit_model mut self,
    ) -> impl ::core::iter::Iterator<
        Item = (
            &'static ::core::primitive::str,
            &'normkit_model mut dyn mine::normkit::NormLayer,
        ),
    > + use<'normkit_model, T, N> {
        mine::normkit::__private::layer::norms::<
            (&'static ::core::primitive::str, &mut dyn mine::normkit::NormLayer),
            _,
        >([
            ("input", &mut self.input),
            #[cfg(feature = "last")]
            ("final", &mut self.r#final),
        ])
    }
}
///The layer of the field `input` of `Block`.
#[derive(::core::clone::Clone, ::core::fmt::Debug, ::core::cmp::PartialEq)]
pub(crate) struct InputNorm {
    ///What each normalized element is multiplied with.
    pub weight: mine::normkit::Param<f32>,
}
///The gradients of the parameters of [`InputNorm`]; `backward` adds to them.
#[derive(::core::clone::Clone, ::core::fmt::Debug, ::core::cmp::PartialEq)]
pub(crate) struct InputNormGrads {
    ///The gradient of `weight`.
    pub weight: mine::normkit::Param<f32>,
}
impl InputNormGrads {
    /// All zero.
    #[must_use]
    pub fn new() -> Self {
        InputNormGrads {
            weight: mine::normkit::Param::filled(0.0, 20),
        }
    }
    /// Makes all of them zero.
    pub fn zero(&mut self) {
        <[f32]>::fill(&mut self.weight, 0.0);
    }
}
impl ::core::default::Default for InputNormGrads {
    fn default() -> Self {
        Self::new()
    }
}
const _: () = {};
#[cfg(feature = "last")]
///The layer of the field `final` of `Block`.
#[derive(::core::clone::Clone, ::core::fmt::Debug, ::core::cmp::PartialEq)]
pub(crate) struct FinalNorm {
    ///What each normalized element is multiplied with.
    pub weight: mine::normkit::Param<f32>,
    ///What is added to each normalized element.
    pub bias: mine::normkit::Param<f32>,
    ///Added to the mean square inside the root.
    pub eps: f32,
}
#[cfg(feature = "last")]
///The gradients of the parameters of [`FinalNorm`]; `backward` adds to them.
#[derive(::core::clone::Clone, ::core::fmt::Debug, ::core::cmp::PartialEq)]
pub(crate) struct FinalNormGrads {
    ///The gradient of `weight`.
    pub weight: mine::normkit::Param<f32>,
    ///The gradient of `bias`.
    pub bias: mine::normkit::Param<f32>,
}
#[cfg(feature = "last")]
impl FinalNormGrads {
    /// All zero.
    #[must_use]
    pub fn new(len: usize) -> Self {
        FinalNormGrads {
            weight: mine::normkit::Param::filled(0.0, len),
            bias: mine::normkit::Param::filled(0.0, len),
        }
    }
    /// Makes all of them zero.
    pub fn zero(&mut self) {
        <[f32]>::fill(&mut self.weight, 0.0);
        <[f32]>::fill(&mut self.bias, 0.0);
    }
}
#[cfg(feature = "last")]
const _: () = {};
