//! How does a record become an example?

use std::ops::Range;

use polytask_spec::network::Truncate;

use super::labels::LabelNames;
use super::{AsKind, Bound, BoundText, Request, TextOptions, bind, flags};
use crate::error::{Error, Malformed, Result, excerpt};
use crate::hash::Hash;
use crate::interner::Interner;
use crate::readers::Reader;
use crate::record::{Part, Place, Record, Value, number_label};
use crate::split;
use crate::subwords::Subwords;
use crate::table::{ColumnStore, Examples, MISSING_LABEL, Ragged};
use crate::tokenize::tokenize;

/// Examples under construction.
pub(super) struct Builder<'a> {
    words: &'a mut Interner,
    text: TextOptions,
    subwords: Option<&'a Subwords>,
    texts: Vec<BoundText>,
    bound: Vec<Bound>,
    labels: LabelNames,
    /// Where the stratum stands in a record.
    stratum_position: Option<usize>,
    stratum_names: Interner,
    /// The stratum of each training example, as an identifier of `stratum_names`.
    strata: Vec<u32>,
    train: Set,
    valid: Set,
    test: Option<Set>,
    word_lines: bool,
    /// The words of each text of the current record; kept to spare allocations.
    rows: Vec<Vec<u32>>,
    wordless: usize,
    name: String,
    /// What the user should know about the reading.
    pub(super) notes: Vec<String>,
}

/// What was read.
pub(super) struct Sets {
    pub(super) train: Examples,
    pub(super) valid: Examples,
    pub(super) test: Option<Examples>,
    /// The stratum of each training example.
    pub(super) strata: Vec<u32>,
    /// The names of labels and tags.
    pub(super) labels: LabelNames,
    pub(super) notes: Vec<String>,
}

/// The examples of one set; `tokens` in the order of the texts, `columns` in that of the targets.
#[derive(Default)]
struct Set {
    tokens: Vec<Ragged<u32>>,
    columns: Vec<ColumnStore>,
    examples: Examples,
    /// The keys of the current path's examples, which stand last.
    order: Vec<u64>,
}

impl Set {
    fn new(texts: &[BoundText], bound: &[Bound], word_lines: bool) -> Set {
        let store = |bound: &Bound| match bound.target.as_ {
            AsKind::Label => ColumnStore::Labels(Vec::new()),
            AsKind::Number => ColumnStore::Numbers(Vec::new()),
            AsKind::Tags => ColumnStore::Tags(Ragged::new()),
            AsKind::Labels { .. } | AsKind::Flags(_) => ColumnStore::LabelSets(Ragged::new()),
        };
        Set {
            tokens: vec![Ragged::new(); texts.len()],
            columns: bound.iter().map(store).collect(),
            examples: Examples { word_lines, ..Examples::default() },
            order: Vec::new(),
        }
    }

    /// Sorts the examples of the current path by their keys; returns the new order of all, where it is another.
    fn end_path(&mut self) -> Option<Vec<usize>> {
        let order = std::mem::take(&mut self.order);
        if order.is_sorted() {
            return None;
        }
        let before = self.examples.len() - order.len();
        let mut sorted: Vec<usize> = (0..self.examples.len()).collect();
        sorted[before..].sort_by_key(|&index| order[index - before]);
        self.tokens.iter_mut().for_each(|tokens| *tokens = tokens.select(&sorted));
        self.columns.iter_mut().for_each(|column| *column = column.select(&sorted));
        self.examples = Examples { truncated: self.examples.truncated, ..self.examples.select(&sorted) };
        Some(sorted)
    }

    fn finish(self, texts: &[BoundText], bound: &[Bound]) -> Examples {
        let mut examples = self.examples;
        let names = bound.iter().map(|bound| bound.target.column.clone());
        examples.columns = names.zip(self.columns).collect();
        let texts = texts.iter().map(|text| text.name.clone());
        examples.columns.extend(texts.zip(self.tokens.into_iter().map(ColumnStore::Tokens)));
        examples
    }
}

