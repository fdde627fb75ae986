//! Without the prelude, nothing is in scope that is not asked for.

#![no_implicit_prelude]
#![forbid(unsafe_code)]
#![deny(warnings, missing_docs, clippy::pedantic)]

/// A layer.
#[::normkit::normalize(kind = "layer", shape = [_, 8])]
#[derive(Clone, Debug, PartialEq)]
pub struct Layer;

/// A family with a field of run time.
#[::normkit::normalize(kind = "rms", shape = [_, 8 | 16 | _], eps = _)]
#[derive(Clone, Debug, PartialEq)]
pub struct Family {
    /// The weight.
    pub weight: ::std::vec::Vec<f32>,
}

/// A model.
#[::normkit::normalize]
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Model<'a, T: 'a, const N: usize = 1> {
    /// The first layer.
    #[norm(kind = "rms", shape = [_, 8])]
    pub first: First,
    #[cfg(not(doc))]
    #[norm(kind = "layer", shape = [_, 8])]
    second: Second,
    other: ::std::option::Option<&'a [T; N]>,
}

/// What a lint is about.
#[allow(deprecated)]
mod warned {
    /// A layer.
    #[::normkit::normalize(kind = "layer", shape = [_, 8], eps = 1e-2)]
    #[derive(Debug)]
    pub struct Layer;
}

#[test]
fn what_is_warned_of_is_there() {
    ::std::assert_eq!(warned::Layer::new().weight.len(), 8);
}

#[test]
fn models_are_walked() {
    let mut model = <Model<'_, f32> as ::std::default::Default>::default();
    let mut found = 0;
    for (name, norm) in model.norms() {
        found += name.len() + norm.params().len();
    }
    for (_, norm) in model.norms_mut() {
        found += norm.params_mut().len();
    }
    ::std::assert_eq!((found, model.other), (11 + 3 + 3, ::std::option::Option::None));
}

#[test]
fn layers_and_kernels_run() {
    let x = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0];
    let (mut y, mut dx) = ([0.0; 8], [0.0; 8]);
    let mut saved = <::normkit::Saved<f32> as ::std::default::Default>::default();
    let (layer, mut grads) = (Layer::new(), LayerGrads::new());
    ::std::assert!(layer.forward_train(&x, &mut y, &mut saved).is_ok());
    ::std::assert!(layer.backward(&x, &y, &saved, &mut dx, &mut grads).is_ok());
    ::std::assert!(layer.forward_inplace(&mut y).is_ok());
    let family = Family::new(8).unwrap();
    ::std::assert!(family.forward(&x, &mut y).is_ok());
    ::std::assert!((y[7] - 8.0 / 25.5_f32.sqrt()).abs() < 1e-5);
    let kernel = ::normkit::norm!(kind = "rms", shape = [_, 8], eps = _);
    ::std::assert!(kernel.forward(&x, &[1.0; 8], 1e-6, &mut y).is_ok());
    ::std::assert!((y[7] - 8.0 / 25.5_f32.sqrt()).abs() < 1e-5);
}
