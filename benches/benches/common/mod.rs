//! A group for each workload, a function for each of its contenders.

use criterion::{BenchmarkId, Criterion, Throughput};
use normkit_bench::workloads::Workload;

/// Benches workloads on one thread, with so many samples each.
pub fn bench(criterion: &mut Criterion, workloads: Vec<Workload>, samples: usize) {
    // An error says that it has been built before, by this very function.
    let _ = rayon::ThreadPoolBuilder::new().num_threads(1).build_global();
    for workload in workloads {
        let mut group = criterion.benchmark_group(workload.name());
        let (elements, bytes) = (workload.task.elements() as u64, workload.task.bytes() as u64);
        group.throughput(Throughput::ElementsAndBytes { elements, bytes });
        group.sample_size(samples);
        for mut contender in workload.contenders() {
            contender.enter();
            group.bench_function(BenchmarkId::from_parameter(contender.name.clone()), |bencher| {
                bencher.iter(|| contender.run());
            });
        }
        group.finish();
    }
}
