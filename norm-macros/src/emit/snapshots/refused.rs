// #[normalize(kind = "rsm", shape = [_, 0])] pub struct Norm { pub weight: [f32; 8] }
// Bodies of kernels: none.

::core::compile_error! {
    "unknown kind `rsm`, did you mean `rms`?\nhelp: the kinds are: \"rms\", \"layer\", \"batch\", \"group\", \"instance\", \"weight\""
}
::core::compile_error! {
    "`shape`: expected a size of at least 1, found 0\nhelp: write `_` for a size known only at run time, which may be 0 there"
}
pub struct Norm {
    pub weight: [f32; 8],
    #[allow(missing_docs)]
    pub bias: ::normkit::Param<f32>,
}
#[allow(missing_docs)]
#[derive(::core::clone::Clone, ::core::fmt::Debug, ::core::cmp::PartialEq)]
pub struct NormGrads {
    pub weight: ::normkit::Param<f32>,
    pub bias: ::normkit::Param<f32>,
}
#[allow(missing_docs, dead_code)]
impl NormGrads {
    pub fn new() -> Self {
        ::core::panic!("the layer was refused at compile time")
    }
    pub fn zero(&mut self) {}
}
impl ::core::default::Default for NormGrads {
    fn default() -> Self {
        ::core::panic!("the layer was refused at compile time")
    }
}
#[allow(missing_docs, dead_code)]
impl Norm {
    pub const PLAN: &'static ::core::primitive::str = "";
    pub const KERNEL: ::normkit::Kernel = ::normkit::Kernel::refused();
    pub fn new() -> Self {
        ::core::panic!("the layer was refused at compile time")
    }
    pub fn forward<X, Y>(
        &self,
        _: X,
        _: Y,
    ) -> ::core::result::Result<(), ::normkit::NormError> {
        ::core::panic!("the layer was refused at compile time")
    }
    pub fn forward_inplace<X>(
        &self,
        _: X,
    ) -> ::core::result::Result<(), ::normkit::NormError> {
        ::core::panic!("the layer was refused at compile time")
    }
    pub fn forward_train<X, Y>(
        &self,
        _: X,
        _: Y,
        _: &mut ::normkit::Saved<f32>,
    ) -> ::core::result::Result<(), ::normkit::NormError> {
        ::core::panic!("the layer was refused at compile time")
    }
    pub fn backward<X, Y, Z>(
        &self,
        _: X,
        _: Y,
        _: &::normkit::Saved<f32>,
        _: Z,
        _: &mut NormGrads,
    ) -> ::core::result::Result<(), ::normkit::NormError> {
        ::core::panic!("the layer was refused at compile time")
    }
}
impl ::core::default::Default for Norm {
    fn default() -> Self {
        ::core::panic!("the layer was refused at compile time")
    }
}
impl ::normkit::NormLayer for Norm {
    fn spec(&self) -> &'static ::normkit::Spec {
        ::core::panic!("the layer was refused at compile time")
    }
    fn params(
        &self,
    ) -> ::std::vec::Vec<(&'static ::core::primitive::str, ::normkit::Tensor<'_>)> {
        ::core::panic!("the layer was refused at compile time")
    }
    fn params_mut(
        &mut self,
    ) -> ::std::vec::Vec<(&'static ::core::primitive::str, ::normkit::TensorMut<'_>)> {
        ::core::panic!("the layer was refused at compile time")
    }
    fn plan(&self) -> &'static ::core::primitive::str {
        ::core::panic!("the layer was refused at compile time")
    }
}
