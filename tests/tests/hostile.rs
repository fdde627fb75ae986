//! Layers and kernels where generated code has the least to stand on: strict lints, no unsafe code, names of the standard
//! library taken, no imports.

#![forbid(unsafe_code)]
#![deny(
    warnings,
    missing_docs,
    missing_debug_implementations,
    unused_qualifications,
    unreachable_pub,
    clippy::pedantic,
    clippy::undocumented_unsafe_blocks
)]

/// Eight numbers whose mean square is 25.5 and whose mean is 4.5.
const X: [f32; 8] = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0];

/// Whether `found` is what root mean square normalization makes of [`X`].
fn is_rms(found: &[f32]) -> bool {
    found.len() == 8 && found.iter().zip(X).all(|(y, x)| (y - x / 25.5_f32.sqrt()).abs() < 1e-5)
}

/// Whether `found` is what layer normalization makes of [`X`].
fn is_layer(found: &[f32]) -> bool {
    found.len() == 8 && found.iter().zip(X).all(|(y, x)| (y - (x - 4.5) / 5.25_f32.sqrt()).abs() < 1e-5)
}

/// Runs all methods of a layer over rows of eight.
macro_rules! exercise {
    ($layer:expr, $grads:expr, $right:path) => {{
        let (layer, mut grads, mut saved) = ($layer, $grads, normkit::Saved::default());
        let (mut y, mut dx) = ([0.0; 8], [0.0; 8]);
        layer.forward(&crate::X, &mut y).unwrap();
        assert!($right(&y));
        let mut z = crate::X;
        layer.forward_inplace(&mut z).unwrap();
        assert!($right(&z));
        layer.forward_train(&crate::X, &mut y, &mut saved).unwrap();
        assert!($right(&y));
        layer.backward(&crate::X, &y, &saved, &mut dx, &mut grads).unwrap();
        assert!(dx.iter().all(|dx| dx.abs() < 1e-3), "the gradient along the output is about zero: {dx:?}");
        let layer: &dyn normkit::NormLayer = &layer;
        assert!(layer.plan().contains("forward") && layer.buffers().is_empty());
        (grads, layer.params().iter().map(|(name, _)| *name).collect::<Vec<_>>())
    }};
}

mod storages {
    //! Each kind of field.

    use normkit::{Param, normalize};

    /// Everything is added.
    #[normalize(kind = "layer", shape = [_, 8])]
    #[derive(Clone, Debug, PartialEq)]
    pub(crate) struct Unit;

    /// An array.
    #[normalize(kind = "rms")]
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub(crate) struct Array {
        /// The weight.
        pub(crate) weight: [f32; 8],
    }

    /// Arrays on the heap, with names of other frameworks.
    #[normalize(kind = "layer")]
    #[derive(Clone, Debug, PartialEq)]
    pub(crate) struct Boxed {
        pub(crate) gamma: Box<[f32; 8]>,
        beta: Box<[f32; 8]>,
    }

    /// A vector, and one parameter that is added.
    #[normalize(kind = "layer", shape = [_, 8])]
    #[derive(Clone, Debug, PartialEq)]
    pub(crate) struct Vector {
        pub(crate) scale: Vec<f32>,
    }

    /// Our own memory, beside fields that are none of ours.
    #[normalize(kind = "layer", shape = [_, 8])]
    #[derive(Clone, Debug, PartialEq)]
    pub(crate) struct Own {
        pub(crate) name: String,
        pub(crate) weight: Param<f32>,
        steps: Option<u64>,
        pub(crate) shift: Param<f32>,
    }

    /// No parameters.
    #[normalize(kind = "layer", shape = [_, 8], affine = false)]
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub(crate) struct Plain {}

