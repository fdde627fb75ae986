//! Shapes that the tensors of a parameter may have.

use super::names;
use core::fmt;
use norm_runtime::{Dim, NormLayer, Role, Spec};

/// A shape as far as it is known, of so many elements.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Shape {
    /// `None` is any size.
    dims: Vec<Option<usize>>,
    len: usize,
}

impl Shape {
    /// The sizes along some axes: an open one is what the others leave of `len`, if it is the only one.
    fn new(dims: impl IntoIterator<Item = Option<usize>>, len: usize) -> Self {
        let mut dims: Vec<_> = dims.into_iter().collect();
        let known: usize = dims.iter().flatten().product();
        let mut open = dims.iter_mut().filter(|dim| dim.is_none());
        if let (Some(dim), None) = (open.next(), open.next())
            && known != 0
            && len.is_multiple_of(known)
        {
            *dim = Some(len / known);
        }
        Shape { dims, len }
    }

    /// One axis.
    fn flat(len: usize) -> Self {
        Shape { dims: vec![Some(len)], len }
    }

    /// Whether it is the shape of that tensor.
    pub(super) fn fits(&self, found: &[usize]) -> bool {
        let same = |(dim, found): (&Option<usize>, &usize)| dim.is_none_or(|dim| dim == *found);
        found.len() == self.dims.len()
            && self.dims.iter().zip(found).all(same)
            && found.iter().try_fold(1_usize, |len, dim| len.checked_mul(*dim)) == Some(self.len)
    }

    /// All its sizes, if they are known.
    pub(super) fn known(&self) -> Option<Vec<usize>> {
        self.dims.iter().copied().collect()
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[")?;
        for (i, dim) in self.dims.iter().enumerate() {
            f.write_str(if i == 0 { "" } else { ", " })?;
            match dim {
                Some(dim) => write!(f, "{dim}")?,
                None => f.write_str("_")?,
            }
        }
        f.write_str("]")?;
        if self.dims.contains(&None) {
            write!(f, " of {} elements", self.len)?;
        }
        Ok(())
    }
}

/// The shapes that the tensor of a field of `len` elements may have, the one that is written first. `kept` is the number of a weight's
/// vectors.
pub(super) fn shapes(spec: &Spec, field: &str, len: usize, kept: Option<usize>) -> Vec<Shape> {
    let fixed = |dim: Dim| if let Dim::Fixed(n) = dim { Some(n) } else { None };
    let of_role = |role: Role| {
        let dims = spec.shape.iter().zip(spec.roles).filter(move |(_, r)| **r == role);
        Shape::new(dims.map(|(dim, _)| fixed(*dim)), len)
    };
    match field {
        names::COUNT => vec![Shape { dims: Vec::new(), len }, Shape::flat(len)],
        names::LENGTHS => {
            let one_but = spec.roles.iter().map(|role| Some(if *role == Role::Channel { len } else { 1 }));
            vec![Shape { dims: one_but.collect(), len }, Shape::flat(len)]
        }
        names::VECTORS => {
            let dims = spec.shape.iter().zip(spec.roles);
            let known = |(dim, role): (&Dim, &Role)| fixed(*dim).or(kept.filter(|_| *role == Role::Channel));
            vec![Shape::new(dims.map(known), len)]
        }
        _ => vec![of_role(spec.param_role())],
    }
}

/// The number of a weight's vectors.
pub(super) fn kept(layer: &dyn NormLayer) -> Option<usize> {
    layer.params().iter().find(|(field, _)| *field == names::LENGTHS).map(|(_, lengths)| lengths.len())
}
