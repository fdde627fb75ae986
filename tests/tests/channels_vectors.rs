//! Group norm of `[N, C]`, tensors without spatial axes, as PyTorch's `GroupNorm` takes them: each group is normalized over its
//! channels alone.

// Of what tests need, lints warn; this silences them.
#![allow(deprecated)]

use normkit_tests::check::{Case, Check};
use normkit_tests::{Inputs, Sets, at_each_level, kernel};

#[test]
fn groups_of_vectors() {
    let fixed = kernel!(f32, weight bias; kind = "group", shape = [_, 64], groups = 8);
    let last = kernel!(f32,; kind = "group", shape = [_, 34], axis = -1, groups = 2, affine = false);
    let any = kernel!(f32, weight bias; kind = "group", shape = [_, _], groups = 4);
    let wide = kernel!(f64, weight bias; kind = "group", shape = [_, _], groups = 4);
    at_each_level("groups of vectors", |level| {
        for n in [0, 1, 2, 3, 5, 70] {
            let sets = |groups| Sets::Groups { axis: 1, groups };
            Case { kernel: &fixed, sets: sets(8), rest: vec![64] }.check(n, level);
            Case { kernel: &last, sets: sets(2), rest: vec![34] }.check(n, level);
            for channels in [4, 8, 12, 64, 68, 320] {
                Case { kernel: &any, sets: sets(4), rest: vec![channels] }.check(n, level);
                Case { kernel: &wide, sets: sets(4), rest: vec![channels] }.check(n, level);
            }
        }
    });
}

/// As many groups as channels: each element is alone, so it is the bias, and moves with nothing.
#[test]
fn groups_of_one_element() {
    let alone = kernel!(f32, weight bias; kind = "group", shape = [_, 4], groups = 4);
    at_each_level("groups of one element", |level| {
        let (dims, sets) = ([5, 4], Sets::Groups { axis: 1, groups: 4 });
        let inputs = Inputs::<f32>::random(sets, &dims, 8, 3.0, 2.0, 1e-5);
        let found = alone.run_in(&dims, &inputs);
        assert!(found.y.chunks_exact(4).all(|y| y == inputs.bias), "{level}: {:?}", found.y);
        assert!(found.dx.iter().chain(&found.dweight).all(|&v| v == 0.0), "{level}: {:?}", found.dx);
    });
}