    #[test]
    fn all_of_them_run() {
        use super::{X, is_layer, is_rms};
        let (grads, names) = exercise!(Unit::new(), UnitGrads::new(), is_layer);
        assert_eq!(names, ["weight", "bias"]);
        assert!((grads.bias[0] - (X[0] - 4.5) / 5.25_f32.sqrt()).abs() < 1e-5);
        assert_eq!(Unit::default(), Unit::new().clone());
        let (grads, names) = exercise!(Array::new(), ArrayGrads::new(), is_rms);
        assert_eq!((names, grads.weight.len()), (vec!["weight"], 8));
        let (grads, names) = exercise!(Boxed::new(), BoxedGrads::default(), is_layer);
        assert_eq!((names, grads.gamma.len(), grads.beta.len()), (vec!["gamma", "beta"], 8, 8));
        let (grads, names) = exercise!(Vector::new(), VectorGrads::new(), is_layer);
        assert_eq!((names, grads.scale.len(), grads.bias.len()), (vec!["scale", "bias"], 8, 8));
        let own = Own { name: "first".into(), ..Own::default() };
        assert_eq!((own.name.as_str(), own.steps, own.shift[0]), ("first", None, 0.0));
        let (mut grads, names) = exercise!(own, OwnGrads::new(), is_layer);
        assert_eq!(names, ["weight", "shift"]);
        grads.zero();
        assert_eq!(grads, OwnGrads::new());
        let (_, names) = exercise!(Plain::new(), PlainGrads::new(), is_layer);
        assert!(names.is_empty());
    }
}

mod decorated {
    //! What stands on and around the struct.

    /// With lifetimes, and a bound.
    #[normkit::normalize(kind = "rms")]
    #[cfg(test)]
    #[derive(Clone, Debug, PartialEq)]
    pub(crate) struct Named<'a, 'b>
    where
        'a: 'b,
    {
        weight: [f32; 8],
        pub(crate) name: &'a str,
        parts: Vec<&'b str>,
    }

    /// Present.
    #[cfg(test)]
    #[normkit::normalize(kind = "rms", shape = [_, 8])]
    #[cfg(not(any()))]
    #[allow(dead_code)]
    struct Private;

    /// Absent, so its mistake is too.
    #[normkit::normalize(kind = "none")]
    #[cfg(any())]
    struct Absent;

    mod deeper {
        mod deepest {
            /// As visible as it says.
            #[normkit::normalize(kind = "rms", shape = [_, 8])]
            #[derive(Debug)]
            pub(in super::super) struct Norm;
        }
        pub(super) use deepest::{Norm, NormGrads};
    }

    #[test]
    fn all_of_them_run() {
        use super::is_rms;
        let name = String::from("attention");
        let named = Named { name: &name, ..Named::new() };
        assert_eq!((named.name, named.parts.len(), named.clone().weight), ("attention", 0, [1.0; 8]));
        exercise!(named, NamedGrads::new(), is_rms);
        exercise!(Private::new(), PrivateGrads::new(), is_rms);
        exercise!(deeper::Norm::new(), deeper::NormGrads::new(), is_rms);
    }

    #[test]
    fn inside_of_a_function() {
        use super::is_rms;
        #[normkit::normalize(kind = "rms", shape = [_, 8])]
        struct Norm;
        {
            #[normkit::normalize(kind = "layer", shape = [_, 8])]
            struct Norm;
            exercise!(Norm::new(), NormGrads::new(), super::is_layer);
        }
        exercise!(Norm::new(), NormGrads::new(), is_rms);
    }

    macro_rules! define {
        ($kind:ident, $name:ident, $n:literal, $eps:expr) => {
            #[normkit::normalize(kind = $kind, shape = [_, $n])]
            struct $name;
        };
    }

