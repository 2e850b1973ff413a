//! What does a table show of one task: its loss, its metrics and its classes?

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::counts::Scores;
use crate::matrix::ConfusionMatrix;

/// The scores of one task on one set of examples.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TaskScores {
    /// Mean loss over the present targets.
    pub loss: f64,
    /// Number of examples with a target.
    pub examples: usize,
    /// Metrics by their catalogue keys; one that is undefined on these examples is absent.
    #[serde(flatten)]
    pub metrics: BTreeMap<String, f64>,
    /// Scores of each class or type of span, where the task has any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub classes: Vec<ClassScores>,
    /// Which class is taken for which, where examples or tokens have one class each and classes are few.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confusion: Option<ConfusionMatrix>,
}

/// The scores of one class or one type of span.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClassScores {
    /// Its name.
    pub name: String,
    /// Precision, recall and F1.
    #[serde(flatten)]
    pub scores: Scores,
    /// Occurrences in the gold answers.
    pub support: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_stand_beside_loss_and_examples_in_json() {
        let scores = TaskScores {
            loss: 0.5,
            examples: 3,
            metrics: BTreeMap::from([("f1-macro".to_owned(), 0.1 + 0.2)]),
            classes: Vec::new(),
            confusion: None,
        };
        let json = serde_json::to_string(&scores).unwrap();
        assert_eq!(json, r#"{"loss":0.5,"examples":3,"f1-macro":0.30000000000000004}"#);
        assert_eq!(serde_json::from_str::<TaskScores>(&json).unwrap(), scores);
        let matrix =
            ConfusionMatrix { labels: vec!["a".to_owned(), "b".to_owned()], counts: vec![vec![2, 1], vec![0, 3]] };
        let scores = TaskScores { confusion: Some(matrix), ..scores };
        let json = serde_json::to_string(&scores).unwrap();
        assert!(json.ends_with(r#""confusion":{"labels":["a","b"],"counts":[[2,1],[0,3]]}}"#), "{json}");
        assert_eq!(serde_json::from_str::<TaskScores>(&json).unwrap(), scores);
    }
}
