//! The lints: what is right, and most likely not meant. Each is certain of what it says; what it cannot know it does not guess.
//! That a checkpoint asks for an unusual value it cannot know: then `allow` says so.

use super::axes::{sizes, usual_groups};
use super::{Keys, mistyped};
use crate::check::{self, LINTS, Levels, Report, near_miss};
use crate::model::{Axis, Dtype, Model, Role};
use crate::parse::{Value, ValueKind};
use proc_macro2::Span;

/// An `eps` out of the usual range that checkpoints ask for.
struct Known {
    eps: f64,
    kinds: &'static [&'static str],
    whose: &'static str,
}

/// They are warned of all the same: copied into a model that is trained anew, they are a slip.
const KNOWN: &[Known] = &[
    Known { eps: 1e-3, kinds: &["layer", "batch", "group"], whose: "Keras' default" },
    Known { eps: 1e-12, kinds: &["layer"], whose: "BERT's" },
];

/// What `allow` and `deny` say.
pub(super) fn levels(keys: &Keys<'_>, report: &mut Report) -> Levels {
    let [allowed, denied] = ["allow", "deny"].map(|key| names(keys, key, report));
    Levels { allowed, denied }
}

fn names(keys: &Keys<'_>, key: &str, report: &mut Report) -> Vec<&'static str> {
    let Some(value) = keys.get(key) else { return Vec::new() };
    let help = "write the names in parentheses, without `=`";
    let ValueKind::List(names) = &value.kind else {
        mistyped(value, key, &format!("`{key}(lint_name, ...)`"), help, report);
        return Vec::new();
    };
    let all: Vec<_> = LINTS.iter().map(|lint| lint.name).collect();
    let mut found = Vec::new();
    for name in names {
        let ValueKind::Word(word) = &name.kind else {
            mistyped(name, key, "the name of a lint", help, report);
            continue;
        };
        match all.iter().find(|known| *known == word) {
            Some(known) => found.push(*known),
            None => report.add(name.span, &check::UNKNOWN_LINT, &[&key, word, &near_miss(word, &all), &all.join(", ")]),
        }
    }
    found
}

/// All lints of a layer or a kernel.
pub(super) fn judge(keys: &Keys<'_>, model: &Model, levels: &Levels, report: &mut Report) {
    batch(keys, model, levels, report);
    groups(keys, model, levels, report);
    of_one(keys, model, levels, report);
    eps(keys, model, levels, report);
    momentum(keys, model, levels, report);
}

/// The value of a key that the kind takes: of another it is said that it does not.
fn of_kind<'a>(keys: &Keys<'a>, key: &str, model: &Model) -> Option<&'a Value> {
    keys.get(key).filter(|_| model.technique.keys.contains(&key))
}

/// The place of an axis of the shape, or of what says it.
fn place_of_axis(keys: &Keys<'_>, axis: usize, report: &Report) -> Span {
    match keys.get("shape") {
        Some(Value { kind: ValueKind::List(items), .. }) if axis < items.len() => items[axis].span,
        shape => shape.map_or_else(|| report.whole(), |shape| shape.span),
    }
}

fn batch(keys: &Keys<'_>, model: &Model, levels: &Levels, report: &mut Report) {
    if !model.technique.running {
        return;
    }
    let first = place_of_axis(keys, 0, report);
    let channels = |axis: usize| super::shown(&model.shape[axis..=axis]).trim_matches(['[', ']']).to_string();
    match (&model.shape[..], &model.roles[..]) {
        ([Axis::Fixed(1), _], [Role::Normalized, _]) => {
            report.lint(levels, first, &check::ONE_BY_CHANNELS, &[&channels(1)]);
        }
        ([Axis::Fixed(n @ ..4), ..], [Role::Normalized, ..]) => {
            report.lint(levels, first, &check::SMALL_BATCH, &[n]);
        }
        ([Axis::Fixed(n @ ..16), ..], [Role::Normalized, ..]) => {
            report.lint(levels, first, &check::FEW_SAMPLES, &[n]);
        }
        // With more axes, the last one may well be one of an image.
        ([Axis::Fixed(_), Axis::Open], [Role::Channel, _]) => {
            let last = place_of_axis(keys, 1, report);
            report.lint(levels, last, &check::BATCH_AXIS_LAST, &[&channels(0)]);
        }
        _ => {}
    }
}

