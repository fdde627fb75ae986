//! What goes wrong with checkpoints.

use core::fmt;
use std::io;
use std::path::PathBuf;

/// Why a checkpoint was not opened, loaded or written. No layer has been changed when one of these is returned.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// A file or folder cannot be read or written.
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A folder has no checkpoint, or several and nothing that tells which.
    NotOne {
        /// The folder.
        folder: PathBuf,
        /// The names of the checkpoints that it has.
        found: Vec<String>,
    },
    /// A file is not of the format: cut off, or no `safetensors` at all.
    Format {
        /// The file, or `bytes`.
        file: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The index of a sharded checkpoint names a file that does not have the tensor.
    NotInShard {
        /// The index.
        index: String,
        /// The tensor.
        tensor: String,
        /// The file that the index says it is in.
        shard: String,
    },
    /// Tensors of layers to be loaded are missing, or do not fit: all of them.
    Tensors(Vec<TensorError>),
    /// Two layers to be written have the same names.
    Repeated {
        /// The name of the tensor.
        tensor: String,
    },
    /// The sizes of a weight to be written are open, and not those that were given; see [`Writer::add_shaped`](super::Writer::add_shaped).
    Open {
        /// The name of the tensor.
        tensor: String,
        /// The shape as far as it is known.
        expected: String,
    },
}

/// What is wrong with one tensor of a layer.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum TensorError {
    /// The checkpoint does not have it.
    Missing {
        /// The names that it may have.
        names: Vec<String>,
        /// The shape expected.
        expected: String,
        /// The checkpoint.
        file: String,
        /// The nearest names that the checkpoint has, with their shapes; left out after the first few errors.
        nearest: Vec<(String, Vec<usize>)>,
    },
    /// It has another shape.
    Shape {
        /// Its name.
        name: String,
        /// The shape expected.
        expected: String,
        /// The shape found.
        found: Vec<usize>,
        /// The checkpoint.
        file: String,
        /// The nearest names of tensors that have the shape expected; left out after the first few errors.
        nearest: Vec<(String, Vec<usize>)>,
    },
    /// Its type is not one that the parameter can have.
    Type {
        /// Its name.
        name: String,
        /// The types that it may have.
        expected: &'static str,
        /// The type found, as the format calls it.
        found: String,
        /// The checkpoint.
        file: String,
    },
    /// The checkpoint has it under several spellings.
    Ambiguous {
        /// The names found.
        names: Vec<String>,
        /// The checkpoint.
        file: String,
    },
    /// One of its numbers is finite, and would be infinite in the parameter's type.
    OutOfRange {
        /// Its name.
        name: String,
        /// Which of its elements, counted from 0.
        index: usize,
        /// The number.
        value: f64,
        /// The type of the parameter.
        param: &'static str,
        /// The checkpoint.
        file: String,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Io { path, source } => write!(f, "`{}`: {source}", path.display()),
            Error::NotOne { folder, found } if found.is_empty() => write!(
                f,
                "`{}`: expected a file `*.safetensors` or `*.safetensors.index.json`, found none",
                folder.display()
            ),
            Error::NotOne { folder, found } => write!(
                f,
                "`{}`: expected `model.safetensors`, `model.safetensors.index.json` or one file of that kind, found {}; \
                 help: open one of these",
                folder.display(),
                quoted(found, ", ")
            ),
            Error::Format { file, reason } => {
                write!(f, "`{file}`: expected a checkpoint of safetensors, found {reason}")
            }
            Error::NotInShard { index, tensor, shard } => {
                write!(f, "`{index}`: expected `{tensor}` in `{shard}`, which does not have it")
            }
            Error::Tensors(errors) => {
                const SHOWN: usize = 8;
                for (i, error) in errors.iter().take(SHOWN).enumerate() {
                    write!(f, "{}{error}", if i == 0 { "" } else { "\n" })?;
                }
                match errors.len() {
                    more if more > SHOWN => write!(f, "\nand {} more", more - SHOWN),
                    _ => Ok(()),
                }
            }
            Error::Repeated { tensor } => write!(f, "`{tensor}`: expected one tensor of this name, found a second"),
            Error::Open { tensor, expected } => write!(
                f,
                "`{tensor}`: expected sizes that fit {expected}; help: give them with `add_shaped(prefix, layer, dims)`"
            ),
        }
    }
}

impl core::error::Error for Error {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Error::Io { source, .. } => Some(source),
            _ => None,
        }
    }
}

impl fmt::Display for TensorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TensorError::Missing { names, expected, file, nearest } => {
                let (first, others) = names.split_first().map_or(("", &[][..]), |(first, others)| (first, others));
                write!(f, "`{first}`")?;
                if !others.is_empty() {
                    write!(f, " (or {})", quoted(others, " or "))?;
                }
                write!(f, ": expected a tensor of shape {expected}, found none in `{file}`")?;
                write_nearest(f, "the nearest names are", nearest)
            }
            TensorError::Shape { name, expected, found, file, nearest } => {
                write!(f, "`{name}`: expected the shape {expected}, found {found:?} in `{file}`")?;
                write_nearest(f, "that shape have", nearest)
            }
            TensorError::Type { name, expected, found, file } => {
                write!(f, "`{name}`: expected elements of type {expected}, found {found} in `{file}`")
            }
            TensorError::Ambiguous { names, file } => {
                write!(f, "expected one spelling of a tensor in `{file}`, found {}", quoted(names, " and "))
            }
            TensorError::OutOfRange { name, index, value, param, file } => {
                write!(f, "`{name}`: expected numbers in the range of {param}, found {value:e} at {index} in `{file}`")
            }
        }
    }
}

impl core::error::Error for TensorError {}

fn quoted(names: &[String], between: &str) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(between)
}

fn write_nearest(f: &mut fmt::Formatter<'_>, text: &str, nearest: &[(String, Vec<usize>)]) -> fmt::Result {
    for (i, (name, shape)) in nearest.iter().enumerate() {
        match i {
            0 => write!(f, "; help: {text} `{name}` {shape:?}")?,
            _ => write!(f, ", `{name}` {shape:?}")?,
        }
    }
    Ok(())
}
