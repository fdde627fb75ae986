//! From keys to a model: one function a key.

mod axes;
mod lints;
mod names;
mod shape;

pub use shape::shown;

use super::{Affine, Cast, Dtype, Eps, Model, Running, TECHNIQUES, Technique};
use crate::check::{self, Report, near_miss};
use crate::parse::{Entry, Value, ValueKind};
use axes::{ANY_AXES, axes, check_specialised, groups, roles};
use names::{foreign, unknown_keys};
use proc_macro2::Span;
use shape::shape;
use std::fmt::Display;

/// The most elements that may be normalized together at a size known now.
const LARGEST: usize = 1 << 28;

/// What the struct under the attribute tells already.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// The length of the parameter fields.
    pub len: Option<usize>,
    /// Where the length of one is an expression: the field, and the expression and its place.
    pub opaque_len: Option<(String, String, Span)>,
    /// Their element type.
    pub param: Option<Dtype>,
    /// The element type of the vectors of a weight, which are its `x`.
    pub vectors: Option<Dtype>,
    /// Whether there is a struct at all.
    pub is_layer: bool,
    /// Whether it is generic, so that its fields tell nothing.
    pub generic: bool,
}

/// The entries, and where to look for a value that is not there.
struct Keys<'a> {
    entries: &'a [Entry],
}

impl<'a> Keys<'a> {
    fn get(&self, key: &str) -> Option<&'a Value> {
        self.entries.iter().find(|entry| entry.key == key).map(|entry| &entry.value)
    }
}

pub fn resolve(entries: &[Entry], known: &Known, report: &mut Report) -> Option<Model> {
    let keys = Keys { entries };
    for entry in entries {
        // A key under another name is there: that it is missing is not to be said as well.
        if let Some(ours) = foreign(&entry.key.to_string()) {
            report.unread(ours);
        }
    }
    let technique = kind(&keys, report);
    unknown_keys(entries, technique, report);
    let shape = shape(&keys, technique, known, report);
    let roles = match (&shape, technique) {
        (Some(shape), Some(technique)) => roles(&keys, shape, technique, report),
        // Only its own mistakes: there is no technique to hold it against.
        (Some(shape), None) => axes(&keys, shape, (&[], ANY_AXES), report).and(None),
        _ => None,
    };
    let groups =
        technique.and_then(|technique| groups(&keys, technique, shape.as_deref().zip(roles.as_deref()), report));
    let running = running(&keys, report);
    // Where no type is given, the parameter fields' type is also that of x and y.
    let default = known.vectors.or(known.param).unwrap_or(Dtype::F32);
    let dtypes = dtypes(&keys, technique, report).map(|found| found.unwrap_or_else(|| vec![default]));
    let param = match &dtypes {
        Some(dtypes) => dtype_of_params(&keys, dtypes[0], known, report),
        // Only its own mistakes: there is no type to hold it against.
        None => dtype(&keys, "param", report).flatten(),
    };
    let cast = cast(&keys, dtypes.as_deref(), report);
    // An unknown kind does not keep the rest from being read: as the one that allows most.
    let judged = technique.or_else(|| TECHNIQUES.iter().max_by_key(|technique| technique.most_affine))?;
    let compute = dtypes.as_ref().map_or(default, |dtypes| dtypes[0]).compute();
    let eps = eps(&keys, judged, compute, report);
    let affine = affine(&keys, judged, report);
    let facade = facade(&keys, report);
    let levels = lints::levels(&keys, report);
    if let Some(span) = explain(&keys, report) {
        report.ask_for_plan(span);
    }
    let model = Model {
        technique: technique?,
        shape: shape?,
        roles: roles?,
        groups: groups?,
        running: running?,
        eps: eps?,
        dtypes: dtypes?,
        param: param?,
        cast: cast?,
        affine: affine?,
        facade,
    };
    check_specialised(&keys, &model, report)?;
    lints::judge(&keys, &model, &levels, report);
    Some(model)
}

fn mistyped(value: &Value, key: &str, expected: &str, help: &str, report: &mut Report) {
    let found = value.kind.describe();
    report.add(value.span, &check::MISTYPED, &[&key, &expected, &found, &help]);
}

