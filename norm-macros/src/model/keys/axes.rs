//! The keys about axes: which are normalized over, which carry the channels, how those fall into groups.

use super::shape::{LARGEST_FAMILY, numbered};
use super::{Keys, LARGEST, mistyped, shown};
use crate::check::{self, Report};
use crate::model::{Axis, AxisKey, Groups, Model, Role, Technique};
use crate::parse::{Value, ValueKind};
use proc_macro2::Span;

/// What is done along each axis.
pub(super) fn roles(
    keys: &Keys<'_>,
    shape: &[Axis],
    technique: &'static Technique,
    report: &mut Report,
) -> Option<Vec<Role>> {
    let rank = shape.len();
    let span = keys.get("axis").or(keys.get("shape")).map_or_else(|| report.whole(), |value| value.span);
    let default = match technique.axis {
        AxisKey::Normalized => vec![rank - 1],
        AxisKey::Channels { default, .. } if keys.get("axis").is_none() => {
            let Some(axis) = usize::try_from(default).ok().filter(|axis| *axis < rank) else {
                report.add(span, &check::NO_CHANNEL_AXIS, &[&(default + 1), &default, &shown(shape)]);
                return None;
            };
            vec![axis]
        }
        AxisKey::Channels { .. } => Vec::new(),
    };
    let axes = axes(keys, shape, (&default, &axis_help(technique)), report)?;
    if let AxisKey::Channels { keeps_first, .. } = technique.axis {
        if axes.len() != 1 {
            let found = format!("{} of them", axes.len());
            report.add(span, &check::ONE_AXIS, &[&found, &axis_help(technique)]);
            return None;
        }
        if keeps_first && axes[0] == 0 {
            report.add(span, &check::AXIS_IS_BATCH, &[&0, &technique.kind, &numbered(shape)]);
            return None;
        }
    }
    let roles = technique.roles(rank, &axes);
    // Channels of a group are normalized together, whatever else there is.
    if technique.groups == Groups::Each && !roles.contains(&Role::Normalized) {
        let usual = if technique.of_sum { "shape = [512, 1536]" } else { "shape = [_, 64, 56, 56]" };
        report.add(span, &check::NOTHING_NORMALIZED, &[&shown(shape), &usual]);
        return None;
    }
    Some(roles)
}

pub(super) const ANY_AXES: &str = "write `axis = -1`, `[-2, -1]` or `1..`";

/// How `axis` is to be written for a technique.
fn axis_help(technique: &Technique) -> String {
    match technique.axis {
        AxisKey::Normalized => ANY_AXES.into(),
        AxisKey::Channels { .. } if technique.of_sum => {
            "`axis` is the one whose vectors keep their lengths: write `axis = 0`, PyTorch's `dim`".into()
        }
        AxisKey::Channels { .. } => {
            "`axis` is the one of channels: write `axis = 1`, or `axis = -1` for channels-last order".into()
        }
    }
}

/// The axes that the key `axis` names, sorted.
pub(super) fn axes(
    keys: &Keys<'_>,
    shape: &[Axis],
    (default, help): (&[usize], &str),
    report: &mut Report,
) -> Option<Vec<usize>> {
    match keys.get("axis").map(|value| (&value.kind, value)) {
        None => Some(default.to_vec()),
        Some((ValueKind::From(first), value)) => {
            Some((axis_index(*first, value.span, shape, report)?..shape.len()).collect())
        }
        Some((ValueKind::List(items), _)) if !items.is_empty() => axis_list(items, shape, report),
        Some((ValueKind::Int(i), value)) => Some(vec![axis_index(*i, value.span, shape, report)?]),
        Some((_, value)) => {
            let expected = "a number, a list of numbers or a range";
            mistyped(value, "axis", expected, help, report);
            None
        }
    }
}

/// The sizes of an axis that are known.
pub(super) fn sizes(axis: &Axis) -> &[usize] {
    match axis {
        Axis::Fixed(n) => core::slice::from_ref(n),
        Axis::Family { sizes, .. } => sizes,
        Axis::Open => &[],
    }
}

/// The groups to suggest for so many channels: the paper's 32 where they fall into so many, else the most below it.
pub(super) fn usual_groups(sizes: &[usize]) -> Option<usize> {
    (2..=32).rev().find(|groups| sizes.iter().all(|n| n % groups == 0 && n > groups))
}

