//! Which classes does each task get right, and which does it take for which?

use polytask_metrics::ConfusionMatrix;

use crate::markup::{Element, element, text_element};
use crate::page::parts::{details, note, scrolling, section as new_section, table_element};
use crate::report::Report;
use crate::svg::counts_map;
use crate::tables;
use crate::text::CLASSES_MAX;

/// Tasks whose classes are shown open; with more of them each opens on demand.
const OPEN_MAX: usize = 4;

/// Classes above which a table opens on demand.
const ROWS_OPEN_MAX: usize = 15;

/// A card of scores and confusions for each task that has classes.
pub fn section(report: &Report) -> Option<Element> {
    let (split, tasks) = report.honest_split()?;
    let cards: Vec<Element> = tasks
        .iter()
        .filter_map(|(task, scores)| {
            let table = tables::classes(tasks, task).map(|table| {
                let rows = table.rows.len();
                let element = table_element(&table);
                if rows > ROWS_OPEN_MAX { details(&format!("All {rows} classes"), [element]) } else { element }
            });
            let matrix = scores.confusion.as_ref().filter(|matrix| !matrix.labels.is_empty()).map(confusion);
            let inside: Vec<Element> = table.into_iter().chain(matrix.into_iter().flatten()).collect();
            (!inside.is_empty()).then(|| (task, element("div").class("pair").children(inside)))
        })
        .map(|(task, inside)| match tasks.len() <= OPEN_MAX {
            true => element("div").class("classes").child(text_element("h3", task)).child(inside),
            false => details(task, [inside]),
        })
        .collect();
    let explained = "Precision, recall and F1 of each class; in a confusion matrix a row is a gold class, a column what it \
                     was taken for, and the shade its share of the row.";
    (!cards.is_empty()).then(|| new_section(&format!("Classes on {split}")).child(note(explained)).children(cards))
}

fn confusion(matrix: &ConfusionMatrix) -> Vec<Element> {
    let mistakes = tables::mistakes(matrix, 10);
    let mistakes = (!mistakes.rows.is_empty()).then(|| table_element(&mistakes));
    if matrix.labels.len() > CLASSES_MAX {
        let map = scrolling(counts_map(matrix).class("counts"));
        return [map].into_iter().chain(mistakes).collect();
    }
    let corner = text_element("th", "gold \\ predicted").class("name").with("scope", "col");
    let names = matrix.labels.iter().map(|label| text_element("th", label).class("figure").with("scope", "col"));
    let rows = matrix.counts.iter().zip(&matrix.labels).enumerate().map(|(gold, (counts, label))| {
        let total = counts.iter().map(|&count| count as f64).sum::<f64>().max(1.0);
        let cells = counts.iter().enumerate().map(|(predicted, &count)| {
            let class = if gold == predicted { "figure right" } else { "figure wrong" };
            let shade = format!("--share:{:.0}%", 85.0 * count as f64 / total);
            text_element("td", crate::numbers::count(count as usize)).class(class).with("style", shade)
        });
        element("tr").child(text_element("th", label).class("name").with("scope", "row")).children(cells)
    });
    let head = element("thead").child(element("tr").child(corner).children(names));
    let body = element("tbody").children(rows);
    vec![scrolling(element("table").class("confusion").child(head).child(body))]
}
