use crate::expand_normalize;
use expect_test::expect_file;
use proc_macro2::TokenStream;
use quote::quote;

fn expanded(args: &str, item: &str) -> TokenStream {
    expand_normalize(args.parse().unwrap(), item.parse().unwrap())
}

fn file(expansion: &TokenStream) -> syn::File {
    syn::parse2(expansion.clone()).unwrap_or_else(|error| panic!("{error}: {expansion}"))
}

/// The layers' kernels and methods have snapshots of their own.
fn without_kernels(expansion: &TokenStream) -> String {
    let mut file = file(expansion);
    for item in &mut file.items {
        match item {
            syn::Item::Const(item) => *item.expr = syn::parse_quote!({}),
            // The table is the plan's.
            syn::Item::Struct(item) => item.attrs.retain(|doc| !quote!(#doc).to_string().contains("# Normalization")),
            _ => {}
        }
    }
    prettyplease::unparse(&file)
}

#[test]
fn a_model() {
    let item = r#"/// A block.
        #[derive(Clone)]
        pub(crate) struct Block<'a, T: Copy, const N: usize> where T: 'a {
            #[norm(kind = "rms", shape = [_, 20])]
            /// First.
            pub input: InputNorm,
            other: &'a [T; N],
            #[cfg(feature = "last")]
            #[norm(kind = "layer", shape = [_, _], eps = _)]
            r#final: FinalNorm,
        }"#;
    let expansion = without_kernels(&expanded("crate = mine::normkit", item));
    expect_file!["../snapshots/model_form.rs"].assert_eq(&format!(
        "// #[normalize(crate = mine::normkit)] on a model; what is inside of `const _` left out.\n\n{expansion}"
    ));
}

#[test]
fn what_is_refused_is_rust_too_and_the_same_each_time() {
    let fields = [
        "#[norm(kind = rms, shape = [_, 8])] a: A",
        "#[cfg(a)] #[norm(kind = rms, shape = [_, 0])] r#b: B",
        "#[norm] c: A",
        "#[norm()] #[norm()] #[b] d: Option<D>",
        "#[norm = 1] #[cfg(b)] e: T",
        "#[a::norm[shape = x, crate = 1]] f: S",
        "other: u8",
    ];
    for args in ["", "kind = rms", "crate = 1", "crate = a, crate = b", ",", "allow(x)"] {
        for (i, first) in fields.iter().enumerate() {
            for second in &fields[i + 1..] {
                let item = format!("#[derive(Default)] struct S<'a, T: Copy = u8> {{ {first}, x: &'a T, {second} }}");
                let expansion = expanded(args, &item);
                assert_eq!(expansion.to_string(), expanded(args, &item).to_string(), "{args} on {item}");
                let is_model = |item: &&syn::Item| matches!(item, syn::Item::Struct(item) if item.ident == "S");
                let found = file(&expansion).items;
                let models: Vec<_> = found.iter().filter(is_model).collect();
                assert!(models.len() == 1 && !quote!(#(#models)*).to_string().contains("norm"), "{args} on {item}");
                let text = expansion.to_string();
                let is_right = args.is_empty() && i == 0 && *second == "other: u8";
                assert_eq!(text.contains("compile_error"), !is_right, "{args} on {item}");
                assert!(text.contains("fn norms <") && text.contains("fn norms_mut <"), "{args} on {item}");
            }
        }
        let tuple = expanded(args, "struct S<T>(#[norm(kind = rms, shape = [_, 8])] A, #[norm] T);");
        let text = tuple.to_string();
        assert!(file(&tuple).items.len() > 3 && text.contains("compile_error") && text.contains("struct A"), "{args}");
    }
}

#[test]
fn all_of_a_field_is_under_its_cfg() {
    for (args, errors) in [("kind = rms, shape = [_, 20]", 0), ("kind = rsm, shape = [_, 0]", 2)] {
        let item = format!("struct S {{ #[cfg(a)] #[cfg(b)] #[norm({args})] a: A, b: u8 }}");
        let found = file(&expanded("", &item)).items;
        let is_error = |item: &&syn::Item| matches!(item, syn::Item::Macro(_));
        assert_eq!(found.iter().filter(is_error).count(), errors);
        for item in found {
            let text = quote!(#item).to_string();
            // The struct and its impl have it inside.
            let is_models = text.starts_with("struct S") || text.contains("impl S");
            assert!(text.starts_with("# [cfg (a)] # [cfg (b)]") != is_models, "{text}");
            assert!(text.contains("# [cfg (a)] # [cfg (b)]"), "{text}");
        }
    }
}
