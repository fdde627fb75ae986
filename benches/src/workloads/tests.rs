use super::list::{Set, workloads};
use super::*;

/// What speed is promised for.
const MAIN: [&str; 33] = [
    "rms_fwd_f32_8192x64",
    "rms_fwd_f32_4096x128",
    "rms_fwd_f32_1x4096",
    "rms_fwd_f32_128x4096",
    "rms_fwd_f32_8192x4096",
    "rms_fwd_bf16_512x4096",
    "rms_fwd_f16_512x4096",
    "rms_bwd_f32_512x4096",
    "rms_bwd_f32_4096x128",
    "layer_fwd_f32_512x768",
    "layer_fwd_f32_16384x768",
    "layer_fwd_f32_4096x100",
    "layer_bwd_f32_512x768",
    "layer_bwd_f32_16384x768",
    "batch_train_f32_32x64x56x56",
    "batch_infer_f32_32x64x56x56",
    "batch_bwd_f32_32x64x56x56",
    "batch_train_f32_32x64x56x56_cl",
    "batch_infer_f32_32x64x56x56_cl",
    "batch_bwd_f32_32x64x56x56_cl",
    "batch_train_f32_256x1024",
    "batch_infer_f32_256x1024",
    "batch_bwd_f32_256x1024",
    "group_fwd_f32_4x320x64x64_g32",
    "group_bwd_f32_4x320x64x64_g32",
    "group_fwd_f32_4x320x64x64_g32_cl",
    "group_bwd_f32_4x320x64x64_g32_cl",
    "instance_fwd_f32_8x64x128x128",
    "instance_bwd_f32_8x64x128x128",
    "layer_fwd_f32_8x192x28x28_ax1",
    "layer_bwd_f32_8x192x28x28_ax1",
    "weight_fwd_f32_512x1536",
    "weight_bwd_f32_512x1536",
];

#[test]
fn the_main_set_is_complete() {
    let names: Vec<String> = workloads(Set::Main).iter().map(Workload::name).collect();
    assert_eq!(names, MAIN);
}

#[test]
fn names_are_unique() {
    let mut names: Vec<String> = workloads(Set::All).iter().map(Workload::name).collect();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
    assert!(count > MAIN.len() + 100, "{count}");
}

#[test]
fn sizes_follow_from_the_task() {
    let all = workloads(Set::Main);
    let task = |name: &str| &all.iter().find(|workload| workload.name() == name).expect("it is there").task;
    let last = task("group_bwd_f32_4x320x64x64_g32_cl");
    assert_eq!((last.memory_dims(), last.params()), (vec![4, 64, 64, 320], 320));
    assert_eq!((last.bytes(), last.footprint()), (3 * 4 * 320 * 64 * 64 * 4, 3 * 4 * 320 * 64 * 64 * 4));
    let half = task("rms_fwd_f16_512x4096");
    assert_eq!((half.memory_dims(), half.params(), half.bytes()), (vec![512, 4096], 4096, 2 * 512 * 4096 * 2));
    let middle = task("layer_fwd_f32_8x192x28x28_ax1");
    assert_eq!((middle.memory_dims(), middle.params()), (vec![8, 192, 28, 28], 192));
    let weight = task("weight_bwd_f32_512x1536");
    assert_eq!((weight.params(), weight.bytes(), weight.footprint()), (512, 4 * 512 * 1536 * 4, 3 * 512 * 1536 * 4));
}

/// What has to be read before the first of it can be written, in elements.
#[test]
fn stretches_follow_from_the_task() {
    let all = workloads(Set::Main);
    let expected = [
        ("rms_bwd_f32_512x4096", Some(4096)),
        ("layer_fwd_f32_8x192x28x28_ax1", Some(192 * 784)),
        ("batch_train_f32_32x64x56x56", Some(32 * 56 * 56)),
        ("batch_infer_f32_32x64x56x56", None),
        ("batch_bwd_f32_32x64x56x56_cl", Some(32 * 64 * 56 * 56)),
        ("batch_train_f32_256x1024", Some(256 * 1024)),
        ("group_fwd_f32_4x320x64x64_g32", Some(10 * 64 * 64)),
        ("group_fwd_f32_4x320x64x64_g32_cl", Some(320 * 64 * 64)),
        ("instance_bwd_f32_8x64x128x128", Some(128 * 128)),
        ("weight_fwd_f32_512x1536", Some(1536)),
    ];
    for (name, stretch) in expected {
        let workload = all.iter().find(|workload| workload.name() == name).expect("it is there");
        assert_eq!(workload.task.stretch(), stretch, "{name}");
    }
}

/// Contenders of a workload compute the same: what is compared are ways to do one thing.
#[test]
fn contenders_agree() {
    for workload in workloads(Set::Main).into_iter().filter(|workload| workload.task.elements() <= 1 << 20) {
        // Adds to what it has written before.
        let calls = if workload.task.traffic() == Traffic::BackwardAdding { continue } else { 1 };
        let mut expected: Option<Vec<f32>> = None;
        let calculates = |contender: &Contender| !matches!(contender.role, Role::Copy | Role::Twice);
        for mut contender in workload.contenders().into_iter().filter(calculates) {
            contender.enter();
            (0..calls).for_each(|_| contender.run());
            let output = contender.output();
            let expected = expected.get_or_insert_with(|| output.clone());
            let bound = if workload.task.dtype == Dtype::F32 { 1e-4 } else { 2e-2 };
            let error = output.iter().zip(expected.iter()).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(error < bound, "{}: {} differs by {error}", workload.name(), contender.name);
        }
        Level::force(None).expect("it is detected again");
    }
}
