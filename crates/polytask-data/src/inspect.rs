//! What do all the files of a dataset hold?
//!
//! Every record is read once, by the reader that training uses: labels and tags are counted, texts are measured in
//! words as training cuts them. Memory grows with the number of texts and of distinct labels, not with their length.

use std::collections::BTreeMap;
use std::path::Path;

use polytask_spec::data::{Data, Paths};
use polytask_spec::network::Tokenize;
use serde::Serialize;

use crate::error::{Result, excerpt};
use crate::readers;
use crate::recognise::{DatasetFound, Role};
use crate::record::{Column, ColumnKind, Part, Record, Value, number_label};
use crate::tokenize::tokenize;

/// Distinct values of a column that are counted one by one.
const VALUES_MAX: usize = 1_000;

/// Examples that are shown of a part.
const EXAMPLES: usize = 3;

/// What the files of a dataset hold.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Inspected {
    /// The dataset.
    pub dataset: String,
    /// The format.
    pub format: &'static str,
    /// What decided about format, files and splits.
    pub why: Vec<String>,
    /// Its parts, as far as files tell them apart.
    pub parts: Vec<PartInspected>,
    /// What readers say about the files.
    pub notes: Vec<String>,
}

/// What a part of a dataset holds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PartInspected {
    /// `train`, `valid`, `test`, or `all`.
    pub part: &'static str,
    /// Examples.
    pub examples: usize,
    /// The lengths of texts in words; none where there are no texts.
    pub lengths: Option<Lengths>,
    /// The columns that are read.
    pub columns: Vec<ColumnInspected>,
    /// The first examples, cut where they are long.
    pub shown: Vec<String>,
}

/// Lengths of texts in words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Lengths {
    /// Half the texts are not longer.
    pub median: usize,
    /// 95 of 100 texts are not longer.
    pub p95: usize,
    /// The longest text.
    pub max: usize,
    /// Words of all texts together.
    pub total: usize,
}

/// What a column holds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ColumnInspected {
    /// Its name.
    pub name: String,
    /// What stands in it: `text`, `tokens`, `tags`, `label`, `number`.
    pub kind: &'static str,
    /// Examples without a value.
    pub missing: usize,
    /// Distinct values; `None` where they are too many to be counted.
    pub distinct: Option<usize>,
    /// The values and how often each comes, the most frequent first; empty for texts and where they are too many.
    pub values: Vec<(String, usize)>,
    /// The least and the largest value, where all are numbers.
    pub range: Option<[f64; 2]>,
}

