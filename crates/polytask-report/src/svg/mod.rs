//! How are plots drawn? As SVG elements whose colours come from the page's style sheet, so that they follow light and
//! dark, and whose text is set in the reader's own font.

mod axis;
mod heat;
mod intervals;
mod lines;

pub use heat::{cosine_map, counts_map, task_map};
pub use intervals::interval_plot;
pub use lines::{LinePlot, Series, Shape};

use crate::markup::{Element, element, text_element};

/// An `svg` of this size in its own units, with what it shows in words.
fn svg(width: f64, height: f64, label: &str) -> Element {
    element("svg")
        .with("xmlns", "http://www.w3.org/2000/svg")
        .with("viewBox", format!("0 0 {} {}", at(width), at(height)))
        .with("role", "img")
        .with("aria-label", label)
}

/// Text with its anchor (`start`, `middle` or `end`) at a place.
fn label(x: f64, y: f64, anchor: &'static str, text: &str) -> Element {
    text_element("text", text).with("x", at(x)).with("y", at(y)).with("text-anchor", anchor)
}

fn line(class: &str, from: (f64, f64), to: (f64, f64)) -> Element {
    let ends = element("line").with("x1", at(from.0)).with("y1", at(from.1)).with("x2", at(to.0)).with("y2", at(to.1));
    ends.class(class)
}

/// A coordinate with one decimal, and none where it has none.
fn at(value: f64) -> String {
    let text = format!("{value:.1}");
    text.strip_suffix(".0").map(str::to_owned).unwrap_or(text)
}

/// A name that is no longer than so many characters.
fn shortened(name: &str, characters_max: usize) -> String {
    match name.char_indices().nth(characters_max) {
        None => name.to_owned(),
        Some(_) => name.chars().take(characters_max.saturating_sub(1)).chain(['…']).collect(),
    }
}
