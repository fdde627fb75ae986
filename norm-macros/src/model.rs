//! What is to be computed, everything resolved: technique, axes, types, parameters.

mod fields;
mod keys;
pub mod model_form;
mod technique;

#[cfg(test)]
pub mod tests;

pub use fields::{Storage, param_elements, role_of};
pub use keys::{facade_of, shown};
pub use technique::{AxisKey, Groups, TECHNIQUES, Technique};

use crate::check::Report;
use crate::parse::Entry;

/// An element type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dtype {
    F32,
    F64,
    F16,
    Bf16,
}

impl Dtype {
    /// All of them.
    pub const ALL: [Dtype; 4] = [Dtype::F32, Dtype::F64, Dtype::F16, Dtype::Bf16];

    /// The name, in attributes and in Rust.
    pub const fn name(self) -> &'static str {
        match self {
            Dtype::F32 => "f32",
            Dtype::F64 => "f64",
            Dtype::F16 => "f16",
            Dtype::Bf16 => "bf16",
        }
    }

    /// The type that it is computed in.
    pub const fn compute(self) -> Dtype {
        match self {
            Dtype::F32 | Dtype::F16 | Dtype::Bf16 => Dtype::F32,
            Dtype::F64 => Dtype::F64,
        }
    }

    /// Whether it is computed in a wider type.
    pub fn is_half(self) -> bool {
        self.compute() != self
    }

    /// Bytes of an element.
    pub const fn size(self) -> usize {
        match self {
            Dtype::F32 => 4,
            Dtype::F64 => 8,
            Dtype::F16 | Dtype::Bf16 => 2,
        }
    }

    /// The type of that name.
    pub fn of_name(name: &str) -> Option<Dtype> {
        Dtype::ALL.into_iter().find(|dtype| dtype.name() == name)
    }
}

/// When what half types hold is rounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cast {
    /// Once, at the end.
    Once,
    /// Also the normalized element, before the weight is applied.
    BeforeWeight,
}

/// Which parameters there are. Ordered: each has those of the ones before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Affine {
    None,
    Weight,
    WeightAndBias,
}

impl Affine {
    /// How many parameters that are.
    pub const fn count(self) -> usize {
        self as usize
    }
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

/// What is done along an axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Each index is normalized for itself, with the same parameters.
    Kept,
    /// Each index, or group of them, is normalized for itself, with parameters of its own.
    Channel,
    /// Normalized over.
    Normalized,
}

/// How what is normalized together lies in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// In rows, with the parameters along them.
    Rows,
    /// In rows that are gathered from pieces.
    Gathered,
    /// In stretches of one channel.
    Segments,
    /// In one short stretch for each channel: rows, with one number of each parameter.
    ChannelRows,
    /// Across vectors, whose lanes are channels.
    Columns,
    /// Across vectors, whose lanes are neighbours along kept axes; parameters differ from row to row.
    ColumnsByRow,
}

/// Bytes of the longest stretch of a channel that is taken for a row: with its output it fits the first-level cache, so that its
/// second sweep is read from there. Longer ones gain nothing, and sums over them are to be in f64.
const LONGEST_CHANNEL_ROW: usize = 16 << 10;

/// How running statistics follow those of a batch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Running {
    /// The share of the batch; `None` for the mean over all batches.
    pub momentum: Option<f64>,
    pub unbiased: bool,
}

/// How many elements a kernel is specialised for: of a row, of a segment, or columns.
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
    /// What is done along each axis.
    pub roles: Vec<Role>,
    /// The number of groups of channels, where they are normalized in groups.
    pub groups: Option<usize>,
    /// Of kinds that have running statistics.
    pub running: Running,
    pub eps: Eps,
    /// The element types of `x` and `y`, each with kernels of its own; all are computed in the same type.
    pub dtypes: Vec<Dtype>,
    pub param: Dtype,
    pub cast: Cast,
    pub affine: Affine,
    /// Where the facade is.
    pub facade: String,
}

impl Model {
    /// How what is normalized together lies in memory.
    pub fn form(&self) -> Form {
        let kept = self.roles.iter().take_while(|role| **role == Role::Kept).count();
        let has_channels = self.roles.contains(&Role::Channel);
        match self.roles.last() {
            Some(Role::Channel) => Form::Columns,
            _ if has_channels && self.channels_are_rows() => Form::ChannelRows,
            _ if has_channels => Form::Segments,
            Some(Role::Kept) => Form::ColumnsByRow,
            _ if self.roles[kept..].iter().all(|role| *role == Role::Normalized) => Form::Rows,
            _ => Form::Gathered,
        }
    }

    /// Which parameters lie along a row.
    pub fn affine_along_row(&self) -> Affine {
        if self.form() == Form::ChannelRows { Affine::None } else { self.affine }
    }

    /// Which parameters are one number for each row.
    pub fn affine_of_row(&self) -> Affine {
        if self.form() == Form::ChannelRows { self.affine } else { Affine::None }
    }

