//! The kernels of modules: the usual sizes, and all others. Each adapter has the same.

use crate::error::Error;
use normkit::{Affine, Kernel, norm};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// The same kernel for each type of elements, with parameters of the same type.
#[derive(Clone, Copy, Debug)]
pub struct Family {
    f32: Kernel,
    f64: Kernel,
    f16: Kernel,
    bf16: Kernel,
}

impl Family {
    /// The kernel over elements of the type of this name.
    ///
    /// # Errors
    /// If there is none.
    pub fn of(&self, dtype: &str) -> Result<Kernel, Error> {
        match dtype {
            "f32" => Ok(self.f32),
            "f64" => Ok(self.f64),
            "f16" => Ok(self.f16),
            "bf16" => Ok(self.bf16),
            found => {
                let kind = self.f32.spec().kind;
                Err(Error::Other(format!("{kind}: `x`: expected elements of f32 | f64 | f16 | bf16, found {found}")))
            }
        }
    }
}

/// Over rows: of 64 to 8192 elements where models have that many, and of any number.
///
/// In f64 of any number only: few use it, and specialisation saves less there than compiling for it costs.
macro_rules! rows {
    (@usual $t:ident $($keys:tt)*) => {
        norm!(
            $($keys)*, dtype = $t, param = $t,
            shape = [_, _, _, 64 | 96 | 128 | 256 | 384 | 512 | 768 | 1024 | 1536 | 2048 | 3072 | 4096 | 5120 | 8192 | _]
        ).kernel()
    };
    ($($keys:tt)*) => {
        Family {
            f32: rows!(@usual f32 $($keys)*),
            f64: norm!($($keys)*, shape = [_, _, _, _], dtype = f64, param = f64).kernel(),
            f16: rows!(@usual f16 $($keys)*),
            bf16: rows!(@usual bf16 $($keys)*),
        }
    };
}

/// Over channels, of any size.
macro_rules! channels {
    ($($keys:tt)*) => {
        Family {
            f32: norm!($($keys)*, dtype = f32, param = f32).kernel(),
            f64: norm!($($keys)*, dtype = f64, param = f64).kernel(),
            f16: norm!($($keys)*, dtype = f16, param = f16).kernel(),
            bf16: norm!($($keys)*, dtype = bf16, param = bf16).kernel(),
        }
    };
}

/// RMS normalization over the last axis.
pub static RMS: Family = rows!(kind = "rms");
/// Layer normalization over the last axis.
pub static LAYER: Family = rows!(kind = "layer");
/// The same without a bias.
pub static LAYER_NO_BIAS: Family = rows!(kind = "layer", affine = weight);

/// Batch normalization over axis 1 of `[N, C, ...]`.
pub static BATCH: Family = channels!(kind = "batch", shape = [_, _, _]);
/// The same without weight and bias.
pub static BATCH_NO_AFFINE: Family = channels!(kind = "batch", shape = [_, _, _], affine = false);
/// Batch normalization over axis 1 of `[N, C]`: vectors lie across channels.
pub static BATCH_COLUMNS: Family = channels!(kind = "batch", shape = [_, _]);
/// The same without weight and bias.
pub static BATCH_COLUMNS_NO_AFFINE: Family = channels!(kind = "batch", shape = [_, _], affine = false);

/// Group normalization over axis 1 of `[N, C, ...]`, in one group; see [`group`].
pub static GROUP: Family = channels!(kind = "group", groups = 1, shape = [_, _, _], allow(one_group));
/// The same without weight and bias; see [`group_no_affine`].
pub static GROUP_NO_AFFINE: Family =
    channels!(kind = "group", groups = 1, shape = [_, _, _], affine = false, allow(one_group));
/// Instance normalization over axis 1 of `[N, C, ...]`.
pub static INSTANCE: Family = channels!(kind = "instance", shape = [_, _, _]);
/// The same without weight and bias.
pub static INSTANCE_NO_AFFINE: Family = channels!(kind = "instance", shape = [_, _, _], affine = false);

/// The kernel of group normalization over elements of the type of this name, in that many groups.
///
/// # Errors
/// If there is none for that type, or no group.
pub fn group(dtype: &str, groups: usize) -> Result<Kernel, Error> {
    in_groups(GROUP.of(dtype)?, groups)
}

/// The same without weight and bias.
///
/// # Errors
/// As [`group`].
pub fn group_no_affine(dtype: &str, groups: usize) -> Result<Kernel, Error> {
    in_groups(GROUP_NO_AFFINE.of(dtype)?, groups)
}

fn in_groups(one: Kernel, groups: usize) -> Result<Kernel, Error> {
    // `with_groups` is to be asked once for each number.
    static KNOWN: Mutex<BTreeMap<(&str, bool, usize), Kernel>> = Mutex::new(BTreeMap::new());
    let spec = one.spec();
    let key = (spec.dtype, spec.affine == Affine::None, groups);
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    match known.get(&key) {
        Some(kernel) => Ok(*kernel),
        None => {
            let none = || Error::Other(format!("group: expected at least 1 group, found {groups}"));
            let kernel = one.with_groups(groups).ok_or_else(none)?;
            known.insert(key, kernel);
            Ok(kernel)
        }
    }
}
