//! The table as text.

use super::{Row, Summary};
use comfy_table::{CellAlignment, Table, presets};
use std::fmt;

impl Summary {
    /// The heads of the table's columns.
    #[must_use]
    pub fn heads(&self) -> Vec<String> {
        let mut heads = vec!["workload".to_owned(), "in".to_owned(), "ns".to_owned(), "±%".to_owned()];
        heads.extend(self.levels.iter().map(|level| format!("{level} GB/s")));
        heads.push("of memcpy".to_owned());
        if self.has_limits() {
            heads.extend(["of limit".to_owned(), "limit".to_owned(), "of two sweeps".to_owned()]);
        }
        heads.extend(self.rivals.iter().map(|rival| format!("x {}", rival.trim_start_matches("normkit "))));
        if self.peers {
            heads.extend(["best".to_owned(), "x best".to_owned()]);
        }
        heads.push("loses to".to_owned());
        heads
    }

    /// The cells of a row, in the order of the heads.
    #[must_use]
    pub fn cells(&self, row: &Row) -> Vec<String> {
        let mut cells =
            vec![row.workload.clone(), row.place.clone(), number(row.ns), format!("{:.0}", row.spread * 100.0)];
        cells.extend(row.levels.iter().map(|speed| cell(*speed, 1)));
        cells.push(format!("{:.2}", row.of_memcpy));
        if self.has_limits() {
            let limit = row.limit.as_ref();
            cells.push(cell(limit.map(|limit| limit.share), 2));
            cells.push(limit.map_or_else(String::new, |limit| limit.name.clone()));
            cells.push(cell(row.of_two_sweeps, 2));
        }
        cells.extend(row.times.iter().map(|times| cell(*times, 2)));
        if self.peers {
            cells.push(row.best.as_ref().map_or_else(String::new, |best| best.0.clone()));
            cells.push(cell(row.best.as_ref().map(|best| best.1), 2));
        }
        cells.push(self.lost_to(row).join(", "));
        cells
    }

    /// The rivals that are faster than we are.
    #[must_use]
    pub fn lost_to(&self, row: &Row) -> Vec<String> {
        let lost = self.rivals.iter().zip(&row.times).filter(|(_, times)| times.is_some_and(|times| times < Row::EVEN));
        lost.map(|(rival, _)| rival.clone()).collect()
    }

    /// Whether copies other than `memcpy` were measured.
    #[must_use]
    pub fn has_limits(&self) -> bool {
        self.rows.iter().any(|row| row.limit.is_some())
    }

    /// The last line: geometric means of times faster.
    #[must_use]
    pub fn mean_cells(&self) -> Vec<String> {
        let before = 5 + self.levels.len() + if self.has_limits() { 3 } else { 0 };
        let mut cells = vec!["geometric mean".to_owned()];
        cells.resize(before, String::new());
        cells.extend(self.means.iter().map(|mean| cell(*mean, 2)));
        if self.peers {
            cells.extend([String::new(), cell(self.best_mean, 2)]);
        }
        cells.push(String::new());
        cells
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = Table::new();
        table.load_style(presets::ASCII_MARKDOWN);
        table.set_header(self.heads());
        table.column_iter_mut().skip(2).for_each(|column| column.set_cell_alignment(CellAlignment::Right));
        for row in &self.rows {
            table.add_row(self.cells(row));
        }
        if !self.rows.is_empty() {
            table.add_row(self.mean_cells());
        }
        write!(f, "{table}")
    }
}

fn cell(value: Option<f64>, digits: usize) -> String {
    value.map_or_else(String::new, |value| format!("{value:.digits$}"))
}

/// Whole numbers with groups of three digits.
fn number(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i) % 3 == 0 {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    #[test]
    fn digits_stand_in_groups() {
        assert_eq!([7.4, 999.6, 12345.0, 1e7].map(super::number), ["7", "1 000", "12 345", "10 000 000"]);
    }
}
