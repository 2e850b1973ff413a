//! How do files become a dataset?
//!
//! Every record is turned into numbers as soon as it is read: words by the shared interner, in reading order; labels
//! and tags by lists of their own, which are sorted once training is known. Then examples are divided into train,
//! valid and test, and the training examples are limited: by their texts and a seed alone, see
//! [`split`](crate::split).

mod builder;
mod divide;
mod fingerprint;
mod flags;
mod labels;
mod notes;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use polytask_spec::data::{Data, Files, Paths};
use polytask_spec::network::{Tokenize, Truncate};

pub use self::builder::kept;
use self::builder::{Builder, Sets};
use self::labels::HeldOut;
use crate::error::{Error, Result};
use crate::interner::Interner;
use crate::open::Roots;
use crate::readers::{self, Reader};
use crate::record::{Column, ColumnKind, Part};
use crate::subwords::Subwords;
use crate::table::{ColumnStore, Examples, TEXT};

/// What is read, and what for.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The name of the dataset: for messages only.
    pub name: &'a str,
    /// The format, the files and the split.
    pub data: &'a Data,
    /// Where relative paths are looked for.
    pub roots: &'a Roots,
    /// The seed of what is drawn, where the split has none of its own.
    pub seed: u64,
    /// How text becomes words.
    pub text: TextOptions,
    /// What cuts texts in place of `text.tokenize`, where the input has a tokenizer of its own.
    pub subwords: Option<&'a Subwords>,
    /// The columns that tasks predict.
    pub targets: &'a [Target],
}

/// How text becomes words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TextOptions {
    /// How text is cut into words, where the reader does not give them.
    pub tokenize: Tokenize,
    /// Longest text in words, from 1.
    pub max_tokens: usize,
    /// Which part of a longer text is kept.
    pub truncate: Truncate,
}

/// A column that a task predicts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Target {
    /// The reader's column; the name that several of [`AsKind::Flags`] go by together.
    pub column: String,
    /// What it is read as.
    pub as_: AsKind,
}

/// What a target column is read as.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum AsKind {
    /// A class; a column of numbers gives labels such as `7`.
    Label,
    /// A number; a column of labels must hold numbers.
    Number,
    /// One tag for each word.
    Tags,
    /// Any number of labels; a cell is cut at the separator.
    Labels {
        /// The character between two labels of a cell.
        separator: char,
    },
    /// Any number of labels: these columns say by 0 or 1 whether an example has the label of their name.
    Flags(Vec<String>),
}

impl Target {
    /// The columns that are read for it.
    fn names(&self) -> &[String] {
        match &self.as_ {
            AsKind::Flags(names) => names,
            _ => std::slice::from_ref(&self.column),
        }
    }

    /// The columns of a format that has whatever is asked of it.
    fn as_columns(&self) -> impl Iterator<Item = Column> {
        let kind = match self.as_ {
            AsKind::Label | AsKind::Flags(_) => ColumnKind::Label,
            AsKind::Number => ColumnKind::Number,
            AsKind::Tags => ColumnKind::Tags,
            AsKind::Labels { .. } => ColumnKind::Labels,
        };
        self.names().iter().map(move |name| Column::new(name, kind))
    }
}

impl AsKind {
    fn reads(&self, kind: ColumnKind) -> bool {
        match self {
            AsKind::Label | AsKind::Number | AsKind::Flags(_) => matches!(kind, ColumnKind::Label | ColumnKind::Number),
            AsKind::Tags => kind == ColumnKind::Tags,
            AsKind::Labels { .. } => kind == ColumnKind::Labels,
        }
    }

    fn name(&self) -> &'static str {
        match self {
            AsKind::Label => "label",
            AsKind::Number => "number",
            AsKind::Tags => "tags",
            AsKind::Labels { .. } => "a set of labels",
            AsKind::Flags(_) => "0 or 1",
        }
    }
}

