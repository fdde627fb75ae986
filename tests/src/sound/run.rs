//! All methods of a kernel over memory of the test's choice.

use super::{Arguments, Follow, Grads, Subject};
use crate::{Numbers, Outcome, described, described_mut};
use core::ops::DerefMut;
use normkit::{Compute, Element, Role, Saved, Spec};

/// Memory for one argument at a time.
pub trait Memory {
    /// Elements in it.
    type Of<'a, T: Element>: DerefMut<Target = [T]>
    where
        Self: 'a;
    /// Elements with these values.
    fn take<T: Element>(&mut self, values: &[T]) -> Self::Of<'_, T>;
}

/// The arguments that lie in memory at once: four tensors, one for in place, four parameters, two gradients.
pub const SLOTS: usize = 11;

/// What tensors and parameters are filled with, by offset into a few thousand numbers: to make them new for each call took most of
/// the time of the tests.
pub struct Values<T, P, D> {
    tensor: Vec<T>,
    param: Vec<P>,
    variance: Vec<P>,
    gradient: Vec<D>,
}

impl<T, P, D> Values<T, P, D>
where
    T: Element,
    P: Element<Compute = T::Compute>,
    D: Element<Compute = T::Compute>,
{
    /// For tensors of up to `len` elements: numbers about 1, and every now and then a stretch of ones whose squares overflow.
    #[must_use]
    pub fn new(len: usize) -> Self {
        let mut numbers = Numbers(7);
        let huge = if size_of::<T::Compute>() == 8 { 1e200 } else { 1e30 };
        let huge = if T::NAME == "f16" { 1e4 } else { huge };
        let of = |v: f64| T::Compute::from_f64(v);
        let tensor = (0..len + 100).map(|i| {
            let scale = if i / 83 % 11 == 5 { huge } else { 1.0 };
            T::narrow(of(numbers.next_unit() * scale))
        });
        let tensor = tensor.collect();
        let mut param = || P::narrow(of(numbers.next_unit()));
        Values {
            tensor,
            param: (0..len + 100).map(|_| param()).collect(),
            variance: (0..len + 100).map(|i| P::narrow(of(0.5 + i as f64 / len as f64))).collect(),
            gradient: vec![D::default(); len + 100],
        }
    }
}

/// A call.
#[derive(Clone, Copy, Debug)]
pub struct Case<'a> {
    /// Of x, y, dy and dx.
    pub dims: &'a [usize],
    /// Elements after each of the outer axes, where tensors are strided.
    pub gap: Option<usize>,
    /// Chooses the numbers.
    pub seed: usize,
}

/// The first of the last axes that lie together.
fn inner_axis(spec: &Spec) -> usize {
    let last = spec.roles.last();
    spec.roles.len() - spec.roles.iter().rev().take_while(|role| Some(*role) == last).count()
}

/// Strides with `gap` elements after each of the outer axes.
#[must_use]
pub fn strides(spec: &Spec, dims: &[usize], gap: usize) -> Vec<usize> {
    let inner = inner_axis(spec);
    let mut strides = vec![1_usize; dims.len()];
    for axis in (1..dims.len()).rev() {
        // Of dims beside a 0 that may be of any size, no stride means anything.
        strides[axis - 1] = strides[axis].wrapping_mul(dims[axis]).wrapping_add(if axis <= inner { gap } else { 0 });
    }
    strides
}

/// How many elements dims and strides reach.
#[must_use]
pub fn reach(dims: &[usize], strides: &[usize]) -> usize {
    if dims.contains(&0) {
        return 0;
    }
    1 + dims.iter().zip(strides).map(|(dim, stride)| (dim - 1) * stride).sum::<usize>()
}

/// How many elements a parameter has.
#[must_use]
pub fn param_len(spec: &Spec, dims: &[usize]) -> usize {
    let channels = spec.roles.contains(&Role::Channel);
    let role = if channels { Role::Channel } else { Role::Normalized };
    spec.roles.iter().zip(dims).filter(|(r, _)| **r == role).map(|(_, dim)| dim).product()
}

/// Calls all methods of `subject`, with each argument in a slot of its own.
///
/// # Panics
/// If one refuses.
pub fn run_all<M, T, P, D>(subject: &Subject<T, P, D>, values: &Values<T, P, D>, slots: &mut [M; SLOTS], case: Case<'_>)
where
    M: Memory,
    T: Element,
    P: Element<Compute = T::Compute>,
    D: Element<Compute = T::Compute>,
{
    let Case { dims, gap, seed } = case;
    let spec = subject.spec;
    let strides = gap.map(|gap| strides(spec, dims, gap));
    let strides = strides.as_deref();
    let len = strides.map_or(dims.iter().product(), |strides| reach(dims, strides));
    let params = param_len(spec, dims);
    let done = |what: &str, result: Outcome| {
        result.unwrap_or_else(|e| panic!("{what} of {} of {} over {dims:?}: {e}", subject.name, subject.types));
    };
    let at = |which: usize| (seed * 7 + which * 13) % 97;
    let [x, dy, y, z, dx, weight, bias, mean, var, dweight, dbias] = slots;
    let x = x.take(&values.tensor[at(0)..][..len]);
    let dy = dy.take(&values.tensor[at(1)..][..len]);
    let mut y = y.take(&values.tensor[at(2)..][..len]);
    let mut z = z.take(&values.tensor[at(0)..][..len]);
    let mut dx = dx.take(&values.gradient[..len]);
    let weight = weight.take(&values.param[at(3)..][..params]);
    let bias = bias.take(&values.param[at(4)..][..params]);
    let mut mean = mean.take(&values.param[at(5)..][..params]);
    let mut var = var.take(&values.variance[at(6)..][..params]);
    let zeros = vec![T::Compute::default(); params];
    let (mut dweight, mut dbias) = (dweight.take(&zeros), dbias.take(&zeros));
    let eps = T::Compute::from_f64(1e-5);
    let mut saved = Saved::default();
    let view = |data| described(data, dims, strides);
    {
        let args = Arguments { weight: &weight, bias: &bias, mean: &mean, var: &var, eps };
        done("forward", (subject.forward)(view(&x), args, described_mut(&mut y, dims, strides)));
        done("forward_inplace", (subject.inplace)(described_mut(&mut z, dims, strides), args));
        done("forward_train", (subject.train)(view(&x), args, described_mut(&mut y, dims, strides), &mut saved));
        let grads = Grads { weight: &mut dweight, bias: &mut dbias };
        let dx = described_mut(&mut dx, dims, strides);
        done("backward", (subject.backward)(view(&x), view(&dy), args, &saved, dx, grads));
    }
    let Some(running) = &subject.running else { return };
    {
        let args = Arguments { weight: &weight, bias: &bias, mean: &mean, var: &var, eps };
        let grads = Grads { weight: &mut dweight, bias: &mut dbias };
        let dx = described_mut(&mut z, dims, strides);
        done("backward_frozen", (running.frozen)(view(&x), view(&dy), args, dx, grads));
    }
    let mut tracked = 0;
    let follow = Follow { mean: &mut mean, var: &mut var, tracked: &mut tracked };
    done("update_running", (running.update)(&saved, follow));
}
