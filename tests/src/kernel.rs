//! Kernels of any signature behind one type, so that a test can go through several of them.

use normkit::generic::reference::Problem;
use normkit::{Affine, Compute, Element, NormError, Saved, Spec, View, ViewMut};

/// What kernels take beside tensors; each takes what it has.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs, reason = "named as the arguments")]
pub struct Params<'a, P: Element> {
    pub weight: &'a [P],
    pub bias: &'a [P],
    pub eps: P::Compute,
}

/// What the methods return.
pub type Outcome = Result<(), NormError>;
type Forward<T, P> = dyn Fn(View<'_, T>, Params<'_, P>, ViewMut<'_, T>) -> Outcome;
type Inplace<T, P> = dyn Fn(ViewMut<'_, T>, Params<'_, P>) -> Outcome;
type Train<T, P, A> = dyn Fn(View<'_, T>, Params<'_, P>, ViewMut<'_, T>, &mut Saved<A>) -> Outcome;
type Backward<T, P, A> =
    dyn Fn(View<'_, T>, View<'_, T>, Params<'_, P>, &Saved<A>, ViewMut<'_, T>, &mut [A], &mut [A]) -> Outcome;

/// A kernel over elements of `T` with parameters of `P`; made by [`kernel!`](crate::kernel).
#[allow(missing_docs, reason = "named as the methods")]
pub struct Kernel<T: Element, P: Element<Compute = T::Compute> = <T as Element>::Compute> {
    /// The keys it was generated from.
    pub name: &'static str,
    pub spec: &'static Spec,
    pub forward: Box<Forward<T, P>>,
    pub inplace: Box<Inplace<T, P>>,
    pub train: Box<Train<T, P, T::Compute>>,
    pub backward: Box<Backward<T, P, T::Compute>>,
}

/// `kernel!(f32, weight bias; kind = "layer", shape = [_, 100])`: the element type, the parameters (with `eps` last if it is
/// one), and the keys of `norm!`. `bf16 / f16`: with parameters of another type than is computed in.
#[macro_export]
macro_rules! kernel {
    ($t:ident $(/ $p:ident)?, weight bias $($eps:ident)?; $($keys:tt)*) => {
        $crate::kernel!(@ [$t $(, $p)?], [weight bias $($eps)?] [weight] [dweight dbias], $($keys)*)
    };
    ($t:ident $(/ $p:ident)?, weight $($eps:ident)?; $($keys:tt)*) => {
        $crate::kernel!(@ [$t $(, $p)?], [weight $($eps)?] [weight] [dweight], $($keys)*)
    };
    ($t:ident $(/ $p:ident)?, $($eps:ident)?; $($keys:tt)*) => {
        $crate::kernel!(@ [$t $(, $p)?], [$($eps)?] [] [], $($keys)*)
    };
    (@ [$t:ident $(, $p:ident)?], [$($param:ident)*] [$($weight:ident)?] [$($grad:ident)*], $($keys:tt)*) => {{
        let kernel = normkit::norm!($($keys)*, dtype = $t $(, param = $p)?);
        let name = concat!(stringify!($($keys)*), " of ", stringify!($t $(/ $p)?));
        $crate::kernel!(of kernel, name; [$t $(, $p)?], [$($param)*] [$($weight)?] [$($grad)*])
    }};
    // One of the element types of a kernel that takes several.
    (of $kernel:ident, $name:expr; [$t:ident $(, $p:ident)?], [$($param:ident)*] [$($weight:ident)?] [$($grad:ident)*]) => {{
        let kernel = $kernel;
        $crate::Kernel::<$t $(, $p)?> {
            name: $name,
            spec: kernel.spec(),
            forward: Box::new(move |x, _params, y| kernel.forward(x, $(_params.$param,)* y)),
            inplace: Box::new(move |x, _params| kernel.forward_inplace(x, $(_params.$param,)*)),
            train: Box::new(move |x, _params, y, saved| kernel.forward_train(x, $(_params.$param,)* y, saved)),
            backward: Box::new(move |x, dy, _params, saved, dx, _dweight, _dbias| {
                $crate::kernel!(@grads _dweight _dbias, $($grad)*);
                kernel.backward(x, dy, $(_params.$weight,)? saved, dx, $($grad),*)
            }),
        }
    }};
    (@grads $dw:ident $db:ident, $dweight:ident $dbias:ident) => { let ($dweight, $dbias) = ($dw, $db); };
    (@grads $dw:ident $db:ident, $dweight:ident) => { let $dweight = $dw; };
    (@grads $dw:ident $db:ident,) => {};
}

/// The inputs of all methods, contiguous.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "named as the arguments")]
pub struct Inputs<T: Element, P: Element<Compute = T::Compute> = <T as Element>::Compute> {
    pub x: Vec<T>,
    pub dy: Vec<T>,
    pub weight: Vec<P>,
    pub bias: Vec<P>,
    pub eps: T::Compute,
}

/// The outputs of all methods, contiguous.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "named as the arguments")]
pub struct Outputs<T: Element> {
    /// Of `forward`; that `forward_inplace` and `forward_train` give the same bits has been checked.
    pub y: Vec<T>,
    pub dx: Vec<T>,
    /// Empty where there is no such parameter, as `dbias`.
    pub dweight: Vec<T::Compute>,
    pub dbias: Vec<T::Compute>,
    pub saved: Saved<T::Compute>,
}

impl<T: Element, P: Element<Compute = T::Compute>> Inputs<T, P> {
    /// From numbers that `f32` holds exactly: rounded once.
    #[must_use]
    pub fn new(x: &[f64], dy: &[f64], weight: &[f64], bias: &[f64], eps: f64) -> Self {
        Inputs {
            x: narrow(x),
            dy: narrow(dy),
            weight: narrow(weight),
            bias: narrow(bias),
            eps: T::Compute::from_f64(eps),
        }
    }

    /// The parameters.
    #[must_use]
    pub fn params(&self) -> Params<'_, P> {
        Params { weight: &self.weight, bias: &self.bias, eps: self.eps }
    }
}

impl<T: Element, P: Element<Compute = T::Compute>> Kernel<T, P> {
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

    /// Gradients to add to, for the parameters that there are.
    pub(crate) fn grads(&self, inputs: &Inputs<T, P>) -> [Vec<T::Compute>; 2] {
        zeros([self.has_weight(), self.has_bias()], inputs)
    }

    /// All methods over contiguous tensors.
    ///
    /// # Panics
    /// If one refuses, or if the forward methods differ in a bit.
    #[must_use]
    pub fn run<const D: usize>(&self, dims: [usize; D], inputs: &Inputs<T, P>) -> Outputs<T> {
        let params = inputs.params();
        let view = |data| View::from((data, dims));
        let len = inputs.x.len();
        let nan = element::<T>(f64::NAN);
        let (mut y, mut trained, mut dx) = (vec![nan; len], vec![nan; len], vec![nan; len]);
        let mut inplace = inputs.x.clone();
        let mut saved = Saved::default();
        (self.forward)(view(&inputs.x[..]), params, (&mut y, dims).into()).unwrap();
        (self.inplace)((&mut inplace, dims).into(), params).unwrap();
        (self.train)(view(&inputs.x[..]), params, (&mut trained, dims).into(), &mut saved).unwrap();
        assert_eq!(bits(&y), bits(&inplace), "{}: in place", self.name);
        assert_eq!(bits(&y), bits(&trained), "{}: training", self.name);
        let [mut dweight, mut dbias] = self.grads(inputs);
        let dx_view = ViewMut::from((&mut dx, dims));
        (self.backward)(view(&inputs.x[..]), view(&inputs.dy[..]), params, &saved, dx_view, &mut dweight, &mut dbias)
            .unwrap();
        Outputs { y, dx, dweight, dbias, saved }
    }

    /// What `y`, `dx`, `dweight` and `dbias` should be, for rows of `n`.
    #[must_use]
    pub fn oracle(&self, n: usize, inputs: &Inputs<T, P>) -> Expected {
        let (x, dy, weight, bias) = (widen(&inputs.x), widen(&inputs.dy), widen(&inputs.weight), widen(&inputs.bias));
        let rows = x.len().checked_div(n).unwrap_or(0);
        let problem = Problem::rows(rows, n, self.spec.centred, inputs.eps.to_f64());
        let weight = self.has_weight().then_some(&weight[..]);
        let forward = problem.forward(&x, weight, self.has_bias().then_some(&bias[..]));
        let backward = problem.backward(&x, &dy, weight);
        Expected {
            y: forward.y,
            mean: if self.spec.centred { forward.mean } else { Vec::new() },
            var: forward.var,
            rstd: forward.rstd,
            dx: backward.dx,
            dweight: if self.has_weight() { backward.dweight } else { Vec::new() },
            dbias: if self.has_bias() { backward.dbias } else { Vec::new() },
        }
    }
}

/// What the oracle says of all methods.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "named as the arguments")]
pub struct Expected {
    pub y: Vec<f64>,
    /// Empty where it is not subtracted.
    pub mean: Vec<f64>,
    pub var: Vec<f64>,
    pub rstd: Vec<f64>,
    pub dx: Vec<f64>,
    pub dweight: Vec<f64>,
    pub dbias: Vec<f64>,
}

/// Zeros for the gradients of weight and bias, where there are these.
pub(crate) fn zeros<T: Element, P: Element<Compute = T::Compute>>(
    present: [bool; 2],
    inputs: &Inputs<T, P>,
) -> [Vec<T::Compute>; 2] {
    let of = |present: bool, len: usize| vec![T::Compute::default(); if present { len } else { 0 }];
    [of(present[0], inputs.weight.len()), of(present[1], inputs.bias.len())]
}

/// A value that the type that is computed in holds exactly, as `T`, rounded to the nearest.
#[must_use]
pub fn element<T: Element>(value: f64) -> T {
    T::narrow(T::Compute::from_f64(value))
}

/// As `f64`, exactly.
#[must_use]
pub fn wide<T: Element>(value: T) -> f64 {
    value.widen().to_f64()
}

/// As [`element`].
#[must_use]
pub fn narrow<T: Element>(values: &[f64]) -> Vec<T> {
    values.iter().map(|&v| element(v)).collect()
}

/// As `f64`, exactly.
#[must_use]
pub fn widen<T: Element>(values: &[T]) -> Vec<f64> {
    values.iter().map(|&v| wide(v)).collect()
}

/// For comparison bit by bit: tells -0 from 0 and takes NaN for equal to itself.
#[must_use]
pub fn bits<T: Element>(values: &[T]) -> Vec<u64> {
    values.iter().map(|&v| wide(v).to_bits()).collect()
}
