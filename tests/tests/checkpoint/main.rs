//! Checkpoints: every spelling, every conversion, every error; and that nothing changes where one of them is.

use normkit::checkpoint::{Checkpoint, Error, TensorError, Writer};
use normkit::{NormLayer, Tensor, bf16, f16, normalize};
use safetensors::tensor::{Dtype, TensorView};

mod files;

#[normalize(kind = "layer", shape = [_, 3])]
#[derive(Clone, Debug, PartialEq)]
struct Norm;

#[normalize(kind = "layer", shape = [_, 3])]
struct KerasNorm {
    gamma: [f32; 3],
    shift: Vec<f32>,
}

#[normalize(kind = "rms", shape = [_, 3], dtype = f32 | f16 | bf16, param = bf16)]
struct Bf16Norm;

#[normalize(kind = "rms", shape = [_, 3], dtype = f16, param = f16)]
struct F16Norm;

#[normalize(kind = "rms", shape = [_, 3], dtype = f64)]
struct F64Norm;

#[normalize(kind = "batch", shape = [_, 3, _])]
#[derive(Clone, Debug, PartialEq)]
struct Batch;

#[normalize(kind = "weight", shape = [2, 3])]
struct Weight;

#[normalize(kind = "weight", shape = [4, 2, 3], axis = 1)]
struct Middle;

#[normalize(allow(mixed_kinds))]
#[derive(Clone, Debug, Default, PartialEq)]
struct Block {
    #[norm(kind = "rms", shape = [_, 3])]
    input_layernorm: InputNorm,
    #[norm(kind = "layer", shape = [_, 3])]
    post_layernorm: PostNorm,
}

/// A tensor to be put in a file.
#[derive(Clone)]
struct Entry(String, Dtype, Vec<usize>, Vec<u8>);

fn f32s(name: &str, shape: &[usize], values: &[f32]) -> Entry {
    Entry(name.into(), Dtype::F32, shape.into(), values.iter().flat_map(|v| v.to_le_bytes()).collect())
}

fn count(name: &str, shape: &[usize], value: i64) -> Entry {
    Entry(name.into(), Dtype::I64, shape.into(), value.to_le_bytes().into())
}

fn file(entries: &[Entry]) -> Vec<u8> {
    let views = entries.iter().map(|Entry(name, dtype, shape, bytes)| {
        (name.as_str(), TensorView::new(*dtype, shape.clone(), bytes).unwrap())
    });
    safetensors::serialize(views, None).unwrap()
}

fn checkpoint(entries: &[Entry]) -> Checkpoint<'static> {
    Checkpoint::from_bytes(file(entries)).unwrap()
}

/// What does not fit of one layer, which has to be as it was.
fn refused<L: NormLayer>(checkpoint: &Checkpoint<'_>, prefix: &str, mut layer: L) -> Vec<TensorError> {
    let before = contents(&layer);
    let error = checkpoint.load(prefix, &mut layer).expect_err("should have been refused");
    assert_eq!(contents(&layer), before, "{error}");
    match error {
        Error::Tensors(errors) => errors,
        other => panic!("{other}"),
    }
}

fn contents(layer: &dyn NormLayer) -> Vec<String> {
    layer.params().into_iter().chain(layer.buffers()).map(|(name, tensor)| format!("{name} {tensor:?}")).collect()
}

fn message(errors: Vec<TensorError>) -> String {
    Error::Tensors(errors).to_string()
}

