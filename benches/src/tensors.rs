//! What contenders work on.

use crate::workloads::Number;
use normkit::{Param, Saved};
use std::ops::{Deref, DerefMut};

/// How large the tensors of a workload are.
#[derive(Clone, Copy)]
pub struct Sizes {
    /// Elements of `x`.
    pub elements: usize,
    /// Elements of the weight.
    pub params: usize,
    /// Elements of `x` that are read before any of them can be written, where there are statistics to be taken.
    pub stretch: Option<usize>,
}

/// Memory that starts at the same place of a page of 4096 bytes in every process.
///
/// Where loads follow stores whose addresses agree in the lower 12 bits, they wait: of the same kernel, over 128 rows of 4096, 0.54 or 0.63
/// of the speed of `memcpy` was measured, depending on where the allocator had put its tensors after what had run before. Tensors of a
/// layer's size start at a page here, as those do that an allocator has from the system, and parameters at other places of theirs.
pub struct Tensor<T: Number> {
    memory: Param<T>,
    start: usize,
    len: usize,
}

impl<T: Number> Tensor<T> {
    const PAGE: usize = 4096;

    fn zeros(len: usize, place: usize) -> Self {
        let memory = Param::filled(T::default(), len + Self::PAGE / size_of::<T>());
        let start = place.wrapping_sub(memory.as_ptr().addr()) % Self::PAGE / size_of::<T>();
        Tensor { memory, start, len }
    }

    /// Numbers that follow from their place alone, between -1 and 1.
    fn random(len: usize, place: usize, seed: u32) -> Self {
        let mut values = Tensor::zeros(len, place);
        let mut state = seed.wrapping_mul(0x9e37_79b9) | 1;
        for value in values.iter_mut() {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            *value = T::narrow((f64::from(state) / f64::from(u32::MAX) * 2.0 - 1.0) as f32);
        }
        values
    }
}

impl<T: Number> Deref for Tensor<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.memory[self.start..self.start + self.len]
    }
}

impl<T: Number> DerefMut for Tensor<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.memory[self.start..self.start + self.len]
    }
}

/// Inputs, and outputs that are reused from call to call.
///
/// All tensors are aligned to 64 bytes. A `Vec` often is not, and where each vector straddles two cache lines all kernels
/// are slower, by chance of the allocator. Where they lie in their pages, [`Tensor`] says.
pub struct Tensors<T: Number = f32> {
    /// Input.
    pub x: Tensor<T>,
    /// The gradient of `y`.
    pub dy: Tensor<T>,
    /// Output: `y` or `dx`.
    pub y: Tensor<T>,
    /// The scale.
    pub weight: Tensor<f32>,
    /// The shift.
    pub bias: Tensor<f32>,
    /// The scale in the type of `x`, for those who cannot mix types.
    pub own_weight: Tensor<T>,
    /// The shift in the type of `x`.
    pub own_bias: Tensor<T>,
    /// The gradient of the scale.
    pub dweight: Tensor<f32>,
    /// The gradient of the shift.
    pub dbias: Tensor<f32>,
    /// Running statistics.
    pub running_mean: Tensor<f32>,
    /// Running statistics.
    pub running_var: Tensor<f32>,
    /// Batches that they have seen.
    pub batches: i64,
    /// What forward keeps for backward.
    pub saved: Saved<f32>,
    /// See [`Sizes::stretch`].
    pub stretch: Option<usize>,
}

impl<T: Number> Tensors<T> {
    /// The same numbers for the same sizes, in every process.
    #[must_use]
    pub fn new(Sizes { elements, params, stretch }: Sizes) -> Self {
        let mut running_var = Tensor::zeros(params, 512);
        running_var.fill(1.0);
        Tensors {
            stretch,
            x: Tensor::random(elements, 0, 1),
            dy: Tensor::random(elements, 0, 2),
            y: Tensor::zeros(elements, 0),
            weight: Tensor::random(params, 3072, 3),
            bias: Tensor::random(params, 3584, 4),
            own_weight: Tensor::random(params, 3072, 3),
            own_bias: Tensor::random(params, 3584, 4),
            dweight: Tensor::zeros(params, 1536),
            dbias: Tensor::zeros(params, 2560),
            running_mean: Tensor::random(params, 512, 5),
            running_var,
            batches: 0,
            saved: Saved::default(),
        }
    }
}

/// Why a kernel called by a workload cannot fail.
pub(crate) const WORKS: &str = "the shapes of a workload fit";
