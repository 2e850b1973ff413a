//! Values over time: one line a series.

use super::axis::{Axis, Ends};
use super::{at, label, line, svg};
use crate::markup::{Element, element, text_element};
use crate::numbers::short;

/// Points up to which each has a dot that tells its values.
const DOTS_MAX: usize = 40;

/// A plot of lines over one axis of time.
#[derive(Debug, Clone)]
pub struct LinePlot<'a> {
    /// What is shown, in words.
    pub label: &'a str,
    /// What the horizontal axis counts.
    pub time: &'a str,
    /// Its shape.
    pub shape: Shape,
    /// The lines.
    pub series: Vec<Series<'a>>,
    /// Values that the vertical axis shall cover besides those of the lines.
    pub cover: Vec<f64>,
    /// A moment that a vertical line marks.
    pub moment: Option<f64>,
    /// A point that a ring marks.
    pub ring: Option<(f64, f64)>,
}

/// How large a plot is, in its own units; text is 11 high.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// One of many beside each other.
    Small,
    /// One alone.
    Wide,
}

/// One line.
#[derive(Debug, Clone)]
pub struct Series<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its colour in the style sheet, from 0.
    pub color: usize,
    /// Time and value, in order of time; nothing is drawn where there is no value.
    pub points: Vec<(f64, Option<f64>)>,
}

impl Series<'_> {
    fn values(&self) -> impl Iterator<Item = (f64, f64)> {
        self.points.iter().filter_map(|&(time, value)| Some((time, value.filter(|value| value.is_finite())?)))
    }
}

/// A plot's frame: where values stand on the paper.
struct Frame {
    x: Axis,
    y: Axis,
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
}

impl Frame {
    fn place(&self, time: f64, value: f64) -> (f64, f64) {
        let x = self.left + self.x.place(time) * (self.right - self.left);
        (x, self.bottom - self.y.place(value) * (self.bottom - self.top))
    }
}

