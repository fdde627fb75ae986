//! Arrays of `ndarray` as tensors: what is taken gives what a slice of the same elements gives, bit for bit, and the rest is refused.

#![allow(clippy::reversed_empty_ranges, reason = "slices of `ndarray` count negative ends from the end")]
#![allow(clippy::needless_borrows_for_generic_args, reason = "references are what is tested")]

use ndarray::{
    ArcArray, Array, Array1, Array2, Array3, Array4, ArrayD, ArrayRef, ArrayView2, Axis, CowArray, Dimension, IxDyn,
    ShapeBuilder, arr0, s,
};
use normkit::{Element, NormError, Saved, View, ViewMut, bf16, f16, norm, normalize};

#[normalize(kind = "layer", shape = [_, 20])]
struct Rows;

#[normalize(kind = "layer", shape = [_, 20], dtype = f32 | f16 | bf16)]
struct RowsOfThree;

#[normalize(kind = "layer", shape = [_, 20], dtype = f64)]
struct RowsOfF64;

#[normalize(kind = "rms", shape = [_, _, 20])]
struct Heads;

#[normalize(kind = "batch", shape = [_, 3, _, _])]
struct Images;

#[normalize(kind = "group", groups = 2, shape = [_, _, _, 6], axis = -1)]
struct LastChannels;

#[normalize(kind = "layer", shape = [_, 4, 5], axis = 1)]
struct Columns;

#[normalize(kind = "weight", shape = [4, 6])]
struct Weight;

/// Elements that are all different.
fn array<D: Dimension>(dims: impl ShapeBuilder<Dim = D>) -> Array<f32, D> {
    let mut next = 0_u8;
    Array::from_shape_simple_fn(dims, || {
        next = next.wrapping_mul(37).wrapping_add(101);
        f32::from(next) / 16.0
    })
}

fn refused(arg: &'static str, axis: usize, expected: usize, found: isize) -> Result<(), NormError> {
    Err(NormError::ArrayStride { arg, axis, expected, found })
}

/// The layer's output for the elements of `x`, taken as a slice.
fn expected(x: &Array2<f32>) -> Array2<f32> {
    let (x, mut y) = (x.as_standard_layout(), vec![0.0; x.len()]);
    Rows::new().forward(x.as_slice().unwrap(), &mut y).unwrap();
    Array2::from_shape_vec(x.raw_dim(), y).unwrap()
}

#[test]
fn all_kinds_of_arrays() -> Result<(), NormError> {
    let (x, layer) = (array((3, 20)), Rows::new());
    let expected = expected(&x);
    let check = |what: &str, run: &dyn Fn(&mut Array2<f32>) -> Result<(), NormError>| {
        let mut y = Array2::zeros((3, 20));
        run(&mut y).unwrap_or_else(|error| panic!("{what}: {error}"));
        assert_eq!(y, expected, "{what}");
    };
    check("Array", &|y| layer.forward(&x, y));
    check("ArrayView", &|y| layer.forward(x.view(), y.view_mut()));
    check("&ArrayView", &|y| {
        let (x, mut y) = (x.view(), y.view_mut());
        let (x, y) = (&x, &mut y);
        layer.forward(x, y)
    });
    check("ArrayRef", &|y| {
        let (x, y): (&ArrayRef<f32, _>, &mut ArrayRef<f32, _>) = (&x, y);
        layer.forward(x, y)
    });
    check("ArcArray", &|y| layer.forward(&ArcArray::from(x.clone()), y));
    check("CowArray", &|y| layer.forward(&CowArray::from(x.view()), y));
    check("IxDyn", &|y| layer.forward(&x.clone().into_dyn(), y.view_mut().into_dyn()));
    check("ArrayViewMut, read", &|y| {
        let mut x = x.clone();
        let x = x.view_mut();
        layer.forward(&x, &mut *y)?;
        layer.forward(x, y)
    });
    check("View", &|y| layer.forward(View::from(&x), ViewMut::from(y)));
    check("an array and a slice", &|y| layer.forward(&x, y.as_slice_mut().unwrap()));

    let mut shared = ArcArray::from(x.clone());
    let other = shared.clone();
    layer.forward_inplace(&mut shared)?;
    assert_eq!(
        (shared, other),
        (expected.to_shared(), x.to_shared()),
        "what is shared is copied on writing, by ndarray"
    );
    Ok(())
}

