use super::*;
use crate::parse;
use proc_macro2::TokenStream;
use quote::quote;

/// The model, and the names of what was reported: on it, then on its fields, with what their layers are told.
pub fn read(args: TokenStream, item: &TokenStream) -> (Option<ModelStruct>, Vec<&'static str>) {
    let mut report = Report::default();
    let args = parse::args(args, &mut report);
    let form = parse::model_form(item).filter(|form| is_model(&args, form, &mut report));
    let Some(form) = form else { return (None, report.names) };
    let mut model = model_form(&args, form, &mut report);
    for field in &mut model.fields {
        match &field.layer {
            Some(item) => drop(crate::model::layer(&field.args, item, &mut field.report)),
            None => drop(crate::model::kernel(&field.args, &mut field.report)),
        }
        report.names.extend(&field.report.names);
    }
    (Some(model), report.names)
}

fn model_of(args: TokenStream, item: TokenStream) -> ModelStruct {
    let (model, names) = read(args, &item);
    assert_eq!(names, [""; 0], "{item}");
    model.unwrap()
}

fn text(tokens: impl quote::ToTokens) -> String {
    tokens.to_token_stream().to_string()
}

fn facade(field: &LayerField) -> String {
    keys::facade_of(&field.args, &mut Report::default())
}

/// A rule's name, and arguments and a struct that break it and no other.
#[rustfmt::skip]
pub const BROKEN: &[(&str, &str, &str)] = &[
    ("neither_form", "", "struct S;"),
    ("neither_form", "", "struct S { other: Other }"),
    ("neither_form", "crate = a::b", "struct S { weight: [f32; 8] }"),
    ("neither_form", "", "struct S(f32);"),
    ("keys_on_model", "kind = rms, shape = [_, 8]", "struct S { #[norm(kind = rms, shape = [_, 8])] a: A }"),
    ("keys_on_model", "banana = 1", "struct S { #[norm(kind = rms, shape = [_, 8])] a: A }"),
    ("unknown_lint", "allow(x)", "struct S { #[norm(kind = rms, shape = [_, 8])] a: A }"),
    ("mistyped", "crate = 1", "struct S { #[norm(kind = rms, shape = [_, 8])] a: A }"),
    ("mistyped", "explain = 1", "struct S { #[norm(kind = rms, shape = [_, 8])] a: A }"),
    ("mistyped", "", "struct S { #[norm(kind = rms, shape = [_, 8], explain = no)] a: A }"),
    ("norm_on_struct", "", "#[norm(kind = rms)] struct S { #[norm(kind = rms, shape = [_, 8])] a: A }"),
    ("normalize_on_field", "", "struct S { #[normalize(kind = rms, shape = [_, 8])] a: A }"),
    ("normalize_on_field", "", "struct S { #[norm(kind = rms, shape = [_, 8])] #[normkit::normalize] a: A }"),
    ("norm_in_cfg_attr", "", "struct S { #[cfg_attr(a, norm(kind = rms, shape = [_, 8]))] a: A }"),
    ("norm_in_cfg_attr", "", "struct S { #[cfg_attr(all(a, b), doc(hidden), normalize(kind = rms, shape = [_, 8]))] a: A }"),
    ("stacked", "", "#[normalize(kind = rms)] struct S { #[norm(kind = rms, shape = [_, 8])] a: A }"),
    ("norm_without_keys", "", "struct S { #[norm] a: A }"),
    ("norm_without_keys", "", "struct S { #[norm = 1] a: A }"),
    ("missing_shape", "", "struct S { #[norm(kind = rms)] a: A }"),
    ("missing_kind", "", "struct S { #[norm(shape = [_, 8])] a: A }"),
    ("repeated_norm", "", "struct S { #[norm(kind = rms, shape = [_, 8])] #[norm(kind = rms, shape = [_, 8])] a: A }"),
    ("norm_on_tuple_field", "", "struct S(#[norm(kind = rms, shape = [_, 8])] A);"),
    ("norm_type", "", "struct S { #[norm(kind = rms, shape = [_, 8])] a: a::A }"),
    ("norm_type", "", "struct S { #[norm(kind = rms, shape = [_, 8])] a: Option<A> }"),
    ("norm_type", "", "struct S { #[norm(kind = rms, shape = [_, 8])] a: [f32; 8] }"),
    ("norm_type", "", "struct S { #[norm(kind = rms, shape = [_, 8])] a: f32 }"),
    ("norm_type", "", "struct S { #[norm(kind = rms, shape = [_, 8])] a: Self }"),
    ("norm_type", "", "struct S<A> { #[norm(kind = rms, shape = [_, 8])] a: A }"),
    ("norm_type", "", "struct S<T> { #[norm(kind = rms, shape = [_, 8])] a: A<T> }"),
    ("norm_type_taken", "", "struct A { #[norm(kind = rms, shape = [_, 8])] a: A }"),
    ("norm_type_taken", "", "struct S { #[norm(kind = rms, shape = [_, 8])] a: A, #[norm(kind = rms, shape = [_, 8])] b: A }"),
    ("norm_type_taken", "", "struct S { #[norm(kind = rms, shape = [_, 8])] a: A, #[norm(kind = rms, shape = [_, 8])] b: AGrads }"),
    ("norm_type_taken", "", "struct S { #[norm(kind = rms, shape = [_, 8])] a: AGrads, #[norm(kind = rms, shape = [_, 8])] b: A }"),
    ("norm_type_taken", "", "struct S { #[norm(kind = rms, shape = [_, 8])] a: A, #[cfg(b)] #[norm(kind = rms, shape = [_, 8])] b: A }"),
    ("norm_type_taken", "", "struct S { #[cfg(b)] #[norm(kind = rms, shape = [_, 8])] a: A, #[cfg(b)] #[norm(kind = rms, shape = [_, 8])] b: A }"),
];