#[test]
fn every_spelling() -> Result<(), Error> {
    let (w, b) = ([1.0, 2.0, 3.0], [4.0, 5.0, 6.0]);
    for weight in ["weight", "gamma", "scale"] {
        for bias in ["bias", "beta", "shift"] {
            let checkpoint =
                checkpoint(&[f32s(&format!("a.b.{weight}"), &[3], &w), f32s(&format!("a.b.{bias}"), &[3], &b)]);
            for prefix in ["a.b", "a.b."] {
                let (mut norm, mut keras) = (Norm::new(), KerasNorm::new());
                checkpoint.load(prefix, &mut norm)?;
                checkpoint.load(prefix, &mut keras)?;
                assert_eq!((&*norm.weight, &*norm.bias), (&w[..], &b[..]));
                assert_eq!((keras.gamma, &keras.shift[..]), (w, &b[..]));
            }
        }
    }
    for (mean, var) in [("running_mean", "running_var"), ("moving_mean", "moving_variance")] {
        for shape in [&[][..], &[1]] {
            let mut batch = Batch::new();
            let affine = [f32s("weight", &[3], &w), f32s("beta", &[3], &b)];
            let running = [f32s(mean, &[3], &b), f32s(var, &[3], &w), count("num_batches_tracked", shape, 1 << 40)];
            checkpoint(&[&affine[..], &running].concat()).load("", &mut batch)?;
            assert_eq!((&*batch.running_mean, &*batch.running_var), (&b[..], &w[..]));
            assert_eq!((&*batch.weight, &*batch.bias, batch.num_batches_tracked), (&w[..], &b[..], 1 << 40));
        }
    }
    let v = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
    for (lengths, vectors) in
        [("weight_g", "weight_v"), ("parametrizations.weight.original0", "parametrizations.weight.original1")]
    {
        for shape in [&[2, 1][..], &[2]] {
            let entries =
                [f32s(&format!("fc.{lengths}"), shape, &[7.0, 8.0]), f32s(&format!("fc.{vectors}"), &[2, 3], &v)];
            let mut weight = Weight::new();
            checkpoint(&entries).load("fc", &mut weight)?;
            assert_eq!((&*weight.weight_g, &*weight.weight_v), (&[7.0, 8.0][..], &v[..]));
        }
    }
    let v = [0.5; 24];
    let mut middle = Middle::new();
    checkpoint(&[f32s("weight_g", &[1, 2, 1], &[7.0, 8.0]), f32s("weight_v", &[4, 2, 3], &v)]).load("", &mut middle)?;
    assert_eq!((&*middle.weight_g, &*middle.weight_v), (&[7.0, 8.0][..], &v[..]));
    Ok(())
}

#[test]
fn every_type_into_every_type() -> Result<(), Error> {
    // Exact in all of them, and values that are not: they are rounded to the nearest, ties to even.
    let values = [1.0, -0.625, 3.0_f64];
    let bytes = |dtype: Dtype, values: &[f64]| -> Vec<u8> {
        let each = |v: &f64| match dtype {
            Dtype::F16 => f16::from_f64(*v).to_le_bytes().to_vec(),
            Dtype::BF16 => bf16::from_f64(*v).to_le_bytes().to_vec(),
            Dtype::F32 => (*v as f32).to_le_bytes().to_vec(),
            _ => v.to_le_bytes().to_vec(),
        };
        values.iter().flat_map(each).collect()
    };
    for dtype in [Dtype::F16, Dtype::BF16, Dtype::F32, Dtype::F64] {
        let checkpoint = checkpoint(&[
            Entry("weight".into(), dtype, vec![3], bytes(dtype, &values)),
            Entry("bias".into(), dtype, vec![3], bytes(dtype, &values)),
        ]);
        let (mut f32s, mut f64s, mut f16s, mut bf16s) = (Norm::new(), F64Norm::new(), F16Norm::new(), Bf16Norm::new());
        checkpoint.load("", &mut f32s)?;
        checkpoint.load("", &mut f64s)?;
        checkpoint.load("", &mut f16s)?;
        checkpoint.load("", &mut bf16s)?;
        assert_eq!(*f32s.weight, values.map(|v| v as f32));
        assert_eq!(*f32s.bias, values.map(|v| v as f32));
        assert_eq!(*f64s.weight, values);
        assert_eq!(*f16s.weight, values.map(f16::from_f64));
        assert_eq!(*bf16s.weight, values.map(bf16::from_f64));
    }
    let tie = 1.0 + 2.0_f64.powi(-8);
    let rounded = [tie, tie + 2.0_f64.powi(-40), f64::NAN];
    let mut norm = Bf16Norm::new();
    checkpoint(&[Entry("weight".into(), Dtype::F64, vec![3], bytes(Dtype::F64, &rounded))]).load("", &mut norm)?;
    assert_eq!(norm.weight[..2], [bf16::ONE, bf16::from_f64(1.0 + 2.0_f64.powi(-7))]);
    assert!(norm.weight[2].is_nan());
    let infinite = [f64::INFINITY, f64::NEG_INFINITY, -0.0];
    checkpoint(&[Entry("weight".into(), Dtype::F64, vec![3], bytes(Dtype::F64, &infinite))]).load("", &mut norm)?;
    assert_eq!(norm.weight[..2], [bf16::INFINITY, bf16::NEG_INFINITY]);
    assert!(norm.weight[2].is_sign_negative());
    Ok(())
}

