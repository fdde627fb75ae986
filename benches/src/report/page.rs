//! The page: table, chart and machine in one file that needs nothing else.

use super::Summary;
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, Error, context};

const TEMPLATE: &str = include_str!("../../templates/page.html");

/// The page with its chart inside.
pub(super) fn html(summary: &Summary, chart: &str) -> Result<String, Error> {
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    environment.add_template("page", TEMPLATE)?;
    let rows: Vec<_> =
        summary.rows.iter().map(|row| context! { cells => summary.cells(row), loses => row.loses() }).collect();
    let losses = summary.rows.iter().filter(|row| row.loses()).count();
    environment.get_template("page")?.render(context! {
        summary => Serde(summary),
        chart,
        rows,
        losses,
        heads => summary.heads(),
        means => summary.mean_cells(),
        limits => summary.has_limits(),
    })
}
