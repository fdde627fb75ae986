//! `cargo bench -p normkit-burn -- rms_fwd`: burn's layers and ours, on one thread: that of a pool, so that burn does not share its work
//! out.

#[allow(missing_docs)]
mod workloads;

use criterion::{Criterion, criterion_group, criterion_main};

fn norms(criterion: &mut Criterion) {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a thread");
    for workload in workloads::workloads() {
        let mut group = criterion.benchmark_group(&workload.name);
        group.bench_function("burn", |bencher| pool.install(|| bencher.iter(&workload.burn)));
        group.bench_function("normkit", |bencher| pool.install(|| bencher.iter(&workload.ours)));
        group.finish();
    }
}

criterion_group!(benches, norms);
criterion_main!(benches);
