//! Random tokens through the whole macro: never a panic, and always either a message or what was asked for.
//!
//! As text, so that failures read well; `hidden!(...)` stands for invisible brackets.

use crate::check::DENY_LINTS;
use crate::model::model_form::tests::read as read_model;
use crate::model::tests::{read_kernel, read_layer, tokens};
use crate::{expand_norm, expand_normalize};
use proc_macro2::{TokenStream, TokenTree};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use std::cell::Cell;

const ATOMS: &str = r#"rms layer "rms" RMSNorm f32 f64 i8 true false weight _ 0 1 2 -1 -2 7 20 768 268435457 1e-6 -0.5 1e-60
    170141183460469231731687303715884105728 1e400 1.. 0.. -3.. 1..2 a::b ::a r#type 'c' 'a 1f32 b"x" "" "_" | || , = - . .. #
    :: < > é"#;
const KEYS: &str =
    "kind shape axis eps groups momentum running_var dtype param cast affine allow deny explain crate epsilon dim _
    r#kind K 1";
/// Entries that are right, by key.
const RIGHT: [&str; 9] = [
    "kind = rms; kind = \"layer\"; kind = hidden!(layer)",
    "shape = [_, 20]; shape = [20]; shape = [_, 7 | 20 | _]; shape = [_, 3, 4]; shape = [_, hidden!(8)];",
    "; axis = -1; axis = 0..; axis = [-1]; axis = [1, 2]; axis = -2..",
    "; eps = _; eps = 1e-3; eps = 0; eps = hidden!(1e-5)",
    "; dtype = f32; dtype = f64; param = f32; dtype = f64, param = f64",
    "; affine = false; affine = weight; affine = true",
    "; crate = a::b; crate = \"::c\"",
    "; allow(eps_unusual); deny(few_samples); allow(mixed_kinds, one_group)",
    "; ; explain; explain = false",
];

