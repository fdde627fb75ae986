//! RMS and layer norm over axes that are not the last ones.

use crate::run::{Run, Subject};

rows! { plain:
    ["rms_2x17x2x3_axis1_eps1e-06_weight"] [weight] { kind = "rms", shape = [_, 17, 2, 3], axis = 1 };
    ["rms_1x3x7x7_axis1_eps1e-06_weight"] [weight] { kind = "rms", shape = [_, 3, 7, 7], axis = 1 };
    ["rms_1x20x11_axis1_eps1e-06_weight"] [weight] { kind = "rms", shape = [_, 20, 11], axis = 1 };
    ["rms_1x3x70_axis1_eps1e-06_weight"] [weight] { kind = "rms", shape = [_, 3, 70], axis = 1 };
    ["rms_2x3x5x7_axis1-3_eps1e-06_weight"] [weight] { kind = "rms", shape = [_, 3, 5, 7], axis = [1, 3] };
    ["rms_1x3x2x20_axis1-3_eps1e-06_weight"] [weight] { kind = "rms", shape = [_, 3, 2, 20], axis = [1, 3] };
    ["rms_17x5_axis0_eps1e-06_weight"] [weight] { kind = "rms", shape = [17, _], axis = 0 };
    ["rms_4x33_axis0_eps1e-06_weight"] [weight] { kind = "rms", shape = [4, _], axis = 0 };
    ["rms_3x5x7_axis0-1_eps1e-06_weight"] [weight] { kind = "rms", shape = [3, 5, _], axis = [0, 1] };
    ["rms_3x2x17_axis0-2_eps1e-06_weight"] [weight] { kind = "rms", shape = [3, _, 17], axis = [0, 2] };
    ["rms_1x3x5x7_axis1-2_eps1e-06_weight"] [weight] { kind = "rms", shape = [_, 3, 5, 7], axis = [1, 2] };
    ["rms_2x2x3x3x5_axis1-3_eps1e-06_weight"] [weight] { kind = "rms", shape = [_, 2, 3, 3, 5], axis = [1, 3] };
    ["rms_1x7x3x3_axis1_eps1e-06_none"] [] { kind = "rms", shape = [_, 7, 3, 3], axis = 1, affine = false };
    ["rms_7x20_axis0_eps1e-06_none"] [] { kind = "rms", shape = [7, _], axis = 0, affine = false };
    ["rms_1x7x3x3_axis1_eps0.25_weight"] [weight] { kind = "rms", shape = [_, 7, 3, 3], axis = 1, eps = 0.25 };
    ["rms_2x7x3x3_axis1_eps1e-06_weight_mean10"] [weight] { kind = "rms", shape = [_, 7, 3, 3], axis = 1 };
    ["rms_2x5x3x4_axis1-3_eps1e-06_weight_mean10"] [weight] { kind = "rms", shape = [_, 5, 3, 4], axis = [1, 3] };

    ["layer_2x17x2x3_axis1_eps1e-05_weight_bias"] [weight bias] { kind = "layer", shape = [_, 17, 2, 3], axis = 1 };
    ["layer_1x3x7x7_axis1_eps1e-05_weight_bias"] [weight bias] { kind = "layer", shape = [_, 3, 7, 7], axis = 1 };
    ["layer_1x20x11_axis1_eps1e-05_weight_bias"] [weight bias] { kind = "layer", shape = [_, 20, 11], axis = 1 };
    ["layer_1x3x70_axis1_eps1e-05_weight_bias"] [weight bias] { kind = "layer", shape = [_, 3, 70], axis = 1 };
    ["layer_2x3x5x7_axis1-3_eps1e-05_weight_bias"]
        [weight bias] { kind = "layer", shape = [_, 3, 5, 7], axis = [1, 3] };
    ["layer_1x3x2x20_axis1-3_eps1e-05_weight_bias"]
        [weight bias] { kind = "layer", shape = [_, 3, 2, 20], axis = [1, 3] };
    ["layer_17x5_axis0_eps1e-05_weight_bias"] [weight bias] { kind = "layer", shape = [17, _], axis = 0 };
    ["layer_4x33_axis0_eps1e-05_weight_bias"] [weight bias] { kind = "layer", shape = [4, _], axis = 0 };
    ["layer_3x5x7_axis0-1_eps1e-05_weight_bias"] [weight bias] { kind = "layer", shape = [3, 5, _], axis = [0, 1] };
    ["layer_3x2x17_axis0-2_eps1e-05_weight_bias"] [weight bias] { kind = "layer", shape = [3, _, 17], axis = [0, 2] };
    ["layer_1x3x5x7_axis1-2_eps1e-05_weight_bias"]
        [weight bias] { kind = "layer", shape = [_, 3, 5, 7], axis = [1, 2] };
    ["layer_2x2x3x3x5_axis1-3_eps1e-05_weight_bias"]
        [weight bias] { kind = "layer", shape = [_, 2, 3, 3, 5], axis = [1, 3] };
    ["layer_1x7x3x3_axis1_eps1e-05_none"] [] { kind = "layer", shape = [_, 7, 3, 3], axis = 1, affine = false };
    ["layer_7x20_axis0_eps1e-05_none"] [] { kind = "layer", shape = [7, _], axis = 0, affine = false };
    ["layer_1x7x3x3_axis1_eps0.25_weight_bias"]
        [weight bias] { kind = "layer", shape = [_, 7, 3, 3], axis = 1, eps = 0.25 };
    ["layer_2x7x3x3_axis1_eps1e-05_weight_bias_mean10"]
        [weight bias] { kind = "layer", shape = [_, 7, 3, 3], axis = 1 };
    ["layer_2x5x3x4_axis1-3_eps1e-05_weight_bias_mean10"]
        [weight bias] { kind = "layer", shape = [_, 5, 3, 4], axis = [1, 3] };
    ["layer_1x7x3x3_axis1_eps1e-05_weight"]
        [weight] { kind = "layer", shape = [_, 7, 3, 3], axis = 1, affine = weight };
    ["layer_3x1x17_axis1_eps1e-05_weight_bias"] [weight bias] { kind = "layer", shape = [_, 1, 17], axis = 1 };
    // Sizes known only when called.
    ["rms_2x17x2x3_axis1_eps1e-06_weight"] [weight] { kind = rms, shape = [_, 17, _, _], axis = 1 } of [2, 17, 2, 3];
    ["rms_1x3x70_axis1_eps1e-06_weight"] [weight] { kind = rms, shape = [_, _, _], axis = 1 } of [1, 3, 70];
    ["rms_4x33_axis0_eps1e-06_weight"] [weight] { kind = rms, shape = [_, _], axis = 0 } of [4, 33];
    ["layer_2x17x2x3_axis1_eps1e-05_weight_bias"]
        [weight bias] { kind = layer, shape = [_, 17, _, _], axis = 1 } of [2, 17, 2, 3];
    ["layer_1x3x7x7_axis1_eps1e-05_weight_bias"]
        [weight bias] { kind = layer, shape = [_, _, _, _], axis = 1 } of [1, 3, 7, 7];
    ["layer_4x33_axis0_eps1e-05_weight_bias"] [weight bias] { kind = layer, shape = [_, _], axis = 0 } of [4, 33];
    ["layer_2x3x5x7_axis1-3_eps1e-05_weight_bias"]
        [weight bias] { kind = layer, shape = [_, 3, _, 7], axis = [1, 3] } of [2, 3, 5, 7];
}
