//! What comes out of a run: plain data, written as JSON, and shown as a table, a chart and a page.

mod chart;
mod machine;
pub mod merge;
mod page;
mod summary;
mod text;

pub use machine::{Cache, Machine};
pub use summary::{Row, Summary};

use crate::measure::{Effort, Role, Time};
use serde::{Deserialize, Serialize};
use std::error::Error;
use std::path::{Path, PathBuf};
use std::{fs, io};

/// One run of one program.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Where it ran, and when.
    pub machine: Machine,
    /// How long each turn was.
    pub effort: Effort,
    /// Threads that contenders were given.
    pub threads: usize,
    /// One entry a workload.
    pub results: Vec<Measured>,
}

/// What was measured of a workload.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// Its name.
    pub workload: String,
    /// Bytes that have to move.
    pub bytes: usize,
    /// Bytes of memory that are touched.
    pub footprint: usize,
    /// One entry a contender.
    pub times: Vec<Time>,
}

impl Measured {
    /// The time of a contender.
    #[must_use]
    pub fn of(&self, contender: &str) -> Option<&Time> {
        self.times.iter().find(|time| time.contender == contender)
    }

    /// Our kernel at the best level.
    #[must_use]
    pub fn own(&self) -> Option<&Time> {
        self.times.iter().find(|time| time.role == Role::Normkit)
    }
}

impl Report {
    /// Reads what [`write()`] has written.
    ///
    /// # Errors
    /// If there is no such file, or if it is no report; the message names the file.
    pub fn read(path: &Path) -> Result<Report, Box<dyn Error>> {
        let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
        serde_json::from_str(&text).map_err(|error| format!("{}: no report: {error}", path.display()).into())
    }
}

/// Writes `name.json` (data that can be read again), `name.svg` and `name.html` into a folder, which is made.
///
/// # Errors
/// Where the folder or a file cannot be written, or a chart cannot be drawn.
pub fn write(dir: &Path, name: &str, data: &impl Serialize, summary: &Summary) -> Result<Vec<PathBuf>, Box<dyn Error>> {
    let chart = chart::svg(summary)?;
    let page = page::html(summary, &chart)?;
    fs::create_dir_all(dir).map_err(|error| format!("{}: {error}", dir.display()))?;
    let mut paths = Vec::new();
    for (extension, content) in [("json", serde_json::to_string_pretty(data)?), ("svg", chart), ("html", page)] {
        let path = dir.join(name).with_extension(extension);
        fs::write(&path, content).map_err(|error: io::Error| format!("{}: {error}", path.display()))?;
        paths.push(path);
    }
    Ok(paths)
}

#[cfg(test)]
mod tests;
