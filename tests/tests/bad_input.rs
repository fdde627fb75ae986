//! Wrong calls: each gets the precise error from each method it concerns, at each level, and nothing is written.

use normkit::{Level, NormError, Param, Saved, View, ViewMut, norm, normalize};
use normkit_tests::{Kernel, Numbers, Params, at_each_level, bits, kernel, narrow};
use std::process::Command;

/// A tensor as a caller describes it.
#[derive(Clone, Debug)]
enum Tensor {
    /// A bare slice of as many elements.
    Flat(usize),
    /// The length of the slice, and dims.
    Dims(usize, Vec<usize>),
    /// The length of the slice, dims and strides.
    Strided(usize, Vec<usize>, Vec<usize>),
}
use Tensor::{Dims, Flat, Strided};

macro_rules! view {
    ($tensor:expr, $data:expr) => { view!(@ $tensor, $data, 1 2 3 4 8 9 12) };
    (@ $tensor:expr, $data:expr, $($rank:literal)*) => {{
        let data = $data;
        match $tensor {
            Flat(_) => data.into(),
            $(Dims(_, dims) if dims.len() == $rank => (data, <[usize; $rank]>::try_from(&dims[..]).unwrap()).into(),)*
            $(Strided(_, dims, strides) if dims.len() == $rank => (
                data,
                <[usize; $rank]>::try_from(&dims[..]).unwrap(),
                <[usize; $rank]>::try_from(&strides[..]).unwrap(),
            ).into(),)*
            other => panic!("add the rank of {other:?} to the list"),
        }
    }};
}

impl Tensor {
    fn len(&self) -> usize {
        match self {
            Flat(len) | Dims(len, _) | Strided(len, ..) => *len,
        }
    }

    fn view<'a, T>(&self, data: &'a [T]) -> View<'a, T> {
        view!(self, data)
    }

    fn view_mut<'a, T>(&self, data: &'a mut [T]) -> ViewMut<'a, T> {
        view!(self, data)
    }
}

/// All that a caller can get wrong.
#[derive(Clone, Debug)]
struct Call {
    x: Tensor,
    y: Tensor,
    dy: Tensor,
    dx: Tensor,
    weight: usize,
    bias: usize,
    dweight: usize,
    dbias: usize,
    eps: f64,
    /// The batch that `saved` is from; 0 also for never used.
    saved_rows: usize,
}

/// Three rows of `n` as bare slices.
fn flat(n: usize) -> Call {
    same(&Flat(3 * n), n, 3)
}

/// All four tensors alike.
fn same(tensor: &Tensor, n: usize, saved_rows: usize) -> Call {
    let [x, y, dy, dx] = core::array::from_fn(|_| tensor.clone());
    Call { x, y, dy, dx, weight: n, bias: n, dweight: n, dbias: n, eps: 1e-5, saved_rows }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Method {
    Forward,
    Inplace,
    Train,
    Backward,
}
use Method::{Backward, Forward, Inplace, Train};

const ALL: [Method; 4] = [Forward, Inplace, Train, Backward];

/// The methods that look at this argument.
fn methods(arg: &str) -> &'static [Method] {
    match arg {
        "x" | "weight" => &ALL,
        "y" => &[Forward, Train],
        "bias" | "eps" => &[Forward, Inplace, Train],
        "dy" | "dx" | "dweight" | "dbias" | "saved" => &[Backward],
        other => panic!("there is no argument `{other}`"),
    }
}

