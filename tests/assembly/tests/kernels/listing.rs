//! What rustc writes with `--emit asm`, function by function (x86, the syntax of AT&T).

use std::collections::HashMap;

/// The machine code of one function.
pub struct Function<'a> {
    /// As in the source: `normkit_assembly::rms_768::forward_768_avx512`.
    pub name: String,
    pub code: Vec<Instruction<'a>>,
    /// The instruction that comes after each label.
    labels: HashMap<&'a str, usize>,
}

/// One line of it.
pub struct Instruction<'a> {
    pub mnemonic: &'a str,
    pub operands: &'a str,
}

/// All functions, in the order of the listing. Of several that have the same code there is one.
pub fn functions(listing: &str) -> Vec<Function<'_>> {
    let mut found = Vec::new();
    let mut current: Option<Function<'_>> = None;
    for line in listing.lines() {
        let text = line.trim();
        if let Some(label) = text.strip_suffix(':') {
            match &mut current {
                Some(function) => {
                    function.labels.insert(label, function.code.len());
                }
                // Labels of data come here too: no `.cfi_startproc` follows.
                None => current = Some(Function::new(label)),
            }
        } else if text == ".cfi_startproc" || text.starts_with(".p2align") {
            // Of the function whose label came before, and of loops.
        } else if text == ".cfi_endproc" {
            found.extend(current.take());
        } else if text.starts_with('.') {
            // A directive outside of code: what came before was no function, unless this is one of those within.
            if !text.starts_with(".cfi_") && current.as_ref().is_some_and(|function| function.code.is_empty()) {
                current = None;
            }
        } else if let Some(function) = &mut current {
            let (mnemonic, operands) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
            function.code.push(Instruction { mnemonic, operands: operands.trim() });
        }
    }
    found
}

impl<'a> Function<'a> {
    fn new(symbol: &str) -> Self {
        Function { name: readable(symbol), code: Vec::new(), labels: HashMap::new() }
    }

    /// Where the branch `index` goes to, if it stays within the function.
    pub fn target(&self, index: usize) -> Option<usize> {
        let instruction = &self.code[index];
        instruction.is_branch().then(|| self.labels.get(instruction.operands).copied()).flatten()
    }

    /// Whether `%rbp` is the frame's, and not a register like others.
    pub fn has_frame_pointer(&self) -> bool {
        self.code.iter().take(8).any(|i| i.mnemonic.starts_with("mov") && i.operands == "%rsp, %rbp")
    }
}

impl<'a> Instruction<'a> {
    /// Whether it may go on elsewhere; `jmp` does.
    pub fn is_branch(&self) -> bool {
        self.mnemonic.starts_with('j')
    }

    /// Whether the next instruction never follows.
    pub fn ends(&self) -> bool {
        self.mnemonic.starts_with("jmp") || self.mnemonic.starts_with("ret") || self.mnemonic == "ud2"
    }

    /// The function that it calls, or jumps to in place of a call: the last name of its path.
    pub fn callee(&self) -> Option<String> {
        let leaves =
            self.mnemonic.starts_with("call") || (self.mnemonic.starts_with("jmp") && !self.operands.starts_with(".L"));
        let symbol = self.operands.trim_start_matches('*').split(['@', '(']).next().unwrap_or_default();
        leaves.then(|| readable(symbol).rsplit("::").next().unwrap_or_default().to_owned())
    }

    /// Its operands: commas within parentheses part none.
    pub fn each_operand(&self) -> impl Iterator<Item = &'a str> {
        let mut depth = 0;
        self.operands
            .split(move |c| {
                depth += i32::from(c == '(') - i32::from(c == ')');
                c == ',' && depth == 0
            })
            .map(str::trim)
    }
}

/// A symbol as its path, without the hash.
fn readable(symbol: &str) -> String {
    format!("{:#}", rustc_demangle::demangle(symbol))
}
