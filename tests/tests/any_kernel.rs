//! Kernels as plain data: the same results, bit for bit, as by methods, and the same errors; what is missing, or not of the technique.

use core::mem::MaybeUninit;
use normkit::kernel::{Fixed, KernelOf, ParamGrads, Params};
use normkit::{NormError, Saved, ViewMut, bf16, norm, normalize};
use normkit_tests::at_each_level;

#[normalize(kind = "layer", shape = [_, 5])]
struct Layer;

fn values(count: usize) -> Vec<f32> {
    (0..count).map(|i| ((i * 37 + 11) % 64) as f32 / 8.0 - 3.0).collect()
}

fn both<'a>(weight: &'a [f32], bias: &'a [f32]) -> Params<'a, f32> {
    Params { weight: Some(weight), bias: Some(bias) }
}

/// `y`, `dx` and the gradients of weight and bias; `y` and `dx` in memory that nothing has been written to.
fn run(kernel: &KernelOf<f32, f32>, dims: [usize; 3], params: usize) -> Result<[Vec<f32>; 4], NormError> {
    let count = dims.iter().product();
    let (x, dy, weight, bias) = (values(count), values(count + 1), values(params + 2), values(params + 3));
    let (dy, weight, bias) = (&dy[1..], &weight[2..], &bias[3..]);
    let (mut y, mut dx) = (vec![MaybeUninit::uninit(); count], vec![MaybeUninit::uninit(); count]);
    let (mut dweight, mut dbias, mut saved) = (vec![0.0; params], vec![0.0; params], Saved::default());
    // SAFETY: both are what is written, and are read below only if that has returned `Ok`.
    let (y_view, dx_view) = unsafe { (ViewMut::unfilled(&mut y), ViewMut::unfilled(&mut dx)) };
    kernel.forward((&x, dims).into(), both(weight, bias), 1e-5, y_view, Some(&mut saved))?;
    let grads = ParamGrads { weight: Some(&mut dweight[..]), bias: Some(&mut dbias[..]) };
    kernel.backward((&x, dims).into(), dy.into(), both(weight, bias), &saved, dx_view, grads)?;
    // SAFETY: both passes have returned `Ok`.
    let [y, dx] = [y, dx].map(|memory| memory.into_iter().map(|value| unsafe { value.assume_init() }).collect());
    Ok([y, dx, dweight, dbias])
}

#[test]
fn results_are_those_of_methods() {
    let layer = norm!(kind = "layer", shape = [_, _, 5 | _]);
    let batch = norm!(kind = "batch", shape = [_, _, _]);
    let last = norm!(kind = "instance", shape = [_, _, _], axis = -1);
    at_each_level("kernels as data", |_| {
        for dims in [[2, 3, 5], [1, 4, 70], [9, 2, 1]] {
            let x = values(dims.iter().product());
            macro_rules! same {
                ($kernel:ident, $params:expr) => {{
                    let params: usize = $params;
                    let kernel = $kernel.kernel().of::<f32, f32>().expect("f32 by default");
                    let [got, ..] = run(&kernel, dims, params).unwrap();
                    let (weight, bias) = (values(params + 2), values(params + 3));
                    let mut y = vec![0.0; x.len()];
                    let mut saved = Saved::default();
                    $kernel.forward_train((&x, dims), &weight[2..], &bias[3..], &mut y, &mut saved).unwrap();
                    assert_eq!(got, y, "{:?}", $kernel.spec());
                    let (dy, mut dx) = (values(x.len() + 1), vec![0.0; x.len()]);
                    let (mut dweight, mut dbias) = (vec![0.0; params], vec![0.0; params]);
                    $kernel
                        .backward((&x, dims), &dy[1..], &weight[2..], &saved, &mut dx, &mut dweight, &mut dbias)
                        .unwrap();
                    let [_, got_dx, got_dweight, got_dbias] = run(&kernel, dims, params).unwrap();
                    assert_eq!((got_dx, got_dweight, got_dbias), (dx, dweight, dbias), "{:?}", $kernel.spec());
                }};
            }
            same!(layer, dims[2]);
            same!(batch, dims[1]);
            same!(last, dims[2]);
        }
    });
}

#[test]
fn types_are_told() {
    let kernel = norm!(kind = "rms", shape = [_, 8], dtype = f32 | bf16, param = bf16).kernel();
    assert!(kernel.of::<f32, bf16>().is_some() && kernel.of::<bf16, bf16>().is_some());
    assert!(kernel.of::<f32, f32>().is_none() && kernel.of::<f64, f64>().is_none());
    assert_eq!((kernel.spec().dtype, Layer::KERNEL.spec().kind), ("f32 | bf16", "layer"));
}