/// Runs one method; panics if it returns an error and has written something.
fn attempt(kernel: &Kernel<f32>, call: &Call, method: Method) -> Result<(), NormError> {
    let mut numbers = Numbers(5);
    let mut some = |len: usize| narrow::<f32>(&numbers.normal(len, 0.0, 1.0));
    let mut x = some(call.x.len());
    let dy = some(call.dy.len());
    let (weight, bias) = (some(call.weight), some(call.bias));
    let (mut y, mut dx) = (some(call.y.len()), some(call.dx.len()));
    let (mut dweight, mut dbias) = (some(call.dweight), some(call.dbias));
    // What training finds there is from another batch, so that resizing it would show.
    let mut saved = saved(kernel, if method == Train { call.saved_rows + 2 } else { call.saved_rows });
    let before = [&x, &y, &dx, &dweight, &dbias].map(|values| bits(values));
    let saved_before = saved.clone();
    let params = Params { weight: &weight, bias: &bias, eps: call.eps as f32 };
    let result = match method {
        Forward => (kernel.forward)(call.x.view(&x), params, call.y.view_mut(&mut y)),
        Inplace => (kernel.inplace)(call.x.view_mut(&mut x), params),
        Train => (kernel.train)(call.x.view(&x), params, call.y.view_mut(&mut y), &mut saved),
        Backward => (kernel.backward)(
            call.x.view(&x),
            call.dy.view(&dy),
            params,
            &saved,
            call.dx.view_mut(&mut dx),
            &mut dweight,
            &mut dbias,
        ),
    };
    let after = [&x, &y, &dx, &dweight, &dbias].map(|values| bits(values));
    let changed = before != after || saved != saved_before;
    match result {
        Err(error) => assert!(!changed, "{method:?} of {} wrote something before: {error}", kernel.name),
        Ok(()) if call.x.len() > 0 => assert!(changed, "{method:?} of {} wrote nothing", kernel.name),
        Ok(()) => {}
    }
    result
}

/// Statistics of a batch of as many rows, by a kernel of the same kind.
fn saved(kernel: &Kernel<f32>, rows: usize) -> Saved<f32> {
    let mut saved = Saved::default();
    let x = narrow::<f32>(&Numbers(9).normal(rows * 4, 0.0, 1.0));
    let mut y = x.clone();
    if kernel.spec.centred {
        norm!(kind = "layer", shape = [_, 4], affine = false).forward_train(&x, &mut y, &mut saved).unwrap();
    } else {
        norm!(kind = "rms", shape = [_, 4], affine = false).forward_train(&x, &mut y, &mut saved).unwrap();
    }
    saved
}

/// A correct call.
fn accepted(kernel: &Kernel<f32>, call: &Call) {
    for method in ALL {
        let result = attempt(kernel, call, method);
        assert_eq!(result, Ok(()), "{method:?} of {} with {call:?}", kernel.name);
    }
}

/// A call that each method which takes the argument at fault refuses with this error.
#[track_caller]
fn refused(kernel: &Kernel<f32>, call: &Call, expected: NormError) {
    refused_by(methods(parts(expected).0), kernel, call, expected);
}

/// A call that these methods refuse with this error.
#[track_caller]
fn refused_by(methods: &[Method], kernel: &Kernel<f32>, call: &Call, expected: NormError) {
    let (arg, numbers) = parts(expected);
    for &method in methods {
        let found = attempt(kernel, call, method);
        assert!(same_error(found, expected), "{method:?} of {}: {found:?}, not {expected:?}", kernel.name);
    }
    let text = expected.to_string();
    assert!(text.contains(&format!("`{arg}`")), "{text}");
    for number in numbers {
        assert!(text.contains(&number), "{text} lacks {number}");
    }
}

/// Equal, or both the eps that is not a number.
fn same_error(found: Result<(), NormError>, expected: NormError) -> bool {
    match (found, expected) {
        (Err(NormError::Eps { found: a }), NormError::Eps { found: b }) => a.to_bits() == b.to_bits(),
        (found, expected) => found == Err(expected),
    }
}

/// The argument that an error names and the numbers that its text must hold.
fn parts(error: NormError) -> (&'static str, Vec<String>) {
    let two = |a: usize, b: usize| vec![a.to_string(), b.to_string()];
    match error {
        NormError::Length { arg, expected, found }
        | NormError::Rank { arg, expected, found }
        | NormError::TooShort { arg, expected, found } => (arg, two(expected, found)),
        NormError::Dims { arg, axis, expected, found } | NormError::Stride { arg, axis, expected, found } => {
            (arg, [two(expected, found), vec![axis.to_string()]].concat())
        }
        NormError::NotAMultiple { arg, of, found } => (arg, two(of, found)),
        NormError::NotInFamily { arg, family, found } => {
            (arg, family.iter().chain([&found]).map(ToString::to_string).collect())
        }
        NormError::DimsNeeded { arg } | NormError::TooLarge { arg } => (arg, Vec::new()),
        NormError::Eps { found } => ("eps", vec![found.to_string()]),
        other => panic!("not an error of an argument: {other:?}"),
    }
}

