//! The lints: what is right, and most likely not meant.

use super::Rule;

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
        "write `_` for a batch known at run time, of 16 or more, or `kind = \"group\"` or `\"layer\"`, which need no batch: https://docs.rs/normkit/latest/normkit/guide has a table of which one fits",
        r#"#[normalize(kind = "batch", shape = [2, 64, 56, 56])]
pub struct Bn1;"#,
        "[Which one]; Wu and He, *Group Normalization* (2018)";
    FEW_SAMPLES = "few_samples",
        "`shape`: a batch of {}: statistics of less than 16 samples are noisy, and differ from the running ones",
        "write `_` for a batch known at run time, of 16 or more, or `kind = \"group\"`, which needs no batch: https://docs.rs/normkit/latest/normkit/guide has a table of which one fits",
        r#"#[normalize(kind = "batch", shape = [8, 64, 56, 56])]
pub struct Bn1;"#,
        "[Which one]; Wu and He, *Group Normalization* (2018)";
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
        "`eps`: expected a number from 1e-8 to 1e-5 in f32, found {}{}: {}",
        "write {}, or `allow(eps_unusual)` for a checkpoint that was trained with this one",
        r#"#[normalize(kind = "layer", shape = [_, 768], eps = 1e-3)]
pub struct FinalNorm;"#,
        "[Numerics]; the README's [Coming from PyTorch, Keras or Flax]; `transformers.BertConfig`";
    EPS_BELOW_TYPE = "eps_below_type",
        "`eps`: found {}, and {} has no number between 0 and {}: it is added in f32 here, but would be nothing in code that adds it in {}",
        "write `eps = {}`",
        r#"norm!(kind = "rms", shape = [_, 4096], eps = 1e-8, dtype = f16)"#,
        "[Half types]; [Numerics]";
    ONE_GROUP = "one_group",
        "`groups`: one group of all channels: this is layer normalization over all axes but the first, with parameters for each channel",
        "write {} to keep parts of the channels apart, or `kind = \"layer\"` with `axis = 1..` for parameters of each element",
        r#"#[normalize(kind = "group", shape = [_, 320, 64, 64], groups = 1)]
pub struct ResidualNorm;"#,
        "[Which one]; Wu and He, *Group Normalization* (2018)";
    GROUP_PER_CHANNEL = "group_per_channel",
        "`groups`: {} groups of {} channels: a group of one channel is instance normalization",
        "write `kind = \"instance\"` without `groups`, which computes the same",
        r#"#[normalize(kind = "group", shape = [_, 64, 56, 56], groups = 64)]
pub struct StyleNorm;"#,
        "[Which one]; Wu and He, *Group Normalization* (2018)";
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
        "write `kind = \"{}\"`, or `#[normalize(allow(mixed_kinds))]` on the model if both are meant",
        r#"#[normalize]
pub struct DecoderLayer {
    #[norm(kind = "rms", shape = [_, 4096])] pub input_norm: InputNorm,
    #[norm(kind = "layer", shape = [_, 4096])] pub post_norm: PostNorm,
}"#,
        "[Models]; [Which one]";
    NORM_BEFORE_OUTPUT = "norm_before_output",
        "`{}`: a normalization as the last field of {}: if it runs last, what the model says loses its scale, and logits their certainty",
        "normalize what the output layer reads, and declare `{}` above it; where the output layer is elsewhere, or the order is another, `allow(norm_before_output)`",
        r#"#[normalize]
pub struct LanguageModel {
    pub layers: Vec<DecoderLayer>, pub lm_head: Linear,
    #[norm(kind = "layer", shape = [_, 768])] pub norm: FinalNorm,
}"#,
        "[Models]; not said of blocks, and of stacks of layers, which rightly end in a norm";
}
