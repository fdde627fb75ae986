//! Families of element types: one set of methods, and for each type the bits of the kernel for it alone.

use normkit::{Element, NormError, Saved, View, ViewMut, bf16, f16, norm, normalize};
use normkit_tests::{
    Batch, BatchInputs, Inputs, Kernel, Outputs, Sets, at_each_level_of_halves, batch, bits, kernel, narrow, widen,
};

fn same<T: Element>(what: &str, found: &Outputs<T>, expected: &Outputs<T>) {
    assert_eq!(bits(&found.y), bits(&expected.y), "{what}: y");
    assert_eq!(bits(&found.dx), bits(&expected.dx), "{what}: dx");
    assert_eq!(bits(&found.dweight), bits(&expected.dweight), "{what}: dweight");
    assert_eq!(bits(&found.dbias), bits(&expected.dbias), "{what}: dbias");
    assert_eq!(found.saved, expected.saved, "{what}: saved");
}

/// All methods of rows, sets and columns.
fn check<T: Element, P: Element<Compute = T::Compute>>(
    family: &Kernel<T, P>,
    alone: &Kernel<T, P>,
    sets: Sets,
    all_dims: &[&[usize]],
) {
    at_each_level_of_halves(family.name, |level| {
        for dims in all_dims {
            let inputs = Inputs::<T, P>::random(sets, dims, 8, 1.0, 1.0, alone.spec.eps);
            let what = format!("{} of {} over {dims:?} at {level}", family.name, T::NAME);
            same(&what, &family.run_in(dims, &inputs), &alone.run_in(dims, &inputs));
        }
    });
}

/// `all!([params] [weight] [gradients]; sets, sizes; family, [keys without types]; type / param ...)`: for each type the family against
/// the kernel for it alone.
macro_rules! all {
    ($params:tt $weight:tt $grads:tt; $sets:expr, $dims:expr; $family:expr, $keys:tt; $($t:ident / $p:ident)*) => {{
        let family = $family;
        $( all!(@ family, [$t, $p], $params $weight $grads, $sets, $dims, $keys); )*
    }};
    (@ $family:ident, $types:tt, $params:tt $weight:tt $grads:tt, $sets:expr, $dims:expr, [$($keys:tt)*]) => {
        let of_family = kernel!(of $family, stringify!($($keys)*); $types, $params $weight $grads);
        check(&of_family, &kernel!(@ $types, $params $weight $grads, $($keys)*), $sets, $dims);
    };
}

const ROWS: Sets = Sets::Over(&[1]);

#[test]
fn rows() {
    all!(
        [weight] [weight] [dweight]; ROWS, &[&[5, 24], &[3, 17], &[0, 24], &[2, 300]];
        norm!(kind = "rms", shape = [_, 24 | _], dtype = f32 | bf16 | f16), [kind = "rms", shape = [_, 24 | _]];
        f32 / f32 bf16 / f32 f16 / f32
    );
    all!(
        [weight bias] [weight] [dweight dbias]; ROWS, &[&[9, 33], &[1, 1], &[2, 1000]];
        norm!(kind = "layer", shape = [_, _], dtype = f16 | bf16, param = bf16), [kind = "layer", shape = [_, _]];
        f16 / bf16 bf16 / bf16
    );
}

/// Where some type is half, the others have nothing to round.
#[test]
fn rounded_before_the_weight() {
    let family = norm!(kind = "rms", shape = [_, 20], dtype = f32 | bf16, cast = before_weight, param = bf16);
    let of_bf16 = kernel!(of family, "cast"; [bf16, bf16], [weight] [weight] [dweight]);
    let alone = kernel!(bf16 / bf16, weight; kind = "rms", shape = [_, 20], cast = before_weight);
    check(&of_bf16, &alone, ROWS, &[&[7, 20]]);
    let of_f32 = kernel!(of family, "cast"; [f32, bf16], [weight] [weight] [dweight]);
    check(&of_f32, &kernel!(f32 / bf16, weight; kind = "rms", shape = [_, 20]), ROWS, &[&[7, 20]]);
}

#[test]
fn channels_and_columns() {
    all!(
        [weight bias] [weight] [dweight dbias]; Sets::Over(&[1]), &[&[2, 7, 9], &[1, 33, 40]];
        norm!(kind = "layer", shape = [_, _, _], axis = 1, dtype = bf16 | f16 | f32),
        [kind = "layer", shape = [_, _, _], axis = 1];
        bf16 / f32 f16 / f32 f32 / f32
    );
    all!(
        [weight bias] [weight] [dweight dbias]; Sets::Instance { axis: 2 }, &[&[2, 9, 7], &[1, 40, 33]];
        norm!(kind = "instance", shape = [_, _, _], axis = -1, dtype = bf16 | f32, param = f16),
        [kind = "instance", shape = [_, _, _], axis = -1];
        bf16 / f16 f32 / f16
    );
    all!(
        [weight bias] [weight] [dweight dbias]; Sets::Groups { axis: 1, groups: 2 }, &[&[2, 6, 9], &[3, 6, 40]];
        norm!(kind = "group", shape = [_, 6, _], groups = 2, dtype = f16 | f32),
        [kind = "group", shape = [_, 6, _], groups = 2];
        f16 / f32 f32 / f32
    );
}