fn length(arg: &'static str, expected: usize, found: usize) -> NormError {
    NormError::Length { arg, expected, found }
}

fn dims(arg: &'static str, axis: usize, expected: usize, found: usize) -> NormError {
    NormError::Dims { arg, axis, expected, found }
}

fn stride(arg: &'static str, axis: usize, expected: usize, found: usize) -> NormError {
    NormError::Stride { arg, axis, expected, found }
}

/// The tensors of a call by name.
fn tensor<'a>(call: &'a mut Call, arg: &str) -> &'a mut Tensor {
    match arg {
        "x" => &mut call.x,
        "y" => &mut call.y,
        "dy" => &mut call.dy,
        "dx" => &mut call.dx,
        other => panic!("there is no tensor `{other}`"),
    }
}

const TENSORS: [&str; 4] = ["x", "y", "dy", "dx"];

/// `call` with one tensor replaced.
fn with(call: &Call, arg: &str, by: Tensor) -> Call {
    let mut call = call.clone();
    *tensor(&mut call, arg) = by;
    call
}

fn layer_100() -> Kernel<f32> {
    kernel!(f32, weight bias; kind = "layer", shape = [_, 100], eps = 1e-5)
}

fn rms_100() -> Kernel<f32> {
    kernel!(f32, weight; kind = "rms", shape = [_, 100])
}

fn layer_any() -> Kernel<f32> {
    kernel!(f32, weight bias; kind = "layer", shape = [_, _], eps = 1e-5)
}

fn three_axes() -> Kernel<f32> {
    kernel!(f32, weight bias; kind = "layer", shape = [_, _, 8])
}

#[test]
fn lengths() {
    at_each_level("lengths", |_| {
        for kernel in [layer_100(), rms_100(), layer_any()] {
            let call = flat(100);
            accepted(&kernel, &call);
            let of = NormError::NotAMultiple { arg: "x", of: 100, found: 250 };
            if kernel.spec.param_len().is_some() {
                refused(&kernel, &with(&call, "x", Flat(250)), of);
            }
            for arg in ["y", "dy", "dx"] {
                for found in [0, 1, 200, 299, 301, 400] {
                    refused(&kernel, &with(&call, arg, Flat(found)), length(arg, 300, found));
                }
            }
            // Dims that the slice does not fill, or overfills.
            for arg in TENSORS {
                for found in [0, 299, 301] {
                    refused(&kernel, &with(&call, arg, Dims(found, vec![3, 100])), length(arg, 300, found));
                }
            }
            for found in [0, 1, 99, 101, 300] {
                if kernel.spec.param_len().is_some() {
                    refused(&kernel, &Call { weight: found, ..call.clone() }, length("weight", 100, found));
                }
                refused(&kernel, &Call { dweight: found, ..call.clone() }, length("dweight", 100, found));
                if kernel.has_bias() {
                    refused(&kernel, &Call { bias: found, ..call.clone() }, length("bias", 100, found));
                    refused(&kernel, &Call { dbias: found, ..call.clone() }, length("dbias", 100, found));
                }
            }
        }
    });
}

/// Where the length of a row is open, a bare slice is read by the weight's length, and a tensor with dims wins over it.
#[test]
fn lengths_known_at_run_time() {
    let layer = layer_any();
    let plain = kernel!(f32,; kind = "rms", shape = [_, _], affine = false);
    at_each_level("lengths known at run time", |_| {
        let call = flat(100);
        refused(&layer, &with(&call, "x", Flat(299)), NormError::NotAMultiple { arg: "x", of: 100, found: 299 });
        refused(&layer, &Call { weight: 0, ..call.clone() }, length("x", 0, 300));
        let shaped = same(&Dims(300, vec![3, 100]), 100, 3);
        accepted(&layer, &shaped);
        refused(&layer, &Call { weight: 150, ..shaped }, length("weight", 100, 150));
        for arg in ["y", "dy", "dx"] {
            let call = with(&call, arg, Dims(300, vec![6, 50]));
            refused_by(methods(arg), &layer, &call, length("weight", 50, 100));
        }
        accepted(&plain, &same(&Dims(300, vec![3, 100]), 100, 3));
        refused(&plain, &flat(100), NormError::DimsNeeded { arg: "x" });
    });
}

