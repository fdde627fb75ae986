//! Batch norm, which has running statistics beside what other kernels have.

use crate::place::{Places, contiguous};
use crate::sets::Sets;
use crate::{Expected, Inputs, Outcome, Outputs, Params, bits, kernel, widen};
use normkit::generic::reference::Problem;
use normkit::{Affine, Compute, Element, Saved, Spec, View, ViewMut};

/// The statistics that inference normalizes with.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs, reason = "named as the arguments")]
pub struct Running<'a, T> {
    pub mean: &'a [T],
    pub var: &'a [T],
}

type Infer<T, P> = dyn Fn(View<'_, T>, Running<'_, P>, Params<'_, P>, ViewMut<'_, T>) -> Outcome;
type InferInplace<T, P> = dyn Fn(ViewMut<'_, T>, Running<'_, P>, Params<'_, P>) -> Outcome;
type Train<T, P, A> = dyn Fn(View<'_, T>, Params<'_, P>, ViewMut<'_, T>, &mut Saved<A>) -> Outcome;
type Backward<T, P, A> =
    dyn Fn(View<'_, T>, View<'_, T>, Params<'_, P>, &Saved<A>, ViewMut<'_, T>, &mut [A], &mut [A]) -> Outcome;
type Frozen<T, P, A> =
    dyn Fn(View<'_, T>, View<'_, T>, Running<'_, P>, Params<'_, P>, ViewMut<'_, T>, &mut [A], &mut [A]) -> Outcome;
type Update<P, A> = dyn Fn(&Saved<A>, &mut [P], &mut [P], &mut i64) -> Outcome;

/// A kernel over elements of `T` with parameters of `P`; made by [`batch!`](crate::batch).
///
/// A *layer* of batch norm changes when it is trained, so training takes it by a unique reference:
///
/// ```
/// #[normkit::normalize(kind = "batch", shape = [_, 3])]
/// struct Norm;
///
/// fn train(layer: &mut Norm, x: &[f32], y: &mut [f32], saved: &mut normkit::Saved<f32>) {
///     layer.forward_train(x, y, saved).unwrap();
/// }
/// let mut layer = Norm::new();
/// train(&mut layer, &[1.0, 2.0, 3.0, 2.0, 4.0, 6.0], &mut [0.0; 6], &mut normkit::Saved::default());
/// assert_eq!(layer.num_batches_tracked, 1);
/// ```
///
/// The same through a shared one does not compile:
///
/// ```compile_fail,E0596
/// #[normkit::normalize(kind = "batch", shape = [_, 3])]
/// struct Norm;
///
/// fn train(layer: &Norm, x: &[f32], y: &mut [f32], saved: &mut normkit::Saved<f32>) {
///     layer.forward_train(x, y, saved).unwrap();
/// }
/// ```
#[allow(missing_docs, reason = "named as the methods")]
pub struct Batch<T: Element, P: Element<Compute = T::Compute> = <T as Element>::Compute> {
    /// The keys it was generated from.
    pub name: &'static str,
    pub spec: &'static Spec,
    pub forward: Box<Infer<T, P>>,
    pub inplace: Box<InferInplace<T, P>>,
    pub train: Box<Train<T, P, T::Compute>>,
    pub backward: Box<Backward<T, P, T::Compute>>,
    pub frozen: Box<Frozen<T, P, T::Compute>>,
    pub update: Box<Update<P, T::Compute>>,
}

/// `batch!(f32, weight bias; shape = [_, 100])`: as [`kernel!`](crate::kernel), of kind `batch`.
#[macro_export]
macro_rules! batch {
    ($t:ident $(/ $p:ident)?, weight bias $($eps:ident)?; $($keys:tt)*) => {
        $crate::batch!(@ [$t $(, $p)?], [weight bias $($eps)?] [weight] [$($eps)?] [dweight dbias], $($keys)*)
    };
    ($t:ident $(/ $p:ident)?, weight $($eps:ident)?; $($keys:tt)*) => {
        $crate::batch!(@ [$t $(, $p)?], [weight $($eps)?] [weight] [$($eps)?] [dweight], affine = weight, $($keys)*)
    };
    ($t:ident $(/ $p:ident)?,; $($keys:tt)*) => {
        $crate::batch!(@ [$t $(, $p)?], [] [] [] [], affine = false, $($keys)*)
    };
    (@ [$t:ident $(, $p:ident)?], [$($param:ident)*] [$($weight:ident)?] [$($eps:ident)?] [$($grad:ident)*], $($keys:tt)*) => {{
        let kernel = normkit::norm!(kind = "batch", $($keys)*, dtype = $t $(, param = $p)?);
        let name = concat!("batch ", stringify!($($keys)*), " of ", stringify!($t $(/ $p)?));
        $crate::batch!(of kernel, name; [$t $(, $p)?], [$($param)*] [$($weight)?] [$($eps)?] [$($grad)*])
    }};
    // One of the element types of a kernel that takes several.
    (of $kernel:ident, $name:expr; [$t:ident $(, $p:ident)?], [$($param:ident)*] [$($weight:ident)?] [$($eps:ident)?] [$($grad:ident)*]) => {{
        let kernel = $kernel;
        $crate::Batch::<$t $(, $p)?> {
            name: $name,
            spec: kernel.spec(),
            forward: Box::new(move |x, r, _p, y| kernel.forward(x, r.mean, r.var, $(_p.$param,)* y)),
            inplace: Box::new(move |x, r, _p| kernel.forward_inplace(x, r.mean, r.var, $(_p.$param,)*)),
            train: Box::new(move |x, _p, y, saved| kernel.forward_train(x, $(_p.$param,)* y, saved)),
            backward: Box::new(move |x, dy, _p, saved, dx, _dweight, _dbias| {
                $crate::kernel!(@grads _dweight _dbias, $($grad)*);
                kernel.backward(x, dy, $(_p.$weight,)? saved, dx, $($grad),*)
            }),
            frozen: Box::new(move |x, dy, r, _p, dx, _dweight, _dbias| {
                $crate::kernel!(@grads _dweight _dbias, $($grad)*);
                kernel.backward_frozen(x, dy, r.mean, r.var, $(_p.$weight,)? $(_p.$eps,)? dx, $($grad),*)
            }),
            update: Box::new(move |saved, mean, var, tracked| kernel.update_running(saved, mean, var, tracked)),
        }
    }};
}

/// The inputs of all methods.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "named as the arguments")]
pub struct BatchInputs<T: Element, P: Element<Compute = T::Compute> = <T as Element>::Compute> {
    pub inputs: Inputs<T, P>,
    pub mean: Vec<P>,
    pub var: Vec<P>,
}

impl<T: Element, P: Element<Compute = T::Compute>> BatchInputs<T, P> {
    /// As [`Inputs::random`], with running statistics that are near to those of the batch, but not the same.
    #[must_use]
    pub fn random(axis: usize, dims: &[usize], seed: u64, mean: f64, deviation: f64, eps: f64) -> Self {
        let inputs = Inputs::random(Sets::Each { axis }, dims, seed, mean, deviation, eps);
        let mut numbers = crate::Numbers(seed ^ 0xbeef);
        let channels = dims[axis];
        let running = numbers.normal(channels, mean, 0.3 * deviation);
        let var = numbers.normal(channels, 1.0, 0.2).iter().map(|v| (v.abs() + 0.1) * deviation * deviation).collect();
        let var: Vec<f64> = var;
        BatchInputs { inputs, mean: crate::narrow(&running), var: crate::narrow(&var) }
    }

    /// For inference.
    #[must_use]
    pub fn running(&self) -> Running<'_, P> {
        Running { mean: &self.mean, var: &self.var }
    }

    /// What inference and its backward pass should give: the statistics are numbers like any others.
    #[must_use]
    pub fn expected_frozen(&self, axis: usize, dims: &[usize], has_weight: bool, has_bias: bool) -> Expected {
        let (x, dy) = (widen(&self.inputs.x), widen(&self.inputs.dy));
        let (weight, bias) = (widen(&self.inputs.weight), widen(&self.inputs.bias));
        let (mean, var, eps) = (widen(&self.mean), widen(&self.var), self.inputs.eps.to_f64());
        let (weight, bias) = (has_weight.then_some(&weight[..]), has_bias.then_some(&bias[..]));
        let problem = Problem::batch(dims, axis, eps);
        let backward = problem.backward_fixed(&x, &dy, &mean, &var, weight);
        Expected {
            y: problem.forward_fixed(&x, &mean, &var, weight, bias),
            dx: backward.dx,
            rstd: var.iter().map(|var| 1.0 / (var + eps).sqrt()).collect(),
            dweight: if has_weight { backward.dweight } else { Vec::new() },
            dbias: if has_bias { backward.dbias } else { Vec::new() },
            mean,
            var,
        }
    }
}

/// The outputs of inference and of its backward pass.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "named as the arguments")]
pub struct FrozenOutputs<T: Element> {
    /// Of `forward`; that `forward_inplace` gives the same bits has been checked.
    pub y: Vec<T>,
    pub dx: Vec<T>,
    pub dweight: Vec<T::Compute>,
    pub dbias: Vec<T::Compute>,
}

impl<T: Element, P: Element<Compute = T::Compute>> Batch<T, P> {
    /// Whether there is a weight.
    #[must_use]
    pub fn has_weight(&self) -> bool {
        self.spec.affine != Affine::None
    }

    /// Whether there is a bias.
    #[must_use]
    pub fn has_bias(&self) -> bool {
        self.spec.affine == Affine::WeightAndBias
    }

    fn grads(&self, inputs: &Inputs<T, P>) -> [Vec<T::Compute>; 2] {
        kernel::zeros([self.has_weight(), self.has_bias()], inputs)
    }

    /// Training and its backward pass.
    ///
    /// # Panics
    /// If a method refuses, or if something between elements was written.
    #[must_use]
    pub fn train_at(&self, inputs: &Inputs<T, P>, [px, py, pdy, pdx]: &Places) -> Outputs<T> {
        let params = inputs.params();
        let (x, dy) = (px.buffer(Some(&inputs.x)), pdy.buffer(Some(&inputs.dy)));
        let (mut y, mut dx, mut saved) = (py.buffer(None), pdx.buffer(None), Saved::default());
        let name = self.name;
        let done = |what: &str, result: Outcome| result.unwrap_or_else(|e| panic!("{what} of {name}: {e}"));
        done("forward_train", (self.train)(px.view(&x), params, py.view_mut(&mut y), &mut saved));
        let [mut dweight, mut dbias] = self.grads(inputs);
        let (x, dy) = (px.view(&x), pdy.view(&dy));
        let dx_view = pdx.view_mut(&mut dx);
        done("backward", (self.backward)(x, dy, params, &saved, dx_view, &mut dweight, &mut dbias));
        Outputs { y: py.gather(y, "y"), dx: pdx.gather(dx, "dx"), dweight, dbias, saved }
    }

    /// Inference and its backward pass.
    ///
    /// # Panics
    /// If a method refuses, if `forward_inplace` differs in a bit, or if something between elements was written.
    #[must_use]
    pub fn infer_at(&self, inputs: &BatchInputs<T, P>, [px, py, pdy, pdx]: &Places) -> FrozenOutputs<T> {
        let (params, running) = (inputs.inputs.params(), inputs.running());
        let (x, dy) = (px.buffer(Some(&inputs.inputs.x)), pdy.buffer(Some(&inputs.inputs.dy)));
        let (mut y, mut dx, mut inplace) = (py.buffer(None), pdx.buffer(None), x.clone());
        let name = self.name;
        let done = |what: &str, result: Outcome| result.unwrap_or_else(|e| panic!("{what} of {name}: {e}"));
        done("forward", (self.forward)(px.view(&x), running, params, py.view_mut(&mut y)));
        done("forward_inplace", (self.inplace)(px.view_mut(&mut inplace), running, params));
        let [mut dweight, mut dbias] = self.grads(&inputs.inputs);
        let (x, dy) = (px.view(&x), pdy.view(&dy));
        let dx_view = pdx.view_mut(&mut dx);
        done("backward_frozen", (self.frozen)(x, dy, running, params, dx_view, &mut dweight, &mut dbias));
        let y = py.gather(y, "y");
        assert_eq!(bits(&y), bits(&px.gather(inplace, "x")), "{name}: in place");
        FrozenOutputs { y, dx: pdx.gather(dx, "dx"), dweight, dbias }
    }

    /// Training and its backward pass over contiguous tensors.
    #[must_use]
    pub fn train_in(&self, dims: &[usize], inputs: &Inputs<T, P>) -> Outputs<T> {
        self.train_at(inputs, &contiguous(dims))
    }

    /// Inference and its backward pass over contiguous tensors.
    #[must_use]
    pub fn infer_in(&self, dims: &[usize], inputs: &BatchInputs<T, P>) -> FrozenOutputs<T> {
        self.infer_at(inputs, &contiguous(dims))
    }

    /// What the oracle says of training.
    #[must_use]
    pub fn expected(&self, axis: usize, dims: &[usize], inputs: &Inputs<T, P>) -> Expected {
        inputs.expected(Sets::Each { axis }, dims, true, self.has_weight(), self.has_bias())
    }
}
