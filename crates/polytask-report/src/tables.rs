//! Which tables does a report consist of?

use std::collections::BTreeSet;

use polytask_metrics::ConfusionMatrix;

use crate::numbers::{count, duration, percent, score, short};
use crate::report::{Direction, Report};
use crate::scores::SplitScores;
use crate::table::{Cell, Table};

fn figure(value: Option<f64>, write: fn(f64) -> String) -> Cell {
    value.map_or_else(Cell::default, |value| write(value).into())
}

/// One row a task: the deciding metric on validation and test data. Marked where the kept model is the task's best one.
pub fn summary(report: &Report) -> Table {
    let more: Vec<&str> = report.splits.keys().map(String::as_str).filter(|split| *split != "valid").collect();
    let figures = ["valid"].into_iter().chain(more.iter().copied());
    let mut table = Table::new(&["task", "metric"], figures.chain(["best valid", "at epoch", "stopped at"]));
    let epoch = |epoch: Option<usize>| Cell::from(epoch.map_or_else(String::new, |epoch| epoch.to_string()));
    for (name, task) in &report.tasks {
        let kept = match (task.kept, task.best) {
            (Some(kept), Some(best)) if kept == best => Cell::best(score(kept)),
            (kept, _) => figure(kept, score),
        };
        let names = [name.as_str(), task.metric.as_deref().unwrap_or_default()].map(Cell::from);
        let others = more.iter().map(|split| figure(report.deciding(split, name), score));
        let best = [figure(task.best, score), epoch(task.best_epoch), epoch(task.stopped_epoch)];
        table.row(names.into_iter().chain([kept]).chain(others).chain(best));
    }
    table.without_empty_columns()
}

/// One row a task: examples, loss and every metric. Marked: the best task by each metric that two tasks have.
pub fn split(tasks: &SplitScores) -> Table {
    let metrics: BTreeSet<&str> =
        tasks.values().flat_map(|task| task.scores.metrics.keys()).map(String::as_str).collect();
    let mut table = Table::new(&["task"], ["examples", "loss"].into_iter().chain(metrics.iter().copied()));
    let best: Vec<Option<f64>> = metrics.iter().map(|metric| best_of(tasks, metric)).collect();
    for (name, task) in tasks {
        let scores = metrics.iter().zip(&best).map(|(metric, best)| match task.scores.metrics.get(*metric) {
            Some(value) if Some(*value) == *best => Cell::best(score(*value)),
            value => figure(value.copied(), score),
        });
        let start = [name.as_str().into(), count(task.scores.examples).into(), score(task.scores.loss).into()];
        table.row(start.into_iter().chain(scores));
    }
    table
}

/// The best value of a metric, where more than one task has it.
fn best_of(tasks: &SplitScores, metric: &str) -> Option<f64> {
    let values = || tasks.values().filter_map(|task| task.scores.metrics.get(metric).copied());
    let direction = Direction::of(metric);
    let best = values().reduce(|best, value| if direction.is_better(value, best) { value } else { best });
    best.filter(|_| values().count() > 1)
}

/// One row an epoch: the optimizer and the time.
pub fn epochs(report: &Report) -> Table {
    let figures = ["epoch", "step", "learning rate", "gradient norm", "conflict rate", "training", "evaluation"];
    let mut table = Table::new(&[], figures.into_iter().chain(["examples/s"]));
    for epoch in &report.epochs {
        table.row([
            epoch.epoch.to_string().into(),
            count(epoch.step as usize).into(),
            short(epoch.learning_rate).into(),
            short(epoch.gradient_norm).into(),
            figure(epoch.conflict_rate, percent),
            figure(epoch.train_seconds, duration),
            figure(epoch.evaluation_seconds, duration),
            figure(epoch.examples_per_second, |value| count(value.round() as usize)),
        ]);
    }
    table.without_empty_columns()
}

/// One row a task and epoch: losses and deciding score; marked where a task has its best score.
pub fn curves(report: &Report) -> Table {
    let mut table = Table::new(&["task"], ["epoch", "training loss", "validation loss", "score", "weight"]);
    for (name, task) in &report.tasks {
        for epoch in &report.epochs {
            let Some(seen) = epoch.tasks.get(name) else { continue };
            let is_best = task.best_epoch == Some(epoch.epoch) && report.epochs.len() > 1;
            let value = match seen.score {
                Some(value) if is_best => Cell::best(score(value)),
                value => figure(value, score),
            };
            let losses = [seen.training_loss, seen.validation_loss].map(|loss| figure(loss, score));
            let [training, validation] = losses;
            let epoch = epoch.epoch.to_string();
            table.row([name.as_str().into(), epoch.into(), training, validation, value, figure(seen.weight, short)]);
        }
    }
    table.without_empty_columns()
}

/// One row a task: what it was given and how hard it pulled.
pub fn balance(report: &Report) -> Option<Table> {
    let balance = report.balance.as_ref()?;
    let mut table = Table::new(&["task"], ["looks", "mean weight", "mean gradient norm", "mean pull"]);
    for (name, task) in &balance.tasks {
        let figures = [figure(Some(task.weight), short), figure(task.gradient_norm, short), figure(task.pull, percent)];
        table.row([name.as_str().into(), count(task.looks).into()].into_iter().chain(figures));
    }
    Some(table.without_empty_columns())
}

