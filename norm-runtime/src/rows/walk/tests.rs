use super::*;
use crate::spec::{Affine, Cast};
use crate::view::View;
use core::ops::Range;

const fn spec(shape: &'static [Dim], roles: &'static [Role]) -> Spec {
    Spec {
        kind: "layer",
        shape,
        roles,
        groups: None,
        centred: true,
        of_sum: false,
        affine: Affine::None,
        eps: 0.0,
        running: None,
        cast: Cast::Once,
        dtype: "f32",
        param: "f32",
    }
}

const ROWS: &[Role] = &[Role::Kept, Role::Normalized];

static ROWS_OF_8: Spec = spec(&[Dim::Any, Dim::Fixed(8)], ROWS);
static HEADS: Spec = spec(&[Dim::Any, Dim::Any, Dim::Fixed(4)], &[Role::Kept, Role::Kept, Role::Normalized]);
static OPEN: Spec = spec(&[Dim::Any, Dim::Any], ROWS);
static FAMILY: Spec = spec(&[Dim::Any, Dim::OneOf(&[4, 8])], ROWS);

fn operand<'a>(arg: &'static str, view: impl Into<View<'a, f32>>) -> Operand<'static> {
    let view = view.into();
    Operand::new(arg, view.data.len(), Box::leak(Box::new(view.layout)))
}

