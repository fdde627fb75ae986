//! Kernels whose machine code is looked at: one function each, which has them compiled by calling its methods.
//!
//! Empty in debug builds (clippy's excepted): nothing runs these.

#![cfg(any(not(debug_assertions), clippy))]

use normkit::{NormError, Saved, bf16, norm};

/// `rows!(name, f32, f32, [weight] [weight] [dweight]; keys)`: a kernel over rows of `f32` with parameters of `f32`. The lists are the
/// arguments of the forward pass, those of the backward pass, and the gradients.
macro_rules! rows {
    ($name:ident, $t:ident, $p:ident, [$($param:ident)*] [$($weight:ident)*] [$($grad:ident)*]; $($keys:tt)*) => {
        #[doc = concat!("`", stringify!($($keys)*), "`")]
        ///
        /// # Errors
        /// Those of the methods.
        pub fn $name(
            x: &[$t],
            [$($param),*]: [&[$p]; const { <[&str]>::len(&[$(stringify!($param)),*]) }],
            y: &mut [$t],
            saved: &mut Saved<f32>,
            [$($grad),*]: [&mut [f32]; const { <[&str]>::len(&[$(stringify!($grad)),*]) }],
        ) -> Result<(), NormError> {
            let kernel = norm!($($keys)*, dtype = $t, param = $p);
            kernel.forward_train(x, $($param,)* &mut *y, saved)?;
            kernel.backward(x, x, $($weight,)* saved, y, $($grad),*)
        }
    };
}

/// `rms!(name, 64)`, `rms!(name, _)`: root mean square normalization of rows of that length.
macro_rules! rms {
    ($name:ident, $n:tt $(, $t:ident)?) => {
        rows!($name, f32, f32, [weight] [weight] [dweight]; kind = "rms", shape = [_, $n]);
    };
}

/// The same of layer normalization.
macro_rules! layer {
    ($name:ident, $n:tt) => {
        rows!($name, f32, f32, [weight bias] [weight] [dweight dbias]; kind = "layer", shape = [_, $n]);
    };
}

rms!(rms_64, 64);
rms!(rms_100, 100);
rms!(rms_128, 128);
rms!(rms_768, 768);
rms!(rms_1024, 1024);
rms!(rms_4096, 4096);
rms!(rms_any, _);
layer!(layer_64, 64);
layer!(layer_100, 100);
layer!(layer_128, 128);
layer!(layer_768, 768);
layer!(layer_1024, 1024);
layer!(layer_4096, 4096);
layer!(layer_any, _);
rows!(rms_bf16_768, bf16, f32, [weight] [weight] [dweight]; kind = "rms", shape = [_, 768]);
rows!(layer_bf16_768, bf16, f32, [weight bias] [weight] [dweight dbias]; kind = "layer", shape = [_, 768]);

rows!(instance_56x56, f32, f32, [weight bias] [weight] [dweight dbias]; kind = "instance", shape = [_, 64, 56, 56]);
rows!(instance_8x8, f32, f32, [weight bias] [weight] [dweight dbias]; kind = "instance", shape = [_, 64, 8, 8]);
rows!(instance_128x128, f32, f32, [weight bias] [weight] [dweight dbias]; kind = "instance", shape = [_, 64, 128, 128]);
rows!(weight_1536, f32, f32, [weight] [weight] [dweight]; kind = "weight", shape = [_, 1536]);
rows!(batch_56x56, f32, f32, [weight bias] [weight] [dweight dbias]; kind = "batch", shape = [_, 64, 56, 56]);
rows!(batch_any, f32, f32, [weight bias] [weight] [dweight dbias]; kind = "batch", shape = [_, _, _]);
rows!(batch_last_64, f32, f32, [weight bias] [weight] [dweight dbias]; kind = "batch", shape = [_, 56, 56, 64], axis = -1);
rows!(batch_last_256, f32, f32, [weight bias] [weight] [dweight dbias]; kind = "batch", shape = [_, 256], axis = -1);
