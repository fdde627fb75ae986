//! From a checkpoint to layers: everything is read and checked, then everything is written.

use super::convert::{decode, rounded, type_name, write};
use super::error::{Error, TensorError};
use super::names::{COUNT, below, nearest, spellings};
use super::shape::{Shape, kept, shapes};
use super::source::{Place, Tensors};
use norm_runtime::{NormLayer, TensorMut};
use safetensors::Dtype;
use std::borrow::Cow;
use std::path::Path;

/// After so many errors none tells the nearest names: a wrong prefix gives one for each tensor of a model.
const WITH_NEAREST: usize = 8;

/// Tensors in the format of `safetensors`, to be loaded into layers. See [the module](super).
#[derive(Debug)]
pub struct Checkpoint<'a> {
    tensors: Tensors<'a>,
    /// What it is called in errors.
    name: String,
    missing_count: Option<i64>,
}

impl Checkpoint<'static> {
    /// A file `*.safetensors`; an index `*.safetensors.index.json`, for the files beside it that it names; or a folder with
    /// `model.safetensors`, with `model.safetensors.index.json`, or with one file of such a name.
    ///
    /// Files stay open, and are to stay as they are as long.
    ///
    /// # Errors
    /// If there is no such file, or several, or they are not of the format.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        let (tensors, path) = Tensors::open(path.as_ref())?;
        Ok(Checkpoint { tensors, name: path.display().to_string(), missing_count: None })
    }
}

impl<'a> Checkpoint<'a> {
    /// The contents of a file: a `Vec`, or a slice, such as a memory map is.
    ///
    /// # Errors
    /// If they are not of the format.
    pub fn from_bytes(bytes: impl Into<Cow<'a, [u8]>>) -> Result<Self, Error> {
        Ok(Checkpoint { tensors: Tensors::from_bytes(bytes.into())?, name: "bytes".into(), missing_count: None })
    }

    /// Takes `count` for `num_batches_tracked` where the checkpoint does not have it: those of Keras and Flax, and of PyTorch before 0.4.1,
    /// do not. Without this it is missing like any other tensor.
    #[must_use]
    pub fn missing_batch_count(mut self, count: i64) -> Self {
        self.missing_count = Some(count);
        self
    }

