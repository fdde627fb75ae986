//! The catalogue of messages, and the report that collects them.
//!
//! A rule is an entry in `catalogue` or `lints` and a call of [`Report::add`] or [`Report::lint`] where it is checked; each has a
//! trybuild test of its name under `tests/tests/ui`. `docs/diagnostics.md` is written from these.

mod catalogue;
mod lints;

pub use catalogue::*;
pub use lints::*;

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use std::fmt::Display;

/// One thing that can be wrong: its name, what is said, and what to do about it. `{}` stands for the arguments, in order.
///
/// All but `message` and `help` is for `docs/diagnostics.md`, which is written from the catalogue.
#[derive(Debug, PartialEq, Eq)]
pub struct Rule {
    /// The name, as the test of it is called.
    pub name: &'static str,
    /// Expected and found.
    pub message: &'static str,
    /// What to write instead; may be empty.
    pub help: &'static str,
    /// What breaks it and no other, as a user would write it: `norm!(...)`, or `#[normalize(...)]` and an item.
    pub example: &'static str,
    /// Where to read on: in brackets a section of the facade's documentation or the README; a paper, a framework's class.
    pub reference: &'static str,
}

/// What keys say of lints, by their names.
#[derive(Debug, Default)]
pub struct Levels {
    /// Those that are not said.
    pub allowed: Vec<&'static str>,
    /// Those that are errors, where they are not allowed.
    pub denied: Vec<&'static str>,
}

/// Whether lints are errors: a feature, for a build that checks.
pub const DENY_LINTS: bool = cfg!(feature = "deny-lints");

/// What is wrong, from one token to another, or at one.
#[derive(Debug)]
struct Entry {
    from: Span,
    to: Span,
    text: String,
}

