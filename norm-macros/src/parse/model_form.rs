//! A struct and the `#[norm(...)]` of its fields.

use super::Entry;
use crate::check::{self, Report, Rule};
use proc_macro2::TokenStream;
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;

/// A struct as it is without what is ours, and its fields that have `#[norm]`, in order.
pub struct ModelForm {
    pub item: syn::ItemStruct,
    pub fields: Vec<NormField>,
}

/// A field with `#[norm(...)]`.
pub struct NormField {
    /// The field without it.
    pub field: syn::Field,
    pub args: Vec<Entry>,
    /// What is wrong with this field; apart from other fields, as it is to be said only where the field's `cfg` holds.
    pub report: Report,
}

/// The struct under the attribute, if it is one.
pub fn model_form(tokens: &TokenStream) -> Option<ModelForm> {
    let mut item: syn::ItemStruct = syn::parse2(tokens.clone()).ok()?;
    let mut fields = Vec::new();
    let (name, is_tuple) = (item.ident.clone(), matches!(item.fields, syn::Fields::Unnamed(_)));
    for field in &mut item.fields {
        let (mut norms, mut others) = (Vec::new(), Vec::new());
        for attribute in field.attrs.drain(..) {
            match norm(&attribute) {
                Some((meta, breaks)) => norms.push((attribute.bracket_token.span.join(), meta, breaks)),
                None => others.push(attribute),
            }
        }
        field.attrs = others;
        let Some((whole, first, _)) = norms.first() else { continue };
        let mut report = Report::on_field(*whole);
        for (i, (_, meta, breaks)) in norms.iter().enumerate() {
            let repeated = (i > 0).then_some(&check::REPEATED_NORM);
            if let Some(rule) = breaks.as_ref().or(repeated) {
                report.add(meta.path().span(), rule, &[&shown(field)]);
            }
        }
        if is_tuple {
            report.add(first.path().span(), &check::NORM_ON_TUPLE_FIELD, &[&name]);
        }
        let args = match first {
            syn::Meta::List(list) => super::args(list.tokens.clone(), &mut report),
            meta => {
                let found = if matches!(meta, syn::Meta::Path(_)) { "#[norm]" } else { "#[norm = ...]" };
                report.add(first.path().span(), &check::NORM_WITHOUT_KEYS, &[&found]);
                report.unread("kind");
                report.unread("shape");
                Vec::new()
            }
        };
        fields.push(NormField { field: field.clone(), args, report });
    }
    Some(ModelForm { item, fields })
}

/// What `#[norm(...)]` is, or that by a path; and what was meant to be, with the rule that it breaks.
fn norm(attribute: &syn::Attribute) -> Option<(syn::Meta, Option<Rule>)> {
    let is = |meta: &syn::Meta, name: &str| meta.path().segments.last().is_some_and(|segment| segment.ident == name);
    let meta = &attribute.meta;
    if is(meta, "norm") {
        return Some((meta.clone(), None));
    }
    if is(meta, "normalize") {
        return Some((meta.clone(), Some(check::NORMALIZE_ON_FIELD)));
    }
    if !meta.path().is_ident("cfg_attr") {
        return None;
    }
    let metas = attribute.parse_args_with(Punctuated::<syn::Meta, syn::Token![,]>::parse_terminated).ok()?;
    let meta = metas.into_iter().skip(1).find(|meta| is(meta, "norm") || is(meta, "normalize"))?;
    Some((meta, Some(check::NORM_IN_CFG_ATTR)))
}

/// The field's name, for messages.
fn shown(field: &syn::Field) -> String {
    field.ident.as_ref().map_or_else(|| "#[norm]".into(), ToString::to_string)
}