    /// Whether each channel by itself is one stretch, of a length that is known and short.
    fn channels_are_rows(&self) -> bool {
        let alone = self.groups.is_none() && !self.technique.running;
        let mut before = self.roles.iter().take_while(|role| **role != Role::Channel);
        let most = LONGEST_CHANNEL_ROW / self.dtypes.iter().map(|dtype| dtype.size()).max().unwrap_or(1);
        let is_short = |len: &Len| matches!(len, Len::Fixed(n) if *n <= most);
        alone && before.all(|role| *role == Role::Kept) && self.lens_along(&self.last_axes()).iter().all(is_short)
    }

    /// The axes whose sizes kernels are specialised for.
    pub fn specialised_axes(&self) -> Vec<usize> {
        match self.form() {
            Form::Rows | Form::Gathered => self.axes_of(Role::Normalized),
            Form::Segments | Form::ChannelRows | Form::ColumnsByRow => self.last_axes(),
            Form::Columns => self.axes_of(Role::Channel),
        }
    }

    /// The last axes that have the same role.
    fn last_axes(&self) -> Vec<usize> {
        let last = self.roles.last();
        let first = self.roles.iter().rposition(|role| Some(role) != last).map_or(0, |axis| axis + 1);
        (first..self.roles.len()).collect()
    }

    fn axes_of(&self, role: Role) -> Vec<usize> {
        (0..self.roles.len()).filter(|&axis| self.roles[axis] == role).collect()
    }

    /// The lengths that kernels are generated for, in the order of the source, the runtime one last.
    pub fn lens(&self) -> Vec<Len> {
        self.lens_along(&self.specialised_axes())
    }

    fn lens_along(&self, axes: &[usize]) -> Vec<Len> {
        let axes: Vec<&Axis> = axes.iter().map(|&axis| &self.shape[axis]).collect();
        let fixed: usize = axes
            .iter()
            .map(|axis| match axis {
                Axis::Fixed(n) => *n,
                _ => 1,
            })
            .product();
        let open: Vec<_> = axes.iter().filter(|axis| !matches!(axis, Axis::Fixed(_))).collect();
        match open[..] {
            [] => vec![Len::Fixed(fixed)],
            [Axis::Family { sizes, open: runtime }] => {
                let known = sizes.iter().map(|n| Len::Fixed(n * fixed));
                known.chain(runtime.then_some(Len::Runtime)).collect()
            }
            _ => vec![Len::Runtime],
        }
    }

    /// The type that it is computed in.
    pub fn compute(&self) -> Dtype {
        self.dtypes[0].compute()
    }

    /// The names of the element types, as they are written.
    pub fn dtype_names(&self) -> String {
        self.dtypes.iter().map(|dtype| dtype.name()).collect::<Vec<_>>().join(" | ")
    }

    /// The element type of a parameter or buffer of this name: the vectors of a weight are its `x`.
    pub fn dtype_of(&self, role: &str) -> Dtype {
        if role == "weight_v" { self.dtypes[0] } else { self.param }
    }

    /// The axes that a parameter or buffer of this name extends along.
    fn param_axes(&self, role: &str) -> Vec<usize> {
        match role {
            "weight_v" => (0..self.shape.len()).collect(),
            _ if self.roles.contains(&Role::Channel) => self.axes_of(Role::Channel),
            _ => self.axes_of(Role::Normalized),
        }
    }

    /// The number of elements of a parameter or buffer, if it is known now.
    pub fn param_len(&self, role: &str) -> Option<usize> {
        self.param_axes(role).into_iter().try_fold(1_usize, |product, axis| match self.shape[axis] {
            Axis::Fixed(n) => product.checked_mul(n),
            _ => None,
        })
    }

    /// The names of the parameters, in the order of arguments.
    pub fn params(&self) -> &'static [&'static str] {
        self.technique.params(self.affine)
    }
}

/// A layer: what `#[normalize]` describes.
pub struct Layer {
    pub model: Model,
    pub item: syn::ItemStruct,
    /// The parameters, in the order of arguments.
    pub params: Vec<Param>,
    /// The running statistics.
    pub buffers: Vec<Param>,
    /// Whether the struct declares `eps` itself.
    pub declares_eps: bool,
    /// Whether the struct declares `num_batches_tracked` itself.
    pub declares_count: bool,
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
        param: found.param(),
        vectors: found.vectors(),
        is_layer: !report.is_on_field(),
        generic: found.generic,
    };
    let model = keys::resolve(args, &known, report)?;
    fields::check(&model, args, &found, report);
    let params = fields::params(&found, model.params());
    let buffers = fields::params(&found, model.technique.buffers());
    let (declares_eps, declares_count) = (found.declares_eps, found.declares_count);
    Some(Layer { model, item: item.clone(), params, buffers, declares_eps, declares_count })
}