fn kind(keys: &Keys<'_>, report: &mut Report) -> Option<&'static Technique> {
    let names = Technique::names();
    let Some(value) = keys.get("kind") else {
        if !report.is_unread("kind") {
            report.add(report.whole(), &check::MISSING_KIND, &[&names]);
        }
        return None;
    };
    let ValueKind::Word(word) = &value.kind else {
        mistyped(value, "kind", "a name", &format!("the kinds are: {names}"), report);
        return None;
    };
    Technique::of_kind(word).or_else(|| {
        let (hint, write) = match Technique::spelled(word) {
            Some(Technique { kind, .. }) => {
                (format!(", did you mean `{kind}`?"), format!("write `kind = \"{kind}\"`; "))
            }
            None => (near_miss(word, &TECHNIQUES.iter().map(|t| t.kind).collect::<Vec<_>>()), String::new()),
        };
        report.add(value.span, &check::UNKNOWN_KIND, &[word, &hint, &write, &names]);
        None
    })
}

fn running(keys: &Keys<'_>, report: &mut Report) -> Option<Running> {
    let help = "`unbiased` is PyTorch's, `biased` what Flax and TensorFlow keep";
    let unbiased = match word(keys, "running_var", "`unbiased` or `biased`", help, report).ok()? {
        None | Some(("unbiased", _)) => true,
        Some(("biased", _)) => false,
        Some((other, span)) => {
            let found = format!("`{other}`");
            report.add(span, &check::MISTYPED, &[&"running_var", &"`unbiased` or `biased`", &found, &help]);
            return None;
        }
    };
    let momentum = match keys.get("momentum").map(|value| (&value.kind, value)) {
        None => Some(0.1),
        Some((ValueKind::Word(word), _)) if word == "cumulative" => None,
        Some((ValueKind::Float(f), _)) if (0.0..=1.0).contains(f) => Some(*f),
        Some((ValueKind::Int(i @ (0 | 1)), _)) => Some(*i as f64),
        Some((kind, value)) => {
            report.add(value.span, &check::MOMENTUM_OUT_OF_RANGE, &[&kind.describe()]);
            return None;
        }
    };
    Some(Running { momentum, unbiased })
}

/// `Err` is what was reported; `Ok(None)` a key that is not there.
fn word<'a>(
    keys: &Keys<'a>,
    key: &str,
    expected: &str,
    help: &str,
    report: &mut Report,
) -> Result<Option<(&'a str, Span)>, ()> {
    match keys.get(key) {
        None => Ok(None),
        Some(Value { kind: ValueKind::Word(word), span }) => Ok(Some((word, *span))),
        Some(value) => {
            mistyped(value, key, expected, help, report);
            Err(())
        }
    }
}

/// The outer `None` is an error that was reported, the inner one a key that is not there.
fn dtype(keys: &Keys<'_>, key: &str, report: &mut Report) -> Option<Option<Dtype>> {
    match keys.get(key) {
        Some(value) => dtype_of(key, value, report).map(Some),
        None => Some(None),
    }
}

/// An element type by its name.
fn dtype_of(key: &str, value: &Value, report: &mut Report) -> Option<Dtype> {
    let ValueKind::Word(name) = &value.kind else {
        mistyped(value, key, "an element type", "the element types are: f32, f64, f16, bf16", report);
        return None;
    };
    let dtype = Dtype::of_name(name);
    if dtype.is_none() {
        let hint = match name.to_lowercase().as_str() {
            "float" | "float32" | "single" => ", did you mean `f32`?".into(),
            "double" | "float64" => ", did you mean `f64`?".into(),
            "half" | "float16" | "fp16" => ", did you mean `f16`?".into(),
            "bfloat16" | "bfloat" => ", did you mean `bf16`?".into(),
            _ => near_miss(name, &Dtype::ALL.map(Dtype::name)),
        };
        report.add(value.span, &check::UNKNOWN_DTYPE, &[&key, name, &hint]);
    }
    dtype
}

/// The element types of `x`: one, or a family. The outer `None` is an error that was reported, the inner one a key that is not there.
fn dtypes(keys: &Keys<'_>, technique: Option<&Technique>, report: &mut Report) -> Option<Option<Vec<Dtype>>> {
    let Some(Value { kind: ValueKind::Alternatives(items), .. }) = keys.get("dtype") else {
        return dtype(keys, "dtype", report).map(|found| found.map(|dtype| vec![dtype]));
    };
    let mut dtypes: Vec<Dtype> = Vec::new();
    let mut complete = true;
    for item in items {
        let Some(dtype) = dtype_of("dtype", item, report) else {
            complete = false;
            continue;
        };
        if dtypes.contains(&dtype) {
            report.add(item.span, &check::REPEATED_DTYPE, &[&dtype.name()]);
            complete = false;
        } else if let Some(first) = dtypes.iter().find(|first| first.compute() != dtype.compute()) {
            let ([a, b], [c, d]) =
                ([*first, first.compute()].map(Dtype::name), [dtype, dtype.compute()].map(Dtype::name));
            report.add(item.span, &check::DTYPES_COMPUTED_APART, &[&a, &b, &c, &d]);
            complete = false;
        } else {
            dtypes.push(dtype);
        }
    }
    if technique.is_some_and(|technique| technique.of_sum) {
        report.add(items[0].span, &check::DTYPES_OF_WEIGHT, &[&format!("{} of them", items.len())]);
        complete = false;
    }
    complete.then_some(Some(dtypes))
}