impl<'a> Builder<'a> {
    pub(super) fn new(request: &Request<'a>, reader: &dyn Reader, words: &'a mut Interner) -> Result<Builder<'a>> {
        let columns = reader.columns();
        let (texts, bound) = bind(request, &columns)?;
        let set = || Set::new(&texts, &bound, reader.word_lines());
        let stratum = reader.stratum();
        Ok(Builder {
            words,
            text: request.text,
            subwords: request.subwords,
            labels: LabelNames::new(&bound),
            stratum_position: columns.iter().position(|column| Some(column.name.as_str()) == stratum),
            stratum_names: Interner::new(),
            strata: Vec::new(),
            train: set(),
            valid: set(),
            test: None,
            rows: vec![Vec::new(); texts.len()],
            word_lines: reader.word_lines(),
            texts,
            bound,
            wordless: 0,
            name: request.name.to_string(),
            notes: Vec::new(),
        })
    }

    /// Adds a record to a set.
    ///
    /// # Errors
    /// A label that is asked for as a number and is none, or is not finite; one that is asked for as 0 or 1 and is neither; a text that a tokenizer cannot cut.
    pub(super) fn push(&mut self, mut record: Record, part: Part) -> Result<()> {
        let hash = self.words(&mut record)?;
        if self.rows.iter().any(Vec::is_empty) {
            self.wordless += 1;
            return Ok(());
        }
        let set = match part {
            Part::Valid => &mut self.valid,
            Part::Test => self.test.get_or_insert_with(|| Set::new(&self.texts, &self.bound, self.word_lines)),
            Part::All | Part::Train => &mut self.train,
        };
        let full = self.rows[0].len();
        let kept = kept(full, &self.text);
        for (index, (bound, column)) in self.bound.iter().zip(&mut set.columns).enumerate() {
            let value = &record.values[bound.positions[0]];
            match column {
                ColumnStore::Labels(labels) => labels.push(match label(value) {
                    Some(name) => self.labels.intern(index, &name),
                    None => MISSING_LABEL,
                }),
                ColumnStore::LabelSets(rows) => rows.push(&match label_set(&record, bound)? {
                    Some(names) => distinct(names.iter().map(|name| self.labels.intern(index, name))),
                    None => vec![MISSING_LABEL],
                }),
                ColumnStore::Numbers(numbers) => numbers.push(number(value, &bound.target.column, &record.place)?),
                ColumnStore::Tags(rows) | ColumnStore::Tokens(rows) => {
                    let tags = if let Value::Tags(tags) = value { tags.as_slice() } else { &[] };
                    let tags = kept.iter().cloned().flatten().map(|word| match tags.get(word) {
                        Some(tag) => self.labels.intern(index, tag),
                        None => MISSING_LABEL,
                    });
                    rows.push(&tags.collect::<Vec<u32>>());
                }
            }
        }
        for (row, tokens) in self.rows.iter_mut().zip(&mut set.tokens) {
            // The tail moves down to where the head ends, and what follows it is cut off.
            let [head, tail] = self::kept(row.len(), &self.text);
            let length = head.len() + tail.len();
            row.copy_within(tail, head.end);
            tokens.push(&row[..length]);
        }
        set.examples.truncated += usize::from(kept.iter().map(Range::len).sum::<usize>() < full);
        set.examples.full_lengths.push(u32::try_from(full).unwrap_or(u32::MAX));
        set.examples.hashes.push(hash);
        set.examples.push_place(&record.place);
        set.order.push(record.order);
        if matches!(part, Part::All | Part::Train) {
            let name = self.stratum_position.and_then(|position| label(&record.values[position]));
            self.strata.push(name.map_or(MISSING_LABEL, |name| self.stratum_names.intern(&name)));
        }
        Ok(())
    }

    /// Interns the words of the texts of a record; returns the hash of the words of its file, which does not depend on
    /// how an input cuts a text into words.
    fn words(&mut self, record: &mut Record) -> Result<u64> {
        let mut hash = Hash::new();
        for (index, (text, row)) in self.texts.iter().zip(&mut self.rows).enumerate() {
            row.clear();
            if index > 0 {
                hash.number(index as u64);
            }
            match std::mem::replace(&mut record.values[text.position], Value::Missing) {
                Value::Text(text) => {
                    match self.subwords {
                        None => tokenize(&text, self.text.tokenize, |_, word| row.push(self.words.intern(word))),
                        Some(subwords) => cut(subwords, &text, &record.place, row, self.words)?,
                    }
                    text.split_whitespace().for_each(|word| hash.word(word));
                }
                Value::Tokens(tokens) => {
                    match self.subwords {
                        None => row.extend(tokens.iter().map(|token| self.words.intern(token))),
                        Some(subwords) => cut(subwords, &tokens.join(" "), &record.place, row, self.words)?,
                    }
                    tokens.iter().for_each(|token| hash.word(token));
                }
                _ => {}
            }
        }
        Ok(hash.finish())
    }

    /// Tells that the records of one path have all come, and may be sorted.
    pub(super) fn end_path(&mut self) {
        if let Some(order) = self.train.end_path() {
            self.strata = order.iter().map(|&index| self.strata[index]).collect();
        }
        for set in std::iter::once(&mut self.valid).chain(&mut self.test) {
            set.end_path();
        }
    }

    /// What was read.
    pub(super) fn finish(mut self) -> Sets {
        match self.wordless {
            0 => {}
            1 => self.notes.push(format!("data.{}: 1 example has no word and was left out", self.name)),
            count => self.notes.push(format!("data.{}: {count} examples have no word and were left out", self.name)),
        }
        let [train, valid] = [self.train, self.valid].map(|set| set.finish(&self.texts, &self.bound));
        let test = self.test.map(|set| set.finish(&self.texts, &self.bound));
        let strata = split::strata(&self.stratum_names, &self.strata);
        Sets { train, valid, test, strata, labels: self.labels, notes: self.notes }
    }
}

