//! IMDB: film reviews, `{train,test}/{pos,neg}/ID_RATING.txt` in a folder or a `.tar.gz`.
//!
//! The path is the archive, the folder that holds `aclImdb`, or `aclImdb` itself; `unsup` is skipped. Reviews are
//! ordered by part, label and number, so neither a file system nor an archive decides about their order. An archive is
//! read once, and each review is passed on as it comes. `<br />` becomes a line break, and bytes that are not
//! UTF-8 are decoded as Windows-1252.
//!
//! Reference: Maas et al., "Learning Word Vectors for Sentiment Analysis", ACL, 2011.

use std::borrow::Cow;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Entry, Reader, Sink};
use crate::error::{Error, Malformed, Result};
use crate::open::{self, LINE_BYTES_MAX};
use crate::record::{Column, ColumnKind, Part, Place, Record, Value};

pub(super) const ENTRY: Entry = Entry {
    key: "imdb",
    summary: "film reviews: a folder or .tar.gz of {train,test}/{pos,neg}/ID_RATING.txt",
    targets: &[("polarity", "label: neg, pos"), ("rating", "number: 1 to 10; also a label")],
    options: &[],
};

const PARTS: [(&str, Part); 2] = [("train", Part::Train), ("test", Part::Test)];
const LABELS: [&str; 2] = ["neg", "pos"];

/// Reads the IMDB review corpus.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Imdb;

impl Reader for Imdb {
    fn columns(&self) -> Vec<Column> {
        vec![
            Column::new("text", ColumnKind::Text),
            Column::new("polarity", ColumnKind::Label),
            Column::new("rating", ColumnKind::Number),
        ]
    }

    fn stratum(&self) -> Option<&str> {
        Some("polarity")
    }

    fn read(&self, path: &Path, part: Part, sink: Sink<'_>) -> Result<Vec<String>> {
        let mut decoded = 0;
        if path.is_dir() {
            for (review, file) in folder(path, part)? {
                let name = file.display().to_string();
                let mut bytes = Vec::new();
                whole(open::open(&file)?, &name, &mut bytes)?.map_err(|source| Error::io(&name, source))?;
                sink(record(&review, &name, &bytes, &mut decoded))?;
            }
        } else {
            archive(path, part, &mut |review, file, bytes| sink(record(&review, file, bytes, &mut decoded)))?;
        }
        Ok(match decoded {
            0 => Vec::new(),
            _ => vec![format!(
                "{}: {decoded} reviews are not UTF-8; their stray bytes were read as Windows-1252",
                path.display()
            )],
        })
    }
}

/// What the name of a review says, in the order of sorting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Review {
    part: Part,
    label: &'static str,
    id: u32,
    rating: u8,
}

impl Review {
    /// A key that sorts as reviews do.
    fn order(&self) -> u64 {
        let part = u64::from(self.part == Part::Test);
        let label = u64::from(self.label == LABELS[1]);
        part << 63 | label << 62 | u64::from(self.id) << 8 | u64::from(self.rating)
    }

    /// The review that stands at `file`, or `None` where this is no part of the labelled corpus.
    ///
    /// # Errors
    /// The file is in a labelled folder and its name is not `ID_RATING.txt`.
    fn at(file: &str) -> Result<Option<Review>> {
        let mut names = file.rsplit(['/', std::path::MAIN_SEPARATOR]);
        let (Some(name), Some(folder), Some(part)) = (names.next(), names.next(), names.next()) else {
            return Ok(None);
        };
        let part = PARTS.iter().find(|(known, _)| *known == part);
        let label = LABELS.iter().find(|known| **known == folder);
        // Some systems leave files of their own (`.DS_Store`, `._0_9.txt`) in folders and archives.
        let (Some(&(_, part)), Some(&label), false) = (part, label, name.starts_with('.')) else { return Ok(None) };
        let numbers = name.strip_suffix(".txt").and_then(|stem| stem.split_once('_'));
        match numbers.map(|(id, rating)| (id.parse(), rating.parse())) {
            Some((Ok(id), Ok(rating @ 1..=10))) => Ok(Some(Review { part, label, id, rating })),
            _ => Err(Error::from(Malformed {
                file: file.to_string(),
                line: 1,
                column: None,
                accepted: "a file name ID_RATING.txt with a rating of 1 to 10".to_string(),
                found: format!("{name:?}"),
                help: "remove the file, or give it a name that says its rating".to_string(),
            })),
        }
    }
}

fn record(review: &Review, file: &str, bytes: &[u8], decoded: &mut usize) -> Record {
    let text = open::decode(bytes);
    *decoded += usize::from(matches!(text, Cow::Owned(_)));
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    Record {
        values: vec![
            Value::Text(line_breaks(text)),
            Value::Label(review.label.to_string()),
            Value::Number(f64::from(review.rating)),
        ],
        place: Place { file: Arc::from(file), line: 1 },
        part: review.part,
        order: review.order(),
    }
}

