//! Checkpoints that PyTorch wrote (`tests/golden/checkpoints.py`): loaded, they compute what it computes; written again, they have its
//! names, shapes and types.

use normkit::checkpoint::{Checkpoint, Error, Writer};
use normkit::{bf16, f16, normalize};
use safetensors::{Dtype, SafeTensors};
use std::path::{Path, PathBuf};

/// As the module of `checkpoints.py`, field by field.
#[normalize(allow(mixed_kinds))]
#[derive(Default)]
struct Model {
    #[norm(kind = "layer", shape = [_, 20])]
    layer: LayerNorm,
    #[norm(kind = "rms", shape = [_, 20], dtype = bf16, param = bf16)]
    rms: RmsNorm,
    #[norm(kind = "group", groups = 2, shape = [_, 6, _], dtype = f16, param = f16)]
    group: GroupNorm,
    #[norm(kind = "layer", shape = [_, 4, 5], axis = 1.., dtype = f64)]
    plane: PlaneNorm,
    #[norm(kind = "batch", shape = [_, 3, _, _])]
    batch: BatchNorm,
    #[norm(kind = "weight", shape = [4, 6])]
    older: OlderNorm,
    #[norm(kind = "weight", shape = [3, 2, 5])]
    newer: NewerNorm,
}

/// The same in f32 throughout, with sizes known at run time.
#[normalize(allow(mixed_kinds))]
struct Open {
    #[norm(kind = "layer", shape = [_, _])]
    layer: OpenLayer,
    #[norm(kind = "rms", shape = [_, _])]
    rms: OpenRms,
    #[norm(kind = "group", groups = 2, shape = [_, _, _])]
    group: OpenGroup,
    #[norm(kind = "layer", shape = [_, _, 5], axis = 1..)]
    plane: OpenPlane,
    #[norm(kind = "batch", shape = [_, _, _, _])]
    batch: OpenBatch,
    #[norm(kind = "weight", shape = [_, _])]
    older: OpenOlder,
    #[norm(kind = "weight", shape = [_, _, _])]
    newer: OpenNewer,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/checkpoints")
}

/// A tensor of what PyTorch computed.
fn output(name: &str) -> Vec<f64> {
    let file = std::fs::read(folder().join("outputs.safetensors")).unwrap();
    let tensors = SafeTensors::deserialize(&file).unwrap();
    let tensor = tensors.tensor(name).unwrap();
    assert_eq!(tensor.dtype(), Dtype::F64);
    tensor.data().as_chunks().0.iter().map(|bytes| f64::from_le_bytes(*bytes)).collect()
}

fn assert_near(name: &str, found: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(found.len(), expected.len(), "{name}");
    let error = found.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    let largest = expected.iter().fold(0.0_f64, |largest, v| largest.max(v.abs()));
    assert!(error <= tolerance * largest, "{name}: off by {error:e}");
}

fn narrow(values: &[f64]) -> Vec<f32> {
    values.iter().map(|&v| v as f32).collect()
}

fn widen(values: &[f32]) -> Vec<f64> {
    values.iter().map(|&v| f64::from(v)).collect()
}

fn check(model: &Model) {
    let f32s = |name: &str, run: &dyn Fn(&[f32], &mut [f32])| {
        let x = narrow(&output(&format!("{name}.x")));
        let mut y = vec![0.0; x.len()];
        run(&x, &mut y);
        assert_near(name, &widen(&y), &output(&format!("{name}.y")), 1e-6);
    };
    f32s("layer", &|x, y| model.layer.forward(x, y).unwrap());
    f32s("batch", &|x, y| model.batch.forward((x, [2, 3, 4, 2]), (y, [2, 3, 4, 2])).unwrap());

    let (x, mut y) = (output("rms.x").into_iter().map(bf16::from_f64).collect::<Vec<_>>(), vec![bf16::ZERO; 60]);
    model.rms.forward(&x, &mut y).unwrap();
    assert_near("rms", &y.iter().map(|v| v.to_f64()).collect::<Vec<_>>(), &output("rms.y"), 0.01);

    let (x, mut y) = (output("group.x").into_iter().map(f16::from_f64).collect::<Vec<_>>(), vec![f16::ZERO; 48]);
    model.group.forward((&x, [2, 6, 4]), (&mut y, [2, 6, 4])).unwrap();
    assert_near("group", &y.iter().map(|v| v.to_f64()).collect::<Vec<_>>(), &output("group.y"), 0.002);

    let (x, mut y) = (output("plane.x"), vec![0.0; 60]);
    model.plane.forward(&x, &mut y).unwrap();
    assert_near("plane", &y, &output("plane.y"), 1e-14);

    let (mut older, mut newer) = ([0.0_f32; 24], [0.0_f32; 30]);
    model.older.forward(&mut older).unwrap();
    model.newer.forward(&mut newer).unwrap();
    assert_near("older", &widen(&older), &output("older.weight"), 1e-6);
    assert_near("newer", &widen(&newer), &output("newer.weight"), 1e-6);
}

