//! What is likely to harm a task, as far as training sees it?

use std::fmt;

use serde::{Deserialize, Serialize};

/// Something that is likely to harm a task; a run tells each once. Displayed, it is one sentence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Warning {
    /// Epoch, counted from 1.
    pub epoch: usize,
    /// Optimizer steps so far.
    pub step: u64,
    /// The task that it is about, or the two.
    pub tasks: Vec<String>,
    /// What was measured.
    #[serde(flatten)]
    pub measured: Measured,
    /// What to try, in words and keys of the configuration; any one of these.
    pub advice: Vec<String>,
}

/// What a warning rests on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Measured {
    /// The gradients of two tasks in what they share mostly point against each other.
    Conflict {
        /// Mean cosine of the angle between them over the recent looks, -1..0.
        cosine: f64,
        /// Recent looks in which it was below 0.
        against: usize,
        /// Recent looks that saw both tasks.
        looks: usize,
    },
    /// The weighted gradient of one task in what tasks share is much longer than those of all others together.
    Domination {
        /// Mean share that it has in the sum of the lengths of all weighted gradients over the recent looks, 0..1.
        share: f64,
        /// Recent looks that saw the task and another one.
        looks: usize,
    },
    /// A task's best validation score so far is clearly worse than what the task alone had reached by then.
    NegativeTransfer {
        /// The metric that decides about the task.
        metric: String,
        /// Best value so far.
        score: f64,
        /// Best value of the task alone after as many of its steps.
        alone: f64,
        /// Epoch of the run alone up to which that is.
        alone_epoch: usize,
        /// Evaluations in a row that found it so.
        evaluations: usize,
    },
}

impl Measured {
    /// The kind's name, as in `kind`.
    pub fn kind(&self) -> &'static str {
        match self {
            Measured::Conflict { .. } => "conflict",
            Measured::Domination { .. } => "domination",
            Measured::NegativeTransfer { .. } => "negative-transfer",
        }
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tasks: Vec<String> = self.tasks.iter().map(|task| format!("`{task}`")).collect();
        let tasks = tasks.join(" and ");
        match &self.measured {
            Measured::Conflict { cosine, against, looks } => write!(
                f,
                "{tasks} pull what they share in opposite directions (mean cosine of their gradients {cosine:.2}, below 0 in \
                 {against} of the last {looks} looks)"
            )?,
            Measured::Domination { share, looks } => write!(
                f,
                "{tasks} outweighs all other tasks in what tasks share (its weighted gradient is {:.0} % of the sum of all \
                 lengths, mean of the last {looks} looks)",
                100.0 * share
            )?,
            Measured::NegativeTransfer { metric, score, alone, alone_epoch, evaluations } => write!(
                f,
                "{tasks} stays behind what it reached alone (best {metric} {score:.4} by epoch {}, alone {alone:.4} by epoch \
                 {alone_epoch} of that run, after no more steps; {evaluations} evaluations in a row)",
                self.epoch
            )?,
        }
        match self.advice.as_slice() {
            [] => Ok(()),
            [only] => write!(f, "; try {only}"),
            [others @ .., last] => write!(f, "; try {}, or {last}", others.join(", ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Event;

    fn warning(tasks: &[&str], measured: Measured, advice: &[&str]) -> Warning {
        let owned = |texts: &[&str]| texts.iter().map(ToString::to_string).collect();
        Warning { epoch: 3, step: 120, tasks: owned(tasks), measured, advice: owned(advice) }
    }

    #[test]
    fn an_event_holds_its_numbers_flat_and_survives_to_the_bit() {
        let conflict = Measured::Conflict { cosine: -0.1 - 0.2, against: 17, looks: 20 };
        let event = Event::Warning(warning(&["ner", "imdb"], conflict, &["task.ner.attach = \"low\""]));
        let json = serde_json::to_string(&event).unwrap();
        assert_eq!(
            json,
            r#"{"event":"warning","epoch":3,"step":120,"tasks":["ner","imdb"],"kind":"conflict","cosine":-0.30000000000000004,"against":17,"looks":20,"advice":["task.ner.attach = \"low\""]}"#
        );
        assert_eq!(serde_json::from_str::<Event>(&json).unwrap(), event);
        let alone = Measured::NegativeTransfer {
            metric: "rmse".into(),
            score: 1.0,
            alone: 0.5,
            alone_epoch: 2,
            evaluations: 3,
        };
        for measured in [Measured::Domination { share: 1.0, looks: 10 }, alone] {
            let event = Event::Warning(warning(&["ner"], measured.clone(), &[]));
            let json = serde_json::to_value(&event).unwrap();
            assert_eq!(json["kind"], measured.kind());
            assert_eq!(serde_json::from_value::<Event>(json).unwrap(), event);
        }
    }

    #[test]
    fn each_kind_is_one_sentence_that_ends_with_what_to_try() {
        let conflict = Measured::Conflict { cosine: -0.214, against: 17, looks: 20 };
        assert_eq!(
            warning(&["ner", "imdb"], conflict, &["a", "b", "c"]).to_string(),
            "`ner` and `imdb` pull what they share in opposite directions (mean cosine of their gradients -0.21, below 0 in \
             17 of the last 20 looks); try a, b, or c"
        );
        let share = Measured::Domination { share: 0.934, looks: 20 };
        assert_eq!(
            warning(&["ner"], share, &["a"]).to_string(),
            "`ner` outweighs all other tasks in what tasks share (its weighted gradient is 93 % of the sum of all lengths, \
             mean of the last 20 looks); try a"
        );
        let alone = Measured::NegativeTransfer {
            metric: "span-f1".into(),
            score: 0.7,
            alone: 0.781,
            alone_epoch: 2,
            evaluations: 3,
        };
        assert_eq!(
            warning(&["ner"], alone, &[]).to_string(),
            "`ner` stays behind what it reached alone (best span-f1 0.7000 by epoch 3, alone 0.7810 by epoch 2 of that run, \
             after no more steps; 3 evaluations in a row)"
        );
    }
}
