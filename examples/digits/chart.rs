//! The charts: what each shows is in a file of its own, as data; here is how panels are drawn.

mod axis;
mod batches;
mod curves;
mod draw;
mod gradients;
mod scores;

use std::error::Error;

use crate::trial::Trial;

use axis::Axis;

pub type Rgb = (u8, u8, u8);

/// A figure: panels in a grid, row by row, below one legend for all.
struct Figure {
    title: &'static str,
    /// How to read it, a line of text each.
    notes: Vec<String>,
    legend: Vec<(String, Rgb)>,
    columns: usize,
    panels: Vec<Panel>,
}

struct Panel {
    title: String,
    x: Axis,
    y: Axis,
    lines: Vec<Line>,
    bars: Vec<Bar>,
    /// Where to draw a dashed line across.
    across: Option<f64>,
}

struct Line {
    color: Rgb,
    points: Vec<(f64, f64)>,
    /// Whether each point gets a dot; hollow where its value is only a bound.
    dots: Option<Vec<Dot>>,
}

#[derive(Clone, Copy, PartialEq)]
enum Dot {
    Full,
    Hollow,
}

struct Bar {
    color: Rgb,
    x: (f64, f64),
    height: f64,
}

/// All charts by file name, as SVG.
pub fn charts(trials: &[Trial], epochs: usize) -> Result<Vec<(&'static str, String)>, Box<dyn Error>> {
    let figures = [
        ("curves.svg", curves::figure(trials, epochs)),
        ("batches.svg", batches::figure(trials, epochs)),
        ("gradients.svg", gradients::figure(trials, epochs)),
        ("scores.svg", scores::figure(trials)),
    ];
    figures.into_iter().map(|(file, figure)| Ok((file, draw::svg(&figure)?))).collect()
}

/// The batch sizes that there are, in order.
fn sizes(trials: &[Trial]) -> Vec<usize> {
    let mut sizes: Vec<usize> = trials.iter().map(|t| t.batch).collect();
    sizes.dedup();
    sizes
}

fn at(trials: &[Trial], batch: usize) -> impl Iterator<Item = &Trial> {
    trials.iter().filter(move |t| t.batch == batch)
}

/// The techniques that there are, in order.
fn legend(trials: &[Trial]) -> Vec<(String, Rgb)> {
    let first = trials.first().map_or(0, |t| t.batch);
    at(trials, first).map(|t| (t.technique.name.to_owned(), t.technique.color)).collect()
}

/// "batches of 32"
fn of(batch: usize) -> String {
    format!("batches of {batch}")
}
