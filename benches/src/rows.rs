//! Rms and layer normalization over rows.

use crate::Workload;
use crate::tensors::{Pass, Run, Sizes, Tensors, WORKS, workload};
use normkit::{generic, norm};

macro_rules! workloads {
    ($all:ident, $rows:expr, $n:literal) => {{
        let rows: usize = $rows;
        let mut add = |kind: &str, name: &str, pass: Pass, prepare: fn(&mut Tensors), runs: [Run; 3]| {
            let sizes = Sizes { elements: rows * $n, params: $n };
            $all.push(workload(format!("{kind}_{name}_f32_{rows}x{}", $n), sizes, pass, prepare, runs.to_vec()));
        };
        add(
            "rms",
            "fwd",
            Pass::Forward,
            |_| {},
            [
                ("generated", |t| {
                    norm!(kind = "rms", shape = [_, $n]).forward(&t.x, &t.weight, &mut t.y).expect(WORKS)
                }),
                ("runtime", |t| norm!(kind = "rms", shape = [_, _]).forward(&t.x, &t.weight, &mut t.y).expect(WORKS)),
                ("generic", |t| generic::rms_forward(&t.x, Some(&t.weight), 1e-6, $n, &mut t.y)),
            ],
        );
        add(
            "rms",
            "train",
            Pass::Forward,
            |_| {},
            [
                ("generated", |t| {
                    norm!(kind = "rms", shape = [_, $n])
                        .forward_train(&t.x, &t.weight, &mut t.y, &mut t.saved)
                        .expect(WORKS)
                }),
                ("runtime", |t| {
                    norm!(kind = "rms", shape = [_, _])
                        .forward_train(&t.x, &t.weight, &mut t.y, &mut t.saved)
                        .expect(WORKS)
                }),
                ("generic", |t| generic::rms_forward(&t.x, Some(&t.weight), 1e-6, $n, &mut t.y)),
            ],
        );
        add(
            "rms",
            "bwd",
            Pass::Backward,
            |t| {
                norm!(kind = "rms", shape = [_, $n])
                    .forward_train(&t.x, &t.weight, &mut t.y, &mut t.saved)
                    .expect(WORKS)
            },
            [
                ("generated", |t| {
                    norm!(kind = "rms", shape = [_, $n])
                        .backward(&t.x, &t.dy, &t.weight, &t.saved, &mut t.y, &mut t.dweight)
                        .expect(WORKS)
                }),
                ("runtime", |t| {
                    norm!(kind = "rms", shape = [_, _])
                        .backward(&t.x, &t.dy, &t.weight, &t.saved, &mut t.y, &mut t.dweight)
                        .expect(WORKS)
                }),
                ("generic", |t| {
                    generic::rms_backward(&t.x, &t.dy, Some(&t.weight), 1e-6, $n, &mut t.y, Some(&mut t.dweight))
                }),
            ],
        );
        add(
            "layer",
            "fwd",
            Pass::Forward,
            |_| {},
            [
                ("generated", |t| {
                    norm!(kind = "layer", shape = [_, $n]).forward(&t.x, &t.weight, &t.bias, &mut t.y).expect(WORKS)
                }),
                ("runtime", |t| {
                    norm!(kind = "layer", shape = [_, _]).forward(&t.x, &t.weight, &t.bias, &mut t.y).expect(WORKS)
                }),
                ("generic", |t| generic::layer_forward(&t.x, Some(&t.weight), Some(&t.bias), 1e-5, $n, &mut t.y)),
            ],
        );
        add(
            "layer",
            "train",
            Pass::Forward,
            |_| {},
            [
                ("generated", |t| {
                    norm!(kind = "layer", shape = [_, $n])
                        .forward_train(&t.x, &t.weight, &t.bias, &mut t.y, &mut t.saved)
                        .expect(WORKS)
                }),
                ("runtime", |t| {
                    norm!(kind = "layer", shape = [_, _])
                        .forward_train(&t.x, &t.weight, &t.bias, &mut t.y, &mut t.saved)
                        .expect(WORKS)
                }),
                ("generic", |t| generic::layer_forward(&t.x, Some(&t.weight), Some(&t.bias), 1e-5, $n, &mut t.y)),
            ],
        );
        add(
            "layer",
            "bwd",
            Pass::Backward,
            |t| {
                norm!(kind = "layer", shape = [_, $n])
                    .forward_train(&t.x, &t.weight, &t.bias, &mut t.y, &mut t.saved)
                    .expect(WORKS)
            },
            [
                ("generated", |t| {
                    norm!(kind = "layer", shape = [_, $n])
                        .backward(&t.x, &t.dy, &t.weight, &t.saved, &mut t.y, &mut t.dweight, &mut t.dbias)
                        .expect(WORKS)
                }),
                ("runtime", |t| {
                    norm!(kind = "layer", shape = [_, _])
                        .backward(&t.x, &t.dy, &t.weight, &t.saved, &mut t.y, &mut t.dweight, &mut t.dbias)
                        .expect(WORKS)
                }),
                ("generic", |t| {
                    generic::layer_backward(
                        &t.x,
                        &t.dy,
                        Some(&t.weight),
                        1e-5,
                        $n,
                        &mut t.y,
                        Some(&mut t.dweight),
                        Some(&mut t.dbias),
                    )
                }),
            ],
        );
    }};
}

/// Eight lengths at 1, 64 and 4096 rows.
#[must_use]
pub fn workloads() -> Vec<Workload> {
    let mut all = Vec::new();
    for rows in [1, 64, 4096] {
        workloads!(all, rows, 64);
        workloads!(all, rows, 100);
        workloads!(all, rows, 128);
        workloads!(all, rows, 256);
        workloads!(all, rows, 768);
        workloads!(all, rows, 1024);
        workloads!(all, rows, 4096);
        workloads!(all, rows, 8192);
    }
    all
}