/// The text with a line break for each `<br />`.
fn line_breaks(text: &str) -> String {
    let mut text = text.replace("<br />", "\n");
    if text.contains("<br") {
        text = text.replace("<br/>", "\n").replace("<br>", "\n");
    }
    text
}

/// The reviews of a folder, sorted, and where each is.
fn folder(path: &Path, part: Part) -> Result<Vec<(Review, PathBuf)>> {
    let inner = path.join("aclImdb");
    let root = if inner.is_dir() { inner } else { path.to_path_buf() };
    let mut reviews = Vec::new();
    for (name, _) in PARTS.iter().filter(|(_, known)| part.includes(*known)) {
        for label in LABELS {
            let dir = root.join(name).join(label);
            if !dir.is_dir() {
                continue;
            }
            let failed = |source| Error::io(dir.display().to_string(), source);
            for entry in std::fs::read_dir(&dir).map_err(failed)? {
                let file = entry.map_err(failed)?.path();
                if let Some(review) = Review::at(&file.to_string_lossy())? {
                    reviews.push((review, file));
                }
            }
        }
    }
    reviews.sort();
    Ok(reviews)
}

/// Takes a review of an archive, its name and its bytes.
type Taken<'a> = &'a mut dyn FnMut(Review, &str, &[u8]) -> Result<()>;

/// Passes on the reviews of an archive as they come.
fn archive(path: &Path, part: Part, take: Taken<'_>) -> Result<()> {
    let mut archive = tar::Archive::new(open::open(path)?);
    let failed = |source: std::io::Error| archive_error(path, source, true);
    let mut bytes = Vec::new();
    let mut any = false;
    for entry in archive.entries().map_err(failed)? {
        let mut entry = entry.map_err(|source| archive_error(path, source, any))?;
        any = true;
        if !entry.header().entry_type().is_file() {
            continue;
        }
        let file = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let Some(review) = Review::at(&file).map_err(|error| inside(path, error))? else { continue };
        if !part.includes(review.part) {
            continue;
        }
        let size = entry.header().size().map_err(failed)?;
        bytes.clear();
        whole(&mut entry, &file, &mut bytes).map_err(|error| inside(path, error))?.map_err(failed)?;
        if (bytes.len() as u64) < size {
            return Err(Error::Truncated { path: path.display().to_string() });
        }
        take(review, &file, &bytes)?;
    }
    // The archive's own end comes before that of its compression, whose checksum covers everything.
    std::io::copy(&mut archive.into_inner(), &mut std::io::sink()).map_err(failed)?;
    Ok(())
}

/// Reads a review; one that is repeated without end takes next to nothing in a compressed archive.
///
/// # Errors
/// [`Error::Malformed`] for a review that is longer than any line may be; what cannot be read is the inner error.
fn whole(reader: impl Read, file: &str, bytes: &mut Vec<u8>) -> Result<std::io::Result<()>> {
    if let Err(source) = reader.take(LINE_BYTES_MAX as u64 + 1).read_to_end(bytes) {
        return Ok(Err(source));
    }
    if bytes.len() <= LINE_BYTES_MAX {
        return Ok(Ok(()));
    }
    Err(Error::from(Malformed {
        file: file.to_string(),
        line: 0,
        column: None,
        accepted: format!("a review of at most {} MiB", LINE_BYTES_MAX >> 20),
        found: "a longer one".to_string(),
        help: "remove the file".to_string(),
    }))
}

/// A place within an archive, named together with the archive.
fn inside(path: &Path, error: Error) -> Error {
    match error {
        Error::Malformed(mut flaw) => {
            flaw.file = format!("{}: {}", path.display(), flaw.file);
            Error::Malformed(flaw)
        }
        other => other,
    }
}

/// `tar` hides the kind of an error in its message, and calls text that is no archive by many names.
///
/// Where not even the first entry could be read (`any` is false), a block that is too short means text, not an end.
fn archive_error(path: &Path, source: std::io::Error, any: bool) -> Error {
    use std::io::ErrorKind::{InvalidData, InvalidInput, UnexpectedEof};
    let (message, path) = (source.to_string(), path.display().to_string());
    let ends =
        ["unexpected EOF", "unexpected end of file"].into_iter().chain(any.then_some("failed to read entire block"));
    match source.kind() {
        UnexpectedEof => Error::Truncated { path },
        _ if ends.into_iter().any(|end| message.contains(end)) => Error::Truncated { path },
        InvalidData | InvalidInput => Error::io(path, source),
        _ => {
            let help = "name the folder `aclImdb`, the folder that holds it, or its .tar or .tar.gz";
            let message = format!("not a tar archive: {message}\n  help: {help}");
            Error::Io { path, source: std::io::Error::other(message) }
        }
    }
}

#[cfg(test)]
mod tests {
    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::super::tests::{label, read_all};
    use super::*;

