//! The rules: what is refused.

use super::Rule;

/// Sections `"what they are about":` of rules `NAME = "name", message, help, example, reference;`.
macro_rules! catalogue {
    ($($about:literal: $(
        $constant:ident = $name:literal, $message:literal, $help:literal, $example:literal, $reference:literal;
    )*)*) => {
        $($(pub const $constant: Rule =
            Rule { name: $name, message: $message, help: $help, example: $example, reference: $reference };)*)*
        /// What rules are about, and the rules.
        #[cfg(test)]
        pub const SECTIONS: &[(&str, &[&Rule])] = &[$(($about, &[$(&$constant),*])),*];
    };
}

/// All rules, in the order of the file.
#[cfg(test)]
pub fn catalogue() -> impl Iterator<Item = &'static Rule> {
    SECTIONS.iter().flat_map(|(_, rules)| rules.iter().copied())
}

catalogue! {
    "Keys and values":
    SYNTAX = "syntax",
        "expected `key = value`, found {}",
        "keys are separated by commas: `kind = \"rms\", axis = -1, eps = 1e-6`",
        r#"norm!(kind "rms", shape = [_, 4096])"#,
        "[Keys]";
    VALUE_SYNTAX = "value_syntax",
        "expected a value for `{}`, found {}",
        "values are names (`rms` or `\"rms\"`), numbers, `_`, lists in brackets, ranges like `1..`, and alternatives like `f32 | f64`",
        r#"norm!(kind = "rms", shape = [_, 4096], eps = 1e-6f32)"#,
        "[Keys]";
    UNKNOWN_KEY = "unknown_key",
        "unknown key `{}`{}",
        "{}the keys of `{}` are: {}",
        r#"#[normalize(kind = "layer", shape = [_, 768], epsilon = 1e-12)]
pub struct EmbeddingsNorm;"#,
        "[Keys]; the README's [Coming from PyTorch, Keras or Flax]";
    REPEATED_KEY = "repeated_key",
        "the key `{}` is given twice",
        "remove one of the two",
        r#"#[normalize(kind = "rms", eps = 1e-6, shape = [_, 4096], eps = 1e-5)]
pub struct InputNorm;"#,
        "[Keys]";
    UNKNOWN_LINT = "unknown_lint",
        "`{}`: unknown lint `{}`{}",
        "the lints are: {}",
        r#"#[normalize(kind = "rms", shape = [_, 4096], eps = 1e-4, allow(unusual_eps))]
pub struct InputNorm;"#,
        "[Lints]";
    MISSING_KIND = "missing_kind",
        "expected the key `kind`",
        "add `kind = \"rms\"`; the kinds are: {}",
        r#"#[normalize(shape = [_, 4096], eps = 1e-6)]
pub struct InputNorm;"#,
        "[Keys]";
    UNKNOWN_KIND = "unknown_kind",
        "unknown kind `{}`{}",
        "{}the kinds are: {}",
        r#"#[normalize(kind = "BatchNorm2d", shape = [_, 64, 56, 56])]
pub struct Bn1;"#,
        "[Keys]; the README's [Coming from PyTorch, Keras or Flax]";
    MISTYPED = "mistyped",
        "`{}`: expected {}, found {}",
        "{}",
        r#"#[normalize(kind = "layer", shape = [_, 768], axis = "last")]
pub struct FinalNorm;"#,
        "[Keys]";
    KEY_NOT_OF_KIND = "key_not_of_kind",
        "the kind `{}` takes no `{}`",
        "{}",
        r#"#[normalize(kind = "layer", shape = [_, 768], groups = 12)]
pub struct FinalNorm;"#,
        "[Keys]";
    MISSING_GROUPS = "missing_groups",
        "expected the key `groups`",
        "add `groups = {}`: the number of groups that the channels fall into",
        r#"#[normalize(kind = "group", shape = [_, 320, 64, 64])]
pub struct ResidualNorm;"#,
        "[Keys]; Wu and He, *Group Normalization* (2018); `torch.nn.GroupNorm`";
    GROUPS_DO_NOT_DIVIDE = "groups_do_not_divide",
        "`groups`: expected a number that divides the {} channels, found {}",
        "write {}, the nearest",
        r#"#[normalize(kind = "group", shape = [_, 320, 64, 64], groups = 48)]
pub struct ResidualNorm;"#,
        "[Keys]; Wu and He, *Group Normalization* (2018); `torch.nn.GroupNorm`";
    MOMENTUM_OUT_OF_RANGE = "momentum_out_of_range",
        "`momentum`: expected a number from 0 to 1, or `cumulative`, found {}",
        "it is the share of the new batch, as in PyTorch: `momentum = 0.1` is what Keras and Flax call 0.9",
        r#"#[normalize(kind = "batch", shape = [_, 64, 56, 56], momentum = 1.1)]
pub struct Bn1;"#,
        "[Batch normalization]; `torch.nn.BatchNorm2d`, `keras.layers.BatchNormalization`";
    EPS_OUT_OF_RANGE = "eps_out_of_range",
        "`eps`: expected a finite number of at least 0, found {}",
        "write `eps = {}`, the default, or leave the key out",
        r#"#[normalize(kind = "rms", shape = [_, 4096], eps = -1e-6)]
pub struct InputNorm;"#,
        "[Keys]; [Numerics]";
    EPS_VANISHES = "eps_vanishes",
        "`eps`: {} rounds to 0 in {}, the type that it is computed in",
        "write `eps = 0` if that is meant, or a larger number such as `eps = {}`",
        r#"#[normalize(kind = "rms", shape = [_, 4096], eps = 1e-60)]
pub struct InputNorm;"#,
        "[Numerics]";
    "Shapes and axes":
    MISSING_SHAPE = "missing_shape",
        "expected the key `shape`",
        "add `shape = [_, 4096]`, where `_` is a size known only at run time{}",
        r#"#[normalize(kind = "rms")]
pub struct InputNorm;"#,
        "[Keys]";
    EMPTY_SHAPE = "empty_shape",
        "`shape`: expected at least one axis, found none",
        "write `shape = [_, 4096]`",
        r#"norm!(kind = "rms", shape = [])"#,
        "[Keys]";
    TOO_MANY_AXES = "too_many_axes",
        "`shape`: expected at most 8 axes, found {}",
        "merge axes that lie next to each other",
        r#"norm!(kind = "rms", shape = [_, 2, 2, 2, 2, 2, 2, 2, 64])"#,
        "[Keys]; [Tensors]";
    ZERO_DIM = "zero_dim",
        "`shape`: expected a size of at least 1, found 0",
        "write `_` for a size known only at run time, which may be 0 there",
        r#"norm!(kind = "rms", shape = [_, 0])"#,
        "[Keys]";
    HUGE_SHAPE = "huge_shape",
        "`shape`: the normalized axes have {} elements, expected at most {}",
        "write `_` for sizes known only at run time",
        r#"#[normalize(kind = "layer", shape = [_, 65536, 65536], axis = 1..)]
pub struct ImageNorm;"#,
        "[Keys]";
    CONSTANT_SIZE = "constant_size",
        "`shape`: expected a number or `_`, found `{}`",
        "a macro sees names, not their values: write the number, `_` for a size known at run time, or a family `768 | 1024`",
        r#"norm!(kind = "rms", shape = [_, HIDDEN])"#,
        "[Keys]";
    REPEATED_SIZE = "repeated_size",
        "`shape`: the size {} is given twice",
        "remove one of the two",
        r#"norm!(kind = "rms", shape = [_, 768 | 1024 | 768])"#,
        "[Keys]";
    LARGE_FAMILY = "large_family",
        "`shape`: expected at most 32 kernels, found {}",
        "keep the sizes that matter and add `_` for the rest",
        r#"norm!(kind = "rms", shape = [_,
    64 | 128 | 192 | 256 | 320 | 384 | 448 | 512 | 576 | 640 | 704 | 768 | 832 | 896 | 960 | 1024 | 1088
    | 1152 | 1216 | 1280 | 1344 | 1408 | 1472 | 1536 | 1600 | 1664 | 1728 | 1792 | 1856 | 1920 | 1984 | 2048 | 2112])"#,
        "[Keys]";
    FAMILY_OFF_AXIS = "family_off_axis",
        "`shape`: expected fixed sizes on the axes that are normalized with a family, found `{}` and `{}`",
        "keep the family on one axis and write a number on the other, or write `_` on both",
        r#"norm!(kind = "layer", shape = [_, 16 | 32, 64 | 128], axis = 1..)"#,
        "[Keys]";
    AXIS_OUT_OF_RANGE = "axis_out_of_range",
        "`axis`: expected a number from {} to {}, found {}",
        "write `axis = -1` for the last one; the axes are {}",
        r#"#[normalize(kind = "layer", shape = [_, 768], axis = 2)]
