//! Batch norm: statistics over all but the channels.

use crate::run::{Run, Subject};

rows! { batch:
    ["batch_train_5x17_axis1_eps1e-05_weight_bias" "batch_eval_5x17_axis1_eps1e-05_weight_bias"]
        [weight bias] { kind = "batch", shape = [_, 17] };
    ["batch_train_4x70_axis1_eps1e-05_weight_bias"] [weight bias] { kind = "batch", shape = [_, 70] };
    ["batch_train_2x17x5_axis1_eps1e-05_weight_bias" "batch_eval_2x17x5_axis1_eps1e-05_weight_bias"]
        [weight bias] { kind = "batch", shape = [_, 17, 5] };
    ["batch_train_2x2x49_axis1_eps1e-05_weight_bias"] [weight bias] { kind = "batch", shape = [_, 2, 49] };
    [
        "batch_train_2x2x7x7_axis1_eps1e-05_weight_bias"
        "batch_eval_2x2x7x7_axis1_eps1e-05_weight_bias"
        "batch_train_2x2x7x7_axis1_eps1e-05_weight_bias_mean10"
    ]
        [weight bias] { kind = "batch", shape = [_, 2, 7, 7] };
    ["batch_train_1x20x3x3_axis1_eps1e-05_weight_bias"] [weight bias] { kind = "batch", shape = [_, 20, 3, 3] };
    ["batch_train_1x2x14x14_axis1_eps1e-05_weight_bias"] [weight bias] { kind = "batch", shape = [_, 2, 14, 14] };
    ["batch_train_2x2x2x3x5_axis1_eps1e-05_weight_bias" "batch_eval_2x2x2x3x5_axis1_eps1e-05_weight_bias"]
        [weight bias] { kind = "batch", shape = [_, 2, 2, 3, 5] };
    ["batch_train_2x5x17_axis2_eps1e-05_weight_bias" "batch_eval_2x5x17_axis2_eps1e-05_weight_bias"]
        [weight bias] { kind = "batch", shape = [_, 5, 17], axis = -1 };
    ["batch_train_2x7x7x3_axis3_eps1e-05_weight_bias"]
        [weight bias] { kind = "batch", shape = [_, 7, 7, 3], axis = -1 };
    ["batch_train_2x2x2x20_axis3_eps1e-05_weight_bias"]
        [weight bias] { kind = "batch", shape = [_, 2, 2, 20], axis = -1 };
    ["batch_train_1x3x2x33_axis3_eps1e-05_weight_bias" "batch_eval_1x3x2x33_axis3_eps1e-05_weight_bias"]
        [weight bias] { kind = "batch", shape = [_, 3, 2, 33], axis = -1 };
    ["batch_train_1x2x1x3x17_axis4_eps1e-05_weight_bias"]
        [weight bias] { kind = "batch", shape = [_, 2, 1, 3, 17], axis = -1 };
    ["batch_train_2x2x5x7_axis2_eps1e-05_weight_bias"] [weight bias] { kind = "batch", shape = [_, 2, 5, 7], axis = 2 };
    ["batch_train_4x33_axis1_eps1e-05_none" "batch_eval_4x33_axis1_eps1e-05_none"]
        [] { kind = "batch", shape = [_, 33], affine = false };
    ["batch_train_1x3x5x5_axis1_eps1e-05_none" "batch_eval_1x3x5x5_axis1_eps1e-05_none"]
        [] { kind = "batch", shape = [_, 3, 5, 5], affine = false };
    ["batch_train_1x2x3x17_axis3_eps1e-05_none"]
        [] { kind = "batch", shape = [_, 2, 3, 17], axis = -1, affine = false };
    ["batch_train_1x3x5x5_axis1_eps1e-05_weight" "batch_eval_1x3x5x5_axis1_eps1e-05_weight"]
        [weight] { kind = "batch", shape = [_, 3, 5, 5], affine = weight };
    ["batch_train_1x5x5x3_axis3_eps1e-05_weight" "batch_eval_1x5x5x3_axis3_eps1e-05_weight"]
        [weight] { kind = "batch", shape = [_, 5, 5, 3], axis = -1, affine = weight };
    ["batch_train_1x3x5x5_axis1_eps0.25_weight_bias" "batch_eval_1x3x5x5_axis1_eps0.25_weight_bias"]
        [weight bias] { kind = "batch", shape = [_, 3, 5, 5], eps = 0.25 };
    ["batch_train_1x5x5x3_axis3_eps0.25_weight_bias"]
        [weight bias] { kind = "batch", shape = [_, 5, 5, 3], axis = -1, eps = 0.25 };
    ["batch_train_4x20_axis1_eps1e-05_weight_bias_mean10" "batch_eval_4x20_axis1_eps1e-05_weight_bias_mean10"]
        [weight bias] { kind = "batch", shape = [_, 20] };
    [
        "batch_train_2x2x2x17_axis3_eps1e-05_weight_bias_mean10"
        "batch_eval_2x2x2x17_axis3_eps1e-05_weight_bias_mean10"
    ]
        [weight bias] { kind = "batch", shape = [_, 2, 2, 17], axis = -1 };
    ["batch_train_7x3_axis1_eps1e-05_weight_bias"] [weight bias] { kind = "batch", shape = [_, 3] };
    ["batch_train_3x3x7_axis1_eps1e-05_weight_bias_momentum0.3"]
        [weight bias] { kind = "batch", shape = [_, 3, 7], momentum = 0.3 };
    ["batch_train_2x4x3x5_axis1_eps1e-05_weight_bias_cumulative"]
        [weight bias] { kind = "batch", shape = [_, 4, 3, 5], momentum = cumulative };
    ["batch_train_2x3x5x4_axis3_eps1e-05_weight_bias_momentum0.3"]
        [weight bias] { kind = "batch", shape = [_, 3, 5, 4], axis = -1, momentum = 0.3 };
    ["batch_train_6x5_axis1_eps1e-05_weight_bias_cumulative_after5"]
        [weight bias] { kind = "batch", shape = [_, 5], momentum = cumulative };
    ["batch_train_4x7_axis1_eps1e-05_weight_bias_biased"]
        [weight bias] { kind = "batch", shape = [_, 7], running_var = biased };
    ["batch_train_2x3x3x4_axis1_eps1e-05_weight_bias_cumulative_biased"]
        [weight bias] { kind = "batch", shape = [_, 3, 3, 4], momentum = cumulative, running_var = biased };
    ["batch_train_2x3x3x5_axis3_eps1e-05_weight_bias_mean10_momentum0.3_biased"]
        [weight bias] { kind = "batch", shape = [_, 3, 3, 5], axis = -1, momentum = 0.3, running_var = biased };
    // Sizes known only when called.
    ["batch_train_2x2x7x7_axis1_eps1e-05_weight_bias" "batch_eval_2x2x7x7_axis1_eps1e-05_weight_bias"]
        [weight bias] { kind = batch, shape = [_, 2, _, _] } of [2, 2, 7, 7];
    ["batch_train_2x2x7x7_axis1_eps1e-05_weight_bias" "batch_eval_2x2x7x7_axis1_eps1e-05_weight_bias"]
        [weight bias] { kind = batch, shape = [_, _, _, _], axis = 1 } of [2, 2, 7, 7];
    ["batch_train_1x2x14x14_axis1_eps1e-05_weight_bias"]
        [weight bias] { kind = batch, shape = [_, 2, _, _] } of [1, 2, 14, 14];
    ["batch_train_2x17x5_axis1_eps1e-05_weight_bias" "batch_eval_2x17x5_axis1_eps1e-05_weight_bias"]
        [weight bias] { kind = batch, shape = [_, 17 | 33, _] } of [2, 17, 5];
    ["batch_train_5x17_axis1_eps1e-05_weight_bias" "batch_eval_5x17_axis1_eps1e-05_weight_bias"]
        [weight bias] { kind = batch, shape = [_, _] } of [5, 17];
    ["batch_train_1x3x2x33_axis3_eps1e-05_weight_bias" "batch_eval_1x3x2x33_axis3_eps1e-05_weight_bias"]
        [weight bias] { kind = batch, shape = [_, _, _, 33], axis = -1 } of [1, 3, 2, 33];
    [
        "batch_train_2x2x2x17_axis3_eps1e-05_weight_bias_mean10"
        "batch_eval_2x2x2x17_axis3_eps1e-05_weight_bias_mean10"
    ]
        [weight bias] { kind = batch, shape = [_, _, _, _], axis = -1 } of [2, 2, 2, 17];
    ["batch_train_1x3x5x5_axis1_eps1e-05_none" "batch_eval_1x3x5x5_axis1_eps1e-05_none"]
        [] { kind = batch, shape = [_, _, _, _], affine = false } of [1, 3, 5, 5];
}