    /// The names of all tensors, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.tensors.places.keys().map(String::as_str)
    }

    /// The shape of a tensor, if there is one of that name.
    #[must_use]
    pub fn shape(&self, name: &str) -> Option<&[usize]> {
        self.tensors.places.get(name).map(|place| &place.shape[..])
    }

    /// Loads the parameters and buffers of a layer.
    ///
    /// # Errors
    /// If one of them is missing or does not fit; the layer is as it was then.
    pub fn load(&self, prefix: &str, layer: &mut dyn NormLayer) -> Result<(), Error> {
        self.load_into(vec![(prefix.into(), layer)])
    }

    /// Loads the parameters and buffers of several layers, each by its name below `prefix`: those of a model's `norms_mut()`, or of
    /// an iterator of your own, with names as the checkpoint has them.
    ///
    /// # Errors
    /// If one of them is missing or does not fit; all layers are as they were then.
    pub fn load_all<'l, N: AsRef<str>>(
        &self,
        prefix: &str,
        layers: impl IntoIterator<Item = (N, &'l mut dyn NormLayer)>,
    ) -> Result<(), Error> {
        let layers = layers.into_iter();
        self.load_into(layers.map(|(name, layer)| (below(prefix, name.as_ref()), layer)).collect())
    }

    fn load_into(&self, mut layers: Vec<(String, &mut dyn NormLayer)>) -> Result<(), Error> {
        let (mut errors, mut read) = (Vec::new(), Vec::new());
        for (prefix, layer) in &mut layers {
            let (spec, kept) = (layer.spec(), kept(*layer));
            for_each(*layer, |field, param| {
                let wanted = Wanted { prefix, field, shapes: shapes(spec, field, param.as_tensor().len(), kept) };
                match self.read(&wanted, param, errors.len() < WITH_NEAREST) {
                    Ok(values) => read.push(values),
                    Err(Problem::Tensor(error)) => errors.push(error),
                    Err(Problem::Other(error)) => return Err(error),
                }
                Ok(())
            })?;
        }
        if !errors.is_empty() {
            return Err(Error::Tensors(errors));
        }
        let mut read = read.into_iter();
        for (_, layer) in layers {
            for_each(layer, |_, param| {
                if let Some(values) = read.next() {
                    values.write(param);
                }
                Ok(())
            })?;
        }
        Ok(())
    }

    /// Reads one tensor, in the type of `param`.
    fn read(&self, wanted: &Wanted<'_>, param: &TensorMut<'_>, with_nearest: bool) -> Result<Values, Problem> {
        let file = || self.name.clone();
        let names: Vec<_> = spellings(&wanted.field).iter().map(|spelling| below(wanted.prefix, spelling)).collect();
        let found: Vec<_> = names.iter().filter_map(|name| self.tensors.places.get_key_value(name)).collect();
        let [(name, place)] = found[..] else {
            if let (COUNT, Some(count), true) = (wanted.field, self.missing_count, found.is_empty()) {
                return Ok(Values::Count(count));
            }
            return Err(Problem::Tensor(if found.is_empty() {
                let nearest = self.nearest(with_nearest, &names, |_| true);
                TensorError::Missing { names, expected: wanted.shown(), file: file(), nearest }
            } else {
                let names = found.into_iter().map(|(name, _)| name.clone()).collect();
                TensorError::Ambiguous { names, file: file() }
            }));
        };
        let fits = |place: &Place| wanted.shapes.iter().any(|shape| shape.fits(&place.shape));
        let name = name.clone();
        if !fits(place) {
            let (expected, found) = (wanted.shown(), place.shape.clone());
            let nearest = self.nearest(with_nearest, std::slice::from_ref(&name), fits);
            return Err(Problem::Tensor(TensorError::Shape { name, expected, found, file: file(), nearest }));
        }
        let bytes = self.tensors.read(place).map_err(Problem::Other)?;
        let is_count = matches!(param, TensorMut::I64(_));
        if let (true, Dtype::I64, Some(count)) = (is_count, place.dtype, bytes.first_chunk()) {
            return Ok(Values::Count(i64::from_le_bytes(*count)));
        }
        let Some(mut values) = decode(place.dtype, &bytes).filter(|_| !is_count) else {
            let expected = if is_count { "I64" } else { "F16, BF16, F32 or F64" };
            let found = place.dtype.to_string();
            return Err(Problem::Tensor(TensorError::Type { name, expected, found, file: file() }));
        };
        for (index, value) in values.iter_mut().enumerate() {
            let number = rounded(*value, param);
            if value.is_finite() && !number.is_finite() {
                let (value, param) = (*value, type_name(param));
                return Err(Problem::Tensor(TensorError::OutOfRange { name, index, value, param, file: file() }));
            }
            *value = number;
        }
        Ok(Values::Numbers(values))
    }

    /// The nearest names of tensors that `fit`, with their shapes.
    fn nearest(&self, wanted: bool, names: &[String], fit: impl Fn(&Place) -> bool) -> Vec<(String, Vec<usize>)> {
        let places = self.tensors.places.iter().filter(|(_, place)| wanted && fit(place));
        let near = nearest(names, places.map(|(name, _)| name.as_str()));
        near.into_iter().map(|name| (name.into(), self.shape(name).unwrap_or_default().to_vec())).collect()
    }
}

/// Calls `visit` for all parameters and buffers of a layer.
fn for_each(
    layer: &mut dyn NormLayer,
    mut visit: impl FnMut(&'static str, &mut TensorMut<'_>) -> Result<(), Error>,
) -> Result<(), Error> {
    for (field, mut param) in layer.params_mut() {
        visit(field, &mut param)?;
    }
    for (field, mut buffer) in layer.buffers_mut() {
        visit(field, &mut buffer)?;
    }
    Ok(())
}

/// The tensor of a field.
struct Wanted<'a> {
    prefix: &'a str,
    field: &'static str,
    shapes: Vec<Shape>,
}

impl Wanted<'_> {
    /// Its shapes, as errors show them.
    fn shown(&self) -> String {
        self.shapes.iter().map(Shape::to_string).collect::<Vec<_>>().join(" or ")
    }
}

/// What keeps one tensor from being loaded.
enum Problem {
    /// Others are looked at all the same.
    Tensor(TensorError),
    Other(Error),
}

/// What a tensor holds, in the parameter's type.
enum Values {
    Numbers(Vec<f64>),
    Count(i64),
}

impl Values {
    fn write(self, param: &mut TensorMut<'_>) {
        match (self, param) {
            (Values::Count(count), TensorMut::I64(to)) => to.fill(count),
            (Values::Numbers(values), param) => write(&values, param),
            _ => {}
        }
    }
}