#[test]
fn one_file_and_two_shards_compute_what_pytorch_computes() -> Result<(), Error> {
    for path in ["", "model.safetensors", "sharded", "sharded/model.safetensors.index.json"] {
        let (checkpoint, mut model) = (Checkpoint::open(folder().join(path))?, Model::default());
        checkpoint.load_all("", model.norms_mut())?;
        check(&model);
        assert_eq!(model.batch.num_batches_tracked, 3);
    }
    // Whatever the bytes are aligned to.
    for offset in 0..8 {
        let bytes = std::fs::read(folder().join("model.safetensors")).unwrap();
        let bytes = [&vec![0; offset][..], &bytes].concat();
        let (checkpoint, mut model) = (Checkpoint::from_bytes(&bytes[offset..])?, Model::default());
        checkpoint.load_all("", model.norms_mut())?;
        check(&model);
    }
    Ok(())
}

fn open_model(checkpoint: &Checkpoint<'_>) -> Open {
    let len = |name: &str| checkpoint.shape(name).unwrap().iter().product();
    let dims = |name: &str| checkpoint.shape(name).unwrap().to_vec();
    Open {
        layer: OpenLayer::new(len("layer.weight")).unwrap(),
        rms: OpenRms::new(len("rms.weight")).unwrap(),
        group: OpenGroup::new(len("group.weight")).unwrap(),
        plane: OpenPlane::new(len("plane.weight")).unwrap(),
        batch: OpenBatch::new(len("batch.weight")).unwrap(),
        older: OpenOlder::new(dims("older.weight_v").try_into().unwrap()).unwrap(),
        newer: OpenNewer::new(dims("newer.parametrizations.weight.original1").try_into().unwrap()).unwrap(),
    }
}

#[test]
fn sizes_and_types_may_be_others() -> Result<(), Error> {
    let checkpoint = Checkpoint::open(folder())?;
    let mut open = open_model(&checkpoint);
    checkpoint.load_all("", open.norms_mut())?;
    let mut model = Model::default();
    checkpoint.load_all("", model.norms_mut())?;
    assert_eq!(*open.rms.weight, *model.rms.weight.iter().map(|v| v.to_f32()).collect::<Vec<_>>());
    assert_eq!(*open.group.bias, *model.group.bias.iter().map(|v| v.to_f32()).collect::<Vec<_>>());
    assert_eq!(*open.plane.weight, *narrow(&model.plane.weight));
    assert_eq!((&*open.newer.weight_v, &*open.newer.weight_g), (&*model.newer.weight_v, &*model.newer.weight_g));
    Ok(())
}

#[test]
fn written_again_it_is_the_same_state() -> Result<(), Error> {
    let mut model = Model::default();
    Checkpoint::open(folder())?.load_all("", model.norms_mut())?;
    let mut writer = Writer::new();
    let written = writer.add_all("", model.norms())?.to_bytes()?;
    // For `checkpoints.py --read`.
    writer.save(Path::new(env!("CARGO_TARGET_TMPDIR")).join("written.safetensors"))?;
    let original = std::fs::read(folder().join("model.safetensors")).unwrap();
    let [written, original] = [&written, &original].map(|bytes| SafeTensors::deserialize(bytes).unwrap());
    // The names of the older `weight_norm`, which the newer one reads too.
    let renamed = |name: &str| {
        name.replace("parametrizations.weight.original0", "weight_g")
            .replace("parametrizations.weight.original1", "weight_v")
    };
    let state = |tensors: &SafeTensors<'_>| {
        let one = |(name, tensor): (String, safetensors::tensor::TensorView<'_>)| {
            (renamed(&name), tensor.dtype(), tensor.shape().to_vec(), tensor.data().to_vec())
        };
        let mut all: Vec<_> = tensors.tensors().into_iter().map(one).collect();
        all.sort_by(|a, b| a.0.cmp(&b.0));
        all
    };
    assert_eq!(state(&written), state(&original));
    Ok(())
}

#[test]
fn open_sizes_are_told_or_given() -> Result<(), Error> {
    let checkpoint = Checkpoint::open(folder())?;
    let mut open = open_model(&checkpoint);
    checkpoint.load_all("", open.norms_mut())?;
    let mut writer = Writer::new();
    for (name, layer) in open.norms().filter(|(name, _)| *name != "newer") {
        writer.add(name, layer)?;
    }
    let error = writer.add("newer", &open.newer).unwrap_err();
    assert!(matches!(&error, Error::Open { tensor, .. } if tensor == "newer.weight_v"), "{error}");
    assert_eq!(
        error.to_string(),
        "`newer.weight_v`: expected sizes that fit [3, _, _] of 30 elements; help: give them with \
         `add_shaped(prefix, layer, dims)`"
    );
    for dims in [&[3, 10][..], &[2, 3, 5], &[3, 2, 6], &[3, 2, 5, 1], &[usize::MAX, usize::MAX, 2]] {
        assert!(matches!(writer.add_shaped("newer", &open.newer, dims), Err(Error::Open { .. })), "{dims:?}");
    }
    writer.add_shaped("newer", &open.newer, &[3, 2, 5])?;
    let again = Checkpoint::from_bytes(writer.to_bytes()?)?;
    for (name, of) in [("older.weight_v", &[4, 6][..]), ("newer.weight_v", &[3, 2, 5]), ("newer.weight_g", &[3, 1, 1])]
    {
        assert_eq!(again.shape(name), Some(of));
    }
    assert_eq!(again.shape("plane.bias"), Some(&[4, 5][..]));
    let mut back = Model::default();
    again.load_all("", back.norms_mut())?;
    assert_eq!(*back.newer.weight_v, *open.newer.weight_v);
    assert_eq!(back.norms().count(), 7);
    Ok(())
}
