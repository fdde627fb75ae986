//! `cargo bench --bench rows`: rows of eight lengths, forward, training forward and backward, of rms and layer normalization.
//!
//! `-- --test` runs each once: the short mode. `-- rms_fwd` filters.

use criterion::{Criterion, criterion_group, criterion_main};
use normkit_bench::workloads::list::{Set, workloads};

mod common;

fn rows(criterion: &mut Criterion) {
    common::bench(criterion, workloads(Set::Lengths), 100);
}

criterion_group!(benches, rows);
criterion_main!(benches);
