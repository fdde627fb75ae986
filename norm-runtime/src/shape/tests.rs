//! Steps over more elements than 32 bits count, without any memory: operands are described by their lengths.

use super::*;
use crate::view::View;
use proptest::prelude::*;

/// An operand of that length, which nothing backs.
pub(crate) fn operand<const D: usize>(
    arg: &'static str,
    dims: [usize; D],
    strides: Option<[usize; D]>,
) -> Operand<'static> {
    let view = match strides {
        Some(strides) => View::<f32>::from((&[][..], dims, strides)),
        None => View::from((&[][..], dims)),
    };
    let strides = strides.unwrap_or_else(|| core::array::from_fn(|axis| dims[axis + 1..].iter().product()));
    let len = 1 + dims.iter().zip(strides).map(|(dim, stride)| (dim - 1) * stride).sum::<usize>();
    Operand::new(arg, len, Box::leak(Box::new(view.layout)))
}

fn along<const K: usize>(strides: &[[usize; MAX_RANK]; K], dims: &[usize], chosen: impl Fn(usize) -> bool) -> Steps<K> {
    let mut steps = Steps::NONE;
    steps.go_along(strides, dims, &chosen);
    steps
}

/// Where a step along the chosen axes is, from its indices, in numbers that do not overflow.
fn expected(dims: &[usize], strides: &[usize], chosen: impl Fn(usize) -> bool, step: usize) -> usize {
    let (mut rest, mut at) = (step as u128, 0_u128);
    for axis in (0..dims.len()).rev().filter(|&axis| chosen(axis)) {
        at += rest % dims[axis] as u128 * strides[axis] as u128;
        rest /= dims[axis] as u128;
    }
    usize::try_from(at).unwrap()
}

#[test]
fn contiguous_rows_beyond_32_bits() {
    let dims = [1 << 20, 1 << 14];
    let steps = along(&super::strides(&[operand("x", dims, None)], &dims), &dims, |axis| axis == 0);
    assert_eq!((steps.total, steps.strides), (1 << 20, [1 << 14]));
    for step in [0, 1, (1 << 17) - 1, 1 << 17, (1 << 18) + 1, (1 << 20) - 1] {
        assert_eq!(steps.offsets(step), [step << 14]);
    }
    let mut seen = Vec::new();
    steps.for_each_in((1 << 20) - 3..1 << 20, &mut |first, count, at| seen.push((first, count, at)));
    assert_eq!(seen, [((1 << 20) - 3, 3, [((1 << 20) - 3) << 14])]);
}

#[test]
fn strides_of_2_to_the_40th() {
    let (dims, strides) = ([1 << 20, 1 << 14, 3, 8], [1 << 40, 1 << 25, 100, 1]);
    let operands = [operand("x", dims, Some(strides)), operand("y", dims, None)];
    assert_eq!(check_memory(&operands, 3 << 37, 3), Ok(()));
    let contiguous = [3 << 17, 24, 8, 1];
    let steps = along(&super::strides(&operands, &dims), &dims, |axis| axis < 3);
    assert_eq!(steps.total, 3 << 34);
    for step in [0, 1, 2, 3, (1 << 31) - 1, 1 << 31, (1 << 32) + 1, 5_000_000_000, (3 << 34) - 1] {
        let at = [strides, contiguous].map(|strides| expected(&dims, &strides, |axis| axis < 3, step));
        assert_eq!(steps.offsets(step), at, "step {step}");
    }
    assert_eq!(steps.offsets((3 << 34) - 1)[0] + 8, operands[0].len, "the last one ends where the operand does");
    assert!(!steps.keeps_aligned(0, 16) && steps.keeps_aligned(1, 8));
}