#[test]
fn saved_of_another_batch() {
    let plain = kernel!(f32,; kind = "rms", shape = [_, _], affine = false);
    at_each_level("saved", |_| {
        for kernel in [layer_100(), rms_100(), layer_any()] {
            for found in [0, 1, 2, 4, 300] {
                refused(&kernel, &Call { saved_rows: found, ..flat(100) }, length("saved", 3, found));
            }
        }
        let shaped = same(&Dims(300, vec![3, 100]), 100, 2);
        refused(&plain, &shaped, length("saved", 3, 2));
        // Statistics of rms lack the mean that layer needs.
        let saved = saved(&plain, 3);
        let (x, mut dx, [mut dw, mut db]) = ([1.0; 300], [7.0; 300], [[7.0; 100]; 2]);
        let params = Params { weight: &[1.0; 100], bias: &[0.0; 100], eps: 1e-5 };
        let result =
            (layer_100().backward)((&x).into(), (&x).into(), params, &saved, (&mut dx).into(), &mut dw, &mut db);
        assert_eq!(result, Err(length("saved", 3, 0)));
        assert!(dx.iter().chain(&dw).chain(&db).all(|&v| v == 7.0));
    });
}

#[test]
fn dims_and_ranks() {
    at_each_level("dims", |_| {
        for kernel in [layer_100(), rms_100()] {
            let call = flat(100);
            accepted(&kernel, &same(&Dims(300, vec![3, 100]), 100, 3));
            for arg in TENSORS {
                refused(&kernel, &with(&call, arg, Dims(300, vec![4, 75])), dims(arg, 1, 100, 75));
                refused(&kernel, &with(&call, arg, Dims(300, vec![300, 1])), dims(arg, 1, 100, 1));
                for shape in [vec![300], vec![3, 100, 1], vec![1, 3, 10, 10], vec![1; 8], vec![1; 9], vec![1; 12]] {
                    let error = NormError::Rank { arg, expected: 2, found: shape.len() };
                    refused(&kernel, &with(&call, arg, Dims(300, shape.clone())), error);
                    let strides = vec![1; shape.len()];
                    refused(&kernel, &with(&call, arg, Strided(300, shape, strides)), error);
                }
            }
            let shaped = same(&Dims(300, vec![3, 100]), 100, 3);
            for arg in ["y", "dy", "dx"] {
                refused(&kernel, &with(&shaped, arg, Dims(200, vec![2, 100])), dims(arg, 0, 3, 2));
                let strided = Strided(800, vec![4, 100], vec![200, 1]);
                refused(&kernel, &with(&shaped, arg, strided), dims(arg, 0, 3, 4));
            }
        }
        let kernel = three_axes();
        let shaped = same(&Dims(48, vec![2, 3, 8]), 8, 6);
        accepted(&kernel, &shaped);
        for arg in ["y", "dy", "dx"] {
            refused(&kernel, &with(&shaped, arg, Dims(48, vec![3, 2, 8])), dims(arg, 0, 2, 3));
            refused(&kernel, &with(&shaped, arg, Dims(48, vec![2, 6, 4])), dims(arg, 2, 8, 4));
        }
    });
}

#[test]
fn shapes_of_numbers_only() {
    let fixed = kernel!(f32, weight bias; kind = "layer", shape = [2, 3, 8], axis = [-2, -1]);
    at_each_level("shapes of numbers only", |_| {
        let call = same(&Flat(48), 24, 2);
        accepted(&fixed, &call);
        refused(&fixed, &with(&call, "x", Flat(24)), length("x", 48, 24));
        refused(&fixed, &with(&call, "x", Dims(48, vec![2, 4, 6])), dims("x", 1, 3, 4));
        refused(&fixed, &with(&call, "x", Dims(72, vec![3, 3, 8])), dims("x", 0, 2, 3));
        refused(&fixed, &Call { weight: 8, ..call }, length("weight", 24, 8));
        // Both normalized axes must be contiguous.
        let shaped = same(&Dims(48, vec![2, 3, 8]), 24, 2);
        for arg in TENSORS {
            let strided = |strides| Strided(200, vec![2, 3, 8], strides);
            refused(&fixed, &with(&shaped, arg, strided(vec![60, 9, 1])), stride(arg, 1, 8, 9));
            refused(&fixed, &with(&shaped, arg, strided(vec![60, 1, 3])), stride(arg, 2, 1, 3));
            refused(&fixed, &with(&shaped, arg, strided(vec![23, 8, 1])), stride(arg, 0, 24, 23));
        }
    });
}

