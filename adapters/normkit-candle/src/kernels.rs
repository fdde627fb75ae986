//! The kernels of the modules: the usual sizes, and all others.

use crate::op::NormOp;
use candle_core::{DType, Result, Tensor, bail};
use normkit::{Kernel, norm};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// The same kernel for each type of elements, with parameters of the same type.
pub struct Family {
    f32: Kernel,
    f64: Kernel,
    f16: Kernel,
    bf16: Kernel,
}

impl Family {
    /// The operation on tensors of the type of `x`.
    ///
    /// # Errors
    /// If there is none.
    pub fn op(&self, x: &Tensor, eps: f64) -> Result<NormOp> {
        Ok(NormOp::new(self.of(x.dtype())?).with_eps(eps))
    }

    fn of(&self, dtype: DType) -> Result<Kernel> {
        match dtype {
            DType::F32 => Ok(self.f32),
            DType::F64 => Ok(self.f64),
            DType::F16 => Ok(self.f16),
            DType::BF16 => Ok(self.bf16),
            found => {
                let kind = self.f32.spec().kind;
                bail!("{kind}: `x`: expected elements of f32 | f64 | f16 | bf16, found {}", found.as_str())
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

pub static RMS: Family = rows!(kind = "rms");
pub static LAYER: Family = rows!(kind = "layer");
pub static LAYER_NO_BIAS: Family = rows!(kind = "layer", affine = weight);

/// `[N, C, ...]`.
pub static BATCH: Family = channels!(kind = "batch", shape = [_, _, _]);
pub static BATCH_NO_AFFINE: Family = channels!(kind = "batch", shape = [_, _, _], affine = false);
/// `[N, C]`: vectors lie across channels.
pub static BATCH_COLUMNS: Family = channels!(kind = "batch", shape = [_, _]);
pub static BATCH_COLUMNS_NO_AFFINE: Family = channels!(kind = "batch", shape = [_, _], affine = false);

/// In one group; see [`Kernel::with_groups`].
pub static GROUP: Family = channels!(kind = "group", groups = 1, shape = [_, _, _], allow(one_group));
pub static INSTANCE: Family = channels!(kind = "instance", shape = [_, _, _]);
pub static INSTANCE_NO_AFFINE: Family = channels!(kind = "instance", shape = [_, _, _], affine = false);

/// The operation of group normalization on tensors of the type of `x`, in that many groups.
///
/// # Errors
/// If there is none for that type, or no group.
pub fn group(x: &Tensor, groups: usize, eps: f64) -> Result<NormOp> {
    // `with_groups` is to be asked once for each number.
    static KNOWN: Mutex<BTreeMap<(&str, usize), Kernel>> = Mutex::new(BTreeMap::new());
    let one = GROUP.of(x.dtype())?;
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let kernel = match known.get(&(one.spec().dtype, groups)) {
        Some(kernel) => *kernel,
        None => {
            let Some(kernel) = one.with_groups(groups) else {
                bail!("group: expected at least 1 group, found {groups}")
            };
            known.insert((one.spec().dtype, groups), kernel);
            kernel
        }
    };
    Ok(NormOp::new(kernel).with_eps(eps))
}
