//! A model: the user's struct, its layers, and the methods that walk them.

use crate::check::Report;
use crate::model::model_form::{LayerField, ModelStruct};
use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::ext::IdentExt;

/// `#[normalize] struct ...` with `layers` in place of its `#[norm(...)]` fields. What was refused is missing, no more.
pub fn model_form(model: &ModelStruct, layers: &[TokenStream], report: &Report) -> TokenStream {
    let (errors, item, methods) = (report.to_tokens(&model.item.attrs), &model.item, methods(model));
    let layers = model.fields.iter().zip(layers).map(|(field, layer)| guarded(field, layer));
    quote!(#errors #item #methods #(#layers)*)
}

/// What is there only where the field is.
fn guarded(field: &LayerField, layer: &TokenStream) -> TokenStream {
    let cfgs = &field.cfgs;
    if cfgs.is_empty() {
        return layer.clone();
    }
    match syn::parse2::<syn::File>(layer.clone()) {
        Ok(file) => file.items.iter().map(|item| quote!(#(#cfgs)* #item)).collect(),
        Err(_) => layer.clone(),
    }
}

fn methods(model: &ModelStruct) -> TokenStream {
    let syn::ItemStruct { vis, ident: name, generics, .. } = &model.item;
    let nk = syn::parse_str::<syn::Path>(&model.facade).map_or_else(|_| quote!(::normkit), ToTokens::into_token_stream);
    let (impl_generics, type_generics, where_clause) = generics.split_for_impl();
    let cfgs: Vec<_> = model.item.attrs.iter().filter(|attribute| attribute.path().is_ident("cfg")).collect();
    // Said in full: what an `impl Trait` captures by itself depends on the edition of its tokens.
    let types = generics.type_params().map(|param| &param.ident);
    let consts = generics.const_params().map(|param| &param.ident);
    let captured: Vec<_> = types.chain(consts).collect();
    let norms = |reference: TokenStream| {
        let entries = model.fields.iter().filter_map(|LayerField { name, cfgs, .. }| {
            let (name, text) = (name.as_ref()?, name.as_ref()?.unraw().to_string());
            Some(quote!(#(#cfgs)* (#text, #reference self.#name),))
        });
        // The type is said, so that references become those of the trait, and none at all are an array too.
        quote! {
            #nk::__private::layer::norms::<(&'static ::core::primitive::str, #reference dyn #nk::NormLayer), _>([#(#entries)*])
        }
    };
    let (shared, exclusive) = (norms(quote!(&)), norms(quote!(&mut)));
    let item = |reference: TokenStream| {
        quote! {
            impl ::core::iter::Iterator<Item = (&'static ::core::primitive::str, #reference dyn #nk::NormLayer)>
                + use<'normkit_model, #(#captured),*>
        }
    };
    let (item, item_mut) = (item(quote!(&'normkit_model)), item(quote!(&'normkit_model mut)));
    quote! {
        #(#cfgs)*
        #[allow(single_use_lifetimes)]
        impl #impl_generics #name #type_generics #where_clause {
            /// The normalization layers, by field name, in the order of fields.
            #vis fn norms<'normkit_model>(&'normkit_model self) -> #item {
                #shared
            }

            /// The normalization layers, by field name, in the order of fields, to be written.
            #vis fn norms_mut<'normkit_model>(&'normkit_model mut self) -> #item_mut {
                #exclusive
            }
        }
    }
}

#[cfg(test)]
mod tests;
