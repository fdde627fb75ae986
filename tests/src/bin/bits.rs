//! The bits of what kernels give, as one number for each kernel, level and way to go through memory.
//!
//! They must not depend on how kernels were compiled, though without optimization there is less of them: `.ci/unoptimized` compares what this
//! prints in one build with what it prints in another.

use normkit::__private::level;
use normkit::kernel::{Fixed, Kernel, KernelElement, KernelOf, ParamGrads, Params};
use normkit::{Element, NormError, Saved, bf16, f16, norm};
use normkit_tests::{Numbers, at_each_level_of_halves, bits, described, described_mut, narrow, past_caches};
use std::collections::hash_map::DefaultHasher;
use std::error::Error;
use std::hash::{Hash, Hasher};

/// A kernel, the dims that it is called with, and how many elements its parameters have (0 where there are none).
struct Case {
    name: &'static str,
    kernel: Kernel,
    dims: Vec<usize>,
    params: usize,
}

/// Kernels of each form, of few vectors and of many, with tails and without; more rows than are taken together.
fn cases() -> Vec<Case> {
    macro_rules! cases {
        ($($dims:expr, $params:expr => [$($keys:tt)*];)*) => {
            vec![$(Case {
                name: stringify!($($keys)*),
                kernel: norm!($($keys)*).kernel(),
                dims: Vec::from($dims),
                params: $params,
            }),*]
        };
    }
    let mut all = cases! {
        [11, 20], 20 => [kind = "rms", shape = [_, 20]];
        [11, 64], 64 => [kind = "rms", shape = [_, 64]];
        [11, 100], 100 => [kind = "rms", shape = [_, 100]];
        [7, 4096], 4096 => [kind = "rms", shape = [_, 4096]];
        [7, 1003], 1003 => [kind = "rms", shape = [_, _]];
        [11, 64], 64 => [kind = "layer", shape = [_, 64]];
        [11, 768], 768 => [kind = "layer", shape = [_, 768]];
        [7, 4099], 4099 => [kind = "layer", shape = [_, 4099]];
        [7, 777], 777 => [kind = "layer", shape = [_, 64 | _]];
        [11, 100], 0 => [kind = "layer", shape = [_, 100], affine = false];
        [3, 20, 7], 20 => [kind = "layer", shape = [_, 20, _], axis = 1];
        [3, 20, 64], 20 => [kind = "rms", shape = [_, 20, 64], axis = 1];
        [3, 5, 4, 6], 30 => [kind = "layer", shape = [_, 5, _, 6], axis = [1, 3]];
        [4, 5, 7, 9], 5 => [kind = "batch", shape = [_, 5, 7, 9]];
        [3, 5, 56, 56], 5 => [kind = "batch", shape = [_, 5, 56, 56]];
        [3, 5, 30, 31], 5 => [kind = "batch", shape = [_, _, _, _]];
        [4, 9, 20], 20 => [kind = "batch", shape = [_, _, 20], axis = -1];
        [4, 70, 256], 256 => [kind = "batch", shape = [_, _, 256], axis = -1];
        [4, 70, 77], 77 => [kind = "batch", shape = [_, _, _], axis = -1];
        [3, 8, 12, 12], 8 => [kind = "group", groups = 4, shape = [_, 8, 12, 12]];
        [3, 12, 12, 8], 8 => [kind = "group", groups = 4, shape = [_, 12, 12, 8], axis = -1];
        [3, 8, 8, 8], 8 => [kind = "instance", shape = [_, 8, 8, 8]];
        [3, 8, 70, 70], 8 => [kind = "instance", shape = [_, 8, 70, 70]];
    };
    all.extend(cases! {
        [11, 768], 768 => [kind = "rms", shape = [_, 768], dtype = f32 | f16 | bf16];
        [11, 100], 100 => [kind = "layer", shape = [_, 100], dtype = f64];
        [11, 777], 777 => [kind = "layer", shape = [_, _], dtype = bf16, param = bf16];
        [4, 9, 20], 20 => [kind = "batch", shape = [_, _, 20], axis = -1, dtype = f16, param = f16];
        [3, 8, 12, 12], 8 => [kind = "group", groups = 4, shape = [_, 8, 12, 12], dtype = bf16];
        [13, 1536], 13 => [kind = "weight", shape = [_, 1536]];
        [13, 77], 13 => [kind = "weight", shape = [_, _]];
        [13, 77], 77 => [kind = "weight", shape = [_, _], axis = 1];
        [11, 768], 768 => [kind = "rms", shape = [_, 768], dtype = bf16, param = bf16, cast = before_weight];
    });
    all
}