#[test]
fn each_rule_is_reported_by_its_name_and_alone() {
    for (rule, args, item) in BROKEN {
        let (_, names) = read(args.parse().unwrap(), &item.parse().unwrap());
        assert_eq!(names, [*rule], "{args} on {item}");
    }
}

#[test]
fn fields_hide_nothing_of_each_other() {
    let (model, names) = read(
        quote!(kind = "rms", crate = 7),
        &quote! {
            #[normalize]
            struct S {
                #[norm] a: A,
                #[norm(kind = "rsm", epsilon = 1, shape = [_, 0])] b: B,
                #[norm(kind = "rms", shape = [])] c: C<u8>,
                #[norm(kind = "rms", shape = [_, 8])] fine: Fine,
                #[norm(kind)] #[norm] d: A,
            }
        },
    );
    let of_model = ["keys_on_model", "mistyped", "stacked"];
    let of_fields = ["norm_without_keys", "unknown_kind", "unknown_key", "zero_dim", "norm_type", "empty_shape"];
    let of_last = ["repeated_norm", "syntax", "norm_type_taken", "missing_shape"];
    assert_eq!(names, [&of_model[..], &of_fields, &of_last].concat());
    // What can be handed out is, so that code that walks the model has nothing to add.
    let names: Vec<_> = model.unwrap().fields.iter().map(|field| field.name.is_some()).collect();
    assert_eq!(names, [true, true, false, true, true]);
}

#[test]
fn a_struct_is_a_model_a_layer_or_told_that_it_is_neither() {
    let is_model = |args, item: TokenStream| read(args, &item).0.is_some();
    assert!(is_model(
        quote!(),
        quote!(
            struct S {
                #[norm(kind = rms, shape = [_, 8])]
                weight: A,
            }
        )
    ));
    assert!(is_model(
        quote!(kind = rms),
        quote!(
            struct S {
                #[normkit::norm]
                weight: A,
            }
        )
    ));
    // As which it is refused is a guess by its fields.
    assert!(is_model(
        quote!(),
        quote!(
            struct S {
                a: A,
            }
        )
    ));
    for layer in [
        quote!(
            struct S;
        ),
        quote!(
            struct S {}
        ),
        quote!(
            struct S {
                a: A,
                gamma: [f32; 8],
            }
        ),
    ] {
        assert!(!is_model(quote!(), layer.clone()) && !is_model(quote!(kind = rms), layer));
    }
    assert_eq!(
        read(
            quote!(kind = rms),
            &quote!(
                struct S {
                    a: A,
                }
            )
        )
        .1,
        [""; 0]
    );
    assert_eq!(
        read(
            quote!(kind),
            &quote!(
                struct S {
                    a: A,
                }
            )
        )
        .1,
        ["syntax"]
    );
    assert!(!is_model(
        quote!(),
        quote!(
            enum E {
                #[norm]
                A,
            }
        )
    ));
}

#[test]
fn the_struct_is_as_it_was_without_what_is_ours() {
    let with = quote! {
        /// A model.
        #[derive(Clone)]
        pub(crate) struct S<'a, T: Copy = u8, const N: usize> where T: 'a {
            /// First.
            #[serde(skip)] #[norm(kind = rms, shape = [_, 8])] #[cfg(b)] pub a: A,
            other: &'a [T; N],
        }
    };
    let without = with.to_string().replace("# [norm (kind = rms , shape = [_ , 8])] ", "");
    let model = model_of(quote!(), with);
    assert_eq!(text(&model.item), without);
    let [field] = &model.fields[..] else { panic!() };
    assert_eq!(field.name.as_ref().unwrap(), "a");
    assert_eq!(text(&field.cfgs[0]), "# [cfg (b)]");
}

