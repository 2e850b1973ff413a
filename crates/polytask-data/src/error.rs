//! What can be wrong with the data?

use std::fmt;
use std::path::{Path, PathBuf};

/// A result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Everything that can be wrong with files and the examples in them.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file or folder is not there.
    #[error("{path}: no such file or folder{}", Tried { path, tried })]
    Missing {
        /// The path as the user wrote it.
        path: String,
        /// Every place that was looked at.
        tried: Vec<PathBuf>,
    },
    /// The operating system or a decompressor could not read a file.
    #[error("{path}: cannot be read: {source}")]
    Io {
        /// The file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// A compressed file or an archive ends in the middle.
    #[error("{path}: the file ends too early, it is cut off\n  help: copy or download it again")]
    Truncated {
        /// The file.
        path: String,
    },
    /// The data of a compressed file are damaged.
    #[error("{path}: the compressed data are damaged: {source}\n  help: copy or download it again")]
    Damaged {
        /// The file.
        path: String,
        /// What the decompressor says.
        source: std::io::Error,
    },
    /// A file or folder holds no example.
    #[error("{path}: holds no examples\n  help: {help}")]
    Empty {
        /// The file or folder.
        path: String,
        /// What to do about it.
        help: String,
    },
    /// A place in a file does not look as its format demands.
    #[error("{0}")]
    Malformed(Box<Malformed>),
    /// Validation or test examples have a label, or tag, that the training examples never have.
    #[error("{0}")]
    UnknownLabel(Box<UnknownLabel>),
    /// A file of word vectors cannot be used.
    #[error(transparent)]
    Vectors(#[from] crate::vectors::VectorsError),
    /// A file is no tokenizer that can be used, or a tokenizer cannot cut a text.
    #[error("{path}: {message}\n  help: {help}")]
    Tokenizer {
        /// The file, with the line of a text.
        path: String,
        /// What is wrong.
        message: String,
        /// What to do about it.
        help: String,
    },
    /// What is asked of a dataset does not fit what its files hold.
    #[error("data.{dataset}: {message}\n  help: {help}")]
    Unfit {
        /// The name of the dataset.
        dataset: String,
        /// What does not fit.
        message: String,
        /// What to do about it.
        help: String,
    },
}

/// A place in a file that does not look as its format demands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Malformed {
    /// The file.
    pub file: String,
    /// The line, or the row where a file has no lines, from 1; `0` for the file as a whole.
    pub line: u64,
    /// The byte in the line, from 1, where it is known.
    pub column: Option<u64>,
    /// What the format accepts, to stand after "expected".
    pub accepted: String,
    /// What the file holds, to stand after "found".
    pub found: String,
    /// What to do about it.
    pub help: String,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if self.line > 0 {
            write!(f, ":{}", self.line)?;
        }
        if let Some(column) = self.column {
            write!(f, ":{column}")?;
        }
        write!(f, ": expected {}, found {}\n  help: {}", self.accepted, self.found, self.help)
    }
}

/// A label, or tag, that no training example has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownLabel {
    /// The file of the first example that has it.
    pub file: String,
    /// The line of that example, from 1.
    pub line: u64,
    /// The target column.
    pub column: String,
    /// The label.
    pub label: String,
    /// The labels of the training examples, sorted.
    pub accepted: Vec<String>,
    /// What to do about it.
    pub help: &'static str,
}

impl fmt::Display for UnknownLabel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let UnknownLabel { file, line, column, label, accepted, help } = self;
        write!(f, "{file}:{line}: {column} `{label}` stands in no training example; training has ")?;
        const SHOWN: usize = 20;
        write!(f, "{}", accepted.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", "))?;
        if accepted.len() > SHOWN {
            write!(f, " and {} more", accepted.len() - SHOWN)?;
        }
        write!(f, "\n  help: {help}")
    }
}

/// The places that were tried, where they say more than the path, as an addition to a message.
struct Tried<'a> {
    path: &'a str,
    tried: &'a [PathBuf],
}

impl fmt::Display for Tried<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.tried.iter().all(|tried| tried == Path::new(self.path)) {
            return write!(f, "\n  help: check the path");
        }
        for (index, path) in self.tried.iter().enumerate() {
            write!(f, "{}{}", if index == 0 { "\n  help: looked for " } else { ", " }, path.display())?;
        }
        Ok(())
    }
}

impl Error {
    /// Wraps a failure to read `path`; an early end of compressed data becomes [`Error::Truncated`], and what a
    /// decompressor cannot read [`Error::Damaged`].
    pub fn io(path: impl Into<String>, source: std::io::Error) -> Error {
        let path = path.into();
        match source.kind() {
            std::io::ErrorKind::UnexpectedEof => Error::Truncated { path },
            std::io::ErrorKind::NotFound => Error::Missing { path, tried: Vec::new() },
            // What the decompressor says comes without a number of the operating system.
            std::io::ErrorKind::InvalidInput | std::io::ErrorKind::InvalidData if source.raw_os_error().is_none() => {
                Error::Damaged { path, source }
            }
            _ => Error::Io { path, source },
        }
    }
}

impl From<Malformed> for Error {
    fn from(flaw: Malformed) -> Error {
        Error::Malformed(Box::new(flaw))
    }
}

impl From<UnknownLabel> for Error {
    fn from(label: UnknownLabel) -> Error {
        Error::UnknownLabel(Box::new(label))
    }
}

/// A quoted beginning of `text` that is short enough for a message.
pub(crate) fn excerpt(text: &str) -> String {
    const SHOWN: usize = 60;
    match text.char_indices().nth(SHOWN) {
        None => format!("{text:?}"),
        Some((end, _)) => format!("{:?}...", &text[..end]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_malformed_place_says_where_what_and_help() {
        let mut flaw = Malformed {
            file: "eng.train".into(),
            line: 17,
            column: None,
            accepted: "4 columns (token pos chunk ner)".into(),
            found: "3: \"EU NNP I-NP\"".into(),
            help: "name the columns".into(),
        };
        let message = "expected 4 columns (token pos chunk ner), found 3: \"EU NNP I-NP\"\n  help: name the columns";
        assert_eq!(Error::from(flaw.clone()).to_string(), format!("eng.train:17: {message}"));
        flaw.column = Some(3);
        assert_eq!(Error::from(flaw.clone()).to_string(), format!("eng.train:17:3: {message}"));
        (flaw.line, flaw.column) = (0, None);
        assert_eq!(Error::from(flaw).to_string(), format!("eng.train: {message}"));
    }

    #[test]
    fn a_missing_file_lists_the_places_tried() {
        let error = Error::Missing { path: "x".into(), tried: vec!["/a/x".into(), "/b/x".into()] };
        assert_eq!(error.to_string(), "x: no such file or folder\n  help: looked for /a/x, /b/x");
    }

    #[test]
    fn an_excerpt_is_cut_at_a_character() {
        assert_eq!(excerpt("a\tb"), "\"a\\tb\"");
        assert_eq!(excerpt(&"é".repeat(61)), format!("\"{}\"...", "é".repeat(60)));
    }
}