#[test]
fn arrays_of_another_size() {
    at_each_level("arrays", |_| {
        let kernel = norm!(kind = "layer", shape = [_, 100], affine = false);
        let (x, mut y) = ([[1.0_f32; 99]; 3], [[7.0_f32; 100]; 3]);
        let mut saved = Saved::default();
        assert_eq!(kernel.forward(&x, &mut y), Err(dims("x", 1, 100, 99)));
        assert_eq!(kernel.forward_train(&x, &mut y, &mut saved), Err(dims("x", 1, 100, 99)));
        assert_eq!(kernel.forward_inplace(&mut x.clone()), Err(dims("x", 1, 100, 99)));
        assert_eq!(kernel.backward(&x, &y.clone(), &saved, &mut y), Err(dims("x", 1, 100, 99)));
        assert_eq!(kernel.forward(&[[7.0; 100]; 2], &mut y), Err(dims("y", 0, 2, 3)));
        assert!(y.as_flattened().iter().all(|&v| v == 7.0));
        assert_eq!(saved, Saved::default());
    });
}

#[test]
fn strides() {
    at_each_level("strides", |_| {
        for kernel in [layer_100(), rms_100(), layer_any()] {
            let shaped = same(&Dims(300, vec![3, 100]), 100, 3);
            for arg in TENSORS {
                let strided = |len, strides| with(&shaped, arg, Strided(len, vec![3, 100], strides));
                accepted(&kernel, &strided(300, vec![100, 1]));
                accepted(&kernel, &strided(340, vec![120, 1]));
                accepted(&kernel, &strided(1000, vec![120, 1]));
                // Axes are taken by their strides: a stride of 0 comes before the inner axis.
                for (found, expected) in [(0, 1), (1, 100), (50, 100), (99, 100)] {
                    refused(&kernel, &strided(1000, vec![found, 1]), stride(arg, 0, expected, found));
                }
                for found in [0, 2, 3, usize::MAX] {
                    refused(&kernel, &strided(1000, vec![400, found]), stride(arg, 1, 1, found));
                }
                let short = |expected, found| NormError::TooShort { arg, expected, found };
                refused(&kernel, &strided(299, vec![100, 1]), short(300, 299));
                refused(&kernel, &strided(339, vec![120, 1]), short(340, 339));
                refused(&kernel, &strided(0, vec![100, 1]), short(300, 0));
            }
        }
    });
}

#[test]
fn strides_of_several_axes() {
    let kernel = three_axes();
    at_each_level("strides of several axes", |_| {
        let shaped = same(&Dims(48, vec![2, 3, 8]), 8, 6);
        for arg in TENSORS {
            let strided = |len, strides| with(&shaped, arg, Strided(len, vec![2, 3, 8], strides));
            accepted(&kernel, &strided(48, vec![24, 8, 1]));
            accepted(&kernel, &strided(48, vec![8, 16, 1]));
            refused(&kernel, &strided(500, vec![23, 8, 1]), stride(arg, 0, 24, 23));
            refused(&kernel, &strided(500, vec![8, 15, 1]), stride(arg, 1, 16, 15));
            refused(&kernel, &strided(500, vec![8, 8, 1]), stride(arg, 0, 24, 8));
            refused(&kernel, &strided(47, vec![24, 8, 1]), NormError::TooShort { arg, expected: 48, found: 47 });
        }
    });
}

