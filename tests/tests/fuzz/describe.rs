//! Tensors as a caller might describe them, and the memory that they lie in.

use normkit::{Compute, Element, NormError, Spec, View, ViewMut};
use normkit_tests::sound::{reach, strides};
use normkit_tests::{described, described_mut};
use proptest::prelude::*;

/// The most elements that a buffer has.
pub const MOST: usize = 1 << 14;

/// Elements before and after the slice that a caller gives.
const MARGIN: usize = 40;

/// How it is described.
#[derive(Clone, Debug)]
enum Form {
    /// By its length.
    Flat,
    /// By its dims.
    Dims,
    /// With so many elements after each outer axis, of which the first two change places or not.
    Strided { gap: usize, swap: bool },
    /// By strides that may be wrong.
    Strides([usize; 9]),
    /// By other dims, of another rank perhaps, and by strides or not.
    Other { dims: Vec<usize>, strides: Option<[usize; 9]> },
}

/// A description, and how far the length is from what it says.
#[derive(Clone, Debug)]
pub struct Tensor {
    form: Form,
    off: isize,
}

fn stride() -> BoxedStrategy<usize> {
    prop_oneof![6 => 0..40_usize, 3 => Just(1), 2 => 40..2000_usize, 1 => prop::sample::select(&super::HUGE[..])]
        .boxed()
}

/// Right more often than not.
pub fn tensor() -> BoxedStrategy<Tensor> {
    let strides = || -> [_; 9] { core::array::from_fn(|_| stride()) };
    let other = (prop::collection::vec(super::size(), 1..=9), prop::option::of(strides()));
    let form = prop_oneof![
        6 => Just(Form::Flat),
        12 => Just(Form::Dims),
        12 => (0..20_usize, any::<bool>()).prop_map(|(gap, swap)| Form::Strided { gap, swap }),
        2 => strides().prop_map(Form::Strides),
        1 => other.prop_map(|(dims, strides)| Form::Other { dims, strides }),
    ];
    let off = prop_oneof![30 => Just(0_isize), 1 => Just(-1), 1 => Just(1), 1 => -50..50_isize, 1 => Just(-100_000)];
    (form, off).prop_map(|(form, off)| Tensor { form, off }).boxed()
}

/// The memory of a tensor.
pub struct Buffer<T> {
    dims: Option<Vec<usize>>,
    strides: Option<Vec<usize>>,
    memory: Vec<T>,
    before: Vec<T>,
}

impl<T: Element> Buffer<T> {
    /// For a tensor that the caller's dims are these of; `fill` makes elements.
    pub fn new(tensor: &Tensor, spec: &Spec, dims: &[usize], fill: impl FnOnce(usize) -> Vec<T>) -> Self {
        let fits = |len: &usize| *len <= MOST;
        let product = |dims: &[usize]| dims.iter().try_fold(1_usize, |len, dim| len.checked_mul(*dim)).filter(fits);
        // A bare slice, or one that cannot be as large as is said.
        let whole = product(dims).unwrap_or(100);
        let (dims, strides) = match &tensor.form {
            Form::Flat => (None, None),
            Form::Dims => (Some(dims.to_vec()), None),
            // Where they would overflow, others that will not be right either.
            Form::Strided { .. } if product(dims).is_none() => (Some(dims.to_vec()), Some(vec![1; dims.len()])),
            Form::Strided { gap, swap } => {
                let mut strides = strides(spec, dims, *gap);
                if *swap && dims.len() > 2 {
                    // The one in the middle outermost.
                    strides[0] = strides[1];
                    strides[1] = strides[0].wrapping_mul(dims[0]).wrapping_add(*gap);
                }
                (Some(dims.to_vec()), Some(strides))
            }
            Form::Strides(strides) => (Some(dims.to_vec()), Some(strides[..dims.len()].to_vec())),
            Form::Other { dims, strides } => (Some(dims.clone()), strides.map(|s| s[..dims.len()].to_vec())),
        };
        let said = dims.as_deref().unwrap_or(&[]);
        let len = match &strides {
            Some(strides) => checked_reach(said, strides).filter(fits),
            None if dims.is_none() => None,
            None => product(said),
        };
        let len = len.unwrap_or(whole).saturating_add_signed(tensor.off);
        let memory = fill(len + 2 * MARGIN);
        Buffer { dims, strides, before: memory.clone(), memory }
    }

    pub fn view(&self) -> View<'_, T> {
        let slice = &self.memory[MARGIN..self.memory.len() - MARGIN];
        match &self.dims {
            None => slice.into(),
            Some(dims) => described(slice, dims, self.strides.as_deref()),
        }
    }

    pub fn view_mut(&mut self) -> ViewMut<'_, T> {
        let end = self.memory.len() - MARGIN;
        let slice = &mut self.memory[MARGIN..end];
        match &self.dims {
            None => slice.into(),
            Some(dims) => described_mut(slice, dims, self.strides.as_deref()),
        }
    }

    /// As it was at first.
    pub fn renew(&mut self) {
        self.memory.clone_from(&self.before);
    }

    /// Whether nothing was written but what a call with that outcome may write.
    pub fn is_intact(&self, outcome: Result<(), NormError>) -> bool {
        let mut may = vec![false; self.memory.len()];
        if outcome.is_ok() {
            let end = may.len() - MARGIN;
            match (&self.dims, &self.strides) {
                (Some(dims), _) if dims.contains(&0) => {}
                (Some(dims), Some(strides)) => mark(&mut may[MARGIN..end], dims, strides, 0),
                _ => may[MARGIN..end].fill(true),
            }
        }
        let same = |a: T, b: T| a.widen().to_f64().to_bits() == b.widen().to_f64().to_bits();
        may.iter().zip(self.memory.iter().zip(&self.before)).all(|(may, (now, before))| *may || same(*now, *before))
    }
}

/// As [`reach`], of any strides.
fn checked_reach(dims: &[usize], strides: &[usize]) -> Option<usize> {
    if dims.contains(&0) {
        return Some(0);
    }
    let far = |reach: usize, (dim, stride): (&usize, &usize)| reach.checked_add((dim - 1).checked_mul(*stride)?);
    let checked = dims.iter().zip(strides).try_fold(1, far)?;
    debug_assert_eq!(checked, reach(dims, strides));
    Some(checked)
}

/// The elements of a view from one of them on.
fn mark(may: &mut [bool], dims: &[usize], strides: &[usize], at: usize) {
    match (dims, strides) {
        ([size, dims @ ..], [stride, strides @ ..]) => {
            (0..*size).for_each(|index| mark(may, dims, strides, at + index * stride));
        }
        _ => may[at] = true,
    }
}