#[test]
fn what_does_not_fit_is_an_error() {
    let of = |dims: [usize; 3], strides: [usize; 3], len| {
        let layout = View::<f32>::from((&[][..], dims, strides)).layout;
        check_memory(&[Operand::new("x", len, &layout)], 1, 2)
    };
    assert_eq!(of([(1 << 24) + 1, 2, 4], [1 << 40, 4, 1], usize::MAX), Err(NormError::TooLarge { arg: "x" }));
    assert_eq!(of([2, 2, 4], [usize::MAX - 8, 4, 1], usize::MAX), Ok(()));
    assert_eq!(of([2, 2, 4], [usize::MAX - 7, 4, 1], usize::MAX), Err(NormError::TooLarge { arg: "x" }));
    let short = of([1 << 20, 2, 4], [1 << 40, 4, 1], 1 << 59);
    assert_eq!(short, Err(NormError::TooShort { arg: "x", expected: (((1 << 20) - 1) << 40) + 8, found: 1 << 59 }));
    assert_eq!(product("x", &[1 << 32, 1 << 31]), Ok(1 << 63));
    assert_eq!(product("x", &[1 << 32, 1 << 32]), Err(NormError::TooLarge { arg: "x" }));
    assert_eq!(product("x", &[1 << 32, 1 << 32, 0]), Ok(0));
}

proptest! {
    /// Of any axes with any gaps: every step of a range is where its indices say, also across the ends of runs.
    #[test]
    fn any_steps(
        sizes in prop::array::uniform4(prop_oneof![1..6_usize, 1_usize..1 << 15]),
        gaps in prop::array::uniform4(prop_oneof![Just(0_usize), 0_usize..1 << 14]),
        chosen in 1..16_usize,
        place in 0.0..1.0,
    ) {
        let mut strides = [1_usize; 4];
        for axis in (0..3).rev() {
            strides[axis] = strides[axis + 1] * sizes[axis + 1] + gaps[axis];
        }
        let chosen = |axis: usize| chosen >> axis & 1 == 1;
        let operands = [operand("x", sizes, Some(strides)), operand("y", sizes, None)];
        let contiguous: [usize; 4] = core::array::from_fn(|axis| sizes[axis + 1..].iter().product());
        let steps = along(&super::strides(&operands, &sizes), &sizes, chosen);
        let start = ((steps.total as f64 * place) as usize).min(steps.total - 1);
        let mut next = start;
        steps.for_each_in(start..steps.total.min(start + 300), &mut |first, count, at| {
            assert_eq!(first, next);
            for i in 0..count {
                let of = |strides| expected(&sizes, strides, chosen, first + i);
                assert_eq!([0, 1].map(|k| at[k] + i * steps.strides[k]), [of(&strides), of(&contiguous)]);
            }
            next += count;
        });
        assert_eq!(next, steps.total.min(start + 300));
    }
}

#[test]
fn arrays_are_taken_as_strides_are_or_refused() {
    let check = |dims: &[usize], strides: &[isize], len, inner| {
        let (mut all_dims, mut all_strides) = ([0; MAX_RANK], [0; MAX_RANK]);
        all_dims[..dims.len()].copy_from_slice(dims);
        all_strides[..dims.len()].copy_from_slice(strides);
        let layout = Layout::Array { rank: dims.len(), dims: all_dims, strides: all_strides };
        check_memory(&[Operand::new("x", len, &layout)], dims.iter().product(), inner)
    };
    let refused = |axis, expected, found| Err(NormError::ArrayStride { arg: "x", axis, expected, found });
    assert_eq!(check(&[4, 8], &[8, 1], 32, 1), Ok(()));
    assert_eq!(check(&[4, 8], &[20, 1], 68, 1), Ok(()));
    assert_eq!(check(&[4, 8], &[20, 1], 67, 1), Err(NormError::TooShort { arg: "x", expected: 68, found: 67 }));
    assert_eq!(check(&[4, 8], &[1, 4], 32, 1), refused(1, 1, 4));
    assert_eq!(check(&[4, 8], &[16, 2], 63, 1), refused(1, 1, 2));
    assert_eq!(check(&[4, 8], &[8, -1], 32, 1), refused(1, 1, -1));
    assert_eq!(check(&[4, 8], &[-8, 1], 32, 1), refused(0, 8, -8));
    assert_eq!(check(&[4, 8], &[0, 1], 8, 1), refused(0, 8, 0));
    assert_eq!(check(&[4, 8], &[7, 1], 29, 1), refused(0, 8, 7));
    assert_eq!(check(&[4, 2, 8], &[8, -32, 1], 72, 2), refused(1, 8, -32));
    // Along axes of one, and where there are no elements, strides mean nothing.
    assert_eq!(check(&[1, 8], &[-9, 1], 8, 1), Ok(()));
    assert_eq!(check(&[4, 1], &[1, -9], 4, 1), Ok(()));
    assert_eq!(check(&[0, 8], &[-8, 3], 0, 1), Ok(()));
}
