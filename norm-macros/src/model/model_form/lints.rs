//! The lints of a model as a whole.

use super::{LayerField, ModelStruct, keys};
use crate::check::{self, Report, Rule};
use crate::model::Technique;
use crate::parse::{Entry, Value, ValueKind};
use proc_macro2::Span;
use std::fmt::Display;

/// Of fields without a `cfg`: of others it is not known which are there together.
pub(super) fn judge(model: &ModelStruct, report: &mut Report) {
    mixed_kinds(model, report);
    norm_before_output(model, report);
}

fn lint(field: &LayerField, span: Span, lint: &Rule, args: &[&dyn Display], report: &mut Report) {
    let levels = keys::levels_of(&field.args, &mut Report::default());
    report.lint(&levels, span, lint, args);
}

/// The kind of a field, and where that is said.
fn kind(args: &[Entry]) -> Option<(&'static Technique, Span)> {
    let entry = args.iter().find(|entry| entry.key == "kind")?;
    let Value { kind: ValueKind::Word(word), span } = &entry.value else { return None };
    Some((Technique::of_kind(word)?, *span))
}

/// At the first field of another kind than the first layer; weights are normalized beside any.
fn mixed_kinds(model: &ModelStruct, report: &mut Report) {
    let named = model.fields.iter().filter(|field| field.cfgs.is_empty());
    let kinds = named.filter_map(|field| Some((field, field.name.as_ref()?, kind(&field.args)?)));
    let mut kinds = kinds.filter(|(_, _, (technique, _))| !technique.of_sum);
    let Some((_, first, (usual, _))) = kinds.next() else { return };
    if let Some((field, name, (other, span))) = kinds.find(|(_, _, (technique, _))| technique.kind != usual.kind) {
        lint(field, span, &check::MIXED_KINDS, &[name, &other.kind, first, &usual.kind, &usual.kind], report);
    }
}

/// What output layers are called, by their users and in checkpoints. Names that are as often another layer's (`head`, `output`, `fc`)
/// tell nothing.
const OUTPUT_LAYERS: &[&str] = &[
    "lm_head",
    "output_layer",
    "output_head",
    "classifier",
    "classification_head",
    "prediction_head",
    "cls_head",
    "logits",
    "to_logits",
    "unembed",
    "unembedding",
];

/// Residual blocks end in a norm, and so do decoders whose head is elsewhere: what is certain is that none follows an output layer.
fn norm_before_output(model: &ModelStruct, report: &mut Report) {
    let of_field =
        |name: &Option<syn::Ident>| model.fields.iter().find(|layer| layer.name.is_some() && layer.name == *name);
    let Some(last) = model.item.fields.iter().last() else { return };
    let Some((layer, name)) = of_field(&last.ident).zip(last.ident.as_ref()) else { return };
    if !layer.cfgs.is_empty() || kind(&layer.args).is_none_or(|(technique, _)| technique.of_sum) {
        return;
    }
    let has_cfg = |field: &syn::Field| field.attrs.iter().any(|attribute| attribute.path().is_ident("cfg"));
    let others = model.item.fields.iter().filter(|field| !has_cfg(field) && of_field(&field.ident).is_none());
    let mut names = others.filter_map(|field| field.ident.as_ref());
    if let Some(output) = names.find(|name| OUTPUT_LAYERS.iter().any(|output| name == output)) {
        lint(layer, name.span(), &check::NORM_BEFORE_OUTPUT, &[name, output, output, name], report);
    }
}
