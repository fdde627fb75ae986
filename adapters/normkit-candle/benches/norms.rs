//! `cargo bench -p normkit-candle -- rms_fwd`: candle-nn's layers and ours, on one thread: that of a pool, so that candle does not hand
//! its work over to another.

#[allow(missing_docs)]
mod workloads;

use criterion::{Criterion, criterion_group, criterion_main};

fn norms(criterion: &mut Criterion) {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a thread");
    for workload in workloads::workloads().expect("the shapes fit") {
        let mut group = criterion.benchmark_group(&workload.name);
        group.bench_function("candle", |bencher| pool.install(|| bencher.iter(&workload.candle)));
        group.bench_function("normkit", |bencher| pool.install(|| bencher.iter(&workload.ours)));
        if let Some(copy) = &workload.copy {
            group.bench_function("copy", |bencher| pool.install(|| bencher.iter(copy)));
        }
        group.finish();
    }
}

criterion_group!(benches, norms);
criterion_main!(benches);
