//! The results as a table.

use comfy_table::{Cell, CellAlignment, Table, presets::UTF8_FULL_CONDENSED};

use crate::check::ACCURACY;
use crate::trial::Trial;

/// One row for each trial.
pub fn table(trials: &[Trial]) -> Table {
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED).set_header([
        "batch\n".to_owned(),
        "technique\n".to_owned(),
        "test\naccuracy".to_owned(),
        format!("epochs\nto {:.0} %", 100.0 * ACCURACY),
        "training\nloss".to_owned(),
        "depends on batch\nearly    late".to_owned(),
        "norm., µs/image\ngen.  scalar".to_owned(),
        "ratio\n".to_owned(),
        "para-\nmeters, B".to_owned(),
        "saved\nB/image".to_owned(),
    ]);
    for (i, Trial { technique, batch, run }) in trials.iter().enumerate() {
        let first = i == 0 || trials[i - 1].batch != *batch;
        let or_none = |value: Option<String>| value.unwrap_or_else(|| "-".to_owned());
        let [early, late] = run.dependence.map(percent);
        let times = run.norm.map(|norm| norm.seconds);
        table.add_row([
            Cell::new(if first { batch.to_string() } else { String::new() }),
            Cell::new(technique.name),
            Cell::new(format!("{:.1} %", 100.0 * run.last_accuracy())),
            Cell::new(or_none(run.epochs_to(ACCURACY).map(|e| format!("{e:.1}")))),
            Cell::new(format!("{:.4}", run.last_loss())),
            Cell::new(format!("{early} {late:>7}")),
            Cell::new(or_none(times.map(|[ours, theirs]| format!("{:.2} {:>7.2}", 1e6 * ours, 1e6 * theirs)))),
            Cell::new(or_none(times.map(|[ours, theirs]| format!("{:.1}x", theirs / ours)))),
            Cell::new(run.bytes.parameters),
            Cell::new(run.bytes.saved / batch),
        ]);
    }
    for column in table.column_iter_mut() {
        column.set_cell_alignment(CellAlignment::Right);
    }
    if let Some(names) = table.column_mut(1) {
        names.set_cell_alignment(CellAlignment::Left);
    }
    table
}

/// Exactly nothing is told from little.
fn percent(share: f64) -> String {
    if share == 0.0 { "0".to_owned() } else { format!("{:.1} %", 100.0 * share) }
}
