//! What layers cost at compile time: crates outside of the workspace, built again and again.

use comfy_table::{CellAlignment, Table, presets};
use indicatif::ProgressBar;
use statrs::statistics::{Data, Median};
use std::error::Error;
use std::fmt::Write;
use std::mem::MaybeUninit;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;
use std::{fs, io};

#[derive(clap::Args)]
pub struct Args {
    /// How often each crate is built in each profile
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    turns: u32,
    /// The folder that the crates are made in
    #[arg(long, default_value = "target/normkit-bench/compile-time")]
    out: PathBuf,
}

/// A crate: its name, what it is in the table, its code.
struct Case {
    name: &'static str,
    label: &'static str,
    code: String,
}

/// What all have: numbers that the compiler does not know, room for outputs and gradients. Where there is no layer they are copied.
const NO_MACRO: &str = r#"fn main() {
    let unknown = std::env::args().count();
    let x: Vec<f32> = (0..16 * 4096).map(|i| (i % (unknown + 6)) as f32).collect();
    let mut y = vec![0.0_f32; x.len()];
    let mut dx = y.clone();
    y[..16 * 4096].copy_from_slice(&x[..16 * 4096]);
    dx[..16 * 4096].copy_from_slice(&y[..16 * 4096]);
    println!("{}", y[0] + dx[0]);
}
"#;

/// One layer of rms normalization.
const ONE: &str = r#"#[normkit::normalize(kind = "rms", shape = [_, 4096])]
pub struct Norm;
"#;

fn cases() -> Vec<Case> {
    vec![
        Case { name: "no-macro", label: "no macro", code: NO_MACRO.into() },
        Case {
            name: "linked",
            label: "no macro, normkit linked",
            code: NO_MACRO.replace("}\n", "    println!(\"{:?}\", normkit::Level::current());\n}\n"),
        },
        Case { name: "not-called", label: "one rms layer, not called", code: format!("{ONE}{NO_MACRO}") },
        Case {
            name: "one-rms",
            label: "one rms layer",
            code: format!("{ONE}{}", called(&["Norm".into()], &[16 * 4096])),
        },
        Case { name: "forty", label: "a model of 40 layers", code: forty() },
    ]
}

/// A program that calls forward, training forward and backward of layers, on inputs of these lengths.
fn called(layers: &[String], lens: &[usize]) -> String {
    let longest = lens.iter().max().copied().unwrap_or(0);
    let mut code = format!(
        "use normkit::{{NormError, Saved}};\n\nfn main() -> Result<(), NormError> {{\n    \
         let unknown = std::env::args().count();\n    \
         let x: Vec<f32> = (0..{longest}).map(|i| (i % (unknown + 6)) as f32).collect();\n    \
         let (mut y, mut saved) = (vec![0.0_f32; x.len()], Saved::default());\n    let mut dx = y.clone();\n"
    );
    for (layer, len) in layers.iter().zip(lens) {
        let (x, y, dx) = (format!("&x[..{len}]"), format!("&mut y[..{len}]"), format!("&mut dx[..{len}]"));
        let _ = write!(
            code,
            "    let (mut layer, mut grads) = ({layer}::new(), {layer}Grads::new());\n    \
             layer.forward({x}, {y})?;\n    layer.forward_train({x}, {y}, &mut saved)?;\n    \
             layer.backward({x}, {x}, &saved, {dx}, &mut grads)?;\n    layer.weight[0] = grads.weight[0];\n"
        );
    }
    code.push_str("    println!(\"{}\", y[0] + dx[0]);\n    Ok(())\n}\n");
    code
}

/// Forty layers of which no two are alike: as many of rms and layer normalization as a model for text has, and some for images.
fn forty() -> String {
    let mut code = String::new();
    let (mut layers, mut lens) = (Vec::new(), Vec::new());
    for i in 0..40 {
        // Sizes that are multiples of no vector's length are among them.
        let n = 64 * (i + 1) + i % 4;
        let (keys, len) = match i % 10 {
            0..4 => (format!("kind = \"rms\", shape = [_, {n}]"), 4 * n),
            4..7 => (format!("kind = \"layer\", shape = [_, {n}]"), 4 * n),
            7 => (format!("kind = \"batch\", shape = [_, {}, 14, 14]", i + 1), 2 * (i + 1) * 196),
            8 => (format!("kind = \"group\", groups = 4, shape = [_, {}, 14, 14]", 4 * (i + 1)), 8 * (i + 1) * 196),
            _ => (format!("kind = \"layer\", shape = [_, {}, 7, 7], axis = 1", 8 * (i + 1)), 16 * (i + 1) * 49),
        };
        let name = format!("Norm{i}");
        let _ = write!(code, "#[normkit::normalize({keys})]\npub struct {name};\n");
        layers.push(name);
        lens.push(len);
    }
    code + &called(&layers, &lens)
}

/// Writes a workspace of all cases.
fn write(out: &Path, cases: &[Case]) -> Result<(), Box<dyn Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().ok_or("the package has no parent folder")?;
    let members: Vec<&str> = cases.iter().map(|case| case.name).collect();
    fs::create_dir_all(out)?;
    fs::write(out.join("Cargo.toml"), format!("[workspace]\nmembers = {members:?}\nresolver = \"3\"\n"))?;
    fs::copy(root.join("Cargo.lock"), out.join("Cargo.lock"))?;
    for case in cases {
        let dir = out.join(case.name);
        fs::create_dir_all(dir.join("src"))?;
        let manifest = format!(
            "[package]\nname = {:?}\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[dependencies]\nnormkit = {{ path = {root:?} }}\n",
            case.name
        );
        fs::write(dir.join("Cargo.toml"), manifest)?;
        fs::write(dir.join("src/main.rs"), &case.code)?;
    }
    Ok(())
}

