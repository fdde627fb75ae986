//! Tells the program what it was built with.

use std::env;
use std::process::Command;

fn main() {
    let rustc = env::var_os("RUSTC").expect("cargo sets it");
    let version = Command::new(rustc).arg("--version").output().expect("the compiler that cargo has chosen runs");
    let version = String::from_utf8(version.stdout).expect("it prints UTF-8");
    // Where there are none, cargo does not set it.
    let features = env::var("CARGO_CFG_TARGET_FEATURE").unwrap_or_default();
    println!("cargo::rustc-env=NORMKIT_BENCH_RUSTC={}", version.trim());
    println!("cargo::rustc-env=NORMKIT_BENCH_FEATURES={}", features.replace(',', " "));
    println!("cargo::rerun-if-changed=build.rs");
}
