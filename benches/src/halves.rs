//! Half types against f32: the same number of elements, half the bytes.

use crate::Workload;
use crate::tensors::{Pass, Sizes, Tensors, WORKS, half_workload};
use normkit::{bf16, f16, norm};

/// The forward or the backward pass of one kernel, in any type.
macro_rules! pass {
    (fwd, $t:ty, $kind:literal, $n:literal, $dtype:ident) => {{
        let run: fn(&mut Tensors<$t>) = |t| {
            let kernel = norm!(kind = $kind, shape = [_, $n], affine = weight, dtype = $dtype);
            kernel.forward(&t.x, &t.weight, &mut t.y).expect(WORKS)
        };
        let prepare: fn(&mut Tensors<$t>) = |_| {};
        [prepare, run]
    }};
    (bwd, $t:ty, $kind:literal, $n:literal, $dtype:ident) => {{
        let run: fn(&mut Tensors<$t>) = |t| {
            let kernel = norm!(kind = $kind, shape = [_, $n], affine = weight, dtype = $dtype);
            kernel.backward(&t.x, &t.dy, &t.weight, &t.saved, &mut t.y, &mut t.dweight).expect(WORKS)
        };
        let prepare: fn(&mut Tensors<$t>) = |t| {
            let kernel = norm!(kind = $kind, shape = [_, $n], affine = weight, dtype = $dtype);
            kernel.forward_train(&t.x, &t.weight, &mut t.y, &mut t.saved).expect(WORKS)
        };
        [prepare, run]
    }};
}

macro_rules! workloads {
    ($all:ident, $rows:expr, $n:literal; $($kind:literal $dtype:ident),*) => {{
        let rows: usize = $rows;
        let sizes = Sizes { elements: rows * $n, params: $n };
        $(
            let name = |pass| format!("{}_{pass}_{}_{rows}x{}", $kind, stringify!($dtype), $n);
            let (own, f32s) = (pass!(fwd, $dtype, $kind, $n, $dtype), pass!(fwd, f32, $kind, $n, f32));
            $all.push(half_workload(name("fwd"), sizes, Pass::Forward, own, f32s));
            let (own, f32s) = (pass!(bwd, $dtype, $kind, $n, $dtype), pass!(bwd, f32, $kind, $n, f32));
            $all.push(half_workload(name("bwd"), sizes, Pass::Backward, own, f32s));
        )*
    }};
}

/// Rms and layer normalization with a weight of f32, in the cache and beyond it.
#[must_use]
pub fn workloads() -> Vec<Workload> {
    let mut all = Vec::new();
    workloads!(all, 64, 100; "rms" bf16, "layer" bf16, "rms" f16, "layer" f16);
    for rows in [64, 32_768] {
        workloads!(all, rows, 768; "rms" bf16, "layer" bf16, "rms" f16, "layer" f16);
    }
    for rows in [64, 512] {
        workloads!(all, rows, 4096; "rms" bf16, "layer" bf16, "rms" f16, "layer" f16);
    }
    all
}
