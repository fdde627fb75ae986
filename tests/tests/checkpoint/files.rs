//! Files, folders and shards, whole and broken.

use super::{F64Norm, Norm, f32s, file};
use normkit::checkpoint::{Checkpoint, Error, Writer};
use std::path::{Path, PathBuf};

/// An empty folder of that name.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("checkpoint").join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

#[test]
fn a_file_is_replaced_as_a_whole() -> Result<(), Error> {
    let folder = folder("replaced");
    let path = folder.join("norms.safetensors");
    let mut norm = Norm::new();
    for value in [1.5, 2.5] {
        norm.bias.fill(value);
        Writer::new().add("n", &norm)?.save(&path)?;
        let mut loaded = Norm::new();
        Checkpoint::open(&path)?.load("n", &mut loaded)?;
        assert_eq!(loaded, norm);
    }
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1, "no other file is left");
    let nowhere = folder.join("missing/norms.safetensors");
    assert!(matches!(Writer::new().save(&nowhere), Err(Error::Io { path, .. }) if path == nowhere));
    let taken = folder.join("taken");
    std::fs::create_dir(&taken).unwrap();
    assert!(matches!(Writer::new().save(&taken), Err(Error::Io { .. })));
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 2);
    Ok(())
}

#[test]
fn folders() -> Result<(), Error> {
    let contents = file(&[f32s("weight", &[3], &[1.0; 3])]);
    let write =
        |folder: &Path, names: &[&str]| names.iter().for_each(|n| std::fs::write(folder.join(n), &contents).unwrap());
    let empty = folder("empty");
    let error = Checkpoint::open(&empty).unwrap_err();
    assert!(matches!(&error, Error::NotOne { found, .. } if found.is_empty()));
    assert!(error.to_string().ends_with("expected a file `*.safetensors` or `*.safetensors.index.json`, found none"));

    let one = folder("one");
    write(&one, &["unet.safetensors", "other.json"]);
    Checkpoint::open(&one)?.load("", &mut F64Norm::new())?;

    let two = folder("two");
    write(&two, &["a.safetensors", "b.safetensors"]);
    let error = Checkpoint::open(&two).unwrap_err().to_string();
    assert!(error.ends_with("found `a.safetensors`, `b.safetensors`; help: open one of these"), "{error}");
    write(&two, &["model.safetensors"]);
    Checkpoint::open(&two)?;

    let missing = two.join("c.safetensors");
    let error = Checkpoint::open(&missing).unwrap_err();
    assert!(matches!(&error, Error::Io { path, .. } if *path == missing));
    assert!(std::error::Error::source(&error).is_some());
    Ok(())
}

#[test]
fn shards() -> Result<(), Error> {
    let folder = folder("shards");
    let index = folder.join("model.safetensors.index.json");
    let (first, second) = ("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors");
    std::fs::write(folder.join(first), file(&[f32s("weight", &[3], &[2.0; 3]), f32s("old", &[1], &[0.0])])).unwrap();
    std::fs::write(folder.join(second), file(&[f32s("bias", &[3], &[3.0; 3]), f32s("gamma", &[3], &[4.0; 3])]))
        .unwrap();
    let with = |text: &str| {
        std::fs::write(&index, text).unwrap();
        Checkpoint::open(&folder)
    };
    let map = |last: &str| format!(r#"{{"metadata": {{}}, "weight_map": {{"weight": "{first}", "bias": {last}}}}}"#);
    let checkpoint = with(&map(&format!("\"{second}\"")))?;
    // What the index does not name is not there.
    assert_eq!(checkpoint.names().collect::<Vec<_>>(), ["bias", "weight"]);
    let mut norm = Norm::new();
    checkpoint.load("", &mut norm)?;
    assert_eq!((norm.weight[0], norm.bias[0]), (2.0, 3.0));

    let message = |text: &str| with(text).unwrap_err().to_string();
    for (last, end) in [
        (format!("\"{first}\""), "expected `bias` in `model-00001-of-00002.safetensors`, which does not have it"),
        ("1".into(), "found no name of a file for `bias`"),
        ("\"../x\"".into(), "found the shard `../x`, which is no name of a file beside the index"),
        ("\"/etc/passwd\"".into(), "found the shard `/etc/passwd`, which is no name of a file beside the index"),
        ("\"\"".into(), "found the shard ``, which is no name of a file beside the index"),
    ] {
        let text = message(&map(&last));
        assert!(text.ends_with(end) && text.starts_with(&format!("`{}`", index.display())), "{text}");
    }
    assert!(message("{}").ends_with("found an index without the object `weight_map`"));
    assert!(message(r#"{"weight_map": []}"#).ends_with("found an index without the object `weight_map`"));
    assert!(message("{").contains("found an index that is no JSON: "));
    let lost = with(&map("\"lost.safetensors\"")).unwrap_err();
    assert!(matches!(lost, Error::Io { path, .. } if path == folder.join("lost.safetensors")));
    Ok(())
}

#[test]
fn files_that_are_none() {
    let good = file(&[f32s("weight", &[3], &[1.0; 3])]);
    let format = |bytes: &[u8]| match Checkpoint::from_bytes(bytes) {
        Err(Error::Format { file, reason }) => {
            assert_eq!(file, "bytes");
            reason
        }
        other => panic!("{other:?}"),
    };
    // Cut off anywhere.
    for len in 0..good.len() {
        format(&good[..len]);
    }
    assert_eq!(format(&good[..5]), "5 bytes");
    assert_eq!(format(&good[..12]), format!("a header of {} bytes in 12", good.len() - 8 - 12));
    assert_eq!(format(b"a text that is none"), format!("a header of {} bytes in 19", u64::from_le_bytes(*b"a text t")));
    assert_eq!(
        format(&[&good[..], &[0]].concat()),
        format!("{} bytes where the header tells {}", good.len() + 1, good.len())
    );
    let header = |text: &str| format(&[&(text.len() as u64).to_le_bytes()[..], text.as_bytes()].concat());
    for text in [
        "{",
        "[]",
        r#"{"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 8]}}"#,
        r#"{"a": {"dtype": "F32", "shape": [18446744073709551615, 8], "data_offsets": [0, 8]}}"#,
        r#"{"a": {"dtype": "F32", "shape": [2], "data_offsets": [8, 0]}}"#,
        r#"{"a": {"dtype": "what", "shape": [0], "data_offsets": [0, 0]}}"#,
    ] {
        assert!(header(text).starts_with("a header with: "), "{text}");
    }
    // The same of a file, with its name.
    let path = folder("cut").join("cut.safetensors");
    std::fs::write(&path, &good[..good.len() - 1]).unwrap();
    let text = Checkpoint::open(&path).unwrap_err().to_string();
    assert!(text.starts_with(&format!("`{}`: expected a checkpoint of safetensors, found ", path.display())), "{text}");
}

#[test]
fn a_file_that_shrinks_is_an_error() {
    let path = folder("shrinks").join("norms.safetensors");
    std::fs::write(&path, file(&[f32s("weight", &[3], &[1.0; 3]), f32s("bias", &[3], &[1.0; 3])])).unwrap();
    let (checkpoint, mut norm) = (Checkpoint::open(&path).unwrap(), Norm::new());
    std::fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(100).unwrap();
    let error = checkpoint.load("", &mut norm).unwrap_err();
    assert!(matches!(&error, Error::Format { .. }), "{error}");
    assert!(error.to_string().ends_with("found a file that is shorter than it was when it was opened"));
    assert_eq!(norm, Norm::new());
}