impl LinePlot<'_> {
    /// Draws the plot; `None` where there are no two moments with a value to draw a line between.
    pub fn draw(&self) -> Option<Element> {
        let (width, height) = match self.shape {
            Shape::Small => (320.0, 130.0),
            Shape::Wide => (440.0, 200.0),
        };
        let points: Vec<(f64, f64)> = self.series.iter().flat_map(Series::values).collect();
        let first = points.first()?.0;
        points.iter().find(|(time, _)| *time != first)?;
        let values = points.iter().map(|point| point.1).chain(self.cover.iter().copied());
        let y = Axis::over(values, if self.shape == Shape::Small { 3 } else { 5 }, Ends::Ticks)?;
        let x = Axis::over(points.iter().map(|point| point.0), 5, Ends::Values)?;
        let frame = Frame { x, y, left: 44.0, right: width - 10.0, top: 9.0, bottom: height - 22.0 };
        let mut plot = self.axes(&frame, svg(width, height, self.label));
        if let Some(moment) = self.moment {
            let (x, _) = frame.place(moment, frame.y.low);
            plot = plot.child(line("moment", (x, frame.top), (x, frame.bottom)));
        }
        for series in &self.series {
            plot = plot.children(self.line(&frame, series));
        }
        if let Some((time, value)) = self.ring {
            let (x, y) = frame.place(time, value);
            plot = plot.child(element("circle").class("ring").with("cx", at(x)).with("cy", at(y)).with("r", 5));
        }
        Some(plot)
    }

    fn axes(&self, frame: &Frame, mut plot: Element) -> Element {
        for &tick in &frame.y.ticks {
            let (_, y) = frame.place(frame.x.low, tick);
            plot = plot.child(line("grid", (frame.left, y), (frame.right, y)));
            plot = plot.child(label(frame.left - 6.0, y + 3.5, "end", &frame.y.written(tick)));
        }
        let mut free_from = f64::NEG_INFINITY;
        for &tick in &frame.x.ticks {
            let (x, _) = frame.place(tick, frame.y.low);
            let written = frame.x.written(tick);
            // The last of the axis is kept for what it counts.
            let half = 3.2 * written.len() as f64;
            if x - half > free_from && x + half < frame.right - 6.0 * self.time.len() as f64 - 4.0 {
                plot = plot.child(label(x, frame.bottom + 14.0, "middle", &written));
                free_from = x + half + 4.0;
            }
            plot = plot.child(line("tick", (x, frame.bottom), (x, frame.bottom + 3.0)));
        }
        plot.child(label(frame.right, frame.bottom + 14.0, "end", self.time))
    }

    /// The line, broken where values are missing, and dots where there is room for them or nothing beside them.
    fn line(&self, frame: &Frame, series: &Series<'_>) -> Vec<Element> {
        let mut path = String::new();
        let mut dots = Vec::new();
        let has_dots = series.values().count() <= DOTS_MAX;
        let value = |index: usize| series.points.get(index).and_then(|point| point.1).filter(|value| value.is_finite());
        for (index, &(time, _)) in series.points.iter().enumerate() {
            let Some(here) = value(index) else { continue };
            let before = index.checked_sub(1).and_then(value);
            let (x, y) = frame.place(time, here);
            path.push_str(if before.is_some() { "L" } else { "M" });
            path.push_str(&format!("{} {}", at(x), at(y)));
            if has_dots || (before.is_none() && value(index + 1).is_none()) {
                let said = format!("{}, {} {}: {}", series.name, self.time, short(time), short(here));
                let dot = element("circle").with("cx", at(x)).with("cy", at(y)).with("r", "2.2");
                dots.push(dot.child(text_element("title", said)));
            }
        }
        let class = format!("c{}", series.color);
        let line = element("path").class(&format!("line {class}")).with("d", path);
        let dots = (!dots.is_empty()).then(|| element("g").class(&format!("dots {class}")).children(dots));
        std::iter::once(line).chain(dots).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plot(points: &[(f64, Option<f64>)]) -> Option<String> {
        let series = vec![Series { name: "a<b", color: 0, points: points.to_vec() }];
        let shape = Shape::Small;
        let plot = LinePlot { label: "x", time: "epoch", shape, series, cover: Vec::new(), moment: None, ring: None };
        plot.draw().map(|element| {
            let mut out = String::new();
            element.render(&mut out);
            assert!(roxmltree::Document::parse(&out).is_ok() && !out.contains("NaN") && !out.contains("inf"), "{out}");
            out
        })
    }

    #[test]
    fn a_line_needs_two_moments() {
        assert_eq!(plot(&[]), None);
        assert_eq!(plot(&[(1.0, Some(2.0))]), None);
        assert_eq!(plot(&[(1.0, Some(2.0)), (2.0, None), (3.0, Some(f64::NAN))]), None);
        assert!(plot(&[(1.0, Some(2.0)), (2.0, Some(2.0))]).is_some());
    }

    #[test]
    fn values_stand_where_the_axis_says() {
        // The vertical axis goes from 0 to 1 over 99 units from 108 up, the horizontal one from 1 to 3 over 266 from 44.
        let drawn = plot(&[(1.0, Some(0.0)), (2.0, Some(1.0)), (3.0, Some(0.5))]).unwrap();
        assert!(drawn.contains("M44 108L177 9L310 58.5"), "{drawn}");
        assert!(drawn.contains("<title>a&lt;b, epoch 2: 1</title>"), "{drawn}");
    }

    #[test]
    fn a_line_is_broken_where_a_value_is_missing_and_long_lines_have_no_dots() {
        let drawn = plot(&[(1.0, Some(0.0)), (2.0, None), (3.0, Some(1.0))]).unwrap();
        assert!(drawn.contains("M44 108M310 9"), "{drawn}");
        let long: Vec<_> = (0..200).map(|index| (index as f64, Some(index as f64))).collect();
        assert!(!plot(&long).unwrap().contains("<circle"));
    }
}
