//! What the tests against golden files share: reading them, the bounds, the comparison, the report.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write;
use std::path::Path;

use crate::{element, wide};
use normkit::{Compute, Element};
use safetensors::{Dtype, SafeTensors};

/// A golden file: see `golden/generate.py` for what is in it.
#[derive(Debug)]
#[allow(missing_docs, reason = "named as in the file")]
pub struct File {
    pub metadata: HashMap<String, String>,
    pub tensors: BTreeMap<String, Vec<f64>>,
}

impl File {
    fn read(path: &Path) -> Self {
        let data = std::fs::read(path).unwrap();
        let (_, header) = SafeTensors::read_metadata(&data).unwrap();
        let tensors = SafeTensors::deserialize(&data)
            .unwrap()
            .iter()
            .map(|(name, view)| {
                let values = match view.dtype() {
                    Dtype::F64 => view.data().as_chunks::<8>().0.iter().map(|b| f64::from_le_bytes(*b)).collect(),
                    Dtype::F32 => {
                        view.data().as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b).into()).collect()
                    }
                    dtype => panic!("{}: {name} is of {dtype:?}", path.display()),
                };
                (name.to_string(), values)
            })
            .collect();
        File { metadata: header.metadata().clone().unwrap(), tensors }
    }

    /// Empty where there is no such tensor.
    #[must_use]
    pub fn get(&self, name: &str) -> &[f64] {
        self.tensors.get(name).map_or(&[], Vec::as_slice)
    }

    /// The tensor in the type of a kernel, exactly; empty where there is none.
    ///
    /// # Panics
    /// If a value is not exact in that type: the kernel would see another input than PyTorch did.
    #[must_use]
    pub fn cast<T: Element>(&self, name: &str) -> Vec<T> {
        let exact = |&value: &f64| {
            let narrow = element::<T>(value);
            assert_eq!(wide(narrow), value, "{name} is not exact in {}", T::NAME);
            narrow
        };
        self.get(name).iter().map(exact).collect()
    }
}

/// All golden files of a folder of this package, by name.
///
/// # Panics
/// If there are none, or one is not as `generate.py` writes it.
#[must_use]
pub fn read_folder(folder: &str) -> BTreeMap<String, File> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let files: BTreeMap<_, _> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "safetensors"))
        .map(|path| (path.file_stem().unwrap().to_str().unwrap().to_string(), File::read(&path)))
        .collect();
    assert!(!files.is_empty(), "no golden files in {}", folder.display());
    files
}

/// A type that kernels are tested in, with what is allowed in it.
pub trait Scalar: Compute {
    /// Share of the scale of y.
    const BOUND_Y: f64;
    /// Share of the scale of gradients.
    const BOUND_GRADIENT: f64;
    /// The scale of y is at least this.
    const FLOOR_Y: f64;
    /// Whether the elements of dx that are normalized together have their own scale. In f32 a set whose terms happen
    /// to cancel misses 2e-6 of its own largest value even with every step rounded correctly: there the tensor is the
    /// measure.
    const DX_BY_SET: bool;
}

impl Scalar for f32 {
    const BOUND_Y: f64 = 1e-6;
    const BOUND_GRADIENT: f64 = 2e-6;
    const FLOOR_Y: f64 = 1.0;
    const DX_BY_SET: bool = false;
}

impl Scalar for f64 {
    const BOUND_Y: f64 = 1e-12;
    const BOUND_GRADIENT: f64 = 1e-12;
    const FLOOR_Y: f64 = 0.0;
    const DX_BY_SET: bool = true;
}

/// The largest magnitude.
#[must_use]
pub fn largest(values: &[f64]) -> f64 {
    values.iter().fold(0.0, |so_far, value| value.abs().max(so_far))
}

/// The worst error as a share of its scale, or the first element that is out of bounds. NaN is out of bounds. Each
/// scale serves as many elements as the others, one after the other.
///
/// # Errors
/// If the lengths differ, or an element is out of bounds.
pub fn compare<T: Compute>(got: &[T], expected: &[f64], scales: &[f64], bound: f64) -> Result<f64, String> {
    if got.len() != expected.len() {
        return Err(format!("{} elements, expected {}", got.len(), expected.len()));
    }
    if expected.is_empty() {
        return Ok(0.0);
    }
    assert!(expected.len().is_multiple_of(scales.len()), "{} scales for {} elements", scales.len(), expected.len());
    let per_scale = expected.len() / scales.len();
    let mut worst = 0.0_f64;
    for (index, (got, expected)) in got.iter().zip(expected).enumerate() {
        let scale = scales[index / per_scale];
        let error = (got.to_f64() - expected).abs();
        if error.is_nan() || error > bound * scale {
            return Err(format!(
                "[{index}] is {got:?}, expected {expected:e}: off by {error:.1e} at scale {scale:.1e}"
            ));
        }
        if error > 0.0 {
            worst = worst.max(error / scale);
        }
    }
    Ok(worst)
}

/// What came of one comparison: the step, the tensor, and as [`compare`] says.
pub type Comparison = (String, &'static str, Result<f64, String>);

/// What ran, how well it agreed, and what did not.
#[derive(Debug, Default)]
pub struct Report {
    /// Where the cases that are recorded run.
    pub level: String,
    /// (level, form, dtype) -> cases
    ran: BTreeMap<(String, &'static str, &'static str), BTreeSet<String>>,
    /// (level, dtype, tensor) -> share of the scale, case
    worst: BTreeMap<(String, &'static str, &'static str), (f64, String)>,
    failures: Vec<String>,
}

impl Report {
    /// Takes the comparisons of one case, run in one form: as a kernel, or as a layer.
    pub fn record(&mut self, name: &str, form: &'static str, dtype: &'static str, comparisons: Vec<Comparison>) {
        for (step, tensor, result) in comparisons {
            match result {
                Ok(error) => {
                    let worst = self.worst.entry((self.level.clone(), dtype, tensor)).or_default();
                    if error > worst.0 {
                        *worst = (error, name.to_string());
                    }
                }
                Err(problem) => {
                    self.failures.push(format!("{} {form} {dtype} {name}, {step}: {tensor}: {problem}", self.level))
                }
            }
        }
        self.ran.entry((self.level.clone(), form, dtype)).or_default().insert(name.to_string());
    }

    /// Prints what ran.
    ///
    /// # Panics
    /// If nothing ran, a comparison failed, or a file went through no kernel of a level and type.
    pub fn finish<'a>(&self, files: impl Iterator<Item = &'a String> + Clone) {
        let mut text = String::new();
        for ((level, form, dtype), cases) in &self.ran {
            writeln!(text, "{level:>10} {form:6} {dtype}: {} cases", cases.len()).unwrap();
        }
        for ((level, dtype, tensor), (error, case)) in &self.worst {
            writeln!(text, "{level:>10} {dtype} {tensor:12} worst {error:.1e} of the scale ({case})").unwrap();
        }
        println!("{text}");
        assert!(!self.ran.is_empty(), "no level ran");
        for ((level, form, dtype), cases) in &self.ran {
            let unused: Vec<_> = files.clone().filter(|name| !cases.contains(*name)).collect();
            assert!(
                *form != "norm!" || unused.is_empty(),
                "{level} {dtype}: golden files without a kernel: {unused:?}"
            );
        }
        let shown = self.failures.iter().take(40).cloned().collect::<Vec<_>>().join("\n");
        assert!(self.failures.is_empty(), "{} comparisons failed, the first ones:\n{shown}", self.failures.len());
    }
}
