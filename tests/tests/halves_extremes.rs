//! Half types at the ends of their range, where what is normalized together does not lie in rows.

// Of what tests need, lints warn; this silences them.
#![allow(deprecated)]

use normkit::{Element, bf16, f16};
use normkit_tests::check::outputs_near;
use normkit_tests::rounding::Format;
use normkit_tests::{
    BatchInputs, Inputs, Kernel, Numbers, Sets, at_each_level_of_halves, batch, kernel, narrow, widen,
};

const TOLERANCE: f64 = 2e-6;

/// Instances, groups and columns.
#[test]
fn magnitudes_of_sets() {
    fn test<T: Element>(name: &str, kernels: &[(Kernel<T>, Sets)], magnitudes: &[f64]) {
        at_each_level_of_halves(name, |level| {
            for (kernel, sets) in kernels {
                for dims in [[2, 4, 5], [3, 8, 49], [1, 33, 8], [2, 16, 300]] {
                    for &magnitude in magnitudes {
                        let inputs = Inputs::<T>::random(*sets, &dims, 3, magnitude, magnitude, 0.0);
                        let found = kernel.run_in(&dims, &inputs);
                        let expected = kernel.expected(*sets, &dims, &inputs);
                        let what = format!("{} over {dims:?} at {level}, magnitude {magnitude:e}", kernel.name);
                        let format = Format::of::<T>().unwrap();
                        format.rounded_once(&what, &widen(&found.y), &expected.y, 1.0, TOLERANCE);
                    }
                }
            }
        });
    }
    macro_rules! sets {
        ($t:ident) => {
            [
                (
                    kernel!($t, weight bias eps; kind = "instance", shape = [_, _, _], eps = _),
                    Sets::Instance { axis: 1 },
                ),
                (
                    kernel!($t, weight bias eps; kind = "group", shape = [_, _, _], axis = 1, groups = 1, eps = _),
                    Sets::Groups { axis: 1, groups: 1 },
                ),
                (kernel!($t, weight bias eps; kind = "layer", shape = [_, _, _], axis = 1, eps = _), Sets::Over(&[1])),
            ]
        };
    }
    test("sets of bf16", &sets!(bf16), &[1e-30, 1e-17, 1e12, 1e30]);
    test("sets of f16", &sets!(f16), &[1e-4, 0.1, 1e2, 1.2e4]);
}

#[test]
fn any_magnitude_in_batches() {
    let first = batch!(bf16, weight bias eps; shape = [_, _, _], eps = _);
    let columns = batch!(bf16, weight bias eps; shape = [_, _], eps = _);
    at_each_level_of_halves("batches of any magnitude", |level| {
        for magnitude in [1e-30, 1e-17, 1e17, 1e30] {
            for (kernel, dims) in [(&first, &[3, 5, 49][..]), (&columns, &[70, 17])] {
                let inputs = Inputs::<bf16>::random(Sets::Each { axis: 1 }, dims, 3, magnitude, magnitude, 0.0);
                let (found, expected) = (kernel.train_in(dims, &inputs), kernel.expected(1, dims, &inputs));
                let what = format!("{} over {dims:?} at {level}, magnitude {magnitude:e}", kernel.name);
                Format::BF16.rounded_once(&what, &widen(&found.y), &expected.y, 1.0, TOLERANCE);
            }
        }
    });
}

#[test]
fn sixty_thousands_in_batches() {
    let first = batch!(f16, weight bias; shape = [_, _, _]);
    let columns = batch!(f16, weight bias; shape = [_, _]);
    at_each_level_of_halves("batches of sixty thousands", |level| {
        let check = |kernel: &normkit_tests::Batch<f16>, dims: &[usize]| {
            let mut inputs = BatchInputs::<f16>::random(1, dims, 5, 1.0, 1.0, 1e-5).inputs;
            let mut numbers = Numbers(9);
            inputs.x = narrow(&(0..inputs.x.len()).map(|_| 60000.0 + 5000.0 * numbers.next_unit()).collect::<Vec<_>>());
            let what = format!("{} over {dims:?} at {level}", kernel.name);
            let per_param = dims.iter().product::<usize>() / dims[1];
            outputs_near(
                &what,
                &kernel.train_in(dims, &inputs),
                &kernel.expected(1, dims, &inputs),
                per_param,
                TOLERANCE,
            );
        };
        check(&first, &[3, 5, 49]);
        check(&first, &[2, 3, 1000]);
        check(&columns, &[300, 17]);
        check(&columns, &[9, 64]);
    });
}
