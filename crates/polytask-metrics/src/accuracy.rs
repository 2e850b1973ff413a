//! Accuracy: the share of examples whose predicted class is the gold class.

use serde::Serialize;

/// Counts of right answers, fed one example at a time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Accuracy {
    correct: u64,
    count: u64,
}

/// What [`Accuracy`] found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AccuracyResult {
    /// Share of right answers, 0..1; `None` where nothing was counted.
    pub accuracy: Option<f64>,
    /// Number of right answers.
    pub correct: u64,
    /// Number of examples.
    pub count: u64,
}

impl Accuracy {
    /// Makes a counter that has seen nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Counts one example by the numbers of its gold and its predicted class.
    pub fn update(&mut self, gold: usize, predicted: usize) {
        self.correct += u64::from(gold == predicted);
        self.count += 1;
    }

    /// Adds the examples that `other` has seen.
    pub fn merge(&mut self, other: &Self) {
        self.correct += other.correct;
        self.count += other.count;
    }

    /// Reports on everything counted so far.
    pub fn result(&self) -> AccuracyResult {
        AccuracyResult {
            accuracy: (self.count > 0).then(|| self.correct as f64 / self.count as f64),
            correct: self.correct,
            count: self.count,
        }
    }
}

impl AccuracyResult {
    /// The value under a catalogue key (`accuracy`, or `token-accuracy` where tokens were counted), if it has one.
    pub fn value(&self, key: &str) -> Option<f64> {
        match key {
            "accuracy" | "token-accuracy" => self.accuracy,
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_has_no_accuracy() {
        let result = Accuracy::new().result();
        assert_eq!(result.accuracy, None);
        assert_eq!(serde_json::to_string(&result).unwrap(), r#"{"accuracy":null,"correct":0,"count":0}"#);
    }

    #[test]
    fn merged_parts_equal_one_stream() {
        let examples = [(0, 0), (1, 2), (2, 2), (3, 3), (0, 1)];
        let mut whole = Accuracy::new();
        examples.iter().for_each(|&(gold, predicted)| whole.update(gold, predicted));
        let (mut left, mut right) = (Accuracy::new(), Accuracy::new());
        examples[..2].iter().for_each(|&(gold, predicted)| left.update(gold, predicted));
        examples[2..].iter().for_each(|&(gold, predicted)| right.update(gold, predicted));
        left.merge(&right);
        assert_eq!(left, whole);
        assert_eq!(whole.result().accuracy, Some(0.6));
        assert_eq!(whole.result().value("accuracy"), Some(0.6));
    }
}