/// Appends the tokens that a tokenizer cuts a text into.
fn cut(subwords: &Subwords, text: &str, place: &Place, row: &mut Vec<u32>, words: &mut Interner) -> Result<()> {
    subwords.cut(text, |_, token| row.push(words.intern(token))).map_err(|error| Error::Tokenizer {
        path: format!("{}:{}", place.file, place.line),
        message: format!("the tokenizer cannot cut the text: {error}"),
        help: "take the example out, or use another tokenizer".into(),
    })
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

/// The labels of a list, of a cell, or of columns of their own; `None` where they are not known.
///
/// # Errors
/// A column of a label that holds neither 0 nor 1.
fn label_set<'r>(record: &'r Record, bound: &'r Bound) -> Result<Option<Vec<&'r str>>> {
    let labels = match (&record.values[bound.positions[0]], &bound.target.as_) {
        (_, AsKind::Flags(names)) => {
            let values = bound.positions.iter().map(|&position| &record.values[position]);
            return flags::labels(names, values, &record.place);
        }
        (Value::Labels(labels), _) => labels.iter().map(String::as_str).filter(|label| !label.is_empty()).collect(),
        (Value::Label(cell), AsKind::Labels { separator }) => {
            cell.split(*separator).map(str::trim).filter(|label| !label.is_empty()).collect()
        }
        _ => return Ok(None),
    };
    Ok(Some(labels))
}

/// Numbers without repetition, in the order of first sight.
fn distinct(ids: impl Iterator<Item = u32>) -> Vec<u32> {
    let mut once = Vec::new();
    for id in ids {
        if !once.contains(&id) {
            once.push(id);
        }
    }
    once
}

fn number(value: &Value, column: &str, place: &Place) -> Result<f32> {
    let number = match value {
        Value::Number(number) => Some(*number as f32),
        Value::Label(label) => label.parse::<f32>().ok(),
        _ => return Ok(f32::NAN),
    };
    let accepted = match number {
        Some(number) if number.is_finite() => return Ok(number),
        Some(_) => format!("a finite number as {column}"),
        None => format!("a number as {column}"),
    };
    let found = label(value).map_or_else(String::new, |label| excerpt(&label));
    let help = "correct the value, or make it a task of kind \"classify\"".to_string();
    let (file, line) = (place.file.to_string(), u64::from(place.line));
    Err(Malformed { file, line, column: None, accepted, found, help }.into())
}

#[cfg(test)]
mod tests {
    use super::super::labels::HeldOut;
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

    #[test]
    fn a_word_without_a_tag_has_a_missing_one() {
        let files = polytask_spec::data::Files::default();
        let columns = vec!["token".to_string(), "tag".to_string()];
        let data = polytask_spec::data::Data::Conll(polytask_spec::data::ConllData { files, columns });
        let text = TextOptions {
            tokenize: polytask_spec::network::Tokenize::Words,
            max_tokens: 3,
            truncate: Truncate::HeadTail,
        };
        let targets = [super::super::Target { column: "tag".to_string(), as_: AsKind::Tags }];
        let roots = crate::open::Roots { dirs: Vec::new() };
        let request =
            Request { name: "x", data: &data, roots: &roots, seed: 0, text, subwords: None, targets: &targets };
        let mut words = Interner::new();
        let reader = crate::readers::for_data(&data, &[]);
        let mut builder = Builder::new(&request, reader.as_ref(), &mut words).unwrap();
        let of = |text: &str| text.split(' ').map(str::to_string).collect::<Vec<String>>();
        let tags = [Value::Tags(of("A B")), Value::Missing, Value::Tags(of("B")), Value::Missing];
        for (tags, part) in tags.into_iter().zip([Part::Train, Part::Train, Part::Train, Part::Valid]) {
            let values = vec![Value::Tokens(of("a b c d e")), tags];
            let place = Place { file: "f".into(), line: 1 };
            builder.push(Record { values, place, part, order: 0 }, part).unwrap();
        }
        let mut sets = builder.finish();
        let mut held_out = [HeldOut { examples: &mut sets.valid, drawn: false }];
        sets.labels.settle(&request, &mut sets.train, &mut held_out, &mut sets.notes).unwrap();
        let rows: Vec<&[u32]> = sets.train.tags("tag").unwrap().iter().collect();
        assert_eq!(rows, [[0, 1, MISSING_LABEL], [MISSING_LABEL; 3], [1, MISSING_LABEL, MISSING_LABEL]]);
        assert_eq!(sets.valid.tags("tag").unwrap().get(0), [MISSING_LABEL; 3]);
    }
}
