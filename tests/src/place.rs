//! Where tensors lie: contiguous, or with their outer axes spread over a larger buffer.

use crate::{Inputs, Kernel, Outputs, bits, element, wide};
use normkit::{Element, Saved, View, ViewMut};

/// What lies between elements, and must still lie there afterwards; all types hold it.
const SENTINEL: f64 = 12_288.0;

/// The memory of one tensor.
#[derive(Clone, Debug)]
pub struct Place {
    dims: Vec<usize>,
    strides: Option<Vec<usize>>,
    start: usize,
}

macro_rules! of_rank {
    ($data:expr, $dims:expr, $strides:expr) => { of_rank!(@ $data, $dims, $strides, 1 2 3 4 5 6 7 8 9) };
    (@ $data:expr, $dims:expr, $strides:expr, $($rank:literal)*) => {{
        let (data, dims, strides): (_, &[usize], Option<&[usize]>) = ($data, $dims, $strides);
        match (dims.len(), strides) {
            $(($rank, None) => (data, <[usize; $rank]>::try_from(dims).unwrap()).into(),)*
            $(($rank, Some(strides)) => (
                data,
                <[usize; $rank]>::try_from(dims).unwrap(),
                <[usize; $rank]>::try_from(strides).unwrap(),
            ).into(),)*
            (rank, _) => panic!("add rank {rank} to the list"),
        }
    }};
}

/// A tensor as a caller describes it, right or wrong.
#[must_use]
pub fn described<'a, T>(data: &'a [T], dims: &[usize], strides: Option<&[usize]>) -> View<'a, T> {
    of_rank!(data, dims, strides)
}

/// The same, to be written.
#[must_use]
pub fn described_mut<'a, T>(data: &'a mut [T], dims: &[usize], strides: Option<&[usize]>) -> ViewMut<'a, T> {
    of_rank!(data, dims, strides)
}

impl Place {
    /// Described by its dims alone.
    #[must_use]
    pub fn contiguous(dims: &[usize]) -> Self {
        Place { dims: dims.to_vec(), strides: None, start: 0 }
    }

    /// The last `block` axes contiguous; `order` has the others from the innermost to the outermost in memory, each of them
    /// followed by `gap` elements. The first element is at `start`.
    #[must_use]
    pub fn strided(dims: &[usize], block: usize, order: &[usize], start: usize, gap: usize) -> Self {
        let outer = dims.len() - block;
        assert_eq!(order.len(), outer, "each axis outside of the block has its place");
        let mut strides = vec![1; dims.len()];
        for axis in (outer..dims.len().saturating_sub(1)).rev() {
            strides[axis] = strides[axis + 1] * dims[axis + 1];
        }
        let mut extent: usize = dims[outer..].iter().product();
        for &axis in order {
            strides[axis] = extent + gap;
            extent = strides[axis] * dims[axis];
        }
        Place { dims: dims.to_vec(), strides: Some(strides), start }
    }

    fn positions(&self) -> Vec<usize> {
        let Some(strides) = &self.strides else { return (0..self.dims.iter().product()).collect() };
        let of = |flat: usize| {
            let (mut rest, mut at) = (flat, self.start);
            for axis in (0..self.dims.len()).rev() {
                at += rest % self.dims[axis] * strides[axis];
                rest /= self.dims[axis];
            }
            at
        };
        (0..self.dims.iter().product()).map(of).collect()
    }

    /// A buffer that ends with the last element: `values` in their places, sentinels everywhere else.
    #[must_use]
    pub fn buffer<T: Element>(&self, values: Option<&[T]>) -> Vec<T> {
        let positions = self.positions();
        let mut buffer = vec![element::<T>(SENTINEL); positions.iter().max().map_or(self.start, |last| last + 1)];
        for (&at, &value) in positions.iter().zip(values.into_iter().flatten()) {
            buffer[at] = value;
        }
        buffer
    }

    /// As kernels take it.
    #[must_use]
    pub fn view<'a, T>(&self, buffer: &'a [T]) -> View<'a, T> {
        described(&buffer[self.start..], &self.dims, self.strides.as_deref())
    }

    /// The same, to be written.
    #[must_use]
    pub fn view_mut<'a, T>(&self, buffer: &'a mut [T]) -> ViewMut<'a, T> {
        described_mut(&mut buffer[self.start..], &self.dims, self.strides.as_deref())
    }

    /// The elements in the order of indices.
    ///
    /// # Panics
    /// If something else in the buffer has changed.
    #[must_use]
    pub fn gather<T: Element>(&self, mut buffer: Vec<T>, what: &str) -> Vec<T> {
        let take = |at: usize| core::mem::replace(&mut buffer[at], element::<T>(SENTINEL));
        let values = self.positions().into_iter().map(take).collect();
        assert!(buffer.iter().all(|&v| wide(v) == SENTINEL), "{what} was written to between its elements");
        values
    }
}

/// The places of x, y, dy and dx.
pub type Places = [Place; 4];

/// All four contiguous.
#[must_use]
pub fn contiguous(dims: &[usize]) -> Places {
    core::array::from_fn(|_| Place::contiguous(dims))
}

impl<T: Element, P: Element<Compute = T::Compute>> Kernel<T, P> {
    /// As [`Kernel::run`], for any number of axes and any place of the tensors.
    ///
    /// # Panics
    /// If a method refuses, if the forward methods differ in a bit, or if something between elements was written.
    #[must_use]
    pub fn run_at(&self, inputs: &Inputs<T, P>, places: &Places) -> Outputs<T> {
        let params = inputs.params();
        let [px, py, pdy, pdx] = places;
        let (x, dy) = (px.buffer(Some(&inputs.x)), pdy.buffer(Some(&inputs.dy)));
        let (mut y, mut trained, mut dx) = (py.buffer(None), py.buffer(None), pdx.buffer(None));
        let mut inplace = x.clone();
        let mut saved = Saved::default();
        let name = self.name;
        let done = |what: &str, result: crate::Outcome| result.unwrap_or_else(|e| panic!("{what} of {name}: {e}"));
        done("forward", (self.forward)(px.view(&x), params, py.view_mut(&mut y)));
        done("forward_inplace", (self.inplace)(px.view_mut(&mut inplace), params));
        done("forward_train", (self.train)(px.view(&x), params, py.view_mut(&mut trained), &mut saved));
        let [mut dweight, mut dbias] = self.grads(inputs);
        let dx_view = pdx.view_mut(&mut dx);
        let (x, dy) = (px.view(&x), pdy.view(&dy));
        done("backward", (self.backward)(x, dy, params, &saved, dx_view, &mut dweight, &mut dbias));
        let y = py.gather(y, "y");
        assert_eq!(bits(&y), bits(&px.gather(inplace, "x")), "{name}: in place");
        assert_eq!(bits(&y), bits(&py.gather(trained, "y")), "{name}: training");
        Outputs { y, dx: pdx.gather(dx, "dx"), dweight, dbias, saved }
    }

    /// All methods over contiguous tensors of any number of axes.
    #[must_use]
    pub fn run_in(&self, dims: &[usize], inputs: &Inputs<T, P>) -> Outputs<T> {
        self.run_at(inputs, &contiguous(dims))
    }
}