#[test]
fn missing() {
    let entries = [
        f32s("model.norm.weigth", &[3], &[1.0; 3]),
        f32s("model.norm.bias", &[3], &[1.0; 3]),
        f32s("lm_head.weight", &[2, 3], &[1.0; 6]),
        f32s("z", &[1], &[1.0]),
    ];
    let errors = refused(&checkpoint(&entries), "model.norm", Norm::new());
    let [TensorError::Missing { names, expected, file, nearest }] = &errors[..] else { panic!("{errors:?}") };
    assert_eq!(names, &["model.norm.weight", "model.norm.gamma", "model.norm.scale"]);
    assert_eq!((&expected[..], &file[..]), ("[3]", "bytes"));
    assert_eq!(nearest[0], ("model.norm.weigth".into(), vec![3]));
    assert_eq!(
        message(errors),
        "`model.norm.weight` (or `model.norm.gamma` or `model.norm.scale`): expected a tensor of shape [3], found none in \
         `bytes`; help: the nearest names are `model.norm.weigth` [3], `model.norm.bias` [3], `lm_head.weight` [2, 3]"
    );
    // All that is wrong at once; of nothing there is nothing near.
    let errors = refused(&checkpoint(&[]), "bn", Batch::new());
    assert_eq!(errors.len(), 5);
    assert!(
        message(errors)
            .ends_with("\n`bn.num_batches_tracked`: expected a tensor of shape [] or [1], found none in `bytes`")
    );
    assert!(matches!(refused(&checkpoint(&entries), "", Weight::new())[..], [TensorError::Missing { .. }, _]));
}

#[test]
fn a_wrong_prefix_for_a_large_model_is_told_shortly() {
    let entries: Vec<_> = (0..2000).map(|i| f32s(&format!("model.layers.{i}.norm.weight"), &[3], &[1.0; 3])).collect();
    let checkpoint = checkpoint(&entries);
    let mut norms = vec![InputNorm::new(); 500];
    let layers = norms.iter_mut().enumerate().map(|(i, norm)| (format!("{i}.norm"), norm as &mut dyn NormLayer));
    let error = checkpoint.load_all("transformer.h", layers).unwrap_err();
    let text = error.to_string();
    let Error::Tensors(errors) = error else { panic!("{text}") };
    assert!(matches!(&errors[499], TensorError::Missing { nearest, .. } if nearest.is_empty()));
    assert_eq!(text.lines().count(), 9);
    assert!(text.contains("help: the nearest names are `model.layers.0.norm.weight` [3]"), "{text}");
    assert!(text.ends_with("\nand 492 more"), "{text}");
}