#[test]
fn layers_are_as_visible_as_the_model() {
    for vis in [quote!(), quote!(pub), quote!(pub(crate)), quote!(pub(in super::super))] {
        for field in [quote!(), quote!(pub), quote!(pub(super))] {
            let item = quote! { #vis struct S { #[norm(kind = rms, shape = [_, 8])] #field a: A } };
            let layer = model_of(quote!(), item).fields.remove(0).layer.unwrap();
            assert_eq!(text(layer.vis), vis.to_string());
        }
    }
}

#[test]
fn the_facade_is_handed_on() {
    let item = |first: TokenStream| {
        quote! {
            struct S { #[norm(kind = rms, shape = [_, 8] #first)] a: A, #[norm(kind = rms, shape = [_, 8])] b: B }
        }
    };
    let facades = |args, first| {
        let model = model_of(args, item(first));
        [model.facade.clone(), facade(&model.fields[0]), facade(&model.fields[1])]
    };
    assert_eq!(facades(quote!(), quote!()), ["::normkit"; 3]);
    assert_eq!(facades(quote!(crate = mine), quote!()), ["mine"; 3]);
    assert_eq!(facades(quote!(crate = "::mine::nk"), quote!(, crate = own)), ["::mine::nk", "own", "::mine::nk"]);
    assert_eq!(facades(quote!(), quote!(, crate = own)), ["own", "own", "::normkit"]);
}

#[test]
fn fields_that_are_never_there_together_may_share_a_type() {
    let model = model_of(
        quote!(),
        quote! {
            struct S {
                #[cfg(a)] #[norm(kind = rms, shape = [_, 8])] norm: Norm,
                #[cfg(not(a))] #[norm(kind = layer, shape = [_, 8])] norm: Norm,
            }
        },
    );
    assert!(model.fields.iter().all(|field| field.layer.is_some()));
}

#[test]
fn types_through_a_macro_are_the_same() {
    let ty = proc_macro2::Group::new(proc_macro2::Delimiter::None, quote!(A));
    let model = model_of(quote!(), quote!(struct S { #[norm(kind = rms, shape = [_, 8])] a: #ty }));
    assert_eq!(model.fields[0].layer.as_ref().unwrap().ident, "A");
}

#[test]
fn names_for_types_are_those_of_fields_or_free() {
    let taken = ["PostNorm", "PostNorm2"].map(|name| Taken {
        name: Ident::new(name, proc_macro2::Span::call_site()),
        by: String::new(),
        cfgs: None,
        is_layer: true,
    });
    let suggested = |name: &str| suggested(&syn::parse_str::<Ident>(name).unwrap(), &taken);
    assert_eq!(suggested("input_layernorm"), "InputLayernorm");
    assert_eq!(suggested("post_norm"), "PostNorm3");
    assert_eq!(suggested("r#type"), "Type");
    assert_eq!(suggested("__"), "Norm");
    assert_eq!(suggested("_1"), "Norm1");
}

/// The lint that fires, if any, and the name and the fields of a model. `rms`, `layer` and `weight` are fields of that kind.
const LINTED: &[(&str, &str, &str)] = &[
    ("mixed_kinds", "S", "rms a: A, layer b: B"),
    ("mixed_kinds", "S", "rms a: A, rms b: B, layer c: C, layer d: D"),
    ("", "S", "rms a: A, weight b: B, rms c: C"),
    ("", "S", "#[cfg(a)] rms a: A, #[cfg(not(a))] layer a: A"),
    ("norm_before_output", "S", "lm_head: Linear, rms a: A"),
    ("norm_before_output", "S", "count: usize, classifier: Linear, dropout: f32, rms a: A"),
    ("", "S", "rms a: A, lm_head: Linear"),
    ("", "S", "mlp: Mlp, head: Linear, output: Linear, rms a: A"),
    ("", "S", "#[cfg(b)] lm_head: Linear, rms a: A"),
    ("", "S", "lm_head: Linear, #[cfg(b)] rms a: A"),
    ("", "S", "lm_head: Linear, weight a: A"),
    ("", "S", "rms lm_head: A, rms b: B"),
    // A residual block, and a decoder whose head is elsewhere.
    ("", "S", "rms input_layernorm: A, attention: Attention, rms post_attention_layernorm: B"),
    ("", "S", "embed_tokens: Embedding, layers: Vec<DecoderLayer>, rms norm: A"),
    // The struct of a block, whatever it is; and whole networks, of which none of it is known to be elsewhere.
    ("", "S", "conv: Conv, rms bn: A"),
    ("norm_before_output", "Net", "conv: Conv, fc: Linear, rms a: A"),
    ("norm_before_output", "ImageClassifier", "rms a: A, fc: Linear, rms b: B"),
    ("norm_before_output", "TinyModel", "hidden: Box<Linear>, rms a: A"),
    ("", "Cabinet", "hidden: Linear, rms a: A"),
    ("", "Model", "rms a: A"),
    ("", "Model", "hidden: Linear, weight a: A"),
    ("", "Model", "hidden: Linear, #[cfg(b)] rms a: A"),
    ("", "Model", "rms a: A, hidden: Linear"),
    ("", "Model", "layers: Layers, rms a: A"),
    ("", "Model", "#[cfg(b)] encoder: Encoder, rms a: A"),
    ("", "Model", "inner: Vec<Block>, rms a: A"),
    ("", "Model", "inner: [Block; 4], rms a: A"),
    ("", "Model", "inner: std::boxed::Box<[Block]>, rms a: A"),
];

#[test]
fn each_lint_of_models_fires_alone_is_allowed_and_denied() {
    let lints_of = |args: &str, (name, fields): (&str, &str), more: &str| {
        let mut fields = format!(" {fields}");
        for kind in ["rms", "layer", "weight"] {
            let norm = format!(" #[norm(kind = {kind}, shape = [8, 8]{more})] ");
            fields = fields.replace(&format!(" {kind} "), &norm);
        }
        let item: TokenStream = format!("struct {name} {{ {fields} }}").parse().unwrap();
        let mut report = Report::default();
        let args = parse::args(args.parse().unwrap(), &mut report);
        let model = model_form(&args, parse::model_form(&item).unwrap(), &mut report);
        assert!(model.fields.iter().all(|field| field.report.is_empty()), "{item}");
        (report.warned(), report.names)
    };
    for (lint, name, fields) in LINTED {
        let fields = (*name, *fields);
        let lints: Vec<_> = [*lint].into_iter().filter(|lint| !lint.is_empty()).collect();
        assert_eq!(lints_of("", fields, ""), (lints.clone(), vec![]), "{fields:?}");
        let lint = lints.first().copied().unwrap_or("mixed_kinds");
        let (allow, deny) = (format!("allow({lint})"), format!("deny({lint})"));
        assert_eq!(lints_of(&allow, fields, ""), (vec![], vec![]), "{fields:?}");
        assert_eq!(lints_of("", fields, &format!(", {allow}")), (vec![], vec![]), "{fields:?}");
        assert_eq!(lints_of(&deny, fields, ""), (vec![], lints.clone()), "{fields:?}");
        // What a field says is nearer.
        assert_eq!(lints_of(&deny, fields, &format!(", {allow}")), (vec![], vec![]), "{fields:?}");
        assert_eq!(lints_of(&allow, fields, &format!(", {deny}")), (vec![], lints), "{fields:?}");
    }
}

#[test]
fn what_a_model_says_of_lints_holds_for_its_fields() {
    let item = |more: TokenStream| {
        quote!(
            struct S {
                #[norm(kind = rms, shape = [_, 8], eps = 1 #more)]
                a: A,
            }
        )
    };
    let lints_of = |args: TokenStream, more: TokenStream| {
        let (model, names) = read(args, &item(more));
        (model.unwrap().fields[0].report.warned(), names)
    };
    assert_eq!(lints_of(quote!(), quote!()), (vec!["eps_unusual"], vec![]));
    assert_eq!(lints_of(quote!(allow(eps_unusual)), quote!()), (vec![], vec![]));
    assert_eq!(lints_of(quote!(allow(eps_unusual)), quote!(, allow(one_group))), (vec![], vec![]));
    assert_eq!(lints_of(quote!(deny(eps_unusual)), quote!(, deny(one_group))), (vec![], vec!["eps_unusual"]));
    assert_eq!(lints_of(quote!(deny(eps_unusual)), quote!(, allow(eps_unusual))), (vec![], vec![]));
}

#[test]
fn what_asks_for_plans_on_a_model_asks_for_those_of_all_fields() {
    let asks = |args: TokenStream, own: TokenStream| {
        let item = quote!(
            struct S {
                #[norm(kind = rms, shape = [_, 8], #own)]
                a: A,
            }
        );
        let model = model_of(args, item);
        keys::explains(&model.fields[0].args, &mut Report::default())
    };
    assert!(
        asks(quote!(explain), quote!()) && asks(quote!(), quote!(explain)) && asks(quote!(explain), quote!(explain))
    );
    assert!(!asks(quote!(), quote!()) && !asks(quote!(explain), quote!(explain = false)));
}
