//! How are the scores of a task read, also those that a later version of polytask adds to?

use indexmap::IndexMap;
use polytask_metrics::{ConfusionMatrix, TaskScores};
use serde::Serialize;
use serde_json::Value;

/// Scores by task on one split.
pub type SplitScores = IndexMap<String, Scores>;

/// The scores of one task on one split.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Scores {
    /// Loss, examples, metrics and classes.
    #[serde(flatten)]
    pub scores: TaskScores,
    /// Which class is taken for which, where the run says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confusion: Option<ConfusionMatrix>,
}

/// Reads the scores of one task; what a table has no place for is left out.
///
/// # Errors
///
/// Says what is not as it should be.
pub fn scores(mut value: Value) -> Result<Scores, String> {
    let Some(fields) = value.as_object_mut() else { return Err(format!("expected scores, found `{value}`")) };
    let confusion = fields.shift_remove("confusion").map(confusion).transpose()?;
    fields.retain(|key, value| value.is_number() || matches!(key.as_str(), "loss" | "examples" | "classes"));
    let scores = serde_json::from_value(value).map_err(|error| error.to_string())?;
    Ok(Scores { scores, confusion })
}

fn confusion(value: Value) -> Result<ConfusionMatrix, String> {
    let matrix: ConfusionMatrix = serde_json::from_value(value).map_err(|error| format!("confusion: {error}"))?;
    let classes = matrix.labels.len();
    if matrix.counts.len() != classes || matrix.counts.iter().any(|row| row.len() != classes) {
        return Err(format!("confusion: expected {classes} rows and columns, one for each of `labels`"));
    }
    Ok(matrix)
}

/// Reads the scores of the tasks of one split.
///
/// # Errors
///
/// Names the task whose scores are not as they should be.
pub fn split(value: Value) -> Result<SplitScores, String> {
    let Value::Object(tasks) = value else { return Err(format!("expected scores by task, found `{value}`")) };
    let tasks = tasks.into_iter();
    tasks
        .map(|(task, value)| match scores(value) {
            Ok(scores) => Ok((task, scores)),
            Err(what) => Err(format!("{task}: {what}")),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn scores_are_read_with_and_without_what_later_versions_add() {
        let plain = json!({"loss": 0.5, "examples": 3, "accuracy": 0.25});
        let read = scores(plain.clone()).unwrap();
        assert_eq!((read.scores.loss, read.scores.examples, read.scores.metrics["accuracy"]), (0.5, 3, 0.25));
        assert_eq!(serde_json::to_value(&read).unwrap(), plain);
        let more = json!({"loss": 0.5, "examples": 3, "accuracy": 0.25, "interval": [0.1, 0.3], "by": {"age": 1},
            "confusion": {"labels": ["a", "b"], "counts": [[1, 0], [2, 0]]}});
        let read = scores(more).unwrap();
        assert_eq!(read.scores.metrics.len(), 1);
        assert_eq!(read.confusion.unwrap().counts, [[1, 0], [2, 0]]);
    }

    #[test]
    fn what_is_no_score_is_refused_with_its_task() {
        for (value, expected) in [
            (json!({"a": 1}), "a: expected scores, found `1`"),
            (json!(null), "expected scores by task, found `null`"),
            (json!({"a": {"loss": "x", "examples": 1}}), "a: invalid type: string \"x\", expected f64"),
            (json!({"a": {"loss": 1.0}}), "a: missing field `examples`"),
            (
                json!({"a": {"loss": 1, "examples": 1, "confusion": {"labels": ["x"], "counts": [[1, 2]]}}}),
                "a: confusion: expected 1 rows and columns, one for each of `labels`",
            ),
        ] {
            assert_eq!(split(value).unwrap_err(), expected);
        }
    }
}
