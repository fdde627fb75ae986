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
    "mlm_head",
    "output_layer",
    "output_head",
    "output_projection",
    "classifier",
    "classification_head",
    "prediction_head",
    "policy_head",
    "value_head",
    "cls_head",
    "logits",
    "to_logits",
    "unembed",
    "unembedding",
];

/// How the names of structs end that are whole networks, from inputs to outputs.
const NETWORKS: &[&str] =
    &["Model", "Net", "Network", "Classifier", "Regressor", "Discriminator", "Critic", "Policy", "ForCausalLM"];

/// What a stack of layers is called. Its last norm is part of it, and the output layer often elsewhere.
const STACKS: &[&str] =
    &["layers", "blocks", "stages", "encoder", "decoder", "transformer", "backbone", "trunk", "stack"];

/// A norm as the last field is right in blocks (after attention or a convolution), and where the head of a stack of layers is
/// elsewhere. What tells that it normalizes outputs is an output layer before it, or that the struct is a whole network.
fn norm_before_output(model: &ModelStruct, report: &mut Report) {
    let of_field =
        |name: &Option<syn::Ident>| model.fields.iter().find(|layer| layer.name.is_some() && layer.name == *name);
    let Some(last) = model.item.fields.iter().last() else { return };
    let Some((layer, name)) = of_field(&last.ident).zip(last.ident.as_ref()) else { return };
    if !layer.cfgs.is_empty() || kind(&layer.args).is_none_or(|(technique, _)| technique.of_sum) {
        return;
    }
    let others = || model.item.fields.iter().filter(|field| of_field(&field.ident).is_none());
    let has_cfg = |field: &syn::Field| field.attrs.iter().any(|attribute| attribute.path().is_ident("cfg"));
    let is_one_of = |names: &[&str], field: &syn::Field| {
        field.ident.as_ref().is_some_and(|name| names.iter().any(|known| name == known))
    };
    let whole = &model.item.ident;
    let of = if let Some(field) = others().find(|field| !has_cfg(field) && is_one_of(OUTPUT_LAYERS, field)) {
        let output = field.ident.as_ref().map(ToString::to_string).unwrap_or_default();
        format!("`{whole}`, after `{output}`")
    } else if others().count() > 0
        && NETWORKS.iter().any(|end| whole.to_string().ends_with(end))
        && !others().any(|field| is_one_of(STACKS, field) || holds_several(&field.ty))
    {
        format!("`{whole}`")
    } else {
        return;
    };
    lint(layer, name.span(), &check::NORM_BEFORE_OUTPUT, &[name, &of, name], report);
}

/// Whether the type is an array, a `Vec` or a box of several.
fn holds_several(ty: &syn::Type) -> bool {
    match ty {
        syn::Type::Array(_) | syn::Type::Slice(_) => true,
        syn::Type::Path(path) => path.path.segments.last().is_some_and(|last| match &last.arguments {
            _ if last.ident == "Vec" => true,
            syn::PathArguments::AngleBracketed(arguments) => arguments
                .args
                .iter()
                .any(|argument| matches!(argument, syn::GenericArgument::Type(ty) if holds_several(ty))),
            _ => false,
        }),
        _ => false,
    }
}
