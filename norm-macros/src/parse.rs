//! Tokens to keys and values. Nothing is judged here but the grammar; what cannot be read is reported and skipped.

mod model_form;

pub use model_form::{ModelForm, NormField, model_form};

use crate::check::{self, Report};
use proc_macro2::{Delimiter, Ident, Span, TokenStream, TokenTree};

/// One `key = value`.
#[derive(Clone, Debug)]
pub struct Entry {
    pub key: Ident,
    pub value: Value,
}

/// A value and where it stands.
#[derive(Clone, Debug)]
pub struct Value {
    pub span: Span,
    pub kind: ValueKind,
}

#[derive(Clone, Debug, PartialEq)]
pub enum ValueKind {
    /// `rms`, `"rms"`, `true`.
    Word(String),
    /// `-1`.
    Int(i128),
    /// `1e-6`.
    Float(f64),
    /// `_`.
    Open,
    /// `1..`.
    From(i128),
    /// `[...]`.
    List(Vec<Value>),
    /// `a | b`.
    Alternatives(Vec<Value>),
    /// `a::b`.
    Path(String),
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind
    }
}

impl ValueKind {
    /// How it is called in messages.
    pub fn describe(&self) -> String {
        match self {
            ValueKind::Word(word) => format!("`{word}`"),
            ValueKind::Int(i) => format!("`{i}`"),
            ValueKind::Float(f) => format!("`{f:?}`"),
            ValueKind::Open => "`_`".into(),
            ValueKind::From(i) => format!("`{i}..`"),
            ValueKind::List(_) => "a list".into(),
            ValueKind::Alternatives(_) => "alternatives".into(),
            ValueKind::Path(path) => format!("`{path}`"),
        }
    }
}

/// The keys and values of an attribute or of `norm!`.
pub fn args(tokens: TokenStream, report: &mut Report) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    let groups = split(tokens, ',', &mut |span| report.add(span, &check::SYNTAX, &[&"`,`"]));
    for group in groups {
        if let Some(entry) = entry(&group, report) {
            if let Some(first) = entries.iter().find(|e| e.key == entry.key) {
                report.add_from_to(first.key.span(), entry.key.span(), &check::REPEATED_KEY, &[&first.key]);
            } else {
                entries.push(entry);
            }
        }
    }
    entries
}

/// The stretches between separators, none of them empty; `empty` is told of separators that nothing stands before. One at
/// the end may stand alone where it is a comma.
fn split(tokens: TokenStream, separator: char, empty: &mut dyn FnMut(Span)) -> Vec<Vec<TokenTree>> {
    let mut groups = vec![Vec::new()];
    let mut last = None;
    for token in tokens {
        match &token {
            TokenTree::Punct(p) if p.as_char() == separator => {
                if groups.last().is_some_and(Vec::is_empty) {
                    empty(p.span());
                }
                last = Some(p.span());
                groups.push(Vec::new());
            }
            _ => groups.last_mut().expect("there is one from the start").push(token),
        }
    }
    if let Some(span) = last.filter(|_| separator != ',' && groups.last().is_some_and(Vec::is_empty)) {
        empty(span);
    }
    groups.retain(|group| !group.is_empty());
    groups
}

fn entry(tokens: &[TokenTree], report: &mut Report) -> Option<Entry> {
    match tokens {
        [TokenTree::Ident(key), TokenTree::Punct(eq), value @ ..] if eq.as_char() == '=' => {
            let value = value_of(key, value, eq.span(), report);
            if value.is_none() {
                report.unread(&key.to_string());
            }
            Some(Entry { key: key.clone(), value: value? })
        }
        // `allow(name, ...)` and `deny(name, ...)`, as Rust's own attributes have it.
        [TokenTree::Ident(key), TokenTree::Group(group)]
            if (key == "allow" || key == "deny") && group.delimiter() == Delimiter::Parenthesis =>
        {
            let list = proc_macro2::Group::new(Delimiter::Bracket, group.stream());
            let mut list = TokenTree::Group(list);
            list.set_span(group.span());
            let value = value_of(key, &[list], group.span(), report)?;
            Some(Entry { key: key.clone(), value })
        }
        // One that says all by being there.
        [TokenTree::Ident(key)] if key == "explain" => {
            Some(Entry { key: key.clone(), value: Value { span: key.span(), kind: ValueKind::Word("true".into()) } })
        }
        [TokenTree::Ident(key), rest @ ..] => {
            report.unread(&key.to_string());
            let (span, found) = match rest {
                [next, ..] => (next.span(), format!("{} after `{key}`", shown(next))),
                [] => (key.span(), format!("`{key}` alone")),
            };
            report.add(span, &check::SYNTAX, &[&found]);
            None
        }
        [first, ..] => {
            report.add(first.span(), &check::SYNTAX, &[&shown(first)]);
            None
        }
        [] => None,
    }
}

/// A token as it is shown in messages.
fn shown(token: &TokenTree) -> String {
    match token {
        TokenTree::Group(group) => match group.delimiter() {
            Delimiter::Parenthesis => "`(`".into(),
            Delimiter::Brace => "`{`".into(),
            Delimiter::Bracket => "`[`".into(),
            Delimiter::None => "a group".into(),
        },
        other => format!("`{other}`"),
    }
}

