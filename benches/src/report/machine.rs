//! Where a report was measured.

use normkit::Level;
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::time::SystemTime;

/// A machine, what the program was built with, and when and how it ran.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Machine {
    /// The processor's name.
    pub cpu: String,
    /// The caches that one core reaches, smallest level first; none where they are not known.
    pub caches: Vec<Cache>,
    /// Cores that this process may use.
    pub cores: usize,
    /// Our levels that it has, best first.
    pub levels: Vec<String>,
    /// What it has of the instructions that levels are made of.
    pub features: Vec<String>,
    /// The operating system and architecture.
    pub system: String,
    /// What measured: program, compiler or interpreter, what it was compiled for, versions of libraries.
    pub software: Vec<String>,
    /// When, in UTC.
    pub date: String,
    /// The command line.
    pub command: String,
}

/// A cache of data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cache {
    /// 1 is the first.
    pub level: u8,
    /// How much it holds.
    pub bytes: usize,
}

impl Machine {
    /// This one, now. `software` comes after the compiler.
    #[must_use]
    pub fn here(software: &[&str]) -> Machine {
        let own = [env!("NORMKIT_BENCH_RUSTC"), concat!("normkit ", env!("CARGO_PKG_VERSION")), compiled_for()];
        Machine {
            cpu: cpu(),
            caches: caches(),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            levels: Level::available().iter().map(Level::to_string).collect(),
            features: features(),
            system: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
            software: own.iter().chain(software).map(ToString::to_string).collect(),
            date: humantime::format_rfc3339_seconds(SystemTime::now()).to_string(),
            command: command(),
        }
    }

    /// The smallest cache that so many bytes fit: `L1` and so on, `memory` beyond the last, `?` where caches are not known.
    #[must_use]
    pub fn place(&self, bytes: usize) -> String {
        let fitting = self.caches.iter().find(|cache| bytes <= cache.bytes);
        match fitting {
            Some(cache) => format!("L{}", cache.level),
            None if self.caches.is_empty() => "?".to_owned(),
            None => "memory".to_owned(),
        }
    }
}

/// The command line, its program without the folder that it happens to be in.
fn command() -> String {
    let mut words: Vec<String> = std::env::args().collect();
    if let Some(program) = words.first_mut() {
        *program = Path::new(program).file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    }
    words.join(" ")
}

/// Features that the compiler was told to take for granted.
fn compiled_for() -> &'static str {
    concat!("compiled for ", env!("NORMKIT_BENCH_FEATURES"))
}

#[cfg(target_arch = "x86_64")]
fn cpu() -> String {
    let id = raw_cpuid::CpuId::new();
    let brand = id.get_processor_brand_string().map_or("unknown".to_owned(), |brand| brand.as_str().trim().to_owned());
    match id.get_feature_info() {
        Some(info) => format!("{brand} (family {}, model {})", info.family_id(), info.model_id()),
        None => brand,
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn cpu() -> String {
    "unknown".to_owned()
}

/// Of the last level, what the cores share that this one belongs to.
#[cfg(target_arch = "x86_64")]
fn caches() -> Vec<Cache> {
    use raw_cpuid::CacheType;
    let id = raw_cpuid::CpuId::new();
    let Some(parameters) = id.get_cache_parameters() else { return Vec::new() };
    let data = parameters.filter(|cache| matches!(cache.cache_type(), CacheType::Data | CacheType::Unified));
    let mut caches: Vec<Cache> = data
        .map(|cache| Cache {
            level: cache.level(),
            bytes: cache.associativity()
                * cache.physical_line_partitions()
                * cache.coherency_line_size()
                * cache.sets(),
        })
        .collect();
    caches.sort_by_key(|cache| cache.level);
    caches
}

#[cfg(not(target_arch = "x86_64"))]
fn caches() -> Vec<Cache> {
    Vec::new()
}

#[cfg(target_arch = "x86_64")]
fn features() -> Vec<String> {
    macro_rules! detected {
        ($($name:tt)*) => { [$(($name, is_x86_feature_detected!($name))),*] };
    }
    let all =
        detected!("sse2" "avx2" "fma" "f16c" "avx512f" "avx512bw" "avx512vl" "avx512dq" "avx512bf16" "avx512fp16");
    all.into_iter().filter(|(_, there)| *there).map(|(name, _)| name.to_owned()).collect()
}

#[cfg(not(target_arch = "x86_64"))]
fn features() -> Vec<String> {
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_in_the_smallest_cache_that_they_fit() {
        let caches = vec![Cache { level: 1, bytes: 100 }, Cache { level: 2, bytes: 1000 }];
        let machine = Machine { caches, ..Machine::default() };
        assert_eq!([100, 101, 1000, 1001].map(|bytes| machine.place(bytes)), ["L1", "L2", "L2", "memory"]);
        assert_eq!(Machine::default().place(1), "?");
    }

    #[test]
    fn this_machine_is_described() {
        let machine = Machine::here(&["library 1.0"]);
        println!("{machine:?}");
        assert!(machine.software[0].starts_with("rustc "), "{machine:?}");
        assert_eq!(machine.software.last().map(String::as_str), Some("library 1.0"));
        assert!(machine.levels.contains(&"portable".to_owned()) && machine.date.ends_with('Z'));
        assert!(machine.caches.is_sorted_by_key(|cache| cache.bytes));
    }
}
