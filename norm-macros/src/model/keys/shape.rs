//! The key `shape`.

use super::{Keys, Known, LARGEST, mistyped};
use crate::check::{self, Report};
use crate::model::{Axis, Technique};
use crate::parse::{Value, ValueKind};

/// The most kernels of a family.
pub(super) const LARGEST_FAMILY: usize = 32;
const MAX_RANK: usize = 8;

/// The axes by their numbers, for messages.
pub(super) fn numbered(shape: &[Axis]) -> String {
    let rank = shape.len();
    let axes = shape.iter().enumerate();
    let axes = axes.map(|(i, axis)| {
        let size = shown(core::slice::from_ref(axis));
        format!("{i} (or -{}): `{}`", rank - i, size.trim_matches(['[', ']']))
    });
    axes.collect::<Vec<_>>().join(", ")
}

/// The shape as it is written, for messages.
pub fn shown(shape: &[Axis]) -> String {
    let axis = |axis: &Axis| match axis {
        Axis::Open => "_".to_string(),
        Axis::Fixed(n) => n.to_string(),
        Axis::Family { sizes, open } => {
            let sizes = sizes.iter().map(ToString::to_string);
            sizes.chain(open.then(|| "_".to_string())).collect::<Vec<_>>().join(" | ")
        }
    };
    format!("[{}]", shape.iter().map(axis).collect::<Vec<_>>().join(", "))
}

pub(super) fn shape(
    keys: &Keys<'_>,
    technique: Option<&'static Technique>,
    known: &Known,
    report: &mut Report,
) -> Option<Vec<Axis>> {
    let Some(value) = keys.get("shape") else {
        if let Some(n) = known.len.filter(|_| technique.is_none_or(|technique| !technique.of_sum)) {
            return Some(vec![Axis::Open, Axis::Fixed(n)]);
        }
        if known.generic || report.is_unread("shape") {
            return None;
        }
        if let Some((field, found, span)) = &known.opaque_len {
            report.add(*span, &check::FIELD_SIZE_UNKNOWN, &[field, found]);
            return None;
        }
        let way_out = if known.is_layer && technique.is_none_or(|technique| !technique.of_sum) {
            ", or a field `weight: [f32; 4096]` that tells it"
        } else {
            ""
        };
        report.add(report.whole(), &check::MISSING_SHAPE, &[&way_out]);
        return None;
    };
    let ValueKind::List(items) = &value.kind else {
        mistyped(value, "shape", "a list of axes", "write `shape = [_, 4096]`", report);
        return None;
    };
    if items.is_empty() {
        report.add(value.span, &check::EMPTY_SHAPE, &[]);
        return None;
    }
    if items.len() > MAX_RANK {
        report.add(value.span, &check::TOO_MANY_AXES, &[&items.len()]);
        return None;
    }
    let axes: Vec<_> = items.iter().map(|item| axis_of(item, report)).collect();
    axes.into_iter().collect()
}

fn axis_of(item: &Value, report: &mut Report) -> Option<Axis> {
    match &item.kind {
        ValueKind::Alternatives(items) => family(items, report),
        ValueKind::Open => Some(Axis::Open),
        _ => size(item, report).map(Axis::Fixed),
    }
}

fn size(item: &Value, report: &mut Report) -> Option<usize> {
    match &item.kind {
        ValueKind::Int(0) => {
            report.add(item.span, &check::ZERO_DIM, &[]);
            None
        }
        ValueKind::Int(i) if *i > LARGEST as i128 => {
            report.add(item.span, &check::HUGE_SHAPE, &[i, &LARGEST]);
            None
        }
        ValueKind::Int(i) => usize::try_from(*i).ok().or_else(|| {
            mistyped(item, "shape", "a size of at least 1", "write the number of elements along the axis", report);
            None
        }),
        ValueKind::Word(name) | ValueKind::Path(name) => {
            report.add(item.span, &check::CONSTANT_SIZE, &[name]);
            None
        }
        _ => {
            mistyped(item, "shape", "a number, `_` or a family", "write `shape = [_, 768 | 1024]`", report);
            None
        }
    }
}

fn family(items: &[Value], report: &mut Report) -> Option<Axis> {
    let mut sizes: Vec<usize> = Vec::new();
    let mut open = false;
    let mut complete = true;
    for item in items {
        if item.kind == ValueKind::Open {
            if open {
                report.add(item.span, &check::REPEATED_SIZE, &[&"`_`"]);
                complete = false;
            }
            open = true;
            continue;
        }
        match size(item, report) {
            Some(n) if sizes.contains(&n) => {
                report.add(item.span, &check::REPEATED_SIZE, &[&n]);
                complete = false;
            }
            Some(n) => sizes.push(n),
            None => complete = false,
        }
    }
    if items.len() > LARGEST_FAMILY {
        report.add(items[0].span, &check::LARGE_FAMILY, &[&items.len()]);
        complete = false;
    }
    complete.then_some(Axis::Family { sizes, open })
}