fn value_of(key: &Ident, tokens: &[TokenTree], after: Span, report: &mut Report) -> Option<Value> {
    let mut complete = true;
    let alternatives = split(tokens.iter().cloned().collect(), '|', &mut |span| {
        complete = false;
        report.add(span, &check::VALUE_SYNTAX, &[key, &"`|`"]);
    });
    if !complete {
        return None;
    }
    let mut values = Vec::new();
    for tokens in &alternatives {
        values.push(atom(key, tokens, report)?);
    }
    match values.len() {
        0 => {
            report.add(after, &check::VALUE_SYNTAX, &[key, &"nothing"]);
            None
        }
        1 => values.pop(),
        _ => Some(Value { span: values[0].span, kind: ValueKind::Alternatives(values) }),
    }
}

fn atom(key: &Ident, tokens: &[TokenTree], report: &mut Report) -> Option<Value> {
    let is = |token: &TokenTree, c: char| matches!(token, TokenTree::Punct(p) if p.as_char() == c);
    let kind = match tokens {
        // What a `macro_rules` hands on comes in invisible brackets.
        [TokenTree::Group(group)] if group.delimiter() == Delimiter::None => {
            return value_of(key, &group.stream().into_iter().collect::<Vec<_>>(), group.span(), report);
        }
        [TokenTree::Ident(word)] if word == "_" => Some(ValueKind::Open),
        [TokenTree::Ident(word)] => Some(ValueKind::Word(word.to_string())),
        [TokenTree::Literal(literal)] => number_or_string(literal, 1),
        [minus, TokenTree::Literal(literal)] if is(minus, '-') => {
            number_or_string(literal, -1).filter(|kind| !matches!(kind, ValueKind::Word(_)))
        }
        [TokenTree::Literal(literal), a, b] if is(a, '.') && is(b, '.') => from(literal, 1),
        [minus, TokenTree::Literal(literal), a, b] if is(minus, '-') && is(a, '.') && is(b, '.') => from(literal, -1),
        [TokenTree::Group(group)] if group.delimiter() == Delimiter::Bracket => {
            let mut complete = true;
            let stretches = split(group.stream(), ',', &mut |span| {
                complete = false;
                report.add(span, &check::VALUE_SYNTAX, &[key, &"`,`"]);
            });
            let items = stretches.iter().map(|tokens| value_of(key, tokens, group.span(), report));
            let items: Option<Vec<_>> = items.collect::<Option<Vec<_>>>().filter(|_| complete);
            return items.map(|items| Value { span: group.span(), kind: ValueKind::List(items) });
        }
        _ => path(tokens).map(ValueKind::Path),
    };
    let Some(kind) = kind else {
        report.add(tokens[0].span(), &check::VALUE_SYNTAX, &[key, &shown(&tokens[0])]);
        return None;
    };
    // The span of a number is the number's, not its sign's: the part that a reader looks for.
    let span = tokens.iter().find(|t| matches!(t, TokenTree::Literal(_))).unwrap_or(&tokens[0]).span();
    Some(Value { span, kind })
}

fn number_or_string(literal: &proc_macro2::Literal, sign: i128) -> Option<ValueKind> {
    match syn::Lit::new(literal.clone()) {
        syn::Lit::Int(int) if int.suffix().is_empty() => {
            int.base10_parse::<i128>().ok().map(|i| ValueKind::Int(sign * i))
        }
        syn::Lit::Float(float) if float.suffix().is_empty() => {
            float.base10_parse::<f64>().ok().map(|f| ValueKind::Float(sign as f64 * f))
        }
        syn::Lit::Str(text) => Some(ValueKind::Word(text.value())),
        _ => None,
    }
}

fn from(literal: &proc_macro2::Literal, sign: i128) -> Option<ValueKind> {
    match number_or_string(literal, sign) {
        Some(ValueKind::Int(i)) => Some(ValueKind::From(i)),
        _ => None,
    }
}

/// `a::b`, `::a::b`, as text.
fn path(tokens: &[TokenTree]) -> Option<String> {
    let stream: TokenStream = tokens.iter().cloned().collect();
    let path: syn::Path = syn::parse2(stream).ok()?;
    let plain = path.segments.iter().all(|segment| segment.arguments.is_empty());
    let names: Vec<_> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
    plain.then(|| format!("{}{}", if path.leading_colon.is_some() { "::" } else { "" }, names.join("::")))
}

/// The item under the attribute: a struct with named fields or none.
pub fn item(tokens: TokenStream, report: &mut Report) -> Option<syn::ItemStruct> {
    let item: syn::Item = match syn::parse2(tokens) {
        Ok(item) => item,
        Err(error) => {
            report.add(error.span(), &check::NOT_A_STRUCT, &[&format!("something else ({error})")]);
            return None;
        }
    };
    let (span, found) = match item {
        syn::Item::Struct(item) => {
            if let syn::Fields::Unnamed(fields) = &item.fields {
                report.add(fields.paren_token.span.join(), &check::TUPLE_STRUCT, &[&item.ident]);
                return None;
            }
            return Some(item);
        }
        syn::Item::Enum(item) => (item.enum_token.span, "an enum"),
        syn::Item::Union(item) => (item.union_token.span, "a union"),
        syn::Item::Fn(item) => (item.sig.fn_token.span, "a function"),
        syn::Item::Impl(item) => (item.impl_token.span, "an impl"),
        syn::Item::Trait(item) => (item.trait_token.span, "a trait"),
        syn::Item::Mod(item) => (item.mod_token.span, "a module"),
        syn::Item::Type(item) => (item.type_token.span, "a type alias"),
        _ => (report.whole(), "something else"),
    };
    report.add(span, &check::NOT_A_STRUCT, &[&found]);
    None
}

#[cfg(test)]
mod tests;