fn made<const K: usize>(
    spec: &'static Spec,
    operands: [Operand<'_>; K],
    param_len: Option<usize>,
) -> Result<Walk<K>, NormError> {
    let mut walk = Walk::NONE;
    walk.lay_out(spec, &operands, param_len)?;
    Ok(walk)
}

fn stretches<const K: usize>(walk: &Walk<K>, range: Range<usize>) -> Vec<(usize, usize, [usize; K])> {
    let mut all = Vec::new();
    walk.rows.for_each_in(range, &mut |first, rows, offsets| all.push((first, rows, offsets)));
    all
}

#[test]
fn a_bare_slice_is_one_stretch() {
    let x = [0.0_f32; 24];
    let walk = made(&ROWS_OF_8, [operand("x", &x)], None).unwrap();
    assert_eq!((walk.n, walk.rows.total), (8, 3));
    assert_eq!(stretches(&walk, 0..3), [(0, 3, [0])]);
}

#[test]
fn wrong_lengths_are_named() {
    let x = [0.0_f32; 25];
    let error = made(&ROWS_OF_8, [operand("x", &x)], None).unwrap_err();
    assert_eq!(error, NormError::NotAMultiple { arg: "x", of: 8, found: 25 });
    let error = made(&ROWS_OF_8, [operand("x", &x[..16]), operand("y", &x[..8])], None).unwrap_err();
    assert_eq!(error, NormError::Length { arg: "y", expected: 16, found: 8 });
}

#[test]
fn strided_heads_are_walked_in_order() {
    let x = vec![0.0_f32; 5 * 24];
    let y = vec![0.0_f32; 5 * 2 * 4];
    let x = operand("x", (&x[8..], [5, 2, 4], [24, 4, 1]));
    let walk = made(&HEADS, [x, operand("y", &y)], None).unwrap();
    assert_eq!((walk.rows.total, walk.rows.strides), (10, [4, 4]));
    assert_eq!(stretches(&walk, 1..6), [(1, 1, [4, 4]), (2, 2, [24, 8]), (4, 2, [48, 16])]);
}

#[test]
fn evenly_strided_axes_merge() {
    let x = vec![0.0_f32; 100];
    let walk = made(&HEADS, [operand("x", (&x, [3, 2, 4], [12, 6, 1]))], None).unwrap();
    assert_eq!(stretches(&walk, 0..6), [(0, 6, [0])]);
    assert_eq!(walk.rows.strides, [6]);
}

#[test]
fn dims_are_checked_against_the_shape_and_each_other() {
    let x = [0.0_f32; 24];
    let at = |dims: [usize; 3]| made(&HEADS, [operand("x", (&x[..], dims))], None);
    assert_eq!(at([2, 3, 5]).unwrap_err(), NormError::Dims { arg: "x", axis: 2, expected: 4, found: 5 });
    assert_eq!(at([2, 2, 4]).unwrap_err(), NormError::Length { arg: "x", expected: 16, found: 24 });
    assert_eq!(
        made(&HEADS, [operand("x", (&x[..], [6, 4]))], None).unwrap_err(),
        NormError::Rank { arg: "x", expected: 3, found: 2 }
    );
    let both = [operand("x", (&x[..], [2, 3, 4])), operand("y", (&x[..], [3, 2, 4]))];
    assert_eq!(made(&HEADS, both, None).unwrap_err(), NormError::Dims { arg: "y", axis: 0, expected: 2, found: 3 });
}

#[test]
fn strides_are_checked() {
    let x = [0.0_f32; 64];
    let at = |strides: [usize; 3]| made(&HEADS, [operand("x", (&x[..], [2, 3, 4], strides))], None);
    assert_eq!(at([12, 4, 2]).unwrap_err(), NormError::Stride { arg: "x", axis: 2, expected: 1, found: 2 });
    assert_eq!(at([12, 3, 1]).unwrap_err(), NormError::Stride { arg: "x", axis: 1, expected: 4, found: 3 });
    assert_eq!(at([100, 4, 1]).unwrap_err(), NormError::TooShort { arg: "x", expected: 112, found: 64 });
    assert_eq!(at([usize::MAX, 4, 1]).unwrap_err(), NormError::TooLarge { arg: "x" });
}

#[test]
fn open_lengths_come_from_dims_arrays_or_the_weight() {
    let x = [0.0_f32; 24];
    assert_eq!(made(&OPEN, [operand("x", &x)], None).unwrap_err(), NormError::DimsNeeded { arg: "x" });
    assert_eq!(made(&OPEN, [operand("x", &x)], Some(6)).unwrap().rows.total, 4);
    assert_eq!(made(&OPEN, [operand("x", (&x[..], [2, 12]))], None).unwrap().n, 12);
    let arrays = [[0.0_f32; 3]; 8];
    assert_eq!(made(&OPEN, [operand("x", &arrays)], None).unwrap().n, 3);
    let not = |found| NormError::NotInFamily { arg: "weight", family: &[4, 8], found };
    assert_eq!(made(&FAMILY, [operand("x", &x)], Some(6)).unwrap_err(), not(6));
    assert_eq!(made(&FAMILY, [operand("x", &x)], Some(8)).unwrap().n, 8);
}

#[test]
fn huge_dims_do_not_wrap() {
    let x = [0.0_f32; 8];
    let huge = [usize::MAX / 2, 3, 4];
    assert_eq!(made(&HEADS, [operand("x", (&x[..], huge))], None).unwrap_err(), NormError::TooLarge { arg: "x" });
}

#[test]
fn no_rows() {
    let empty: [f32; 0] = [];
    let walk = made(&ROWS_OF_8, [operand("x", &empty)], None).unwrap();
    assert_eq!(stretches(&walk, 0..0), []);
    let walk = made(&HEADS, [operand("x", (&empty[..], [0, 3, 4], [0, 0, 0]))], None);
    assert_eq!(stretches(&walk.unwrap(), 0..0), []);
    let huge = (&empty[..], [0, usize::MAX, 4], [usize::MAX, 4, 1]);
    assert_eq!(stretches(&made(&HEADS, [operand("x", huge)], None).unwrap(), 0..0), []);
}

/// No memory is behind these: only their lengths are.
#[test]
fn more_rows_than_32_bits_count() {
    use crate::shape::tests::operand;
    let flat = View::from(&[0.0_f32; 0]).layout;
    let walk = made(&ROWS_OF_8, [Operand::new("x", 1 << 40, &flat)], None).unwrap();
    assert_eq!((walk.n, walk.rows.total), (8, 1 << 37));
    assert_eq!(stretches(&walk, (1 << 37) - 2..1 << 37), [((1 << 37) - 2, 2, [(1 << 40) - 16])]);

    let dims = [1 << 20, 1 << 14, 4];
    let both = [operand("x", dims, Some([1 << 40, 1 << 24, 1])), operand("y", dims, None)];
    let walk = made(&HEADS, both, None).unwrap();
    assert_eq!((walk.rows.total, walk.rows.strides), (1 << 34, [1 << 24, 4]));
    let last = (1 << 34) - 1;
    let at = [(((1 << 20) - 1) << 40) + (((1 << 14) - 1) << 24), 4 * last];
    assert_eq!(stretches(&walk, last..last + 1), [(last, 1, at)]);
    // Across the end of a run, past the 2^32nd row.
    let end = (1 << 33) + (1 << 14);
    let [first, second] = [((1 << 19) << 40) + (((1 << 14) - 1) << 24), ((1 << 19) + 1) << 40];
    let found = stretches(&walk, end - 1..end + 1);
    assert_eq!(found, [(end - 1, 1, [first, 4 * (end - 1)]), (end, 1, [second, 4 * end])]);
}