/// The number of groups, where the technique has groups; `None` after an error.
pub(super) fn groups(
    keys: &Keys<'_>,
    technique: &'static Technique,
    known: Option<(&[Axis], &[Role])>,
    report: &mut Report,
) -> Option<Option<usize>> {
    if technique.groups == Groups::Each {
        return Some(None);
    }
    let channels = known.and_then(|(shape, roles)| Some(&shape[roles.iter().position(|role| *role == Role::Channel)?]));
    let sizes = channels.map_or(&[][..], sizes);
    let Some(value) = keys.get("groups") else {
        if !report.is_unread("groups") {
            report.add(report.whole(), &check::MISSING_GROUPS, &[&usual_groups(sizes).unwrap_or(1)]);
        }
        return None;
    };
    let groups = match value.kind {
        ValueKind::Int(i) if i > 0 => usize::try_from(i).ok(),
        _ => None,
    };
    let Some(groups) = groups else {
        mistyped(value, "groups", "a number of at least 1", "write `groups = 32`", report);
        return None;
    };
    if let Some(&channels) = sizes.iter().find(|n| *n % groups != 0) {
        let divides = |n: &usize| sizes.iter().all(|size| size % n == 0);
        let (below, above) = ((1..=groups.min(channels)).rev().find(divides), (groups..=channels).find(divides));
        let nearest: Vec<_> = below.into_iter().chain(above).map(|n| format!("`groups = {n}`")).collect();
        let nearest = nearest.join(" or ");
        let all = sizes.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ");
        report.add(value.span, &check::GROUPS_DO_NOT_DIVIDE, &[&all, &groups, &nearest]);
        return None;
    }
    Some(Some(groups))
}

/// The axes that kernels are specialised for: not too large together, and one family at the most.
pub(super) fn check_specialised(keys: &Keys<'_>, model: &Model, report: &mut Report) -> Option<()> {
    let axes: Vec<&Axis> = model.specialised_axes().into_iter().map(|axis| &model.shape[axis]).collect();
    let span = keys.get("shape").map_or_else(|| report.whole(), |value| value.span);
    let largest = |axis: &&Axis| match axis {
        Axis::Open => 1,
        Axis::Fixed(n) => *n as u128,
        Axis::Family { sizes, .. } => sizes.iter().copied().max().unwrap_or(1) as u128,
    };
    let total = axes.iter().map(largest).fold(1, u128::saturating_mul);
    if total > LARGEST as u128 {
        report.add(span, &check::HUGE_SHAPE, &[&total, &LARGEST]);
        return None;
    }
    let open: Vec<&&Axis> = axes.iter().filter(|axis| !matches!(axis, Axis::Fixed(_))).collect();
    if let [first, second, ..] = open[..]
        && open.iter().any(|axis| matches!(axis, Axis::Family { .. }))
    {
        let shown = |axis: &&Axis| shown(core::slice::from_ref(*axis)).trim_matches(['[', ']']).to_string();
        report.add(span, &check::FAMILY_OFF_AXIS, &[&shown(first), &shown(second)]);
        return None;
    }
    let (sizes, types) = (model.lens().len(), model.dtypes.len());
    if sizes * types > LARGEST_FAMILY {
        let found = format!("{} ({sizes} sizes of {types} types)", sizes * types);
        report.add(span, &check::LARGE_FAMILY, &[&found]);
        return None;
    }
    Some(())
}

fn axis_index(i: i128, span: Span, shape: &[Axis], report: &mut Report) -> Option<usize> {
    let rank = shape.len() as i128;
    if (-rank..rank).contains(&i) {
        return usize::try_from(if i < 0 { i + rank } else { i }).ok();
    }
    report.add(span, &check::AXIS_OUT_OF_RANGE, &[&-rank, &(rank - 1), &i, &numbered(shape)]);
    None
}

/// The axes of a list, sorted.
fn axis_list(items: &[Value], shape: &[Axis], report: &mut Report) -> Option<Vec<usize>> {
    let mut axes: Vec<(usize, i128)> = Vec::new();
    let mut complete = true;
    for item in items {
        let ValueKind::Int(i) = item.kind else {
            mistyped(item, "axis", "a number", "write `axis = [-2, -1]`", report);
            complete = false;
            continue;
        };
        match axis_index(i, item.span, shape, report) {
            Some(axis) => match axes.iter().find(|(other, _)| *other == axis) {
                Some((_, first)) => {
                    report.add(item.span, &check::REPEATED_AXIS, &[&i, first, &numbered(shape)]);
                    complete = false;
                }
                None => axes.push((axis, i)),
            },
            None => complete = false,
        }
    }
    let mut axes: Vec<usize> = axes.into_iter().map(|(axis, _)| axis).collect();
    axes.sort_unstable();
    complete.then_some(axes)
}