    const FILES: [(&str, &[u8]); 9] = [
        ("test/pos/2_10.txt", b"test pos 2"),
        ("train/pos/10_7.txt", b"ten<br /><br />lines<br>"),
        ("train/pos/9_8.txt", b"nine"),
        ("train/neg/0_1.txt", b"caf\xe9"),
        ("train/unsup/0_0.txt", b"no label"),
        ("train/pos/.DS_Store", b"x"),
        ("train/urls_pos.txt", b"http"),
        ("test/neg/1_4.txt", b"test neg 1"),
        ("README", b"x"),
    ];
    const ORDER: [&str; 5] = ["café", "nine", "ten\n\nlines\n", "test neg 1", "test pos 2"];

    fn write_archive(path: &Path, files: &[(&str, &[u8])]) {
        let mut builder = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
        for (name, bytes) in files {
            let mut header = tar::Header::new_gnu();
            header.set_size(bytes.len() as u64);
            header.set_mode(0o644);
            header.set_cksum();
            builder.append_data(&mut header, format!("aclImdb/{name}"), *bytes).unwrap();
        }
        std::fs::write(path, builder.into_inner().unwrap().finish().unwrap()).unwrap();
    }

    fn texts(records: &[Record]) -> Vec<&str> {
        records.iter().map(|record| if let Value::Text(text) = &record.values[0] { text } else { "" }).collect()
    }

    #[test]
    fn folders_and_archives_give_the_same_records() {
        let dir = tempfile::tempdir().unwrap();
        for (name, bytes) in FILES {
            let file = dir.path().join("aclImdb").join(name);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, bytes).unwrap();
        }
        let packed = dir.path().join("packed.tar.gz");
        write_archive(&packed, &FILES);
        for path in [dir.path().to_path_buf(), dir.path().join("aclImdb"), packed] {
            let (mut records, notes) = read_all(&Imdb, &path, Part::All).unwrap();
            records.sort_by_key(|record| record.order);
            assert_eq!(texts(&records), ORDER);
            assert_eq!(records[2].values[1..], [label("pos"), Value::Number(7.0)]);
            assert_eq!(records[3].values[1..], [label("neg"), Value::Number(4.0)]);
            assert!(records[2].place.file.ends_with("aclImdb/train/pos/10_7.txt"));
            assert!(records.iter().map(|record| record.part).eq([Part::Train; 3].into_iter().chain([Part::Test; 2])));
            assert!(notes[0].contains("1 reviews are not UTF-8"), "{notes:?}");
            let (mut records, _) = read_all(&Imdb, &path, Part::Test).unwrap();
            records.sort_by_key(|record| record.order);
            assert_eq!(texts(&records), ORDER[3..]);
            assert!(read_all(&Imdb, &path, Part::Valid).unwrap().0.is_empty());
        }
    }

    #[test]
    fn an_archive_that_is_cut_off_or_none_says_so() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.tar.gz");
        let long = vec![b'x'; 5000];
        write_archive(&path, &[("train/pos/0_9.txt", &long), ("train/neg/0_1.txt", &long)]);
        let bytes = std::fs::read(&path).unwrap();
        for length in [bytes.len() / 2, bytes.len() - 9, 30] {
            std::fs::write(&path, &bytes[..length]).unwrap();
            let error = read_all(&Imdb, &path, Part::All).map(|_| ()).unwrap_err();
            assert!(matches!(error, Error::Truncated { .. }), "{length} of {}: {error:?}", bytes.len());
        }
        let plain = {
            std::fs::write(&path, &bytes).unwrap();
            open::read(&path).unwrap()
        };
        for length in [1000, 6000] {
            std::fs::write(&path, &plain[..length]).unwrap();
            let error = read_all(&Imdb, &path, Part::All).unwrap_err();
            assert!(matches!(error, Error::Truncated { .. }), "{length}: {error:?}");
        }
        std::fs::write(&path, "this is a text, and no archive at all. ".repeat(100)).unwrap();
        let message = read_all(&Imdb, &path, Part::All).unwrap_err().to_string();
        assert!(message.contains("a.tar.gz: cannot be read: not a tar archive: "), "{message}");
    }

    #[test]
    fn a_review_is_no_longer_than_a_line() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.tar.gz");
        write_archive(&path, &[("train/pos/0_9.txt", &vec![b'x'; LINE_BYTES_MAX + 1])]);
        let message = read_all(&Imdb, &path, Part::All).unwrap_err().to_string();
        let expected = "aclImdb/train/pos/0_9.txt: expected a review of at most 16 MiB, found a longer one\n  help: ";
        assert!(message.contains(expected) && message.contains("a.tar.gz: "), "{message}");
        write_archive(&path, &[("train/pos/0_9.txt", &vec![b'x'; LINE_BYTES_MAX])]);
        assert_eq!(read_all(&Imdb, &path, Part::All).unwrap().0.len(), 1);
    }

    #[test]
    fn a_review_without_a_rating_is_an_error_with_its_name() {
        for name in ["0.txt", "0_11.txt", "0_0.txt", "x_3.txt", "0_3.html"] {
            let message = Review::at(&format!("aclImdb/train/pos/{name}")).unwrap_err().to_string();
            assert!(message.contains(name) && message.contains("expected a file name ID_RATING.txt"), "{message}");
        }
        assert_eq!(Review::at("0_3.txt").unwrap(), None);
    }
}
