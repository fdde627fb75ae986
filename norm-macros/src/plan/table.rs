//! The plan as a table, for `PLAN` and for the documentation.

use super::{Pass, PassPlan, Plan, Tail};
use crate::model::{Affine, Len, Model};
use std::fmt::Write;

/// A Markdown table of everything that is generated.
pub fn table(model: &Model, plan: &Plan) -> String {
    let mut text = String::new();
    let _ = writeln!(
        text,
        "{} normalization of {} (parameters {}), shape {}, {} of {} axes normalized\n",
        model.technique.kind,
        model.dtype.name(),
        if model.affine == Affine::None { "none" } else { model.param.name() },
        crate::model::shown(&model.shape),
        model.shape.len() - model.leading,
        model.shape.len(),
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

fn line(model: &Model, len: Len, plan: &PassPlan) -> String {
    let schedule = &plan.schedule;
    let length = match len {
        Len::Fixed(n) => n.to_string(),
        Len::Runtime => "run time".into(),
    };
    let (pass, tensors) = match plan.pass {
        Pass::Forward => ("forward, training forward", 2),
        Pass::Backward => ("backward", 3),
    };
    let kept = match (schedule.keep, schedule.keep_grads, schedule.vectors(len)) {
        (true, true, Some(v)) => format!("registers ({v} vectors, with the gradients of the parameters)"),
        (true, false, Some(v)) => format!("registers ({v} vectors)"),
        (_, _, Some(v)) if v < 2 * schedule.unroll => "cache (straight-line)".into(),
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
        model.dtype.compute().name(),
        schedule.rows,
        schedule.chains * if model.technique.centred { 2 } else { 1 },
        tensors * model.dtype.size(),
        schedule.why,
    )
}
