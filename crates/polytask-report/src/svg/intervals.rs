//! Intervals around values, one below the other, with a line at zero: who gained, who lost, and how sure that is.

use super::axis::{Axis, Ends};
use super::{at, label, line, shortened, svg};
use crate::markup::{Element, element, text_element};
use crate::numbers::short;
use crate::sheet::IntervalRow;

/// Height of a row in units of which text is 11 high.
const ROW: f64 = 22.0;

/// Characters of a name.
const NAME_MAX: usize = 18;

/// Draws the rows whose figures are finite, which are of `what`; `None` where there is none.
pub fn interval_plot(what: &str, rows: &[IntervalRow]) -> Option<Element> {
    let finite = |row: &&IntervalRow| row.value.is_finite() && row.interval.iter().all(|end| end.is_finite());
    let rows: Vec<&IntervalRow> = rows.iter().filter(finite).collect();
    let ends = rows.iter().flat_map(|row| [row.interval[0], row.interval[1], row.value]).chain([0.0]);
    let x = Axis::over(ends, 5, Ends::Ticks).filter(|_| !rows.is_empty())?;
    let longest = rows.iter().map(|row| row.name.chars().count().min(NAME_MAX)).max().unwrap_or(0) as f64;
    let (width, left, right) = (560.0, 6.6 * longest + 16.0, 470.0);
    let (top, bottom) = (6.0, 6.0 + ROW * rows.len() as f64);
    let place = |value: f64| left + x.place(value) * (right - left);
    let mut plot = svg(width, bottom + 20.0, what);
    for &tick in &x.ticks {
        plot = plot.child(line("grid", (place(tick), top), (place(tick), bottom)));
        plot = plot.child(label(place(tick), bottom + 14.0, "middle", &x.written(tick)));
    }
    plot = plot.child(line("moment", (place(0.0), top), (place(0.0), bottom)));
    for (index, row) in rows.iter().enumerate() {
        let y = top + ROW * (index as f64 + 0.5);
        let said =
            format!("{}: {} ({} to {})", row.name, short(row.value), short(row.interval[0]), short(row.interval[1]));
        let color = match row.verdict.as_str() {
            "helped" => "c0",
            "hurt" => "c1",
            _ => "c6",
        };
        let bar = line("line", (place(row.interval[0]), y), (place(row.interval[1]), y));
        let dot = element("circle").class("dots").with("cx", at(place(row.value))).with("cy", at(y)).with("r", 4);
        let group = element("g").class(color).child(text_element("title", said)).child(bar).child(dot);
        plot = plot.child(label(left - 8.0, y + 4.0, "end", &shortened(&row.name, NAME_MAX))).child(group);
        plot = plot.child(label(right + 10.0, y + 4.0, "start", &row.verdict));
    }
    Some(plot)
}
