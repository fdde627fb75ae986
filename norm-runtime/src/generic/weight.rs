//! Weight normalization: `w = g * v / ||v||`, one norm and one `g` for each index of the kept axis of `[outer, kept, inner]`.

use crate::dtype::{Compute, Element};

/// The norm of `v` at index `k` of the kept axis.
fn norm<T: Element>(v: &[T], [outer, kept, inner]: [usize; 3], k: usize) -> T::Compute {
    let mut sum = T::Compute::default();
    for o in 0..outer {
        for i in 0..inner {
            let v = v[(o * kept + k) * inner + i].widen();
            sum += v * v;
        }
    }
    sum.sqrt()
}

/// Weight normalization. For the axis 0 of a matrix, `outer` is 1; for its axis 1, `inner` is 1. NaN where `v` is all 0.
pub fn weight_forward<T: Element>(v: &[T], g: Option<&[T]>, [outer, kept, inner]: [usize; 3], w: &mut [T]) {
    for k in 0..kept {
        let norm = norm(v, [outer, kept, inner], k);
        let g = g.map_or(T::Compute::ONE, |g| g[k].widen());
        for o in 0..outer {
            for i in 0..inner {
                let at = (o * kept + k) * inner + i;
                w[at] = T::narrow(v[at].widen() * g / norm);
            }
        }
    }
}

/// The gradients of [`weight_forward`], added to both.
pub fn weight_backward<T: Element>(
    v: &[T],
    dw: &[T],
    g: Option<&[T]>,
    [outer, kept, inner]: [usize; 3],
    dv: &mut [T::Compute],
    mut dg: Option<&mut [T::Compute]>,
) {
    for k in 0..kept {
        let norm = norm(v, [outer, kept, inner], k);
        let g = g.map_or(T::Compute::ONE, |g| g[k].widen());
        let mut dot = T::Compute::default();
        for o in 0..outer {
            for i in 0..inner {
                let at = (o * kept + k) * inner + i;
                dot += dw[at].widen() * v[at].widen() / norm;
            }
        }
        if let Some(dg) = dg.as_deref_mut() {
            dg[k] += dot;
        }
        for o in 0..outer {
            for i in 0..inner {
                let at = (o * kept + k) * inner + i;
                dv[at] += (dw[at].widen() - v[at].widen() / norm * dot) * g / norm;
            }
        }
    }
}
