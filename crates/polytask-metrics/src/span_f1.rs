//! Span F1: how many spans were found with the right first token, last token and type?
//!
//! Counted as `conlleval` and seqeval's default mode count: a span that is partly right is wrong. The micro average
//! (over all spans alike) is the figure that papers on named entities and chunking print.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use crate::counts::{Counts, Scores};
use crate::span::{Span, spans};

/// Counts of spans by type, and of tokens, fed one sequence at a time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SpanF1 {
    types: BTreeMap<String, Counts>,
    tokens: u64,
    tokens_correct: u64,
}

/// What [`SpanF1`] found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SpanF1Result {
    /// Scores over all spans alike; `None` where neither the gold answers nor the predictions hold a span.
    pub micro_average: Option<Scores>,
    /// Scores averaged over the types seen on either side, each type alike.
    pub macro_average: Option<Scores>,
    /// Share of tokens whose tag is the gold tag, compared as text; `None` where there was no token.
    pub token_accuracy: Option<f64>,
    /// Number of tokens.
    pub tokens: u64,
    /// Number of spans: gold, predicted, and right.
    pub spans: Counts,
    /// Scores of each type seen, in alphabetical order.
    pub types: Vec<TypeResult>,
}

/// Scores of one type of span.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TypeResult {
    /// The type's name.
    pub kind: String,
    /// Its precision, recall and F1.
    #[serde(flatten)]
    pub scores: Scores,
    /// How many gold spans have it.
    pub support: u64,
    /// How many predicted spans have it.
    pub predicted: u64,
}

/// Gold and predicted tags of one sequence that differ in number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LengthMismatch {
    /// Number of gold tags.
    pub gold: usize,
    /// Number of predicted tags.
    pub predicted: usize,
}

impl fmt::Display for LengthMismatch {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "a sequence has {} gold tags but {} predicted tags", self.gold, self.predicted)
    }
}

impl std::error::Error for LengthMismatch {}

impl SpanF1 {
    /// Makes counts of nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Counts one sequence by its gold and its predicted tags. The two may be written in different schemes, but then
    /// their tokens do not compare.
    ///
    /// # Errors
    /// Where the two differ in length; nothing is counted then.
    pub fn update<G: AsRef<str>, P: AsRef<str>>(&mut self, gold: &[G], predicted: &[P]) -> Result<(), LengthMismatch> {
        if gold.len() != predicted.len() {
            return Err(LengthMismatch { gold: gold.len(), predicted: predicted.len() });
        }
        self.tokens += gold.len() as u64;
        self.tokens_correct +=
            gold.iter().zip(predicted).filter(|(gold, own)| gold.as_ref() == own.as_ref()).count() as u64;
        self.update_spans(&spans(gold), &spans(predicted));
        Ok(())
    }

    /// Adds the sequences that `other` has seen.
    pub fn merge(&mut self, other: &Self) {
        for (kind, counts) in &other.types {
            self.counts(kind).add(counts);
        }
        self.tokens += other.tokens;
        self.tokens_correct += other.tokens_correct;
    }

    /// Reports on everything counted so far.
    pub fn result(&self) -> SpanF1Result {
        let mut total = Counts::default();
        self.types.values().for_each(|counts| total.add(counts));
        SpanF1Result {
            micro_average: (total.gold + total.predicted > 0).then(|| total.scores()),
            macro_average: Scores::mean(self.types.values().map(Counts::scores)),
            token_accuracy: (self.tokens > 0).then(|| self.tokens_correct as f64 / self.tokens as f64),
            tokens: self.tokens,
            spans: total,
            types: self
                .types
                .iter()
                .map(|(kind, counts)| TypeResult {
                    kind: kind.clone(),
                    scores: counts.scores(),
                    support: counts.gold,
                    predicted: counts.predicted,
                })
                .collect(),
        }
    }

