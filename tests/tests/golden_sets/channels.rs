//! Instance and group norm: statistics over what surrounds the channels of one sample.

use crate::run::{Run, Subject};

rows! { plain:
    ["instance_2x17x5_axis1_eps1e-05_weight_bias"] [weight bias] { kind = "instance", shape = [_, 17, 5] };
    ["instance_2x2x49_axis1_eps1e-05_weight_bias"] [weight bias] { kind = "instance", shape = [_, 2, 49] };
    ["instance_2x2x7x7_axis1_eps1e-05_weight_bias" "instance_1x2x7x7_axis1_eps1e-05_weight_bias_mean10"]
        [weight bias] { kind = "instance", shape = [_, 2, 7, 7] };
    ["instance_1x2x14x14_axis1_eps1e-05_weight_bias"] [weight bias] { kind = "instance", shape = [_, 2, 14, 14] };
    ["instance_2x2x2x3x5_axis1_eps1e-05_weight_bias"] [weight bias] { kind = "instance", shape = [_, 2, 2, 3, 5] };
    ["instance_2x5x17_axis2_eps1e-05_weight_bias"] [weight bias] { kind = "instance", shape = [_, 5, 17], axis = -1 };
    ["instance_1x3x70_axis2_eps1e-05_weight_bias"] [weight bias] { kind = "instance", shape = [_, 3, 70], axis = -1 };
    ["instance_1x7x7x3_axis3_eps1e-05_weight_bias"]
        [weight bias] { kind = "instance", shape = [_, 7, 7, 3], axis = -1 };
    ["instance_2x2x2x20_axis3_eps1e-05_weight_bias"]
        [weight bias] { kind = "instance", shape = [_, 2, 2, 20], axis = -1 };
    ["instance_1x3x2x33_axis3_eps1e-05_weight_bias"]
        [weight bias] { kind = "instance", shape = [_, 3, 2, 33], axis = -1 };
    ["instance_2x2x2x3x5_axis4_eps1e-05_weight_bias"]
        [weight bias] { kind = "instance", shape = [_, 2, 2, 3, 5], axis = -1 };
    ["instance_2x2x5x7_axis2_eps1e-05_weight_bias"] [weight bias] { kind = "instance", shape = [_, 2, 5, 7], axis = 2 };
    ["instance_3x17x1_axis1_eps1e-05_weight_bias"] [weight bias] { kind = "instance", shape = [_, 17, 1] };
    ["instance_2x3x1x1_axis1_eps1e-05_weight_bias"] [weight bias] { kind = "instance", shape = [_, 3, 1, 1] };
    ["instance_2x1x1x17_axis3_eps1e-05_weight_bias"]
        [weight bias] { kind = "instance", shape = [_, 1, 1, 17], axis = -1 };
    ["instance_2x3x1x1_axis1_eps1e-05_none"] [] { kind = "instance", shape = [_, 3, 1, 1], affine = false };
    ["instance_1x3x5x5_axis1_eps1e-05_none"] [] { kind = "instance", shape = [_, 3, 5, 5], affine = false };
    ["instance_1x5x5x3_axis3_eps1e-05_none"] [] { kind = "instance", shape = [_, 5, 5, 3], axis = -1, affine = false };
    ["instance_1x3x5x5_axis1_eps1e-05_weight"] [weight] { kind = "instance", shape = [_, 3, 5, 5], affine = weight };
    ["instance_1x5x5x3_axis3_eps1e-05_weight"]
        [weight] { kind = "instance", shape = [_, 5, 5, 3], axis = -1, affine = weight };
    ["instance_1x3x5x5_axis1_eps0.25_weight_bias"]
        [weight bias] { kind = "instance", shape = [_, 3, 5, 5], eps = 0.25 };
    ["instance_1x5x5x3_axis3_eps0.25_weight_bias"]
        [weight bias] { kind = "instance", shape = [_, 5, 5, 3], axis = -1, eps = 0.25 };
    ["instance_2x2x2x17_axis3_eps1e-05_weight_bias_mean10"]
        [weight bias] { kind = "instance", shape = [_, 2, 2, 17], axis = -1 };

    ["group_2x6x3x3_axis1_groups1_eps1e-05_weight_bias"]
        [weight bias] { kind = "group", shape = [_, 6, 3, 3], groups = 1 };
    ["group_2x6x3x3_axis1_groups2_eps1e-05_weight_bias"]
        [weight bias] { kind = "group", shape = [_, 6, 3, 3], groups = 2 };
    ["group_2x6x3x3_axis1_groups3_eps1e-05_weight_bias"]
        [weight bias] { kind = "group", shape = [_, 6, 3, 3], groups = 3 };
    ["group_2x6x3x3_axis1_groups6_eps1e-05_weight_bias"]
        [weight bias] { kind = "group", shape = [_, 6, 3, 3], groups = 6 };
    ["group_3x20_axis1_groups4_eps1e-05_weight_bias"] [weight bias] { kind = "group", shape = [_, 20], groups = 4 };
    ["group_1x33x3_axis1_groups3_eps1e-05_weight_bias"]
        [weight bias] { kind = "group", shape = [_, 33, 3], groups = 3 };
    ["group_2x6x7_axis1_groups2_eps1e-05_weight_bias"] [weight bias] { kind = "group", shape = [_, 6, 7], groups = 2 };
    ["group_2x20x2x2_axis1_groups5_eps1e-05_weight_bias"]
        [weight bias] { kind = "group", shape = [_, 20, 2, 2], groups = 5 };
    ["group_2x4x5x5_axis1_groups2_eps1e-05_weight_bias"]
        [weight bias] { kind = "group", shape = [_, 4, 5, 5], groups = 2 };
    ["group_1x4x7x7_axis1_groups2_eps1e-05_weight_bias"]
        [weight bias] { kind = "group", shape = [_, 4, 7, 7], groups = 2 };
    ["group_1x2x7x14_axis1_groups1_eps1e-05_weight_bias"]
        [weight bias] { kind = "group", shape = [_, 2, 7, 14], groups = 1 };
    ["group_1x4x2x3x5_axis1_groups2_eps1e-05_weight_bias"]
        [weight bias] { kind = "group", shape = [_, 4, 2, 3, 5], groups = 2 };
    ["group_2x3x3x6_axis3_groups1_eps1e-05_weight_bias"]
        [weight bias] { kind = "group", shape = [_, 3, 3, 6], axis = -1, groups = 1 };
    ["group_2x3x3x6_axis3_groups2_eps1e-05_weight_bias"]
        [weight bias] { kind = "group", shape = [_, 3, 3, 6], axis = -1, groups = 2 };
    ["group_2x3x3x6_axis3_groups3_eps1e-05_weight_bias"]
        [weight bias] { kind = "group", shape = [_, 3, 3, 6], axis = -1, groups = 3 };
    ["group_2x3x3x6_axis3_groups6_eps1e-05_weight_bias"]
        [weight bias] { kind = "group", shape = [_, 3, 3, 6], axis = -1, groups = 6 };
    ["group_2x5x20_axis2_groups4_eps1e-05_weight_bias"]
        [weight bias] { kind = "group", shape = [_, 5, 20], axis = -1, groups = 4 };
    ["group_2x2x2x20_axis3_groups5_eps1e-05_weight_bias"]
        [weight bias] { kind = "group", shape = [_, 2, 2, 20], axis = -1, groups = 5 };
    ["group_1x3x2x33_axis3_groups3_eps1e-05_weight_bias"]
        [weight bias] { kind = "group", shape = [_, 3, 2, 33], axis = -1, groups = 3 };
    ["group_1x3x64_axis2_groups2_eps1e-05_weight_bias"]
        [weight bias] { kind = "group", shape = [_, 3, 64], axis = -1, groups = 2 };
    ["group_1x2x1x2x34_axis4_groups2_eps1e-05_weight_bias"]
        [weight bias] { kind = "group", shape = [_, 2, 1, 2, 34], axis = -1, groups = 2 };
    ["group_2x3x6x5_axis2_groups2_eps1e-05_weight_bias"]
        [weight bias] { kind = "group", shape = [_, 3, 6, 5], axis = 2, groups = 2 };
    ["group_3x6x1x1_axis1_groups6_eps1e-05_weight_bias"]
        [weight bias] { kind = "group", shape = [_, 6, 1, 1], groups = 6 };
    ["group_3x1x1x6_axis3_groups6_eps1e-05_weight_bias"]
        [weight bias] { kind = "group", shape = [_, 1, 1, 6], axis = -1, groups = 6 };
    ["group_1x6x3x5_axis1_groups2_eps1e-05_none"]
        [] { kind = "group", shape = [_, 6, 3, 5], groups = 2, affine = false };
    ["group_1x3x5x6_axis3_groups2_eps1e-05_none"]
        [] { kind = "group", shape = [_, 3, 5, 6], axis = -1, groups = 2, affine = false };
    ["group_1x6x3x5_axis1_groups2_eps1e-05_weight"]
        [weight] { kind = "group", shape = [_, 6, 3, 5], groups = 2, affine = weight };
    ["group_1x3x5x6_axis3_groups2_eps1e-05_weight"]
        [weight] { kind = "group", shape = [_, 3, 5, 6], axis = -1, groups = 2, affine = weight };
    ["group_1x6x3x5_axis1_groups3_eps0.25_weight_bias"]
        [weight bias] { kind = "group", shape = [_, 6, 3, 5], groups = 3, eps = 0.25 };
    ["group_1x3x5x6_axis3_groups3_eps0.25_weight_bias"]
        [weight bias] { kind = "group", shape = [_, 3, 5, 6], axis = -1, groups = 3, eps = 0.25 };
    ["group_1x6x3x5_axis1_groups2_eps1e-05_weight_bias_mean10"]
        [weight bias] { kind = "group", shape = [_, 6, 3, 5], groups = 2 };
    ["group_1x3x5x6_axis3_groups2_eps1e-05_weight_bias_mean10"]
        [weight bias] { kind = "group", shape = [_, 3, 5, 6], axis = -1, groups = 2 };
    // Sizes known only when called.
    ["instance_2x2x7x7_axis1_eps1e-05_weight_bias"]
        [weight bias] { kind = instance, shape = [_, 2, _, _] } of [2, 2, 7, 7];
    ["instance_1x2x14x14_axis1_eps1e-05_weight_bias"]
        [weight bias] { kind = instance, shape = [_, _, _, _] } of [1, 2, 14, 14];
    ["instance_2x17x5_axis1_eps1e-05_weight_bias"] [weight bias] { kind = instance, shape = [_, 17, _] } of [2, 17, 5];
    ["instance_1x3x2x33_axis3_eps1e-05_weight_bias"]
        [weight bias] { kind = instance, shape = [_, _, _, 33], axis = -1 } of [1, 3, 2, 33];
    ["instance_2x2x2x20_axis3_eps1e-05_weight_bias"]
        [weight bias] { kind = instance, shape = [_, _, _, _], axis = -1 } of [2, 2, 2, 20];
    ["instance_2x3x1x1_axis1_eps1e-05_none"]
        [] { kind = instance, shape = [_, _, _, _], affine = false } of [2, 3, 1, 1];
    ["group_2x6x3x3_axis1_groups2_eps1e-05_weight_bias"]
        [weight bias] { kind = group, shape = [_, 6, _, _], groups = 2 } of [2, 6, 3, 3];
    ["group_2x6x3x3_axis1_groups3_eps1e-05_weight_bias"]
        [weight bias] { kind = group, shape = [_, _, _, _], groups = 3 } of [2, 6, 3, 3];
    ["group_1x4x7x7_axis1_groups2_eps1e-05_weight_bias"]
        [weight bias] { kind = group, shape = [_, 4 | 8, _, _], groups = 2 } of [1, 4, 7, 7];
    ["group_2x3x3x6_axis3_groups3_eps1e-05_weight_bias"]
        [weight bias] { kind = group, shape = [_, _, _, 6], axis = -1, groups = 3 } of [2, 3, 3, 6];
    ["group_1x3x2x33_axis3_groups3_eps1e-05_weight_bias"]
        [weight bias] { kind = group, shape = [_, _, _, _], axis = -1, groups = 3 } of [1, 3, 2, 33];
    ["group_3x20_axis1_groups4_eps1e-05_weight_bias"]
        [weight bias] { kind = group, shape = [_, _], groups = 4 } of [3, 20];
}
