//! How is a file of JSON lines read, one that its writer may have left in the middle of a line?

use std::fs::File;
use std::io::{BufRead, BufReader, ErrorKind};
use std::path::Path;

use polytask_run::RunError;
use serde_json::Value;

use crate::error::ReportError;

/// Hands each object of a file to `take` with its line, counted from 1; a file that is not there has none.
///
/// A last line without a line break is what a process left that was ended while it wrote: it is read where it is whole,
/// and left out where it is not.
///
/// # Errors
///
/// Where the file cannot be read, or a line is no JSON or not what `take` accepts.
pub fn each(path: &Path, mut take: impl FnMut(Value) -> Result<(), LineFault>) -> Result<(), ReportError> {
    let refused = |source| ReportError::Run(RunError::Io { path: path.into(), source });
    let file = match File::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        other => other.map_err(refused)?,
    };
    let mut reader = BufReader::new(file);
    let (mut bytes, mut line) = (Vec::new(), 0);
    loop {
        bytes.clear();
        if reader.read_until(b'\n', &mut bytes).map_err(refused)? == 0 {
            return Ok(());
        }
        line += 1;
        let whole = bytes.ends_with(b"\n");
        if bytes.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let damaged = |what: String| ReportError::Line { path: path.into(), line, what };
        let value = match serde_json::from_slice(bytes.trim_ascii_end()) {
            Err(_) if !whole => return Ok(()),
            Err(error) => {
                let what = error.to_string();
                let what = what.split(" at line ").next().unwrap_or_default();
                return Err(damaged(format!("expected one JSON object: {what} (column {})", error.column())));
            }
            Ok(value) => value,
        };
        take(value).map_err(|fault| match fault {
            LineFault::Damaged(what) => damaged(what),
            LineFault::Newer(found) => ReportError::Run(RunError::Newer { path: path.into(), found }),
        })?;
    }
}

/// What is wrong with a line.
#[derive(Debug)]
pub enum LineFault {
    /// It is not what it should be.
    Damaged(String),
    /// It says that a later format follows.
    Newer(u32),
}

impl From<serde_json::Error> for LineFault {
    fn from(error: serde_json::Error) -> Self {
        LineFault::Damaged(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The values of a file with this content, or the error's text.
    fn values(content: &[u8]) -> Result<Vec<Value>, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.jsonl");
        std::fs::write(&path, content).unwrap();
        let mut found = Vec::new();
        let read = each(&path, |value| {
            found.push(value);
            Ok(())
        });
        let name = format!("{}/", folder.path().display());
        read.map(|()| found).map_err(|error| error.to_string().replace(&name, ""))
    }

    #[test]
    fn a_line_that_was_cut_short_ends_the_file_and_a_damaged_one_is_named() {
        assert_eq!(values(b"").unwrap(), [0; 0]);
        assert_eq!(values(b"1\r\n\n2\n").unwrap(), [1, 2]);
        assert_eq!(values(b"1\n2").unwrap(), [1, 2]);
        assert_eq!(values(b"1\n{\"epoch\":").unwrap(), [1]);
        let error = values(b"1\n{\"epoch\":\n3\n").unwrap_err();
        assert!(error.starts_with("a.jsonl:2: expected one JSON object: EOF while parsing"), "{error}");
        assert!(values(b"\n\xff\xfe\n").unwrap_err().starts_with("a.jsonl:2: "));
    }

    #[test]
    fn a_missing_file_has_no_lines() {
        each(Path::new("/nonexistent/a.jsonl"), |_| Err(LineFault::Damaged(String::new()))).unwrap();
    }
}
