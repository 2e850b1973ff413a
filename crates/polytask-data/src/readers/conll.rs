//! CoNLL: one token a line, columns separated by white space, a blank line after each sentence.
//!
//! The first column named `token` holds the words; every other column holds tags. A line whose first word is
//! `-DOCSTART-` is dropped whatever its other columns are, because files disagree about them. Whether the tags of a
//! column form spans is not the reader's business.
//!
//! Reference: Tjong Kim Sang and De Meulder, "Introduction to the CoNLL-2003 Shared Task", CoNLL, 2003.

use std::io::BufRead;
use std::path::Path;
use std::sync::Arc;

use super::{Entry, Reader, Sink};
use crate::error::{Error, Malformed, Result, excerpt};
use crate::open::{self, Lines};
use crate::record::{Column, ColumnKind, Part, Place, Record, Value};

/// The name of the column that holds the words.
pub const TOKEN: &str = "token";

const DOCUMENT_START: &[u8] = b"-DOCSTART-";

pub(super) const ENTRY: Entry = Entry {
    key: "conll",
    summary: "one token a line, columns separated by white space, a blank line after each sentence",
    targets: &[("<column>", "tags: any column of `columns` but `token`")],
    options: &[("columns", "names of the columns from left to right; one of them is `token`")],
};

/// Reads CoNLL files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conll {
    /// Names of the columns from left to right.
    pub columns: Vec<String>,
}

impl Reader for Conll {
    fn columns(&self) -> Vec<Column> {
        let token = token_column(&self.columns);
        let kind = |index| if Some(index) == token { ColumnKind::Tokens } else { ColumnKind::Tags };
        self.columns.iter().enumerate().map(|(index, name)| Column::new(name, kind(index))).collect()
    }

    fn stratum(&self) -> Option<&str> {
        None
    }

    fn word_lines(&self) -> bool {
        true
    }

    fn read(&self, path: &Path, _part: Part, sink: Sink<'_>) -> Result<Vec<String>> {
        sentences(open::open(path)?, &self.columns, &path.display().to_string(), sink)?;
        Ok(Vec::new())
    }
}

/// Passes the sentences of a stream to `sink`; `file` is its name in messages.
///
/// A byte order mark, CR before LF and a missing line break at the end are accepted.
///
/// # Errors
/// [`Error::Malformed`] for a line with more or fewer columns, and for bytes that are not UTF-8.
pub fn sentences<R: BufRead>(reader: R, columns: &[String], file: &str, sink: Sink<'_>) -> Result<()> {
    let mut lines = Lines::new(reader, file);
    let mut sentence = Sentence::new(columns, file);
    while let Some((number, line)) = lines.next_line()? {
        if line.split(u8::is_ascii_whitespace).find(|word| !word.is_empty()) == Some(DOCUMENT_START) {
            continue;
        }
        let text = open::utf8(line, file, number)?;
        if text.trim_ascii().is_empty() {
            sentence.finish(sink)?;
        } else {
            sentence.token(number, text)?;
        }
    }
    sentence.finish(sink)
}

fn token_column(columns: &[String]) -> Option<usize> {
    columns.iter().position(|name| name == TOKEN)
}

/// The sentence that is being read.
struct Sentence<'a> {
    columns: &'a [String],
    token: Option<usize>,
    file: Arc<str>,
    line: u32,
    values: Vec<Vec<String>>,
}

