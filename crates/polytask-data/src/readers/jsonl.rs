//! JSON lines: one JSON object a line; or a JSON list of objects.
//!
//! A file whose first character is `[` is a list, whatever its name. Columns are fields of the objects: strings,
//! numbers and truth values are labels, null is a missing one, and lists of words and of tags are what exports of
//! tagged sentences hold. Empty lines are skipped.

use std::io::BufRead;
use std::path::Path;

use serde_json::{Map, Value as Json};

use super::asked::Asked;
use super::elements::Elements;
use super::fields::Fields;
use super::{Entry, Reader, Sink};
use crate::error::{Error, Malformed, Result, excerpt};
use crate::open::{self, Lines};
use crate::record::{Column, Part};

pub(super) const ENTRY: Entry = Entry {
    key: "jsonl",
    summary: "one JSON object a line, or a JSON list of objects",
    targets: &[(
        "<field>",
        "label: any field but the text, `outer.inner` for one within another; tags or a set of labels where it is a list; a \
         number where every label is one; fields of 0 and 1 are a set of labels",
    )],
    options: &[super::TEXT_OPTION, super::STRATUM_OPTION],
};

/// Reads JSON lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Jsonl {
    /// The columns that are read.
    pub asked: Asked,
}

impl Reader for Jsonl {
    fn columns(&self) -> Vec<Column> {
        self.asked.columns()
    }

    fn stratum(&self) -> Option<&str> {
        Some(self.asked.stratum())
    }

    fn read(&self, path: &Path, _part: Part, sink: Sink<'_>) -> Result<Vec<String>> {
        let file = path.display().to_string();
        let mut reader = open::open(path)?;
        let start = reader.fill_buf().map_err(|source| Error::io(&file, source))?;
        let mark = if start.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
        let mut fields = Fields::new(&self.asked, &file);
        if start[mark..].trim_ascii_start().starts_with(b"[") {
            reader.consume(mark);
            let mut elements = Elements::new(reader, &file);
            while let Some(element) = elements.next()? {
                let object = parse(element.bytes, &file, element.line, element.column)?;
                sink(fields.record(&object, element.line)?)?;
            }
        } else {
            let mut lines = Lines::new(reader, &*file);
            while let Some((line, bytes)) = lines.next_line()? {
                if !bytes.trim_ascii().is_empty() {
                    sink(fields.record(&parse(bytes, &file, line, 1)?, line)?)?;
                }
            }
        }
        fields.finish()?;
        Ok(Vec::new())
    }
}