fn one_of(texts: Vec<&'static str>) -> impl Strategy<Value = &'static str> + Clone {
    proptest::sample::select(texts)
}

fn split(text: &'static str, by: char) -> Vec<&'static str> {
    text.split(by).map(str::trim).collect()
}

fn value() -> impl Strategy<Value = String> {
    let leaf =
        proptest::collection::vec(one_of(ATOMS.split_whitespace().collect()), 0..4).prop_map(|atoms| atoms.join(" "));
    leaf.prop_recursive(3, 12, 4, |inner| {
        let several = proptest::collection::vec(inner, 0..4);
        prop_oneof![
            several.clone().prop_map(|items| format!("[{}]", items.join(", "))),
            several.clone().prop_map(|items| items.join(" | ")),
            several.clone().prop_map(|items| format!("hidden!({})", items.join(" "))),
            several.clone().prop_map(|items| format!("({})", items.join(", "))),
            several.prop_map(|items| format!("{{{}}}", items.join(" "))),
        ]
    })
}

/// Right entries, with something strange among them half of the time.
fn random_args() -> impl Strategy<Value = String> {
    let right = RIGHT.map(|entries| one_of(split(entries, ';')));
    let strange = prop_oneof![
        2 => (one_of(KEYS.split_whitespace().collect()), value()).prop_map(|(key, value)| format!("{key} = {value}")),
        1 => value(),
        1 => (one_of(KEYS.split_whitespace().collect()), value()).prop_map(|(key, value)| format!("{key}({value})")),
    ];
    let strange = prop_oneof![proptest::collection::vec(strange, 0..4), Just(Vec::new())];
    (right, strange, any::<usize>()).prop_map(|(right, mut strange, turn)| {
        let mut entries: Vec<_> = right.into_iter().filter(|entry| !entry.is_empty()).map(String::from).collect();
        // What is strange comes in place of what is right as often as beside it.
        if !strange.is_empty() && turn.is_multiple_of(2) {
            entries.remove(turn / 2 % entries.len());
        }
        entries.append(&mut strange);
        let by = turn % entries.len().max(1);
        entries.rotate_left(by);
        entries.join(", ")
    })
}

/// Structs, mostly, that mostly are layers.
fn random_item() -> impl Strategy<Value = String> {
    let name = one_of(split("weight gamma scale bias beta shift eps other r#type", ' '));
    let ty = "[f32; 20] | [f64; 20] | [f32; 7] | [f32; N] | [f32; 99999999999999999999] | [f32; -1] | Box<[f32; 20]> | Vec<f32> |
        Param<f64> | Vec<Vec<f32>> | Box | Box<> | Box<'a> | f32 | &'a [f32] | [(); 20] | () | dyn Fn() | <A as B>::C | mac!() |
        hidden!([f32; 20]) | [f32; hidden!(20)] | _";
    let before =
        "; ; ; pub; #[derive(Clone)]; #[derive(Default)]; #[derive]; #[derive(1)]; #[normalize]; #[a::normalize(x)]";
    let field = (name, one_of(split(ty, '|')));
    let fields = proptest::collection::vec(field, 0..4).prop_map(|fields| {
        let fields: Vec<_> = fields.into_iter().map(|(name, ty)| format!("{name}: {ty}")).collect();
        format!("{{ {} }}", fields.join(", "))
    });
    let body = prop_oneof![4 => fields, 2 => Just(";".to_string()), 1 => value()];
    let generics = one_of(split(", , , , <'a>, <T>, <const N: usize>, <>", ','));
    (one_of(split(before, ';')), generics, body, 0..12).prop_map(|(before, generics, body, n)| match n {
        0 => format!("{before} enum S {body}"),
        1 => format!("{before} {body}"),
        _ => format!("{before} struct S{generics} {body}"),
    })
}

/// 2000 cases, or as many as `PROPTEST_CASES` says.
fn runner() -> (TestRunner, u32) {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(2000);
    (TestRunner::new(ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }), cases)
}

/// Reads random cases, and expands some: of those that are refused one of `refused`, of the others, which take longer, one of 16.
/// Both must happen, each in at least one case of `least`.
fn each<S: Strategy>(
    strategy: &S,
    (refused, least): (u32, u32),
    names: impl Fn(&S::Value) -> Vec<&'static str>,
    expansion: impl Fn(S::Value) -> TokenStream,
) {
    let (mut runner, cases) = runner();
    let found = [0_u32, 0].map(Cell::new);
    let result = runner.run(strategy, |case| {
        let is_refused = !names(&case).is_empty();
        let count = &found[usize::from(is_refused)];
        count.set(count.get() + 1);
        if count.get().is_multiple_of(if is_refused { refused } else { 16 }) {
            // With lints denied, what is only warned of by `names` is refused.
            assert!(is_right(expansion(case)) != is_refused || DENY_LINTS);
        }
        Ok(())
    });
    result.unwrap_or_else(|error| panic!("{error}"));
    let (found, few) = (found[0].get(), cases / least);
    assert!((few..=cases - few).contains(&found), "{found} right of {cases}");
}

/// Messages, and whether there is a table of kernels.
#[derive(Default)]
struct Seen {
    messages: usize,
    table: bool,
}

fn look(expansion: TokenStream, seen: &mut Seen) {
    for token in expansion {
        match token {
            TokenTree::Group(group) => look(group.stream(), seen),
            TokenTree::Ident(name) => seen.messages += usize::from(name == "compile_error"),
            TokenTree::Literal(literal) => seen.table |= literal.to_string().contains("| length |"),
            TokenTree::Punct(_) => {}
        }
    }
}

/// Whether there are kernels and no message; one of the two there must be.
fn is_right(expansion: TokenStream) -> bool {
    let mut seen = Seen::default();
    look(expansion, &mut seen);
    assert!(seen.messages > 0 || seen.table, "neither a message nor a kernel");
    seen.messages == 0
}

/// The structs of an expansion, all of which is items where the user's item was one.
fn structs(item: &TokenStream, expansion: &TokenStream) -> Option<Vec<syn::ItemStruct>> {
    syn::parse2::<syn::Item>(item.clone()).ok()?;
    let file: syn::File = syn::parse2(expansion.clone()).unwrap_or_else(|error| panic!("{error}: {expansion}"));
    let structs =
        file.items.into_iter().filter_map(|item| if let syn::Item::Struct(item) = item { Some(item) } else { None });
    Some(structs.collect())
}

#[test]
fn random_arguments_give_a_kernel_or_a_message() {
    let names = |args: &String| read_kernel(tokens(args)).1;
    each(&random_args(), (1, 20), names, |args| {
        let expansion = expand_norm(tokens(&args));
        syn::parse2::<syn::Expr>(expansion.clone()).unwrap_or_else(|error| panic!("{error}: {expansion}"));
        expansion
    });
}

#[test]
fn random_items_give_a_layer_or_a_message() {
    let names = |(args, item): &(String, String)| read_layer(tokens(args), tokens(item)).1;
    each(&(random_args(), random_item()), (1, 50), names, |(args, item)| {
        let item = tokens(&item);
        let expansion = expand_normalize(tokens(&args), item.clone());
        // The item is there whatever was said of it.
        if let Some(structs) = structs(&item, &expansion) {
            assert!(structs.iter().any(|item| item.ident == "S") || !item.to_string().contains("struct S"));
        }
        expansion
    });
}

/// A model of up to three fields, of which most are layers.
fn random_model() -> impl Strategy<Value = String> {
    let attribute =
        "norm; norm; norm; norm; norm; norm; a::norm; normalize; cfg_attr(a, norm; cfg(a)] #[norm; doc(hidden)] #[norm";
    let field = (
        one_of(split(attribute, ';')),
        random_args(),
        one_of(split("A | A | B | C | f32 | a::B | Vec<f32> | hidden!(D)", '|')),
    );
    let fields = proptest::collection::vec(field, 1..4).prop_map(|fields| {
        let fields = fields.into_iter().enumerate().map(|(i, (attribute, args, ty))| {
            let close = if attribute.starts_with("cfg_attr") { ")" } else { "" };
            // A type for each is what is mostly right.
            let ty = if ty == "A" { format!("A{i}") } else { ty.into() };
            format!("#[{attribute}({args}){close}] norm{i}: {ty}")
        });
        fields.collect::<Vec<_>>()
    });
    let others = one_of(split("; ; other: Other; lm_head: Head; #[norm] plain: Plain", ';'));
    let before = one_of(split("; ; ; #[norm]; #[normalize]; #[derive(Clone)]", ';'));
    let generics = one_of(split(", , <'a>, <T>", ','));
    (before, generics, others, fields).prop_map(|(before, generics, other, mut fields)| {
        fields.insert(0, other.into());
        fields.retain(|field| !field.is_empty());
        format!("{before} struct S{generics} {{ {} }}", fields.join(", "))
    })
}

#[test]
fn random_models_give_layers_or_messages() {
    let args =
        one_of(split("; ; ; ; explain; crate = a::b; allow(mixed_kinds); kind = rms; deny(x); crate = 1; 1", ';'));
    let names = |(args, item): &(&str, String)| read_model(tokens(args), &tokens(item)).1;
    each(&(args, random_model()), (16, 50), names, |(args, item)| {
        let item = tokens(&item);
        let expansion = expand_normalize(tokens(args), item.clone());
        let structs = structs(&item, &expansion).expect("a struct");
        assert!(structs.iter().any(|item| item.ident == "S"));
        expansion
    });
}
