//! What contenders work on.

use crate::workloads::Number;
use normkit::{Param, Saved};

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

/// Inputs, and outputs that are reused from call to call.
///
/// All tensors are aligned to 64 bytes. A `Vec` often is not, and where each vector straddles two cache lines all kernels
/// are slower, by chance of the allocator.
pub struct Tensors<T: Number = f32> {
    /// Input.
    pub x: Param<T>,
    /// The gradient of `y`.
    pub dy: Param<T>,
    /// Output: `y` or `dx`.
    pub y: Param<T>,
    /// The scale.
    pub weight: Param<f32>,
    /// The shift.
    pub bias: Param<f32>,
    /// The scale in the type of `x`, for those who cannot mix types.
    pub own_weight: Param<T>,
    /// The shift in the type of `x`.
    pub own_bias: Param<T>,
    /// The gradient of the scale.
    pub dweight: Param<f32>,
    /// The gradient of the shift.
    pub dbias: Param<f32>,
    /// Running statistics.
    pub running_mean: Param<f32>,
    /// Running statistics.
    pub running_var: Param<f32>,
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
        Tensors {
            stretch,
            x: fill(elements, 1),
            dy: fill(elements, 2),
            y: Param::filled(T::default(), elements),
            weight: fill(params, 3),
            bias: fill(params, 4),
            own_weight: fill(params, 3),
            own_bias: fill(params, 4),
            dweight: Param::filled(0.0, params),
            dbias: Param::filled(0.0, params),
            running_mean: fill(params, 5),
            running_var: Param::filled(1.0, params),
            batches: 0,
            saved: Saved::default(),
        }
    }
}

/// Numbers that follow from their place alone, between -1 and 1.
fn fill<T: Number>(len: usize, seed: u32) -> Param<T> {
    let mut state = seed.wrapping_mul(0x9e37_79b9) | 1;
    let mut values = Param::filled(T::default(), len);
    for value in values.iter_mut() {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        *value = T::narrow((f64::from(state) / f64::from(u32::MAX) * 2.0 - 1.0) as f32);
    }
    values
}

/// Why a kernel called by a workload cannot fail.
pub(crate) const WORKS: &str = "the shapes of a workload fit";
