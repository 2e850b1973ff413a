//! TSV: cells separated by tabs, one example a line.
//!
//! A quote is a letter like others, so that texts need no escapes; a cell holds neither tab nor line break. Where cells
//! stand in quotes, read the file as `csv` with `delimiter = "\t"`. The first row names the columns, unless `columns`
//! does. An empty cell is a missing label. Empty lines are skipped.

use std::path::Path;

use super::asked::Asked;
use super::{Entry, Reader, Sink, cells};
use crate::error::Result;
use crate::open::{self, Lines};
use crate::record::{Column, Part};

pub(super) const ENTRY: Entry = Entry {
    key: "tsv",
    summary: "cells separated by tabs, one example a line; the first row names the columns",
    targets: &[(
        "<column>",
        "label: any column but the text; a number where every label is one; a set of labels with a separator, or \
         columns of 0 and 1",
    )],
    options: &[super::TEXT_OPTION, super::STRATUM_OPTION, super::COLUMNS_OPTION],
};

/// Reads files of cells separated by tabs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tsv {
    /// The columns that are read.
    pub asked: Asked,
    /// Names of the columns, where the first row does not give them.
    pub columns: Option<Vec<String>>,
}

impl Reader for Tsv {
    fn columns(&self) -> Vec<Column> {
        self.asked.columns()
    }

    fn stratum(&self) -> Option<&str> {
        Some(self.asked.stratum())
    }

    fn read(&self, path: &Path, _part: Part, sink: Sink<'_>) -> Result<Vec<String>> {
        let file = path.display().to_string();
        let mut lines = Lines::new(open::open(path)?, &*file);
        let mut next = |row: &mut cells::Row| {
            while let Some((number, bytes)) = lines.next_line()? {
                if bytes.is_empty() {
                    continue;
                }
                row.begin(number);
                for cell in open::utf8(bytes, &file, number)?.split('\t') {
                    row.push(cell);
                    row.end_cell();
                }
                return Ok(true);
            }
            Ok(false)
        };
        cells::records(&mut next, &self.asked, self.columns.as_deref(), &file, sink)?;
        Ok(Vec::new())
    }
}

#[cfg(test)]
mod tests {
    use super::super::asked::tests::asked;
    use super::super::tests::{Read, label, rows, text};
    use super::*;
    use crate::record::{ColumnKind, Value};

    fn read(bytes: &[u8], columns: Option<&str>) -> Read {
        let columns = columns.map(|names| names.split(' ').map(str::to_string).collect());
        rows(&Tsv { asked: asked(&[], &[("label", ColumnKind::Label)]), columns }, "a.tsv", bytes)
    }

    #[test]
    fn quotes_are_letters() {
        let bytes = "\u{feff}id\ttext\tlabel\r\n1\t\"a\" \"b\t pos \r\n\r\n2\t, it's\u{85}5\"\t\n3\t\tneg";
        let expected = vec![
            (2, vec![text("\"a\" \"b"), label("pos")]),
            (4, vec![text(", it's\u{85}5\""), Value::Missing]),
            (5, vec![text(""), label("neg")]),
        ];
        assert_eq!(read(bytes.as_bytes(), None).unwrap(), expected);
    }

    #[test]
    fn the_configuration_may_name_the_columns() {
        let found = read(b"x\ttext\n", Some("label text")).unwrap();
        assert_eq!(found, [(1, vec![text("text"), label("x")])]);
        assert!(read(b"", Some("label text")).unwrap().is_empty() && read(b"", None).unwrap().is_empty());
    }

    #[test]
    fn flaws_have_their_line() {
        let table: [(&[u8], &str); 4] = [
            (
                b"text\tlabel\n\na\tb\tc\n",
                "a.tsv:3: expected 2 cells (`text`, `label`), found 3: \"a | b | c\"\n  help",
            ),
            (b"text\tlabel\na\n", "a.tsv:2: expected 2 cells (`text`, `label`), found 1: \"a\""),
            (b"text,label\n", "a.tsv:1: expected a column that holds the text"),
            (b"text\tlabel\nx\tcaf\xe9\n", "a.tsv:2:6: expected UTF-8, found the byte 0xE9"),
        ];
        for (bytes, expected) in table {
            let message = read(bytes, None).unwrap_err();
            assert!(message.starts_with(expected), "{message}");
        }
    }
}
