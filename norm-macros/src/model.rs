//! What is to be computed, everything resolved: technique, axes, types, parameters.

mod fields;
mod keys;
pub mod model_form;
mod technique;

#[cfg(test)]
mod tests;

pub use fields::{Storage, param_element, role_of};
pub use keys::shown;
pub use technique::{TECHNIQUES, Technique};

use crate::check::Report;
use crate::parse::Entry;

/// An element type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dtype {
    F32,
    F64,
}

impl Dtype {
    /// All of them.
    pub const ALL: [Dtype; 2] = [Dtype::F32, Dtype::F64];

    /// The name, in attributes and in Rust.
    pub const fn name(self) -> &'static str {
        match self {
            Dtype::F32 => "f32",
            Dtype::F64 => "f64",
        }
    }

    /// The type that it is computed in.
    pub const fn compute(self) -> Dtype {
        match self {
            Dtype::F32 => Dtype::F32,
            Dtype::F64 => Dtype::F64,
        }
    }

    /// Bytes of an element.
    pub const fn size(self) -> usize {
        match self {
            Dtype::F32 => 4,
            Dtype::F64 => 8,
        }
    }

    /// The type of that name.
    pub fn of_name(name: &str) -> Option<Dtype> {
        Dtype::ALL.into_iter().find(|dtype| dtype.name() == name)
    }
}

/// Which parameters there are. Ordered: each has those of the ones before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Affine {
    None,
    Weight,
    WeightAndBias,
}

/// One axis of the shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Axis {
    /// `_`.
    Open,
    /// A number.
    Fixed(usize),
    /// `a | b`, with `| _` if open.
    Family { sizes: Vec<usize>, open: bool },
}

/// The value of `eps`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Eps {
    /// Known now.
    Fixed(f64),
    /// Given at run time; the layer's field starts with the technique's default.
    Runtime,
}

/// How many elements are normalized together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Len {
    /// A number.
    Fixed(usize),
    /// Known at run time.
    Runtime,
}

/// A kernel: what `norm!` describes.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    pub technique: &'static Technique,
    pub shape: Vec<Axis>,
    /// How many axes lead, so are not normalized.
    pub leading: usize,
    pub eps: Eps,
    pub dtype: Dtype,
    pub param: Dtype,
    pub affine: Affine,
    /// Where the facade is.
    pub facade: String,
}

impl Model {
    /// The lengths that kernels are generated for, in the order of the source, the runtime one last.
    pub fn lens(&self) -> Vec<Len> {
        let trailing = &self.shape[self.leading..];
        let fixed: usize = trailing
            .iter()
            .map(|axis| match axis {
                Axis::Fixed(n) => *n,
                _ => 1,
            })
            .product();
        let open = trailing.iter().filter(|axis| !matches!(axis, Axis::Fixed(_))).count();
        match trailing.iter().find(|axis| !matches!(axis, Axis::Fixed(_))) {
            None => vec![Len::Fixed(fixed)],
            Some(Axis::Family { sizes, open: runtime }) if open == 1 => {
                let known = sizes.iter().map(|n| Len::Fixed(n * fixed));
                known.chain(runtime.then_some(Len::Runtime)).collect()
            }
            _ => vec![Len::Runtime],
        }
    }

    /// The one length there is, if it is known now.
    pub fn fixed_len(&self) -> Option<usize> {
        match self.lens()[..] {
            [Len::Fixed(n)] => Some(n),
            _ => None,
        }
    }

    /// The names of the parameters, in the order of arguments.
    pub fn params(&self) -> &'static [&'static str] {
        match self.affine {
            Affine::None => &[],
            Affine::Weight => &["weight"],
            Affine::WeightAndBias => &["weight", "bias"],
        }
    }
}

/// A layer: what `#[normalize]` describes.
pub struct Layer {
    pub model: Model,
    pub item: syn::ItemStruct,
    /// The parameters, in the order of arguments.
    pub params: Vec<Param>,
    /// Whether the struct declares `eps` itself.
    pub declares_eps: bool,
}

/// One parameter of a layer.
#[derive(Clone, Debug)]
pub struct Param {
    /// What it is: `weight`, `bias`.
    pub role: &'static str,
    /// The field's name: `gamma`, say.
    pub field: syn::Ident,
    /// The field's type where the struct declares it; otherwise the field is added.
    pub declared: Option<Storage>,
}

/// The model of `norm!`.
pub fn kernel(args: &[Entry], report: &mut Report) -> Option<Model> {
    keys::resolve(args, &keys::Known::default(), report)
}

/// The model of `#[normalize]`.
pub fn layer(args: &[Entry], item: &syn::ItemStruct, report: &mut Report) -> Option<Layer> {
    let found = fields::find(item, report);
    let known = keys::Known {
        len: found.len(),
        opaque_len: found.opaque_len(),
        dtype: found.dtype(),
        is_layer: !report.is_on_field(),
        generic: found.generic,
    };
    let model = keys::resolve(args, &known, report)?;
    fields::check(&model, args, &found, report);
    let params = fields::params(&model, &found);
    Some(Layer { model, item: item.clone(), params, declares_eps: found.declares_eps })
}
