//! `docs/diagnostics.md`, and what holds it to the truth: each example is expanded.
//!
//! `UPDATE_EXPECT=1 cargo test -p norm-macros` writes the page.

use super::{DENY_LINTS, LINTS, Rule, SECTIONS, catalogue};
use crate::model::model_form::tests::read as read_model;
use crate::model::tests::{read_kernel, read_layer};
use crate::{expand_norm, expand_normalize};
use expect_test::expect_file;
use proc_macro2::{TokenStream, TokenTree};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use syn::parse::{Parse, ParseStream};

const FACADE: &str = include_str!("../../../src/lib.rs");
const GUIDE: &str = include_str!("../../../src/guide.rs");
const README: &str = include_str!("../../../README.md");

const INTRODUCTION: &str = "\
# Messages at compile time

What `norm!` and `#[normalize]` refuse, and what to write instead. All messages of a call or a struct come at once, each at the
token at fault. Look for the words of yours: what differs from case to case is `…` here.

Below the name of each rule is what it says, then an example that breaks it and no other rule. Where parts are `…`, what is said of
the example follows.

<!-- Written from the catalogue in norm-macros/src/check: `UPDATE_EXPECT=1 cargo test -p norm-macros`. -->
";

const LINTS_INTRODUCTION: &str = "\
What is right, and most likely not meant. A lint is a warning, which the compiler begins with `use of deprecated function`, its name
last: that is how a macro can warn. `allow(name, ...)` among the keys of `#[normalize]`, `#[norm]` or `norm!` silences lints,
`deny(name, ...)` makes them errors; on a model they hold for its fields too, where what a field says itself comes first. What is both
allowed and denied is allowed. The feature `deny-lints` of normkit makes errors of all that are not allowed: of those in every crate
that is built with it, so it is for builds that check. Rust's own `#![allow(deprecated)]` silences all of them, `#![deny(warnings)]`
makes all of them errors.
";

const OF_THE_COMPILER: &str = "
## What the compiler says itself

Where nothing of ours runs, or the rule is Rust's own, so are the words. `…` stands for names of yours.

| it says | since | write |
|---|---|---|
| ``cannot find attribute `norm` in this scope``, often ``cannot find type `…` in this scope`` beside it | `#[norm(...)]` stands on a field, and `#[normalize]` is not on the struct. An attribute of a field is no macro that could say more | `#[normalize]` on the struct: it generates the field's type as well |
| ``expected non-macro attribute, found attribute macro `normalize` `` | `#[normalize(...)]` stands on a field, and on no struct | `#[norm(...)]` on the field, `#[normalize]` on the struct |
| ``cannot borrow `…` as mutable, as it is behind a `&` reference``, at `forward_train` of batch normalization | training moves the running statistics, so it takes the layer by unique reference; inference takes it shared, and reads them | `&mut` where the layer is handed on, if this is training; `forward`, if it is inference |
";

/// An example: a call of `norm!`, or `#[normalize(...)]` and an item.
enum Example {
    Kernel(TokenStream),
    Item(TokenStream, TokenStream),
}

impl Parse for Example {
    fn parse(input: ParseStream<'_>) -> syn::Result<Example> {
        if input.peek(syn::Ident) {
            let call: syn::Macro = input.parse()?;
            return match call.path.is_ident("norm") {
                true => Ok(Example::Kernel(call.tokens)),
                false => Err(syn::Error::new_spanned(call.path, "expected `norm!`")),
            };
        }
        input.parse::<syn::Token![#]>()?;
        let attribute;
        syn::bracketed!(attribute in input);
        let meta: syn::Meta = attribute.parse()?;
        let args = match &meta {
            syn::Meta::List(list) if meta.path().is_ident("normalize") => list.tokens.clone(),
            syn::Meta::Path(path) if path.is_ident("normalize") => TokenStream::new(),
            _ => return Err(syn::Error::new_spanned(meta, "expected `#[normalize(...)]`")),
        };
        Ok(Example::Item(args, input.parse()?))
    }
}

impl Example {
    fn of(rule: &Rule) -> Example {
        syn::parse_str(rule.example).unwrap_or_else(|error| panic!("{}: {error}: {}", rule.name, rule.example))
    }

    /// The names of all rules that it breaks.
    fn broken(&self) -> Vec<&'static str> {
        match self {
            Example::Kernel(args) => read_kernel(args.clone()).1,
            Example::Item(args, item) => match read_model(args.clone(), item) {
                (None, names) if names.is_empty() => read_layer(args.clone(), item.clone()).1,
                (_, names) => names,
            },
        }
    }