/// A dataset in memory.
#[derive(Debug, Clone, PartialEq)]
pub struct Dataset {
    /// The name of the dataset.
    pub name: String,
    /// The training examples; never empty.
    pub train: Examples,
    /// The validation examples; empty where the file names none and draws none.
    pub valid: Examples,
    /// The test examples.
    pub test: Option<Examples>,
    /// The names of labels or tags of each target column, as training has them: sorted, by value where all are numbers.
    ///
    /// Span tags (`I-PRT`) of valid and test are among them if training has their type under another prefix.
    pub labels: BTreeMap<String, Vec<String>>,
    /// What the user should know about the reading.
    pub notes: Vec<String>,
}

/// Reads a dataset; `words` may hold words of other datasets, and gets those of this one.
///
/// Examples without any word are left out, and texts longer than `max_tokens` are cut; both are noted. The training examples that are kept are counted in `words`,
/// each text as far as it is kept.
///
/// # Errors
/// Files that are missing, empty or malformed; targets that the format does not have; a target with one class only
/// in training; a label or tag in valid or test that training never has.
pub fn load(request: &Request<'_>, words: &mut Interner) -> Result<Dataset> {
    let targets: Vec<Column> = request.targets.iter().flat_map(Target::as_columns).collect();
    let reader = readers::for_data(request.data, &targets);
    let mut builder = Builder::new(request, reader.as_ref(), words)?;
    let own_test = read_files(request, reader.as_ref(), &mut builder)?;
    let mut sets = builder.finish();
    let draws = divide::hold_out(request, own_test, &mut sets);
    let Sets { mut train, mut valid, mut test, mut strata, mut labels, mut notes } = sets;
    if train.is_empty() {
        return Err(divide::empty(request, "training"));
    }
    let mut held_out = vec![HeldOut { examples: &mut valid, drawn: draws.valid }];
    held_out.extend(test.as_mut().map(|examples| HeldOut { examples, drawn: draws.test }));
    let labels = labels.settle(request, &mut train, &mut held_out, &mut notes)?;
    divide::check_held_out(request, &valid, test.as_ref())?;
    divide::limit(request, &mut train, &mut strata);
    if train.is_empty() {
        let help = "give more examples, or a smaller `split` or larger `limit`";
        return Err(unfit(request, "no training examples are left", help));
    }
    notes.extend(notes::cut(request, &train, &valid, test.as_ref()));
    for column in train.columns.values() {
        if let ColumnStore::Tokens(tokens) = column {
            words.count(tokens.values());
        }
    }
    Ok(Dataset { name: request.name.to_string(), train, valid, test, labels, notes })
}

/// Reads every file; returns whether a corpus brought a test part of its own.
fn read_files(request: &Request<'_>, reader: &dyn Reader, builder: &mut Builder<'_>) -> Result<bool> {
    let Files { path, train, valid, test, .. } = request.data.files();
    let mut own_test = false;
    match (path, train) {
        (Some(path), None) => {
            // Given test files take the place of the corpus's own.
            let part = if test.is_some() { Part::Train } else { Part::All };
            own_test = read_path(request, reader, path, part, Part::Train, builder)?;
        }
        (None, Some(paths)) => read_paths(request, reader, paths, Part::Train, builder)?,
        (Some(_), Some(_)) => {
            return Err(unfit(request, "gives both `path` and `train`", "remove one of them"));
        }
        (None, None) => {
            return Err(unfit(
                request,
                "names no files",
                "give `train`, or `path` for a file or folder with everything",
            ));
        }
    }
    for (paths, part) in [(valid, Part::Valid), (test, Part::Test)] {
        if let Some(paths) = paths {
            read_paths(request, reader, paths, part, builder)?;
        }
    }
    Ok(own_test)
}

fn read_paths(
    request: &Request<'_>,
    reader: &dyn Reader,
    paths: &Paths,
    part: Part,
    builder: &mut Builder<'_>,
) -> Result<()> {
    if paths.as_slice().is_empty() {
        return Err(unfit(request, "has an empty list of files", "name a file, or remove the key"));
    }
    for path in paths.as_slice() {
        read_path(request, reader, path, part, part, builder)?;
    }
    Ok(())
}