#[test]
fn sizes_beyond_the_address_space() {
    const MAX: usize = usize::MAX;
    let (layer, any, three) = (layer_100(), layer_any(), three_axes());
    at_each_level("sizes beyond the address space", |_| {
        let shaped = same(&Dims(300, vec![3, 100]), 100, 3);
        for arg in TENSORS {
            let too_large = NormError::TooLarge { arg };
            for row in [MAX, MAX / 2, MAX / 2 + 1, MAX - 99] {
                refused(&layer, &with(&shaped, arg, Strided(300, vec![3, 100], vec![row, 1])), too_large);
                refused(&any, &with(&shaped, arg, Strided(300, vec![3, 100], vec![row, 1])), too_large);
            }
            let shaped = same(&Dims(48, vec![2, 3, 8]), 8, 6);
            refused(&three, &with(&shaped, arg, Strided(48, vec![2, 3, 8], vec![MAX, 8, 1])), too_large);
            refused(&three, &with(&shaped, arg, Strided(48, vec![2, 3, 8], vec![8, MAX / 2, 1])), too_large);
        }
        let x_too_large = NormError::TooLarge { arg: "x" };
        for rows in [MAX, MAX / 2, MAX / 100 + 1, 1 << 63] {
            refused(&layer, &same(&Dims(300, vec![rows, 100]), 100, 3), x_too_large);
            refused(&layer, &same(&Strided(300, vec![rows, 100], vec![100, 1]), 100, 3), x_too_large);
        }
        for (rows, n) in [(MAX, MAX), (1 << 32, 1 << 32), (2, MAX), (MAX, 2)] {
            refused(&any, &same(&Dims(300, vec![rows, n]), 100, 3), x_too_large);
            refused(&any, &same(&Strided(300, vec![rows, n], vec![n, 1]), 100, 3), x_too_large);
        }
        for (a, b) in [(MAX, MAX), (1 << 32, 1 << 32), (MAX, 2), (2, MAX), (1, MAX)] {
            refused(&three, &same(&Dims(48, vec![a, b, 8]), 8, 6), x_too_large);
            refused(&three, &same(&Strided(48, vec![a, b, 8], vec![8, 8, 1]), 8, 6), x_too_large);
        }
        // Just within: too long for the slice, but no overflow.
        let rows = MAX / 100;
        refused(&layer, &same(&Dims(300, vec![rows, 100]), 100, 3), length("x", rows * 100, 300));
    });
}

#[test]
fn sizes_outside_a_family() {
    const FAMILY: &[usize] = &[24, 100];
    let family = kernel!(f32, weight bias; kind = "layer", shape = [_, 24 | 100]);
    at_each_level("families", |_| {
        accepted(&family, &flat(24));
        accepted(&family, &flat(100));
        for found in [0, 1, 25, 99, 200] {
            let of = |arg| NormError::NotInFamily { arg, family: FAMILY, found };
            refused(&family, &flat(found), of("weight"));
            refused(&family, &same(&Dims(3 * found, vec![3, found]), found, 3), of("x"));
            for arg in TENSORS {
                refused(&family, &with(&flat(24), arg, Dims(3 * found, vec![3, found])), of(arg));
            }
        }
        let shaped = same(&Dims(72, vec![3, 24]), 24, 3);
        refused(&family, &Call { weight: 100, ..shaped }, length("weight", 24, 100));
        refused(&family, &Call { weight: 24, ..same(&Dims(300, vec![3, 100]), 100, 3) }, length("weight", 100, 24));
    });
}

#[test]
fn eps_at_run_time() {
    let kernel = kernel!(f32, weight bias eps; kind = "layer", shape = [_, 8], eps = _);
    at_each_level("eps", |_| {
        for eps in [0.0, -0.0, 1e-5, 1.0, f64::from(f32::MAX)] {
            accepted(&kernel, &Call { eps, ..flat(8) });
        }
        for eps in [-1e-5, -1.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1e-45] {
            // As the argument holds it.
            let found = f64::from(eps as f32);
            refused(&kernel, &Call { eps, ..flat(8) }, NormError::Eps { found });
            // Also where there is nothing to compute.
            refused(&kernel, &Call { eps, saved_rows: 0, ..same(&Flat(0), 8, 0) }, NormError::Eps { found });
        }
    });
}

