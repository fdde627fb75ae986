//! `cargo bench --bench channels`: batch, instance, group and weight normalization, and layer normalization over the channels.
//!
//! `-- --test` runs each once: the short mode. `-- batch_train` filters.

use criterion::{Criterion, criterion_group, criterion_main};
use normkit_bench::workloads::Kind;
use normkit_bench::workloads::list::{Set, workloads};

mod common;

fn channels(criterion: &mut Criterion) {
    let rows = |kind, axis: Option<usize>| matches!(kind, Kind::Rms | Kind::Layer) && axis.is_none();
    let images = workloads(Set::Main).into_iter().filter(|workload| !rows(workload.task.kind, workload.task.axis));
    // A call takes milliseconds, of scalar code a tenth of a second: more samples would take minutes and say no more.
    common::bench(criterion, images.collect(), 20);
}

criterion_group!(benches, channels);
criterion_main!(benches);