pub struct FinalNorm;"#,
        "[Keys]";
    REPEATED_AXIS = "repeated_axis",
        "`axis`: {} is given already, as {}",
        "remove one of the two; the axes are {}",
        r#"#[normalize(kind = "layer", shape = [_, 16, 64], axis = [-1, 2])]
pub struct FinalNorm;"#,
        "[Keys]";
    AXIS_IS_BATCH = "axis_is_batch",
        "`axis`: expected the axis of channels, found {}, the axis of samples",
        "`{}` keeps the samples of a batch apart; channels are on axis 1, or on the last one (-1) in channels-last order: the axes are {}",
        r#"#[normalize(kind = "instance", shape = [_, 64, 56, 56], axis = 0)]
pub struct StyleNorm;"#,
        "[Keys]; Ulyanov, Vedaldi and Lempitsky, *Instance Normalization* (2016)";
    ONE_AXIS = "one_axis",
        "`axis`: expected one axis, found {}",
        "{}",
        r#"#[normalize(kind = "batch", shape = [_, 64, 56, 56], axis = [2, 3])]
pub struct Bn1;"#,
        "[Keys]; `torch.nn.BatchNorm2d`";
    NOTHING_NORMALIZED = "nothing_normalized",
        "`axis`: expected an axis that is left to normalize over, found none in {}",
        "give the shape all its axes: `{}`",
        r#"#[normalize(kind = "instance", shape = [_, 64])]