    macro_rules! define_model {
        ($name:ident { $($field:ident: $ty:ty = $kind:literal of $n:expr),* }) => {
            #[normkit::normalize(allow(mixed_kinds))]
            struct $name { $(#[norm(kind = $kind, shape = [_, $n])] $field: $ty),* }
        };
    }

    #[test]
    fn through_another_macro() {
        define!(rms, Norm, 8, 1e-6);
        exercise!(Norm::new(), NormGrads::new(), super::is_rms);
        define_model!(Model { first: First = "rms" of 8, second: Second = "layer" of 8 });
        let model = Model { first: First::new(), second: Second::new() };
        assert_eq!(model.norms().map(|(name, _)| name).collect::<Vec<_>>(), ["first", "second"]);
        exercise!(model.first, FirstGrads::new(), super::is_rms);
        exercise!(model.second, SecondGrads::new(), super::is_layer);
    }
}

mod models {
    //! `#[norm(...)]` fields, with nothing allowed and little said.
    #![deny(single_use_lifetimes, trivial_casts, unnameable_types, unused_lifetimes)]

    use normkit::normalize;

    /// Derives on both sides of the attribute, and what is private.
    #[derive(Clone)]
    #[normalize(allow(mixed_kinds))]
    #[derive(Debug, Default, PartialEq)]
    pub(crate) struct Model {
        #[norm(kind = "rms", shape = [_, 8])]
        first: First,
        /// Documented.
        #[norm(kind = "layer", shape = [_, 8])]
        #[doc(hidden)]
        pub second: Second,
    }

    /// All generics, none of them said twice.
    #[normalize]
    #[derive(Debug)]
    pub(crate) struct Generic<'a, T, const N: usize> {
        pub(crate) others: [(&'a str, &'a T); N],
        #[norm(kind = "rms", shape = [_, 8])]
        pub norm: OfGeneric,
    }

    /// Its methods are nobody's.
    #[normalize]
    #[derive(Default)]
    struct Unwalked {
        #[norm(kind = "rms", shape = [_, 8])]
        norm: OfUnwalked,
    }

    mod deeper {
        /// As visible as it says.
        #[normkit::normalize]
        #[derive(Debug, Default)]
        pub(in super::super) struct Model {
            #[norm(kind = "rms", shape = [_, 8])]
            pub(in super::super) norm: Norm,
        }
    }

    #[test]
    fn all_of_them_run() {
        use super::{is_layer, is_rms};
        let mut model = Model::default();
        assert_eq!((model.norms().count(), model.norms_mut().count()), (2, 2));
        assert_eq!(model.clone(), model);
        exercise!(model.first, FirstGrads::new(), is_rms);
        exercise!(model.second, SecondGrads::new(), is_layer);
        let generic = Generic { others: [("a", &1)], norm: OfGeneric::new() };
        assert_eq!((generic.norms().count(), generic.others[0].1), (1, &1));
        exercise!(generic.norm, OfGenericGrads::new(), is_rms);
        exercise!(Unwalked::default().norm, OfUnwalkedGrads::new(), is_rms);
        let model = deeper::Model::default();
        assert_eq!(model.norms().count(), 1);
        exercise!(model.norm, deeper::NormGrads::new(), is_rms);
    }

    #[test]
    fn inside_of_a_function() {
        #[normalize]
        struct Model {
            #[norm(kind = "rms", shape = [_, 8])]
            norm: Norm,
        }
        let model = Model { norm: Norm::new() };
        assert_eq!(model.norms().count(), 1);
        exercise!(model.norm, NormGrads::new(), super::is_rms);
    }
}

mod linted {
    //! What lints are about: allowed by our key, and by Rust's, which leaves nothing else to complain of.

    use normkit::{norm, normalize};

    /// Allowed on the layer.
    #[normalize(kind = "layer", shape = [_, 8], eps = 1e-4, allow(eps_unusual))]
    #[derive(Debug)]
    pub(crate) struct Allowed;

    #[test]
    fn allowed_in_a_function() {
        /// Allowed on the model.
        #[normalize(allow(mixed_kinds, eps_unusual, norm_before_output))]
        struct Model {
            #[norm(kind = "rms", shape = [_, 8], eps = 1e-12)]
            first: First,
            text: String,
            #[norm(kind = "layer", shape = [_, 8], eps = 1e-12, allow(layer_of_one))]
            last: Last,
        }
        let model = Model { first: First::new(), text: String::new(), last: Last::new() };
        assert_eq!((model.norms().count(), model.text.len()), (2, 0));
        exercise!(model.first, FirstGrads::new(), super::is_rms);
        exercise!(model.last, LastGrads::new(), super::is_layer);
        let mut y = [0.0; 8];
        let kernel = norm!(kind = "rms", shape = [_, 8], eps = 1e-12, affine = false, allow(eps_unusual));
        kernel.forward(&super::X, &mut y).unwrap();
        assert!(super::is_rms(&y) && Allowed::new().weight.len() == 8);
    }

    #[allow(deprecated)]
    mod warned {
        /// Two warnings.
        #[normkit::normalize(kind = "batch", shape = [2, 8], eps = 0)]
        #[cfg(not(any()))]
        #[derive(Debug)]
        pub(crate) struct Layer;

        /// Not there, nor are its warnings.
        #[normkit::normalize(kind = "batch", shape = [2, 8], eps = 0)]
        #[cfg(any())]
        #[derive(Debug)]
        pub(crate) struct Layer;

