//! The catalogue of messages, and the report that collects them.
//!
//! A rule is an entry here and a call of [`Report::add`] where it is checked; each has a trybuild test of its name under
//! `tests/tests/ui`. `docs/diagnostics.md` is written from the catalogue.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use std::fmt::Display;

/// One thing that can be wrong: its name, what is said, and what to do about it. `{}` stands for the arguments, in order.
///
/// All but `message` and `help` is for `docs/diagnostics.md`, which is written from the catalogue.
#[derive(Debug, PartialEq, Eq)]
pub struct Rule {
    /// The name, as the test of it is called.
    pub name: &'static str,
    /// Expected and found.
    pub message: &'static str,
    /// What to write instead; may be empty.
    pub help: &'static str,
    /// What breaks it and no other, as a user would write it: `norm!(...)`, or `#[normalize(...)]` and an item.
    pub example: &'static str,
    /// Where to read on: in brackets a section of the facade's documentation or the README; a paper, a framework's class.
    pub reference: &'static str,
}

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

/// Lints `NAME = "name", message, help, example, reference;`, each a rule that is a warning where no key says else.
macro_rules! lints {
    ($($constant:ident = $name:literal, $message:literal, $help:literal, $example:literal, $reference:literal;)*) => {
        $(pub const $constant: Rule =
            Rule { name: $name, message: $message, help: $help, example: $example, reference: $reference };)*
        /// All lints, in the order of the file.
        pub const LINTS: &[&Rule] = &[$(&$constant),*];
    };
}