pub struct StyleNorm;"#,
        "[Keys]; `torch.nn.InstanceNorm2d`";
    NO_CHANNEL_AXIS = "no_channel_axis",
        "`shape`: expected at least {} axes, as channels are on axis {} by default, found {}",
        "write `shape = [_, 64]` with the samples first, or say the axis of channels: `axis = 0`",
        r#"#[normalize(kind = "batch", shape = [64])]
pub struct Bn1;"#,
        "[Keys]; [Batch normalization]";
    "Types":
    UNKNOWN_DTYPE = "unknown_dtype",
        "`{}`: unknown element type `{}`{}",
        "the element types are: f32, f64, f16, bf16",
        r#"#[normalize(kind = "rms", shape = [_, 4096], dtype = float32)]
pub struct InputNorm;"#,
        "[Keys]; [Half types]";
    REPEATED_DTYPE = "repeated_dtype",
        "`dtype`: {} is given twice",
        "remove one of the two",
        r#"norm!(kind = "rms", shape = [_, 4096], dtype = f32 | bf16 | f32)"#,
        "[Half types]";
    DTYPES_COMPUTED_APART = "dtypes_computed_apart",
        "`dtype`: expected types that are computed in one, found {} (in {}) and {} (in {})",
        "f32, f16 and bf16 are computed in f32, f64 in f64: make a layer for each",
        r#"norm!(kind = "layer", shape = [_, 768], dtype = bf16 | f64)"#,
        "[Half types]";
    DTYPES_OF_WEIGHT = "dtypes_of_weight",
        "`dtype`: expected one type, found {}",
        "the kind `weight` normalizes a parameter of its own, which has one type",
        r#"#[normalize(kind = "weight", shape = [512, 256], dtype = f32 | bf16)]
