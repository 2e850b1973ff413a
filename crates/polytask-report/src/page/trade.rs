//! How were the tasks traded off?

use crate::markup::{Element, element, text_element};
use crate::numbers::{count, percent, short};
use crate::page::parts::{details, legend, note, scrolling, section as new_section, table_element};
use crate::report::Report;
use crate::svg::{LinePlot, Series, Shape, cosine_map};
use crate::tables;

/// Colours of lines; with more tasks each has a plot of its own.
const COLORS: usize = 8;

/// Pairs that are listed beside the map.
const PAIRS_MAX: usize = 6;

/// Weights, conflicts and cosines; nothing for a task alone.
pub fn section(report: &Report) -> Option<Element> {
    if report.tasks.len() < 2 || report.epochs.is_empty() && report.balance.is_none() {
        return None;
    }
    let mut out = new_section("Trade-off between tasks");
    if let Some(table) = tables::balance(report) {
        let looks = report.balance.as_ref().map_or(0, |balance| balance.looks);
        out = out.child(note(&format!(
            "{} at weights and gradients. A task's pull is its share in the lengths of all weighted gradients in what \
             tasks share.",
            if looks == 1 { "One look".to_owned() } else { format!("{} looks", count(looks)) }
        )));
        out = out.child(table_element(&table));
    } else {
        out = out.child(note("Nobody looked at gradients in this run (balance.watch); weights are means over epochs."));
    }
    out = out.children(weights(report)).children(conflicts(report)).children(cosines(report));
    Some(out)
}

/// A task, and its weight by step where it took part.
type Line<'a> = (&'a str, Vec<(f64, Option<f64>)>);

/// Step and weights by task: those of the looks, or of the epochs where there are no two looks.
fn weight_lines(report: &Report) -> Vec<Line<'_>> {
    let points = report.looks.points();
    if points.len() >= 2 {
        let line = |(index, name)| (name, points.iter().map(|look| (look.step(), look.weight(index))).collect());
        return report.looks.tasks().enumerate().map(line).collect();
    }
    let line = |name: &str| {
        let weight = |epoch: &crate::Epoch| epoch.tasks.get(name).and_then(|seen| seen.weight);
        report.epochs.iter().map(|epoch| (epoch.step as f64, weight(epoch))).collect()
    };
    report.tasks.keys().map(|name| (name.as_str(), line(name))).collect()
}

fn weights(report: &Report) -> Option<Element> {
    let lines = weight_lines(report);
    let values = || lines.iter().flat_map(|(_, points)| points).filter_map(|point| point.1);
    let (low, high) = values().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), value| (l.min(value), h.max(value)));
    if low > high {
        return None;
    }
    if high - low <= 1e-9 * high.abs() {
        return Some(note(&format!("Every task had the weight {} throughout.", short(high))));
    }
    let out = element("div").child(text_element("h3", "Weights over time"));
    let average = averaged(report);
    let plot = |label: &str, shape, series| {
        LinePlot { label, time: "step", shape, series, cover: vec![low, high], moment: None, ring: None }.draw()
    };
    if lines.len() <= COLORS {
        let names: Vec<&str> = lines.iter().map(|(name, _)| *name).collect();
        let series = lines.into_iter().enumerate();
        let series = series.map(|(color, (name, points))| Series { name, color, points }).collect();
        let drawn = plot("weights of tasks over time", Shape::Wide, series)?;
        let entries = names.into_iter().enumerate().map(|(color, name)| (format!("c{color}"), name));
        return Some(out.children(average).child(element("figure").class("wide").child(drawn)).child(legend(entries)));
    }
    let cards = lines.into_iter().filter_map(|(name, points)| {
        let drawn =
            plot(&format!("weight of {name} over time"), Shape::Small, vec![Series { name, color: 0, points }])?;
        Some(element("figure").child(text_element("h4", name)).child(drawn))
    });
    let cards: Vec<Element> = cards.collect();
    (!cards.is_empty()).then(|| out.children(average).child(element("div").class("cards").children(cards)))
}

/// Says that points are means, where they are.
fn averaged(report: &Report) -> Option<Element> {
    let looks = report.looks.looks_per_point();
    (looks > 1).then(|| note(&format!("Each point is the mean of {looks} looks.")))
}

fn conflicts(report: &Report) -> Option<Element> {
    let balance = report.balance.as_ref()?;
    let rate = balance.conflict_rate?;
    let points: Vec<_> = report.looks.points().iter().map(|look| (look.step(), look.conflict_rate())).collect();
    let series = vec![Series { name: "conflict rate", color: 3, points }];
    let cover = vec![0.0, 1.0];
    let label = "share of task pairs whose gradients point against each other, over time";
    let plot = LinePlot { label, time: "step", shape: Shape::Wide, series, cover, moment: None, ring: None }.draw();
    let said = format!(
        "On average the gradients of {} of the pairs of tasks pointed against each other. Unrelated gradients do so half \
         of the time.",
        percent(rate)
    );
    let out = element("div").child(text_element("h3", "Conflicts over time")).child(note(&said));
    Some(out.children(plot.map(|plot| element("figure").class("wide").child(plot))))
}

fn cosines(report: &Report) -> Option<Element> {
    let balance = report.balance.as_ref()?;
    if balance.cosines.is_empty() {
        return None;
    }
    let out = element("div").child(text_element("h3", "Agreement of gradients"));
    let mut names: Vec<&str> = report.tasks.keys().map(String::as_str).collect();
    names.retain(|name| balance.cosines.iter().any(|cosine| cosine.between.iter().any(|task| task == name)));
    if let [only] = balance.cosines.as_slice() {
        let [a, b] = &only.between;
        let said = format!("The mean cosine between the gradients of {a} and {b} is {}.", short(only.cosine));
        return Some(out.child(note(&said)));
    }
    let mut square = vec![vec![None; names.len()]; names.len()];
    for cosine in &balance.cosines {
        let [first, second] = &cosine.between;
        let place = |task: &String| names.iter().position(|name| name == task);
        if let Some((a, b)) = place(first).zip(place(second)) {
            (square[a][b], square[b][a]) = (Some(cosine.cosine), Some(cosine.cosine));
        }
    }
    let map = cosine_map(&names, &square)?;
    let said = format!(
        "Mean cosine between the gradients of each pair of tasks; full colour is {}. The tree joins tasks whose gradients \
         agree most first (average linkage).",
        short(map.cosine_max)
    );
    let entries = [("positive-key".to_owned(), "agree"), ("negative-key".to_owned(), "disagree")];
    let drawing = map.drawing.with("style", format!("width:{0:.0}px;min-width:{1:.0}px", map.width, 0.8 * map.width));
    let pairs =
        tables::pairs(report, PAIRS_MAX).map(|table| details("Pairs that disagree most", [table_element(&table)]));
    Some(out.child(note(&said)).child(legend(entries)).child(scrolling(drawing)).children(pairs))
}