#[test]
fn parameters_are_those_of_the_technique() {
    let (x, mut y, five) = (values(10), vec![0.0; 10], values(5));
    let layer = Layer::KERNEL.of::<f32, f32>().unwrap();
    let mut forward =
        |weight, bias| layer.forward((&x, [2, 5]).into(), Params { weight, bias }, 1e-5, (&mut y).into(), None);
    let missing = |arg| Err(NormError::Length { arg, expected: 5, found: 0 });
    assert_eq!(forward(None, None), missing("weight"));
    assert_eq!(forward(Some(&five[..]), None), missing("bias"));
    assert_eq!(forward(Some(&five[..]), Some(&five[..])), Ok(()));

    let (mut saved, mut dx, mut grad) = (Saved::default(), vec![0.0; 10], vec![0.0; 5]);
    let view = || (&x, [2, 5]).into();
    layer.forward(view(), both(&five, &five), 1e-5, (&mut y).into(), Some(&mut saved)).unwrap();
    let none = ParamGrads { weight: None, bias: Some(&mut grad[..]) };
    let missing = layer.backward(view(), view(), both(&five, &five), &saved, (&mut dx).into(), none);
    assert_eq!(missing, Err(NormError::Length { arg: "dweight", expected: 5, found: 0 }));
    assert_eq!(dx, [0.0; 10]);

    let rms = norm!(kind = "rms", shape = [_, 5]).kernel().of::<f32, f32>().unwrap();
    let too_many = rms.forward(view(), both(&five, &five), 1e-5, (&mut y).into(), None);
    assert_eq!(too_many, Err(NormError::Length { arg: "bias", expected: 0, found: 5 }));
}

#[test]
fn passes_are_those_of_the_technique() {
    let (x, mut y, five) = (values(10), vec![0.0; 10], vec![1.0_f32; 5]);
    let view = || (&x, [2, 5]).into();
    let fixed = Fixed { mean: &five[..], var: &five[..] };
    let layer = Layer::KERNEL.of::<f32, f32>().unwrap();
    let refused = layer.infer(view(), fixed, both(&five, &five), 1e-5, (&mut y).into());
    assert_eq!(refused, Err(NormError::Pass { pass: "infer", kind: "layer" }));
    assert_eq!(refused.unwrap_err().to_string(), "a kernel of kind `layer` has no pass `infer`");

    let batch = norm!(kind = "batch", shape = [_, 5]);
    let kernel = batch.kernel().of::<f32, f32>().unwrap();
    kernel.infer(view(), fixed, both(&five, &five), 1e-5, (&mut y).into()).unwrap();
    let mut expected = vec![0.0; 10];
    batch.forward(&x, &five, &five, &five, &five, &mut expected).unwrap();
    assert_eq!(y, expected);
    let (mut dx, mut dweight, mut dbias) = (vec![0.0; 10], vec![0.0; 5], vec![0.0; 5]);
    let grads = ParamGrads { weight: Some(&mut dweight[..]), bias: Some(&mut dbias[..]) };
    kernel.backward_frozen(view(), view(), fixed, both(&five, &five), 1e-5, (&mut dx).into(), grads).unwrap();
    let mut dx_expected = vec![0.0; 10];
    batch.backward_frozen(&x, &x, &five, &five, &five, &mut dx_expected, &mut [0.0; 5], &mut [0.0; 5]).unwrap();
    assert_eq!(dx, dx_expected);

    let weight = norm!(kind = "weight", shape = [2, 5]);
    let kernel = weight.kernel().of::<f32, f32>().unwrap();
    let (lengths, mut saved) = ([2.0_f32, 3.0], Saved::default());
    let params = Params { weight: Some(&lengths[..]), bias: None };
    kernel.forward(view(), params, 0.0, (&mut y).into(), Some(&mut saved)).unwrap();
    let (mut dv, mut dg) = (vec![1.0; 10], vec![0.0; 2]);
    let grads = || ParamGrads { weight: Some(vec![0.0; 2].leak()), bias: None };
    let refused = kernel.backward(view(), view(), params, &saved, (&mut dv).into(), grads());
    assert_eq!(refused, Err(NormError::Pass { pass: "backward", kind: "weight" }));
    let added = ParamGrads { weight: Some(&mut dg[..]), bias: None };
    kernel.backward_of_param(view(), view(), params, &saved, (&mut dv).into(), added).unwrap();
    let (mut dv_expected, mut dg_expected) = (vec![1.0; 10], vec![0.0; 2]);
    weight.backward(&x, &x, &lengths, &saved, &mut dv_expected, &mut dg_expected).unwrap();
    assert_eq!((dv, dg), (dv_expected, dg_expected));
}

#[test]
fn groups_at_run_time() {
    let one = norm!(kind = "group", groups = 1, shape = [_, _, _], allow(one_group)).kernel();
    let three = norm!(kind = "group", groups = 3, shape = [_, _, _]).kernel();
    let again = one.with_groups(3).expect("a group normalization");
    assert_eq!(again.spec(), three.spec());
    let of = |kernel: normkit::Kernel| run(&kernel.of().unwrap(), [2, 6, 7], 6);
    assert_eq!(of(again), of(three));
    assert_ne!(of(one), of(three));
    assert_eq!(of(one.with_groups(4).unwrap()).unwrap_err(), NormError::Groups { arg: "x", groups: 4, channels: 6 });
    assert!(one.with_groups(0).is_none() && Layer::KERNEL.with_groups(2).is_none());
}
