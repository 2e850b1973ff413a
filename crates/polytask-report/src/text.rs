//! How is a report laid out as text?

use crate::report::Report;
use crate::table::Table;
use crate::tables;

/// Classes above which a confusion matrix is told by its most frequent mistakes.
pub const CLASSES_MAX: usize = 12;

/// Pairs of tasks that are listed.
const PAIRS_MAX: usize = 10;

/// Lays a report out in tables, each below its title.
pub fn text(report: &Report) -> String {
    let mut out = String::new();
    let name: String = report.name.chars().filter(|character| !character.is_control()).collect();
    out.push_str(&format!("{name}: {}\n", report.verdict));
    if !report.warnings.is_empty() {
        out.push_str("\nwarnings\n");
    }
    for told in &report.warnings {
        let sentence: String = told.sentence.chars().filter(|character| !character.is_control()).collect();
        out.push_str(&format!("epoch {}: {sentence}\n", told.warning.epoch));
    }
    let mut add = |title: &str, table: Option<Table>| {
        if let Some(table) = table.filter(|table| !table.rows.is_empty()) {
            let title: String = title.chars().filter(|character| !character.is_control()).collect();
            out.push_str(&format!("\n{title}\n{table}"));
        }
    };
    add("scores by the deciding metric (*: the kept model is the task's best)", Some(tables::summary(report)));
    for (split, tasks) in &report.splits {
        add(&format!("all metrics on {split} (*: the best task)"), Some(tables::split(tasks)));
    }
    add("learning curves (*: the task's best epoch)", Some(tables::curves(report)));
    add("epochs", Some(tables::epochs(report)));
    add("trade-off between tasks", tables::balance(report));
    add("pairs of tasks with the lowest mean cosine of their gradients", tables::pairs(report, PAIRS_MAX));
    if let Some((split, tasks)) = report.honest_split() {
        for (task, scores) in tasks {
            add(&format!("classes of {task} on {split}"), tables::classes(tasks, task));
            let Some(matrix) = &scores.confusion else { continue };
            if matrix.labels.len() <= CLASSES_MAX {
                add(&format!("confusion of {task} on {split}"), Some(tables::confusion(matrix)));
            } else {
                add(&format!("most frequent mistakes of {task} on {split}"), Some(tables::mistakes(matrix, 10)));
            }
        }
    }
    add("cost", Some(tables::cost(report)));
    add("settings", Some(tables::settings(report)));
    add("environment", tables::environment(report));
    out
}
