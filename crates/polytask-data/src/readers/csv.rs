//! CSV: cells separated by commas, as RFC 4180 has it, or by another delimiter.
//!
//! A cell that begins with a quote ends with the next one, and may hold delimiters, line breaks, and quotes written
//! twice; elsewhere a quote is a letter. Lines end at LF or CR LF, within quotes too. The first row names the columns,
//! unless `columns` does. An empty cell is a missing label. Empty lines are skipped.
//!
//! The crate `csv` reads on where a quote is not closed or text follows it, so that one stray quote makes the rest of a
//! file a single cell. Such a file is damaged here, and the error names the line of the quote.
//!
//! Reference: Shafranovich, "Common Format and MIME Type for Comma-Separated Values (CSV) Files", RFC 4180, 2005.

use std::io::BufRead;
use std::path::Path;

use super::asked::Asked;
use super::cells::{self, Row};
use super::{Entry, Reader, Sink};
use crate::error::{Error, Malformed, Result, excerpt};
use crate::open::{self, LINE_BYTES_MAX, Lines};
use crate::record::{Column, Part};

pub(super) const ENTRY: Entry = Entry {
    key: "csv",
    summary: "cells separated by commas, in quotes where they hold any; the first row names the columns",
    targets: &[(
        "<column>",
        "label: any column but the text; a number where every label is one; a set of labels with a separator, or \
         columns of 0 and 1",
    )],
    options: &[
        super::TEXT_OPTION,
        super::STRATUM_OPTION,
        ("delimiter", "the character between two cells; a comma where absent"),
        super::COLUMNS_OPTION,
    ],
};

/// Reads CSV files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Csv {
    /// The columns that are read.
    pub asked: Asked,
    /// What stands between two cells.
    pub delimiter: char,
    /// Names of the columns, where the first row does not give them.
    pub columns: Option<Vec<String>>,
}

impl Reader for Csv {
    fn columns(&self) -> Vec<Column> {
        self.asked.columns()
    }

    fn stratum(&self) -> Option<&str> {
        Some(self.asked.stratum())
    }

    fn read(&self, path: &Path, _part: Part, sink: Sink<'_>) -> Result<Vec<String>> {
        let file = path.display().to_string();
        let mut rows = Rows::new(open::open(path)?, &file, self.delimiter);
        cells::records(&mut |row| rows.fill(row), &self.asked, self.columns.as_deref(), &file, sink)?;
        Ok(Vec::new())
    }
}

/// The first rows of a text, as many as can be read up to `count`: a text may be the beginning of a file.
pub(crate) fn first_rows(bytes: &[u8], delimiter: char, count: usize) -> Vec<Vec<String>> {
    let mut rows = Rows::new(bytes, "", delimiter);
    std::iter::from_fn(|| rows.next_row().ok()?).map(|(_, cells)| cells).take(count).collect()
}

/// The rows of a stream, as they come.
pub struct Rows<R> {
    lines: Lines<R>,
    file: String,
    delimiter: char,
    /// The line that is being read, and its number.
    line: String,
    number: u32,
}

impl<R: BufRead> Rows<R> {
    /// Reads from `reader`, called `file` in messages.
    pub fn new(reader: R, file: &str, delimiter: char) -> Rows<R> {
        Rows { lines: Lines::new(reader, file), file: file.to_string(), delimiter, line: String::new(), number: 0 }
    }

    /// The line, from 1, at which the next row begins, and its cells; `None` at the end.
    ///
    /// # Errors
    /// What is not UTF-8, a quote that is never closed, and text after a closing quote.
    pub fn next_row(&mut self) -> Result<Option<(u32, Vec<String>)>> {
        let mut row = Row::default();
        Ok(self.fill(&mut row)?.then(|| (row.line, row.cells().map(str::to_string).collect())))
    }

    /// What is read from.
    pub fn reader(&self) -> &R {
        self.lines.reader()
    }

