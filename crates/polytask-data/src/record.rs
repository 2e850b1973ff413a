//! What does a reader yield?

use std::sync::Arc;

/// One example as it stands in a file, its values in the order of the reader's columns.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// A value for each of the reader's columns.
    pub values: Vec<Value>,
    /// Where the example begins.
    pub place: Place,
    /// The part of the corpus that it belongs to; `All` where the format knows no parts.
    pub part: Part,
    /// Where it stands among the records of its path: they are sorted by this, those of equal keys as they came.
    pub order: u64,
}

/// A value of an example.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Text that is not cut into words yet.
    Text(String),
    /// Words.
    Tokens(Vec<String>),
    /// One tag for each word.
    Tags(Vec<String>),
    /// A class.
    Label(String),
    /// Any number of labels.
    Labels(Vec<String>),
    /// A number.
    Number(f64),
    /// Not known: masked out of losses and metrics.
    Missing,
}

/// Where an example begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file as messages name it.
    pub file: Arc<str>,
    /// The line, or the row where a file has no lines, from 1.
    pub line: u32,
}

/// A part of a corpus.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// All examples.
    All,
    /// The examples meant for training.
    Train,
    /// The examples meant for validation.
    Valid,
    /// The examples meant for the test.
    Test,
}

impl Part {
    /// Whether a reader that was asked for `self` yields an example that belongs to `part`.
    pub fn includes(self, part: Part) -> bool {
        self == Part::All || self == part
    }
}

/// The name of a column and what stands in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// The name that tasks use as `target`.
    pub name: String,
    /// What stands in it.
    pub kind: ColumnKind,
}

impl Column {
    /// A column of this name and kind.
    pub fn new(name: impl Into<String>, kind: ColumnKind) -> Column {
        Column { name: name.into(), kind }
    }
}

/// What stands in a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnKind {
    /// Text that is not cut into words yet.
    Text,
    /// Words.
    Tokens,
    /// One tag for each word.
    Tags,
    /// A class; readable as a number where every label is one.
    Label,
    /// A number; readable as a label (`7`).
    Number,
    /// Any number of labels: a list, or a cell of labels with a separator between them.
    Labels,
}

impl ColumnKind {
    /// The word that messages use.
    pub fn name(self) -> &'static str {
        match self {
            ColumnKind::Text => "text",
            ColumnKind::Tokens => "tokens",
            ColumnKind::Tags => "tags",
            ColumnKind::Label => "label",
            ColumnKind::Number => "number",
            ColumnKind::Labels => "labels",
        }
    }
}

/// A number as a label: no decimals where it is integral (`7`, `7.5`).
pub fn number_label(number: f64) -> String {
    format!("{number}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integral_numbers_have_no_decimals_as_labels() {
        assert_eq!(number_label(7.0), "7");
        assert_eq!(number_label(7.5), "7.5");
        assert_eq!(number_label(-2.0), "-2");
    }

    #[test]
    fn all_includes_every_part() {
        assert!(Part::All.includes(Part::Test));
        assert!(Part::Test.includes(Part::Test));
        assert!(!Part::Train.includes(Part::Test));
    }
}
