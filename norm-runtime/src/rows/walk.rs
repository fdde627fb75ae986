//! How rows lie in memory: what the caller said, checked, and merged into as few stretches as possible.

use crate::error::NormError;
use crate::shape::{Operand, Steps, check_dim, check_memory, given_dims, open_param_dim, product, strides};
use crate::spec::{Dim, Role, Spec};

/// Rows of `K` operands in step.
#[derive(Debug, PartialEq)]
pub(super) struct Walk<const K: usize> {
    /// Elements in a row.
    pub(super) n: usize,
    /// From row to row.
    pub(super) rows: Steps<K>,
}

impl<const K: usize> Walk<K> {
    /// No rows.
    pub(super) const NONE: Self = Walk { n: 0, rows: Steps::NONE };

    /// Makes [`Walk::NONE`] the rows of operands, which are checked against the shape and each other. `param_len` is the length of the
    /// weight, where there is one. (In place: to return it would be to copy it twice, a fifth of the time of a call on one short row.)
    pub(super) fn lay_out(
        &mut self,
        spec: &'static Spec,
        operands: &[Operand<'_>; K],
        param_len: Option<usize>,
    ) -> Result<(), NormError> {
        let given = given_dims(spec, operands)?;
        let (lead, rank) = (spec.leading(), spec.shape.len());
        let (n, total_rows) = match given {
            Some((arg, dims)) => (product(arg, &dims[lead..rank])?, product(arg, &dims[..lead])?),
            None => from_length(spec, &operands[0], param_len)?,
        };
        // Rows without elements are no rows.
        let total_rows = if n == 0 { 0 } else { total_rows };
        let total = total_rows.checked_mul(n).ok_or(NormError::TooLarge { arg: operands[0].arg })?;
        check_memory(operands, total, lead)?;
        self.n = n;
        match given {
            Some((_, dims)) if total != 0 && operands.iter().any(Operand::is_strided) => {
                self.rows.go_along(&strides(operands, &dims[..rank]), &dims[..rank], &|axis| axis < lead);
            }
            _ => self.rows.space_evenly(total_rows, n),
        }
        Ok(())
    }
}

/// The length of a row and the number of rows, from a bare slice and the weight.
fn from_length(spec: &'static Spec, x: &Operand<'_>, param_len: Option<usize>) -> Result<(usize, usize), NormError> {
    let Operand { arg, len, .. } = *x;
    let n = match spec.param_len() {
        Some(n) => n,
        None => open_len(spec, x, param_len)?,
    };
    if n == 0 {
        return if len == 0 { Ok((0, 0)) } else { Err(NormError::Length { arg, expected: 0, found: len }) };
    }
    let leading = &spec.shape[..spec.leading()];
    let fixed = leading.iter().try_fold(n, |p, dim| match dim {
        Dim::Fixed(d) => p.checked_mul(*d),
        _ => Some(p),
    });
    let fixed = fixed.ok_or(NormError::TooLarge { arg })?;
    if leading.iter().all(|dim| matches!(dim, Dim::Fixed(_))) && len != fixed {
        return Err(NormError::Length { arg, expected: fixed, found: len });
    }
    if !len.is_multiple_of(fixed) {
        return Err(NormError::NotAMultiple { arg, of: fixed, found: len });
    }
    // The other leading axes are open: `len / fixed` is their product, which tells a family's size if it is the only one.
    let mut open = leading.iter().filter(|dim| !matches!(dim, Dim::Fixed(_)));
    let first = open.next();
    let is_family = |dim: &Dim| matches!(dim, Dim::OneOf(_));
    match (first, open.next()) {
        (Some(dim @ Dim::OneOf(_)), None) => check_dim(arg, 0, *dim, len / fixed).map(|()| (n, len / n)),
        (Some(_), Some(_)) if leading.iter().any(is_family) => Err(NormError::DimsNeeded { arg }),
        _ => Ok((n, len / n)),
    }
}

/// The length of a row whose shape leaves one axis open: the weight's, or what fixed leading axes leave of `x`.
fn open_len(spec: &'static Spec, x: &Operand<'_>, param_len: Option<usize>) -> Result<usize, NormError> {
    let arg = x.arg;
    let open = spec.dims_of(Role::Normalized).filter(|(_, dim)| !matches!(dim, Dim::Fixed(_))).count();
    let rows = spec.shape[..spec.leading()].iter().try_fold(1_usize, |rows, dim| match dim {
        Dim::Fixed(d) => rows.checked_mul(*d),
        _ => None,
    });
    let len = match (param_len, rows) {
        _ if open != 1 => return Err(NormError::DimsNeeded { arg }),
        (Some(len), _) => len,
        (None, Some(rows)) if x.len.is_multiple_of(rows) => x.len / rows,
        (None, Some(of)) => return Err(NormError::NotAMultiple { arg, of, found: x.len }),
        (None, None) => return Err(NormError::DimsNeeded { arg }),
    };
    open_param_dim(if param_len.is_some() { "weight" } else { arg }, spec, len)?;
    Ok(len)
}

#[cfg(test)]
mod tests;
