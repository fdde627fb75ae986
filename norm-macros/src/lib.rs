//! The compiler of [normkit](https://docs.rs/normkit): from `#[normalize(...)]` and `norm!(...)` to kernels.
//!
//! Five rooms, one direction:
//!
//! | room | from | to |
//! |---|---|---|
//! | `parse` | tokens | keys and values with their spans; never fails early, collects |
//! | `model` | those, and the technique table | what is to be computed, everything resolved |
//! | `check` | | the catalogue of named messages and the report that collects them |
//! | `plan` | the model | per length and instruction set a schedule: plain data, compared and printed |
//! | `emit` | model and plan | tokens; cannot fail, deterministic |
//!
//! Beside them, `editor` tells rust-analyzer what keys mean; nothing of it is there for rustc.
//!
//! Use the facade, not this crate: generated code refers to `normkit`.

mod check;
mod editor;
mod emit;
mod model;
mod parse;
mod plan;

#[cfg(test)]
mod random;

use check::Report;
use parse::{Entry, ModelForm};
use proc_macro::TokenStream;

/// Turns a struct into a normalization layer: adds its parameters (where they are not declared), kernels, gradients.
///
/// See the facade's documentation for the keys.
#[proc_macro_attribute]
pub fn normalize(args: TokenStream, item: TokenStream) -> TokenStream {
    let (args, item) = (args.into(), item.into());
    let keys = editor::is_reading().then(|| editor::keys_of_item(&args, &item));
    let expansion = expand_normalize(args, item);
    quote::quote!(#keys #expansion).into()
}

/// A zero-sized kernel over the caller's own memory.
///
/// See the facade's documentation for the keys.
#[proc_macro]
pub fn norm(args: TokenStream) -> TokenStream {
    let args = args.into();
    let keys = editor::is_reading().then(|| editor::keys(&args, &args));
    let expansion = expand_norm(args);
    match keys {
        Some(keys) => quote::quote!({ #keys #expansion }).into(),
        None => expansion.into(),
    }
}

fn expand_normalize(args: proc_macro2::TokenStream, item: proc_macro2::TokenStream) -> proc_macro2::TokenStream {
    let mut report = Report::on(&item);
    let args = parse::args(args, &mut report);
    let form = parse::model_form(&item);
    if let Some(form) = form.filter(|form| model::model_form::is_model(&args, form, &mut report)) {
        return expand_model(&args, form, &mut report);
    }
    match parse::item(item.clone(), &mut report) {
        Some(item) => expand_layer(&args, &item, &mut report),
        None => emit::refused_item(&item, &args, &report),
    }
}

fn expand_layer(args: &[Entry], item: &syn::ItemStruct, report: &mut Report) -> proc_macro2::TokenStream {
    match model::layer(args, item, report) {
        Some(layer) if report.is_empty() => {
            let plan = plan::plan(&layer.model);
            report.say_plan(&format!("`{}`", item.ident), || plan::table::table(&layer.model, &plan));
            let (warnings, layer) = (report.warnings(&item.attrs), emit::layer(&layer, &plan));
            quote::quote!(#warnings #layer)
        }
        _ => emit::refused_layer(item, args, report),
    }
}

/// Each layer by itself, so that what is wrong with one hides nothing of another.
fn expand_model(args: &[Entry], form: ModelForm, report: &mut Report) -> proc_macro2::TokenStream {
    let mut model = model::model_form::model_form(args, form, report);
    let layers = model.fields.iter_mut().map(|field| match &field.layer {
        Some(item) => expand_layer(&field.args, item, &mut field.report),
        None => {
            // Its keys are judged all the same.
            let _ = model::kernel(&field.args, &mut field.report);
            field.report.to_tokens(&[])
        }
    });
    let layers: Vec<_> = layers.collect();
    emit::model_form(&model, &layers, report)
}

fn expand_norm(args: proc_macro2::TokenStream) -> proc_macro2::TokenStream {
    let mut report = Report::on(&args);
    let args = parse::args(args, &mut report);
    match model::kernel(&args, &mut report) {
        Some(model) if report.is_empty() => {
            let plan = plan::plan(&model);
            report.say_plan("this kernel", || plan::table::table(&model, &plan));
            report.warn_in_expression(emit::kernel(&model, &plan))
        }
        _ => report.to_tokens_in_expression(),
    }
}
