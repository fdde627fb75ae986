//! Loss and accuracy over the epochs, for each batch size.

use super::{Axis, Figure, Line, Panel, at, legend, of, sizes};
use crate::check::ACCURACY;
use crate::train::Run;
use crate::trial::Trial;

pub fn figure(trials: &[Trial], epochs: usize) -> Figure {
    let sizes = sizes(trials);
    let panel = |batch: usize, x: Axis, y: Axis, across, points: fn(&Run) -> Vec<(f64, f64)>| Panel {
        title: of(batch),
        x,
        y,
        lines: at(trials, batch)
            .map(|t| Line { color: t.technique.color, points: points(&t.run), dots: None })
            .collect(),
        bars: Vec::new(),
        across,
    };
    let losses = || trials.iter().flat_map(|t| t.run.losses.iter().copied());
    let loss = |batch: &usize| {
        let y = Axis::logarithmic("loss in training", losses());
        panel(*batch, Axis::epochs(1.0, epochs), y, None, |run| (1..).map(f64::from).zip(run.losses.clone()).collect())
    };
    let accuracy = |batch: &usize| {
        let y = Axis::linear("test accuracy, %", lowest(trials), 100.0);
        panel(*batch, Axis::epochs(0.0, epochs), y, Some(100.0 * ACCURACY), |run| {
            (0..).map(f64::from).zip(run.accuracy.iter().map(|a| 100.0 * a)).collect()
        })
    };
    Figure {
        title: "Handwritten digits: training with each technique",
        notes: vec![
            "Above: mean cross-entropy over the batches of each epoch. Below: test images recognized after it; curves that leave \
             at the bottom are below."
                .to_owned(),
        ],
        legend: legend(trials),
        columns: sizes.len(),
        panels: sizes.iter().map(loss).chain(sizes.iter().map(accuracy)).collect(),
    }
}

/// A round percentage that shows all but the first epochs and failures.
fn lowest(trials: &[Trial]) -> f64 {
    let mut last: Vec<f64> = trials.iter().map(|t| 100.0 * t.run.last_accuracy()).collect();
    last.sort_unstable_by(f64::total_cmp);
    let typical = last.get(last.len() / 8).copied().unwrap_or(0.0);
    ((typical - 20.0) / 10.0).floor().max(0.0) * 10.0
}
