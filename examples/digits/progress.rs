//! One bar over the epochs of all trainings; a line for each training where there is no terminal to draw a bar.

use indicatif::{ProgressBar, ProgressStyle};

use crate::trial::Trial;

pub struct Progress {
    bar: ProgressBar,
}

impl Progress {
    pub fn new(trials: usize, epochs: usize) -> Self {
        let bar = ProgressBar::new((trials * epochs) as u64);
        if let Ok(style) = ProgressStyle::with_template("{bar:40} {percent:>3} %  {elapsed} of {duration}  {msg}") {
            bar.set_style(style);
        }
        Self { bar }
    }

    pub fn epoch(&self) {
        self.bar.inc(1);
    }

    pub fn finished(&self, trial: &Trial) {
        let accuracy = 100.0 * trial.run.last_accuracy();
        let line = format!("batches of {:>3}, {:<8}  {accuracy:.1} %", trial.batch, trial.technique.name);
        if self.bar.is_hidden() {
            eprintln!("{line}");
        }
        self.bar.set_message(line);
    }

    pub fn close(self) {
        self.bar.finish_and_clear();
    }
}
