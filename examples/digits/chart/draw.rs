//! Draws a figure.

use std::error::Error;

use plotters::coord::Shift;
use plotters::prelude::*;

use super::{Bar, Dot, Figure, Line, Panel, Rgb};

const FONT: &str = "sans-serif";
const GRID: RGBColor = RGBColor(225, 225, 225);
const TEXT: RGBColor = RGBColor(40, 40, 40);
const PANEL: (usize, usize) = (350, 290);
const HEAD: u32 = 84;
const NOTE: u32 = 20;

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

pub fn svg(figure: &Figure) -> Result<String, Box<dyn Error>> {
    let rows = figure.panels.len().div_ceil(figure.columns);
    let foot = NOTE * figure.notes.len() as u32 + 12;
    let width = (PANEL.0 * figure.columns).max(2 * PANEL.0) as u32 + 20;
    let size = (width, (PANEL.1 * rows) as u32 + HEAD + foot);
    let mut picture = String::new();
    {
        let root = SVGBackend::with_string(&mut picture, size).into_drawing_area();
        root.fill(&WHITE)?;
        root.draw(&Text::new(figure.title, (16, 14), (FONT, 22).into_font().color(&TEXT)))?;
        legend(&root, &figure.legend)?;
        for (i, note) in (0..).zip(&figure.notes) {
            let place = (16, (size.1 - foot) as i32 + i * NOTE as i32 + 2);
            root.draw(&Text::new(note.as_str(), place, (FONT, 14).into_font().color(&TEXT)))?;
        }
        let grid = root.margin(HEAD, foot, 0, 20).split_evenly((rows, figure.columns));
        for (area, panel) in grid.iter().zip(&figure.panels) {
            draw(area, panel)?;
        }
        root.present()?;
    }
    Ok(picture)
}

fn rgb((r, g, b): Rgb) -> RGBColor {
    RGBColor(r, g, b)
}

fn legend(root: &Area<'_>, entries: &[(String, Rgb)]) -> Result<(), Box<dyn Error>> {
    const HEIGHT: i32 = 60;
    let mut x = 16;
    for (name, color) in entries {
        root.draw(&PathElement::new([(x, HEIGHT), (x + 24, HEIGHT)], rgb(*color).stroke_width(4)))?;
        root.draw(&Text::new(name.as_str(), (x + 30, HEIGHT - 8), (FONT, 16).into_font().color(&TEXT)))?;
        // wide enough for any sans-serif font: which one is used, the viewer of the picture decides
        x += 30 + 9 * name.chars().count() as i32 + 22;
    }
    Ok(())
}

fn draw(area: &Area<'_>, panel: &Panel) -> Result<(), Box<dyn Error>> {
    let Panel { title, x, y, lines, bars, across } = panel;
    let mut chart = ChartBuilder::on(area)
        .margin(6)
        .caption(title, (FONT, 16).into_font().color(&TEXT))
        .x_label_area_size(if x.title.is_empty() { 34 } else { 44 })
        .y_label_area_size(62)
        .build_cartesian_2d(x.clone(), y.clone())?;
    chart
        .configure_mesh()
        .x_desc(&x.title)
        .y_desc(&y.title)
        .x_labels(x.ticks.len())
        .y_labels(y.ticks.len())
        .x_label_formatter(&|value| (x.label)(*value))
        .y_label_formatter(&|value| (y.label)(*value))
        .label_style((FONT, 13).into_font().color(&TEXT))
        .axis_desc_style((FONT, 14).into_font().color(&TEXT))
        .bold_line_style(GRID)
        .light_line_style(TRANSPARENT)
        .draw()?;
    if let Some(height) = across {
        let ends = [(x.low, *height), (x.high, *height)];
        chart.draw_series(DashedLineSeries::new(ends, 6, 4, BLACK.mix(0.5).into()))?;
    }
    let bar = |bar: &Bar| Rectangle::new([(bar.x.0, y.low), (bar.x.1, bar.height)], rgb(bar.color).filled());
    chart.draw_series(bars.iter().map(bar))?;
    for Line { color, points, dots } in lines {
        let color = rgb(*color);
        chart.draw_series(LineSeries::new(points.iter().copied(), color.stroke_width(2)))?;
        for (point, dot) in points.iter().zip(dots.iter().flatten()) {
            let inside = if *dot == Dot::Full { color } else { WHITE };
            chart.draw_series([
                Circle::new(*point, 4, inside.filled()),
                Circle::new(*point, 4, color.stroke_width(2)),
            ])?;
        }
    }
    Ok(())
}