    /// What the compiler is told to say of it.
    fn said(&self) -> Vec<String> {
        self.with(&TokenStream::new()).0
    }

    /// The errors and the warnings of it, with one more key.
    fn with(&self, key: &TokenStream) -> (Vec<String>, Vec<String>) {
        let more = |args: &TokenStream| if args.is_empty() { key.clone() } else { quote::quote!(#args, #key) };
        let expansion = match self {
            Example::Kernel(args) => expand_norm(more(args)),
            Example::Item(args, item) => expand_normalize(more(args), item.clone()),
        };
        let (mut refused, mut warned) = (Vec::new(), Vec::new());
        errors(expansion.clone(), &mut refused);
        warnings(expansion, &mut warned);
        (refused, warned)
    }
}

/// The texts of all `compile_error!`.
fn errors(tokens: TokenStream, found: &mut Vec<String>) {
    let mut is_error = false;
    for token in tokens {
        match token {
            TokenTree::Ident(name) => is_error = name == "compile_error",
            TokenTree::Group(group) if is_error => {
                found.push(syn::parse2::<syn::LitStr>(group.stream()).unwrap().value());
                is_error = false;
            }
            TokenTree::Group(group) => errors(group.stream(), found),
            TokenTree::Punct(_) | TokenTree::Literal(_) => {}
        }
    }
}

/// The texts of all warnings, as [`super::Report::warnings`] has them.
fn warnings(tokens: TokenStream, found: &mut Vec<String>) {
    let mut is_note = false;
    for token in tokens {
        match token {
            TokenTree::Ident(name) => is_note = name == "note",
            TokenTree::Literal(_) if is_note => {
                found.push(syn::parse2::<syn::LitStr>(token.into()).unwrap().value());
                is_note = false;
            }
            TokenTree::Group(group) => warnings(group.stream(), found),
            TokenTree::Punct(_) | TokenTree::Literal(_) => {}
        }
    }
}

/// A message or a help as Markdown: `…` for its arguments, and nothing but its backticks is markup.
fn prose(template: &str) -> String {
    let mut text = String::new();
    let mut in_code = false;
    let mut chars = template.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '{' if chars.next_if_eq(&'}').is_some() => {
                let apart = text.is_empty() || text.ends_with([' ', '(']);
                text.push_str(if in_code || apart { "…" } else { " …" });
            }
            // Doubled, as braces in templates are.
            '{' | '}' => {
                assert_eq!(chars.next(), Some(c), "{template}");
                text.push(c);
            }
            '`' => {
                in_code = !in_code;
                text.push(c);
            }
            '\\' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '#' | '&' | '~' if !in_code => {
                text.push('\\');
                text.push(c);
            }
            _ => text.push(c),
        }
    }
    assert!(!in_code, "{template}");
    text
}

fn section(rule: &Rule) -> String {
    let mut text = format!("### `{}`\n\n> {}\n\n", rule.name, prose(rule.message));
    writeln!(text, "```rust\n{}\n```\n", rule.example).unwrap();
    let [message_differs, help_differs] = [rule.message, rule.help].map(|template| template.contains("{}"));
    let is_lint = LINTS.contains(&rule);
    let (refused, warned) = Example::of(rule).with(&TokenStream::new());
    // Of a lint without the line that the compiler begins, and the help that all of them have.
    let warned = warned.iter().map(|text| text.trim().rsplit_once('\n').unwrap().0.to_string());
    let said: Vec<_> = refused.into_iter().chain(warned).collect();
    for said in said.iter().filter(|_| message_differs || help_differs) {
        // A help that is always the same follows anyway.
        let said = if help_differs { said } else { said.lines().next().unwrap() };
        writeln!(text, "```text\n{}: {said}\n```\n", if is_lint { "warning" } else { "error" }).unwrap();
    }
    match prose(rule.help).as_str() {
        "" => {}
        "…" => writeln!(text, "Help: differs from case to case.\n").unwrap(),
        help => writeln!(text, "Help: {help}{}\n", if help.ends_with('…') { "" } else { "." }).unwrap(),
    }
    writeln!(text, "Read on: {}.", rule.reference).unwrap();
    text
}

/// As GitHub and rustdoc make an anchor of a heading.
fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '_' | '-'));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}

/// The names in brackets in a reference.
fn sections_of(reference: &str) -> impl Iterator<Item = &str> {
    reference.split('[').skip(1).map(|rest| rest.split_once(']').expect(reference).0)
}

