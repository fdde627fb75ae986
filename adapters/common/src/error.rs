//! What goes wrong.

use core::fmt;
use normkit::NormError;

/// Why a call did not run: the kind of normalization, the argument at fault, what was expected and what was found.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Error {
    /// Where the elements of an argument lie is not for this kernel; it would take a contiguous copy.
    Place {
        /// The argument at fault.
        arg: &'static str,
        /// What was expected, and what was found.
        message: String,
    },
    /// All else.
    Other(String),
}

impl Error {
    /// An error of normkit's, of a kernel of this kind.
    pub(crate) fn of(kind: &str, error: NormError) -> Self {
        let message = format!("{kind}: {error}");
        match error {
            NormError::Stride { arg, .. } => Error::Place { arg, message },
            _ => Error::Other(message),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Place { message, .. } | Error::Other(message) => f.write_str(message),
        }
    }
}

impl core::error::Error for Error {}
