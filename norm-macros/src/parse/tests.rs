use super::*;
use quote::quote;

fn parsed(tokens: TokenStream) -> (Vec<(String, ValueKind)>, Vec<&'static str>) {
    let mut report = Report::default();
    let entries = args(tokens, &mut report);
    (entries.into_iter().map(|e| (e.key.to_string(), e.value.kind)).collect(), report.names)
}

fn value(tokens: TokenStream) -> ValueKind {
    let (mut entries, names) = parsed(quote!(key = #tokens));
    assert_eq!(names, [""; 0]);
    entries.pop().unwrap().1
}

fn list(kinds: Vec<ValueKind>) -> Vec<Value> {
    kinds.into_iter().map(|kind| Value { span: Span::call_site(), kind }).collect()
}

#[test]
fn all_kinds_of_values() {
    assert_eq!(value(quote!("rms")), ValueKind::Word("rms".into()));
    assert_eq!(value(quote!(rms)), ValueKind::Word("rms".into()));
    assert_eq!(value(quote!(true)), ValueKind::Word("true".into()));
    assert_eq!(value(quote!(-1)), ValueKind::Int(-1));
    assert_eq!(value(quote!(1e-6)), ValueKind::Float(1e-6));
    assert_eq!(value(quote!(-0.5)), ValueKind::Float(-0.5));
    assert_eq!(value(quote!(_)), ValueKind::Open);
    assert_eq!(value(quote!(1..)), ValueKind::From(1));
    assert_eq!(value(quote!(-2..)), ValueKind::From(-2));
    assert_eq!(value(quote!(::a::b)), ValueKind::Path("::a::b".into()));
    assert_eq!(value(quote!([-2, -1])), ValueKind::List(list(vec![ValueKind::Int(-2), ValueKind::Int(-1)])));
    let family = ValueKind::Alternatives(list(vec![ValueKind::Int(768), ValueKind::Open]));
    assert_eq!(value(quote!([_, 768 | _])), ValueKind::List(list(vec![ValueKind::Open, family])));
}

#[test]
fn what_cannot_be_read_is_reported_and_the_rest_kept() {
    let (entries, names) = parsed(quote!(kind rms, eps = 1e-6, axis =, shape = (1, 2), affine = false, eps = 1));
    assert_eq!(names, ["syntax", "value_syntax", "value_syntax", "repeated_key"]);
    let keys: Vec<_> = entries.iter().map(|(key, _)| key.as_str()).collect();
    assert_eq!(keys, ["eps", "affine"]);
}

#[test]
fn suffixes_and_negative_strings_are_no_values() {
    for tokens in [quote!(eps = 1f32), quote!(eps = -"rms"), quote!(eps = 1 2), quote!(eps = 1.0..)] {
        assert_eq!(parsed(tokens).1, ["value_syntax"]);
    }
}

#[test]
fn nothing_between_separators_is_reported() {
    assert_eq!(
        parsed(quote!(kind = rms,, eps = 1, axis = 5 || 7, shape = [_, 5 |], param = [1,, 2],)).1,
        ["syntax", "value_syntax", "value_syntax", "value_syntax"]
    );
    assert_eq!(parsed(quote!(kind = rms, shape = [_, 5,],)).1, [""; 0]);
    assert_eq!(parsed(quote!()).1, [""; 0]);
}

#[test]
fn lints_are_listed_in_parentheses() {
    let (entries, names) = parsed(quote!(kind = rms, allow(one, two)));
    assert_eq!(names, [""; 0]);
    let words = ["one", "two"].map(|word| ValueKind::Word(word.into()));
    assert_eq!(entries[1], ("allow".into(), ValueKind::List(list(words.into()))));
}

#[test]
fn explain_stands_alone() {
    for tokens in [quote!(explain, kind = rms), quote!(explain = true, kind = rms)] {
        let (entries, names) = parsed(tokens);
        assert_eq!((names, &entries[0]), (vec![], &("explain".into(), ValueKind::Word("true".into()))));
    }
}