impl Entry {
    /// The message at its place: the compiler points from the first token of the call to the last one.
    fn to_tokens(&self, delimiter: Delimiter) -> TokenStream {
        let (text, path) = (&self.text, quote_spanned!(self.from=> ::core::compile_error!));
        let mut text = Group::new(delimiter, quote!(#text));
        text.set_span(self.to);
        quote!(#path #text)
    }
}

/// What the compiler says without refusing anything.
#[derive(Debug)]
struct Warning {
    span: Span,
    /// The lint's, or another name that is shown.
    name: &'static str,
    text: String,
    /// Whether it was asked for: then it is said, and is no error, whatever the levels of Rust's lints are.
    is_asked_for: bool,
}

/// Collects messages, so that all are shown at once.
#[derive(Debug, Default)]
pub struct Report {
    entries: Vec<Entry>,
    warnings: Vec<Warning>,
    /// Where the key `explain` asks for the plan.
    asked: Option<Span>,
    whole: Option<Span>,
    is_on_field: bool,
    /// Whether all lints are errors, but those that are allowed.
    denies_lints: bool,
    unread: Vec<String>,
    #[cfg(test)]
    pub names: Vec<&'static str>,
}

impl Report {
    /// A report on a call of a macro with these tokens.
    pub fn on(tokens: &TokenStream) -> Report {
        // In the scope of the user's own tokens: the compiler then says nothing of macros.
        let first = tokens.clone().into_iter().next();
        let whole = first.map(|token| Span::call_site().resolved_at(token.span()));
        Report { whole, denies_lints: DENY_LINTS, ..Report::default() }
    }

    /// A report on the `#[norm(...)]` of a field, which stands there.
    pub fn on_field(attribute: Span) -> Report {
        Report { whole: Some(attribute), is_on_field: true, denies_lints: DENY_LINTS, ..Report::default() }
    }

    /// Whether it is on a field: the layer's struct is generated then, so can declare nothing.
    pub fn is_on_field(&self) -> bool {
        self.is_on_field
    }

    /// The place of what is not there: all of the attribute, or of the `norm!`.
    pub fn whole(&self) -> Span {
        self.whole.unwrap_or_else(Span::call_site)
    }

    /// Remembers a key whose value could not be read, which has been reported.
    pub fn unread(&mut self, key: &str) {
        self.unread.push(key.into());
    }

    /// Whether the key is there, but could not be read: nothing more is to be said of it.
    pub fn is_unread(&self, key: &str) -> bool {
        self.unread.iter().any(|unread| unread == key)
    }

    /// Adds what `rule` says of the token at `span`; arguments fill the `{}` of its message first, then those of its help.
    pub fn add(&mut self, span: Span, rule: &Rule, args: &[&dyn Display]) {
        self.add_from_to(span, span, rule, args);
    }

    /// The same of what stands at two tokens, to point at both.
    pub fn add_from_to(&mut self, from: Span, to: Span, rule: &Rule, args: &[&dyn Display]) {
        self.entries.push(Entry { from, to, text: text(rule, args) });
        #[cfg(test)]
        self.names.push(rule.name);
    }

    /// Adds what `lint` says, as [`Report::add`] does: a warning, if `levels` do not say else.
    pub fn lint(&mut self, levels: &Levels, span: Span, lint: &Rule, args: &[&dyn Display]) {
        if levels.allowed.contains(&lint.name) {
            return;
        }
        if self.denies_lints || levels.denied.contains(&lint.name) {
            self.add(span, lint, args);
        } else {
            let name = lint.name;
            let said = text(lint, args);
            let text =
                format!("{said}\nhelp: `allow({name})` among the keys silences this, `deny({name})` makes it an error");
            self.warnings.push(Warning { span, name, text, is_asked_for: false });
        }
    }

    /// Remembers that the key at `span` asks for the plan.
    pub fn ask_for_plan(&mut self, span: Span) {
        self.asked = Some(span);
    }

    /// Says the plan of `what`, if it was asked for.
    pub fn say_plan(&mut self, what: &str, table: impl FnOnce() -> String) {
        if let Some(span) = self.asked {
            let text = format!("the plan of {what}\n\n{}\nhelp: remove `explain` once this is read", table());
            self.warnings.push(Warning { span, name: "plan", text, is_asked_for: true });
        }
    }

    /// The names of the lints that are warnings here.
    #[cfg(test)]
    pub fn warned(&self) -> Vec<&'static str> {
        self.warnings.iter().map(|warning| warning.name).collect()
    }

    /// Whether nothing is wrong; there may be warnings.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// A `compile_error!` for each entry, as items, and all warnings, as [`Report::warnings`] has them.
    pub fn to_tokens(&self, attributes: &[syn::Attribute]) -> TokenStream {
        let errors = self.entries.iter().map(|entry| entry.to_tokens(Delimiter::Brace));
        errors.chain([self.warnings(attributes)]).collect()
    }

    /// All warnings, as items that are there where the `cfg`s among the attributes of their item hold.
    pub fn warnings(&self, attributes: &[syn::Attribute]) -> TokenStream {
        let cfgs: Vec<_> = attributes.iter().filter(|attribute| attribute.path().is_ident("cfg")).collect();
        let warnings = self.warnings.iter().map(|Warning { span, name, text, is_asked_for }| {
            // What a stable compiler warns of with words of ours, at a place of ours, is the use of what is deprecated. The
            // line that it puts before them ends in the name.
            let (name, text) = (Ident::new(name, *span), format!("\n{text}"));
            let level = is_asked_for.then(|| quote!(#[warn(warnings, deprecated)]));
            let deprecated = quote!(#[deprecated(note = #text)] const fn);
            let used = quote_spanned!(*span=> #name());
            quote!(#(#cfgs)* #level const _: () = { #deprecated #name() {} #used };)
        });
        warnings.collect()
    }

    /// An expression with all warnings before it.
    pub fn warn_in_expression(&self, expression: TokenStream) -> TokenStream {
        if self.warnings.is_empty() {
            return expression;
        }
        let warnings = self.warnings(&[]);
        quote!({ #warnings #expression })
    }

    /// The same where an expression is expected.
    pub fn to_tokens_in_expression(&self) -> TokenStream {
        let errors = self.entries.iter().map(|entry| entry.to_tokens(Delimiter::Parenthesis));
        // The last one is the value, so that nothing is said of the type of what was refused.
        let span = Span::call_site();
        let warnings = self.warnings(&[]);
        quote_spanned!(span=> { #warnings #(#errors);* })
    }
}

/// What a rule says: its message and its help, with the arguments in them.
fn text(rule: &Rule, args: &[&dyn Display]) -> String {
    let mut args = args.iter();
    let mut fill = |template: &str| {
        let mut text = String::new();
        let mut rest = template;
        while let Some(i) = rest.find(['{', '}']) {
            text.push_str(&rest[..i]);
            match &rest[i..i + 2] {
                "{}" => text.push_str(&args.next().map(ToString::to_string).unwrap_or_default()),
                doubled => text.push_str(&doubled[..1]),
            }
            rest = &rest[i + 2..];
        }
        text + rest
    };
    let (message, help) = (fill(rule.message), fill(rule.help));
    if help.is_empty() { message } else { format!("{message}\nhelp: {help}") }
}

/// Tokens about as a person writes them.
pub fn shown_tokens(tokens: &impl quote::ToTokens) -> String {
    let mut text = tokens.to_token_stream().to_string();
    for (spaced, plain) in [
        (" :: ", "::"),
        (" : ", ": "),
        (" ; ", "; "),
        (" , ", ", "),
        ("& ", "&"),
        (" <", "<"),
        ("< ", "<"),
        (" >", ">"),
    ] {
        text = text.replace(spaced, plain);
    }
    text
}

/// `, did you mean ...?` where one of `known` is near to `found`.
pub fn near_miss(found: &str, known: &[&str]) -> String {
    let found = found.to_lowercase();
    known
        .iter()
        .map(|known| (distance(&found, known), known))
        .filter(|&(distance, known)| distance * 3 <= known.len().max(3))
        .min_by_key(|&(distance, _)| distance)
        .map(|(_, known)| format!(", did you mean `{known}`?"))
        .unwrap_or_default()
}

/// Letters to insert, remove, replace or swap to get from `a` to `b`.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows = vec![(0..=b.len()).collect::<Vec<usize>>()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let mut best =
                (rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1])).min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod page;

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn names_are_distinct_and_messages_calm() {
        let all = || catalogue().chain(LINTS.iter().copied());
        let names: BTreeSet<_> = all().map(|rule| rule.name).collect();
        assert_eq!(names.len(), all().count());
        for rule in all() {
            let first = rule.message.chars().next().unwrap();
            assert!(!first.is_uppercase() || rule.message.starts_with('`'), "{}", rule.name);
            assert!(!rule.message.ends_with('.') && !rule.help.ends_with('.'), "{}", rule.name);
        }
    }

    #[test]
    fn arguments_fill_message_then_help() {
        let mut report = Report::default();
        report.add(Span::call_site(), &UNKNOWN_KIND, &[&"rsm", &", did you mean `rms`?", &"", &"rms, layer"]);
        assert_eq!(report.entries[0].text, "unknown kind `rsm`, did you mean `rms`?\nhelp: the kinds are: rms, layer");
    }

    #[test]
    fn tokens_are_shown_as_written() {
        for text in ["const N: usize", "&'static [f32]", "Vec<i8>", "std::boxed::Box<[i8; 4]>"] {
            assert_eq!(shown_tokens(&text.parse::<TokenStream>().unwrap()), text);
        }
    }

    #[test]
    fn near_misses() {
        assert_eq!(near_miss("esp", &["kind", "eps"]), ", did you mean `eps`?");
        assert_eq!(near_miss("Rms", &["rms"]), ", did you mean `rms`?");
        assert_eq!(near_miss("banana", &["kind", "eps"]), "");
    }
}
