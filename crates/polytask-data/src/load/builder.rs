//! How does a record become an example?

use std::ops::Range;

use polytask_spec::network::Truncate;

use super::labels::LabelNames;
use super::{AsKind, Bound, Request, TextOptions, bind};
use crate::error::{Malformed, Result, excerpt};
use crate::interner::Interner;
use crate::record::{Column, Part, Place, Record, Value, number_label};
use crate::table::{ColumnStore, Examples, MISSING_LABEL, Ragged, TEXT, TextHash};
use crate::tokenize::tokenize;

/// Examples under construction.
pub(super) struct Builder<'a> {
    words: &'a mut Interner,
    text: TextOptions,
    text_position: usize,
    bound: Vec<Bound>,
    labels: LabelNames,
    train: Set,
    valid: Set,
    test: Option<Set>,
    /// The words of the current record; kept to spare allocations.
    row: Vec<u32>,
    wordless: usize,
    name: String,
    /// What the user should know about the reading.
    pub(super) notes: Vec<String>,
}

/// The examples of one set; `columns` in the order of the targets.
#[derive(Default)]
struct Set {
    tokens: Ragged<u32>,
    columns: Vec<ColumnStore>,
    examples: Examples,
}

impl Set {
    fn new(bound: &[Bound]) -> Set {
        let store = |bound: &Bound| match bound.target.as_ {
            AsKind::Label => ColumnStore::Labels(Vec::new()),
            AsKind::Number => ColumnStore::Numbers(Vec::new()),
            AsKind::Tags => ColumnStore::Tags(Ragged::new()),
        };
        Set { columns: bound.iter().map(store).collect(), ..Set::default() }
    }

    fn finish(self, bound: &[Bound]) -> Examples {
        let mut examples = self.examples;
        let names = bound.iter().map(|bound| bound.target.column.clone());
        examples.columns = names.zip(self.columns).collect();
        examples.columns.insert(TEXT.to_string(), ColumnStore::Tokens(self.tokens));
        examples
    }
}

impl<'a> Builder<'a> {
    pub(super) fn new(request: &Request<'_>, columns: &[Column], words: &'a mut Interner) -> Result<Builder<'a>> {
        let (text_position, bound) = bind(request, columns)?;
        Ok(Builder {
            words,
            text: request.text,
            text_position,
            labels: LabelNames::new(&bound),
            train: Set::new(&bound),
            valid: Set::new(&bound),
            test: None,
            bound,
            row: Vec::new(),
            wordless: 0,
            name: request.name.to_string(),
            notes: Vec::new(),
        })
    }

    /// Adds a record to a set.
    ///
    /// # Errors
    /// A label that is asked for as a number and is none.
    pub(super) fn push(&mut self, mut record: Record, part: Part) -> Result<()> {
        self.row.clear();
        let (row, words) = (&mut self.row, &mut *self.words);
        let mut hash = TextHash::new();
        let mut word = |word: &str| {
            hash.word(word);
            row.push(words.intern(word));
        };
        match std::mem::replace(&mut record.values[self.text_position], Value::Missing) {
            Value::Text(text) => tokenize(&text, self.text.tokenize, |_, text| word(text)),
            Value::Tokens(tokens) => tokens.iter().for_each(|token| word(token)),
            _ => {}
        }
        if self.row.is_empty() {
            self.wordless += 1;
            return Ok(());
        }
        let set = match part {
            Part::Valid => &mut self.valid,
            Part::Test => self.test.get_or_insert_with(|| Set::new(&self.bound)),
            Part::All | Part::Train => &mut self.train,
        };
        let full = self.row.len();
        let kept = kept(full, &self.text);
        for (index, (bound, column)) in self.bound.iter().zip(&mut set.columns).enumerate() {
            let value = &record.values[bound.position];
            match column {
                ColumnStore::Labels(labels) => labels.push(match label(value) {
                    Some(name) => self.labels.intern(index, &name),
                    None => MISSING_LABEL,
                }),
                ColumnStore::Numbers(numbers) => numbers.push(number(value, &bound.target.column, &record.place)?),
                ColumnStore::Tags(rows) | ColumnStore::Tokens(rows) => {
                    let tags = if let Value::Tags(tags) = value { tags.as_slice() } else { &[] };
                    let of = |range: &Range<usize>| tags.get(range.clone()).unwrap_or_default();
                    let tags = kept.iter().flat_map(of).map(|tag| self.labels.intern(index, tag));
                    rows.push(&tags.collect::<Vec<u32>>());
                }
            }
        }
        // The tail moves down to where the head ends, and what follows it is cut off.
        let [head, tail] = kept;
        let length = head.len() + tail.len();
        self.row.copy_within(tail, head.end);
        set.tokens.push(&self.row[..length]);
        set.examples.truncated += usize::from(length < full);
        set.examples.full_lengths.push(u32::try_from(full).unwrap_or(u32::MAX));
        set.examples.hashes.push(hash.finish());
        set.examples.push_place(&record.place);
        Ok(())
    }

    /// The training, validation and test examples, the names of their labels, and notes.
    pub(super) fn finish(mut self) -> (Examples, Examples, Option<Examples>, LabelNames, Vec<String>) {
        match self.wordless {
            0 => {}
            1 => self.notes.push(format!("data.{}: 1 example has no word and was left out", self.name)),
            count => self.notes.push(format!("data.{}: {count} examples have no word and were left out", self.name)),
        }
        let [train, valid] = [self.train, self.valid].map(|set| set.finish(&self.bound));
        let test = self.test.map(|set| set.finish(&self.bound));
        (train, valid, test, self.labels, self.notes)
    }
}

