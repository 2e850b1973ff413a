//! What was found?

use std::path::PathBuf;

use polytask_spec::data::Data;

use crate::record::ColumnKind;

/// What a path holds.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Found {
    /// Its datasets, in an order that depends on names only.
    pub datasets: Vec<DatasetFound>,
    /// Its files of word vectors.
    pub vectors: Vec<VectorsFound>,
    /// Files that are neither, and what they are.
    pub passed: Vec<(PathBuf, String)>,
}

/// A dataset: its files and how they look.
#[derive(Debug, Clone, PartialEq)]
pub struct DatasetFound {
    /// A name made of those of its files: lower-case letters, digits, `-` and `_`.
    pub name: String,
    /// Its table in a configuration, with the files as they were found and shares for what they lack.
    pub data: Data,
    /// How its files look.
    pub layout: Layout,
    /// What decided about files and splits, a sentence each.
    pub why: Vec<String>,
}

/// How the files of a dataset look.
#[derive(Debug, Clone, PartialEq)]
pub struct Layout {
    /// The format and its options; its files are empty.
    pub data: Data,
    /// What decided about the format.
    pub why: String,
    /// The columns from left to right.
    pub columns: Vec<ColumnFound>,
    /// Words of each text that was looked at.
    pub lengths: Vec<usize>,
    /// Whether these are all its texts.
    pub whole: bool,
    /// Whether texts are cut into words by spaces already.
    pub spaced: bool,
}

impl Layout {
    /// A layout of a format and its columns; `texts` are the texts that were looked at.
    pub(crate) fn new<S: AsRef<str>>(data: Data, why: String, columns: Vec<ColumnFound>, texts: &[S]) -> Layout {
        let lengths = texts.iter().map(|text| text.as_ref().split_whitespace().count()).collect();
        Layout { data, why, columns, lengths, whole: false, spaced: is_spaced(texts) }
    }

    /// The columns that may be predicted, and how.
    pub fn targets(&self) -> impl Iterator<Item = (&ColumnFound, TargetKind)> {
        self.columns.iter().filter_map(|column| match column.role {
            Role::Target(kind) => Some((column, kind)),
            Role::Text | Role::Tokens | Role::Ignored(_) => None,
        })
    }

    /// The words that 95 of 100 texts do not exceed.
    pub fn length_p95(&self) -> usize {
        let mut sorted = self.lengths.clone();
        sorted.sort_unstable();
        sorted.get((sorted.len() * 95 / 100).min(sorted.len().saturating_sub(1))).copied().unwrap_or(0)
    }
}

/// Whether punctuation stands alone nearly everywhere, as in texts that were cut into words before.
fn is_spaced<S: AsRef<str>>(texts: &[S]) -> bool {
    let (mut alone, mut attached) = (0_usize, 0_usize);
    for word in texts.iter().flat_map(|text| text.as_ref().split_whitespace()) {
        match word {
            "." | "," | "!" | "?" => alone += 1,
            _ if word.len() > 1 && word.ends_with([',', '!', '?']) => attached += 1,
            _ => {}
        }
    }
    alone > 20 * attached && alone > 0
}

/// A column and what it may be good for.
#[derive(Debug, Clone, PartialEq)]
pub struct ColumnFound {
    /// Its name.
    pub name: String,
    /// How a reader reads it.
    pub kind: ColumnKind,
    /// What it may be good for.
    pub role: Role,
    /// Whether it is the likeliest one to be predicted.
    pub suggested: bool,
}

/// What a column may be good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// It holds texts.
    Text,
    /// It holds lists of words.
    Tokens,
    /// It may be predicted.
    Target(TargetKind),
    /// It is left aside, for this reason.
    Ignored(&'static str),
}

/// How a column may be predicted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TargetKind {
    /// As one of so many classes.
    Classify(usize),
    /// As a number.
    Regress,
    /// As a tag for each word that makes spans (`B-PER`).
    TagSpans,
    /// As a tag for each word.
    Tag,
}

impl TargetKind {
    /// The kind of task, as written in a configuration.
    pub fn name(self) -> &'static str {
        match self {
            TargetKind::Classify(_) => "classify",
            TargetKind::Regress => "regress",
            TargetKind::TagSpans | TargetKind::Tag => "tag",
        }
    }
}

/// A file of word vectors.
#[derive(Debug, Clone, PartialEq)]
pub struct VectorsFound {
    /// The file.
    pub path: PathBuf,
    /// Numbers in a vector.
    pub dim: usize,
    /// Words, where the file says how many.
    pub words: Option<usize>,
    /// What decided.
    pub why: String,
    /// Why the program cannot read it as it is, and what to do about that.
    pub unreadable: Option<String>,
}
