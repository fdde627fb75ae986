//! What editors show of keys.
//!
//! rust-analyzer tells what a token means, and what could stand in its place, by what becomes of it in the expansion. So each key
//! becomes, with its own span, the end of a path to its page in the facade (`normkit::keys::eps`), and the name of a kind that to its
//! page in the guide. A key that is not finished, or not known, is such a path too: rust-analyzer then offers what there is. To rustc
//! it would be an error, so none of this is there for rustc.

use crate::check::Report;
use crate::{model, parse};
use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::{ToTokens, quote};

/// Whether it is rust-analyzer that expands: by the program that this runs in, which is the toolchain's
/// `rust-analyzer-proc-macro-srv`, or `rust-analyzer` itself in older ones. (`cfg(rust_analyzer)` would be tokens for rustc as well,
/// and a name that not all of its releases know: they warn of it.)
pub fn is_reading() -> bool {
    let program = std::env::current_exe().unwrap_or_default();
    program.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with("rust-analyzer"))
}

/// The keys of an attribute, and those of the `#[norm(...)]` on the fields of its item.
pub fn keys_of_item(args: &TokenStream, item: &TokenStream) -> TokenStream {
    let mut all = keys(args, args);
    let fields = syn::parse2::<syn::ItemStruct>(item.clone())
        .map_or_else(|_| Vec::new(), |item| item.fields.into_iter().collect());
    for attribute in fields.iter().flat_map(|field| &field.attrs) {
        if let (Ok(list), true) = (attribute.meta.require_list(), attribute.path().is_ident("norm")) {
            all.extend(keys(&list.tokens, args));
        }
    }
    all
}

/// The keys among `args`, as paths; `whole` says where the facade is, if they do not.
pub fn keys(args: &TokenStream, whole: &TokenStream) -> TokenStream {
    let facade = |tokens: &TokenStream| {
        let mut report = Report::default();
        let entries = parse::args(tokens.clone(), &mut report);
        let says = entries.iter().any(|entry| entry.key == "crate");
        syn::parse_str::<syn::Path>(&model::facade_of(&entries, &mut report)).ok().filter(|_| says)
    };
    let facade = facade(args).or_else(|| facade(whole)).map_or_else(|| quote!(::normkit), ToTokens::into_token_stream);
    let tokens: Vec<_> = args.clone().into_iter().collect();
    let stretches = tokens.split(|token| matches!(token, TokenTree::Punct(comma) if comma.as_char() == ','));
    let (mut names, mut kinds) = (Vec::new(), Vec::new());
    for stretch in stretches {
        let [TokenTree::Ident(key), value @ ..] = stretch else { continue };
        names.extend(is_name(key).then_some(key));
        if let ("kind", [_, TokenTree::Ident(kind)]) = (key.to_string().as_str(), value) {
            kinds.extend(is_name(kind).then_some(kind));
        }
    }
    // In one pair of braces, where a name that is not there yet has its place.
    quote! {
        const _: () = {
            use #facade::keys::{#(#names as _,)*};
            use #facade::guide::{#(#kinds as _,)*};
        };
    }
}

/// Whether it may end a path: `crate` and other words of the language may not.
fn is_name(ident: &Ident) -> bool {
    syn::parse2::<Ident>(ident.to_token_stream()).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Technique;
    use std::collections::BTreeSet;

    /// The paths among tokens, in order.
    fn paths(tokens: &TokenStream) -> Vec<String> {
        let text = tokens.to_string().replace(' ', "");
        let uses = text.split("use").skip(1).map(|rest| rest.split_once("::{").unwrap());
        let paths = uses.flat_map(|(path, names)| {
            names.split("as_,").take_while(|name| !name.starts_with('}')).map(move |name| format!("{path}::{name}"))
        });
        paths.collect()
    }

    #[test]
    fn each_key_and_kind_is_a_path_to_its_page() {
        let args = quote!(kind = rms, shape = [_, 8], ep, crate = third::nk, allow(one_group), "rms", type = 1);
        let expected = ["keys::kind", "keys::shape", "keys::ep", "keys::allow", "guide::rms"];
        assert_eq!(paths(&keys(&args, &args)), expected.map(|path| format!("third::nk::{path}")));
    }

    #[test]
    fn fields_of_a_model_have_theirs_with_its_facade() {
        let item = quote!(
            struct S {
                #[norm(kind = "rms", eps)]
                a: A,
                #[doc(hidden)]
                b: B,
                #[norm(shape, crate = other)]
                c: C,
            }
        );
        let of_fields = ["nk::keys::kind", "nk::keys::eps", "other::keys::shape"];
        assert_eq!(paths(&keys_of_item(&quote!(crate = nk), &item)), of_fields);
        let none: [&str; 0] = [];
        assert_eq!(
            paths(&keys_of_item(
                &quote!(crate = nk),
                &quote!(
                    enum E {}
                )
            )),
            none
        );
        assert_eq!(
            paths(&keys_of_item(
                &quote!(axis),
                &quote!(
                    struct S;
                )
            )),
            ["::normkit::keys::axis"]
        );
    }

    /// The pages are in the facade, as a crate of macros can have no other items.
    #[test]
    fn each_key_has_a_page_that_says_something() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../src/keys.rs");
        let file = syn::parse_file(&std::fs::read_to_string(path).unwrap()).unwrap();
        let modules = file.items.iter().map(|item| match item {
            syn::Item::Mod(module) => module,
            other => panic!("{}", other.to_token_stream()),
        });
        let pages: BTreeSet<_> = modules
            .map(|module| {
                let docs = module.attrs.iter().filter(|attribute| attribute.path().is_ident("doc"));
                let text: String = docs.map(|doc| doc.to_token_stream().to_string()).collect();
                assert!(text.contains("```") && text.contains(&module.ident.to_string()), "{text}");
                module.ident.to_string()
            })
            .collect();
        let keys: BTreeSet<_> =
            Technique::keys_of_any().into_iter().filter(|key| *key != "crate").map(str::to_string).collect();
        assert_eq!(pages, keys);
    }

    #[test]
    fn the_compiler_is_no_editor() {
        assert!(!is_reading());
    }
}