        /// Three more, with that of the kernel below.
        #[normkit::normalize]
        #[derive(Debug, Default)]
        pub(crate) struct Model {
            #[norm(kind = "rms", shape = [_, 8])]
            first: First,
            text: String,
            #[norm(kind = "layer", shape = [_, 8])]
            last: Last,
        }

        #[test]
        fn they_run() {
            let model = Model::default();
            assert_eq!((model.norms().count(), model.text.len(), Layer::new().weight.len()), (2, 0, 8));
            exercise!(model.first, FirstGrads::new(), crate::is_rms);
            exercise!(model.last, LastGrads::new(), crate::is_layer);
            let mut y = [0.0; 8];
            normkit::norm!(kind = "rms", shape = [_, 8], eps = 0, affine = false).forward(&crate::X, &mut y).unwrap();
            assert!(crate::is_rms(&y));
        }
    }
}

mod visible {
    //! Every visibility: what is generated is as visible as the struct, and no more.
    #![deny(private_bounds, private_interfaces, unnameable_types)]
    #![allow(unreachable_pub)]

    pub mod deeper {
        //! The layers.

        #[normkit::normalize(kind = "layer", shape = [_, 8])]
        struct Private;

        #[normkit::normalize(kind = "layer", shape = [_, 8])]
        pub(self) struct OfItself;

        /// The module around sees it.
        #[normkit::normalize(kind = "layer", shape = [_, 8])]
        #[derive(Debug)]
        pub(super) struct OfParent;

        /// So does one further out.
        #[normkit::normalize(kind = "layer", shape = [_, 8], eps = _)]
        #[derive(Debug)]
        pub(in crate::visible) struct OfPath;

        /// All see it, and not its field.
        #[normkit::normalize(kind = "rms")]
        #[derive(Debug)]
        pub struct Public {
            weight: [f32; 8],
        }

        #[normkit::normalize]
        struct Model {
            #[norm(kind = "layer", shape = [_, 8])]
            pub norm: Norm,
        }

        #[test]
        fn from_inside() {
            exercise!(Private::new(), PrivateGrads::new(), crate::is_layer);
            exercise!(OfItself::new(), OfItselfGrads::new(), crate::is_layer);
            assert_eq!(Model { norm: Norm::new() }.norms().count(), 1);
            assert!((Public::new().weight[0] - 1.0).abs() < 1e-6);
        }
    }

    #[test]
    fn from_outside() {
        exercise!(deeper::OfParent::new(), deeper::OfParentGrads::new(), super::is_layer);
        exercise!(deeper::OfPath::new(), deeper::OfPathGrads::new(), super::is_layer);
        exercise!(deeper::Public::new(), deeper::PublicGrads::new(), super::is_rms);
    }
}

mod third {
    //! A crate that passes ours on.

    pub(crate) mod inner {
        pub(crate) use ::normkit;
    }
}

mod through {
    /// Ours, by another way.
    #[crate::third::inner::normkit::normalize(kind = "rms", shape = [_, 8], crate = crate::third::inner::normkit)]
    #[derive(Debug)]
    pub(crate) struct Path;

    /// The same as a string.
    #[normkit::normalize(kind = "rms", crate = "super::third::inner::normkit")]
    #[derive(Debug)]
    pub(crate) struct Text {
        weight: [f32; 8],
    }

    /// A model whose fields follow it.
    #[normkit::normalize(crate = crate::third::inner::normkit)]
    #[derive(Debug)]
    pub(crate) struct Model {
        #[norm(kind = "rms", shape = [_, 8])]
        first: First,
        #[norm(kind = "rms", shape = [_, 8], crate = "::normkit")]
        second: Second,
    }

    #[test]
    fn a_re_export() {
        let model = Model { first: First::new(), second: Second::new() };
        assert_eq!(model.norms().count(), 2);
        exercise!(model.first, FirstGrads::new(), super::is_rms);
        exercise!(model.second, SecondGrads::new(), super::is_rms);
        exercise!(Path::new(), PathGrads::new(), super::is_rms);
        exercise!(Text::new(), TextGrads::new(), super::is_rms);
        let kernel = normkit::norm!(kind = rms, shape = [_, 8], crate = crate::third::inner::normkit);
        let mut y = [0.0; 8];
        kernel.forward(&super::X, &[1.0; 8], &mut y).unwrap();
        assert!(super::is_rms(&y));
    }
}

mod shadowed {
    //! Names of the standard library and of generated code mean something else here.
    #![allow(dead_code, non_camel_case_types, clippy::builtin_type_shadow, clippy::items_after_statements)]

