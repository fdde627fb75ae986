//! A struct and the `#[norm(...)]` of its fields.

use super::Entry;
use crate::check::{self, Report};
use proc_macro2::TokenStream;
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
        let (norms, others): (Vec<_>, Vec<_>) = field.attrs.drain(..).partition(is_norm);
        field.attrs = others;
        let Some((first, more)) = norms.split_first() else { continue };
        let mut report = Report::on_field(first.bracket_token.span.join());
        for repeated in more {
            report.add(repeated.path().span(), &check::REPEATED_NORM, &[&shown(field)]);
        }
        if is_tuple {
            report.add(first.path().span(), &check::NORM_ON_TUPLE_FIELD, &[&name]);
        }
        let args = match &first.meta {
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

/// Whether it is `#[norm(...)]`, or that by a path.
fn is_norm(attribute: &syn::Attribute) -> bool {
    attribute.path().segments.last().is_some_and(|segment| segment.ident == "norm")
}

/// The field's name, for messages.
fn shown(field: &syn::Field) -> String {
    field.ident.as_ref().map_or_else(|| "#[norm]".into(), ToString::to_string)
}
