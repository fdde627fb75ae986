//! Annotated layers: they start from the parameters and running statistics of a case, and keep what it changes.

#![allow(missing_docs, reason = "fields are named as the parameters")]

use normkit::normalize;

use crate::run::{Run, Subject};

/// `[files] layer(new arguments) gradients(new arguments) dtype [parameter = field ...] of [dims];`
macro_rules! layers {
    ($($names:tt $layer:ident $new:tt $gradients:ident $zero:tt $t:ident $fields:tt $(of $dims:tt)?;)*) => {
        fn layers(run: &mut Run) {
            $(
                layers!(@one run $names $layer $new $gradients $zero $t $fields $($dims)?);
            )*
        }
    };
    (@one $run:ident [$($name:literal)+] $layer:ident $new:tt $gradients:ident $zero:tt $t:ident
     [$($p:ident = $field:ident)*] $($dims:tt)?) => {{
        fn one(run: &mut Run) {
            let make = |_s: &crate::run::State<$t>| {
                #[allow(unused_mut, reason = "there are layers without parameters")]
                let mut layer = made!($layer $new);
                $(layer.$field.copy_from_slice(&_s.$p);)*
                layer
            };
            run.cases::<$t>(&[$($name),+], "layer", &[$(stringify!($p)),*], &Subject {
                forward: &|x, s, y| make(s).forward(shaped!(x $(, $dims)?), shaped!(y $(, $dims)?)),
                forward_inplace: Some(&|x, s| make(s).forward_inplace(shaped!(x $(, $dims)?))),
                train: &|x, s, y, saved| make(s).forward_train(shaped!(x $(, $dims)?), shaped!(y $(, $dims)?), saved),
                backward: &|x, dy, s, saved, dx, _g| {
                    #[allow(unused_mut, reason = "as above")]
                    let mut own = made!($gradients $zero);
                    $(own.$field.copy_from_slice(&_g.$p);)*
                    let (x, dy, dx) = (shaped!(x $(, $dims)?), shaped!(dy $(, $dims)?), shaped!(dx $(, $dims)?));
                    let outcome = make(s).backward(x, dy, saved, dx, &mut own);
                    $(_g.$p.copy_from_slice(&own.$field);)*
                    outcome
                },
                frozen: None,
            });
        }
        one($run);
    }};
}

/// As `layers!`, for batch norm.
macro_rules! batch_layers {
    ($($names:tt $layer:ident $new:tt $gradients:ident $zero:tt $t:ident $fields:tt $(of $dims:tt)?;)*) => {
        fn batch_layers(run: &mut Run) {
            $(
                batch_layers!(@one run $names $layer $new $gradients $zero $t $fields $($dims)?);
            )*
        }
    };
    (@one $run:ident [$($name:literal)+] $layer:ident $new:tt $gradients:ident $zero:tt $t:ident
     [$($p:ident = $field:ident)*] $($dims:tt)?) => {{
        fn one(run: &mut Run) {
            let make = |s: &crate::run::State<$t>| {
                let mut layer = made!($layer $new);
                $(layer.$field.copy_from_slice(&s.$p);)*
                layer.running_mean.copy_from_slice(&s.running_mean);
                layer.running_var.copy_from_slice(&s.running_var);
                layer.num_batches_tracked = s.batches;
                layer
            };
            run.cases::<$t>(&[$($name),+], "layer", &[$(stringify!($p)),*], &Subject {
                forward: &|x, s, y| make(s).forward(shaped!(x $(, $dims)?), shaped!(y $(, $dims)?)),
                forward_inplace: Some(&|x, s| make(s).forward_inplace(shaped!(x $(, $dims)?))),
                train: &|x, s, y, saved| {
                    let mut layer = make(s);
                    let outcome = layer.forward_train(shaped!(x $(, $dims)?), shaped!(y $(, $dims)?), saved);
                    s.running_mean.copy_from_slice(&layer.running_mean);
                    s.running_var.copy_from_slice(&layer.running_var);
                    s.batches = layer.num_batches_tracked;
                    outcome
                },
                backward: &|x, dy, s, saved, dx, _g| {
                    #[allow(unused_mut, reason = "there are layers without parameters")]
                    let mut own = made!($gradients $zero);
                    $(own.$field.copy_from_slice(&_g.$p);)*
                    let (x, dy, dx) = (shaped!(x $(, $dims)?), shaped!(dy $(, $dims)?), shaped!(dx $(, $dims)?));
                    let outcome = make(s).backward(x, dy, saved, dx, &mut own);
                    $(_g.$p.copy_from_slice(&own.$field);)*
                    outcome
                },
                frozen: Some(&|x, dy, s, dx, _g| {
                    #[allow(unused_mut, reason = "as above")]
                    let mut own = made!($gradients $zero);
                    $(own.$field.copy_from_slice(&_g.$p);)*
                    let (x, dy, dx) = (shaped!(x $(, $dims)?), shaped!(dy $(, $dims)?), shaped!(dx $(, $dims)?));
                    let outcome = make(s).backward_frozen(x, dy, dx, &mut own);
                    $(_g.$p.copy_from_slice(&own.$field);)*
                    outcome
                }),
            });
        }
        one($run);
    }};
}

