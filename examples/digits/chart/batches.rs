//! What the batch size does to each technique.

use super::{Axis, Dot, Figure, Line, Panel, at, legend, sizes};
use crate::check::ACCURACY;
use crate::trial::Trial;

/// A value of a trial, or none where it has no such.
type Value = fn(&Trial) -> Option<f64>;

pub fn figure(trials: &[Trial], epochs: usize) -> Figure {
    let panel = |title: String, y: Axis, value: Value, bound: Option<f64>| Panel {
        title,
        x: Axis::batches(&sizes(trials)),
        y,
        lines: lines(trials, value, bound),
        bars: Vec::new(),
        across: None,
    };
    let all = |value: Value| trials.iter().filter_map(value);
    let accuracy: Value = |t| Some(100.0 * t.run.last_accuracy());
    let loss: Value = |t| Some(t.run.last_loss());
    let reached: Value = |t| t.run.epochs_to(ACCURACY);
    let dependence: Value = |t| Some(100.0 * t.run.dependence[0]);
    let time: Value = |t| t.run.norm.map(|norm| 1e6 * norm.seconds[0]);
    let bytes: Value = |t| t.run.norm.map(|_| t.run.bytes.sum() as f64);
    let lowest = all(accuracy).fold(100.0, f64::min).max(80.0);
    let most = all(dependence).fold(0.0, f64::max);
    let percent = 100.0 * ACCURACY;
    Figure {
        title: "Handwritten digits: what the batch size does",
        notes: vec![
            format!("Epochs to {percent:.0} %: hollow where they were not enough. Accuracies below the axis stand at its end."),
            "Dependence on the batch: how much an image's scores vary with the images around it in training, after the first \
             epoch, relative to how much they vary over images."
                .to_owned(),
        ],
        legend: legend(trials),
        columns: 3,
        panels: vec![
            panel("Test accuracy".to_owned(), Axis::linear("%", lowest.floor(), 100.0), accuracy, None),
            panel(format!("Epochs to {percent:.0} %"), Axis::linear("epochs", 0.0, epochs as f64), reached, Some(epochs as f64)),
            panel("Loss in training, last epoch".to_owned(), Axis::logarithmic("cross-entropy", all(loss)), loss, None),
            panel("Dependence on the batch".to_owned(), Axis::linear("%", 0.0, 1.1 * most), dependence, None),
            panel("Normalization, forward and backward".to_owned(), Axis::logarithmic("µs per image", all(time)), time, None),
            panel("Memory on top of no normalization".to_owned(), Axis::logarithmic("bytes", all(bytes)), bytes, None),
        ],
    }
}

/// `bound` stands in for values that there are none of.
fn lines(trials: &[Trial], value: Value, bound: Option<f64>) -> Vec<Line> {
    let sizes = sizes(trials);
    let techniques = sizes.first().map_or(0, |first| at(trials, *first).count());
    (0..techniques)
        .map(|i| {
            let one = || trials.iter().skip(i).step_by(techniques);
            let points = one().filter_map(|t| Some((t.batch as f64, value(t).or(bound)?))).collect();
            let dots = one().map(|t| if value(t).is_some() { Dot::Full } else { Dot::Hollow }).collect();
            Line { color: trials[i].technique.color, points, dots: Some(dots) }
        })
        .collect()
}
