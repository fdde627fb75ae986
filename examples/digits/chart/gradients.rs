//! What normalization does to the flow of gradients: their norms in each layer, over the training.

use super::{Axis, Figure, Line, Panel, Rgb, at, of, sizes};
use crate::model::LAYERS;
use crate::trial::Trial;

/// The batch size that is shown, or the next to it.
const TYPICAL: f64 = 32.0;

pub fn figure(trials: &[Trial], epochs: usize) -> Figure {
    let distance = |batch: &usize| (*batch as f64 / TYPICAL).ln().abs();
    let batch = sizes(trials).into_iter().min_by(|a, b| distance(a).total_cmp(&distance(b))).unwrap_or(0);
    let all = || at(trials, batch).flat_map(|t| t.run.gradients.iter().flatten().copied());
    let panels = at(trials, batch).map(|t| Panel {
        title: t.technique.name.to_owned(),
        x: Axis::epochs(1.0, epochs),
        y: Axis::logarithmic("norm of the gradient", all()),
        lines: (0..LAYERS)
            .map(|layer| Line {
                color: color(layer),
                points: (1..).map(f64::from).zip(t.run.gradients.iter().map(|norms| norms[layer])).collect(),
                dots: None,
            })
            .collect(),
        bars: Vec::new(),
        across: None,
    });
    Figure {
        title: "Handwritten digits: gradients of the weights of each layer",
        notes: vec![format!(
            "Euclidean norms, means over the steps of each epoch, {}. The closer the lines, the more evenly all layers learn.",
            of(batch)
        )],
        legend: (0..LAYERS).map(|layer| (name(layer), color(layer))).collect(),
        columns: 4,
        panels: panels.collect(),
    }
}

fn name(layer: usize) -> String {
    if layer + 1 < LAYERS { format!("convolution {}", layer + 1) } else { "linear".to_owned() }
}

/// From a light green next to the image to a dark violet at the output.
fn color(layer: usize) -> Rgb {
    const STOPS: [[f64; 3]; 3] = [[160.0, 205.0, 60.0], [30.0, 130.0, 140.0], [70.0, 10.0, 90.0]];
    let at = layer as f64 / (LAYERS - 1) as f64 * (STOPS.len() - 1) as f64;
    let from = (at as usize).min(STOPS.len() - 2);
    let mix = |i: usize| (STOPS[from][i] + (STOPS[from + 1][i] - STOPS[from][i]) * (at - from as f64)) as u8;
    (mix(0), mix(1), mix(2))
}
