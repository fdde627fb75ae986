//! From layers to a checkpoint.

use super::convert::encode;
use super::error::Error;
use super::names::{VECTORS, below, spellings};
use super::shape::{kept, shapes};
use super::source::io_error;
use norm_runtime::{NormLayer, Tensor};
use safetensors::tensor::{Dtype, TensorView};
use std::collections::BTreeMap;
use std::path::Path;

/// Collects tensors of layers, and writes them in the format of `safetensors`, with the names that PyTorch reads. See
/// [the module](super).
///
/// The metadata are `{"format": "pt"}`, without which some loaders refuse a file.
#[derive(Clone, Debug, Default)]
pub struct Writer {
    tensors: BTreeMap<String, Written>,
}

#[derive(Clone, Debug)]
struct Written {
    dtype: Dtype,
    shape: Vec<usize>,
    bytes: Vec<u8>,
}

impl Writer {
    /// Without tensors.
    #[must_use]
    pub fn new() -> Self {
        Writer::default()
    }

    /// Adds the parameters and buffers of a layer, as they are now.
    ///
    /// # Errors
    /// If a tensor of that name is there already, or its shape is open (see [`Writer::add_shaped`]); nothing is added then.
    pub fn add(&mut self, prefix: &str, layer: &dyn NormLayer) -> Result<&mut Self, Error> {
        self.add_layer(prefix, layer, None)
    }

    /// Adds a layer whose parameters have several axes of sizes known only at run time, such as a weight of `shape = [_, _, _]`: `dims`
    /// are those of its largest parameter, the weight's own.
    ///
    /// # Errors
    /// If `dims` are not those of the parameter, or a tensor of that name is there already; nothing is added then.
    pub fn add_shaped(&mut self, prefix: &str, layer: &dyn NormLayer, dims: &[usize]) -> Result<&mut Self, Error> {
        self.add_layer(prefix, layer, Some(dims))
    }

    /// Adds several layers, each by its name below `prefix`: those of a model's `norms()`.
    ///
    /// # Errors
    /// As [`Writer::add`]; nothing is added then.
    pub fn add_all<'l, N: AsRef<str>>(
        &mut self,
        prefix: &str,
        layers: impl IntoIterator<Item = (N, &'l dyn NormLayer)>,
    ) -> Result<&mut Self, Error> {
        let mut all = self.clone();
        for (name, layer) in layers {
            all.add(&below(prefix, name.as_ref()), layer)?;
        }
        *self = all;
        Ok(self)
    }

    fn add_layer(&mut self, prefix: &str, layer: &dyn NormLayer, dims: Option<&[usize]>) -> Result<&mut Self, Error> {
        let (spec, kept) = (layer.spec(), kept(layer));
        let mut added = BTreeMap::new();
        for (field, tensor) in layer.params().into_iter().chain(layer.buffers()) {
            let name = below(prefix, spellings(&field)[0]);
            if self.tensors.contains_key(&name) || added.contains_key(&name) {
                return Err(Error::Repeated { tensor: name });
            }
            let shapes = shapes(spec, field, tensor.len(), kept);
            let written = &shapes[0];
            // Given dims are those of all parameters, but of a weight's lengths.
            let given = dims.filter(|_| !spec.of_sum || field == VECTORS).filter(|_| !matches!(tensor, Tensor::I64(_)));
            let shape = match given {
                Some(dims) => written.fits(dims).then(|| dims.to_vec()),
                None => written.known(),
            };
            let Some((dtype, bytes)) = encode(tensor) else { continue };
            let Some(shape) = shape else {
                return Err(Error::Open { tensor: name, expected: written.to_string() });
            };
            added.insert(name, Written { dtype, shape, bytes });
        }
        self.tensors.append(&mut added);
        Ok(self)
    }

    /// The contents of a file.
    ///
    /// # Errors
    /// If the format does not allow them: names of more than 100 MB.
    pub fn to_bytes(&self) -> Result<Vec<u8>, Error> {
        let format =
            |error: safetensors::SafeTensorError| Error::Format { file: "bytes".into(), reason: error.to_string() };
        let views = self.tensors.iter().map(|(name, written)| {
            Ok((name, TensorView::new(written.dtype, written.shape.clone(), &written.bytes).map_err(format)?))
        });
        let views = views.collect::<Result<Vec<_>, Error>>()?;
        let metadata = [("format".to_string(), "pt".to_string())];
        safetensors::serialize(views, Some(metadata.into_iter().collect())).map_err(format)
    }

    /// Writes a file: under another name first, so that a file that was there is complete at any time.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        let path = path.as_ref();
        let bytes = self.to_bytes()?;
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{}.part", std::process::id()));
        let part = path.with_file_name(name);
        let written = std::fs::write(&part, bytes).and_then(|()| std::fs::rename(&part, path));
        written.map_err(|source| {
            let _ = std::fs::remove_file(&part);
            io_error(path, source)
        })
    }
}
