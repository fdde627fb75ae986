//! Ordinary input, normal with mean 0 and deviation 1: outputs and gradients of every kind within a few units in the last place.

use normkit::generic::reference::Problem;
use normkit::{Saved, norm};
use normkit_tests::{Numbers, at_each_level, narrow, widen};

/// The median error in units of the last place, and the worst relative to the largest value.
fn errors(found: &[f32], expected: &[f64]) -> (f64, f64) {
    assert_eq!(found.len(), expected.len());
    let largest = expected.iter().fold(0.0_f64, |m, v| m.max(v.abs()));
    let each = || found.iter().zip(expected).map(|(&f, &e)| ((f64::from(f) - e).abs(), (e as f32).abs()));
    let mut ulps: Vec<f64> = each().map(|(error, e)| error / (f64::from(e.next_up()) - f64::from(e))).collect();
    ulps.sort_by(f64::total_cmp);
    (ulps[ulps.len() / 2], each().map(|(error, _)| error).fold(0.0, f64::max) / largest)
}

/// One kernel without parameters, forward and backward, set by set.
macro_rules! check {
    ($problem:expr, $($keys:tt)*) => {{
        let (kernel, problem) = (norm!($($keys)*, affine = false), $problem);
        let len = problem.dims.iter().product();
        let [x, dy]: [Vec<f32>; 2] = [1, 2].map(|seed| narrow(&Numbers(seed).normal(len, 0.0, 1.0)));
        let (mut y, mut dx, mut saved) = (vec![0.0; len], vec![0.0; len], Saved::default());
        kernel.forward_train(&x, &mut y, &mut saved).unwrap();
        kernel.backward(&x, &dy, &saved, &mut dx).unwrap();
        let forward = problem.forward(&widen(&x), None, None);
        let backward = problem.backward(&widen(&x), &widen(&dy), None);
        for (part, found, expected) in [("y", &y, &forward.y), ("dx", &dx, &backward.dx)] {
            let (median, worst) = errors(found, expected);
            println!("{}: {part}: median {median:.2} ulp, worst {worst:.1e}", stringify!($($keys)*));
            assert!(median <= 4.0, "{}: {part}: median {median} ulp", stringify!($($keys)*));
            assert!(worst <= 1e-6, "{}: {part}: worst {worst:e}", stringify!($($keys)*));
        }
    }};
}

#[test]
fn within_units_in_the_last_place() {
    at_each_level("ordinary input", |_| {
        // One row each, so that the worst is relative to that row's largest.
        check!(Problem::rows(1, 64, false, 1e-6), kind = "rms", shape = [_, 64]);
        check!(Problem::rows(1, 768, false, 1e-6), kind = "rms", shape = [_, 768]);
        check!(Problem::rows(1, 5000, false, 1e-6), kind = "rms", shape = [_, 5000]);
        check!(Problem::rows(1, 64, true, 1e-5), kind = "layer", shape = [_, 64]);
        check!(Problem::rows(1, 768, true, 1e-5), kind = "layer", shape = [_, 768]);
        check!(Problem::rows(1, 5000, true, 1e-5), kind = "layer", shape = [_, 5000]);
        check!(Problem::instance(&[1, 2, 196], 1, 1e-5), kind = "instance", shape = [_, 2, 196]);
        check!(Problem::group(&[1, 8, 49], 1, 2, 1e-5), kind = "group", shape = [_, 8, 49], groups = 2);
        check!(Problem::batch(&[32, 4, 49], 1, 1e-5), kind = "batch", shape = [_, 4, 49]);
        check!(Problem::batch(&[300, 20], 1, 1e-5), kind = "batch", shape = [_, 20]);
        check!(Problem::over(&[2, 96, 15], &[1], true, 1e-5), kind = "layer", shape = [_, 96, 15], axis = 1);
    });
}
