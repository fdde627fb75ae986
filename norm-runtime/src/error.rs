//! What goes wrong at run time.

use crate::level::Level;
use core::fmt;

/// Why a kernel did not run. Nothing has been written when one of these is returned.
///
/// `arg` is the argument at fault, by the name it has in the method's signature.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum NormError {
    /// A buffer has the wrong number of elements.
    Length {
        /// The argument at fault.
        arg: &'static str,
        /// Elements expected.
        expected: usize,
        /// Elements found.
        found: usize,
    },
    /// A buffer's length is not a multiple of what one row (or one fixed group of rows) takes.
    NotAMultiple {
        /// The argument at fault.
        arg: &'static str,
        /// What the length must be a multiple of.
        of: usize,
        /// Elements found.
        found: usize,
    },
    /// The dims given have another number of axes than the shape.
    Rank {
        /// The argument at fault.
        arg: &'static str,
        /// Axes of the shape.
        expected: usize,
        /// Axes found.
        found: usize,
    },
    /// One of the dims given contradicts the shape, or the dims of another argument.
    Dims {
        /// The argument at fault.
        arg: &'static str,
        /// The axis, counted from 0.
        axis: usize,
        /// The size expected along it.
        expected: usize,
        /// The size found.
        found: usize,
    },
    /// The size is none that a kernel was generated for.
    NotInFamily {
        /// The argument at fault.
        arg: &'static str,
        /// The sizes that there are kernels for.
        family: &'static [usize],
        /// The size found.
        found: usize,
    },
    /// The dims cannot be told from the length alone; give them as `(slice, [dims])`.
    DimsNeeded {
        /// The argument at fault.
        arg: &'static str,
    },
    /// A stride is smaller than what lies below it, so rows would overlap; or a normalized axis is not contiguous.
    Stride {
        /// The argument at fault.
        arg: &'static str,
        /// The axis, counted from 0.
        axis: usize,
        /// For a normalized axis the only stride possible, for others the smallest.
        expected: usize,
        /// The stride found.
        found: usize,
    },
    /// An array is not contiguous along a normalized axis, or is reversed or broadcast: transposed, for instance, or sliced with a
    /// step.
    ArrayStride {
        /// The argument at fault.
        arg: &'static str,
        /// The axis, counted from 0.
        axis: usize,
        /// For a normalized axis the only stride possible, for others the smallest.
        expected: usize,
        /// The stride found.
        found: isize,
    },
    /// The dims and strides reach past the end of the buffer.
    TooShort {
        /// The argument at fault.
        arg: &'static str,
        /// Elements that the dims and strides reach.
        expected: usize,
        /// Elements found.
        found: usize,
    },
    /// The product of the dims, or of dims and strides, does not fit in a `usize`.
    TooLarge {
        /// The argument at fault.
        arg: &'static str,
    },
    /// `eps` at run time is negative, infinite or not a number.
    Eps {
        /// The value found.
        found: f64,
    },
    /// A channel of one value in training: it has no variance.
    OneValuePerChannel {
        /// The argument at fault.
        arg: &'static str,
    },
    /// The channels do not fall into that many groups.
    Groups {
        /// The argument at fault.
        arg: &'static str,
        /// The number of groups.
        groups: usize,
        /// The number of channels.
        channels: usize,
    },
    /// A running variance is negative.
    RunningVar {
        /// The channel.
        index: usize,
        /// The value found.
        found: f64,
    },
    /// `NORMKIT_LEVEL`, or the level forced, is unknown or not available on this machine.
    Level {
        /// The name asked for.
        requested: &'static str,
    },
    /// A kernel of this technique has no such pass.
    Pass {
        /// The pass asked for.
        pass: &'static str,
        /// The technique.
        kind: &'static str,
    },
}

impl fmt::Display for NormError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            NormError::Length { arg, expected, found } => {
                write!(f, "`{arg}`: expected {expected} elements, found {found}")
            }
            NormError::NotAMultiple { arg, of, found } => {
                write!(f, "`{arg}`: expected a multiple of {of} elements, found {found}")
            }
            NormError::Rank { arg, expected, found } => {
                write!(f, "`{arg}`: expected dims of {expected} axes, found {found}")
            }
            NormError::Dims { arg, axis, expected, found } => {
                write!(f, "`{arg}`: expected size {expected} along axis {axis}, found {found}")
            }
            NormError::NotInFamily { arg, family, found } => {
                write!(f, "`{arg}`: expected one of the sizes {family:?}, found {found}")
            }
            NormError::DimsNeeded { arg } => {
                write!(f, "`{arg}`: the dims cannot be told from the length; give them as `(slice, [dims])`")
            }
            NormError::Stride { arg, axis, expected, found } => {
                write!(
                    f,
                    "`{arg}`: expected a stride of {expected} (or more, for an axis that is not normalized) along \
                     axis {axis}, found {found}"
                )
            }
            NormError::ArrayStride { arg, axis, expected, found } => {
                write!(
                    f,
                    "`{arg}`: expected an array with a stride of {expected} (or more, for an axis that is not normalized) \
                     along axis {axis}, found {found}; help: `as_standard_layout()` makes a contiguous copy"
                )
            }
            NormError::TooShort { arg, expected, found } => {
                write!(f, "`{arg}`: its dims and strides reach {expected} elements, found {found}")
            }
            NormError::TooLarge { arg } => write!(f, "`{arg}`: its dims and strides overflow the address space"),
            NormError::Eps { found } => write!(f, "`eps`: expected a finite number >= 0, found {found}"),
            NormError::OneValuePerChannel { arg } => {
                write!(f, "`{arg}`: expected more than one value per channel in training, found 1")
            }
            NormError::Groups { arg, groups, channels } => {
                write!(f, "`{arg}`: expected a number of channels that {groups} groups divide, found {channels}")
            }
            NormError::RunningVar { index, found } => {
                write!(f, "`running_var`: expected variances of at least 0, found {found} at channel {index}")
            }
            NormError::Level { requested } => {
                let names: Vec<_> = Level::available().into_iter().map(Level::name).collect();
                write!(f, "level `{requested}` is not available; this machine has: {}", names.join(", "))
            }
            NormError::Pass { pass, kind } => write!(f, "a kernel of kind `{kind}` has no pass `{pass}`"),
        }
    }
}

impl core::error::Error for NormError {}
