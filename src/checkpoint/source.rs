//! Where tensors are: files, folders and bytes, and their headers.

use super::error::Error;
use safetensors::Dtype;
use safetensors::tensor::Metadata;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::{Component, Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// Before the header stands its length.
const LENGTH: u64 = 8;
/// The longest header that the format allows.
const LONGEST: u64 = 100_000_000;
const MODEL: &str = "model.safetensors";
const FILE: &str = ".safetensors";
const INDEX: &str = ".safetensors.index.json";

/// A file of tensors, or bytes like those of one.
#[derive(Debug)]
pub(super) enum Source<'a> {
    Bytes(Cow<'a, [u8]>),
    File { path: PathBuf, file: Mutex<File> },
}

/// A tensor in one of several sources.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) dtype: Dtype,
    pub(super) shape: Vec<usize>,
    source: usize,
    bytes: Range<u64>,
}

/// All tensors of a checkpoint, by name.
#[derive(Debug, Default)]
pub(super) struct Tensors<'a> {
    sources: Vec<Source<'a>>,
    pub(super) places: BTreeMap<String, Place>,
}

impl Tensors<'static> {
    /// Those of a file, of the files that an index names, or of a folder with either; and what was opened.
    pub(super) fn open(path: &Path) -> Result<(Self, PathBuf), Error> {
        let path = match path.metadata().map_err(|source| io_error(path, source))?.is_dir() {
            true => in_folder(path)?,
            false => path.into(),
        };
        let mut tensors = Tensors::default();
        if path.extension().is_some_and(|extension| extension == "json") {
            tensors.add_shards(&path)?;
        } else {
            tensors.add(Source::open(&path)?, |_| true)?;
        }
        Ok((tensors, path))
    }

    /// The tensors that an index names, from the files beside it.
    fn add_shards(&mut self, index: &Path) -> Result<(), Error> {
        let shown = index.display().to_string();
        let format = |reason: &str| Error::Format { file: shown.clone(), reason: reason.into() };
        let text = std::fs::read(index).map_err(|source| io_error(index, source))?;
        let json: serde_json::Value =
            serde_json::from_slice(&text).map_err(|error| format(&format!("an index that is no JSON: {error}")))?;
        let map = json.get("weight_map").and_then(serde_json::Value::as_object);
        let map = map.ok_or_else(|| format("an index without the object `weight_map`"))?;
        let mut shards = BTreeMap::<&str, BTreeSet<&str>>::new();
        for (tensor, shard) in map {
            let shard = shard.as_str().ok_or_else(|| format(&format!("no name of a file for `{tensor}`")))?;
            shards.entry(shard).or_default().insert(tensor);
        }
        for (shard, names) in shards {
            // Files elsewhere are none of the checkpoint's.
            let mut parts = Path::new(shard).components();
            if !matches!((parts.next(), parts.next()), (Some(Component::Normal(_)), None)) {
                return Err(format(&format!("the shard `{shard}`, which is no name of a file beside the index")));
            }
            self.add(Source::open(&index.with_file_name(shard))?, |name| names.contains(name))?;
            if let Some(tensor) = names.into_iter().find(|name| !self.places.contains_key(*name)) {
                return Err(Error::NotInShard { index: shown, tensor: tensor.into(), shard: shard.into() });
            }
        }
        Ok(())
    }
}

impl<'a> Tensors<'a> {
    /// Those of a file in memory.
    pub(super) fn from_bytes(bytes: Cow<'a, [u8]>) -> Result<Self, Error> {
        let mut tensors = Tensors::default();
        tensors.add(Source::Bytes(bytes), |_| true)?;
        Ok(tensors)
    }

    /// Adds the tensors of a source that are `wanted`.
    fn add(&mut self, source: Source<'a>, wanted: impl Fn(&str) -> bool) -> Result<(), Error> {
        let (start, metadata) = source.header()?;
        for (name, info) in metadata.tensors().into_iter().filter(|(name, _)| wanted(name)) {
            let (first, last) = info.data_offsets;
            let place = Place {
                dtype: info.dtype,
                shape: info.shape.clone(),
                source: self.sources.len(),
                bytes: start + first as u64..start + last as u64,
            };
            self.places.insert(name, place);
        }
        self.sources.push(source);
        Ok(())
    }