impl<'a> Sentence<'a> {
    fn new(columns: &'a [String], file: &str) -> Sentence<'a> {
        Sentence {
            columns,
            token: token_column(columns),
            file: file.into(),
            line: 0,
            values: vec![Vec::new(); columns.len()],
        }
    }

    fn token(&mut self, number: u32, text: &str) -> Result<()> {
        let found = text.split_ascii_whitespace().count();
        if found != self.columns.len() {
            return Err(self.ragged(number, found, text));
        }
        if self.line == 0 {
            self.line = number;
        }
        for (values, value) in self.values.iter_mut().zip(text.split_ascii_whitespace()) {
            values.push(value.to_string());
        }
        Ok(())
    }

    fn finish(&mut self, sink: Sink<'_>) -> Result<()> {
        if self.line == 0 {
            return Ok(());
        }
        let token = self.token;
        let value = |(index, values): (usize, &mut Vec<String>)| {
            let values = std::mem::take(values);
            if Some(index) == token { Value::Tokens(values) } else { Value::Tags(values) }
        };
        let values = self.values.iter_mut().enumerate().map(value).collect();
        let place = Place { file: Arc::clone(&self.file), line: std::mem::take(&mut self.line) };
        sink(Record { values, place, part: Part::All, order: 0 })
    }

    fn ragged(&self, line: u32, found: usize, text: &str) -> Error {
        let expected = self.columns.len();
        let plural = if expected == 1 { "" } else { "s" };
        Error::from(Malformed {
            file: self.file.to_string(),
            line: u64::from(line),
            column: None,
            accepted: format!("{expected} column{plural} ({})", self.columns.join(" ")),
            found: format!("{found}: {}", excerpt(text.trim_ascii())),
            help: "name every column of the file in `columns`, and end each sentence with a blank line".to_string(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(columns: &str) -> Vec<String> {
        columns.split(' ').map(str::to_string).collect()
    }

    fn read(bytes: &[u8], columns: &str) -> Result<Vec<(u32, Vec<Value>)>> {
        let mut found = Vec::new();
        sentences(bytes, &names(columns), "eng.train", &mut |record| {
            found.push((record.place.line, record.values));
            Ok(())
        })?;
        Ok(found)
    }

    fn tokens(words: &str) -> Value {
        Value::Tokens(names(words))
    }

    fn tags(words: &str) -> Value {
        Value::Tags(names(words))
    }

    #[test]
    fn sentences_end_at_blank_lines_and_document_starts_are_dropped() {
        let text =
            "\u{feff}-DOCSTART- -X- OO O\r\n\r\n\r\nEU NNP\tI-NP  I-ORG\r\n. . O O\r\n \t\r\n-DOCSTART- x\n\nHi UH O O";
        let expected = vec![
            (4, vec![tokens("EU ."), tags("NNP ."), tags("I-NP O"), tags("I-ORG O")]),
            (9, vec![tokens("Hi"), tags("UH"), tags("O"), tags("O")]),
        ];
        assert_eq!(read(text.as_bytes(), "token pos chunk ner").unwrap(), expected);
    }

    #[test]
    fn the_words_may_stand_in_any_column() {
        let found = read("B-X a\u{a0}b token2\n".as_bytes(), "ner token token").unwrap();
        let values = vec![tags("B-X"), Value::Tokens(vec!["a\u{a0}b".into()]), tags("token2")];
        assert_eq!(found, vec![(1, values)]);
        let columns = Conll { columns: names("ner token token") }.columns();
        let kinds: Vec<ColumnKind> = columns.iter().map(|column| column.kind).collect();
        assert_eq!(kinds, [ColumnKind::Tags, ColumnKind::Tokens, ColumnKind::Tags]);
        assert!(read(b"", "token").unwrap().is_empty());
    }

    #[test]
    fn ragged_columns_are_an_error_with_the_line() {
        let message = read(b"a A O O\nEU NNP I-NP\n", "token pos chunk ner").unwrap_err().to_string();
        let expected = "eng.train:2: expected 4 columns (token pos chunk ner), found 3: \"EU NNP I-NP\"\n  help: ";
        assert!(message.starts_with(expected), "{message}");
        let message = read(b"\na b\n", "token").unwrap_err().to_string();
        assert!(message.starts_with("eng.train:2: expected 1 column (token), found 2: \"a b\""), "{message}");
    }

    #[test]
    fn bytes_that_are_not_utf8_are_an_error_with_line_and_column() {
        let message = read(b"a A\n\ncaf\xe9 A\n", "token pos").unwrap_err().to_string();
        assert!(message.starts_with("eng.train:3:4: expected UTF-8, found the byte 0xE9\n  help: "), "{message}");
    }

    #[test]
    fn an_error_of_the_sink_ends_the_reading() {
        let stop = &mut |_| Err(Error::Truncated { path: "x".into() });
        assert!(sentences(&b"a\n\nb\n"[..], &names("token"), "f", stop).is_err());
    }

    #[test]
    fn a_long_sentence_is_one_record() {
        let text = "word O\n".repeat(10_000);
        let found = read(text.as_bytes(), "token ner").unwrap();
        assert!(matches!(&found[0].1[0], Value::Tokens(words) if words.len() == 10_000));
    }
}
