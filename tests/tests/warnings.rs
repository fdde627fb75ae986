//! What is said without being refused: each lint where nothing denies it, and the plan where `explain` asks for it. They are compiled
//! as a crate of their own, since a test of messages has no warnings to look at.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const HERE: &str = env!("CARGO_MANIFEST_DIR");

/// What asks for the plan, where warnings are errors, and where those of the kind are silenced.
const EXPLAINED: &str = r#"#![deny(warnings)]
#![allow(deprecated)]
#[normkit::normalize(kind = "rms", shape = [_, 4096], explain)]
pub struct InputNorm;
#[normkit::normalize(explain)]
pub struct Model {
    #[norm(kind = "layer", shape = [_, 768])]
    pub hidden_norm: HiddenNorm,
    #[norm(kind = "layer", shape = [_, 100], explain = false)]
    pub silent_norm: SilentNorm,
}
pub fn kernel() {
    let _ = normkit::norm!(kind = "batch", shape = [_, 64, _, _], explain);
}
"#;

/// A lint, the file that it is tested by without its denial, and the line and column of its token.
struct Case {
    name: String,
    source: String,
    place: String,
}

/// From the files that deny a lint of their own name.
fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for entry in fs::read_dir(Path::new(HERE).join("tests/ui")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_string();
        let source = fs::read_to_string(&path).unwrap();
        let deny = format!("deny({name})");
        if path.extension().is_none_or(|extension| extension != "rs") || !source.contains(&deny) {
            continue;
        }
        let said = fs::read_to_string(path.with_extension("stderr")).unwrap();
        let (_, place) = said.split_once(&format!("--> tests/ui/{name}.rs:")).unwrap();
        let place = place.lines().next().unwrap().to_string();
        let source = source.replace(&format!(", {deny}"), "").replace(&deny, "");
        cases.push(Case { name, source, place });
    }
    assert!(cases.len() >= 14, "{} lints", cases.len());
    cases
}

/// Writes a crate of these modules.
fn project(modules: &[(&str, &str)]) -> PathBuf {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("warnings");
    let _ = fs::remove_dir_all(dir.join("src"));
    fs::create_dir_all(dir.join("src")).unwrap();
    let manifest = format!(
        "[package]\nname = \"warned\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[dependencies]\nnormkit = {{ path = {:?} }}\n\n\
         [features]\ndeny-lints = [\"normkit/deny-lints\"]\n\n[workspace]\n",
        Path::new(HERE).parent().unwrap(),
    );
    fs::write(dir.join("Cargo.toml"), manifest).unwrap();
    fs::copy(Path::new(HERE).join("../Cargo.lock"), dir.join("Cargo.lock")).unwrap();
    let root: String = modules.iter().map(|(name, _)| format!("pub mod {name};\n")).collect();
    fs::write(dir.join("src/lib.rs"), root).unwrap();
    for (name, source) in modules {
        fs::write(dir.join(format!("src/{name}.rs")), source).unwrap();
    }
    dir
}

/// Whether it compiles, and what the compiler says.
fn check(dir: &Path, more: &[&str]) -> (bool, String) {
    let output = Command::new(env!("CARGO"))
        .args(["check", "--offline", "--message-format=short", "--target-dir"])
        .arg(dir.join("target"))
        .args(more)
        .current_dir(dir)
        .env_remove("RUSTFLAGS")
        .output()
        .unwrap();
    (output.status.success(), String::from_utf8(output.stderr).unwrap())
}

/// The plans of what asks for them, in both builds.
fn assert_plans(said: &str) {
    let from = |start: &str| said.split_once(start).unwrap_or_else(|| panic!("no {start} in {said}")).1;
    for (place, what, first) in [
        ("3:55", "the plan of `InputNorm`", "rms normalization of f32 (parameters f32), shape [_, 4096]"),
        ("5:22", "the plan of `HiddenNorm`", "layer normalization of f32 (parameters f32), shape [_, 768]"),
        ("13:67", "the plan of this kernel", "batch normalization of f32 (parameters f32), shape [_, 64, _, _]"),
    ] {
        let rest = from(&format!("src/explained.rs:{place}: warning: "));
        let (line, rest) = rest.split_once('\n').unwrap();
        assert!(line.contains("plan`"), "{line}");
        let said: Vec<_> = rest.lines().take(20).map(str::trim).collect();
        assert!(said[0] == what && said[2].starts_with(first) && said[4].starts_with("| length"), "{said:#?}");
        assert!(said.iter().any(|line| line.contains("| avx2 |")), "{said:#?}");
    }
    assert!(!said.contains("SilentNorm"), "{said}");
}

#[test]
fn lints_warn_and_plans_are_told() {
    let cases = cases();
    let mut modules: Vec<_> = cases.iter().map(|case| (case.name.as_str(), case.source.as_str())).collect();
    modules.push(("explained", EXPLAINED));
    let dir = project(&modules);
    for (more, level) in [(&[][..], "warning"), (&["--features", "deny-lints"], "error")] {
        let (compiles, said) = check(&dir, more);
        assert_eq!(compiles, level == "warning", "{said}");
        for Case { name, place, .. } in &cases {
            let start = format!("src/{name}.rs:{place}: {level}: ");
            let line = said.lines().find(|line| line.starts_with(&start));
            let line = line.unwrap_or_else(|| panic!("no {start} in {said}"));
            assert!(level == "error" || line.contains(&format!("{name}`")), "{line}");
            let key = format!("help: `allow({name})` among the keys silences this");
            assert_eq!(said.contains(&key), level == "warning", "{said}");
        }
        assert_plans(&said);
    }
}
