//! How did each task learn?

use crate::markup::{Element, element, text_element};
use crate::numbers::score;
use crate::page::parts::{details, legend, note, section as new_section, table_element};
use crate::report::{Report, Task};
use crate::svg::{LinePlot, Series, Shape};
use crate::tables;

/// Learning curves, one card a task; a table where there are no two epochs to draw a line between.
pub fn section(report: &Report) -> Option<Element> {
    let table = tables::curves(report);
    if table.rows.is_empty() {
        return None;
    }
    let out = new_section("Learning curves");
    let cards: Vec<Element> = report.tasks.iter().filter_map(|(name, task)| card(report, name, task)).collect();
    if cards.is_empty() {
        return Some(out.child(note("One epoch is no curve yet.")).child(table_element(&table)));
    }
    let entries = [("c0", "training loss"), ("c1", "validation loss"), ("c2", "deciding metric on validation data")];
    let mut entries: Vec<(String, &str)> = entries.map(|(class, name)| (class.to_owned(), name)).to_vec();
    entries.push(("ring-key".to_owned(), "the task's best epoch"));
    if report.kept.is_some() {
        entries.push(("moment-key".to_owned(), "the kept model"));
    }
    let cards = element("div").class("cards").children(cards);
    let numbers = details("Numbers", [note("★: the task's best epoch."), table_element(&table)]);
    Some(out.child(legend(entries)).child(cards).child(numbers))
}

fn card(report: &Report, name: &str, task: &Task) -> Option<Element> {
    let points = |value: fn(&crate::EpochTask) -> Option<f64>| {
        let epochs = report.epochs.iter();
        epochs.map(|epoch| (epoch.epoch as f64, epoch.tasks.get(name).and_then(value))).collect()
    };
    let moment = report.kept.as_ref().map(|kept| kept.epoch as f64);
    let plot = |label: &str, series, ring| {
        LinePlot { label, time: "epoch", shape: Shape::Small, series, cover: Vec::new(), moment, ring }.draw()
    };
    let losses = vec![
        Series { name: "training loss", color: 0, points: points(|seen| seen.training_loss) },
        Series { name: "validation loss", color: 1, points: points(|seen| seen.validation_loss) },
    ];
    let metric = task.metric.as_deref().unwrap_or("score");
    let scores = vec![Series { name: metric, color: 2, points: points(|seen| seen.score) }];
    let best = task.best_epoch.map(|epoch| epoch as f64).zip(task.best);
    let losses = plot(&format!("losses of {name}"), losses, None);
    let scores = plot(&format!("{metric} of {name}"), scores, best);
    if losses.is_none() && scores.is_none() {
        return None;
    }
    let said = |text: String| text_element("p", text).class("said");
    let mut reached = Vec::new();
    reached.extend(task.kept.map(|kept| format!("kept {}", score(kept))));
    reached.extend(best.map(|(epoch, best)| format!("best {} at epoch {epoch}", score(best))));
    reached.extend(task.stopped_epoch.map(|epoch| format!("stopped after epoch {epoch}")));
    let mut card = element("figure").child(text_element("h3", name));
    if let Some(losses) = losses {
        card = card.child(said("loss".to_owned())).child(losses);
    }
    if let Some(scores) = scores {
        let separator = if reached.is_empty() { "" } else { ": " };
        card = card.child(said(format!("{metric}{separator}{}", reached.join(", ")))).child(scores);
    }
    Some(card)
}