/// Seconds of one build: on the clock, and of processors.
struct Cost {
    wall: f64,
    cpu: f64,
}

fn build(out: &Path, case: &Case, release: bool) -> Result<Cost, Box<dyn Error>> {
    let source = out.join(case.name).join("src/main.rs");
    // Newer than what was built from it.
    fs::write(&source, &case.code)?;
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(["build", "--quiet", "-p", case.name]).args(release.then_some("--release")).current_dir(out);
    // Nothing has changed, so that a compiler that remembers would have nothing to do.
    command.env("CARGO_INCREMENTAL", "0").env("CARGO_TARGET_DIR", "target").env_remove("CARGO_PROFILE_DEV_DEBUG");
    let (start, cpu) = (Instant::now(), children()?);
    let status = command.status()?;
    if !status.success() {
        return Err(format!("cargo build of {} failed: {status}", case.name).into());
    }
    Ok(Cost { wall: start.elapsed().as_secs_f64(), cpu: children()? - cpu })
}

/// Seconds of processors that processes started from here, and theirs, have taken.
fn children() -> Result<f64, Box<dyn Error>> {
    let mut usage = MaybeUninit::<libc::rusage>::uninit();
    // SAFETY: the pointer is valid for writing a `rusage`.
    if unsafe { libc::getrusage(libc::RUSAGE_CHILDREN, usage.as_mut_ptr()) } != 0 {
        return Err(io::Error::last_os_error().into());
    }
    // SAFETY: without an error it has been written.
    let usage = unsafe { usage.assume_init() };
    let seconds = |time: libc::timeval| time.tv_sec as f64 + time.tv_usec as f64 / 1e6;
    Ok(seconds(usage.ru_utime) + seconds(usage.ru_stime))
}

/// Functions of generated kernels in the program of a case: those of its crate whose names end in a level.
fn kernels(out: &Path, case: &Case, profile: &str) -> Result<usize, Box<dyn Error>> {
    let program = out.join("target").join(profile).join(case.name);
    let symbols = Command::new("nm").arg(&program).output().map_err(|error| format!("nm: {error}"))?;
    let own = case.name.replace('-', "_");
    let is_kernel =
        |line: &&str| line.contains(&own) && ["_avx512", "_avx2", "_portable"].iter().any(|l| line.contains(l));
    Ok(String::from_utf8_lossy(&symbols.stdout).lines().filter(is_kernel).count())
}

/// Medians of a profile: seconds on the clock, of processors, and kernels in the program.
struct Measured {
    wall: f64,
    cpu: f64,
    kernels: usize,
}

fn measure(args: &Args, cases: &[Case], release: bool, bar: &ProgressBar) -> Result<Vec<Measured>, Box<dyn Error>> {
    let mut costs: Vec<Vec<Cost>> = cases.iter().map(|_| Vec::new()).collect();
    // The first time the dependencies are built with it.
    for turn in 0..=args.turns {
        for (case, costs) in cases.iter().zip(&mut costs) {
            bar.set_message(case.label);
            let cost = build(&args.out, case, release)?;
            if turn > 0 {
                costs.push(cost);
            }
            bar.inc(1);
        }
    }
    let median = |costs: &[Cost], of: fn(&Cost) -> f64| Data::new(costs.iter().map(of).collect::<Vec<_>>()).median();
    let profile = if release { "release" } else { "debug" };
    let measured = cases.iter().zip(&costs).map(|(case, costs)| {
        let kernels = kernels(&args.out, case, profile)?;
        Ok(Measured { wall: median(costs, |cost| cost.wall), cpu: median(costs, |cost| cost.cpu), kernels })
    });
    measured.collect()
}

/// Measures and prints the table.
pub fn run(args: &Args) -> Result<(), Box<dyn Error>> {
    let cases = cases();
    write(&args.out, &cases)?;
    let bar = ProgressBar::new(u64::from(2 * (args.turns + 1)) * cases.len() as u64);
    let [debug, optimized] = [false, true].map(|release| measure(args, &cases, release, &bar));
    let (debug, optimized) = (debug?, optimized?);
    bar.finish_and_clear();
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN);
    table.set_header(["crate", "debug s", "adds", "CPU s", "kernels", "optimized s", "adds", "CPU s", "kernels"]);
    table.column_iter_mut().skip(1).for_each(|column| column.set_cell_alignment(CellAlignment::Right));
    for (i, case) in cases.iter().enumerate() {
        let mut cells = vec![case.label.to_owned()];
        for all in [&debug, &optimized] {
            let Measured { wall, cpu, kernels } = &all[i];
            cells.extend([
                format!("{wall:.2}"),
                format!("{:+.2}", wall - all[0].wall),
                format!("{cpu:.2}"),
                kernels.to_string(),
            ]);
        }
        table.add_row(cells);
    }
    println!("medians of {} builds, nothing remembered between them, dependencies built before", args.turns);
    println!("{table}");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forty_layers_differ() {
        let code = forty();
        let mut keys: Vec<&str> = code.lines().filter(|line| line.starts_with("#[normkit")).collect();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), 40);
    }
}
