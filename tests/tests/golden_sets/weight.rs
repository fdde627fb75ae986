//! Weight norm: one norm for each index of an axis.

use crate::run::{Run, Subject};

rows! { plain:
    ["weight_7x33_axis0_weight"] [weight] { kind = "weight", shape = [7, 33] };
    ["weight_7x33_axis1_weight"] [weight] { kind = "weight", shape = [7, 33], axis = -1 };
    ["weight_20x7_axis0_weight"] [weight] { kind = "weight", shape = [20, 7] };
    ["weight_20x7_axis1_weight"] [weight] { kind = "weight", shape = [20, 7], axis = -1 };
    ["weight_2x70_axis0_weight"] [weight] { kind = "weight", shape = [2, 70] };
    ["weight_3x70_axis1_weight"] [weight] { kind = "weight", shape = [3, 70], axis = -1 };
    ["weight_9x3x5_axis0_weight"] [weight] { kind = "weight", shape = [9, 3, 5] };
    ["weight_5x3x3x3_axis0_weight"] [weight] { kind = "weight", shape = [5, 3, 3, 3] };
    ["weight_5x3x3x3_axis1_weight"] [weight] { kind = "weight", shape = [5, 3, 3, 3], axis = 1 };
    ["weight_5x3x2x3_axis3_weight"] [weight] { kind = "weight", shape = [5, 3, 2, 3], axis = -1 };
    ["weight_3x17x3_axis0_weight"] [weight] { kind = "weight", shape = [3, 17, 3] };
    ["weight_3x17x3_axis1_weight"] [weight] { kind = "weight", shape = [3, 17, 3], axis = 1 };
    ["weight_2x2x7x7_axis1_weight"] [weight] { kind = "weight", shape = [2, 2, 7, 7], axis = 1 };
    ["weight_2x3x7x5_axis2_weight"] [weight] { kind = "weight", shape = [2, 3, 7, 5], axis = 2 };
    ["weight_1x2x3x20_axis3_weight"] [weight] { kind = "weight", shape = [1, 2, 3, 20], axis = -1 };
    ["weight_7x20_axis0_none"] [] { kind = "weight", shape = [7, 20], affine = false };
    ["weight_7x20_axis1_none"] [] { kind = "weight", shape = [7, 20], axis = -1, affine = false };
    ["weight_5x3x3x3_axis0_none"] [] { kind = "weight", shape = [5, 3, 3, 3], affine = false };
    ["weight_5x17_axis0_weight_mean10"] [weight] { kind = "weight", shape = [5, 17] };
    ["weight_5x17_axis1_weight_mean10"] [weight] { kind = "weight", shape = [5, 17], axis = -1 };
    // Sizes known only when called.
    ["weight_7x33_axis0_weight"] [weight] { kind = weight, shape = [_, 33] } of [7, 33];
    ["weight_7x33_axis0_weight"] [weight] { kind = weight, shape = [_, _] } of [7, 33];
    ["weight_7x33_axis1_weight"] [weight] { kind = weight, shape = [_, _], axis = -1 } of [7, 33];
    ["weight_7x33_axis1_weight"] [weight] { kind = weight, shape = [_, 33], axis = 1 } of [7, 33];
    ["weight_3x17x3_axis1_weight"] [weight] { kind = weight, shape = [_, 17, _], axis = 1 } of [3, 17, 3];
    ["weight_2x2x7x7_axis1_weight"] [weight] { kind = weight, shape = [_, _, _, _], axis = 1 } of [2, 2, 7, 7];
}
