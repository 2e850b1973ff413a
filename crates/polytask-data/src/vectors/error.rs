//! What can be wrong with a file of word vectors?

use std::path::PathBuf;

use super::word2vec::Word2vecProblem;

/// A file of word vectors that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("{}{}: {problem}", path.display(), problem.place())]
pub struct VectorsError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub problem: VectorsProblem,
}

/// What is wrong with a file of word vectors. Lines and columns (in characters) count from 1.
#[derive(Debug, thiserror::Error)]
pub enum VectorsProblem {
    /// The file cannot be opened or read.
    #[error("cannot be read: {0}")]
    Io(std::io::Error),
    /// The file is an archive or a compressed file of a kind that is not read.
    #[error(
        "is a {kind} file; word vectors are read from text (GloVe, word2vec, fastText .vec) and word2vec .bin files, plain \
         or .gz\n  help: unpack it first"
    )]
    Archive {
        /// The kind of file.
        kind: &'static str,
    },
    /// The file is a model of fastText.
    #[error(
        "is a model of fastText\n  help: use the .vec file that stands beside it, or write one with `fasttext print-word-vectors`"
    )]
    FastText,
    /// A binary file of word2vec is damaged.
    #[error(transparent)]
    Word2vec(#[from] Word2vecProblem),
    /// The file holds bytes that no text has.
    #[error(
        "holds bytes that are no text\n\
         \x20 help: word vectors are read from text (GloVe, word2vec, fastText .vec) and word2vec .bin files, plain or .gz"
    )]
    Binary {
        /// The line.
        line: usize,
    },
    /// The file holds no vector.
    #[error("holds no word vectors\n  help: a line is a word and its numbers, as in `the 0.1 -0.2 0.3`")]
    Empty,
    /// The compressed data end too early.
    #[error("the .gz file is truncated: its data end after line {line}\n  help: fetch the file again")]
    Truncated {
        /// The last complete line; `0` where there is none.
        line: usize,
    },
    /// The compressed data are damaged.
    #[error("the .gz file is damaged after line {line}: {source}\n  help: fetch the file again")]
    Damaged {
        /// The last complete line before the damage.
        line: usize,
        /// What the decoder says.
        source: std::io::Error,
    },
    /// A line is longer than any vector.
    #[error(
        "the line is longer than {limit} bytes\n  help: a line is a word and its numbers, as in `the 0.1 -0.2 0.3`"
    )]
    LongLine {
        /// The line.
        line: usize,
        /// Longest line in bytes.
        limit: usize,
    },
    /// A vector has too few or too many numbers.
    #[error(
        "the vector of {word:?} has {found} number{}, where {expected} were expected\n\
         \x20 help: correct or remove the line; the first line of the file tells the width",
        if *found == 1 { "" } else { "s" }
    )]
    Width {
        /// The line.
        line: usize,
        /// The word.
        word: String,
        /// Numbers on the line.
        found: usize,
        /// Numbers on the first line, or in the header.
        expected: usize,
    },
    /// A token of a vector is no number.
    #[error("{token:?} is no number\n  help: correct or remove the line")]
    Number {
        /// The line.
        line: usize,
        /// The column at which the token starts.
        column: usize,
        /// The token.
        token: String,
    },
    /// A number is NaN or infinite, or too large for 32 bits.
    #[error("{token:?} is not a finite number\n  help: correct or remove the line")]
    NotFinite {
        /// The line.
        line: usize,
        /// The column at which the token starts.
        column: usize,
        /// The token.
        token: String,
    },
    /// A word is not UTF-8.
    #[error("the word {word:?} is not UTF-8\n  help: convert the file, or remove the line")]
    Encoding {
        /// The line.
        line: usize,
        /// The word, with `\u{FFFD}` for what is no character.
        word: String,
    },
}

impl VectorsProblem {
    /// The line, and the column where it is known, as they follow a file's name: `:7:3`.
    fn place(&self) -> String {
        match self {
            VectorsProblem::Number { line, column, .. } | VectorsProblem::NotFinite { line, column, .. } => {
                format!(":{line}:{column}")
            }
            VectorsProblem::Binary { line }
            | VectorsProblem::LongLine { line, .. }
            | VectorsProblem::Width { line, .. }
            | VectorsProblem::Encoding { line, .. } => format!(":{line}"),
            // The last lines of compressed data that ended early stand in the words.
            VectorsProblem::Truncated { .. } | VectorsProblem::Damaged { .. } => String::new(),
            VectorsProblem::Io(_)
            | VectorsProblem::Archive { .. }
            | VectorsProblem::FastText
            | VectorsProblem::Word2vec(_)
            | VectorsProblem::Empty => String::new(),
        }
    }
}