/// Where a section is: of the facade's documentation or its guide, or else of the README.
fn address(heading: &str) -> Option<String> {
    for (source, path) in [(FACADE, ""), (GUIDE, "guide/")] {
        if source.lines().any(|line| line.strip_prefix("//! # ") == Some(heading)) {
            return Some(format!("https://docs.rs/normkit/latest/normkit/{path}#{}", anchor(heading)));
        }
    }
    let is_there = README.lines().any(|line| line.trim_start_matches('#').strip_prefix(' ') == Some(heading));
    is_there.then(|| format!("../README.md#{}", anchor(heading)))
}

fn page() -> String {
    let mut text = format!("{INTRODUCTION}\n| about | rules |\n|---|---|\n");
    for (about, rules) in SECTIONS {
        let links: Vec<_> = rules.iter().map(|rule| format!("[`{0}`](#{0})", rule.name)).collect();
        writeln!(text, "| [{about}](#{}) | {} |", anchor(about), links.join(", ")).unwrap();
    }
    let links: Vec<_> = LINTS.iter().map(|rule| format!("[`{0}`](#{0})", rule.name)).collect();
    writeln!(text, "| [Lints](#lints), which are warnings | {} |", links.join(", ")).unwrap();
    text.push_str("| [What the compiler says itself](#what-the-compiler-says-itself) | where no macro has a say |\n");
    for (about, rules) in SECTIONS {
        let rules: Vec<_> = rules.iter().map(|rule| section(rule)).collect();
        write!(text, "\n## {about}\n\n{}", rules.join("\n")).unwrap();
    }
    let rules: Vec<_> = LINTS.iter().map(|rule| section(rule)).collect();
    write!(text, "\n## Lints\n\n{LINTS_INTRODUCTION}\n{}", rules.join("\n")).unwrap();
    text.push_str(OF_THE_COMPILER);
    text.push('\n');
    for heading in
        catalogue().chain(LINTS.iter().copied()).flat_map(|rule| sections_of(rule.reference)).collect::<BTreeSet<_>>()
    {
        writeln!(text, "[{heading}]: {}", address(heading).unwrap_or_else(|| panic!("no section {heading}"))).unwrap();
    }
    text
}

#[test]
fn the_page_is_that_of_the_catalogue() {
    expect_file!["../../../docs/diagnostics.md"].assert_eq(&page());
}

#[test]
fn each_example_breaks_its_rule_and_no_other() {
    for rule in catalogue() {
        let example = Example::of(rule);
        assert_eq!(example.broken(), [rule.name], "{}", rule.example);
        // So is what comes out of the macro.
        let said = example.said();
        let [said] = &said[..] else { panic!("{}: {said:#?}", rule.name) };
        let mut rest = said.as_str();
        for part in rule.message.split("{}") {
            rest = rest.split_once(part).unwrap_or_else(|| panic!("{}: no {part:?} in {said}", rule.name)).1;
        }
    }
}

#[test]
fn each_lint_warns_of_its_example_is_allowed_and_denied() {
    for lint in LINTS {
        let (example, name) = (Example::of(lint), quote::format_ident!("{}", lint.name));
        let (refused, warned) = example.with(&TokenStream::new());
        if DENY_LINTS {
            assert!(refused.len() == 1 && warned.is_empty(), "{name}: {refused:#?}");
            assert_eq!(example.with(&quote::quote!(allow(#name))), (vec![], vec![]), "{name}");
            continue;
        }
        let [said] = &warned[..] else { panic!("{}: {warned:#?}", lint.name) };
        assert!(refused.is_empty() && said.contains(&format!("`allow({name})`")), "{}: {refused:#?}", lint.name);
        assert_eq!(example.with(&quote::quote!(allow(#name))), (vec![], vec![]), "{name}");
        let (refused, warned) = example.with(&quote::quote!(deny(#name)));
        assert!(refused.len() == 1 && warned.is_empty(), "{name}: {refused:#?}");
        assert!(said.contains(&refused[0]), "{said}");
    }
}

#[test]
fn examples_and_references_are_short() {
    for rule in catalogue().chain(LINTS.iter().copied()) {
        let lines: Vec<_> = rule.example.lines().collect();
        assert!((1..=5).contains(&lines.len()), "{}", rule.name);
        assert!(lines.iter().all(|line| line.len() <= 120 && line.trim_end() == *line), "{}", rule.name);
        assert!((1..=120).contains(&rule.reference.len()) && !rule.reference.ends_with('.'), "{}", rule.name);
        assert!(sections_of(rule.reference).count() > 0, "{}", rule.name);
    }
}

#[test]
fn templates_read_as_markdown() {
    assert_eq!(prose("unknown key `{}`{}"), "unknown key `…` …");
    assert_eq!(prose("{} (in {}), a | b, `a | {{ {} }}`"), "… (in …), a \\| b, `a | { … }`");
}