/// The two ranges of a text of `length` words that are kept; one of them may be empty.
pub fn kept(length: usize, text: &TextOptions) -> [Range<usize>; 2] {
    let most = text.max_tokens.max(1);
    if length <= most {
        return [0..length, length..length];
    }
    let tail = match text.truncate {
        Truncate::Head => 0,
        Truncate::Tail => most,
        Truncate::HeadTail => most / 2,
    };
    [0..most - tail, length - tail..length]
}

fn label(value: &Value) -> Option<std::borrow::Cow<'_, str>> {
    match value {
        Value::Label(label) => Some(label.into()),
        Value::Number(number) => Some(number_label(*number).into()),
        _ => None,
    }
}

fn number(value: &Value, column: &str, place: &Place) -> Result<f32> {
    match value {
        Value::Number(number) => Ok(*number as f32),
        Value::Label(label) => match label.parse::<f32>() {
            Ok(number) if number.is_finite() => Ok(number),
            _ => Err(Malformed {
                file: place.file.to_string(),
                line: u64::from(place.line),
                column: None,
                accepted: format!("a number as {column}"),
                found: excerpt(label),
                help: "correct the value, or make it a task of kind \"classify\"".to_string(),
            }
            .into()),
        },
        _ => Ok(f32::NAN),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_cut_by_rule() {
        let kept = |length, truncate| {
            let text = TextOptions { tokenize: polytask_spec::network::Tokenize::Words, max_tokens: 5, truncate };
            let [head, tail] = kept(length, &text);
            head.chain(tail).collect::<Vec<_>>()
        };
        for truncate in [Truncate::Head, Truncate::Tail, Truncate::HeadTail] {
            assert_eq!(kept(5, truncate), [0, 1, 2, 3, 4]);
            assert_eq!(kept(0, truncate), [0; 0]);
        }
        assert_eq!(kept(9, Truncate::Head), [0, 1, 2, 3, 4]);
        assert_eq!(kept(9, Truncate::Tail), [4, 5, 6, 7, 8]);
        assert_eq!(kept(9, Truncate::HeadTail), [0, 1, 2, 7, 8]);
    }
}