/// As `layers!`, for weight norm: x is the layer's own.
macro_rules! weight_layers {
    ($($names:tt $layer:ident $new:tt $gradients:ident $zero:tt $t:ident $fields:tt $(of $dims:tt)?;)*) => {
        fn weight_layers(run: &mut Run) {
            $(
                weight_layers!(@one run $names $layer $new $gradients $zero $t $fields $($dims)?);
            )*
        }
    };
    (@one $run:ident [$($name:literal)+] $layer:ident $new:tt $gradients:ident $zero:tt $t:ident
     [$($p:ident = $field:ident)*] $($dims:tt)?) => {{
        fn one(run: &mut Run) {
            let make = |v: &[$t], _s: &crate::run::State<$t>| {
                let mut layer = made!($layer $new);
                layer.weight_v.copy_from_slice(v);
                $(layer.$field.copy_from_slice(&_s.$p);)*
                layer
            };
            run.cases::<$t>(&[$($name),+], "layer", &[$(stringify!($p)),*], &Subject {
                forward: &|v, s, w| make(v, s).forward(shaped!(w $(, $dims)?)),
                forward_inplace: None,
                train: &|v, s, w, saved| make(v, s).forward_train(shaped!(w $(, $dims)?), saved),
                backward: &|v, dw, s, saved, dv, _g| {
                    let mut own = made!($gradients $zero);
                    own.weight_v.copy_from_slice(dv);
                    $(own.$field.copy_from_slice(&_g.$p);)*
                    let outcome = make(v, s).backward(shaped!(dw $(, $dims)?), saved, &mut own);
                    dv.copy_from_slice(&own.weight_v);
                    $(_g.$p.copy_from_slice(&own.$field);)*
                    outcome
                },
                frozen: None,
            });
        }
        one($run);
    }};
}

/// `new` fails where it has arguments.
macro_rules! made {
    ($type:ident()) => {
        $type::new()
    };
    ($type:ident(zero $len:expr)) => {
        $type::new($len)
    };
    ($type:ident($argument:expr)) => {
        $type::new($argument).unwrap()
    };
}

pub fn all(run: &mut Run) {
    layers(run);
    batch_layers(run);
    weight_layers(run);
}

// ---- without running statistics ----

/// The usual image.
#[normalize(kind = "instance", shape = [_, 2, 7, 7])]
pub struct InstanceImage;

/// Channels last, in f64, without parameters.
#[normalize(kind = "instance", shape = [_, 5, 5, 3], axis = -1, affine = false, dtype = f64)]
pub struct InstanceLastPlain;

/// Only the channels known.
#[normalize(kind = "instance", shape = [_, 17, _])]
pub struct InstanceLine;

/// Arrays tell the type; the parameters' other names.
#[normalize(kind = "group", shape = [_, 6, 3, 3], groups = 3)]
pub struct GroupArrays {
    pub gamma: [f64; 6],
    pub beta: [f64; 6],
}