/// A caller of any dimension and type: conversions ask for nothing of either.
fn lens<T, D: Dimension>(array: &ArrayRef<T, D>, of: impl Fn(View<'_, T>) -> String) -> String {
    of(View::from(array))
}

#[test]
fn any_type_converts() {
    let strings = Array2::<String>::default((2, 3));
    assert!(lens(&strings, |view| format!("{view:?}")).contains("len: 6"));
    // From the first element to the last that the array has, and none beyond.
    let of_every_second_row = Array3::<String>::default((4, 9, 20));
    let of_every_second_row = of_every_second_row.slice(s![1..3, ..;2, ..8]);
    assert!(format!("{:?}", View::from(of_every_second_row)).contains(&format!("len: {},", 180 + 4 * 40 + 8)));
    let deep = ArrayD::<f32>::zeros(IxDyn(&[1; 9]));
    let nine = Rows::new().forward(&deep, &mut [0.0; 1]);
    assert_eq!(nine, Err(NormError::Rank { arg: "x", expected: 2, found: 9 }));
}

#[test]
fn all_element_types() -> Result<(), NormError> {
    fn each<T: Element>(of: impl Fn(f32) -> T, run: impl Fn(View<'_, T>, ViewMut<'_, T>) -> Result<(), NormError>) {
        // Every second row of a larger array, without the first column.
        let (x, mut y) = (array((7, 21)).mapv(of), Array2::from_elem((4, 20), T::default()));
        let x = x.slice(s![..;2, 1..]);
        run(View::from(&x), ViewMut::from(&mut y)).unwrap();
        let copy: Vec<T> = x.iter().copied().collect();
        let mut expected = vec![T::default(); 80];
        run(View::from(&copy), ViewMut::from(&mut expected)).unwrap();
        assert_eq!(y.as_slice().unwrap(), expected, "{}", T::NAME);
        assert_ne!(expected, copy);
    }
    let layer = RowsOfThree::new();
    each(|v| v, |x: View<'_, f32>, y| layer.forward(x, y));
    each(f16::from_f32, |x: View<'_, f16>, y| layer.forward(x, y));
    each(bf16::from_f32, |x: View<'_, bf16>, y| layer.forward(x, y));
    each(f64::from, |x: View<'_, f64>, y| RowsOfF64::new().forward(x, y));
    Ok(())
}

#[test]
fn outer_strides_without_a_copy() -> Result<(), NormError> {
    let layer = Heads::new();
    let whole = array((5, 12, 20));
    let permuted = array((12, 5, 20));
    for (what, x) in [
        ("all", whole.view()),
        ("a slice of heads", whole.slice(s![.., 4..8, ..])),
        ("with steps", whole.slice(s![1..;2, ..;3, ..])),
        ("column-major, transposed", array((20, 3, 4).f()).reversed_axes().view()),
        ("one row", whole.slice(s![2..3, 5..6, ..])),
        ("permuted", permuted.view().permuted_axes([1, 0, 2])),
        ("a head", whole.slice(s![.., 4..5, ..])),
    ] {
        let mut expected = vec![0.0; x.len()];
        layer.forward((&x.iter().copied().collect::<Vec<_>>(), x.dim().into()), (&mut expected, x.dim().into()))?;
        let expected = Array3::from_shape_vec(x.dim(), expected).unwrap();
        let mut y = Array3::zeros(x.dim());
        layer.forward(x, &mut y)?;
        assert_eq!(y, expected, "{what}");
        // To be written, strided too: what lies between stays.
        let mut wide = Array3::from_elem((x.dim().0, x.dim().1 + 2, 20), 7.0_f32);
        layer.forward(x, wide.slice_mut(s![.., 1..=x.dim().1, ..]))?;
        assert_eq!(wide.slice(s![.., 1..=x.dim().1, ..]), expected, "{what}");
        assert!(wide.slice(s![.., ..;wide.dim().1 - 1, ..]).iter().all(|&v| v == 7.0), "{what}");
    }
    Ok(())
}

#[test]
fn views_between_each_others_rows() -> Result<(), NormError> {
    let mut whole = array((6, 60));
    let copy = whole.clone();
    let (x, mut y, z) = whole.multi_slice_mut((s![.., ..20], s![.., 20..40], s![.., 40..]));
    let layer = Rows::new();
    layer.forward(&x, &mut y)?;
    std::thread::scope(|scope| {
        let other = scope.spawn(|| layer.forward_inplace(z));
        layer.forward_inplace(x)?;
        other.join().unwrap()
    })?;
    assert_eq!(whole.slice(s![.., ..20]), expected(&copy.slice(s![.., ..20]).to_owned()));
    assert_eq!(whole.slice(s![.., 20..40]), expected(&copy.slice(s![.., ..20]).to_owned()));
    assert_eq!(whole.slice(s![.., 40..]), expected(&copy.slice(s![.., 40..]).to_owned()));
    Ok(())
}

#[test]
fn what_is_not_contiguous_is_refused_and_nothing_is_written() {
    let layer = Rows::new();
    let good = array((3, 20));
    let check = |x: ArrayView2<'_, f32>, axis, stride, found| {
        let mut y = Array2::from_elem((3, 20), 7.0_f32);
        assert_eq!(layer.forward(x, &mut y), refused("x", axis, stride, found), "{:?}", x.strides());
        assert!(y.iter().all(|&v| v == 7.0));
        // As the output: an array of the same strides that can be written.
        layer.forward(&x.as_standard_layout(), &mut y).expect("the help helps");
        assert_eq!(y, expected(&x.to_owned()));
    };
    let tall = array((20, 3));
    check(tall.t(), 1, 1, 3);
    check(array((3, 40)).slice(s![.., ..;2]), 1, 1, 2);
    check(good.slice(s![.., ..;-1]), 1, 1, -1);
    check(good.slice(s![..;-1, ..]), 0, 20, -20);
    check(array((9, 20)).slice(s![..;-3, ..]), 0, 20, -60);
    check(Array1::ones(20).broadcast((3, 20)).unwrap(), 0, 20, 0);
    check(Array2::ones((3, 1)).broadcast((3, 20)).unwrap(), 1, 1, 0);
    check(array((3, 20)).slice(s![..;-1, ..;-1]), 0, 20, -20);
}

#[test]
fn outputs_and_gradients_are_refused_by_name() {
    let (layer, x) = (Rows::new(), array((3, 20)));
    let (mut saved, mut grads) = (Saved::default(), RowsGrads::new());
    let mut tall = Array2::from_elem((20, 3), 7.0_f32);
    assert_eq!(layer.forward(&x, tall.view_mut().reversed_axes()), refused("y", 1, 1, 3));
    assert_eq!(layer.forward_inplace(tall.view_mut().reversed_axes()), refused("x", 1, 1, 3));
    layer.forward_train(&x, &mut Array2::zeros((3, 20)), &mut saved).unwrap();
    let dy = Array2::from_elem((3, 20), 7.0);
    let reversed = tall.view_mut().reversed_axes();
    assert_eq!(layer.backward(&x, &dy, &saved, reversed, &mut grads), refused("dx", 1, 1, 3));
    let mut dx = dy.clone();
    assert_eq!(layer.backward(&x, tall.t(), &saved, &mut dx, &mut grads), refused("dy", 1, 1, 3));
    assert_eq!(layer.backward(tall.t(), &dx.clone(), &saved, &mut dx, &mut grads), refused("x", 1, 1, 3));
    assert!(dx.iter().chain(&tall).all(|&v| v == 7.0));
    assert_eq!(grads, RowsGrads::new());

    let error = refused("x", 1, 1, 3).unwrap_err();
    assert!(error.to_string().starts_with("`x`: expected an array with a stride of 1 "), "{error}");
    assert!(error.to_string().ends_with("along axis 1, found 3; help: `as_standard_layout()` makes a contiguous copy"));
}

#[test]
fn dims_are_checked_like_those_of_slices() {
    let layer = Rows::new();
    let forward = |x: &ArrayD<f32>| layer.forward(x, &mut vec![0.0; x.len()]);
    assert_eq!(forward(&ArrayD::zeros(IxDyn(&[3, 4, 5]))), Err(NormError::Rank { arg: "x", expected: 2, found: 3 }));
    let wrong = Err(NormError::Dims { arg: "x", axis: 1, expected: 20, found: 3 });
    assert_eq!(forward(&ArrayD::zeros(IxDyn(&[20, 3]))), wrong, "in standard layout, as many elements as 3 rows");
    let permuted = ArrayD::zeros(IxDyn(&[3, 20])).reversed_axes();
    assert_eq!(forward(&permuted), wrong, "dims before strides");
    assert_eq!(layer.forward(&arr0(1.0), &mut [0.0]), Err(NormError::Rank { arg: "x", expected: 2, found: 0 }));
    let (x, mut y) = (array((3, 20)), Array2::zeros((4, 20)));
    assert_eq!(layer.forward(&x, &mut y), Err(NormError::Dims { arg: "y", axis: 0, expected: 3, found: 4 }));
}

#[test]
fn one_axis_is_a_bare_slice() -> Result<(), NormError> {
    let (layer, x) = (Rows::new(), array((3, 20)));
    let mut y = Array1::zeros(60);
    layer.forward(&x.flatten(), &mut y)?;
    assert_eq!(y.to_vec(), expected(&x).into_raw_vec_and_offset().0);
    let multiple = Err(NormError::NotAMultiple { arg: "x", of: 20, found: 30 });
    assert_eq!(layer.forward(&Array1::zeros(30), &mut Array1::zeros(30)), multiple);
    let step = Array1::zeros(40);
    let step = step.slice(s![..;2]);
    assert_eq!(layer.forward(step, &mut Array1::zeros(20)), Err(NormError::Rank { arg: "x", expected: 2, found: 1 }));
    let line = norm!(kind = "rms", shape = [20], affine = false);
    assert_eq!(line.forward(step, &mut Array1::zeros(20)), refused("x", 0, 1, 2));
    line.forward(&Array1::ones(20), y.slice_mut(s![..20]))
}

#[test]
fn without_elements_and_with_axes_of_one() -> Result<(), NormError> {
    let (layer, heads) = (Rows::new(), Heads::new());
    layer.forward(&Array2::zeros((0, 20)), &mut Array2::zeros((0, 20)))?;
    layer.forward_inplace(array((3, 20)).slice_mut(s![1..1, ..;-1]))?;
    heads.forward(&Array3::zeros((4, 0, 20)), Array3::zeros((0, 4, 20)).view_mut().permuted_axes([1, 0, 2]))?;
    // Strides along axes of size 1 mean nothing, whatever they are.
    let x = array((3, 20));
    let mut row = x.slice(s![1..;7, ..]);
    row.invert_axis(Axis(0));
    let mut y = Array2::zeros((1, 20));
    layer.forward(row, &mut y)?;
    assert_eq!(y, expected(&row.to_owned()));
    let single = norm!(kind = "rms", shape = [_, 1], affine = false, eps = 0.0, allow(layer_of_one, eps_unusual));
    let mut y = Array2::zeros((3, 1));
    single.forward(x.slice(s![.., 3..4]), &mut y)?;
    assert!(y.iter().all(|v| v.abs() == 1.0));
    Ok(())
}

#[test]
fn channels() -> Result<(), NormError> {
    let mut layer = Images::new();
    let (mut saved, mut grads) = (Saved::default(), ImagesGrads::new());
    let wide = array((4, 6, 7, 5));
    let x = wide.slice(s![..;2, ..;2, .., ..]);
    let (dense, dims) = (x.iter().copied().collect::<Vec<_>>(), [2, 3, 7, 5]);
    let (mut y, mut dx) = (Array4::zeros(dims), Array4::zeros(dims));
    layer.forward_train(x, &mut y, &mut saved)?;
    layer.backward(x, &y, &saved, &mut dx, &mut grads)?;

    let (mut layer2, mut saved2, mut grads2) = (Images::new(), Saved::default(), ImagesGrads::new());
    let (mut y2, mut dx2) = (vec![0.0; dense.len()], vec![0.0; dense.len()]);
    layer2.forward_train((&dense, dims), (&mut y2, dims), &mut saved2)?;
    layer2.backward((&dense, dims), (&y2, dims), &saved2, (&mut dx2, dims), &mut grads2)?;
    assert_eq!((y.as_slice().unwrap(), dx.as_slice().unwrap()), (&y2[..], &dx2[..]));
    assert_eq!((grads, &*layer.running_var), (grads2, &*layer2.running_var));

    layer.forward(x, &mut y)?;
    layer2.forward((&dense, dims), (&mut y2, dims))?;
    assert_eq!(y.as_slice().unwrap(), y2);
    let channels_last = array((2, 7, 5, 3));
    let permuted = channels_last.view().permuted_axes([0, 3, 1, 2]);
    assert_eq!(layer.forward(permuted, &mut y), refused("x", 3, 1, 3));
    assert_eq!(layer.backward_frozen(permuted, &y.clone(), &mut y, &mut ImagesGrads::new()), refused("x", 3, 1, 3));
    let mut broadcast = layer.forward(Array4::ones([1, 3, 7, 5]).broadcast(dims).unwrap(), &mut y);
    assert_eq!(broadcast, refused("x", 0, 105, 0));
    broadcast = layer.forward(channels_last.slice(s![.., ..;-1, .., ..]).permuted_axes([0, 3, 1, 2]), &mut y);
    assert_eq!(broadcast, refused("x", 3, 1, 3));

    let last = array((2, 7, 5, 12));
    let mut y = Array4::zeros([2, 7, 5, 6]);
    LastChannels::new().forward(last.slice(s![.., .., .., 3..9]), &mut y)?;
    assert_eq!(LastChannels::new().forward(last.slice(s![.., .., .., ..;2]), &mut y), refused("x", 3, 1, 2));
    assert_eq!(LastChannels::new().forward(last.slice(s![.., ..;-1, .., ..6]), &mut y), refused("x", 1, 30, -60));
    let mut y = Array3::zeros([2, 4, 5]);
    Columns::new().forward(array((2, 8, 5)).slice(s![.., ..;2, ..]), &mut y)?;
    assert_eq!(Columns::new().forward(array((2, 5, 4)).view().permuted_axes([0, 2, 1]), &mut y), refused("x", 2, 1, 4));
    Ok(())
}

#[test]
fn weights() -> Result<(), NormError> {
    let weight = array((4, 6));
    let layer = Weight::from_weight(&weight)?;
    let mut again = Array2::<f32>::zeros((4, 6));
    layer.forward(&mut again)?;
    assert!(again.iter().zip(&weight).all(|(a, b)| (a - b).abs() < 1e-5));
    assert_eq!(Weight::from_weight(array((6, 4)).t()).err(), refused("weight", 1, 1, 4).err());
    assert_eq!(Weight::from_weight(array((4, 7)).slice(s![.., ..6])).err(), refused("weight", 0, 6, 7).err());
    let mut wide = Array2::<f32>::zeros((4, 9));
    layer.forward(wide.slice_mut(s![.., 2..8]))?;
    assert_eq!(wide.slice(s![.., 2..8]), again);
    let mut reversed = again.view_mut();
    reversed.invert_axis(Axis(0));
    assert_eq!(layer.forward(&mut reversed), refused("weight", 0, 6, -6));
    Ok(())
}