#[test]
fn misshapen() {
    let bias = f32s("bias", &[3], &[1.0; 3]);
    for shape in [&[3, 1][..], &[1, 3], &[4], &[2], &[], &[0]] {
        let weight = f32s("weight", shape, &vec![1.0; shape.iter().product()]);
        let errors = refused(&checkpoint(&[weight, bias.clone()]), "", Norm::new());
        let [TensorError::Shape { name, expected, found, .. }] = &errors[..] else { panic!("{errors:?}") };
        assert_eq!((&name[..], &expected[..], &found[..]), ("weight", "[3]", shape));
    }
    let vectors = f32s("weight_v", &[3, 2], &[1.0; 6]);
    let lengths = f32s("weight_g", &[1, 2], &[1.0; 2]);
    assert_eq!(
        message(refused(&checkpoint(&[lengths, vectors]), "", Weight::new())),
        "`weight_v`: expected the shape [2, 3], found [3, 2] in `bytes`\n\
         `weight_g`: expected the shape [2, 1] or [2], found [1, 2] in `bytes`"
    );
    let moved = [f32s("a.weight", &[4], &[1.0; 4]), f32s("b.weight", &[3], &[1.0; 3]), f32s("a.bias", &[3], &[1.0; 3])];
    assert_eq!(
        message(refused(&checkpoint(&moved), "a", Norm::new())),
        "`a.weight`: expected the shape [3], found [4] in `bytes`; help: that shape have `b.weight` [3], `a.bias` [3]"
    );
}

#[test]
fn of_another_type() {
    let integers = Entry("weight".into(), Dtype::I32, vec![3], vec![0; 12]);
    let bias = f32s("bias", &[3], &[1.0; 3]);
    assert_eq!(
        message(refused(&checkpoint(&[integers, bias.clone()]), "", Norm::new())),
        "`weight`: expected elements of type F16, BF16, F32 or F64, found I32 in `bytes`"
    );
    let all = ["weight", "bias", "running_mean", "running_var"].map(|name| f32s(name, &[3], &[1.0; 3]));
    for dtype in [Dtype::F32, Dtype::F64, Dtype::U64] {
        let count = Entry("num_batches_tracked".into(), dtype, vec![], vec![0; dtype.bitsize() / 8]);
        assert_eq!(
            message(refused(&checkpoint(&[&all[..], &[count]].concat()), "", Batch::new())),
            format!("`num_batches_tracked`: expected elements of type I64, found {dtype} in `bytes`")
        );
    }
    let count = Entry("weight".into(), Dtype::I64, vec![3], vec![0; 24]);
    assert!(matches!(refused(&checkpoint(&[count, bias]), "", Norm::new())[..], [TensorError::Type { .. }]));
}

#[test]
fn two_spellings() {
    let both = [f32s("n.weight", &[3], &[1.0; 3]), f32s("n.gamma", &[3], &[2.0; 3]), f32s("n.bias", &[3], &[1.0; 3])];
    assert_eq!(
        message(refused(&checkpoint(&both), "n", Norm::new())),
        "expected one spelling of a tensor in `bytes`, found `n.weight` and `n.gamma`"
    );
}

#[test]
fn out_of_range() {
    let weight = f32s("weight", &[3], &[1.0, -65520.0, 70000.0]);
    let errors = refused(&checkpoint(std::slice::from_ref(&weight)), "", F16Norm::new());
    assert!(matches!(errors[..], [TensorError::OutOfRange { index: 1, value: -65520.0, param: "f16", .. }]));
    assert_eq!(message(errors), "`weight`: expected numbers in the range of f16, found -6.552e4 at 1 in `bytes`");
    checkpoint(&[weight]).load("", &mut Bf16Norm::new()).unwrap();
}

