//! The file of figures.

use crate::Kernels;
use crate::figures::{Figures, Inner, Places};
use std::process::Command;

const HEAD: &str = "
# Of each kernel: its innermost loops through tensors, the instructions on whole vectors in them, and those that calculate with
# single numbers; vectors (`spills`) and other registers (`reloads`) that innermost loops, and loops around others, have on the
# stack; all its instructions on whole vectors and on narrower ones; what it calls, and from how many places.
# Rows that stay in registers are done in a loop around others: those of rows that are stored past the caches.
# Of kernels with the same code there is one.
#
";

const NAME: usize = 44;

/// The compiler that the listing is of: its first line is how the file begins.
pub fn compiler() -> String {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).arg("-vV").output().expect("rustc can be run");
    let text = String::from_utf8_lossy(&output.stdout);
    let of = |key: &str| text.lines().find_map(|line| line.strip_prefix(key)).unwrap_or_default().trim().to_owned();
    format!("# {}, LLVM {}, {}", text.lines().next().unwrap_or_default(), of("LLVM version:"), of("host:"))
}

/// The file.
pub fn print(compiler: &str, kernels: &Kernels) -> String {
    let mut text = format!("{compiler}{HEAD}");
    let titles = [
        ["#", "        innermost  |  innermost     | around         | everywhere  |"],
        ["# kernel", "loops wide scalar | spills reloads | spills reloads | wide narrow | calls"],
    ];
    for [name, columns] in titles {
        text += &format!("{name:<NAME$} {columns}\n");
    }
    for (name, figures) in kernels {
        text += &format!("{name:<NAME$} {figures}\n");
    }
    text
}

/// What the file says.
pub fn parse(text: &str) -> Kernels {
    let lines = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    lines.map(|line| kernel(line).unwrap_or_else(|| panic!("not a line of the table: {line}"))).collect()
}

fn kernel(line: &str) -> Option<(String, Figures)> {
    let (name, rest) = line.split_at_checked(NAME)?;
    let mut words = rest.split_whitespace().filter(|word| *word != "|");
    let mut number = || words.next()?.parse::<usize>().ok();
    let inner = Inner::new(number()?, number()?, number()?);
    let (mut spills, mut reloads) = (Places::default(), Places::default());
    for place in [[&mut spills.inner, &mut reloads.inner], [&mut spills.around, &mut reloads.around]] {
        for count in place {
            *count = number()?;
        }
    }
    let (wide, narrow) = (number()?, number()?);
    let mut calls = std::collections::BTreeMap::new();
    while let Some(callee) = words.next() {
        calls.insert(callee.to_owned(), words.next()?.parse().ok()?);
    }
    Some((name.trim().to_owned(), Figures { wide, narrow, spills, reloads, inner, calls }))
}

/// Vectors on the stack, and instructions on narrower vectors, that another compiler may have in excess.
const MORE: usize = 8;

/// In what the code of another compiler is worse than the file says.
pub fn against(committed: &Kernels, found: &Kernels) -> Vec<String> {
    let mut worse = Vec::new();
    let missing = committed.keys().filter(|name| !found.contains_key(*name)).count();
    if missing * 10 > committed.len() {
        worse.push(format!("{missing} of {} kernels are missing", committed.len()));
    }
    for (name, figures) in found {
        let Some(before) = committed.get(name) else { continue };
        let is_worse = figures.spills.around > before.spills.around + MORE
            || figures.calls.keys().any(|callee| !before.calls.contains_key(callee))
            || figures.wide * 2 < before.wide;
        if is_worse {
            worse.push(format!("{name}: found {figures}\n{:>width$}, not {before}", "", width = name.len()));
        }
    }
    worse
}