/// The pairs of tasks whose gradients point against each other most, by their mean cosine.
pub fn pairs(report: &Report, rows_max: usize) -> Option<Table> {
    let balance = report.balance.as_ref().filter(|balance| !balance.cosines.is_empty())?;
    let mut cosines: Vec<_> = balance.cosines.iter().collect();
    cosines.sort_by(|a, b| a.cosine.total_cmp(&b.cosine));
    let mut table = Table::new(&["task", "and task"], ["mean cosine", "looks"]);
    for cosine in cosines.into_iter().take(rows_max) {
        let [first, second] = &cosine.between;
        let figures = [format!("{:.4}", cosine.cosine), count(cosine.looks)].map(Cell::from);
        table.row([first.as_str().into(), second.as_str().into()].into_iter().chain(figures));
    }
    Some(table)
}

/// One row a class.
pub fn classes(tasks: &SplitScores, task: &str) -> Option<Table> {
    let classes = &tasks.get(task)?.scores.classes;
    let mut table = Table::new(&["class"], ["precision", "recall", "f1", "support"]);
    for class in classes {
        let figures = [class.scores.precision, class.scores.recall, class.scores.f1].map(|value| score(value).into());
        let support = count(class.support as usize).into();
        table.row([class.name.as_str().into()].into_iter().chain(figures).chain([support]));
    }
    (!classes.is_empty()).then_some(table)
}

/// The matrix itself: a row a gold class, a column a predicted one.
pub fn confusion(matrix: &ConfusionMatrix) -> Table {
    let mut table = Table::new(&["gold \\ predicted"], matrix.labels.iter().map(String::as_str));
    for (label, row) in matrix.labels.iter().zip(&matrix.counts) {
        let counts = row.iter().map(|&value| Cell::from(count(value as usize)));
        table.row(std::iter::once(label.as_str().into()).chain(counts));
    }
    table
}

/// The most frequent mistakes of a matrix.
pub fn mistakes(matrix: &ConfusionMatrix, rows_max: usize) -> Table {
    let mut cells = Vec::new();
    for (gold, row) in matrix.counts.iter().enumerate() {
        let total: u64 = row.iter().fold(0, |sum, &count| sum.saturating_add(count));
        let wrong = row.iter().enumerate().filter(|&(predicted, &count)| predicted != gold && count > 0);
        cells.extend(wrong.map(|(predicted, &count)| (count, total, gold, predicted)));
    }
    cells.sort_by(|a, b| b.0.cmp(&a.0).then((a.2, a.3).cmp(&(b.2, b.3))));
    let mut table = Table::new(&["gold", "predicted"], ["times", "of the gold class"]);
    for (times, total, gold, predicted) in cells.into_iter().take(rows_max) {
        let names = [gold, predicted].map(|class| Cell::from(matrix.labels[class].as_str()));
        let figures = [count(times as usize), percent(times as f64 / total as f64)].map(Cell::from);
        table.row(names.into_iter().chain(figures));
    }
    table
}

/// Parameters and time.
pub fn cost(report: &Report) -> Table {
    let cost = &report.cost;
    let mut table = Table::new(&["cost"], ["value"]);
    let mut row = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            table.row([name.into(), value.into()]);
        }
    };
    row("parameters of the model", cost.parameters.map(count));
    for (part, parameters) in &cost.parts {
        row(&format!("parameters of {part}"), Some(count(*parameters)));
    }
    row("an epoch (median)", cost.seconds_per_epoch.map(duration));
    row("training examples a second (median)", cost.examples_per_second.map(|value| count(value.round() as usize)));
    let total = cost.train_seconds + cost.evaluation_seconds;
    let timed = cost.seconds_per_epoch.map(|_| total);
    row("training in all", timed.map(|_| duration(cost.train_seconds)));
    row("evaluation in all", timed.map(|_| duration(cost.evaluation_seconds)));
    row("total", timed.map(duration));
    table
}

/// The most telling settings, and what changed later.
pub fn settings(report: &Report) -> Table {
    let mut table = Table::new(&["setting", "value"], []);
    for (key, value) in &report.settings {
        table.row([key.as_str().into(), value.as_str().into()]);
    }
    for change in &report.changes {
        let step = count(change.step as usize);
        table.row([format!("changed after step {step}").into(), change.keys.join(", ").into()]);
    }
    table
}

/// Where and with what the run was made.
pub fn environment(report: &Report) -> Option<Table> {
    let environment = report.environment.as_ref()?;
    let mut table = Table::new(&["environment", "value"], []);
    for (name, value) in [
        ("polytask", environment.version.clone()),
        ("seed", environment.seed.to_string()),
        ("threads", environment.threads.to_string()),
        ("target", environment.target.clone()),
        ("vector instructions", environment.cpu_features.join(", ")),
    ] {
        table.row([name.into(), value.into()]);
    }
    Some(table)
}
