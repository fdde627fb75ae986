//! Several runs as one table: ours, and those of other libraries, which may have run in processes of their own.
//!
//! Speeds are never compared across processes as they are: a machine may have been busier in one of them. Where a process has
//! timed our kernel itself, that is what its peers are compared with. Where it has not, both sides are taken as shares of the speed of
//! `memcpy`, which every process times on the same bytes, interleaved with its contenders.

use super::{Measured, Report, Summary, summary};
use crate::copies::MEMCPY;
use crate::measure::{Role, Time};
use std::collections::BTreeMap;
use std::error::Error;

/// The reports as one, whose times are those of the first as far as it has them; the others' are scaled to it.
///
/// # Errors
/// If no report has our kernels, or none another library.
pub fn merge(reports: &[Report]) -> Result<(Report, Summary), Box<dyn Error>> {
    let base = reports.iter().find(|report| report.results.iter().any(|measured| measured.own().is_some())).ok_or(
        "expected a report with times of normkit, found none: one comes from `cargo run --release -p normkit-bench`",
    )?;
    let mut merged = base.clone();
    merged.results.retain(|measured| measured.own().is_some() && measured.of(MEMCPY).is_some());
    for measured in &mut merged.results {
        measured.times.retain(|time| time.role != Role::Peer);
        let others = reports.iter().filter_map(|report| find(report, &measured.workload));
        let peers: Vec<Time> = others.flat_map(|other| scaled(measured, other)).collect();
        measured.times.extend(fastest(peers));
    }
    let rivals = summary::names(&merged.results, Role::Peer);
    if rivals.is_empty() {
        return Err("expected a report with times of another library, found none of a workload that normkit has".into());
    }
    let all: Vec<&Report> = reports.iter().collect();
    let summary = Summary::table("normkit and other libraries".to_owned(), &merged, &rivals, true, &all);
    Ok((merged, summary))
}

fn find<'a>(report: &'a Report, workload: &str) -> Option<&'a Measured> {
    report.results.iter().find(|measured| measured.workload == workload)
}

/// The times of the peers of `other`, as they would be in the process of `base`.
fn scaled(base: &Measured, other: &Measured) -> Vec<Time> {
    let factor = match (base.own(), other.own(), base.of(MEMCPY), other.of(MEMCPY)) {
        (Some(base), Some(other), ..) => base.ns / other.ns,
        (_, None, Some(base), Some(other)) => base.ns / other.ns,
        _ => return Vec::new(),
    };
    let peers = other.times.iter().filter(|time| time.role == Role::Peer);
    peers
        .map(|time| Time { ns: time.ns * factor, low: time.low * factor, high: time.high * factor, ..time.clone() })
        .collect()
}

/// One time for each name: where a library was measured twice, its faster one.
fn fastest(times: Vec<Time>) -> impl Iterator<Item = Time> {
    let mut best: BTreeMap<String, Time> = BTreeMap::new();
    for time in times {
        let known = best.entry(time.contender.clone()).or_insert_with(|| time.clone());
        if time.ns < known.ns {
            *known = time;
        }
    }
    best.into_values()
}
