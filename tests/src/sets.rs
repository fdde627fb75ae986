//! Which elements are normalized together and which share a parameter: the oracle for every technique.

use crate::{Expected, Inputs, Kernel, Numbers, widen};
use normkit::generic::reference::Problem;
use normkit::{Compute, Element};

/// The axes of a technique. Axis 0 is the batch where there is one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Sets {
    /// rms, layer: over these axes, along which the parameters lie as well.
    Over(&'static [usize]),
    /// group: the channels along `axis` of each sample, in so many parts.
    Groups {
        /// Of the channels.
        axis: usize,
        /// Parts of as many channels each.
        groups: usize,
    },
    /// instance: each channel of each sample.
    Instance {
        /// Of the channels.
        axis: usize,
    },
    /// batch, weight: each index along one axis, over all others.
    Each {
        /// The one that is kept.
        axis: usize,
    },
}

/// For each element its index along the axes in `kept`.
fn index(dims: &[usize], kept: &[bool]) -> Vec<usize> {
    let of = |flat: usize| {
        let (mut rest, mut index, mut scale) = (flat, 0, 1);
        for axis in (0..dims.len()).rev() {
            if kept[axis] {
                index += rest % dims[axis] * scale;
                scale *= dims[axis];
            }
            rest /= dims[axis];
        }
        index
    };
    (0..dims.iter().product()).map(of).collect()
}

impl Sets {
    /// For the oracle.
    #[must_use]
    pub fn problem(self, dims: &[usize], centred: bool, eps: f64) -> Problem {
        let problem = match self {
            Sets::Over(axes) => Problem::over(dims, axes, centred, eps),
            Sets::Each { axis } => Problem::batch(dims, axis, eps),
            Sets::Instance { axis } => Problem::instance(dims, axis, eps),
            Sets::Groups { axis, groups } => Problem::group(dims, axis, groups, eps),
        };
        Problem { centred, ..problem }
    }

    /// For each element the set that it is normalized with.
    #[must_use]
    pub fn set_of(self, dims: &[usize]) -> Vec<usize> {
        let problem = self.problem(dims, true, 0.0);
        index(&problem.dims, &problem.reduced.iter().map(|reduced| !reduced).collect::<Vec<_>>())
    }

    /// For each element the index of its parameters.
    #[must_use]
    pub fn param_of(self, dims: &[usize]) -> Vec<usize> {
        let problem = self.problem(dims, true, 0.0);
        index(&problem.dims, &problem.affine)
    }

    /// Sets, elements in each, and parameters.
    #[must_use]
    pub fn counts(self, dims: &[usize]) -> [usize; 3] {
        let problem = self.problem(dims, true, 0.0);
        let along = |axes: &[bool], which: bool| {
            let sizes = problem.dims.iter().zip(axes).filter(|(_, along)| **along == which);
            sizes.map(|(size, _)| size).product()
        };
        [along(&problem.reduced, false), along(&problem.reduced, true), along(&problem.affine, true)]
    }
}

impl<T: Element, P: Element<Compute = T::Compute>> Inputs<T, P> {
    /// About normal numbers that follow from the seed: `x` with this mean and deviation, `dy` with 0 and 1.
    #[must_use]
    pub fn random(sets: Sets, dims: &[usize], seed: u64, mean: f64, deviation: f64, eps: f64) -> Self {
        let (len, [_, _, params]) = (dims.iter().product(), sets.counts(dims));
        let mut numbers = Numbers(seed);
        let (x, dy) = (numbers.normal(len, mean, deviation), numbers.normal(len, 0.0, 1.0));
        let (weight, bias) = (numbers.normal(params, 1.0, 0.5), numbers.normal(params, 0.0, 0.5));
        Inputs::new(&x, &dy, &weight, &bias, eps)
    }