    fn fill(&mut self, row: &mut Row) -> Result<bool> {
        while self.next_line()? {
            if self.line.is_empty() {
                continue;
            }
            row.begin(self.number);
            let mut at = 0;
            loop {
                at = if self.line[at..].starts_with('"') { self.quoted(at, row)? } else { self.plain(at, row) };
                row.end_cell();
                match self.line[at..].chars().next() {
                    None => return Ok(true),
                    Some(next) if next == self.delimiter => at += next.len_utf8(),
                    Some(_) => return Err(self.trailing(at)),
                }
            }
        }
        Ok(false)
    }

    fn next_line(&mut self) -> Result<bool> {
        self.line.clear();
        let Some((number, bytes)) = self.lines.next_line()? else { return Ok(false) };
        self.number = number;
        self.line.push_str(open::utf8(bytes, &self.file, number)?);
        Ok(true)
    }

    /// Reads the cell that begins at a byte of the line; returns where it ends.
    fn plain(&self, at: usize, row: &mut Row) -> usize {
        let end = self.line[at..].find(self.delimiter).map_or(self.line.len(), |length| at + length);
        row.push(&self.line[at..end]);
        end
    }

    /// Reads the cell whose quote stands at a byte of the line, and the lines that it holds; returns where it ends.
    fn quoted(&mut self, at: usize, row: &mut Row) -> Result<usize> {
        let opened = (self.number, at + 1);
        let mut at = at + 1;
        loop {
            match self.line[at..].find('"') {
                Some(length) => {
                    row.push(&self.line[at..at + length]);
                    at += length + 1;
                    if !self.line[at..].starts_with('"') {
                        return Ok(at);
                    }
                    row.push("\"");
                    at += 1;
                }
                None => {
                    row.push(&self.line[at..]);
                    row.push("\n");
                    if row.bytes() > LINE_BYTES_MAX {
                        return Err(unclosed(&self.file, opened, "none for 16 MiB"));
                    }
                    if !self.next_line()? {
                        return Err(unclosed(&self.file, opened, "the end of the file"));
                    }
                    at = 0;
                }
            }
        }
    }

    fn trailing(&self, at: usize) -> Error {
        Error::from(Malformed {
            file: self.file.to_string(),
            line: u64::from(self.number),
            column: Some(at as u64 + 1),
            accepted: format!("{:?} or the end of the row after a closing quote", self.delimiter),
            found: excerpt(&self.line[at..]),
            help: "write a quote inside a quoted cell twice; where quotes mean nothing, read the file as `tsv`"
                .to_string(),
        })
    }
}

