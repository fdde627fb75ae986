//! The machine code of named kernels: how many instructions on vectors there are, what is spilled, what is called.
//!
//! rustc compiles `src/lib.rs` to a listing; what is counted there is held to `kernels.txt`. `UPDATE_EXPECT=1` writes that file anew. It
//! is of one rustc: another one's code is held to the rules below, and to the file where it says that there is none of something.

#![cfg(all(target_arch = "x86_64", target_os = "linux"))]

mod figures;
mod listing;
mod loops;
mod table;

use expect_test::expect_file;
use figures::Figures;
use listing::functions;
use std::collections::BTreeMap;
use std::env;
use std::path::Path;
use std::process::Command;
use table::{against, compiler, parse, print};

/// The figures of each kernel, by its name.
type Kernels = BTreeMap<String, Figures>;

/// What kernels may call: what does one row in an unusual way, and what moves the end of a row before that.
const MAY_CALL: [&str; 4] = ["careful_row", "careful_backward_row", "put_parts", "memcpy"];

const LEVELS: [&str; 3] = ["_avx512", "_avx512_bf16", "_avx2"];

/// Compiles the library, optimized, whatever flags there are around.
fn listing() -> String {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("kernels.s");
    let output = Command::new(env::var_os("CARGO").expect("cargo runs its tests"))
        .args(["rustc", "--frozen", "--release", "--lib", "--manifest-path"])
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml"))
        .args(["--config", "profile.release.opt-level=3", "--config", "profile.release.lto=false"])
        .args(["--", "-C", "codegen-units=1", "-C", "symbol-mangling-version=v0", "--emit"])
        .arg(format!("asm={}", path.display()))
        .env("CARGO_ENCODED_RUSTFLAGS", "")
        .env_remove("CARGO_BUILD_TARGET")
        .output()
        .expect("cargo can be run");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    std::fs::read_to_string(&path).unwrap_or_else(|e| {
        panic!("{}: {e}; run `cargo clean --release -p normkit-assembly`, so that it is written again", path.display())
    })
}

fn kernels(listing: &str) -> Kernels {
    let of_crate = |name: &str| name.strip_prefix("normkit_assembly::").map(|name| name.replace("::", " "));
    functions(listing)
        .iter()
        .filter(|function| LEVELS.iter().any(|level| function.name.ends_with(level)))
        .filter_map(|function| Some((of_crate(&function.name)?, Figures::of(function))))
        .collect()
}

/// What holds for any kernel and compiler.
fn broken_rules(kernels: &Kernels) -> Vec<String> {
    let mut broken = Vec::new();
    for (name, figures) in kernels {
        let mut rule = |holds: bool, what: &str| {
            if !holds {
                broken.push(format!("{name}: {what}: {figures}"));
            }
        };
        rule(figures.inner.loops > 0, "no loop of whole vectors");
        rule(figures.spills.inner == 0, "a vector is spilled in an innermost loop");
        rule(figures.inner.scalar == 0, "arithmetic on single numbers in an innermost loop");
        rule(figures.calls.keys().all(|callee| MAY_CALL.contains(&&**callee)), "calls what it should not");
    }
    broken
}

#[test]
fn machine_code_of_kernels() {
    let kernels = kernels(&listing());
    println!("{} kernels", kernels.len());
    assert!(kernels.len() > 80, "kernels are missing: {:?}", kernels.keys());
    let broken = broken_rules(&kernels);
    assert!(broken.is_empty(), "{}", broken.join("\n"));

    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/kernels.txt");
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    let compiler = compiler();
    if env::var_os("UPDATE_EXPECT").is_some() || committed.starts_with(&compiler) {
        expect_file![path].assert_eq(&print(&compiler, &kernels));
    } else {
        println!("another compiler than that of the file: {compiler}");
        let worse = against(&parse(&committed), &kernels);
        assert!(worse.is_empty(), "{}", worse.join("\n"));
    }
}

/// A loop over rows around one over elements, with one of all that is counted, laid out as compilers do: the end of the outer loop first.
#[test]
fn figures_by_hand() {
    let text = "
_RNvNvCs0_16normkit_assembly5outer8a_avx512:
\t.cfi_startproc
\tpushq\t%rbp
\tmovq\t%rsp, %rbp
\tvmovaps\t%zmm9, 128(%rsp)
\tjmp\t.LBB0_2
\t.p2align\t4
.LBB0_1:
\tmovq\t8(%rsp), %rsi
\tvaddps\t64(%rsp), %zmm1, %zmm2
\tcallq\t*_RNvCs0_4core5panic@GOTPCREL(%rip)
\tcmpq\t%r10, %rsi
\tjae\t.LBB0_4
.LBB0_2:
\tvxorps\t%xmm0, %xmm0, %xmm0
.LBB0_3:
\tvfmadd231ps\t64(%rbx,%rsi,4), %zmm14, %zmm0
\tvmovups\t(%rsp,%rax), %zmm3
\tvmulss\t%xmm3, %xmm3, %xmm3
\tvmovups\t%ymm3, -32(%rbp)
\tmovl\t-8(%rbp), %eax
\tmovl\t%eax, -8(%rbp)
\tjb\t.LBB0_3
\tjmp\t.LBB0_1
.LBB0_4:
\tretq
\t.cfi_endproc
.LCPI0_0:
\t.long\t0x3f800000
";
    let kernels = kernels(text);
    let figures = &kernels["outer a_avx512"];
    assert_eq!(
        figures.to_string(),
        "    1    2      1 |      1       1 |      1       1 |    4      2 | panic 1",
        "of {kernels:?}"
    );
    assert_eq!(parse(&print("# rustc", &kernels))["outer a_avx512"].to_string(), figures.to_string());
    assert_eq!(broken_rules(&kernels).len(), 3);
    let mut worse = kernels.clone();
    worse.get_mut("outer a_avx512").unwrap().spills.around += 100;
    assert_eq!((against(&kernels, &kernels).len(), against(&kernels, &worse).len()), (0, 1));
}
