//! What stands in place of a refused layer: the messages, the user's item, and methods that type-check, so that code that
//! uses the layer says nothing of its own.

use super::ident;
use crate::check::Report;
use crate::model::param_element;
use crate::parse::{Entry, ValueKind};
use proc_macro2::TokenStream;
use quote::{ToTokens, format_ident, quote};

/// Messages and the item as it was.
pub fn refused_item(item: &TokenStream, report: &Report) -> TokenStream {
    let errors = report.to_tokens();
    quote!(#errors #item)
}

/// Messages, the struct, and stub methods.
pub fn refused_layer(item: &syn::ItemStruct, args: &[Entry], report: &Report) -> TokenStream {
    let errors = report.to_tokens();
    let facade = args.iter().find(|entry| entry.key == "crate").and_then(|entry| match &entry.value.kind {
        ValueKind::Word(path) | ValueKind::Path(path) => syn::parse_str::<syn::Path>(path).ok(),
        _ => None,
    });
    let nk = facade.map_or_else(|| quote!(::normkit), ToTokens::into_token_stream);
    let element = ident(param_element(item).name());
    let (name, vis) = (&item.ident, &item.vis);
    let grads = format_ident!("{name}Grads");
    let (impl_generics, type_generics, where_clause) = item.generics.split_for_impl();
    let mut item = item.clone();
    item.attrs.retain(|attribute| attribute.path().segments.last().is_none_or(|s| s.ident != "normalize"));
    if matches!(item.fields, syn::Fields::Unit) {
        item.semi_token = None;
        item.fields = syn::Fields::Named(syn::parse_quote!({
            /// A parameter.
            pub weight: #nk::Param<#element>,
            /// A parameter.
            pub bias: #nk::Param<#element>,
        }));
    }
    let derives_default = item.attrs.iter().any(|attribute| {
        attribute.path().is_ident("derive") && attribute.meta.to_token_stream().to_string().contains("Default")
    });
    let default = (!derives_default).then(|| {
        quote! {
            impl #impl_generics ::core::default::Default for #name #type_generics #where_clause {
                fn default() -> Self {
                    ::core::panic!("the layer was refused at compile time")
                }
            }
        }
    });
    let stubs = ["forward", "forward_inplace", "forward_train", "backward"].map(|method| stub(&nk, method));
    quote! {
        #errors
        #item

        #[doc(hidden)]
        #[allow(missing_docs)]
        #vis struct #grads {
            pub weight: #nk::Param<#element>,
            pub bias: #nk::Param<#element>,
        }

        #[allow(missing_docs, dead_code)]
        impl #grads {
            pub fn new() -> Self {
                ::core::panic!("the layer was refused at compile time")
            }
            pub fn zero(&mut self) {}
        }

        #[allow(missing_docs, dead_code)]
        impl #impl_generics #name #type_generics #where_clause {
            pub const PLAN: &'static ::core::primitive::str = "";
            pub fn new() -> Self {
                ::core::panic!("the layer was refused at compile time")
            }
            #(#stubs)*
        }

        #default
    }
}

/// A method of that name that takes anything.
fn stub(nk: &TokenStream, method: &str) -> TokenStream {
    let count = match method {
        "forward" => 2,
        "forward_inplace" => 1,
        "forward_train" => 3,
        _ => 5,
    };
    let name = ident(method);
    let types: Vec<_> = (0..count).map(|i| format_ident!("A{i}")).collect();
    quote! {
        pub fn #name<#(#types),*>(&self, #(_: #types),*) -> ::core::result::Result<(), #nk::NormError> {
            ::core::panic!("the layer was refused at compile time")
        }
    }
}