fn cast(keys: &Keys<'_>, dtypes: Option<&[Dtype]>, report: &mut Report) -> Option<Cast> {
    let expected = "`once` or `before_weight`";
    let help =
        "`once` rounds at the end, `before_weight` also before the weight is applied, as Llama checkpoints expect";
    let Some((name, span)) = word(keys, "cast", expected, help, report).ok()? else { return Some(Cast::Once) };
    let cast = match name {
        "once" => Cast::Once,
        "before_weight" => Cast::BeforeWeight,
        other => {
            report.add(span, &check::MISTYPED, &[&"cast", &expected, &format!("`{other}`"), &help]);
            return None;
        }
    };
    let wide = dtypes.filter(|dtypes| !dtypes.iter().any(|dtype| dtype.is_half()));
    if let Some(wide) = wide {
        report.add(span, &check::CAST_OF_WIDE_TYPE, &[&wide[0].name()]);
        return None;
    }
    Some(cast)
}

fn dtype_of_params(keys: &Keys<'_>, element: Dtype, known: &Known, report: &mut Report) -> Option<Dtype> {
    let given = dtype(keys, "param", report)?;
    let param = given.or(known.param).unwrap_or(element.compute());
    if param.compute() != element.compute() {
        let span = keys.get("param").or(keys.get("dtype")).map_or_else(|| report.whole(), |value| value.span);
        let (expected, found) = (element.compute().name(), param.name());
        let help = if given.is_some() {
            "leave `param` out".into()
        } else {
            format!("give the fields elements of type {expected}, or write `dtype = {found}`")
        };
        report.add(span, &check::PARAM_OF_OTHER_TYPE, &[&expected, &element.name(), &found, &help]);
        return None;
    }
    Some(param)
}

fn eps(keys: &Keys<'_>, technique: &Technique, compute: Dtype, report: &mut Report) -> Option<Eps> {
    let Some(value) = keys.get("eps") else { return Some(Eps::Fixed(technique.eps)) };
    let eps = match value.kind {
        ValueKind::Open => return Some(Eps::Runtime),
        ValueKind::Float(f) => f,
        ValueKind::Int(i) => i as f64,
        _ => {
            mistyped(value, "eps", "a number, or `_` for one given at run time", "write `eps = 1e-6`", report);
            return None;
        }
    };
    let rounded = if compute == Dtype::F32 { f64::from(eps as f32) } else { eps };
    // A kind that takes none has been told so.
    let usual = format!("{:e}", if technique.eps > 0.0 { technique.eps } else { 1e-5 });
    if !(eps >= 0.0 && rounded.is_finite()) {
        let shown: &dyn Display = &format!("`{eps:?}`");
        report.add(value.span, &check::EPS_OUT_OF_RANGE, &[shown, &usual]);
        return None;
    }
    if eps > 0.0 && rounded == 0.0 {
        let shown = format!("`{eps:e}`");
        report.add(value.span, &check::EPS_VANISHES, &[&shown, &compute.name(), &usual]);
        return None;
    }
    Some(Eps::Fixed(eps))
}

fn affine(keys: &Keys<'_>, technique: &Technique, report: &mut Report) -> Option<Affine> {
    let help = "`true` is weight and bias, `weight` the weight alone, `false` none";
    let expected = "`true`, `false` or `weight`";
    let found = word(keys, "affine", expected, help, report).ok()?;
    let Some((name, span)) = found else { return Some(technique.affine) };
    let affine = match name {
        "true" => technique.most_affine,
        "false" => Affine::None,
        "weight" => Affine::Weight,
        other => {
            report.add(span, &check::MISTYPED, &[&"affine", &expected, &format!("`{other}`"), &help]);
            return None;
        }
    };
    if name == "true" && technique.most_affine != Affine::WeightAndBias {
        report.add(span, &check::AFFINE_NOT_OF_KIND, &[&technique.kind]);
        return None;
    }
    Some(affine)
}

fn facade(keys: &Keys<'_>, report: &mut Report) -> String {
    match keys.get("crate") {
        None => "::normkit".into(),
        Some(Value { kind: ValueKind::Word(path) | ValueKind::Path(path), .. })
            if syn::parse_str::<syn::Path>(path).is_ok() =>
        {
            path.clone()
        }
        Some(value) => {
            mistyped(value, "crate", "a path", "write `crate = ::my_crate::normkit`", report);
            "::normkit".into()
        }
    }
}

/// Where the plan is asked for.
fn explain(keys: &Keys<'_>, report: &mut Report) -> Option<Span> {
    let (expected, help) = ("`true` or `false`", "write `explain`, which needs no value");
    match word(keys, "explain", expected, help, report).ok()?? {
        ("true", span) => Some(span),
        ("false", _) => None,
        (other, span) => {
            report.add(span, &check::MISTYPED, &[&"explain", &expected, &format!("`{other}`"), &help]);
            None
        }
    }
}

/// Where the facade is, from the keys of a model.
pub fn facade_of(entries: &[Entry], report: &mut Report) -> String {
    facade(&Keys { entries }, report)
}

/// Whether the keys of a model ask for the plans of its layers.
pub fn explains(entries: &[Entry], report: &mut Report) -> bool {
    explain(&Keys { entries }, report).is_some()
}

/// The lints that the keys of a model allow and deny, of which those not known are reported.
pub fn levels_of(entries: &[Entry], report: &mut Report) -> check::Levels {
    lints::levels(&Keys { entries }, report)
}