#[test]
fn nothing_is_fine() {
    let open = kernel!(f32, weight bias; kind = "layer", shape = [_, _, _], axis = -1);
    let plain = kernel!(f32,; kind = "rms", shape = [_, _], affine = false);
    at_each_level("nothing", |_| {
        for kernel in [layer_100(), rms_100(), layer_any()] {
            for nothing in [
                Flat(0),
                Dims(0, vec![0, 100]),
                Strided(0, vec![0, 100], vec![100, 1]),
                Strided(0, vec![0, 100], vec![0, 1]),
                Strided(0, vec![0, 100], vec![usize::MAX, 1]),
            ] {
                let call = same(&nothing, 100, 0);
                accepted(&kernel, &call);
                for method in ALL {
                    // Lengths are checked all the same.
                    let wrong = Call { weight: 99, dweight: 99, ..call.clone() };
                    let expected = Err(length("weight", 100, 99));
                    if kernel.spec.param_len().is_some() || !matches!(nothing, Flat(_)) {
                        assert_eq!(attempt(&kernel, &wrong, method), expected, "{method:?} of {}", kernel.name);
                    }
                }
            }
        }
        // The statistics of an earlier batch give way.
        let mut saved = saved(&layer_100(), 3);
        let params = Params { weight: &[1.0; 100], bias: &[0.0; 100], eps: 1e-5 };
        (layer_100().train)((&[0.0; 0]).into(), params, (&mut [0.0; 0]).into(), &mut saved).unwrap();
        assert!(saved.mean().is_empty() && saved.rstd().is_empty());
        // Rows without elements.
        accepted(&layer_any(), &same(&Dims(0, vec![3, 0]), 0, 0));
        accepted(&plain, &same(&Dims(0, vec![3, 0]), 0, 0));
        accepted(&plain, &same(&Dims(0, vec![0, 0]), 0, 0));
        for shape in [vec![0, 5, 7], vec![5, 0, 7], vec![0, 0, 7]] {
            accepted(&open, &same(&Dims(0, shape.clone()), 7, 0));
            accepted(&open, &same(&Strided(0, shape, vec![35, 7, 1]), 7, 0));
        }
        accepted(&open, &same(&Dims(0, vec![2, 3, 0]), 0, 0));
    });
}

/// No rows, but an axis whose size alone would overflow: nothing is there, so nothing is wrong.
#[test]
fn nothing_of_any_size() {
    let three = three_axes();
    let open = kernel!(f32,; kind = "layer", shape = [_, _, _, _], axis = 1.., affine = false);
    at_each_level("nothing of any size", |_| {
        for shape in [vec![0, usize::MAX, 8], vec![usize::MAX, 0, 8], vec![0, 1 << 62, 8]] {
            accepted(&three, &same(&Dims(0, shape.clone()), 8, 0));
            accepted(&three, &same(&Strided(0, shape, vec![8, 8, 1]), 8, 0));
        }
        for shape in [vec![3, 0, usize::MAX, 2], vec![3, usize::MAX, 0, 2], vec![0, 1 << 62, 1, 1]] {
            accepted(&open, &same(&Dims(0, shape.clone()), 0, 0));
            accepted(&open, &same(&Strided(0, shape, vec![1, 1, 1, 1]), 0, 0));
        }
    });
}

#[normalize(kind = "layer", shape = [_, 100])]
struct OwnMemory {
    weight: Vec<f32>,
    bias: Vec<f32>,
}

#[normalize(kind = "rms", shape = [_, 24 | 100])]
struct Family;

#[normalize(kind = "layer", shape = [_, 8], eps = _)]
struct ReadFromFile;

#[test]
fn layers_refuse_as_kernels_do() {
    at_each_level("layers", |_| {
        let mut layer = OwnMemory::new();
        let (x, mut y, mut saved) = ([1.0_f32; 200], [7.0_f32; 200], Saved::default());
        let mut grads = OwnMemoryGrads::new();
        assert_eq!(layer.forward(&x[..150], &mut y), Err(NormError::NotAMultiple { arg: "x", of: 100, found: 150 }));
        layer.forward_train(&x, &mut [0.0; 200], &mut saved).unwrap();
        let kept = saved.clone();
        assert_eq!(layer.backward(&x, &x[..100], &saved, &mut y, &mut grads), Err(length("dy", 200, 100)));
        assert_eq!(layer.backward(&x[..100], &x[..100], &saved, &mut y[..100], &mut grads), Err(length("saved", 1, 2)));
        let mut other = OwnMemoryGrads { bias: Param::filled(0.0, 99), ..OwnMemoryGrads::new() };
        assert_eq!(layer.backward(&x, &x, &saved, &mut y, &mut other), Err(length("dbias", 100, 99)));
        layer.weight.pop();
        assert_eq!(layer.forward(&x, &mut y), Err(length("weight", 100, 99)));
        assert_eq!(layer.forward_inplace(&mut y), Err(length("weight", 100, 99)));
        assert_eq!(layer.forward_train(&x, &mut y, &mut saved), Err(length("weight", 100, 99)));
        assert_eq!(layer.backward(&x, &x, &saved, &mut y, &mut grads), Err(length("weight", 100, 99)));
        layer.weight.push(1.0);
        layer.bias.clear();
        assert_eq!(layer.forward(&x, &mut y), Err(length("bias", 100, 0)));
        assert_eq!(y, [7.0; 200]);
        assert_eq!((saved, grads), (kept, OwnMemoryGrads::new()));

        let refused = Family::new(25).map(|_| ()).unwrap_err();
        assert_eq!(refused, NormError::NotInFamily { arg: "weight", family: &[24, 100], found: 25 });
        assert_eq!(Family::new(24).map(|layer| layer.weight.len()), Ok(24));

        let mut layer = ReadFromFile::new();
        layer.eps = -1.0;
        assert_eq!(layer.forward(&[1.0; 8], &mut y[..8]), Err(NormError::Eps { found: -1.0 }));
        assert_eq!(layer.forward_inplace(&mut y[..8]), Err(NormError::Eps { found: -1.0 }));
        assert_eq!(y, [7.0; 200]);
    });
}