/// Reads all files of a dataset and says what they hold.
///
/// # Errors
/// What the reader cannot read, with its file and line.
pub fn inspect(found: &DatasetFound) -> Result<Inspected> {
    let targets: Vec<Column> = found
        .layout
        .columns
        .iter()
        .filter(|column| matches!(column.role, Role::Target(_)))
        .map(|column| {
            Column::new(
                column.name.clone(),
                if column.kind == ColumnKind::Tags { column.kind } else { ColumnKind::Label },
            )
        })
        .collect();
    let reader = readers::for_data(&found.data, &targets);
    let files = found.data.files();
    let mut parts: Vec<(&'static str, Part, Vec<String>)> = Vec::new();
    match (&files.path, &found.data) {
        (Some(path), Data::Imdb(_)) => {
            parts.push(("train", Part::Train, vec![path.clone()]));
            parts.push(("test", Part::Test, vec![path.clone()]));
        }
        (Some(path), _) => parts.push(("all", Part::All, vec![path.clone()])),
        (None, _) => {
            let given = [
                ("train", Part::Train, &files.train),
                ("valid", Part::Valid, &files.valid),
                ("test", Part::Test, &files.test),
            ];
            for (name, part, paths) in given {
                parts.extend(paths.as_ref().map(|paths: &Paths| (name, part, paths.as_slice().to_vec())));
            }
        }
    }
    let (mut inspected, mut notes) = (Vec::new(), Vec::new());
    for (name, part, paths) in parts {
        let mut counts = Counts::new(reader.columns());
        for path in paths {
            let told = reader.read(Path::new(&path), part, &mut |record| {
                counts.add(&record);
                Ok(())
            })?;
            for note in told {
                if !notes.contains(&note) {
                    notes.push(note);
                }
            }
        }
        inspected.push(counts.finish(name));
    }
    let (dataset, why) = (found.name.clone(), found.why.clone());
    Ok(Inspected { dataset, format: found.data.format(), why, parts: inspected, notes })
}

/// What was counted so far.
struct Counts {
    columns: Vec<Column>,
    examples: usize,
    lengths: Vec<usize>,
    missing: Vec<usize>,
    /// The values of each column; `None` where they are too many.
    values: Vec<Option<BTreeMap<String, usize>>>,
    shown: Vec<String>,
}

impl Counts {
    fn new(columns: Vec<Column>) -> Counts {
        let width = columns.len();
        let values = vec![Some(BTreeMap::new()); width];
        Counts { columns, examples: 0, lengths: Vec::new(), missing: vec![0; width], values, shown: Vec::new() }
    }

    fn add(&mut self, record: &Record) {
        self.examples += 1;
        let mut length = 0;
        for (index, value) in record.values.iter().enumerate() {
            match value {
                Value::Text(text) => tokenize(text, Tokenize::Words, |_, _| length += 1),
                Value::Tokens(words) => length += words.len(),
                Value::Tags(names) | Value::Labels(names) => names.iter().for_each(|name| self.count(index, name)),
                Value::Label(label) => self.count(index, label),
                Value::Number(number) => self.count(index, &number_label(*number)),
                Value::Missing => self.missing[index] += 1,
            }
        }
        self.lengths.push(length);
        if self.shown.len() < EXAMPLES {
            self.shown.push(shown(&self.columns, record));
        }
    }

    fn count(&mut self, column: usize, value: &str) {
        let Some(counts) = &mut self.values[column] else { return };
        if let Some(count) = counts.get_mut(value) {
            *count += 1;
        } else if counts.len() < VALUES_MAX {
            counts.insert(value.to_string(), 1);
        } else {
            self.values[column] = None;
        }
    }

    fn finish(mut self, part: &'static str) -> PartInspected {
        self.lengths.sort_unstable();
        let at = |share: usize| self.lengths[(self.lengths.len() * share / 100).min(self.lengths.len() - 1)];
        let lengths = (!self.lengths.is_empty()).then(|| Lengths {
            median: at(50),
            p95: at(95),
            max: at(100),
            total: self.lengths.iter().sum(),
        });
        let columns = self.columns.iter().zip(self.values).zip(&self.missing);
        let columns = columns.map(|((column, values), &missing)| column_of(column, values, missing)).collect();
        PartInspected { part, examples: self.examples, lengths, columns, shown: self.shown }
    }
}

fn column_of(column: &Column, values: Option<BTreeMap<String, usize>>, missing: usize) -> ColumnInspected {
    let is_text = matches!(column.kind, ColumnKind::Text | ColumnKind::Tokens);
    let distinct = values.as_ref().map(BTreeMap::len).filter(|_| !is_text);
    let numbers: Option<Vec<f64>> = values
        .iter()
        .flatten()
        .map(|(value, _)| value.parse().ok().filter(|number: &f64| number.is_finite()))
        .collect();
    let range = numbers.filter(|numbers| !numbers.is_empty()).map(|numbers| {
        numbers
            .iter()
            .fold([f64::INFINITY, f64::NEG_INFINITY], |[least, most], &number| [least.min(number), most.max(number)])
    });
    let mut values: Vec<(String, usize)> = values.into_iter().flatten().collect();
    values.sort_by(|(one, ones), (other, others)| others.cmp(ones).then_with(|| one.cmp(other)));
    ColumnInspected { name: column.name.clone(), kind: column.kind.name(), missing, distinct, values, range }
}

fn shown(columns: &[Column], record: &Record) -> String {
    let value = |value: &Value| match value {
        Value::Text(text) | Value::Label(text) => excerpt(text),
        Value::Tokens(words) | Value::Tags(words) | Value::Labels(words) => excerpt(&words.join(" ")),
        Value::Number(number) => number_label(*number),
        Value::Missing => "missing".to_string(),
    };
    let pairs: Vec<String> = columns
        .iter()
        .zip(&record.values)
        .map(|(column, found)| format!("{} = {}", column.name, value(found)))
        .collect();
    pairs.join(", ")
}