/// Runs all passes over what follows from the dims alone, and adds all that they give to the digest; with `extreme` some of it is so large
/// that kernels leave it to others.
fn run<T: KernelElement<P>, P: Element<Compute = T::Compute>>(
    digest: &mut DefaultHasher,
    case: &Case,
    kernel: &KernelOf<T, P>,
    extreme: bool,
) -> Result<(), NormError> {
    let count = case.dims.iter().product();
    let mut numbers = Numbers(7);
    let mut next = |count: usize, about: f64| (0..count).map(|_| about + numbers.next_unit()).collect::<Vec<f64>>();
    let (mut x, dy) = (next(count, 0.5), narrow::<T>(&next(count, 0.0)));
    if extreme {
        let largest = if T::NAME == "f16" { 3e4 } else { 1e25 };
        x[count / 2..count / 2 + 9].iter_mut().for_each(|x| *x *= largest);
    }
    let x: Vec<T> = narrow(&x);
    let (weight, bias): (Vec<P>, Vec<P>) = (narrow(&next(case.params, 1.0)), narrow(&next(case.params, 0.0)));
    let spec = case.kernel.spec();
    let has_bias = spec.affine == normkit::Affine::WeightAndBias;
    let params = Params { weight: (case.params > 0).then_some(&weight[..]), bias: has_bias.then_some(&bias[..]) };
    let (mut y, mut saved) = (vec![T::default(); count], Saved::default());
    let eps = narrow::<T::Compute>(&[1e-5])[0];
    let tensor = |data| described(data, &case.dims, None);
    kernel.forward(tensor(&x), params, eps, described_mut(&mut y, &case.dims, None), Some(&mut saved))?;
    let zero = T::Compute::default();
    let (mut dweight, mut dbias) = (vec![zero; case.params], vec![zero; case.params]);
    let grads =
        ParamGrads { weight: (case.params > 0).then_some(&mut dweight[..]), bias: has_bias.then_some(&mut dbias[..]) };
    if spec.of_sum {
        let mut dx = vec![zero; count];
        kernel.backward_of_param(
            tensor(&x),
            tensor(&dy),
            params,
            &saved,
            described_mut(&mut dx, &case.dims, None),
            grads,
        )?;
        bits(&dx).hash(digest);
    } else {
        let mut dx = vec![T::default(); count];
        kernel.backward(tensor(&x), tensor(&dy), params, &saved, described_mut(&mut dx, &case.dims, None), grads)?;
        bits(&dx).hash(digest);
    }
    bits(&y).hash(digest);
    if spec.running.is_some() {
        let (mean, var): (Vec<P>, Vec<P>) = (narrow(&next(case.params, 0.0)), narrow(&next(case.params, 2.0)));
        let fixed = Fixed { mean: &mean, var: &var };
        kernel.infer(tensor(&x), fixed, params, eps, described_mut(&mut y, &case.dims, None))?;
        bits(&y).hash(digest);
        let grads = ParamGrads { weight: Some(&mut dweight[..]), bias: Some(&mut dbias[..]) };
        kernel.backward_frozen(
            tensor(&x),
            tensor(&dy),
            fixed,
            params,
            eps,
            described_mut(&mut y, &case.dims, None),
            grads,
        )?;
        bits(&y).hash(digest);
    }
    for values in [&dweight[..], &dbias, saved.rstd(), saved.mean(), saved.residual()] {
        bits(values).hash(digest);
    }
    Ok(())
}

/// As [`run`], of all types that the kernel has.
fn run_all(case: &Case, extreme: bool) -> Result<u64, NormError> {
    let mut digest = DefaultHasher::new();
    let mut types = 0;
    macro_rules! types {
        ($($t:ident with $p:ident),*) => { $(
            if let Some(kernel) = case.kernel.of::<$t, $p>() {
                run(&mut digest, case, &kernel, extreme)?;
                types += 1;
            }
        )* };
    }
    types!(f32 with f32, f16 with f32, bf16 with f32, f16 with f16, bf16 with bf16, f64 with f64);
    assert!(types > 0, "{}", case.name);
    Ok(digest.finish())
}

/// Which kernels these are.
fn form() -> &'static str {
    #[allow(unused_mut, unused_assignments, reason = "only one of the two is there")]
    let mut form = "short";
    normkit::__private::where_optimized! { [form = "whole";] }
    form
}

fn main() -> Result<(), Box<dyn Error>> {
    println!("# kernels: {}", form());
    let cases = cases();
    let mut outcome = Ok(());
    at_each_level_of_halves("# bits", |level| {
        let converts = if level::converts_to_bf16() { "converting to bf16" } else { "plain" };
        for case in &cases {
            let run =
                |extreme| run_all(case, extreme).and_then(|near| Ok((near, past_caches(|| run_all(case, extreme))?)));
            match run(false).and_then(|ordinary| Ok((ordinary, run(true)?))) {
                Ok(digests) => println!("{level:?} {converts}, {}: {digests:x?}", case.name),
                Err(error) => outcome = Err(format!("{}: {error}", case.name)),
            }
        }
    });
    Ok(outcome?)
}