#[test]
fn a_missing_count_can_be_told() -> Result<(), Error> {
    let all = ["weight", "bias", "running_mean", "running_var"].map(|name| f32s(name, &[3], &[1.0; 3]));
    assert_eq!(refused(&checkpoint(&all), "", Batch::new()).len(), 1);
    let mut batch = Batch::new();
    checkpoint(&all).missing_batch_count(5).load("", &mut batch)?;
    assert_eq!(batch.num_batches_tracked, 5);
    // What is there counts.
    let all = [&all[..], &[count("num_batches_tracked", &[], 9)]].concat();
    checkpoint(&all).missing_batch_count(5).load("", &mut batch)?;
    assert_eq!(batch.num_batches_tracked, 9);
    // It is for this one alone.
    assert_eq!(refused(&checkpoint(&all[1..]).missing_batch_count(5), "", Batch::new()).len(), 1);
    Ok(())
}

#[test]
fn a_model_is_loaded_as_a_whole_or_not_at_all() -> Result<(), Error> {
    let mut blocks = vec![Block::default(); 2];
    for (i, block) in blocks.iter_mut().enumerate() {
        block.input_layernorm.weight.fill(i as f32 + 2.0);
        block.post_layernorm.bias.fill(i as f32 + 3.0);
    }
    let mut writer = Writer::new();
    for (i, block) in blocks.iter().enumerate() {
        writer.add_all(&format!("model.layers.{i}."), block.norms())?;
    }
    let whole = Checkpoint::from_bytes(writer.to_bytes()?)?;
    let names: Vec<_> = whole.names().collect();
    assert_eq!(names.len(), 6);
    assert_eq!(names[0], "model.layers.0.input_layernorm.weight");

    let mut one = Block::default();
    whole.load_all("model.layers.1", one.norms_mut())?;
    assert_eq!(one, blocks[1]);

    fn all(blocks: &mut [Block]) -> impl Iterator<Item = (String, &mut dyn NormLayer)> {
        let blocks = blocks.iter_mut().enumerate();
        blocks.flat_map(|(i, block)| block.norms_mut().map(move |(name, norm)| (format!("{i}.{name}"), norm)))
    }
    let mut loaded = vec![Block::default(); 2];
    whole.load_all("model.layers", all(&mut loaded))?;
    assert_eq!(loaded, blocks);

    // Without one tensor, that of the last layer, none of the layers is changed.
    for missing in names {
        let cut: Vec<_> =
            whole.names().filter(|name| *name != missing).map(|name| f32s(name, &[3], &[9.0; 3])).collect();
        let mut loaded = vec![Block::default(); 2];
        let error = checkpoint(&cut).load_all("model.layers", all(&mut loaded)).unwrap_err();
        assert!(matches!(&error, Error::Tensors(errors) if errors.len() == 1), "{error}");
        assert!(error.to_string().starts_with(&format!("`{missing}` (or ")), "{error}");
        assert_eq!(loaded, vec![Block::default(); 2]);
    }
    Ok(())
}

#[test]
fn names_are_written_once() -> Result<(), Error> {
    let mut writer = Writer::new();
    writer.add("a", &Norm::new())?;
    let before = writer.to_bytes()?;
    assert_eq!(
        writer.add("a.", &KerasNorm::new()).unwrap_err().to_string(),
        "`a.weight`: expected one tensor of this name, found a second"
    );
    let (one, two) = (Bf16Norm::new(), Norm::new());
    let layers: [(&str, &dyn NormLayer); 2] = [("b", &one), ("b", &two)];
    assert!(matches!(writer.add_all("", layers), Err(Error::Repeated { tensor }) if tensor == "b.weight"));
    assert_eq!(writer.to_bytes()?, before, "nothing was added");
    Ok(())
}

#[test]
fn errors_are_errors_and_can_be_sent() {
    fn check<E: std::error::Error + Send + Sync + 'static>() {}
    fn shared<T: Send + Sync>() {}
    check::<Error>();
    check::<TensorError>();
    shared::<Checkpoint<'_>>();
    assert!(matches!(Norm::new().params()[0], ("weight", Tensor::F32(_))));
}
