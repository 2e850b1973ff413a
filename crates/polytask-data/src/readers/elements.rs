//! What are the objects of a JSON list, one by one?
//!
//! Finds where objects begin and end without reading what they hold, so that a list of any length takes the memory of
//! its largest object.

use std::io::BufRead;

use crate::error::{Error, Malformed, Result, excerpt};
use crate::open::LINE_BYTES_MAX;

/// The objects of a stream that holds one list.
pub(super) struct Elements<R> {
    reader: R,
    file: String,
    /// The object that was found last.
    object: Vec<u8>,
    line: u32,
    /// Bytes of the line that are behind.
    column: u64,
    expected: Expected,
}

/// What may come next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expected {
    List,
    FirstOrEnd,
    CommaOrEnd,
    Object,
    Nothing,
}

impl Expected {
    fn name(self) -> &'static str {
        match self {
            Expected::List => "a list of objects",
            Expected::FirstOrEnd | Expected::Object => "an object",
            Expected::CommaOrEnd => "`,` or `]` after an object",
            Expected::Nothing => "nothing after the list",
        }
    }
}

/// An object as text, and where it begins.
pub(super) struct Element<'a> {
    pub bytes: &'a [u8],
    pub line: u32,
    /// The byte in the line, from 1.
    pub column: u64,
}

impl<R: BufRead> Elements<R> {
    /// Reads from `reader`, whose byte order mark is behind; `file` is its name in messages.
    pub fn new(reader: R, file: &str) -> Elements<R> {
        let file = file.to_string();
        Elements { reader, file, object: Vec::new(), line: 1, column: 0, expected: Expected::List }
    }

    /// The next object, or `None` at the end.
    ///
    /// # Errors
    /// [`Malformed`] for what is no list of objects, and for an object of more than [`LINE_BYTES_MAX`];
    /// [`Error::Io`] and [`Error::Truncated`].
    pub fn next(&mut self) -> Result<Option<Element<'_>>> {
        while let Some(byte) = self.byte()? {
            self.expected = match (self.expected, byte) {
                (expected, b' ' | b'\t' | b'\r' | b'\n') => expected,
                (Expected::List, b'[') => Expected::FirstOrEnd,
                (Expected::FirstOrEnd | Expected::CommaOrEnd, b']') => Expected::Nothing,
                (Expected::CommaOrEnd, b',') => Expected::Object,
                (Expected::FirstOrEnd | Expected::Object, b'{') => {
                    let (line, column) = (self.line, self.column);
                    self.object(line, column)?;
                    self.expected = Expected::CommaOrEnd;
                    return Ok(Some(Element { bytes: &self.object, line, column }));
                }
                (expected, byte) => {
                    let found = excerpt(&char::from(byte).to_string());
                    return Err(self.malformed(expected.name(), &found, (self.line, self.column)));
                }
            };
        }
        match self.expected {
            Expected::List | Expected::Nothing => Ok(None),
            expected => Err(self.malformed(expected.name(), "the end of the file", (self.line, self.column + 1))),
        }
    }

    /// Reads on to the end of the object whose first byte is behind.
    fn object(&mut self, line: u32, column: u64) -> Result<()> {
        self.object.clear();
        self.object.push(b'{');
        let (mut depth, mut in_string, mut escaped) = (1_usize, false, false);
        while depth > 0 {
            let Some(byte) = self.byte()? else {
                return Err(self.malformed("an object with an end", "none before the end of the file", (line, column)));
            };
            self.object.push(byte);
            if self.object.len() > LINE_BYTES_MAX {
                return Err(self.malformed("an object of at most 16 MiB", "a larger one", (line, column)));
            }
            match byte {
                _ if escaped => escaped = false,
                b'\\' if in_string => escaped = true,
                b'"' => in_string = !in_string,
                b'{' | b'[' if !in_string => depth += 1,
                b'}' | b']' if !in_string => depth -= 1,
                _ => {}
            }
        }
        Ok(())
    }

    fn byte(&mut self) -> Result<Option<u8>> {
        let bytes = self.reader.fill_buf().map_err(|source| Error::io(&self.file, source))?;
        let Some(&byte) = bytes.first() else { return Ok(None) };
        self.reader.consume(1);
        // A line break belongs to the line that it ends.
        if byte == b'\n' {
            self.line = self.line.saturating_add(1);
            self.column = 0;
        } else {
            self.column += 1;
        }
        Ok(Some(byte))
    }

    fn malformed(&self, accepted: &str, found: &str, (line, column): (u32, u64)) -> Error {
        Error::from(Malformed {
            file: self.file.clone(),
            line: u64::from(line),
            column: Some(column),
            accepted: accepted.to_string(),
            found: found.to_string(),
            help: "write a list of objects (`[{...}, {...}]`), or one object a line".to_string(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Result<Vec<(u32, u64, String)>, String> {
        let mut elements = Elements::new(bytes, "f");
        let mut found = Vec::new();
        while let Some(element) = elements.next().map_err(|error| error.to_string())? {
            found.push((element.line, element.column, String::from_utf8_lossy(element.bytes).into_owned()));
        }
        Ok(found)
    }

    #[test]
    fn objects_are_found_with_their_place() {
        let text = "[{\"a\": \"]}\\\"{\"},\r\n\n  {\"b\": [{}, [1]],\n\"c\": 2} ,{}]\n";
        let expected = [
            (1, 2, "{\"a\": \"]}\\\"{\"}".to_string()),
            (3, 3, "{\"b\": [{}, [1]],\n\"c\": 2}".to_string()),
            (4, 10, "{}".to_string()),
        ];
        assert_eq!(read(text.as_bytes()).unwrap(), expected);
        assert!(read(b" [\n] ").unwrap().is_empty());
    }

    #[test]
    fn what_is_no_list_of_objects_says_where() {
        let table: [(&[u8], &str); 7] = [
            (b"[1]", "f:1:2: expected an object, found \"1\"\n  help: "),
            (b"[{}\n{}]", "f:2:1: expected `,` or `]` after an object, found \"{\""),
            (b"[{},\n]", "f:2:1: expected an object, found \"]\""),
            (b"[{}]\nx", "f:2:1: expected nothing after the list, found \"x\""),
            (b"[{},{", "f:1:5: expected an object with an end, found none before the end of the file"),
            (b"[{}\n", "f:2:1: expected `,` or `]` after an object, found the end of the file"),
            (b"[", "f:1:2: expected an object, found the end of the file"),
        ];
        for (bytes, expected) in table {
            let message = read(bytes).unwrap_err();
            assert!(message.starts_with(expected), "{message}");
        }
    }

    #[test]
    fn an_object_without_end_takes_no_memory() {
        let bytes = [b"[\n{\"a\": \"".to_vec(), vec![b'x'; 2 * LINE_BYTES_MAX]].concat();
        let message = read(&bytes).unwrap_err();
        assert!(message.starts_with("f:2:1: expected an object of at most 16 MiB, found a larger one"), "{message}");
    }
}