pub struct Projection;"#,
        "[Weight normalization]; [Half types]";
    CAST_OF_WIDE_TYPE = "cast_of_wide_type",
        "`cast` says when half types are rounded, found elements of type {}",
        "remove the key, or write `dtype = bf16`",
        r#"#[normalize(kind = "rms", shape = [_, 4096], cast = before_weight)]
pub struct InputNorm;"#,
        "[Half types]";
    PARAM_OF_OTHER_TYPE = "param_of_other_type",
        "expected parameters of type {}, which `dtype = {}` is computed in, found {}",
        "{}",
        r#"#[normalize(kind = "rms", shape = [_, 4096], dtype = f64, param = f32)]
pub struct InputNorm;"#,
        "[Keys]; [Half types]";
    "Parameters and fields":
    AFFINE_NOT_OF_KIND = "affine_not_of_kind",
        "`affine`: the kind `{}` has no bias",
        "write `affine = weight`, which is its default, or `affine = false`",
        r#"#[normalize(kind = "rms", shape = [_, 4096], affine = true)]
pub struct InputNorm;"#,
        "[Keys]; Zhang and Sennrich, *Root Mean Square Layer Normalization* (2019)";
    FIELD_TYPE = "field_type",
        "`{}`: expected `[T; N]`, `Box<[T; N]>`, `Vec<T>` or `Param<T>` with T one of f32, f64, f16, bf16, found `{}`",
        "write `{}: [f32; 4096]`",
        r#"#[normalize(kind = "rms", shape = [_, 4096])]