/// Channels last, any number of them.
#[normalize(kind = "group", shape = [_, _, _, _], axis = -1, groups = 3)]
pub struct GroupLast;

/// Scale without shift.
#[normalize(kind = "group", shape = [_, 6, 3, 5], groups = 2, affine = weight)]
pub struct GroupWeight;

/// Over the channels.
#[normalize(kind = "rms", shape = [_, 17, 2, 3], axis = 1)]
pub struct RmsChannels;

/// Over channels and columns.
#[normalize(kind = "layer", shape = [_, 3, 5, 7], axis = [1, 3], dtype = f64)]
pub struct LayerChannelsAndColumns;

/// Over the first axis, the parameters in a `Vec` and in a box.
#[normalize(kind = "layer", shape = [17, _], axis = 0)]
pub struct LayerFirst {
    pub weight: Vec<f32>,
    pub bias: Box<[f32; 17]>,
}

layers! {
    ["instance_2x2x7x7_axis1_eps1e-05_weight_bias" "instance_1x2x7x7_axis1_eps1e-05_weight_bias_mean10"]
        InstanceImage() InstanceImageGrads() f32 [weight = weight bias = bias];
    ["instance_1x5x5x3_axis3_eps1e-05_none"] InstanceLastPlain() InstanceLastPlainGrads() f64 [];
    ["instance_2x17x5_axis1_eps1e-05_weight_bias"]
        InstanceLine() InstanceLineGrads() f32 [weight = weight bias = bias] of [2, 17, 5];
    ["group_2x6x3x3_axis1_groups3_eps1e-05_weight_bias"]
        GroupArrays() GroupArraysGrads() f64 [weight = gamma bias = beta];
    ["group_1x3x2x33_axis3_groups3_eps1e-05_weight_bias"]
        GroupLast(33) GroupLastGrads(zero 33) f32 [weight = weight bias = bias] of [1, 3, 2, 33];
    ["group_2x3x3x6_axis3_groups3_eps1e-05_weight_bias"]
        GroupLast(6) GroupLastGrads(zero 6) f32 [weight = weight bias = bias] of [2, 3, 3, 6];
    ["group_1x6x3x5_axis1_groups2_eps1e-05_weight"] GroupWeight() GroupWeightGrads() f32 [weight = weight];
    ["rms_2x17x2x3_axis1_eps1e-06_weight"] RmsChannels() RmsChannelsGrads() f32 [weight = weight];
    ["layer_2x3x5x7_axis1-3_eps1e-05_weight_bias"]
        LayerChannelsAndColumns() LayerChannelsAndColumnsGrads() f64 [weight = weight bias = bias];
    ["layer_17x5_axis0_eps1e-05_weight_bias"] LayerFirst() LayerFirstGrads() f32 [weight = weight bias = bias];
}

// ---- batch norm ----

/// The usual image.
#[normalize(kind = "batch", shape = [_, 2, 7, 7])]
pub struct BatchImage;

/// All fields declared.
#[normalize(kind = "batch", eps = 1e-5)]
pub struct BatchVector {
    pub weight: [f64; 17],
    pub bias: [f64; 17],
    pub running_mean: [f64; 17],
    pub running_var: [f64; 17],
}

/// Channels last, the planes of any size.
#[normalize(kind = "batch", shape = [_, _, _, 33], axis = -1)]
pub struct BatchLast;

/// Any number of channels.
#[normalize(kind = "batch", shape = [_, _, _, _], dtype = f64)]
pub struct BatchOpen;

/// No parameters: running statistics alone.
#[normalize(kind = "batch", shape = [_, 33], affine = false)]
pub struct BatchPlain;

/// Scale without shift.
#[normalize(kind = "batch", shape = [_, 5, 5, 3], axis = -1, affine = weight)]
pub struct BatchWeight;

/// Three batches.
#[normalize(kind = "batch", shape = [_, 3])]
pub struct BatchSteps;

