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
//! Use the facade, not this crate: generated code refers to `normkit`.

mod check;
mod emit;
mod model;
mod parse;
mod plan;

use check::Report;
use proc_macro::TokenStream;

/// Turns a struct into a normalization layer: adds its parameters (where they are not declared), kernels, gradients.
///
/// See the facade's documentation for the keys.
#[proc_macro_attribute]
pub fn normalize(args: TokenStream, item: TokenStream) -> TokenStream {
    expand_normalize(args.into(), item.into()).into()
}

/// A zero-sized kernel over the caller's own memory.
///
/// See the facade's documentation for the keys.
#[proc_macro]
pub fn norm(args: TokenStream) -> TokenStream {
    expand_norm(args.into()).into()
}

fn expand_normalize(args: proc_macro2::TokenStream, item: proc_macro2::TokenStream) -> proc_macro2::TokenStream {
    let mut report = Report::on(&item);
    let args = parse::args(args, &mut report);
    let Some(item) = parse::item(item.clone(), &mut report) else {
        return emit::refused_item(&item, &args, &report);
    };
    match model::layer(&args, &item, &mut report) {
        Some(layer) if report.is_empty() => emit::layer(&layer, &plan::plan(&layer.model)),
        _ => emit::refused_layer(&item, &args, &report),
    }
}

fn expand_norm(args: proc_macro2::TokenStream) -> proc_macro2::TokenStream {
    let mut report = Report::on(&args);
    let args = parse::args(args, &mut report);
    match model::kernel(&args, &mut report) {
        Some(model) if report.is_empty() => emit::kernel(&model, &plan::plan(&model)),
        _ => report.to_tokens_in_expression(),
    }
}
