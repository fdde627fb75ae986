//! Rms and layer normalization over rows.

use crate::{Contender, Workload};
use normkit::{Param, Saved, generic, norm};

/// Numbers that follow from their place alone, between -1 and 1.
fn fill(len: usize, seed: u32) -> Param<f32> {
    let mut state = seed.wrapping_mul(0x9e37_79b9) | 1;
    let mut values = Param::filled(0.0, len);
    for value in values.iter_mut() {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        *value = (f64::from(state) / f64::from(u32::MAX) * 2.0 - 1.0) as f32;
    }
    values
}

/// What all contenders work on; each has its own outputs, reused from call to call.
///
/// All tensors are aligned to 64 bytes. A `Vec` often is not, and where each vector straddles two cache lines all kernels
/// are slower, by chance of the allocator.
struct Tensors {
    x: Param<f32>,
    dy: Param<f32>,
    y: Param<f32>,
    weight: Param<f32>,
    bias: Param<f32>,
    dweight: Param<f32>,
    dbias: Param<f32>,
    saved: Saved<f32>,
}

impl Tensors {
    fn new(rows: usize, n: usize) -> Self {
        Tensors {
            x: fill(rows * n, 1),
            dy: fill(rows * n, 2),
            y: Param::filled(0.0, rows * n),
            weight: fill(n, 3),
            bias: fill(n, 4),
            dweight: Param::filled(0.0, n),
            dbias: Param::filled(0.0, n),
            saved: Saved::default(),
        }
    }
}

/// A contender's name and its work.
type Run = (&'static str, fn(&mut Tensors));

const WORKS: &str = "the shapes of a workload fit";

/// The contenders of one pass: `$run` for the generated and the runtime-length kernel, `$generic` for the scalar code.
fn contenders(
    rows: usize,
    n: usize,
    prepare: fn(&mut Tensors),
    runs: [Run; 3],
    copy: fn(&mut Tensors),
) -> Vec<Contender> {
    let contender = |(name, run): Run| {
        let mut tensors = Tensors::new(rows, n);
        prepare(&mut tensors);
        Contender::new(name, move || run(std::hint::black_box(&mut tensors)))
    };
    runs.into_iter().chain([("copy", copy)]).map(contender).collect()
}

/// Copies as many bytes as a forward pass moves.
fn copy(t: &mut Tensors) {
    t.y.copy_from_slice(&t.x);
}

/// Moves as many bytes as a backward pass does, as one and a half copies.
fn copy_and_a_half(t: &mut Tensors) {
    t.y.copy_from_slice(&t.x);
    let half = t.x.len() / 2;
    t.y[..half].copy_from_slice(&t.dy[..half]);
}

macro_rules! workloads {
    ($all:ident, $rows:expr, $n:literal) => {{
        let rows: usize = $rows;
        let mut add = |kind: &str, pass: &str, tensors: usize, build: fn(usize) -> Vec<Contender>| {
            $all.push(Workload {
                name: format!("{kind}_{pass}_f32_{rows}x{}", $n),
                elements: rows * $n,
                bytes: tensors * rows * $n * size_of::<f32>(),
                build: Box::new(move || build(rows)),
            });
        };
        add("rms", "fwd", 2, |rows| {
            contenders(
                rows,
                $n,
                |_| {},
                [
                    ("generated", |t| {
                        norm!(kind = "rms", shape = [_, $n]).forward(&t.x, &t.weight, &mut t.y).expect(WORKS)
                    }),
                    ("runtime", |t| {
                        norm!(kind = "rms", shape = [_, _]).forward(&t.x, &t.weight, &mut t.y).expect(WORKS)
                    }),
                    ("generic", |t| generic::rms_forward(&t.x, Some(&t.weight), 1e-6, $n, &mut t.y)),
                ],
                copy,
            )
        });
        add("rms", "train", 2, |rows| {
            contenders(
                rows,
                $n,
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
                copy,
            )
        });
        add("rms", "bwd", 3, |rows| {
            contenders(
                rows,
                $n,
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
                copy_and_a_half,
            )
        });
        add("layer", "fwd", 2, |rows| {
            contenders(
                rows,
                $n,
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
                copy,
            )
        });
        add("layer", "train", 2, |rows| {
            contenders(
                rows,
                $n,
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
                copy,
            )
        });
        add("layer", "bwd", 3, |rows| {
            contenders(
                rows,
                $n,
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
                copy_and_a_half,
            )
        });
    }};
}

/// All of them: eight lengths at 1, 64 and 4096 rows.
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
