//! Kernels of any kind, element type and type of parameters behind one type, for tests of what they do to memory.

mod kernels;
mod run;

pub use kernels::singles;
pub use run::{Case, Memory, SLOTS, Values, param_len, reach, run_all, strides};

use crate::Outcome;
use normkit::{Element, Saved, Spec, View, ViewMut, bf16, f16};

/// The type that `P` is computed in.
type Of<P> = <P as Element>::Compute;

/// What kernels take beside tensors; each takes what it has.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs, reason = "named as the arguments")]
pub struct Arguments<'a, P: Element> {
    pub weight: &'a [P],
    pub bias: &'a [P],
    pub mean: &'a [P],
    pub var: &'a [P],
    pub eps: P::Compute,
}

/// The gradients of parameters; each kernel adds to what it has.
#[derive(Debug)]
#[allow(missing_docs, reason = "named as the parameters")]
pub struct Grads<'a, A> {
    pub weight: &'a mut [A],
    pub bias: &'a mut [A],
}

/// Running statistics that follow those of a batch.
#[derive(Debug)]
#[allow(missing_docs, reason = "named as the arguments")]
pub struct Follow<'a, P> {
    pub mean: &'a mut [P],
    pub var: &'a mut [P],
    pub tracked: &'a mut i64,
}

type Forward<T, P> = dyn Fn(View<'_, T>, Arguments<'_, P>, ViewMut<'_, T>) -> Outcome;
type Inplace<T, P> = dyn Fn(ViewMut<'_, T>, Arguments<'_, P>) -> Outcome;
type Train<T, P> = dyn Fn(View<'_, T>, Arguments<'_, P>, ViewMut<'_, T>, &mut Saved<Of<P>>) -> Outcome;
type Backward<T, P, D> =
    dyn Fn(View<'_, T>, View<'_, T>, Arguments<'_, P>, &Saved<Of<P>>, ViewMut<'_, D>, Grads<'_, Of<P>>) -> Outcome;
type Update<P> = dyn Fn(&Saved<Of<P>>, Follow<'_, P>) -> Outcome;
type Frozen<T, P> = dyn Fn(View<'_, T>, View<'_, T>, Arguments<'_, P>, ViewMut<'_, T>, Grads<'_, Of<P>>) -> Outcome;

/// A kernel. `D` is the type of the gradient of `x`: that of `x`, unless `x` is a parameter.
#[allow(missing_docs, reason = "named as the methods")]
pub struct Subject<T: Element, P: Element, D: Element> {
    /// The keys it was generated from, but for its types.
    pub name: &'static str,
    pub types: &'static str,
    pub spec: &'static Spec,
    pub forward: Box<Forward<T, P>>,
    pub inplace: Box<Inplace<T, P>>,
    pub train: Box<Train<T, P>>,
    pub backward: Box<Backward<T, P, D>>,
    /// Of batch normalization.
    pub running: Option<RunningMethods<T, P>>,
}

/// The methods that go with running statistics.
#[allow(missing_docs, reason = "named as the methods")]
pub struct RunningMethods<T: Element, P: Element> {
    pub update: Box<Update<P>>,
    pub frozen: Box<Frozen<T, P>>,
}

/// What goes through all kernels of a list, of whatever types.
pub trait Visit {
    /// One of them.
    fn visit<T, P, D>(&mut self, subject: &Subject<T, P, D>)
    where
        T: Element,
        P: Element<Compute = T::Compute>,
        D: Element<Compute = T::Compute>;
}

/// Declares the list, with a place for each combination of types.
macro_rules! lists {
    ($($field:ident: $t:ty, $p:ty, $d:ty;)*) => {
        /// Kernels by their types.
        #[derive(Default)]
        pub struct Subjects {
            $($field: Vec<Subject<$t, $p, $d>>,)*
        }

        impl Subjects {
            /// All of them.
            pub fn each(&self, visitor: &mut impl Visit) {
                $(self.$field.iter().for_each(|subject| visitor.visit(subject));)*
            }
        }

        $(impl Keep<Subject<$t, $p, $d>> for Subjects {
            fn keep(&mut self, subject: Subject<$t, $p, $d>) {
                self.$field.push(subject);
            }
        })*
    };
}

/// A list that a kernel of type `S` has its place in.
pub trait Keep<S> {
    /// Puts it there.
    fn keep(&mut self, subject: S);
}

lists! {
    singles: f32, f32, f32;
    doubles: f64, f64, f64;
    halves: f16, f32, f16;
    brains: bf16, f32, bf16;
    singles_of_brains: f32, bf16, f32;
    halves_of_brains: f16, bf16, f16;
    brains_of_brains: bf16, bf16, bf16;
    weights_of_halves: f16, f32, f32;
    weights_of_brains: bf16, f32, f32;
    weights_of_brains_of_brains: bf16, bf16, f32;
}
