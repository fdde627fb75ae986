//! Gradients of parameters over many rows of half types: summed in `f32`, in blocks, so that the last rows count as the first do.

use normkit::{Element, bf16, f16};
use normkit_tests::{Expected, Inputs, Kernel, Sets, at_each_level_of_halves, batch, error, kernel, widen};

const ROWS: usize = 65536;

/// Relative to the larger of the largest value and what random terms add up to.
const BOUND: f64 = 1e-5;

fn near(what: &str, found: [&[f32]; 2], expected: &Expected) {
    for (part, found, expected) in [("dweight", found[0], &expected.dweight), ("dbias", found[1], &expected.dbias)] {
        let error = error(&widen(found), expected, (ROWS as f64).sqrt());
        println!("{part} of {what}: {error:.1e}");
        assert!(error <= BOUND, "{part} of {what}: error {error:e}");
    }
}

/// With gradients about one half: their sum grows with the rows, and so would the error of a single chain.
fn inputs<T: Element<Compute = f32>>(sets: Sets, dims: &[usize]) -> Inputs<T> {
    let mut inputs = Inputs::<T>::random(sets, dims, 11, 1.0, 1.0, 1e-5);
    for dy in &mut inputs.dy {
        *dy = T::narrow(dy.widen() + 0.5);
    }
    inputs
}

fn rows<T: Element<Compute = f32>>(kernels: [(Kernel<T>, usize); 2]) {
    let cases = kernels.map(|(kernel, n)| {
        let inputs = inputs::<T>(Sets::Over(&[1]), &[ROWS, n]);
        let expected = kernel.oracle(n, &inputs);
        (kernel, n, inputs, expected)
    });
    at_each_level_of_halves("many rows", |level| {
        for (kernel, n, inputs, expected) in &cases {
            let found = kernel.run([ROWS, *n], inputs);
            near(&format!("{} of {n} at {level}", kernel.name), [&found.dweight, &found.dbias], expected);
        }
    });
}

#[test]
fn rows_of_bf16() {
    let fixed = kernel!(bf16, weight bias; kind = "layer", shape = [_, 24]);
    let any = kernel!(bf16, weight; kind = "rms", shape = [_, _]);
    rows([(fixed, 24), (any, 17)]);
}

#[test]
fn rows_of_f16() {
    let fixed = kernel!(f16, weight; kind = "rms", shape = [_, 16]);
    let any = kernel!(f16, weight bias; kind = "layer", shape = [_, _]);
    rows([(fixed, 16), (any, 19)]);
}

/// Channels of as many values: side by side, in planes, and last.
#[test]
fn channels_of_bf16() {
    let cases = [
        (batch!(bf16, weight bias; shape = [_, 17]), 1, vec![ROWS, 17]),
        (batch!(bf16, weight bias; shape = [_, _]), 1, vec![ROWS, 9]),
        (batch!(bf16, weight bias; shape = [_, _, _]), 1, vec![64, 3, 1024]),
        (batch!(bf16, weight bias; shape = [_, _, _], axis = -1), 2, vec![64, 1024, 5]),
    ]
    .map(|(kernel, axis, dims)| {
        let inputs = inputs::<bf16>(Sets::Each { axis }, &dims);
        let expected = kernel.expected(axis, &dims, &inputs);
        (kernel, dims, inputs, expected)
    });
    at_each_level_of_halves("channels of many values", |level| {
        for (kernel, dims, inputs, expected) in &cases {
            let found = kernel.train_in(dims, inputs);
            near(&format!("{} over {dims:?} at {level}", kernel.name), [&found.dweight, &found.dbias], expected);
        }
    });
}

/// Parameters that lie along columns: each sums over all of them.
#[test]
fn columns_of_bf16() {
    let layer = kernel!(bf16, weight bias; kind = "layer", shape = [_, 16, _], axis = 1);
    let around = kernel!(bf16, weight; kind = "rms", shape = [_, 4, _, 4], axis = [1, 3]);
    let cases = [(layer, Sets::Over(&[1]), vec![64, 16, 1024]), (around, Sets::Over(&[1, 3]), vec![4096, 4, 16, 4])];
    let cases = cases.map(|(kernel, sets, dims)| {
        let inputs = inputs::<bf16>(sets, &dims);
        let expected = kernel.expected(sets, &dims, &inputs);
        (kernel, dims, inputs, expected)
    });
    at_each_level_of_halves("many columns", |level| {
        for (kernel, dims, inputs, expected) in &cases {
            let found = kernel.run_in(dims, inputs);
            near(&format!("{} over {dims:?} at {level}", kernel.name), [&found.dweight, &found.dbias], expected);
        }
    });
}

/// Gradients are added to what is there, in the type that is computed in.
#[test]
fn gradients_are_added() {
    fn test<T: Element<Compute = f32>>(kernel: &Kernel<T>, sets: Sets, dims: [usize; 3]) {
        let inputs = inputs::<T>(sets, &dims);
        let once = kernel.run_in(&dims, &inputs);
        let start = |values: &[f32]| (0..values.len()).map(|i| 1000.0 + i as f32 / 8.0).collect::<Vec<f32>>();
        let (mut dweight, mut dbias) = (start(&once.dweight), start(&once.dbias));
        let mut dx = inputs.x.clone();
        let [x, dy] = [&inputs.x, &inputs.dy].map(|values| (values, dims).into());
        let dx_view = (&mut dx, dims).into();
        (kernel.backward)(x, dy, inputs.params(), &once.saved, dx_view, &mut dweight, &mut dbias).unwrap();
        for (part, found, added) in [("dweight", &dweight, &once.dweight), ("dbias", &dbias, &once.dbias)] {
            let expected: Vec<f64> = start(found).iter().zip(added).map(|(s, a)| f64::from(s + a)).collect();
            let error = error(&widen(found), &expected, 1.0);
            assert!(error <= 2e-7, "{part} of {}: {error:e}", kernel.name);
        }
        assert_eq!(widen(&dx), widen(&once.dx), "{}: dx is written", kernel.name);
    }
    let rows = kernel!(bf16, weight bias; kind = "layer", shape = [_, _, 20]);
    let group = kernel!(f16, weight bias; kind = "group", shape = [_, 6, 7], groups = 3);
    let columns = kernel!(bf16, weight; kind = "rms", shape = [_, _, _], axis = 1);
    at_each_level_of_halves("added", |_| {
        test(&rows, Sets::Over(&[2]), [3, 5, 20]);
        test(&group, Sets::Groups { axis: 1, groups: 3 }, [4, 6, 7]);
        test(&columns, Sets::Over(&[1]), [2, 9, 17]);
    });
}
