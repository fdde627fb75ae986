//! The techniques side by side, on a scale of 0 to 100 in each respect.

use super::{Axis, Bar, Figure, Panel, at, legend, of, sizes};
use crate::score::{NAMES, scores};
use crate::trial::Trial;

pub fn figure(trials: &[Trial]) -> Figure {
    let panel = |batch: usize| {
        let here: Vec<&Trial> = at(trials, batch).collect();
        let width = 0.8 / here.len() as f64;
        let bars = scores(&here).into_iter().zip(&here).enumerate().flat_map(|(i, (scores, trial))| {
            scores.into_iter().enumerate().map(move |(metric, score)| {
                let left = metric as f64 + 0.1 + i as f64 * width;
                Bar { color: trial.technique.color, x: (left, left + 0.9 * width), height: score }
            })
        });
        Panel {
            title: of(batch),
            x: Axis {
                title: String::new(),
                low: 0.0,
                high: NAMES.len() as f64,
                ticks: (0..NAMES.len()).map(|i| i as f64 + 0.5).collect(),
                logarithmic: false,
                label: |place| NAMES.get(place as usize).map_or_else(String::new, |name| (*name).to_owned()),
            },
            y: Axis::linear("score", 0.0, 100.0),
            bars: bars.collect(),
            lines: Vec::new(),
            across: None,
        }
    };
    Figure {
        title: "Handwritten digits: the techniques side by side",
        notes: vec![
            "Speed, memory, convergence: the best one's time, bytes, epochs to 95 %, by this one's.".to_owned(),
            "Batch-free, or independent of the batch: 100 less the dependence on it in %.".to_owned(),
            "More is better. No normalization takes neither time nor memory: 100.".to_owned(),
        ],
        legend: legend(trials),
        columns: 2,
        panels: sizes(trials).into_iter().map(panel).collect(),
    }
}
