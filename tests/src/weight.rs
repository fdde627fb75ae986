//! Weight norm, whose input is a parameter.

use crate::place::{Places, contiguous};
use crate::{Numbers, Outcome, bits, narrow, widen};
use normkit::generic::reference::Problem;
use normkit::{Compute, Element, Saved, Spec, View, ViewMut};

type Forward<T, P> = dyn Fn(View<'_, T>, &[P], ViewMut<'_, T>) -> Outcome;
type Inplace<T, P> = dyn Fn(ViewMut<'_, T>, &[P]) -> Outcome;
type Train<T, P, A> = dyn Fn(View<'_, T>, &[P], ViewMut<'_, T>, &mut Saved<A>) -> Outcome;
type Backward<T, P, A> = dyn Fn(View<'_, T>, View<'_, T>, &[P], &Saved<A>, ViewMut<'_, A>, &mut [A]) -> Outcome;

/// A kernel over vectors of `T` with lengths of `P`; made by [`weight_norm!`](crate::weight_norm).
#[allow(missing_docs, reason = "named as the methods")]
pub struct WeightNorm<T: Element, P: Element<Compute = T::Compute> = <T as Element>::Compute> {
    /// The keys it was generated from.
    pub name: &'static str,
    pub spec: &'static Spec,
    /// Whether there is `g`.
    pub has_g: bool,
    pub forward: Box<Forward<T, P>>,
    pub inplace: Box<Inplace<T, P>>,
    pub train: Box<Train<T, P, T::Compute>>,
    pub backward: Box<Backward<T, P, T::Compute>>,
}

/// `weight_norm!(f32, g; shape = [64, 100])`, or without `g`: as [`kernel!`](crate::kernel), of kind `weight`.
#[macro_export]
macro_rules! weight_norm {
    ($t:ident $(/ $p:ident)?, g; $($keys:tt)*) => { $crate::weight_norm!(@ [$t $(, $p)?], true [g] [dg], $($keys)*) };
    ($t:ident $(/ $p:ident)?,; $($keys:tt)*) => { $crate::weight_norm!(@ [$t $(, $p)?], false [] [], affine = false, $($keys)*) };
    (@ [$t:ident $(, $p:ident)?], $has_g:literal [$($g:ident)?] [$($dg:ident)?], $($keys:tt)*) => {{
        let kernel = normkit::norm!(kind = "weight", $($keys)*, dtype = $t $(, param = $p)?);
        $crate::WeightNorm::<$t $(, $p)?> {
            name: concat!("weight ", stringify!($($keys)*), " of ", stringify!($t $(/ $p)?)),
            spec: kernel.spec(),
            has_g: $has_g,
            forward: Box::new(move |v, _g, w| { $(let $g = _g;)? kernel.forward(v, $($g,)? w) }),
            inplace: Box::new(move |v, _g| { $(let $g = _g;)? kernel.forward_inplace(v, $($g)?) }),
            train: Box::new(move |v, _g, w, saved| { $(let $g = _g;)? kernel.forward_train(v, $($g,)? w, saved) }),
            backward: Box::new(move |v, dw, _g, saved, dv, _dg| {
                $(let $g = _g;)?
                $(let $dg = _dg;)?
                kernel.backward(v, dw, $($g,)? saved, dv, $($dg)?)
            }),
        }
    }};
}

/// The inputs of all methods.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "named as the arguments")]
pub struct WeightInputs<T: Element, P: Element<Compute = T::Compute> = <T as Element>::Compute> {
    pub v: Vec<T>,
    pub dw: Vec<T>,
    pub g: Vec<P>,
}

/// The outputs of all methods.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "named as the arguments")]
pub struct WeightOutputs<T: Element> {
    /// Of `forward`; that `forward_inplace` and `forward_train` give the same bits has been checked.
    pub w: Vec<T>,
    pub dv: Vec<T::Compute>,
    /// Empty where there is no `g`.
    pub dg: Vec<T::Compute>,
    pub saved: Saved<T::Compute>,
}

/// What the oracle says of all methods.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "named as the arguments")]
pub struct WeightExpected {
    pub w: Vec<f64>,
    pub dv: Vec<f64>,
    pub dg: Vec<f64>,
    /// One over each norm.
    pub rnorm: Vec<f64>,
}

impl<T: Element, P: Element<Compute = T::Compute>> WeightInputs<T, P> {
    /// About normal numbers that follow from the seed.
    #[must_use]
    pub fn random(axis: usize, dims: &[usize], seed: u64, mean: f64, deviation: f64) -> Self {
        let mut numbers = Numbers(seed);
        let len = dims.iter().product();
        let (v, dw) = (numbers.normal(len, mean, deviation), numbers.normal(len, 0.0, 1.0));
        WeightInputs { v: narrow(&v), dw: narrow(&dw), g: narrow(&numbers.normal(dims[axis], 1.0, 0.5)) }
    }

    /// What `w`, `dv` and `dg` should be.
    #[must_use]
    pub fn expected(&self, axis: usize, dims: &[usize], has_g: bool) -> WeightExpected {
        let (v, dw, g) = (widen(&self.v), widen(&self.dw), widen(&self.g));
        let g = has_g.then_some(&g[..]);
        let problem = Problem::weight(dims, axis);
        let forward = problem.forward(&v, g, None);
        let backward = problem.backward(&v, &dw, g);
        WeightExpected {
            w: forward.y,
            dv: backward.dx,
            dg: if has_g { backward.dweight } else { Vec::new() },
            rnorm: forward.rstd,
        }
    }
}

impl<T: Element, P: Element<Compute = T::Compute>> WeightNorm<T, P> {
    /// All methods. Both gradients are added to what is there: `dv` to `dv_before`, `dg` to `dg_before`.
    ///
    /// # Panics
    /// If a method refuses, if the forward methods differ in a bit, or if something between elements was written.
    #[must_use]
    pub fn run_at(&self, inputs: &WeightInputs<T, P>, before: f64, [pv, pw, pdw, pdv]: &Places) -> WeightOutputs<T> {
        let before = T::Compute::from_f64(before);
        let (v, dw) = (pv.buffer(Some(&inputs.v)), pdw.buffer(Some(&inputs.dw)));
        let (mut w, mut trained) = (pw.buffer(None), pw.buffer(None));
        let mut dv = pdv.buffer(Some(&vec![before; inputs.v.len()]));
        let (mut inplace, mut saved) = (v.clone(), Saved::default());
        let name = self.name;
        let done = |what: &str, result: Outcome| result.unwrap_or_else(|e| panic!("{what} of {name}: {e}"));
        done("forward", (self.forward)(pv.view(&v), &inputs.g, pw.view_mut(&mut w)));
        done("forward_inplace", (self.inplace)(pv.view_mut(&mut inplace), &inputs.g));
        done("forward_train", (self.train)(pv.view(&v), &inputs.g, pw.view_mut(&mut trained), &mut saved));
        let mut dg = vec![before; if self.has_g { inputs.g.len() } else { 0 }];
        let dv_view = pdv.view_mut(&mut dv);
        done("backward", (self.backward)(pv.view(&v), pdw.view(&dw), &inputs.g, &saved, dv_view, &mut dg));
        let w = pw.gather(w, "w");
        assert_eq!(bits(&w), bits(&pv.gather(inplace, "v")), "{name}: in place");
        assert_eq!(bits(&w), bits(&pw.gather(trained, "w")), "{name}: training");
        WeightOutputs { w, dv: pdv.gather(dv, "dv"), dg, saved }
    }

    /// All methods over contiguous tensors, gradients from 0.
    #[must_use]
    pub fn run_in(&self, dims: &[usize], inputs: &WeightInputs<T, P>) -> WeightOutputs<T> {
        self.run_at(inputs, 0.0, &contiguous(dims))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two rows, of norms 5 and 13; the gradient of a row is what is at right angles to it.
    #[test]
    fn the_oracle_by_hand() {
        let inputs = WeightInputs { v: vec![3.0, 4.0, 5.0, 12.0], dw: vec![1.0, 0.0, 0.0, 0.0], g: vec![10.0, 26.0] };
        let found = WeightInputs::<f64>::expected(&inputs, 0, &[2, 2], true);
        let near = |found: &[f64], expected: &[f64]| {
            assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-13), "{found:?}, not {expected:?}");
        };
        near(&found.w, &[6.0, 8.0, 10.0, 24.0]);
        near(&found.rnorm, &[1.0 / 5.0, 1.0 / 13.0]);
        near(&found.dg, &[0.6, 0.0]);
        // g / ||v|| * (dw - dot(dw, v) * v / ||v||^2)
        near(&found.dv, &[2.0 * (1.0 - 0.36), 2.0 * (-0.48), 0.0, 0.0]);
    }
}