/// Another momentum.
#[normalize(kind = "batch", shape = [_, 3, 7], momentum = 0.3, dtype = f64)]
pub struct BatchMomentum;

/// The mean of all batches.
#[normalize(kind = "batch", shape = [_, 5], momentum = cumulative)]
pub struct BatchCumulative;

/// As Flax and TensorFlow track the variance.
#[normalize(kind = "batch", shape = [_, 3, 3, 5], axis = -1, momentum = 0.3, running_var = biased)]
pub struct BatchBiased;

batch_layers! {
    [
        "batch_train_2x2x7x7_axis1_eps1e-05_weight_bias"
        "batch_eval_2x2x7x7_axis1_eps1e-05_weight_bias"
        "batch_train_2x2x7x7_axis1_eps1e-05_weight_bias_mean10"
    ]
        BatchImage() BatchImageGrads() f32 [weight = weight bias = bias];
    ["batch_train_5x17_axis1_eps1e-05_weight_bias" "batch_eval_5x17_axis1_eps1e-05_weight_bias"]
        BatchVector() BatchVectorGrads() f64 [weight = weight bias = bias];
    ["batch_train_1x3x2x33_axis3_eps1e-05_weight_bias" "batch_eval_1x3x2x33_axis3_eps1e-05_weight_bias"]
        BatchLast() BatchLastGrads() f32 [weight = weight bias = bias] of [1, 3, 2, 33];
    ["batch_train_2x2x7x7_axis1_eps1e-05_weight_bias" "batch_eval_2x2x7x7_axis1_eps1e-05_weight_bias"]
        BatchOpen(2) BatchOpenGrads(zero 2) f64 [weight = weight bias = bias] of [2, 2, 7, 7];
    ["batch_train_4x33_axis1_eps1e-05_none" "batch_eval_4x33_axis1_eps1e-05_none"]
        BatchPlain() BatchPlainGrads() f32 [];
    ["batch_train_1x5x5x3_axis3_eps1e-05_weight" "batch_eval_1x5x5x3_axis3_eps1e-05_weight"]
        BatchWeight() BatchWeightGrads() f32 [weight = weight];
    ["batch_train_7x3_axis1_eps1e-05_weight_bias"] BatchSteps() BatchStepsGrads() f32 [weight = weight bias = bias];
    ["batch_train_3x3x7_axis1_eps1e-05_weight_bias_momentum0.3"]
        BatchMomentum() BatchMomentumGrads() f64 [weight = weight bias = bias];
    ["batch_train_6x5_axis1_eps1e-05_weight_bias_cumulative_after5"]
        BatchCumulative() BatchCumulativeGrads() f32 [weight = weight bias = bias];
    ["batch_train_2x3x3x5_axis3_eps1e-05_weight_bias_mean10_momentum0.3_biased"]
        BatchBiased() BatchBiasedGrads() f32 [weight = weight bias = bias];
}

// ---- weight norm ----

/// Of a linear layer.
#[normalize(kind = "weight", shape = [7, 33])]
pub struct WeightLinear;

/// Of a transposed convolution.
#[normalize(kind = "weight", shape = [5, 3, 3, 3], axis = 1, dtype = f64)]
pub struct WeightTransposed;

/// Norms along the last axis, any sizes.
#[normalize(kind = "weight", shape = [_, _], axis = -1)]
pub struct WeightOpen;

/// Without a scale.
#[normalize(kind = "weight", shape = [7, 20], affine = false)]
pub struct WeightPlain;

weight_layers! {
    ["weight_7x33_axis0_weight"] WeightLinear() WeightLinearGrads() f32 [weight = weight_g];
    ["weight_5x3x3x3_axis1_weight"] WeightTransposed() WeightTransposedGrads() f64 [weight = weight_g];
    ["weight_7x33_axis1_weight"]
        WeightOpen([7, 33]) WeightOpenGrads(zero [7, 33]) f32 [weight = weight_g] of [7, 33];
    ["weight_7x20_axis0_none"] WeightPlain() WeightPlainGrads() f32 [];
}
