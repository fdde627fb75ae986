//! A technique on trial: its trainings, and its row in the table.

use std::time::Duration;

use comfy_table::{Cell, CellAlignment, Table, presets::UTF8_FULL_CONDENSED};
use indicatif::{ProgressBar, ProgressStyle};
use normkit::NormError;

use crate::check::ACCURACY;
use crate::data::Digits;
use crate::technique::Technique;
use crate::train::{Kernels, Run, Settings, train};

pub struct Trial {
    pub technique: &'static Technique,
    pub run: Run,
    /// The same training on the generic kernels alone; none where there is no normalization.
    pub generic: Option<Run>,
}

impl Trial {
    pub fn new(technique: &'static Technique, digits: &Digits, settings: Settings) -> Result<Self, NormError> {
        let run = |kernels, label: String| {
            let progress = Progress::new(label, settings.epochs);
            let run = train(digits, technique.norm, kernels, settings, |epoch, l, a| {
                progress.show(epoch, l, a);
            })?;
            progress.finish();
            Ok(run)
        };
        let name = technique.name;
        Ok(Self {
            technique,
            run: run(Kernels::Generated, name.to_owned())?,
            generic: match technique.norm {
                Some(_) => Some(run(Kernels::Generic, format!("{name} (generic)"))?),
                None => None,
            },
        })
    }
}

/// A progress bar, or a few lines where there is no terminal to draw one.
struct Progress {
    bar: ProgressBar,
    label: String,
    epochs: usize,
}

impl Progress {
    fn new(label: String, epochs: usize) -> Self {
        let bar = ProgressBar::new(epochs as u64).with_prefix(label.clone());
        if let Ok(style) = ProgressStyle::with_template("{prefix:<16} {bar:24} epoch {pos:>3}/{len}  {msg}") {
            bar.set_style(style);
        }
        Self { bar, label, epochs }
    }

    fn show(&self, epoch: usize, loss: f64, accuracy: f64) {
        let accuracy = 100.0 * accuracy;
        let message = format!("loss {loss:.4}  test accuracy {accuracy:.1} %");
        let now = epoch == self.epochs || epoch.is_multiple_of(self.epochs.div_ceil(3));
        if self.bar.is_hidden() && now {
            eprintln!("{:<16} epoch {epoch:>3}/{}  {message}", self.label, self.epochs);
        }
        self.bar.inc(1);
        self.bar.set_message(message);
    }

    fn finish(self) {
        self.bar.abandon();
    }
}

/// The results as a table, one row for each trial.
pub fn table(trials: &[Trial]) -> Table {
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED).set_header([
        "technique".to_owned(),
        "last loss".to_owned(),
        "test accuracy".to_owned(),
        format!("epochs to {:.0} %", 100.0 * ACCURACY),
        "norm., generated".to_owned(),
        "norm., generic".to_owned(),
        "ratio".to_owned(),
    ]);
    for Trial { technique, run, .. } in trials {
        let none = || "-".to_owned();
        let epochs = run.accuracy.iter().position(|a| *a >= ACCURACY);
        table.add_row([
            Cell::new(technique.name),
            Cell::new(format!("{:.4}", run.last_loss())),
            Cell::new(format!("{:.1} %", 100.0 * run.last_accuracy())),
            Cell::new(epochs.map_or_else(none, |e| (e + 1).to_string())),
            Cell::new(run.meter.map_or_else(none, |m| milliseconds(m.leader))),
            Cell::new(run.meter.map_or_else(none, |m| milliseconds(m.follower))),
            Cell::new(
                run.meter.map_or_else(none, |m| format!("{:.1}x", m.follower.as_secs_f64() / m.leader.as_secs_f64())),
            ),
        ]);
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

fn milliseconds(time: Duration) -> String {
    format!("{:.1} ms", 1e3 * time.as_secs_f64())
}