    /// Both lists are in order and free of overlaps, so one pass over the two finds what they share.
    fn update_spans(&mut self, gold: &[Span], predicted: &[Span]) {
        gold.iter().for_each(|span| self.counts(&span.kind).gold += 1);
        predicted.iter().for_each(|span| self.counts(&span.kind).predicted += 1);
        let mut candidates = predicted.iter().peekable();
        for span in gold {
            while candidates.next_if(|own| own.first < span.first).is_some() {}
            if candidates.peek().is_some_and(|own| *own == span) {
                self.counts(&span.kind).correct += 1;
            }
        }
    }

    fn counts(&mut self, kind: &str) -> &mut Counts {
        // Two look-ups, so that only a type's first span allocates its name.
        if !self.types.contains_key(kind) {
            self.types.insert(kind.to_owned(), Counts::default());
        }
        self.types.get_mut(kind).expect("the type was inserted above if it was missing")
    }
}

impl SpanF1Result {
    /// The value under a catalogue key (`span-f1`, `span-precision`, `span-recall`, `token-accuracy`), if it has one.
    pub fn value(&self, key: &str) -> Option<f64> {
        match key {
            "span-f1" => self.micro_average.map(|scores| scores.f1),
            "span-precision" => self.micro_average.map(|scores| scores.precision),
            "span-recall" => self.micro_average.map(|scores| scores.recall),
            "token-accuracy" => self.token_accuracy,
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEQUENCES: [(&str, &str); 4] = [
        // seqeval's own example, with one more sequence: half of the spans are right.
        ("O O O B-MISC I-MISC I-MISC O", "O O B-MISC I-MISC I-MISC I-MISC O"),
        ("B-PER I-PER O", "B-PER I-PER O"),
        ("B-PER O B-LOC", "B-PER O B-PER"),
        ("O", "O"),
    ];

    fn count(sequences: &[(&str, &str)]) -> SpanF1 {
        let mut metric = SpanF1::new();
        for (gold, predicted) in sequences {
            let split = |tags: &str| tags.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
            metric.update(&split(gold), &split(predicted)).unwrap();
        }
        metric
    }

    #[test]
    fn hand_counted_numbers() {
        let result = count(&SEQUENCES).result();
        assert_eq!(result.spans, Counts { gold: 4, predicted: 4, correct: 2 });
        assert_eq!(result.micro_average, Some(Scores { precision: 0.5, recall: 0.5, f1: 0.5 }));
        // PER: 3 predicted, 2 gold, 2 right. MISC and LOC: none.
        let f1 = 4.0 / 5.0 / 3.0;
        assert_eq!(result.macro_average, Some(Scores { precision: 2.0 / 3.0 / 3.0, recall: 1.0 / 3.0, f1 }));
        assert_eq!(result.types.iter().map(|kind| kind.kind.as_str()).collect::<Vec<_>>(), ["LOC", "MISC", "PER"]);
        assert_eq!(result.value("token-accuracy"), Some(11.0 / 14.0));
        assert_eq!(result.value("span-f1"), Some(0.5));
    }

    #[test]
    fn merge_and_order_change_nothing() {
        let whole = count(&SEQUENCES);
        let mut parts = count(&SEQUENCES[3..]);
        parts.merge(&count(&SEQUENCES[..3]));
        assert_eq!(parts, whole);
        let mut reversed = SEQUENCES;
        reversed.reverse();
        assert_eq!(count(&reversed), whole);
    }

    #[test]
    fn schemes_may_differ() {
        let result = count(&[("I-A I-A B-A", "B-A E-A S-A")]).result();
        assert_eq!(result.micro_average.map(|scores| scores.f1), Some(1.0));
        assert_eq!(result.token_accuracy, Some(0.0));
    }

    #[test]
    fn empty_and_uneven_inputs() {
        let result = count(&[("", "")]).result();
        assert_eq!((result.micro_average, result.macro_average, result.token_accuracy), (None, None, None));
        assert_eq!(count(&[("O", "O")]).result().token_accuracy, Some(1.0));
        assert_eq!(count(&[("B-A", "O")]).result().micro_average, Some(Scores::default()));
        let mut metric = SpanF1::new();
        let error = metric.update(&["O", "O"], &["O"]).unwrap_err();
        assert_eq!(error.to_string(), "a sequence has 2 gold tags but 1 predicted tags");
        assert_eq!(metric, SpanF1::new());
    }
}