    struct Option;
    struct Result;
    struct Vec;
    struct Box;
    struct String;
    struct Some;
    struct Ok;
    struct Kernels;
    struct NormKernel;
    struct Saved;
    struct Param;
    struct View;
    static SPEC: u8 = 0;
    mod core {}
    mod std {}
    mod alloc {}
    trait Into<T> {
        fn into(self) -> T;
    }
    impl<A> Into<Option> for A {
        fn into(self) -> Option {
            Option
        }
    }
    trait Default {
        fn default() -> u8;
    }
    impl<A> Default for A {
        fn default() -> u8 {
            0
        }
    }
    trait Add {
        fn add(self, _: usize);
        fn min(self);
        fn fill(self, _: f32);
        fn as_ptr(&self) -> *const f32;
        fn map(self);
    }
    impl<A> Add for A {
        fn add(self, _: usize) {}
        fn min(self) {}
        fn fill(self, _: f32) {}
        fn as_ptr(&self) -> *const f32 {
            8 as *const f32
        }
        fn map(self) {}
    }
    trait Clone {}
    trait Copy {}
    trait Debug {}
    trait From {}
    trait PartialEq {}
    fn forward() {}
    fn backward() {}
    fn drop() {}
    #[allow(unused_macros)]
    macro_rules! vec {
        () => {};
    }
    #[allow(unused_macros)]
    macro_rules! panic {
        () => {};
    }

    #[normkit::normalize(kind = "layer", shape = [_, 8])]
    struct Norm;

    #[normkit::normalize(kind = "rms", shape = [_, 8], eps = _)]
    struct Late;

    trait Iterator {}
    trait IntoIterator {
        fn into_iter(self);
    }
    impl<A> IntoIterator for A {
        fn into_iter(self) {}
    }
    trait NormLayer {}

    #[normkit::normalize]
    struct Model<str, usize> {
        #[norm(kind = "rms", shape = [_, 8])]
        norms: Inner,
        norm: (str, usize),
    }

    #[test]
    fn models_run() {
        let mut model = Model { norms: Inner::new(), norm: (1, 2) };
        for (name, norm) in model.norms_mut() {
            assert!(name == "norms" && norm.params().len() == 1);
        }
        let mut y = [0.0; 8];
        assert!(model.norms.forward(&super::X, &mut y).is_ok());
        assert!(super::is_rms(&y) && model.norm == (1, 2));
    }

    #[test]
    fn layers_and_kernels_run() {
        let mut y = [0.0; 8];
        assert!(Norm::new().forward(&super::X, &mut y).is_ok());
        assert!(super::is_layer(&y));
        assert!(Late::new().forward(&super::X, &mut y).is_ok());
        assert!(super::is_rms(&y));
        let (x, weight, a, n, row) = ((), 1.0_f32, 2.0_f32, 3.0_f32, 4.0_f32);
        let kernel = normkit::norm!(kind = "rms", shape = [_, 8]);
        assert!(kernel.forward(&super::X, &[weight; 8], &mut y).is_ok());
        assert!(super::is_rms(&y));
        assert_eq!((x, a + n + row), ((), 9.0));
    }
}

mod expressions {
    //! `norm!` wherever an expression may stand.

    use normkit::{NormError, norm};

    const _: () = {
        let _kernel = norm!(kind = "rms", shape = [_, 8]);
    };

    fn kernel_of_a_function(x: &[f32]) -> Result<[f32; 8], NormError> {
        let mut y = [0.0; 8];
        norm!(kind = "rms", shape = [_, 8]).forward(x, &[1.0; 8], &mut y)?;
        Ok(y)
    }

    #[test]
    fn in_functions_closures_and_constants() {
        assert!(super::is_rms(&kernel_of_a_function(&super::X).unwrap()));
        let closure = |x: &[f32]| {
            let mut y = x.to_vec();
            norm!(kind = "layer", shape = [_, 8]).forward(x, &[1.0; 8], &[0.0; 8], &mut y).map(|()| y)
        };
        assert!(super::is_layer(&closure(&super::X).unwrap()));
        let kernels = (norm!(kind = "rms", shape = [_, 8]), norm!(kind = "layer", shape = [_, 8], affine = false));
        let mut y = [0.0; 8];
        kernels.0.forward(&super::X, &[1.0; 8], &mut y).unwrap();
        assert!(super::is_rms(&y));
        kernels.1.forward(&super::X, &mut y).unwrap();
        assert!(super::is_layer(&y));
        let copy = kernels.1;
        assert_eq!(copy.plan(), kernels.1.plan());
        assert!(format!("{copy:?}").contains("Kernel") && copy.spec().shape.len() == 2);
    }

