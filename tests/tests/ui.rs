//! What misuse is told: each rule of the catalogue, and each lint, denied, has a file of its name under `ui/`, and what is said of it
//! beside it. Under `ui_of_the_compiler/` is what no macro has a say in: there the words are the compiler's.
//!
//! `TRYBUILD=overwrite cargo test -p normkit-tests --test ui` writes what is said now.

use std::collections::BTreeSet;
use std::path::Path;

/// Rules that no input can break yet.
const OUT_OF_REACH: &[&str] = &[];

/// Files that are about how messages come together.
const NOT_RULES: &[&str] = &["many_at_once", "models_stay_calm", "users_stay_calm"];

#[test]
fn messages() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/ui/*.rs");
    // What the compiler says itself, where a macro has no say.
    cases.compile_fail("tests/ui_of_the_compiler/*.rs");
}

/// The names in the catalogue: the strings of lines like `SYNTAX = "syntax",`.
fn rules() -> BTreeSet<&'static str> {
    let sources = [
        include_str!("../../norm-macros/src/check/catalogue.rs"),
        include_str!("../../norm-macros/src/check/lints.rs"),
    ];
    let name = |line: &'static str| {
        let (constant, rest) = line.trim().split_once(" = \"")?;
        let plain = constant.chars().all(|c| c.is_ascii_uppercase() || c == '_');
        rest.split_once('"').filter(|_| plain).map(|(name, _)| name)
    };
    sources.into_iter().flat_map(str::lines).filter_map(name).collect()
}

/// The names of the files of this extension.
fn files(extension: &str) -> BTreeSet<String> {
    let entries = std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ui")).unwrap();
    entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|found| found == extension))
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_string())
        .collect()
}

#[test]
fn each_rule_has_a_file_and_each_file_a_rule() {
    let rules = rules();
    assert!(rules.len() > 30, "{rules:?}");
    let (outside, expected): (Vec<&str>, Vec<&str>) = rules.into_iter().partition(|rule| OUT_OF_REACH.contains(rule));
    assert_eq!(outside, OUT_OF_REACH);
    let expected: BTreeSet<String> = expected.iter().chain(NOT_RULES).map(|name| (*name).to_string()).collect();
    assert_eq!(files("rs"), expected);
    assert_eq!(files("stderr"), expected);
}

/// The page tells of what the compiler says, if in other words for the names.
#[test]
fn the_page_has_the_words_of_the_compiler() {
    let (here, page) = (Path::new(env!("CARGO_MANIFEST_DIR")), include_str!("../../docs/diagnostics.md"));
    let mut found = 0;
    for entry in std::fs::read_dir(here.join("tests/ui_of_the_compiler")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "stderr") {
            continue;
        }
        for line in std::fs::read_to_string(&path).unwrap().lines().filter(|line| line.starts_with("error")) {
            let said = line.split_once(": ").unwrap().1.replace("`InputNorm`", "`…`").replace("`*bn`", "`…`");
            assert!(page.contains(&said), "{said} of {}", path.display());
            found += 1;
        }
    }
    assert!(found >= 6, "{found}");
}

/// What the compiler adds of its own changes with its releases: every message must be one of ours.
#[test]
fn only_our_own_words() {
    for name in files("stderr") {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ui").join(format!("{name}.stderr"));
        for line in std::fs::read_to_string(path).unwrap().lines() {
            let foreign = ["error[", "warning", "note", "= "].iter().any(|start| line.trim_start().starts_with(start));
            assert!(!foreign, "{name}: {line}");
        }
    }
}
