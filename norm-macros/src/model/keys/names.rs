//! The names of keys: ours, near misses, those of other frameworks.

use crate::check::{self, Report, near_miss};
use crate::model::{AxisKey, TECHNIQUES, Technique};
use crate::parse::{Entry, ValueKind};

/// Common spellings of other frameworks, and ours.
const FOREIGN: &[(&str, &str)] = &[
    ("epsilon", "eps"),
    ("norm_eps", "eps"),
    ("layer_norm_eps", "eps"),
    ("rms_norm_eps", "eps"),
    ("norm_epsilon", "eps"),
    ("layer_norm_epsilon", "eps"),
    ("rms_norm_epsilon", "eps"),
    ("variance_epsilon", "eps"),
    ("dim", "axis"),
    ("dims", "axis"),
    ("axes", "axis"),
    ("reduction_axes", "axis"),
    ("feature_axes", "axis"),
    ("normalized_shape", "shape"),
    ("hidden_size", "shape"),
    ("size", "shape"),
    ("type", "kind"),
    ("elementwise_affine", "affine"),
    ("bias", "affine"),
    ("center", "affine"),
    ("scale", "affine"),
    ("use_bias", "affine"),
    ("use_scale", "affine"),
    ("num_groups", "groups"),
    ("group", "groups"),
    ("channel_axis", "axis"),
    ("feature_axis", "axis"),
    ("data_format", "axis"),
    ("memory_format", "axis"),
    ("channels_first", "axis"),
    ("channels_last", "axis"),
    ("channel", "axis"),
    ("channels", "shape"),
    ("num_channels", "shape"),
    ("num_features", "shape"),
    ("decay", "momentum"),
    ("ty", "dtype"),
    ("param_dtype", "param"),
];

/// Our name for a key of another framework.
pub(super) fn foreign(key: &str) -> Option<&'static str> {
    let lower = key.to_lowercase();
    FOREIGN.iter().find(|(foreign, _)| *foreign == lower).map(|(_, ours)| *ours)
}

/// What a key of another framework and its value are here, where that is certain.
fn translated(entry: &Entry, technique: Option<&'static Technique>) -> Option<String> {
    let theirs = entry.key.to_string().to_lowercase();
    let value = entry.value.kind.describe();
    let value = value.trim_matches('`');
    let has_channels = technique.is_some_and(|technique| matches!(technique.axis, AxisKey::Channels { .. }));
    match (theirs.as_str(), foreign(&theirs)?, &entry.value.kind) {
        ("data_format" | "memory_format" | "channels_first" | "channels_last", ..) => {
            Some("`axis = -1` for channels-last order, `axis = 1` for channels first".into())
        }
        ("bias" | "use_bias" | "center", _, ValueKind::Word(word)) if word == "false" => {
            Some("`affine = weight`, which has no bias".into())
        }
        ("elementwise_affine", ours, ValueKind::Word(_)) => Some(format!("`{ours} = {value}`")),
        (_, ours @ ("eps" | "groups" | "axis"), ValueKind::Int(_) | ValueKind::Float(_)) => {
            Some(format!("`{ours} = {value}`"))
        }
        (_, "shape", ValueKind::Int(_)) if has_channels => Some(format!("`shape = [_, {value}, _, _]`")),
        (_, "shape", ValueKind::Int(_)) => Some(format!("`shape = [_, {value}]`")),
        (_, "kind", ValueKind::Word(word)) => Some(format!("`kind = \"{}\"`", Technique::spelled(word)?.kind)),
        _ => None,
    }
}

pub(super) fn unknown_keys(entries: &[Entry], technique: Option<&'static Technique>, report: &mut Report) {
    let all = Technique::keys_of_any();
    for entry in entries {
        let key = entry.key.to_string();
        let taken = technique.map_or(all.clone(), Technique::all_keys);
        if taken.contains(&key.as_str()) {
            continue;
        }
        if let (Some(technique), true) = (technique, all.contains(&key.as_str())) {
            let takers: Vec<_> =
                TECHNIQUES.iter().filter(|t| t.all_keys().contains(&key.as_str())).map(|t| t.kind).collect();
            let help = format!("`{key}` belongs to: {}", takers.join(", "));
            report.add(entry.key.span(), &check::KEY_NOT_OF_KIND, &[&technique.kind, &key, &help]);
            continue;
        }
        let hint = match foreign(&key) {
            Some(ours) => format!(", which is `{ours}` here"),
            None => near_miss(&key, &taken),
        };
        let write = translated(entry, technique).map_or_else(String::new, |ours| format!("write {ours}; "));
        let of = technique.map_or("normalize", |technique| technique.kind);
        report.add(entry.key.span(), &check::UNKNOWN_KEY, &[&key, &hint, &write, &of, &taken.join(", ")]);
    }
}
