//! The chart: speed relative to `memcpy`, a line a workload.

use super::{Row, Summary};
use crate::workloads::F32;
use plotters::prelude::*;
use std::error::Error;

type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;

const FONT: &str = "sans-serif";
const TEXT: RGBColor = RGBColor(34, 34, 34);
const GRID: RGBColor = RGBColor(225, 225, 225);
const LINE: i32 = 22;
const NAMES: i32 = 290;
const WIDTH: i32 = 1180;
const HEAD: i32 = 84;
const FOOT: i32 = 46;
const MARGIN: i32 = 24;
/// Speeds beyond this are drawn at the end, and say what they are.
const MOST: f64 = 2.5;
const OWN: RGBColor = RGBColor(0, 90, 181);
const LIMIT: RGBColor = RGBColor(200, 40, 40);
/// Told apart by those who see no red or green as well.
const OTHERS: [RGBColor; 9] = [
    RGBColor(86, 180, 233),
    RGBColor(0, 158, 115),
    RGBColor(230, 159, 0),
    RGBColor(204, 121, 167),
    RGBColor(120, 120, 120),
    RGBColor(150, 110, 40),
    RGBColor(240, 228, 66),
    RGBColor(90, 60, 160),
    RGBColor(0, 0, 0),
];

/// A mark beside the bar of our best level: its name, and the speed of each row.
struct Mark {
    name: String,
    color: RGBColor,
    speeds: Vec<Option<f64>>,
}

/// The other levels, then the rivals.
fn marks(summary: &Summary) -> Vec<Mark> {
    let level =
        |i: usize| summary.rows.iter().map(|row| Some(row.levels[i]? / row.levels[0]? * row.of_memcpy)).collect();
    let rival = |i: usize| summary.rows.iter().map(|row| row.times[i].map(|times| row.of_memcpy / times)).collect();
    let levels = summary.levels.iter().enumerate().skip(1);
    // With other libraries on it, there is no room for our own other levels.
    let levels = levels.filter(|_| !summary.peers).map(|(i, name)| (name.clone(), level(i)));
    // The same in `f32` moves other bytes: as a share of this `memcpy` it would say nothing.
    let rivals = summary.rivals.iter().enumerate().filter(|(_, name)| *name != F32);
    let rivals = rivals.map(|(i, name)| (name.clone(), rival(i)));
    let colors = OTHERS.into_iter().cycle();
    levels.chain(rivals).zip(colors).map(|((name, speeds), color)| Mark { name, color, speeds }).collect()
}

/// Draws it.
pub(super) fn svg(summary: &Summary) -> Result<String, Box<dyn Error>> {
    let height = HEAD + FOOT + LINE * summary.rows.len() as i32;
    let mut picture = String::new();
    {
        let root = SVGBackend::with_string(&mut picture, (WIDTH as u32, height as u32)).into_drawing_area();
        root.fill(&WHITE)?;
        root.draw(&Text::new(summary.title.as_str(), (MARGIN, 14), (FONT, 20).into_font().color(&TEXT)))?;
        let marks = marks(summary);
        let most = most(summary, &marks);
        legend(&root, summary, &marks)?;
        axis(&root, most, height)?;
        for (i, row) in summary.rows.iter().enumerate() {
            line(&root, i, row, &marks, most)?;
        }
        root.present()?;
    }
    Ok(picture)
}

/// The end of the axis.
fn most(summary: &Summary, marks: &[Mark]) -> f64 {
    let own =
        summary.rows.iter().flat_map(|row| [Some(row.of_memcpy), row.limit.as_ref().map(|limit| limit.of_memcpy)]);
    let all = own.chain(marks.iter().flat_map(|mark| mark.speeds.iter().copied())).flatten();
    (all.fold(1.0, f64::max) * 1.05).min(MOST)
}

fn x(speed: f64, most: f64) -> i32 {
    NAMES + (speed.min(most) / most * f64::from(WIDTH - NAMES - 2 * MARGIN)) as i32
}

fn legend(root: &Area<'_>, summary: &Summary, marks: &[Mark]) -> Result<(), Box<dyn Error>> {
    let y = 56;
    let mut at = MARGIN;
    let mut next = |name: &str| {
        let place = at;
        // Wide enough for any sans-serif font: which one is used, the viewer of the picture decides.
        at += 22 + 7 * name.chars().count() as i32 + 16;
        place
    };
    let text = |name: &str, x: i32| Text::new(name.to_owned(), (x + 18, y - 7), (FONT, 14).into_font().color(&TEXT));
    let own = summary.levels.first().map_or("normkit".to_owned(), |level| format!("normkit {level}"));
    let place = next(&own);
    root.draw(&Rectangle::new([(place, y - 5), (place + 12, y + 5)], OWN.filled()))?;
    root.draw(&text(&own, place))?;
    for mark in marks {
        let place = next(&mark.name);
        root.draw(&Circle::new((place + 6, y), 5, mark.color.filled()))?;
        root.draw(&text(&mark.name, place))?;
    }
    if summary.has_limits() {
        let place = next("limit");
        root.draw(&Rectangle::new([(place + 5, y - 7), (place + 7, y + 7)], LIMIT.filled()))?;
        root.draw(&text("limit", place))?;
    }
    Ok(())
}

/// Lines at each quarter of the speed of `memcpy`, a dark one at that speed itself.
fn axis(root: &Area<'_>, most: f64, height: i32) -> Result<(), Box<dyn Error>> {
    let foot = height - FOOT;
    for quarter in 0..=(most * 4.0) as i32 {
        let speed = f64::from(quarter) / 4.0;
        let at = x(speed, most);
        let color = if quarter == 4 { TEXT } else { GRID };
        root.draw(&PathElement::new([(at, HEAD - 6), (at, foot)], color))?;
        root.draw(&Text::new(format!("{speed:.2}"), (at - 12, foot + 5), (FONT, 12).into_font().color(&TEXT)))?;
    }
    let text = "speed, as times that of memcpy of the same bytes; red names: a rival is faster";
    root.draw(&Text::new(text, (NAMES, foot + 22), (FONT, 14).into_font().color(&TEXT)))?;
    Ok(())
}

fn line(root: &Area<'_>, i: usize, row: &Row, marks: &[Mark], most: f64) -> Result<(), Box<dyn Error>> {
    let y = HEAD + LINE * i as i32 + LINE / 2;
    let color = if row.loses() { LIMIT } else { TEXT };
    root.draw(&Text::new(row.workload.as_str(), (MARGIN, y - 7), (FONT, 13).into_font().color(&color)))?;
    root.draw(&Rectangle::new([(NAMES, y - 5), (x(row.of_memcpy, most), y + 5)], OWN.filled()))?;
    if row.of_memcpy > most {
        let (text, place) = (format!("{:.1}", row.of_memcpy), (x(most, most) - 22, y - 6));
        root.draw(&Text::new(text, place, (FONT, 12).into_font().color(&WHITE)))?;
    }
    for mark in marks {
        if let Some(speed) = mark.speeds[i] {
            root.draw(&Circle::new((x(speed, most), y), 5, mark.color.filled()))?;
            root.draw(&Circle::new((x(speed, most), y), 5, WHITE.stroke_width(1)))?;
        }
    }
    if let Some(limit) = &row.limit {
        let at = x(limit.of_memcpy, most);
        root.draw(&Rectangle::new([(at - 1, y - 9), (at + 1, y + 9)], LIMIT.filled()))?;
    }
    Ok(())
}
