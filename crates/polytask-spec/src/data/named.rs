//! Which columns of a table are read?

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Files;

/// Columns that hold a text, the likeliest first.
const TEXT_NAMES: [&str; 7] = ["text", "sentence", "review", "content", "comment", "document", "body"];

/// Columns that hold a text as a list of words.
const TOKENS_NAMES: [&str; 3] = ["tokens", "words", "token"];

/// What is read of a table, the same for every format of named columns.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct NamedColumns {
    /// The column that holds the text, or a list of two whose texts are compared (a pair); where absent, the first that the
    /// files have of `text`, `sentence`, `review`, `content`, `comment`, `document`, `body`, `tokens`, `words` and `token`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<Texts>,
    /// The column by whose values `split` and `limit` draw; where absent, `label` if the files have it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stratum: Option<String>,
}

impl NamedColumns {
    /// The columns that hold text, as the file names them; none where it leaves the choice to the readers.
    pub fn texts(&self) -> &[String] {
        self.text.as_ref().map_or(&[], Texts::as_slice)
    }

    /// The columns that hold text where the file does not name them, the likeliest first; lists of words come first
    /// where words are tagged.
    pub fn likely_texts(tagged: bool) -> impl Iterator<Item = &'static str> {
        let (first, second): (&[&str], &[&str]) =
            if tagged { (&TOKENS_NAMES, &TEXT_NAMES) } else { (&TEXT_NAMES, &TOKENS_NAMES) };
        first.iter().chain(second).copied()
    }
}

/// One column or several.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Texts {
    /// A single text.
    One(String),
    /// Several texts, the parts of a pair.
    Many(Vec<String>),
}

impl Texts {
    /// The columns in their order.
    pub fn as_slice(&self) -> &[String] {
        match self {
            Texts::One(name) => std::slice::from_ref(name),
            Texts::Many(names) => names,
        }
    }
}

/// Options of the `csv` format.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CsvData {
    /// Files and splits.
    #[serde(flatten)]
    pub files: Files,
    /// What is read of the columns.
    #[serde(flatten)]
    pub named: NamedColumns,
    /// The ASCII character between two cells.
    #[serde(default = "comma")]
    #[schemars(length(min = 1, max = 1))]
    pub delimiter: String,
    /// Names of the columns from left to right, for files without a header; where absent, the first row names them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub columns: Option<Vec<String>>,
}

fn comma() -> String {
    ",".into()
}

/// Options of the `tsv` format.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TsvData {
    /// Files and splits.
    #[serde(flatten)]
    pub files: Files,
    /// What is read of the columns.
    #[serde(flatten)]
    pub named: NamedColumns,
    /// Names of the columns from left to right, for files without a header; where absent, the first row names them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub columns: Option<Vec<String>>,
}

/// Options of the `jsonl` format.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct JsonlData {
    /// Files and splits.
    #[serde(flatten)]
    pub files: Files,
    /// What is read of the columns.
    #[serde(flatten)]
    pub named: NamedColumns,
}

/// Options of the `parquet` format.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ParquetData {
    /// Files and splits.
    #[serde(flatten)]
    pub files: Files,
    /// What is read of the columns.
    #[serde(flatten)]
    pub named: NamedColumns,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_looked_for_first_where_they_are_tagged() {
        assert_eq!(NamedColumns::likely_texts(false).next(), Some("text"));
        assert_eq!(NamedColumns::likely_texts(true).next(), Some("tokens"));
        assert!(NamedColumns::likely_texts(true).eq(TOKENS_NAMES.into_iter().chain(TEXT_NAMES)));
    }
}
