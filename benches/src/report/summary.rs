//! From times to what a reader asks: how close to the limit, how much faster than what.

use super::{Measured, Report};
use crate::copies::MEMCPY;
use crate::measure::{Role, Time, WRONG};
use crate::report::Machine;
use serde::Serialize;

/// A table: what is shown of one report, or of several.
#[derive(Debug, Serialize)]
pub struct Summary {
    /// What it is about.
    pub title: String,
    /// Our levels, best first: columns.
    pub levels: Vec<String>,
    /// Contenders that we compare ourselves with: columns.
    pub rivals: Vec<String>,
    /// Whether rivals are other libraries.
    pub peers: bool,
    /// One a workload.
    pub rows: Vec<Row>,
    /// The geometric mean of times faster, for each rival.
    pub means: Vec<Option<f64>>,
    /// The geometric mean of times faster than the best rival.
    pub best_mean: Option<f64>,
    /// Where it was measured: one for each report.
    pub machines: Vec<Machine>,
    /// How: one for each report.
    pub efforts: Vec<String>,
}

/// A line of the table.
#[derive(Debug, Serialize)]
pub struct Row {
    /// The workload.
    pub workload: String,
    /// Where its tensors fit.
    pub place: String,
    /// Nanoseconds of a call of our best level.
    pub ns: f64,
    /// Half of the distance of its quartiles, relative to `ns`.
    pub spread: f64,
    /// Gigabytes per second of each level.
    pub levels: Vec<Option<f64>>,
    /// The speed of our best level as a share of that of `memcpy`.
    pub of_memcpy: f64,
    /// The same of the fastest way found to move these bytes; and which that is.
    pub limit: Option<Limit>,
    /// The same of the faster loop that reads first what is normalized together.
    pub of_two_sweeps: Option<f64>,
    /// Times the speed of each rival.
    pub times: Vec<Option<f64>>,
    /// The fastest rival that is right, and times its speed.
    pub best: Option<(String, f64)>,
}

/// What no kernel can be much faster than.
#[derive(Debug, Serialize)]
pub struct Limit {
    /// The copy.
    pub name: String,
    /// Our speed as a share of its.
    pub share: f64,
    /// Its speed as a share of that of `memcpy`.
    pub of_memcpy: f64,
}

impl Row {
    /// Slower than this many times a rival's speed is a loss; between it and 1 is the noise of a run.
    pub const EVEN: f64 = 0.98;

    fn new(machine: &Machine, measured: &Measured, levels: &[String], rivals: &[String]) -> Option<Row> {
        let own = measured.own()?;
        let memcpy = measured.of(MEMCPY)?;
        let speed = |time: &Time| measured.bytes as f64 / time.ns;
        let times: Vec<Option<f64>> =
            rivals.iter().map(|rival| measured.of(rival).map(|time| time.ns / own.ns)).collect();
        let right = rivals.iter().zip(&times).filter(|(rival, _)| !rival.ends_with(WRONG));
        let best = right.filter_map(|(rival, times)| Some((rival.clone(), (*times)?)));
        Some(Row {
            workload: measured.workload.clone(),
            place: machine.place(measured.footprint),
            ns: own.ns,
            spread: (own.high - own.low) / 2.0 / own.ns,
            levels: levels.iter().map(|level| measured.of(&format!("normkit {level}")).map(speed)).collect(),
            of_memcpy: memcpy.ns / own.ns,
            limit: limit(measured, own, memcpy),
            of_two_sweeps: fastest(measured, Role::Twice).map(|time| time.ns / own.ns),
            best: best.min_by(|a, b| a.1.total_cmp(&b.1)),
            times,
        })
    }

    /// Whether a rival is faster than we are.
    #[must_use]
    pub fn loses(&self) -> bool {
        self.best.as_ref().is_some_and(|(_, times)| *times < Row::EVEN)
    }
}

/// The fastest copy; `memcpy` alone is none, as there was no attempt to beat it.
fn limit(measured: &Measured, own: &Time, memcpy: &Time) -> Option<Limit> {
    let copies = measured.times.iter().filter(|time| time.role == Role::Copy).count();
    let best = fastest(measured, Role::Copy).filter(|_| copies > 1)?;
    Some(Limit { name: best.contender.clone(), share: best.ns / own.ns, of_memcpy: memcpy.ns / best.ns })
}

fn fastest(measured: &Measured, role: Role) -> Option<&Time> {
    measured.times.iter().filter(|time| time.role == role).min_by(|a, b| a.ns.total_cmp(&b.ns))
}

impl Summary {
    /// Of one run: rivals are our runtime-length kernel, scalar code and, of half types, the same in `f32`.
    #[must_use]
    pub fn of(report: &Report) -> Summary {
        let rivals = names(&report.results, Role::Baseline);
        Summary::table("normkit: share of the limit, and times faster".to_owned(), report, &rivals, false, &[report])
    }

    /// The rows of `shown`, which may be several `reports` in one.
    pub(super) fn table(title: String, shown: &Report, rivals: &[String], peers: bool, reports: &[&Report]) -> Summary {
        let levels = shown.machine.levels.clone();
        let rows: Vec<Row> =
            shown.results.iter().filter_map(|measured| Row::new(&shown.machine, measured, &levels, rivals)).collect();
        let means = (0..rivals.len()).map(|i| geometric_mean(rows.iter().filter_map(|row| row.times[i]))).collect();
        let best_mean = geometric_mean(rows.iter().filter_map(|row| row.best.as_ref().map(|best| best.1)));
        let efforts = reports.iter().map(|report| effort(report)).collect();
        let machines = reports.iter().map(|report| report.machine.clone()).collect();
        Summary { title, levels, rivals: rivals.to_vec(), peers, rows, means, best_mean, machines, efforts }
    }
}

fn effort(report: &Report) -> String {
    let (threads, turns, micros) = (report.threads, report.effort.turns, report.effort.micros);
    format!("{threads} thread{}, {turns} turns of at least {micros} µs each", if threads == 1 { "" } else { "s" })
}

/// Contenders of a role, in the order in which they come up.
pub(super) fn names(results: &[Measured], role: Role) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for time in results.iter().flat_map(|measured| &measured.times).filter(|time| time.role == role) {
        if !names.contains(&time.contender) {
            names.push(time.contender.clone());
        }
    }
    names
}

/// `None` of nothing.
pub(super) fn geometric_mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let logs: Vec<f64> = values.map(f64::ln).collect();
    (!logs.is_empty()).then(|| (logs.iter().sum::<f64>() / logs.len() as f64).exp())
}