    #[test]
    fn eps_at_run_time_comes_after_the_parameters() {
        let kernel = norm!(kind = "layer", shape = [_, 8], eps = _);
        let (mut y, mut saved, mut dx) = ([0.0; 8], normkit::Saved::default(), [0.0; 8]);
        kernel.forward(&super::X, &[1.0; 8], &[0.0; 8], 1e-6, &mut y).unwrap();
        assert!(super::is_layer(&y));
        kernel.forward_train(&super::X, &[1.0; 8], &[0.0; 8], 1e-6, &mut y, &mut saved).unwrap();
        let (mut dweight, mut dbias) = ([0.0; 8], [0.0; 8]);
        kernel.backward(&super::X, &y, &[1.0; 8], &saved, &mut dx, &mut dweight, &mut dbias).unwrap();
        kernel.forward_inplace(&mut y, &[1.0; 8], &[0.0; 8], 1e-6).unwrap();
        assert!(super::is_layer(&y));
        let error = kernel.forward(&super::X, &[1.0; 8], &[0.0; 8], -1.0, &mut y).unwrap_err();
        assert!(matches!(error, NormError::Eps { found } if found < 0.0), "{error}");
    }
}

mod open {
    //! Lengths and eps of run time.

    use normkit::{NormError, normalize};

    /// A family.
    #[normalize(kind = "rms", shape = [_, 8 | 64 | 128])]
    #[derive(Clone, Debug, PartialEq)]
    pub(crate) struct Family;

    /// A family and all others.
    #[normalize(kind = "layer", shape = [_, 8 | 64 | _], eps = _)]
    #[derive(Clone, Debug, PartialEq)]
    pub(crate) struct Wide {
        pub(crate) weight: Vec<f32>,
    }

    /// Any length.
    #[normalize(kind = "layer", shape = [_, _])]
    #[derive(Clone, Debug, PartialEq)]
    pub(crate) struct Any;

    /// Any length, and nothing to own.
    #[normalize(kind = "rms", shape = [_, _], affine = false)]
    #[derive(Clone, Debug, PartialEq)]
    pub(crate) struct Nothing;

    #[test]
    fn a_family_has_its_sizes_and_no_other() -> Result<(), NormError> {
        exercise!(Family::new(8)?, FamilyGrads::new(8), super::is_rms);
        assert_eq!(Family::new(64)?.weight.len(), 64);
        let error = Family::new(65).unwrap_err();
        assert!(matches!(error, NormError::NotInFamily { found: 65, family: [8, 64, 128], .. }), "{error:?}");
        Ok(())
    }

    #[test]
    fn other_lengths_run_with_the_open_end() -> Result<(), NormError> {
        let mut layer = Wide::new(8)?;
        assert_eq!((layer.eps.to_bits(), layer.bias.len()), (1e-5_f32.to_bits(), 8));
        exercise!(layer.clone(), WideGrads::new(8), super::is_layer);
        assert_eq!(Wide::new(65)?.weight, [1.0; 65]);
        layer.eps = f32::NAN;
        let mut y = [0.0; 8];
        assert!(matches!(layer.forward((&super::X[..], [1, 8]), &mut y), Err(NormError::Eps { .. })));
        assert!(y.iter().all(|y| *y == 0.0));
        Ok(())
    }

    #[test]
    fn any_length() -> Result<(), NormError> {
        let layer = Any::new(8)?;
        let mut y = [0.0; 8];
        layer.forward((&super::X[..], [1, 8]), &mut y)?;
        assert!(super::is_layer(&y));
        Nothing::new().forward((&super::X[..], [1, 8]), (&mut y[..], [1, 8]))?;
        assert!(super::is_rms(&y));
        let mut tall = [0.0; 8];
        Nothing::default().forward((&super::X[..], [8, 1]), (&mut tall[..], [8, 1]))?;
        assert!(tall.iter().all(|y| (y - 1.0).abs() < 1e-5), "{tall:?}");
        Ok(())
    }
}
