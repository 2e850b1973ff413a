//! How do predictions become a table?
//!
//! The columns follow from the task: `id` where the first text has one, the text or texts, what is predicted, and
//! `truncated`. Cells are quoted as RFC 4180 has it; lists stand in one cell, with white space between tags and the task's
//! separator between labels.

use polytask::model::{Knowledge, Predictor, TaskId};
use polytask::spec::task::{RegressLoss, TaskKind};
use serde_json::Value;

/// A column: its name, and where its value stands in the object of a prediction.
#[derive(Debug, Clone, PartialEq)]
struct Column {
    name: String,
    path: Vec<String>,
}

/// Writes the objects of predictions as rows.
#[derive(Debug)]
pub struct Table {
    columns: Vec<Column>,
    /// What stands between the elements of a list.
    between: String,
    begun: bool,
}

impl Table {
    /// A table of the predictions of a task.
    pub fn new(predictor: &Predictor, task: TaskId) -> Table {
        let kind = &predictor.saved().spec.task[task.0].kind;
        let texts = predictor.pair(task).map_or_else(|| vec!["text"], |pair| pair.to_vec());
        let mut columns: Vec<Column> = texts.into_iter().map(|text| column(text, &[text])).collect();
        columns.extend(predicted(kind, predictor.knowledge(task)));
        columns.push(column("truncated", &["truncated"]));
        let between = match kind {
            TaskKind::Multilabel(task) => task.separator().to_string(),
            _ => " ".to_owned(),
        };
        Table { columns, between, begun: false }
    }

    /// The lines of some predictions, the first ones below the names of the columns.
    pub fn lines(&mut self, predictions: &[Value]) -> Vec<String> {
        let mut lines = Vec::with_capacity(predictions.len() + 1);
        if !self.begun && !predictions.is_empty() {
            self.begun = true;
            if predictions[0].get("id").is_some() {
                self.columns.insert(0, column("id", &["id"]));
            }
            let names: Vec<String> = self.columns.iter().map(|column| quoted(&column.name)).collect();
            lines.push(names.join(","));
        }
        for prediction in predictions {
            let cells: Vec<String> = self.columns.iter().map(|column| quoted(&self.cell(column, prediction))).collect();
            lines.push(cells.join(","));
        }
        lines
    }

    fn cell(&self, column: &Column, prediction: &Value) -> String {
        let found = column.path.iter().try_fold(prediction, |value, step| match value {
            Value::Array(items) => items.get(step.parse::<usize>().ok()?),
            _ => value.get(step),
        });
        match found {
            None | Some(Value::Null) => String::new(),
            Some(Value::String(text)) => text.clone(),
            Some(Value::Array(items)) => {
                let items: Vec<String> =
                    items.iter().map(|item| item.as_str().map_or_else(|| item.to_string(), str::to_owned)).collect();
                items.join(&self.between)
            }
            Some(other) => other.to_string(),
        }
    }
}

fn column(name: &str, path: &[&str]) -> Column {
    Column { name: name.to_owned(), path: path.iter().map(|step| (*step).to_owned()).collect() }
}

/// The columns of what a task predicts.
fn predicted(kind: &TaskKind, knowledge: &Knowledge) -> Vec<Column> {
    let own: &[&str] = match kind {
        TaskKind::Classify(_) => &["label", "probability"],
        TaskKind::Multilabel(_) => &["labels"],
        TaskKind::Regress(task) if task.loss == RegressLoss::GaussianNll => &["value", "deviation"],
        TaskKind::Regress(_) => &["value"],
        TaskKind::Tag(_) => &["tokens", "tags"],
    };
    let mut columns: Vec<Column> = own.iter().map(|name| column(name, &[name])).collect();
    match (kind, knowledge) {
        (TaskKind::Regress(task), _) if task.loss == RegressLoss::GaussianNll => {
            columns.push(column("low", &["interval", "0"]));
            columns.push(column("high", &["interval", "1"]));
        }
        (_, Knowledge::Classify { labels, .. } | Knowledge::Multilabel { labels, .. }) => {
            let probability = |label: &String| column(&format!("probability:{label}"), &["probabilities", label]);
            columns.extend(labels.iter().map(probability));
        }
        _ => {}
    }
    columns
}

fn quoted(cell: &str) -> String {
    match cell.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", cell.replace('"', "\"\"")),
        false => cell.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn cells_are_found_joined_and_quoted() {
        let columns = vec![
            column("text", &["text"]),
            column("labels", &["labels"]),
            column("high", &["interval", "1"]),
            column("probability:a,b", &["probabilities", "a,b"]),
        ];
        let mut table = Table { columns, between: "|".into(), begun: false };
        let first = json!({ "id": 7, "text": "so \"good\",\nsaid", "labels": ["x", 2], "interval": [1.5, 2.5],
            "probabilities": { "a,b": 0.25 } });
        let lines = table.lines(&[first, json!({ "text": "plain" })]);
        let expected =
            ["id,text,labels,high,\"probability:a,b\"", "7,\"so \"\"good\"\",\nsaid\",x|2,2.5,0.25", ",plain,,,"];
        assert_eq!(lines, expected);
        assert_eq!(table.lines(&[json!({ "text": "more" })]), [",more,,,"]);
    }
}