/// The object of a text that begins at `line` and `column`.
fn parse(bytes: &[u8], file: &str, line: u32, column: u64) -> Result<Map<String, Json>> {
    let place = |down: usize, along: usize| {
        let along = along as u64;
        (line.saturating_add(down as u32), if down == 0 { column - 1 + along } else { along })
    };
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let before = &bytes[..error.valid_up_to()];
        let down = before.iter().filter(|&&byte| byte == b'\n').count();
        let start = before.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
        let (line, column) = place(down, before.len() - start + 1);
        let found = format!("the byte 0x{:02X}", bytes[before.len()]);
        open::not_utf8(file, line, column, &found, "windows-1252")
    })?;
    serde_json::from_str(text).map_err(|error| {
        let (line, column) = place(error.line().saturating_sub(1), error.column());
        let message = error.to_string();
        // The place that serde_json gives is one within the object.
        let message = message.rsplit_once(" at line ").map_or(message.as_str(), |(message, _)| message);
        Error::from(Malformed {
            file: file.to_string(),
            line: u64::from(line),
            column: Some(column),
            accepted: "a JSON object".to_string(),
            found: format!("{}: {message}", excerpt(text)),
            help: "write one object a line, or a list of objects (`[{...}, {...}]`)".to_string(),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::super::asked::tests::asked;
    use super::super::tests::{Read, label, rows, text};
    use super::*;
    use crate::open::LINE_BYTES_MAX;
    use crate::record::{ColumnKind, Value};

    fn read(bytes: &[u8]) -> Read {
        rows(&Jsonl { asked: asked(&[], &[("label", ColumnKind::Label)]) }, "a.jsonl", bytes)
    }

    #[test]
    fn lines_and_lists_give_the_same_records() {
        let values = [vec![text("a\u{2028}\n"), label("1")], vec![text(""), Value::Missing]];
        let lines = "\u{feff}{\"text\": \"a\u{2028}\\n\", \"label\": 1}\r\n\r\n {\"label\": null, \"text\": \"\"}";
        let found = read(lines.as_bytes()).unwrap();
        assert_eq!(found, [(1, values[0].clone()), (3, values[1].clone())]);
        let list =
            "\u{feff} [{\"text\": \"a\u{2028}\\n\",\r\n\"label\": 1},\r\n {\"label\": null, \"text\": \"\"}]\r\n";
        let found = read(list.as_bytes()).unwrap();
        assert_eq!(found, [(1, values[0].clone()), (3, values[1].clone())]);
        assert!(read(b"").unwrap().is_empty() && read(b"[]").unwrap().is_empty() && read(b"\n").unwrap().is_empty());
    }

    #[test]
    fn flaws_have_their_place() {
        let table: [(&[u8], &str); 8] = [
            (
                b"{\"text\": \"a\", \"label\": 1}\n{\"text\": }\n",
                "a.jsonl:2:10: expected a JSON object, found \"{\\\"text\\\": }\": expected value\n  help: write one object",
            ),
            (b"{\n\"text\": 1\n}\n", "a.jsonl:1:1: expected a JSON object, found \"{\": EOF while parsing an object"),
            (b"\"x\"\n", "a.jsonl:1:3: expected a JSON object, found \"\\\"x\\\"\": invalid type: string"),
            (
                b"{\"text\": \"a\", \"label\": 1}\n{\"text\": \"caf\xe9\"}\n",
                "a.jsonl:2:14: expected UTF-8, found the byte 0xE9",
            ),
            (
                b"[{\"text\": \"a\"},\n  {\"text\":\n \"caf\xe9\"}]\n",
                "a.jsonl:3:6: expected UTF-8, found the byte 0xE9",
            ),
            (b"[\n  {\"text\": }]\n", "a.jsonl:2:12: expected a JSON object"),
            (b"[\n  {\"text\":\n \"a\" 1}]\n", "a.jsonl:3:6: expected a JSON object"),
            (b"\xff\xfe{\0", "a.jsonl:1:1: expected UTF-8, found UTF-16"),
        ];
        for (bytes, expected) in table {
            let message = read(bytes).unwrap_err();
            assert!(message.starts_with(expected), "{message}");
        }
        let message = read(b"{\"text\": \"a\"}\n").unwrap_err();
        assert!(message.starts_with("a.jsonl:1: expected a column `label`, found `text`"), "{message}");
    }

    #[test]
    fn deep_and_long_values_are_no_danger() {
        let deep = format!("{{\"text\": \"a\", \"label\": 1, \"x\": {}", "[".repeat(100_000));
        assert!(read(deep.as_bytes()).unwrap_err().contains("recursion limit"));
        assert!(read(format!("[{deep}{}}}]", "]".repeat(100_000)).as_bytes()).unwrap_err().contains("recursion limit"));
        let long = format!("{{\"text\": \"{}\", \"label\": 1}}", "a ".repeat(1_000_000));
        assert_eq!(read(long.as_bytes()).unwrap().len(), 1);
        let longer = format!("{{\"text\": \"{}\"}}", "a".repeat(LINE_BYTES_MAX));
        assert!(read(longer.as_bytes()).unwrap_err().starts_with("a.jsonl:1: expected a line of at most 16 MiB"));
    }
}