/// Reads `part` of a path; records of no part go to `default`. Returns whether there were test records of the
/// format's own.
fn read_path(
    request: &Request<'_>,
    reader: &dyn Reader,
    path: &str,
    part: Part,
    default: Part,
    builder: &mut Builder<'_>,
) -> Result<bool> {
    let place = request.roots.resolve(path)?;
    let (mut count, mut own_test) = (0_usize, false);
    let notes = reader.read(&place, part, &mut |record| {
        own_test |= record.part == Part::Test;
        let part = if record.part == Part::All { default } else { record.part };
        count += usize::from(part == default);
        builder.push(record, part)
    })?;
    if count == 0 {
        let part = match default {
            Part::Test => " of a test part",
            Part::Valid => " of a validation part",
            Part::All | Part::Train => "",
        };
        let format = request.data.format();
        let summary = readers::all().iter().find(|entry| entry.key == format).map_or("", |entry| entry.summary);
        let help = format!("check the path; there are no examples{part} as `{format}` reads them: {summary}");
        return Err(Error::Empty { path: place.display().to_string(), help });
    }
    builder.end_path();
    builder.notes.extend(notes);
    Ok(own_test)
}

/// A target and where its columns stand in a record.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Bound {
    target: Target,
    positions: Vec<usize>,
}

/// A text and where it stands in a record.
#[derive(Debug, Clone, PartialEq, Eq)]
struct BoundText {
    /// Its name among the columns of the examples.
    name: String,
    position: usize,
}

/// Finds the texts, at least one, and the targets among the reader's columns.
fn bind(request: &Request<'_>, columns: &[Column]) -> Result<(Vec<BoundText>, Vec<Bound>)> {
    let is_text = |column: &Column| matches!(column.kind, ColumnKind::Text | ColumnKind::Tokens);
    let mut texts = Vec::<BoundText>::new();
    for (position, column) in columns.iter().enumerate().filter(|(_, column)| is_text(column)) {
        // The first text has one name in all datasets, so that they can share an input.
        let name = if texts.is_empty() { TEXT } else { column.name.as_str() };
        if texts.iter().any(|text| text.name == name) {
            let message = format!("the text `{name}` cannot follow another one");
            return Err(unfit(request, &message, "name it first among the texts, and each of them once"));
        }
        texts.push(BoundText { name: name.to_string(), position });
    }
    if texts.is_empty() {
        return Err(unfit(request, "no column holds words", "name one of `columns` \"token\""));
    }
    let mut bound = Vec::<Bound>::new();
    for target in request.targets {
        let known = || {
            let names = columns.iter().filter(|column| !is_text(column));
            let names: Vec<String> = names.map(|column| format!("{} ({})", column.name, column.kind.name())).collect();
            if names.is_empty() { "the format has no targets".into() } else { format!("there is {}", names.join(", ")) }
        };
        let position = |name: &String| {
            let position = columns.iter().position(|column| column.name == *name && name != TEXT);
            let position = position.filter(|&position| !is_text(&columns[position]));
            position.ok_or_else(|| unfit(request, &format!("has no column `{name}` to predict"), &known()))
        };
        let positions = target.names().iter().map(position).collect::<Result<Vec<usize>>>()?;
        let name = &target.column;
        match bound.iter().find(|other| other.target.column == *name) {
            Some(other) if other.target == *target => {}
            Some(other) => {
                let message = format!(
                    "the column `{name}` is asked for as {} and as {}",
                    other.target.as_.name(),
                    target.as_.name()
                );
                return Err(unfit(request, &message, "name the files a second time, as another dataset"));
            }
            None => {
                if let Some(other) = positions.iter().find(|&&position| !target.as_.reads(columns[position].kind)) {
                    let name = &columns[*other].name;
                    let message = format!("the column `{name}` cannot be read as {}", target.as_.name());
                    return Err(unfit(request, &message, &known()));
                }
                bound.push(Bound { target: target.clone(), positions });
            }
        }
    }
    Ok((texts, bound))
}

fn unfit(request: &Request<'_>, message: &str, help: &str) -> Error {
    Error::Unfit { dataset: request.name.to_string(), message: message.to_string(), help: help.to_string() }
}
