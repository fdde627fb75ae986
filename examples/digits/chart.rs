//! The curves of all trials as an SVG picture.

use std::error::Error;
use std::iter;

use plotters::coord::Shift;
use plotters::coord::ranged1d::{AsRangedCoord, ValueFormatter};
use plotters::prelude::*;

use crate::check::ACCURACY;
use crate::train::Run;
use crate::trial::Trial;

const SIZE: (u32, u32) = (1080, 500);
const FONT: &str = "sans-serif";
const GRID: RGBColor = RGBColor(225, 225, 225);

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// Loss over the epochs at the left, test accuracy at the right.
pub fn svg(trials: &[Trial]) -> Result<String, Box<dyn Error>> {
    let mut picture = String::new();
    {
        let root = SVGBackend::with_string(&mut picture, SIZE).into_drawing_area();
        root.fill(&WHITE)?;
        let root = root
            .margin(8, 0, 0, 0)
            .titled("Handwritten digits: a perceptron with and without normalization", (FONT, 24))?;
        let (left, right) = root.split_horizontally(SIZE.0 / 2);

        let (low, high) = range(trials, losses);
        let axis = Axis {
            title: "Loss while training",
            unit: "cross-entropy, log scale",
            range: (low.min(0.1) / 1.3..high * 1.3).log_scale(),
            label: &|loss| (*loss as f32).to_string(),
            line: None,
            legend: SeriesLabelPosition::UpperRight,
        };
        draw(&left, trials, axis, losses)?;

        let (low, _) = range(trials, accuracy);
        let axis = Axis {
            title: "Images recognized after each epoch",
            unit: "test accuracy, %",
            range: (low - 2.0).max(0.0)..100.0,
            label: &|percent| format!("{percent:.0}"),
            line: Some(100.0 * ACCURACY),
            legend: SeriesLabelPosition::LowerRight,
        };
        draw(&right, trials, axis, accuracy)?;
        root.present()?;
    }
    Ok(picture)
}

/// Kept where a logarithm can show it, whatever a failed training gave.
fn losses(run: &Run) -> Vec<f64> {
    let shown = |loss: &f64| if loss.is_finite() { *loss } else { 1e3 };
    run.losses.iter().map(|l| shown(l).clamp(1e-6, 1e3)).collect()
}

fn accuracy(run: &Run) -> Vec<f64> {
    run.accuracy.iter().map(|a| 100.0 * a).collect()
}

/// Smallest and largest value.
fn range(trials: &[Trial], values: fn(&Run) -> Vec<f64>) -> (f64, f64) {
    trials
        .iter()
        .flat_map(|trial| iter::once(&trial.run).chain(&trial.generic))
        .flat_map(values)
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)))
}

/// The vertical axis of a panel.
struct Axis<'a, R> {
    title: &'a str,
    unit: &'a str,
    range: R,
    label: &'a dyn Fn(&f64) -> String,
    /// Where to draw a line across.
    line: Option<f64>,
    legend: SeriesLabelPosition,
}

/// A panel: a line for each trial, and dots where the training on the generic kernels was.
fn draw<R>(
    area: &Area<'_>,
    trials: &[Trial],
    axis: Axis<'_, R>,
    values: fn(&Run) -> Vec<f64>,
) -> Result<(), Box<dyn Error>>
where
    R: AsRangedCoord<Value = f64>,
    R::CoordDescType: ValueFormatter<f64>,
{
    let epochs = trials.iter().map(|t| t.run.losses.len()).max().unwrap_or(0);
    let width = 1.0..epochs.max(2) as f64;
    let mut chart = ChartBuilder::on(area)
        .margin(12)
        .caption(axis.title, (FONT, 17))
        .x_label_area_size(44)
        .y_label_area_size(70)
        .build_cartesian_2d(width.clone(), axis.range)?;
    chart
        .configure_mesh()
        .x_desc("epoch")
        .y_desc(axis.unit)
        .x_labels(epochs.clamp(2, 10))
        .x_label_formatter(&|epoch| format!("{epoch:.0}"))
        .y_label_formatter(axis.label)
        .label_style((FONT, 14))
        .bold_line_style(GRID)
        .light_line_style(TRANSPARENT)
        .draw()?;
    if let Some(height) = axis.line {
        let ends = [(width.start, height), (width.end, height)];
        chart.draw_series(DashedLineSeries::new(ends, 6, 4, BLACK.mix(0.5).into()))?;
    }
    let points = |run: &Run| (1..).map(f64::from).zip(values(run));
    for (trial, later) in trials.iter().zip((0..trials.len()).rev()) {
        let (r, g, b) = trial.technique.color;
        let color = RGBColor(r, g, b);
        // wider the earlier, so that a curve shows beneath one that follows it closely
        let width = if trial.generic.is_some() { 2 + 2 * later.min(2) as u32 } else { 2 };
        let style = color.stroke_width(width);
        chart
            .draw_series(LineSeries::new(points(&trial.run), style))?
            .label(trial.technique.name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 20, y)], style));
        if let Some(generic) = &trial.generic {
            let dot = |at| Circle::new(at, width + 1, color.filled());
            chart.draw_series(points(generic).map(dot))?;
        }
    }
    if trials.iter().any(|trial| trial.generic.is_some()) {
        chart
            .draw_series(iter::empty::<Circle<(f64, f64), u32>>())?
            .label("dots: generic kernels")
            .legend(|(x, y)| Circle::new((x + 10, y), 3, BLACK.filled()));
    }
    chart
        .configure_series_labels()
        .position(axis.legend)
        .label_font((FONT, 14))
        .background_style(WHITE.mix(0.85))
        .border_style(GRID)
        .draw()?;
    Ok(())
}
