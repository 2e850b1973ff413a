//! Lines: `LABEL<TAB>TEXT`, one example a line.
//!
//! Lines end at LF only (CR before it is dropped), so that NEL and U+2028 may stand in a text. Bytes that are not
//! UTF-8 are decoded as Windows-1252, and the number of such lines is told. Empty lines are skipped.

use std::path::Path;
use std::sync::Arc;

use super::{Entry, Reader, Sink};
use crate::error::{Malformed, Result, excerpt};
use crate::open::{self, decode};
use crate::record::{Column, ColumnKind, Part, Place, Record, Value};

pub(super) const ENTRY: Entry = Entry {
    key: "lines",
    summary: "LABEL<TAB>TEXT, one example a line",
    targets: &[("label", "label: what stands before the TAB; a number where every label is one")],
    options: &[],
};

/// Reads files of `LABEL<TAB>TEXT`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lines;

impl Reader for Lines {
    fn columns(&self) -> Vec<Column> {
        vec![Column::new("label", ColumnKind::Label), Column::new("text", ColumnKind::Text)]
    }

    fn stratum(&self) -> Option<&str> {
        Some("label")
    }

    fn read(&self, path: &Path, _part: Part, sink: Sink<'_>) -> Result<Vec<String>> {
        let file: Arc<str> = path.display().to_string().into();
        let mut lines = open::Lines::new(open::open(path)?, &*file);
        let (mut decoded, mut first) = (0, 0);
        while let Some((line, bytes)) = lines.next_line()? {
            let text = decode(bytes);
            if matches!(text, std::borrow::Cow::Owned(_)) {
                decoded += 1;
                first = if first == 0 { line } else { first };
            }
            if text.trim().is_empty() && !text.contains('\t') {
                continue;
            }
            let (label, text) = match text.split_once('\t') {
                Some((label, text)) if !label.trim().is_empty() => (label.trim(), text),
                _ => return Err(no_label(&file, line, &text).into()),
            };
            let values = vec![Value::Label(label.to_string()), Value::Text(text.to_string())];
            sink(Record { values, place: Place { file: Arc::clone(&file), line }, part: Part::All, order: 0 })?;
        }
        Ok(match decoded {
            0 => Vec::new(),
            1 => vec![format!("{file}: line {first} is not UTF-8; its stray bytes were read as Windows-1252")],
            _ => vec![format!(
                "{file}: {decoded} lines, the first is {first}, are not UTF-8; their stray bytes were read as \
                 Windows-1252"
            )],
        })
    }
}

fn no_label(file: &str, line: u32, text: &str) -> Malformed {
    let found = match text.starts_with('\t') || text.trim_start().is_empty() {
        true => format!("an empty label: {}", excerpt(text)),
        false => format!("no TAB: {}", excerpt(text)),
    };
    Malformed {
        file: file.to_string(),
        line: u64::from(line),
        column: None,
        accepted: "LABEL<TAB>TEXT".to_string(),
        found,
        help: "write a label and a TAB before each text; unlabelled files cannot be trained on".to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{label, read_all};
    use super::*;

    fn read(bytes: &[u8]) -> Result<(Vec<Record>, Vec<String>)> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("books.train");
        std::fs::write(&path, bytes).unwrap();
        read_all(&Lines, &path, Part::All)
    }

    #[test]
    fn labels_and_texts_are_read_with_their_quirks() {
        let text = "\u{feff} 1 \tgood\u{85}book\r\n\n \r\n0\tbad\tone\u{2028}here\nneutral\t";
        let (records, notes) = read(text.as_bytes()).unwrap();
        let expected = [("1", "good\u{85}book", 1), ("0", "bad\tone\u{2028}here", 4), ("neutral", "", 5)];
        assert_eq!(records.len(), expected.len());
        for (record, (name, text, line)) in records.iter().zip(expected) {
            assert_eq!(record.values, [label(name), Value::Text(text.to_string())]);
            assert_eq!(record.place.line, line);
        }
        assert!(notes.is_empty());
    }

    #[test]
    fn lines_that_are_not_utf8_are_decoded_and_told() {
        let (records, notes) = read(b"1\tcaf\xe9 \xc3\xa9\n0\tx\n1\ta \x96 b\n").unwrap();
        assert_eq!(records[0].values[1], Value::Text("café é".into()));
        assert_eq!(records[2].values[1], Value::Text("a – b".into()));
        assert_eq!(notes.len(), 1);
        assert!(notes[0].contains("books.train: 2 lines, the first is 1, are not UTF-8"), "{}", notes[0]);
        let (_, notes) = read(b"1\tx\n1\tcaf\xe9\n").unwrap();
        assert!(notes[0].contains("line 2 is not UTF-8"), "{}", notes[0]);
    }

    #[test]
    fn a_line_without_a_label_is_an_error_with_its_line() {
        let message = read(b"1\tx\nno tab here\n").unwrap_err().to_string();
        let expected = "books.train:2: expected LABEL<TAB>TEXT, found no TAB: \"no tab here\"\n  help: ";
        assert!(message.contains(expected), "{message}");
        let message = read(b"\tx\n").unwrap_err().to_string();
        assert!(
            message.contains("books.train:1: expected LABEL<TAB>TEXT, found an empty label: \"\\tx\""),
            "{message}"
        );
    }
}
