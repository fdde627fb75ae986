//! The plan as a table, for `PLAN` and for the documentation.

use super::{Pass, PassPlan, Plan, Tail};
use crate::model::{Affine, Cast, Len, Model, Role};
use std::fmt::Write;

/// A Markdown table of everything that is generated.
pub fn table(model: &Model, plan: &Plan) -> String {
    let mut text = String::new();
    let _ = writeln!(
        text,
        "{} normalization of {} (parameters {}), shape {}, {}{}\n",
        model.technique.kind,
        model.dtype_names(),
        if model.affine == Affine::None { "none" } else { model.param.name() },
        crate::model::shown(&model.shape),
        axes(model),
        if model.cast == Cast::BeforeWeight { ", rounded before the weight" } else { "" },
    );
    text.push_str("| length | pass | level | vector | rows together | sums per row | row kept in | tail | bytes moved per element | why |\n");
    text.push_str("|---|---|---|---|---|---|---|---|---|---|\n");
    for kernel in &plan.kernels {
        for pass in &kernel.passes {
            text.push_str(&line(model, kernel.len, pass));
            text.push('\n');
        }
    }
    text
}

/// What is done along the axes.
fn axes(model: &Model) -> String {
    let of = |role: Role| model.roles.iter().filter(|r| **r == role).count();
    let rank = model.roles.len();
    let Some(channel) = model.roles.iter().position(|role| *role == Role::Channel) else {
        return format!("{} of {rank} axes normalized", of(Role::Normalized));
    };
    let groups = model.groups.map(|groups| format!(" in {groups} groups")).unwrap_or_default();
    format!("channels{groups} on axis {channel}, {} of {rank} axes normalized", of(Role::Normalized))
}

/// The name of a pass in the table, and the tensors it moves.
fn pass_and_tensors(model: &Model, pass: Pass) -> (&'static str, usize) {
    match pass {
        Pass::Forward => ("forward, training forward", 2),
        Pass::Backward => ("backward", 3),
        Pass::Sums if model.technique.running => ("training forward: sums", 1),
        Pass::Output if model.technique.running => ("forward, training forward: output", 2),
        Pass::Sums => ("forward, training forward: sums", 1),
        Pass::Output => ("forward, training forward: output", 2),
        Pass::GradientSums => ("backward: sums", 2),
        Pass::Gradient => ("backward: gradient", 3),
    }
}

fn line(model: &Model, len: Len, plan: &PassPlan) -> String {
    let schedule = &plan.schedule;
    let length = match len {
        Len::Fixed(n) => n.to_string(),
        Len::Runtime => "run time".into(),
    };
    let length = if model.dtypes.len() > 1 { format!("{length} of {}", plan.dtype.name()) } else { length };
    let (pass, tensors) = pass_and_tensors(model, plan.pass);
    // The gradient of a weight's vectors is a parameter's: of the type that is computed in, read and written.
    let bytes = if plan.pass.adds(model.technique) {
        (tensors - 1) * plan.dtype.size() + 2 * model.compute().size()
    } else {
        tensors * plan.dtype.size()
    };
    let kept = match (schedule.keep, schedule.keep_grads, schedule.vectors(len)) {
        (true, true, Some(v)) => format!("registers ({v} vectors, with the gradients of the parameters)"),
        (true, false, Some(v)) => format!("registers ({v} vectors)"),
        (_, _, Some(v)) if schedule.tile > 0 => format!("cache (a tile of {v} vectors down the rows)"),
        (_, _, Some(v)) if v < 2 * schedule.unroll => "cache (straight-line)".into(),
        _ if schedule.reversed => format!("cache (loops of {} vectors, the second from the end)", schedule.unroll),
        _ => format!("cache (loops of {} vectors)", schedule.unroll),
    };
    let tail = match schedule.tail {
        Tail::None => "none".into(),
        Tail::Part(count) => format!("{count} elements"),
        Tail::Runtime => "by length".into(),
    };
    format!(
        "| {length} | {pass} | {} | {} x {} | {} | {} | {kept} | {tail} | {} | {} |",
        plan.isa.name(),
        schedule.lanes,
        model.compute().name(),
        schedule.rows,
        match plan.pass {
            Pass::Output | Pass::Gradient => 0,
            _ => schedule.chains * if model.technique.centred { 2 } else { 1 },
        },
        bytes,
        schedule.why,
    )
}
