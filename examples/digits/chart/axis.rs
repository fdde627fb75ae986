//! Axes: a range of values, where its ticks are, and what they are called.

use std::ops::Range;

use plotters::coord::ranged1d::{DefaultFormatting, KeyPointHint, Ranged};

#[derive(Clone)]
pub struct Axis {
    pub title: String,
    pub low: f64,
    pub high: f64,
    pub ticks: Vec<f64>,
    pub logarithmic: bool,
    pub label: fn(f64) -> String,
}

impl Axis {
    /// With ticks at round numbers.
    pub fn linear(title: &str, low: f64, high: f64) -> Self {
        let high = if high > low { high } else { low + 1.0 };
        let rough = (high - low) / 6.0;
        let power = 10_f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0].map(|m| m * power).into_iter().find(|s| *s >= rough).unwrap_or(rough);
        let ticks =
            ((low / step).ceil() as i64..=(high / step + 1e-9).floor() as i64).map(|i| i as f64 * step).collect();
        Self { title: title.to_owned(), low, high, ticks, logarithmic: false, label: number }
    }

    /// Logarithmic, widened to hold `values` with some room; those that a logarithm cannot show are left out of account.
    pub fn logarithmic(title: &str, values: impl Iterator<Item = f64>) -> Self {
        let (low, high) = values
            .filter(|v| v.is_finite() && *v > 0.0)
            .fold((f64::INFINITY, 0.0), |(low, high): (f64, f64), v| (low.min(v), high.max(v)));
        let (low, high) = if high > 0.0 { (low / 1.25, high * 1.25) } else { (0.1, 1.0) };
        let decades = low.log10().floor() as i32..=high.log10().ceil() as i32;
        let steps: &[f64] = match high / low {
            r if r < 12.0 => &[1.0, 1.5, 2.0, 3.0, 5.0, 7.0],
            r if r < 300.0 => &[1.0, 2.0, 5.0],
            _ => &[1.0],
        };
        let ticks = decades.flat_map(|d| steps.iter().map(move |s| s * 10_f64.powi(d)));
        let ticks = ticks.filter(|t| (low..=high).contains(t)).collect();
        Self { title: title.to_owned(), low, high, ticks, logarithmic: true, label: number }
    }

    pub fn epochs(from: f64, epochs: usize) -> Self {
        let mut axis = Self::linear("epoch", from, epochs.max(2) as f64);
        axis.ticks.retain(|tick| tick.fract() == 0.0);
        axis
    }

    /// Logarithmic, with a tick for each size.
    pub fn batches(sizes: &[usize]) -> Self {
        let ticks: Vec<f64> = sizes.iter().map(|s| *s as f64).collect();
        let (first, last) = (ticks.first().copied().unwrap_or(1.0), ticks.last().copied().unwrap_or(1.0));
        let title = "images per batch".to_owned();
        Self { title, low: first / 1.4, high: last * 1.4, ticks, logarithmic: true, label: number }
    }
}

/// What lies beyond an end stands at it, and what is no number at the upper one.
impl Ranged for Axis {
    type FormatOption = DefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, (first, last): (i32, i32)) -> i32 {
        let place = |v: f64| if self.logarithmic { v.ln() } else { v };
        let value = if value.is_nan() { self.high } else { value.clamp(self.low, self.high) };
        let share = (place(value) - place(self.low)) / (place(self.high) - place(self.low));
        first + (share * f64::from(last - first)).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, _: Hint) -> Vec<f64> {
        self.ticks.clone()
    }

    fn range(&self) -> Range<f64> {
        self.low..self.high
    }
}

/// Three digits are enough for a tick, and a prefix is shorter than zeros.
fn number(value: f64) -> String {
    let rounded = |v: f64| format!("{}", (v * 1e3).round() / 1e3);
    match value.abs() {
        v if v >= 1e6 => rounded(value / 1e6) + "M",
        v if v >= 1e4 => rounded(value / 1e3) + "k",
        v if v > 0.0 && v < 9e-4 => format!("{value:.0e}"),
        _ => rounded(value),
    }
}