    /// The bytes of a tensor.
    pub(super) fn read(&self, place: &Place) -> Result<Cow<'_, [u8]>, Error> {
        self.sources[place.source].read(place.bytes.clone())
    }
}

impl Source<'_> {
    fn open(path: &Path) -> Result<Source<'static>, Error> {
        let file = File::open(path).map_err(|source| io_error(path, source))?;
        Ok(Source::File { path: path.into(), file: Mutex::new(file) })
    }

    /// Where the data begin, and what there is, checked against the length of the whole.
    fn header(&self) -> Result<(u64, Metadata), Error> {
        let len = match self {
            Source::Bytes(bytes) => bytes.len() as u64,
            Source::File { path, file } => {
                let file = file.lock().unwrap_or_else(PoisonError::into_inner);
                file.metadata().map_err(|source| io_error(path, source))?.len()
            }
        };
        if len < LENGTH {
            return Err(self.format(format!("{len} bytes")));
        }
        let length = self.read(0..LENGTH)?;
        let length = length.first_chunk().map_or(0, |length| u64::from_le_bytes(*length));
        if length > LONGEST || length > len - LENGTH {
            return Err(self.format(format!("a header of {length} bytes in {len}")));
        }
        let start = LENGTH + length;
        let metadata: Metadata = serde_json::from_slice(&self.read(LENGTH..start)?)
            .map_err(|error| self.format(format!("a header with: {error}")))?;
        let expected = start.saturating_add(metadata.data_len() as u64);
        if expected != len {
            return Err(self.format(format!("{len} bytes where the header tells {expected}")));
        }
        Ok((start, metadata))
    }

    fn read(&self, range: Range<u64>) -> Result<Cow<'_, [u8]>, Error> {
        // Ranges are those of a header that was checked, so they are there and fit: all is in memory, or a file was longer before.
        let short = || self.format("a file that is shorter than it was when it was opened".into());
        let [start, end] = [range.start, range.end].map(|at| usize::try_from(at).unwrap_or(usize::MAX));
        match self {
            Source::Bytes(bytes) => bytes.get(start..end).map(Cow::Borrowed).ok_or_else(short),
            Source::File { path, file } => {
                let mut bytes = vec![0; end - start];
                let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
                let read = file.seek(SeekFrom::Start(range.start)).and_then(|_| file.read_exact(&mut bytes));
                match read {
                    Ok(()) => Ok(Cow::Owned(bytes)),
                    Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(short()),
                    Err(source) => Err(io_error(path, source)),
                }
            }
        }
    }

    fn format(&self, reason: String) -> Error {
        let file = match self {
            Source::Bytes(_) => "bytes".into(),
            Source::File { path, .. } => path.display().to_string(),
        };
        Error::Format { file, reason }
    }
}

/// The checkpoint of a folder: the file that is called as hubs call it, or the only one; an index before its shards.
fn in_folder(folder: &Path) -> Result<PathBuf, Error> {
    let entries = std::fs::read_dir(folder).map_err(|source| io_error(folder, source))?;
    let mut names = Vec::new();
    for entry in entries {
        names.push(entry.map_err(|source| io_error(folder, source))?.file_name().to_string_lossy().into_owned());
    }
    names.sort_unstable();
    let usual = [MODEL.into(), format!("model{INDEX}")];
    if let Some(name) = usual.iter().find(|usual| names.contains(usual)) {
        return Ok(folder.join(name));
    }
    let of = |end: &str| names.iter().filter(|name| name.ends_with(end)).cloned().collect::<Vec<_>>();
    let (indices, files) = (of(INDEX), of(FILE));
    match (&indices[..], &files[..]) {
        ([one], _) | ([], [one]) => Ok(folder.join(one)),
        _ => Err(Error::NotOne { folder: folder.into(), found: if indices.is_empty() { files } else { indices } }),
    }
}

pub(super) fn io_error(path: &Path, source: io::Error) -> Error {
    Error::Io { path: path.into(), source }
}