    /// What the oracle says, with those of the parameters that there are.
    #[must_use]
    pub fn expected(&self, sets: Sets, dims: &[usize], centred: bool, has_weight: bool, has_bias: bool) -> Expected {
        let (x, dy, weight, bias) = (widen(&self.x), widen(&self.dy), widen(&self.weight), widen(&self.bias));
        let problem = sets.problem(dims, centred, self.eps.to_f64());
        let weight = has_weight.then_some(&weight[..]);
        let forward = problem.forward(&x, weight, has_bias.then_some(&bias[..]));
        let backward = problem.backward(&x, &dy, weight);
        Expected {
            y: forward.y,
            mean: if centred { forward.mean } else { Vec::new() },
            var: forward.var,
            rstd: forward.rstd,
            dx: backward.dx,
            dweight: if has_weight { backward.dweight } else { Vec::new() },
            dbias: if has_bias { backward.dbias } else { Vec::new() },
        }
    }
}

impl<T: Element, P: Element<Compute = T::Compute>> Kernel<T, P> {
    /// What the oracle says of all methods, for these axes.
    #[must_use]
    pub fn expected(&self, sets: Sets, dims: &[usize], inputs: &Inputs<T, P>) -> Expected {
        inputs.expected(sets, dims, self.spec.centred, self.has_weight(), self.has_bias())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two samples of four channels with three places each.
    const FIRST: [usize; 3] = [2, 4, 3];

    #[test]
    fn sets_by_hand() {
        let group = Sets::Groups { axis: 1, groups: 2 };
        assert_eq!(group.set_of(&FIRST), [[0; 6], [1; 6], [2; 6], [3; 6]].concat());
        assert_eq!(group.counts(&FIRST), [4, 6, 4]);
        let last = Sets::Groups { axis: 2, groups: 2 };
        assert_eq!(last.set_of(&[2, 3, 4]), [[[0, 0, 1, 1]; 3].concat(), [[2, 2, 3, 3]; 3].concat()].concat());
        assert_eq!(last.param_of(&[2, 3, 4]), [[0, 1, 2, 3]; 6].concat());
        let instance = Sets::Instance { axis: 1 };
        assert_eq!(instance.set_of(&FIRST), (0..24).map(|i| i / 3).collect::<Vec<_>>());
        assert_eq!(instance.param_of(&FIRST), (0..24).map(|i| i / 3 % 4).collect::<Vec<_>>());
        let batch = Sets::Each { axis: 1 };
        assert_eq!((batch.set_of(&FIRST), batch.counts(&FIRST)), (instance.param_of(&FIRST), [4, 6, 4]));
        let channels = Sets::Over(&[1]);
        assert_eq!(channels.set_of(&FIRST), (0..24).map(|i| i / 12 * 3 + i % 3).collect::<Vec<_>>());
        assert_eq!((channels.param_of(&FIRST), channels.counts(&FIRST)), (instance.param_of(&FIRST), [6, 4, 4]));
        let around = Sets::Over(&[0, 2]);
        assert_eq!(around.param_of(&FIRST), (0..24).map(|i| i / 12 * 3 + i % 3).collect::<Vec<_>>());
    }

    /// PyTorch's `batch_norm` of [1, 2, 3, 6] in one channel: the mean is 3, the biased variance 3.5.
    #[test]
    fn the_oracle_by_hand() {
        let inputs = Inputs::new(&[1.0, 2.0, 3.0, 6.0], &[1.0, 0.0, 0.0, 0.0], &[2.0], &[5.0], 0.0);
        let found = Inputs::<f64>::expected(&inputs, Sets::Each { axis: 1 }, &[2, 1, 2], true, true, true);
        let rstd = 1.0 / 3.5_f64.sqrt();
        for (y, x) in found.y.iter().zip([1.0, 2.0, 3.0, 6.0]) {
            assert!((y - (x - 3.0) * rstd * 2.0 - 5.0).abs() < 1e-14);
        }
        assert_eq!((found.mean, found.dbias), (vec![3.0], vec![1.0]));
        assert!((found.dweight[0] + 2.0 * rstd).abs() < 1e-14);
    }
}
