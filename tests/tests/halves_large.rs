//! Tensors of half types larger than the caches, whose outputs may be stored past them.

use normkit::{Element, Param, Saved, bf16, f16};
use normkit_tests::{Inputs, Kernel, Place, Sets, at_each_level_of_halves, bits, kernel, narrow, widen};

/// 20 MB in each tensor: beyond what most last-level caches hold of two.
const LEN: usize = 10 << 20;

/// Few numbers over and over, to be quick.
fn inputs<T: Element>(kernel: &Kernel<T>, sets: Sets, dims: &[usize]) -> Inputs<T> {
    let few = Inputs::<T>::random(sets, &[1, dims[1], dims[2]], 3, 1.0, 1.0, kernel.spec.eps);
    let over = |values: &[T]| values.iter().copied().cycle().take(LEN).collect();
    Inputs { x: over(&few.x), dy: over(&few.dy), ..few }
}

/// In memory that starts at a cache line, and one element further, where stores go through the caches.
fn check<T: Element>(kernel: &Kernel<T>, sets: Sets, dims: [usize; 3]) {
    assert_eq!(dims.iter().product::<usize>(), LEN);
    let (inputs, nan) = (inputs(kernel, sets, &dims), narrow::<T>(&[f64::NAN])[0]);
    let copy = |values: &[T], shift: usize| {
        let mut param = Param::filled(nan, LEN + shift);
        param[shift..].copy_from_slice(values);
        param
    };
    let place = Place::contiguous(&dims);
    at_each_level_of_halves("larger than the caches", |level| {
        let [aligned, shifted] = [0, 1].map(|shift| {
            let (x, dy) = (copy(&inputs.x, shift), copy(&inputs.dy, shift));
            let [mut y, mut dx] = [(); 2].map(|()| Param::filled(nan, LEN + shift));
            let mut saved = Saved::default();
            let [x, dy] = [&x, &dy].map(|values| place.view(&values[shift..]));
            (kernel.train)(x, inputs.params(), place.view_mut(&mut y[shift..]), &mut saved).unwrap();
            let [mut dweight, mut dbias] = [&inputs.weight, &inputs.bias].map(|param| narrow(&vec![0.0; param.len()]));
            let dx_view = place.view_mut(&mut dx[shift..]);
            (kernel.backward)(x, dy, inputs.params(), &saved, dx_view, &mut dweight, &mut dbias).unwrap();
            (y, dx, dweight, dbias)
        });
        let what = format!("{} at {level}", kernel.name);
        assert!(aligned.0[..] == shifted.0[1..], "{what}: y");
        assert!(aligned.1[..] == shifted.1[1..], "{what}: dx");
        assert_eq!((bits(&aligned.2), bits(&aligned.3)), (bits(&shifted.2), bits(&shifted.3)), "{what}");
        // And the first of what repeats is what it is alone.
        let first = dims[1] * dims[2];
        let alone = Inputs { x: inputs.x[..first].to_vec(), dy: inputs.dy[..first].to_vec(), ..inputs.clone() };
        let alone = kernel.run_in(&[1, dims[1], dims[2]], &alone);
        assert!(widen(&aligned.0[..first]) == widen(&alone.y), "{what}: y alone");
        assert!(widen(&aligned.1[..first]) == widen(&alone.dx), "{what}: dx alone");
    });
}

#[test]
fn rows() {
    check(&kernel!(bf16, weight bias; kind = "layer", shape = [_, _, 1024]), Sets::Over(&[2]), [40, 256, 1024]);
}

#[test]
fn channels_and_columns() {
    let instance = kernel!(bf16, weight bias; kind = "instance", shape = [_, 64, 4096]);
    check(&instance, Sets::Instance { axis: 1 }, [40, 64, 4096]);
    let group = kernel!(f16, weight bias; kind = "group", shape = [_, 1024, 256], axis = -1, groups = 32);
    check(&group, Sets::Groups { axis: 2, groups: 32 }, [40, 1024, 256]);
    check(&kernel!(bf16, weight bias; kind = "layer", shape = [_, 64, _], axis = 1), Sets::Over(&[1]), [40, 64, 4096]);
}
