//! The golden files of normkit's own tests, for adapters: see `tests/golden/generate.py` there.

use safetensors::SafeTensors;
use std::collections::HashMap;
use std::path::Path;

/// One file: its name, what it says of itself, and its bytes.
pub struct File {
    pub name: String,
    pub metadata: HashMap<String, String>,
    pub data: Vec<u8>,
}

/// The files of a folder whose metadata say so.
pub fn files(folder: &str, wanted: impl Fn(&HashMap<String, String>) -> bool) -> Vec<File> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden").join(folder);
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "safetensors") {
            continue;
        }
        let data = std::fs::read(&path).unwrap();
        let metadata = SafeTensors::read_metadata(&data).unwrap().1.metadata().clone().unwrap();
        if wanted(&metadata) {
            files.push(File { name: path.file_stem().unwrap().to_string_lossy().into(), metadata, data });
        }
    }
    files
}

/// Of rows, with a weight, over one axis.
pub fn rows() -> Vec<File> {
    let files = files("", |m| !m["normalized"].contains(',') && m["affine"] != "none");
    assert!(files.len() >= 25, "{} files", files.len());
    files
}

/// Of groups and instances over axis 1, with weight and bias, or none: no module has one alone.
pub fn groups_and_instances() -> Vec<File> {
    let files = files("sets", |m| {
        m["axis"] == "1"
            && m["affine"] != "weight"
            && m["shape"].split(',').count() > 2
            && ["group", "instance"].contains(&&*m["kind"])
    });
    assert!(files.len() >= 20, "{} files", files.len());
    files
}

/// Of batches over axis 1, as modules follow them.
pub fn batches() -> Vec<File> {
    let files = files("sets", |m| {
        let usual = m.get("running_var").is_none_or(|kind| kind == "unbiased");
        m["kind"] == "batch"
            && m["axis"] == "1"
            && m["affine"] != "weight"
            && usual
            && m.get("momentum").is_none_or(|m| m != "cumulative")
    });
    assert!(files.len() >= 20, "{} files", files.len());
    files
}
