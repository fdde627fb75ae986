//! What contenders work on, and how they become a workload.

use crate::{Contender, Workload};
use normkit::{Element, Param, Saved};

/// Numbers that follow from their place alone, between -1 and 1.
fn fill<T: Element<Compute = f32>>(len: usize, seed: u32) -> Param<T> {
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

/// How large the tensors of a workload are.
#[derive(Clone, Copy)]
pub(crate) struct Sizes {
    /// Elements of `x`.
    pub(crate) elements: usize,
    /// Elements of the weight.
    pub(crate) params: usize,
}

/// What all contenders work on; each has its own outputs, reused from call to call.
///
/// All tensors are aligned to 64 bytes. A `Vec` often is not, and where each vector straddles two cache lines all kernels
/// are slower, by chance of the allocator.
pub(crate) struct Tensors<T: Element = f32> {
    pub(crate) x: Param<T>,
    pub(crate) dy: Param<T>,
    pub(crate) y: Param<T>,
    pub(crate) weight: Param<f32>,
    pub(crate) bias: Param<f32>,
    pub(crate) dweight: Param<f32>,
    pub(crate) dbias: Param<f32>,
    pub(crate) running_mean: Param<f32>,
    pub(crate) running_var: Param<f32>,
    pub(crate) batches: i64,
    pub(crate) saved: Saved<f32>,
}

impl<T: Element<Compute = f32>> Tensors<T> {
    fn new(Sizes { elements, params }: Sizes) -> Self {
        Tensors {
            x: fill(elements, 1),
            dy: fill(elements, 2),
            y: Param::filled(T::default(), elements),
            weight: fill(params, 3),
            bias: fill(params, 4),
            dweight: Param::filled(0.0, params),
            dbias: Param::filled(0.0, params),
            running_mean: fill(params, 5),
            running_var: Param::filled(1.0, params),
            batches: 0,
            saved: Saved::default(),
        }
    }
}

/// A contender's name and its work.
pub(crate) type Run<T = f32> = (&'static str, fn(&mut Tensors<T>));

/// Why a kernel called by a workload cannot fail.
pub(crate) const WORKS: &str = "the shapes of a workload fit";

/// Which tensors a pass moves.
#[derive(Clone, Copy)]
pub(crate) enum Pass {
    /// Reads x, writes y.
    Forward,
    /// Reads x and dy, writes dx.
    Backward,
    /// Reads x and dy, adds to dx, as where x is a parameter itself.
    BackwardAdding,
}

impl Pass {
    /// How many tensors as large as `x` move, the least there can be.
    fn tensors(self) -> usize {
        match self {
            Pass::Forward => 2,
            Pass::Backward => 3,
            Pass::BackwardAdding => 4,
        }
    }

    /// A copy that moves as many bytes: one, one and a half, two.
    fn copy<T: Element>(self) -> fn(&mut Tensors<T>) {
        match self {
            Pass::Forward => |t| t.y.copy_from_slice(&t.x),
            Pass::Backward => |t| {
                t.y.copy_from_slice(&t.x);
                let half = t.x.len() / 2;
                t.y[..half].copy_from_slice(&t.dy[..half]);
            },
            Pass::BackwardAdding => |t| {
                t.y.copy_from_slice(&t.x);
                t.y.copy_from_slice(&t.dy);
            },
        }
    }
}

/// A contender on tensors of its own, which `prepare` has seen.
fn contender<T: Element<Compute = f32>>(sizes: Sizes, prepare: fn(&mut Tensors<T>), (name, run): Run<T>) -> Contender {
    let mut tensors = Tensors::new(sizes);
    prepare(&mut tensors);
    Contender::new(name, move || run(std::hint::black_box(&mut tensors)))
}

/// The workload of a half type: `generated`, the same in f32, and a copy as large as the half type's tensors.
pub(crate) fn half_workload<T: Element<Compute = f32>>(
    name: String,
    sizes: Sizes,
    pass: Pass,
    [prepare, run]: [fn(&mut Tensors<T>); 2],
    [prepare_f32, run_f32]: [fn(&mut Tensors); 2],
) -> Workload {
    let build = move || {
        vec![
            contender(sizes, prepare, ("generated", run)),
            contender(sizes, prepare_f32, ("f32", run_f32)),
            contender(sizes, prepare, ("copy", pass.copy())),
        ]
    };
    let bytes = pass.tensors() * sizes.elements * size_of::<T>();
    Workload { name, elements: sizes.elements, bytes, build: Box::new(build) }
}

/// The workload of `runs` and a copy, each on tensors of its own that `prepare` has seen.
pub(crate) fn workload(
    name: String,
    sizes: Sizes,
    pass: Pass,
    prepare: fn(&mut Tensors),
    mut runs: Vec<Run>,
) -> Workload {
    runs.push(("copy", pass.copy()));
    let build = move || runs.iter().map(|&run| contender(sizes, prepare, run)).collect();
    let bytes = pass.tensors() * sizes.elements * size_of::<f32>();
    Workload { name, elements: sizes.elements, bytes, build: Box::new(build) }
}