fn groups(keys: &Keys<'_>, model: &Model, levels: &Levels, report: &mut Report) {
    let (Some(groups), Some(value)) = (model.groups, keys.get("groups")) else { return };
    let axis = model.roles.iter().position(|role| *role == Role::Channel);
    match axis.map(|axis| &model.shape[axis]) {
        Some(Axis::Fixed(channels)) if *channels == groups => {
            report.lint(levels, value.span, &check::GROUP_PER_CHANNEL, &[&groups, channels]);
        }
        channels if groups == 1 => {
            let usual = usual_groups(channels.map_or(&[], sizes));
            let more = usual.map_or("more groups".into(), |usual| format!("`groups = {usual}`"));
            report.lint(levels, value.span, &check::ONE_GROUP, &[&more]);
        }
        _ => {}
    }
}

/// Nothing to normalize with.
fn of_one(keys: &Keys<'_>, model: &Model, levels: &Levels, report: &mut Report) {
    let roles = || model.shape.iter().zip(&model.roles);
    if !roles().all(|(size, role)| *role != Role::Normalized || *size == Axis::Fixed(1)) {
        return;
    }
    let span = keys.get("shape").map_or_else(|| report.whole(), |value| value.span);
    match model.technique.kind {
        "instance" => report.lint(levels, span, &check::INSTANCE_OF_ONE, &[]),
        "layer" => report.lint(levels, span, &check::LAYER_OF_ONE, &[&"the bias"]),
        "rms" => report.lint(levels, span, &check::LAYER_OF_ONE, &[&"about the weight with the element's sign"]),
        _ => {}
    }
}

fn eps(keys: &Keys<'_>, model: &Model, levels: &Levels, report: &mut Report) {
    let Some(value) = of_kind(keys, "eps", model) else { return };
    let eps = match value.kind {
        ValueKind::Float(f) => f,
        ValueKind::Int(i) => i as f64,
        _ => return,
    };
    let shown = if eps == 0.0 { "0".to_string() } else { format!("{eps:e}") };
    let below = |dtype: &&Dtype| smallest(**dtype).is_some_and(|smallest| eps > 0.0 && eps < smallest);
    if let Some(dtype) = model.dtypes.iter().find(below) {
        let (name, smallest) = (dtype.name(), format!("{:.0e}", smallest(*dtype).unwrap_or_default()));
        let usual = format!("{:e}", model.technique.eps);
        report.lint(levels, value.span, &check::EPS_BELOW_TYPE, &[&shown, &name, &smallest, &name, &usual]);
        return;
    }
    if model.compute() != Dtype::F32 || (1e-8..=1e-5).contains(&eps) {
        return;
    }
    let is_this = |known: &&Known| known.eps == eps && known.kinds.contains(&model.technique.kind);
    let whose = KNOWN.iter().find(is_this).map_or_else(String::new, |known| format!(", {}", known.whose));
    let why = match (eps, model.technique.centred) {
        (0.0, true) => "what is constant has no variance, and becomes NaN",
        (0.0, false) => "rows of zeros have no mean square, and become NaN",
        (..1e-8, true) => "it hardly bounds what rows that are almost constant are multiplied by",
        (..1e-8, false) => "it hardly bounds what rows of almost zeros are multiplied by",
        _ => "it weighs on the scale of inputs that are small",
    };
    let usual = format!("`eps = {:e}`", model.technique.eps);
    report.lint(levels, value.span, &check::EPS_UNUSUAL, &[&shown, &whose, &why, &usual]);
}

/// The smallest number above 0 of a half type, subnormal ones included.
fn smallest(dtype: Dtype) -> Option<f64> {
    match dtype {
        Dtype::F16 => Some(2_f64.powi(-24)),
        Dtype::Bf16 => Some(2_f64.powi(-133)),
        Dtype::F32 | Dtype::F64 => None,
    }
}

fn momentum(keys: &Keys<'_>, model: &Model, levels: &Levels, report: &mut Report) {
    let (Some(value), Some(momentum)) = (of_kind(keys, "momentum", model), model.running.momentum) else { return };
    if momentum == 0.0 || momentum == 1.0 {
        let why = if momentum == 0.0 {
            "running statistics stay what they were at the start"
        } else {
            "running statistics are those of the last batch alone"
        };
        report.lint(levels, value.span, &check::MOMENTUM_EXTREME, &[&momentum, &why]);
    } else if momentum >= 0.9 {
        report.lint(levels, value.span, &check::MOMENTUM_OF_KERAS, &[&momentum]);
    }
}
