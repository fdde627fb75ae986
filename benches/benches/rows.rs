//! `cargo bench`: forward, training forward and backward of rms and layer normalization.
//!
//! `cargo bench -- --test` runs each once: the short mode. `cargo bench -- rms_fwd` filters.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use normkit_bench::rows::workloads;

fn rows(criterion: &mut Criterion) {
    for workload in workloads() {
        let mut group = criterion.benchmark_group(&workload.name);
        let (elements, bytes) = (workload.elements as u64, workload.bytes as u64);
        group.throughput(Throughput::ElementsAndBytes { elements, bytes });
        for mut contender in (workload.build)() {
            group.bench_function(BenchmarkId::from_parameter(contender.name), |bencher| {
                bencher.iter(&mut contender.run)
            });
        }
        group.finish();
    }
}

criterion_group!(benches, rows);
criterion_main!(benches);