lints! {
    SMALL_BATCH = "small_batch",
        "`shape`: a batch of {}: mean and variance of so few samples are mostly noise in training",
        "write `_` for a batch known at run time, of 16 or more, or `kind = \"group\"` or `\"layer\"`, which need no batch",
        r#"#[normalize(kind = "batch", shape = [2, 64, 56, 56])]
pub struct Bn1;"#,
        "[Batch normalization]; Wu and He, *Group Normalization* (2018)";
    FEW_SAMPLES = "few_samples",
        "`shape`: a batch of {}: statistics of less than 16 samples are noisy, and differ from the running ones",
        "write `_` for a batch known at run time, of 16 or more, or `kind = \"group\"`, which needs no batch",
        r#"#[normalize(kind = "batch", shape = [8, 64, 56, 56])]
pub struct Bn1;"#,
        "[Batch normalization]; Wu and He, *Group Normalization* (2018)";
    ONE_BY_CHANNELS = "one_by_channels",
        "`shape`: one value for each channel: it has no variance, so each call of training is an error at run time",
        "write `shape = [_, {}]` for a batch known at run time, or `kind = \"layer\"` to normalize over the features of a sample",
        r#"#[normalize(kind = "batch", shape = [1, 64])]
pub struct Bn1;"#,
        "[Batch normalization]; `torch.nn.BatchNorm1d`";
    BATCH_AXIS_LAST = "batch_axis_last",
        "`shape`: channels on axis 0 and the open axis last: the samples of this batch lie along rows, as in a transposed matrix",
        "write `shape = [_, {}]` without `axis` if the batch comes first, as it does in most code",
        r#"#[normalize(kind = "batch", shape = [64, _], axis = 0)]
pub struct Bn1;"#,
        "[Batch normalization]; [Keys]";
    EPS_UNUSUAL = "eps_unusual",
        "`eps`: expected a number from 1e-8 to 1e-5 in f32, found {}: {}",
        "write {}; for a checkpoint that was trained with this one, as those of Keras (1e-3) and BERT (1e-12) are, write `allow(eps_unusual)`",
        r#"#[normalize(kind = "layer", shape = [_, 768], eps = 1e-3)]
pub struct FinalNorm;"#,
        "[Numerics]; `keras.layers.LayerNormalization`";
    EPS_BELOW_TYPE = "eps_below_type",
        "`eps`: found {}, and f16 has no number between 0 and 6e-8: it is added in f32 here, but would not be in code that adds it in f16",
        "write 1e-6 or 1e-5",
        r#"norm!(kind = "rms", shape = [_, 4096], eps = 1e-8, dtype = f16)"#,
        "[Half types]; [Numerics]";
    ONE_GROUP = "one_group",
        "`groups`: one group of all channels: this is layer normalization over all axes but the first, with parameters for each channel",
        "write `groups = 32`, which is usual, or `kind = \"layer\"` with `axis = 1..` for parameters of each element",
        r#"#[normalize(kind = "group", shape = [_, 320, 64, 64], groups = 1)]
pub struct ResidualNorm;"#,
        "[Keys]; Wu and He, *Group Normalization* (2018)";
    GROUP_PER_CHANNEL = "group_per_channel",
        "`groups`: {} groups of {} channels: a group of one channel is instance normalization",
        "write `kind = \"instance\"` without `groups`, which computes the same",
        r#"#[normalize(kind = "group", shape = [_, 64, 56, 56], groups = 64)]
pub struct StyleNorm;"#,
        "[Keys]; Wu and He, *Group Normalization* (2018)";
    INSTANCE_OF_ONE = "instance_of_one",
        "`shape`: one element for each channel of a sample: less its mean it is 0, so the output is the bias whatever the input",
        "write the sizes of the image, or `kind = \"layer\"` to normalize over the channels",
        r#"#[normalize(kind = "instance", shape = [_, 64, 1, 1])]
pub struct StyleNorm;"#,
        "[Keys]; `torch.nn.InstanceNorm2d`";
    LAYER_OF_ONE = "layer_of_one",
        "`shape`: one element is normalized by itself: the output is {} whatever its size",
        "normalize over an axis of more elements: `axis` says which",
        r#"#[normalize(kind = "layer", shape = [_, 64, 1])]
pub struct FinalNorm;"#,
        "[Keys]";
    MOMENTUM_EXTREME = "momentum_extreme",
        "`momentum`: found {}: {}",
        "write `momentum = 0.1`, or `momentum = cumulative` for the mean over all batches",
        r#"#[normalize(kind = "batch", shape = [_, 64, 56, 56], momentum = 0)]
pub struct Bn1;"#,
        "[Batch normalization]; `torch.nn.BatchNorm2d`";
    MOMENTUM_OF_KERAS = "momentum_of_keras",
        "`momentum`: found {}, the share of the new batch here, as in PyTorch: running statistics would hardly outlast one batch",
        "write `momentum = 0.1` for what Keras and Flax call 0.9, `momentum = 0.01` for 0.99",
        r#"#[normalize(kind = "batch", shape = [_, 64, 56, 56], momentum = 0.99)]
pub struct Bn1;"#,
        "[Batch normalization]; `keras.layers.BatchNormalization`";
    MIXED_KINDS = "mixed_kinds",
        "`{}`: kind `{}` in a model whose `{}` is of kind `{}`: networks mostly keep to one, so one of the two may be a slip",
        "write `kind = \"{}\"`, or `#[normalize(allow(mixed_kinds))]` on the model",
        r#"#[normalize]
pub struct DecoderLayer {
    #[norm(kind = "rms", shape = [_, 4096])] pub input_norm: InputNorm,
    #[norm(kind = "layer", shape = [_, 4096])] pub post_norm: PostNorm,
}"#,
        "[Models]";
    NORM_BEFORE_OUTPUT = "norm_before_output",
        "`{}`: a normalization as the last field of the model: if it is the last step too, it takes the scale out of the output",
        "write the output layer after it; for the final norm of a transformer, whose output layer is elsewhere, `allow(norm_before_output)`",
        r#"#[normalize]
pub struct Head {
    pub hidden: Linear,
    #[norm(kind = "layer", shape = [_, 768])] pub norm: HeadNorm,
}"#,
        "[Models]";
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
        "the keys of `{}` are: {}",
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
        "the kinds are: {}",
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
        "the nearest are {}",
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
        "the usual values are 1e-6 (rms) and 1e-5 (all others)",
        r#"#[normalize(kind = "rms", shape = [_, 4096], eps = -1e-6)]
pub struct InputNorm;"#,
        "[Keys]; [Numerics]";
    EPS_VANISHES = "eps_vanishes",
        "`eps`: {} rounds to 0 in {}, the type that it is computed in",
        "write 0 if that is meant, or a larger number such as {}",
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
        "the shape is {}; negative axes count from its end",
        r#"#[normalize(kind = "layer", shape = [_, 768], axis = 2)]
pub struct FinalNorm;"#,
        "[Keys]";
    REPEATED_AXIS = "repeated_axis",
        "`axis`: the axis {} is given twice",
        "negative axes count from the end: in {}, `{}` and `{}` are the same",
        r#"#[normalize(kind = "layer", shape = [_, 16, 64], axis = [-1, 2])]
pub struct FinalNorm;"#,
        "[Keys]";
    AXIS_IS_BATCH = "axis_is_batch",
        "`axis`: expected the axis of channels, found {}, the axis of samples",
        "`{}` keeps the samples of a batch apart; channels are on axis 1, or on the last one (-1) in channels-last order",
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
        "the {} of {} has {} elements",
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
        "all parameters of a layer have one type",
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
        "a kernel is generated for one size and one type: use `_` or a family for sizes, one struct for each type",
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

/// What keys say of lints, by their names.
#[derive(Debug, Default)]
pub struct Levels {
    /// Those that are not said.
    pub allowed: Vec<&'static str>,
    /// Those that are errors, where they are not allowed.
    pub denied: Vec<&'static str>,
}

/// Collects messages, so that all are shown at once.
#[derive(Debug, Default)]
pub struct Report {
    entries: Vec<(Span, String)>,
    /// What is warned of: the place, the lint's name, and what is said.
    warnings: Vec<(Span, &'static str, String)>,
    whole: Option<Span>,
    is_on_field: bool,
    unread: Vec<String>,
    #[cfg(test)]
    pub names: Vec<&'static str>,
}

impl Report {
    /// A report on a call of a macro with these tokens.
    pub fn on(tokens: &TokenStream) -> Report {
        // In the scope of the user's own tokens: the compiler then says nothing of macros.
        let first = tokens.clone().into_iter().next();
        Report { whole: first.map(|token| Span::call_site().resolved_at(token.span())), ..Report::default() }
    }

    /// A report on the `#[norm(...)]` of a field, which stands there.
    pub fn on_field(attribute: Span) -> Report {
        Report { whole: Some(attribute), is_on_field: true, ..Report::default() }
    }

    /// Whether it is on a field: the layer's struct is generated then, so can declare nothing.
    pub fn is_on_field(&self) -> bool {
        self.is_on_field
    }

    /// The place of what is not there: all of the attribute, or of the `norm!`.
    pub fn whole(&self) -> Span {
        self.whole.unwrap_or_else(Span::call_site)
    }

    /// Remembers a key whose value could not be read, which has been reported.
    pub fn unread(&mut self, key: &str) {
        self.unread.push(key.into());
    }

    /// Whether the key is there, but could not be read: nothing more is to be said of it.
    pub fn is_unread(&self, key: &str) -> bool {
        self.unread.iter().any(|unread| unread == key)
    }

    /// Adds what `rule` says of the token at `span`; arguments fill the `{}` of its message first, then those of its help.
    pub fn add(&mut self, span: Span, rule: &Rule, args: &[&dyn Display]) {
        self.entries.push((span, text(rule, args)));
        #[cfg(test)]
        self.names.push(rule.name);
    }

    /// Adds what `lint` says, as [`Report::add`] does: a warning, if `levels` do not say else.
    pub fn lint(&mut self, levels: &Levels, span: Span, lint: &Rule, args: &[&dyn Display]) {
        if levels.allowed.contains(&lint.name) {
            return;
        }
        if levels.denied.contains(&lint.name) {
            self.add(span, lint, args);
        } else {
            self.warnings.push((span, lint.name, text(lint, args)));
        }
    }

    /// The names of the lints that are warnings here.
    #[cfg(test)]
    pub fn warned(&self) -> Vec<&'static str> {
        self.warnings.iter().map(|(_, name, _)| *name).collect()
    }

    /// Whether nothing is wrong; there may be warnings.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// A `compile_error!` for each entry, as items, and all warnings, as [`Report::warnings`] has them.
    pub fn to_tokens(&self, attributes: &[syn::Attribute]) -> TokenStream {
        let errors = self.entries.iter().map(|(span, text)| quote_spanned!(*span=> ::core::compile_error!{ #text }));
        errors.chain([self.warnings(attributes)]).collect()
    }

    /// All warnings, as items that are there where the `cfg`s among the attributes of their item hold.
    pub fn warnings(&self, attributes: &[syn::Attribute]) -> TokenStream {
        let cfgs: Vec<_> = attributes.iter().filter(|attribute| attribute.path().is_ident("cfg")).collect();
        let warnings = self.warnings.iter().map(|(span, name, text)| {
            // What a stable compiler warns of with words of ours, at a place of ours, is the use of what is deprecated. The
            // line that it puts before them ends in the lint's name.
            let name = Ident::new(name, *span);
            let text = format!(
                "\n{text}\nhelp: `allow({name})` among the keys silences this, `deny({name})` makes it an error"
            );
            let deprecated = quote!(#[deprecated(note = #text)] const fn);
            let used = quote_spanned!(*span=> #name());
            quote!(#(#cfgs)* const _: () = { #deprecated #name() {} #used };)
        });
        warnings.collect()
    }

    /// An expression with all warnings before it.
    pub fn warn_in_expression(&self, expression: TokenStream) -> TokenStream {
        if self.warnings.is_empty() {
            return expression;
        }
        let warnings = self.warnings(&[]);
        quote!({ #warnings #expression })
    }

    /// The same where an expression is expected.
    pub fn to_tokens_in_expression(&self) -> TokenStream {
        let errors = self.entries.iter().map(|(span, text)| quote_spanned!(*span=> ::core::compile_error!(#text)));
        // The last one is the value, so that nothing is said of the type of what was refused.
        let span = Span::call_site();
        let warnings = self.warnings(&[]);
        quote_spanned!(span=> { #warnings #(#errors);* })
    }
}

/// What a rule says: its message and its help, with the arguments in them.
fn text(rule: &Rule, args: &[&dyn Display]) -> String {
    let mut args = args.iter();
    let mut fill = |template: &str| {
        let mut text = String::new();
        let mut rest = template;
        while let Some(i) = rest.find(['{', '}']) {
            text.push_str(&rest[..i]);
            match &rest[i..i + 2] {
                "{}" => text.push_str(&args.next().map(ToString::to_string).unwrap_or_default()),
                doubled => text.push_str(&doubled[..1]),
            }
            rest = &rest[i + 2..];
        }
        text + rest
    };
    let (message, help) = (fill(rule.message), fill(rule.help));
    if help.is_empty() { message } else { format!("{message}\nhelp: {help}") }
}

/// Tokens about as a person writes them.
pub fn shown_tokens(tokens: &impl quote::ToTokens) -> String {
    let mut text = tokens.to_token_stream().to_string();
    for (spaced, plain) in [
        (" :: ", "::"),
        (" : ", ": "),
        (" ; ", "; "),
        (" , ", ", "),
        ("& ", "&"),
        (" <", "<"),
        ("< ", "<"),
        (" >", ">"),
    ] {
        text = text.replace(spaced, plain);
    }
    text
}

/// `, did you mean ...?` where one of `known` is near to `found`.
pub fn near_miss(found: &str, known: &[&str]) -> String {
    let found = found.to_lowercase();
    known
        .iter()
        .map(|known| (distance(&found, known), known))
        .filter(|&(distance, known)| distance * 3 <= known.len().max(3))
        .min_by_key(|&(distance, _)| distance)
        .map(|(_, known)| format!(", did you mean `{known}`?"))
        .unwrap_or_default()
}

/// Letters to insert, remove, replace or swap to get from `a` to `b`.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows = vec![(0..=b.len()).collect::<Vec<usize>>()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let mut best =
                (rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1])).min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod page;

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn names_are_distinct_and_messages_calm() {
        let all = || catalogue().chain(LINTS.iter().copied());
        let names: BTreeSet<_> = all().map(|rule| rule.name).collect();
        assert_eq!(names.len(), all().count());
        for rule in all() {
            let first = rule.message.chars().next().unwrap();
            assert!(!first.is_uppercase() || rule.message.starts_with('`'), "{}", rule.name);
            assert!(!rule.message.ends_with('.') && !rule.help.ends_with('.'), "{}", rule.name);
        }
    }

    #[test]
    fn arguments_fill_message_then_help() {
        let mut report = Report::default();
        report.add(Span::call_site(), &UNKNOWN_KIND, &[&"rsm", &", did you mean `rms`?", &"rms, layer"]);
        assert_eq!(report.entries[0].1, "unknown kind `rsm`, did you mean `rms`?\nhelp: the kinds are: rms, layer");
    }

    #[test]
    fn tokens_are_shown_as_written() {
        for text in ["const N: usize", "&'static [f32]", "Vec<i8>", "std::boxed::Box<[i8; 4]>"] {
            assert_eq!(shown_tokens(&text.parse::<TokenStream>().unwrap()), text);
        }
    }

    #[test]
    fn near_misses() {
        assert_eq!(near_miss("esp", &["kind", "eps"]), ", did you mean `eps`?");
        assert_eq!(near_miss("Rms", &["rms"]), ", did you mean `rms`?");
        assert_eq!(near_miss("banana", &["kind", "eps"]), "");
    }
}
