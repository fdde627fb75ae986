//! `cargo bench`: batch, instance, group and weight normalization, and layer normalization over the channels.
//!
//! `cargo bench --bench channels -- --test` runs each once: the short mode. `-- batch_train` filters.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use normkit_bench::channels::workloads;

fn channels(criterion: &mut Criterion) {
    for workload in workloads() {
        let mut group = criterion.benchmark_group(&workload.name);
        let (elements, bytes) = (workload.elements as u64, workload.bytes as u64);
        group.throughput(Throughput::ElementsAndBytes { elements, bytes });
        // A call takes milliseconds, of scalar code a tenth of a second: more samples would take minutes and say no more.
        group.sample_size(20);
        for mut contender in (workload.build)() {
            group.bench_function(BenchmarkId::from_parameter(contender.name), |bencher| {
                bencher.iter(&mut contender.run)
            });
        }
        group.finish();
    }
}

criterion_group!(benches, channels);
criterion_main!(benches);