fn check_batch<T: Element<Compute = f32>>(family: &Batch<T>, alone: &Batch<T>, level: normkit::Level) {
    for dims in [[9, 5], [70, 33]] {
        let inputs = BatchInputs::<T>::random(1, &dims, 3, 1.0, 1.0, 1e-5);
        let what = format!("batch of {} over {dims:?} at {level}", T::NAME);
        let found = family.train_in(&dims, &inputs.inputs);
        same(&what, &found, &alone.train_in(&dims, &inputs.inputs));
        let (a, b) = (family.infer_in(&dims, &inputs), alone.infer_in(&dims, &inputs));
        assert_eq!((bits(&a.y), bits(&a.dx)), (bits(&b.y), bits(&b.dx)), "{what}: inference");
        assert_eq!((a.dweight, a.dbias), (b.dweight, b.dbias), "{what}: inference");
        let [mut ours, mut theirs] = [(inputs.mean.clone(), inputs.var.clone(), 4_i64), (inputs.mean, inputs.var, 4)];
        (family.update)(&found.saved, &mut ours.0, &mut ours.1, &mut ours.2).unwrap();
        (alone.update)(&found.saved, &mut theirs.0, &mut theirs.1, &mut theirs.2).unwrap();
        assert_eq!((&ours, ours.2), (&theirs, 5), "{what}: running statistics");
    }
}

#[test]
fn batches() {
    let family = norm!(kind = "batch", shape = [_, _], dtype = f32 | f16 | bf16);
    macro_rules! types {
        ($($t:ident)*) => { $(
            let of_family = batch!(of family, "family"; [$t], [weight bias] [weight] [] [dweight dbias]);
            let alone = batch!($t, weight bias; shape = [_, _]);
            at_each_level_of_halves("batches", |level| check_batch(&of_family, &alone, level));
        )* };
    }
    types!(f32 f16 bf16);
}

/// A layer over elements of several types.
#[normalize(kind = "layer", dtype = f32 | bf16 | f16)]
pub struct AnyElement {
    /// Scale.
    pub weight: [bf16; 12],
    /// Shift.
    pub bias: [bf16; 12],
}

/// What code that is generic over the elements writes: the methods are, too.
#[test]
fn one_layer_takes_all_types() -> Result<(), NormError> {
    let _turn = normkit_tests::turn();
    let layer = AnyElement::new();
    let values: Vec<f64> = (0..36).map(|i| f64::from(i % 5)).collect();
    let mut grads = AnyElementGrads::new();
    let mut saved = Saved::default();
    macro_rules! types {
        ($($t:ident)*) => {
            [$({
                let (x, mut y): (Vec<$t>, _) = (narrow(&values), [[$t::default(); 12]; 3]);
                // Of arrays of arrays the type has to be said, of slices it is plain.
                layer.forward(&x, ViewMut::<$t>::from(&mut y))?;
                let mut again = x.clone();
                layer.forward_inplace(&mut again)?;
                assert_eq!(y.as_flattened(), again);
                layer.forward_train((&x[..], [3, 12]), &mut again, &mut saved)?;
                assert_eq!(y.as_flattened(), again);
                let mut dx = vec![$t::default(); 36];
                layer.backward(&x, View::<$t>::from(&y), &saved, &mut dx, &mut grads)?;
                widen(&again)
            }),*]
        };
    }
    let [wide, brain, half] = types!(f32 bf16 f16);
    for ((w, b), h) in wide.iter().zip(&brain).zip(&half) {
        assert!((w - b).abs() <= 2_f64.powi(-8) && (w - h).abs() <= 2_f64.powi(-11), "{w} {b} {h}");
    }
    // Each of the three has added to the same gradients, which are of the type that is computed in.
    let bias: &[f32] = &grads.bias;
    let expected: Vec<f64> = (0..12)
        .map(|i| (0..3).map(|row| wide[row * 12 + i] + brain[row * 12 + i] + half[row * 12 + i]).sum())
        .collect();
    assert!(bias.iter().zip(expected).all(|(b, e)| (f64::from(*b) - e).abs() < 1e-5), "{bias:?}");
    Ok(())
}