fn unclosed(file: &str, (line, column): (u32, usize), found: &str) -> Error {
    Error::from(Malformed {
        file: file.to_string(),
        line: u64::from(line),
        column: Some(column as u64),
        accepted: "a second quote that ends the cell".to_string(),
        found: found.to_string(),
        help: "close the quote, or write a cell that begins with one as `\"\"\"...\"`".to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::super::asked::tests::asked;
    use super::super::tests::{Read, label, rows, text};
    use super::*;
    use crate::record::{ColumnKind, Value};

    fn read(bytes: &[u8], delimiter: char, columns: Option<&str>) -> Read {
        let columns = columns.map(|names| names.split(' ').map(str::to_string).collect());
        let asked = asked(&[], &[("label", ColumnKind::Label)]);
        rows(&Csv { asked, delimiter, columns }, "a.csv", bytes)
    }

    fn cells(bytes: &[u8], delimiter: char) -> Result<Vec<(u32, Vec<String>)>> {
        let mut rows = Rows::new(bytes, "f", delimiter);
        let (mut row, mut found) = (Row::default(), Vec::new());
        while rows.fill(&mut row)? {
            found.push((row.line, row.cells().map(str::to_string).collect()));
        }
        Ok(found)
    }

    #[test]
    fn cells_may_hold_delimiters_quotes_and_line_breaks() {
        let bytes = "\u{feff}\"label\",text,id\r\n pos ,\"Good, \"\"book\"\"\r\n\r\nsecond\",1\r\n\r\n,5\" disk,\nneg,\"\",\"\"";
        let expected = vec![
            (2, vec![text("Good, \"book\"\n\nsecond"), label("pos")]),
            (6, vec![text("5\" disk"), Value::Missing]),
            (7, vec![text(""), label("neg")]),
        ];
        assert_eq!(read(bytes.as_bytes(), ',', None).unwrap(), expected);
        assert!(read(b"", ',', None).unwrap().is_empty() && read(b"text,label\n", ',', None).unwrap().is_empty());
    }

    #[test]
    fn delimiters_and_names_may_be_others() {
        let found = read(b"\"x;y\";z\n", ';', Some("text label")).unwrap();
        assert_eq!(found, [(1, vec![text("x;y"), label("z")])]);
        let found = read(b"label\ttext\na\t\"x\ty\"\n", '\t', None).unwrap();
        assert_eq!(found, [(2, vec![text("x\ty"), label("a")])]);
    }

    #[test]
    fn flaws_have_their_place() {
        let table: [(&[u8], &str); 6] = [
            (
                b"text,label\n\"a\nb\",x\n\nc,y,z\n",
                "a.csv:5: expected 2 cells (`text`, `label`), found 3: \"c | y | z\"",
            ),
            (b"text,label\n\"a\nb\",x\nc\n", "a.csv:4: expected 2 cells (`text`, `label`), found 1: \"c\""),
            (
                b"text,label\na,\"b\n\n",
                "a.csv:2:3: expected a second quote that ends the cell, found the end of the file",
            ),
            (
                b"text,label\n\"a\n\"b,c\n",
                "a.csv:3:2: expected ',' or the end of the row after a closing quote, found \"b,c\"",
            ),
            (b"text,label\n\"a\ncaf\xe9\",c\n", "a.csv:3:4: expected UTF-8, found the byte 0xE9"),
            (
                b"text,lable\n",
                "a.csv:1: expected a column `label`, found `text`, `lable`\n  help: did you mean `lable`?",
            ),
        ];
        for (bytes, expected) in table {
            let message = read(bytes, ',', None).unwrap_err();
            assert!(message.starts_with(expected), "{message}");
        }
    }

    #[test]
    fn a_quote_that_is_never_closed_takes_no_memory() {
        let bytes = [b"text,label\n\"a".to_vec(), vec![b'\n'; LINE_BYTES_MAX + 2], b"\",x\n".to_vec()].concat();
        let message = read(&bytes, ',', None).unwrap_err();
        assert!(message.starts_with("a.csv:2:1: expected a second quote that ends the cell, found none"), "{message}");
        let bytes = [b"text,label\n".to_vec(), vec![b'a'; LINE_BYTES_MAX], b",x\n".to_vec()].concat();
        let message = read(&bytes, ',', None).unwrap_err();
        assert!(message.starts_with("a.csv:2: expected a line of at most 16 MiB, found a longer one"), "{message}");
    }

    /// Random tables, written by the crate `csv`.
    #[test]
    fn tables_of_another_writer_are_read() {
        let mut rng = crate::rng::Rng::new(5);
        let letters = ["a", "é", "\"", ",", "\n", " ", "'", ";", "\t", "\u{2028}"];
        for round in 0..200 {
            let delimiter = [',', ';', '\t'][round % 3];
            let ends = if round % 2 == 0 { csv::Terminator::CRLF } else { csv::Terminator::Any(b'\n') };
            let mut writer =
                csv::WriterBuilder::new().delimiter(delimiter as u8).terminator(ends).from_writer(Vec::new());
            let width = 1 + rng.below(4) as usize;
            let mut line = 1;
            let mut expected = Vec::new();
            for _ in 0..rng.below(6) {
                let cell = |rng: &mut crate::rng::Rng| -> String {
                    (0..rng.below(6)).map(|_| letters[rng.below(letters.len() as u64) as usize]).collect()
                };
                let row: Vec<String> = (0..width).map(|_| cell(&mut rng)).collect();
                writer.write_record(&row).unwrap();
                let breaks: usize = row.iter().map(|cell| cell.matches('\n').count()).sum();
                expected.push((line, row));
                line += 1 + breaks as u32;
            }
            let bytes = writer.into_inner().unwrap();
            assert_eq!(cells(&bytes, delimiter).unwrap(), expected, "{:?}", String::from_utf8_lossy(&bytes));
        }
    }
}
