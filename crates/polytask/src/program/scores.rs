//! How are scores of tasks laid out in a table?

use indexmap::IndexMap;
use polytask::metrics::TaskScores;
use polytask::run::Metrics;

use super::table::{Table, count, score};

/// Metrics that a table shows, from left to right, where any task has them.
const SHOWN: [&str; 12] = [
    "accuracy",
    "f1-macro",
    "subset-accuracy",
    "hamming-loss",
    "span-f1",
    "span-precision",
    "span-recall",
    "token-accuracy",
    "rmse",
    "mae",
    "r2",
    "gaussian-nll",
];

/// One row a task: examples, loss and metrics.
pub fn split_table(tasks: &IndexMap<String, TaskScores>) -> Table {
    let shown: Vec<&str> =
        SHOWN.into_iter().filter(|key| tasks.values().any(|scores| scores.metrics.contains_key(*key))).collect();
    let mut table = Table::new(["task", "examples", "loss"].into_iter().chain(shown.iter().copied()));
    for (name, scores) in tasks {
        let figures = shown.iter().map(|key| score(scores.metrics.get(*key).copied()));
        let start = [name.clone(), count(scores.examples), score(Some(scores.loss))];
        table.row(start.into_iter().chain(figures));
    }
    table
}

/// One row a class of every task that has classes.
pub fn class_table(tasks: &IndexMap<String, TaskScores>) -> Table {
    let mut table = Table::new(["task", "class", "precision", "recall", "f1", "support"]);
    for (name, scores) in tasks {
        for class in &scores.classes {
            let figures =
                [class.scores.precision, class.scores.recall, class.scores.f1].map(|value| score(Some(value)));
            let [precision, recall, f1] = figures;
            table.row([name.clone(), class.name.clone(), precision, recall, f1, count(class.support as usize)]);
        }
    }
    table
}

/// The kept model's validation score of each task beside the best at any epoch.
pub fn best_table(metrics: &Metrics) -> Table {
    let mut table = Table::new(["task", "metric", "kept", "best", "best epoch"]);
    for (name, best) in &metrics.best {
        let figures = [score(Some(best.kept)), score(Some(best.value)), best.epoch.to_string()];
        table.row([name.clone(), best.metric.clone()].into_iter().chain(figures));
    }
    table
}