#[test]
fn an_error_is_a_small_value() {
    fn is<T: Copy + Send + Sync + std::error::Error + PartialEq + 'static>(_: T) {}
    let error = length("dy", 300, 299);
    is(error);
    assert_eq!(error.to_string(), "`dy`: expected 300 elements, found 299");
    assert!(size_of::<NormError>() <= 48);
}

#[test]
fn forcing_a_level() {
    at_each_level("force", |level| {
        assert_eq!(Level::current(), Ok(level));
        for other in [Level::Portable, Level::Avx2, Level::Avx512] {
            if !other.is_available() {
                assert_eq!(Level::force(Some(other)), Err(NormError::Level { requested: other.name() }));
                assert_eq!(Level::current(), Ok(level), "a refusal changes nothing");
            }
        }
        Level::force(None).unwrap();
        assert!(Level::available().contains(&Level::current().unwrap()));
    });
}

/// What [`child`] prints.
const SAYS: &str = "the child says: ";

/// Run by `the_environment_chooses_the_level` in a process of its own.
#[test]
#[ignore = "runs in a process of its own"]
fn child() {
    let mut y = [7.0_f32; 8];
    let kernel = norm!(kind = "rms", shape = [_, 4], affine = false);
    let results = [
        Level::current().map(|_| ()),
        kernel.forward(&[1.0; 8], &mut y),
        kernel.forward_inplace(&mut y),
        kernel.forward_train(&[1.0; 8], &mut y, &mut Saved::default()),
    ];
    assert!(results.iter().all(|result| *result == results[0]), "{results:?}");
    match results[0] {
        Ok(()) => println!("{SAYS}{}", Level::current().unwrap()),
        Err(error) => {
            assert_eq!(y, [7.0; 8], "nothing is written");
            println!("{SAYS}{error}");
            // A level that is forced makes up for it, and to stop forcing brings the refusal back.
            Level::force(Some(Level::Portable)).unwrap();
            kernel.forward_inplace(&mut y).unwrap();
            assert!(y.iter().all(|v| (v - 1.0).abs() < 1e-6), "{y:?}");
            Level::force(None).unwrap();
            assert_eq!(Level::current(), Err(error));
        }
    }
}

#[test]
fn the_environment_chooses_the_level() {
    let names: Vec<_> = Level::available().into_iter().map(Level::name).collect();
    let says = |value: Option<&str>| {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "child", "--ignored", "--nocapture"]).env_remove("NORMKIT_LEVEL");
        if let Some(value) = value {
            command.env("NORMKIT_LEVEL", value);
        }
        let output = command.output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
        let (_, said) = text.split_once(SAYS).unwrap_or_else(|| panic!("the child said nothing: {text}"));
        said.lines().next().unwrap_or_default().to_string()
    };
    for value in [None, Some("")] {
        assert_eq!(says(value), names[0], "the best by default");
    }
    for name in &names {
        assert_eq!(says(Some(name)), *name);
    }
    for name in ["sse9", "AVX2", " portable", "portable,avx2"] {
        let text = says(Some(name));
        assert!(text.contains(&format!("`{name}`")), "{text}");
        assert!(text.ends_with(&names.join(", ")), "{text} lists {names:?}");
    }
    println!("environment: levels {names:?}");
}