pub struct InputNorm { pub weight: &'static [f32] }"#,
        "[What is generated]";
    COUNT_TYPE = "count_type",
        "`num_batches_tracked`: expected `i64`, as in PyTorch's checkpoints, found `{}`",
        "write `num_batches_tracked: i64`, or leave the field out: it is added",
        r#"#[normalize(kind = "batch", shape = [_, 64, 56, 56])]
pub struct Bn1 { pub num_batches_tracked: u32 }"#,
        "[Batch normalization]; `torch.nn.BatchNorm2d`";
    FIELD_LENGTH = "field_length",
        "`{}`: expected {} elements, as the shape says, found {}",
        "write {}: the {} of {} has so many elements",
        r#"#[normalize(kind = "layer", shape = [_, 768])]
pub struct FinalNorm { pub weight: [f32; 768], pub bias: [f32; 786] }"#,
        "[What is generated]";
    FIELD_SIZE_UNKNOWN = "field_size_unknown",
        "`{}`: expected a length that is a number, found `{}`",
        "a macro sees names, not their values: add `shape = [_, 4096]` to the attribute",
        r#"#[normalize(kind = "rms")]
pub struct InputNorm { pub weight: [f32; HIDDEN] }"#,
        "[Keys]; [What is generated]";
    FIELDS_DISAGREE = "fields_disagree",
        "`{}`: expected elements of type {}, as in `{}`, found {}",
        "write `{}`: all parameters of a layer have one type",
        r#"#[normalize(kind = "layer")]
pub struct FinalNorm { pub weight: [f32; 768], pub bias: [f64; 768] }"#,
        "[What is generated]";
    FIELD_CONTRADICTS_PARAM = "field_contradicts_param",
        "`{}`: expected elements of type {}, as `{}` says, found {}",
        "leave `{}` out: the field's type tells",
        r#"#[normalize(kind = "rms", dtype = f64, param = f64)]
pub struct InputNorm { pub weight: [f32; 4096] }"#,
        "[Keys]; [What is generated]";
    FIELD_NOT_OF_LAYER = "field_not_of_layer",
        "`{}`: this layer has no {}",
        "{}",
        r#"#[normalize(kind = "rms")]
pub struct InputNorm { pub weight: [f32; 4096], pub bias: [f32; 4096] }"#,
        "[What is generated]";
    FIELD_FIXED_FOR_OPEN = "field_fixed_for_open",
        "`{}`: expected `Vec<T>` or `Param<T>`, as the length is known only at run time, found an array",
        "write `{}: normkit::Param<{}>`",
        r#"#[normalize(kind = "rms", shape = [_, 768 | 1024])]
pub struct InputNorm { pub weight: [f32; 768] }"#,
        "[Keys]; [What is generated]";
    CFG_ON_PARAMETER = "cfg_on_parameter",
        "`{}`: expected a field without `#[cfg]`, as the layer's methods need it",
        "write one struct for each case, with `#[cfg]` on the struct",
        r#"#[normalize(kind = "layer")]
pub struct FinalNorm { pub weight: [f32; 768], #[cfg(feature = "bias")] pub bias: [f32; 768] }"#,
        "[What is generated]";
    TWO_NAMES = "two_names",
        "`{}` and `{}` are the same parameter",
        "remove one of the two",
        r#"#[normalize(kind = "layer")]
pub struct FinalNorm { pub weight: [f32; 768], pub gamma: [f32; 768] }"#,
        "[What is generated]";
    "Models":
    NEITHER_FORM = "neither_form",
        "expected the key `kind`, or a field with `#[norm(...)]`, found neither",
        "a layer is `#[normalize(kind = \"rms\", shape = [_, 4096])] struct InputNorm;`, one in a model `#[norm(kind = \"rms\", shape = [_, 4096])] input_norm: InputNorm`",
        r#"#[normalize]
pub struct DecoderLayer {
    pub attention: Attention,
}"#,
        "[Models]";
    KEYS_ON_MODEL = "keys_on_model",
        "expected no key but `{}` on a model ({} has `#[norm(...)]`), found {}",
        "write `#[normalize]` on the struct, and the keys of a layer in the `#[norm(...)]` of its field",
        r#"#[normalize(kind = "rms", shape = [_, 4096])]
pub struct DecoderLayer {
    #[norm(kind = "rms", shape = [_, 4096])] pub input_norm: InputNorm,
}"#,
        "[Models]";
    NORM_WITHOUT_KEYS = "norm_without_keys",
        "expected `#[norm(...)]` with the keys of a layer, found `{}`",
        "write `#[norm(kind = \"rms\", shape = [_, 4096])]`",
        r#"#[normalize]
pub struct DecoderLayer {
    #[norm] pub input_norm: InputNorm,
}"#,
        "[Models]";
    REPEATED_NORM = "repeated_norm",
        "`{}`: expected one `#[norm(...)]` on a field, found another",
        "remove one of the two",
        r#"#[normalize]
pub struct DecoderLayer {
    #[norm(kind = "rms", shape = [_, 4096])] #[norm(eps = 1e-6)] pub input_norm: InputNorm,
}"#,
        "[Models]";
    NORMALIZE_ON_FIELD = "normalize_on_field",
        "`{}`: expected `#[norm(...)]` on a field, found `#[normalize]`",
        "`#[normalize]` stands on the struct, once; write `#[norm(kind = \"rms\", shape = [_, 4096])]` on its fields",
        r#"#[normalize]
pub struct DecoderLayer {
    #[normalize(kind = "rms", shape = [_, 4096])] pub input_norm: InputNorm,
}"#,
        "[Models]";
    NORM_IN_CFG_ATTR = "norm_in_cfg_attr",
        "`{}`: expected `#[norm(...)]` by itself, found it in a `cfg_attr`",
        "a macro cannot know whether a condition holds: declare the field twice, under `#[cfg(...)] #[norm(...)]` and `#[cfg(not(...))]`",
        r#"#[normalize]
pub struct DecoderLayer {
    #[cfg_attr(feature = "norm", norm(kind = "rms", shape = [_, 4096]))] pub input_norm: InputNorm,
}"#,
        "[Models]";
    NORM_ON_STRUCT = "norm_on_struct",
        "expected `#[norm]` on a field of a model, found it on the struct",
        "the keys of a layer stand in its `#[normalize(kind = \"rms\", shape = [_, 4096])]`",
        r#"#[normalize(kind = "rms", shape = [_, 4096])]
#[norm(eps = 1e-6)]
pub struct InputNorm;"#,
        "[Models]";
    NORM_ON_TUPLE_FIELD = "norm_on_tuple_field",
        "expected a named field under `#[norm]`, found one of a tuple struct",
        "layers are found by name: `pub struct {} {{ #[norm(kind = \"rms\", shape = [_, 4096])] input_norm: InputNorm }}`",
        r#"#[normalize]
pub struct DecoderLayer(#[norm(kind = "rms", shape = [_, 4096])] pub InputNorm);"#,
        "[Models]";
    NORM_TYPE = "norm_type",
        "`{}`: expected the name of the struct that is to be generated, found {}",
        "write `{}: {}`",
        r#"#[normalize]
pub struct DecoderLayer {
    #[norm(kind = "rms", shape = [_, 4096])] pub input_norm: Vec<f32>,
}"#,
        "[Models]";
    NORM_TYPE_TAKEN = "norm_type_taken",
        "`{}`: expected a type of its own, found `{}`, which is {}",
        "write `{}: {}`",
        r#"#[normalize]
pub struct DecoderLayer {
    #[norm(kind = "rms", shape = [_, 4096])] pub input_norm: Norm,
    #[norm(kind = "rms", shape = [_, 4096])] pub post_norm: Norm,
}"#,
        "[Models]";
    "Items":
    NOT_A_STRUCT = "not_a_struct",
        "expected a struct, found {}",
        "`#[normalize]` stands on a unit struct (`pub struct Norm;`) or one with named fields",
        r#"#[normalize(kind = "rms", shape = [_, 4096])]
pub enum Norm { Input, Output }"#,
        "[What is generated]";
    TUPLE_STRUCT = "tuple_struct",
        "expected a unit struct or one with named fields, found a tuple struct",
        "parameters are recognised by name: `pub struct {} {{ pub weight: [f32; 4096] }}`",
        r#"#[normalize(kind = "rms")]
pub struct InputNorm([f32; 4096]);"#,
        "[What is generated]";
    TYPE_GENERICS = "type_generics",
        "expected no generic types or constants on a layer, found `{}`",
        "a kernel is generated for one size and one type: for sizes write `_` or a family, as in `shape = [_, 768 | 1024 | _]`, with `Vec<f32>` for fields; for types one struct each",
        r#"#[normalize(kind = "rms")]
pub struct InputNorm<const N: usize> { pub weight: [f32; N] }"#,
        "[Keys]; [What is generated]";
    STACKED = "stacked",
        "expected one `#[normalize]` on a struct, found another",
        "for a model of several layers write `#[norm(...)]` on its fields instead",
        r#"#[normalize(kind = "rms", shape = [_, 4096])]
#[normalize(kind = "layer", shape = [_, 4096])]
pub struct InputNorm;"#,
        "[Models]";
    CONFLICTING_DERIVE = "conflicting_derive",
        "expected no derive of `Default`, which is generated with the layer",
        "remove `Default` from the derives",
        r#"#[normalize(kind = "rms", shape = [_, 4096])]
#[derive(Clone, Default)]
pub struct InputNorm;"#,
        "[What is generated]";
}
