//! How is a file opened?
//!
//! Files are read as streams, plain, gzip-compressed, or members of a zip archive, told apart by their first bytes and
//! not by their names.

mod zip;

use std::borrow::Cow;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::bufread::MultiGzDecoder;

use crate::error::{Error, Malformed, Result};

/// The longest line that is read: a file that is no text, or inflates without end, takes no more memory than that.
pub const LINE_BYTES_MAX: usize = 1 << 24;

/// The most bytes that `compressed` ones may inflate to: 200 for each, and 64 MiB in any case. Text compresses to a
/// tenth or so; what goes far beyond was made to fill memory or time.
pub(crate) fn inflation_max(compressed: u64) -> u64 {
    compressed.saturating_mul(200).max(1 << 26)
}

const BUFFER: usize = 1 << 17;

/// Folders that relative paths are looked for in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Roots {
    /// The folders, the first to look in first.
    pub dirs: Vec<PathBuf>,
}

impl Roots {
    /// Returns where `path` is: itself where absolute, else in the first root that holds it.
    ///
    /// Without roots a relative path is looked for in the working folder.
    ///
    /// # Errors
    /// [`Error::Missing`], with the places tried, if it is in none of them.
    pub fn resolve(&self, path: &str) -> Result<PathBuf> {
        let mut tried: Vec<PathBuf> = match Path::new(path).is_absolute() || self.dirs.is_empty() {
            true => vec![PathBuf::from(path)],
            // Without the `./` that messages would then begin with.
            false => self.dirs.iter().map(|dir| dir.strip_prefix(".").unwrap_or(dir).join(path)).collect(),
        };
        match tried.iter().position(|place| place.exists() || zip::split(place).is_some()) {
            Some(index) if !path.is_empty() => Ok(tried.swap_remove(index)),
            _ => Err(Error::Missing { path: path.to_string(), tried }),
        }
    }
}

/// Opens a file as a stream of its plain bytes: a plain or gzip-compressed one, the only member of a zip archive, or
/// the member that a path names which leads into one (`reviews.zip/train.csv`).
///
/// # Errors
/// [`Error::Missing`] and [`Error::Io`]; a folder is an error. [`Error::Malformed`] for an archive that does not have
/// the member, and for one that inflates without end.
pub fn open(path: &Path) -> Result<Box<dyn BufRead>> {
    let name = || path.display().to_string();
    if path.is_dir() {
        let source = std::io::Error::new(std::io::ErrorKind::IsADirectory, "it is a folder, a file is needed");
        return Err(Error::Io { path: name(), source });
    }
    if let Some((archive, member)) = if path.exists() { None } else { zip::split(path) } {
        let (member, packed) = zip::member(&archive, Some(&member))?;
        return plain(BufReader::with_capacity(BUFFER, member), packed, &name());
    }
    let file = File::open(path).map_err(|source| Error::io(name(), source))?;
    let about = file.metadata().map_err(|source| Error::io(name(), source))?;
    // A pipe does not tell its length.
    let length = if about.is_file() { about.len() } else { u64::MAX };
    let mut reader = BufReader::with_capacity(BUFFER, file);
    if start(&mut reader, &name())?.starts_with(zip::MAGIC) {
        let (member, packed) = zip::member(path, None)?;
        return plain(BufReader::with_capacity(BUFFER, member), packed, &name());
    }
    plain(reader, length, &name())
}

/// Whether a path leads into a zip archive.
pub(crate) fn is_member(path: &Path) -> bool {
    !path.exists() && zip::split(path).is_some()
}

/// The members of a zip archive that has several; `None` for any other file, and for a folder.
///
/// # Errors
/// The archive is damaged or cut off.
pub(crate) fn members(path: &Path) -> Result<Option<Vec<String>>> {
    if !path.is_file() {
        return Ok(None);
    }
    let mut magic = [0; 4];
    let is_zip = File::open(path).and_then(|mut file| file.read_exact(&mut magic)).is_ok() && magic == *zip::MAGIC;
    if !is_zip {
        return Ok(None);
    }
    Ok(Some(zip::names(path)?).filter(|names| names.len() > 1))
}

/// The plain bytes of a stream that may be gzip-compressed, and takes `length` bytes on the disk.
fn plain(mut reader: impl BufRead + 'static, length: u64, name: &str) -> Result<Box<dyn BufRead>> {
    if start(&mut reader, name)?.starts_with(&[0x1f, 0x8b]) {
        return Ok(Box::new(BufReader::with_capacity(BUFFER, inflated(reader, length))));
    }
    Ok(Box::new(reader))
}

/// Inflates a gzip stream that takes `length` bytes on the disk, as far as it may.
pub(crate) fn inflated<R: BufRead>(reader: R, length: u64) -> impl Read + use<R> {
    Bounded { inner: MultiGzDecoder::new(reader), left: inflation_max(length) }
}

fn start<'a>(reader: &'a mut impl BufRead, name: &str) -> Result<&'a [u8]> {
    reader.fill_buf().map_err(|source| Error::io(name, source))
}

/// A stream that may not go on for ever.
struct Bounded<R> {
    inner: R,
    left: u64,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.left = self.left.checked_sub(count as u64).ok_or_else(|| {
            let message = "they inflate to more than 200 times their size";
            std::io::Error::new(std::io::ErrorKind::InvalidData, message)
        })?;
        Ok(count)
    }
}

/// Reads a whole file, plain or compressed.
///
/// # Errors
/// As [`open`], and [`Error::Truncated`].
pub fn read(path: &Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open(path)?.read_to_end(&mut bytes).map_err(|source| Error::io(path.display().to_string(), source))?;
    Ok(bytes)
}

/// The lines of a stream as bytes: split at LF only, without CR before it and without a byte order mark.
pub struct Lines<R> {
    reader: R,
    file: String,
    line: Vec<u8>,
    number: u32,
}

impl<R: BufRead> Lines<R> {
    /// Reads lines from `reader`; `file` is its name in messages.
    pub fn new(reader: R, file: impl Into<String>) -> Lines<R> {
        Lines { reader, file: file.into(), line: Vec::new(), number: 0 }
    }

    /// What is read from.
    pub fn reader(&self) -> &R {
        &self.reader
    }

    /// The next line and its number from 1, or `None` at the end.
    ///
    /// A file without a line break at its end has no empty last line.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Truncated`], and [`Error::Malformed`] for UTF-16 and for a line of more than
    /// [`LINE_BYTES_MAX`].
    pub fn next_line(&mut self) -> Result<Option<(u32, &[u8])>> {
        self.line.clear();
        let read = self.reader.by_ref().take(LINE_BYTES_MAX as u64 + 1).read_until(b'\n', &mut self.line);
        if read.map_err(|source| Error::io(&self.file, source))? == 0 {
            return Ok(None);
        }
        self.number = self.number.saturating_add(1);
        if self.line.len() > LINE_BYTES_MAX {
            return Err(too_long(&self.file, self.number));
        }
        let mut line = self.line.as_slice();
        line = line.strip_suffix(b"\n").unwrap_or(line);
        line = line.strip_suffix(b"\r").unwrap_or(line);
        if self.number == 1 {
            line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
            if line.starts_with(b"\xff\xfe") || line.starts_with(b"\xfe\xff") {
                return Err(not_utf8(&self.file, 1, 1, "UTF-16", "utf-16"));
            }
        }
        Ok(Some((self.number, line)))
    }
}

/// Returns `line` as text.
///
/// # Errors
/// [`Error::Malformed`] with the first byte that is not UTF-8.
pub fn utf8<'a>(line: &'a [u8], file: &str, number: u32) -> Result<&'a str> {
    std::str::from_utf8(line).map_err(|error| {
        let at = error.valid_up_to();
        not_utf8(file, number, at as u64 + 1, &format!("the byte 0x{:02X}", line[at]), "windows-1252")
    })
}

fn too_long(file: &str, line: u32) -> Error {
    Error::from(Malformed {
        file: file.to_string(),
        line: u64::from(line),
        column: None,
        accepted: format!("a line of at most {} MiB", LINE_BYTES_MAX >> 20),
        found: "a longer one".to_string(),
        help: "check that it is a text file, and that its lines end with LF".to_string(),
    })
}

/// The error of bytes that are not UTF-8 and may be `encoding`.
pub(crate) fn not_utf8(file: &str, line: u32, column: u64, found: &str, encoding: &str) -> Error {
    Error::from(Malformed {
        file: file.to_string(),
        line: u64::from(line),
        column: Some(column),
        accepted: "UTF-8".to_string(),
        found: found.to_string(),
        help: format!("convert the file, for example with `iconv -f {encoding} -t utf-8`"),
    })
}

/// Decodes UTF-8, and as Windows-1252 those bytes that are not UTF-8.
///
/// The text is owned exactly where such bytes were found. Byte for byte, not line for line: a line that holds both
/// keeps its valid letters. The five bytes that Windows-1252 leaves undefined become U+FFFD.
pub fn decode(bytes: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Cow::Borrowed(text);
    }
    let mut text = String::with_capacity(bytes.len() + 8);
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|&byte| windows_1252(byte)));
    }
    Cow::Owned(text)
}

/// A byte of 128 and above as Windows-1252; those below are ASCII.
fn windows_1252(byte: u8) -> char {
    const HIGH: [char; 32] = [
        '€', '\u{fffd}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{fffd}', 'Ž', '\u{fffd}',
        '\u{fffd}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{fffd}', 'ž', 'Ÿ',
    ];
    match byte {
        0x80..=0x9f => HIGH[usize::from(byte) - 0x80],
        _ => char::from(byte),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn lines(bytes: &[u8]) -> Result<Vec<(u32, Vec<u8>)>> {
        let mut lines = Lines::new(bytes, "f");
        let mut found = Vec::new();
        while let Some((number, line)) = lines.next_line()? {
            found.push((number, line.to_vec()));
        }
        Ok(found)
    }

    #[test]
    fn lines_end_at_lf_only() {
        let found = lines("\u{feff}a\r\n\nb\u{85}c\rd\u{2028}e".as_bytes()).unwrap();
        let expected = ["a", "", "b\u{85}c\rd\u{2028}e"];
        assert_eq!(found.len(), 3);
        for (index, (number, line)) in found.iter().enumerate() {
            assert_eq!((*number as usize, line.as_slice()), (index + 1, expected[index].as_bytes()));
        }
        assert!(lines(b"").unwrap().is_empty());
        assert_eq!(lines(b"a\n").unwrap().len(), 1);
        let message = lines(b"\xff\xfea\0").unwrap_err().to_string();
        assert!(message.starts_with("f:1:1: expected UTF-8, found UTF-16\n  help: "), "{message}");
    }

    #[test]
    fn bytes_that_are_not_utf8_are_windows_1252() {
        assert_eq!(decode(b"na\xefve \xe9 \x96 \x81"), "naïve é – \u{fffd}");
        assert_eq!(decode("é\u{96}".as_bytes()), "é\u{96}");
        assert_eq!(decode(b"\xc3\xa9 \xe9 \xef\xbf "), "é é ï¿ ");
        assert!(matches!(decode(b"abc"), Cow::Borrowed("abc")));
    }

    #[test]
    fn a_byte_that_is_not_utf8_is_named() {
        let message = utf8(b"ab\xe9", "f", 7).unwrap_err().to_string();
        assert!(message.starts_with("f:7:3: expected UTF-8, found the byte 0xE9"), "{message}");
    }

    #[test]
    fn compressed_files_are_known_by_their_bytes() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("plain.txt");
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        let text: String = (0..10_000).map(|number| format!("{number}\n")).collect();
        encoder.write_all(text.as_bytes()).unwrap();
        let bytes = encoder.finish().unwrap();
        std::fs::write(&path, &bytes).unwrap();
        assert_eq!(read(&path).unwrap(), text.as_bytes());
        // Two members, one after the other, as `cat a.gz b.gz` makes them.
        std::fs::write(&path, [&bytes[..], &bytes].concat()).unwrap();
        assert_eq!(read(&path).unwrap().len(), 2 * text.len());
        std::fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
        let error = read(&path).unwrap_err();
        assert!(matches!(error, Error::Truncated { .. }), "{error:?}");
        assert!(error.to_string().contains("cut off"), "{error}");
        std::fs::write(&path, "plain").unwrap();
        assert_eq!(read(&path).unwrap(), b"plain");
        assert!(open(dir.path()).err().unwrap().to_string().contains("it is a folder"));
    }

    #[test]
    fn compressed_data_inflate_so_far_only() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("zeros.gz");
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        std::io::copy(&mut std::io::repeat(b'\n').take(inflation_max(0) + 1), &mut encoder).unwrap();
        std::fs::write(&path, encoder.finish().unwrap()).unwrap();
        let message = std::io::copy(&mut open(&path).unwrap(), &mut std::io::sink()).unwrap_err();
        let message = Error::io("zeros.gz", message).to_string();
        assert!(message.contains("inflate to more than 200 times their size"), "{message}");
        assert_eq!((inflation_max(1 << 20), inflation_max(u64::MAX)), (200 << 20, u64::MAX));
    }

    #[test]
    fn a_path_is_looked_for_in_every_root() {
        let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let roots = Roots { dirs: vec![first.path().into(), second.path().into()] };
        std::fs::write(second.path().join("b"), "").unwrap();
        assert_eq!(roots.resolve("b").unwrap(), second.path().join("b"));
        std::fs::write(first.path().join("b"), "").unwrap();
        assert_eq!(roots.resolve("b").unwrap(), first.path().join("b"));
        let absolute = second.path().join("b");
        assert_eq!(roots.resolve(absolute.to_str().unwrap()).unwrap(), absolute);
        match roots.resolve("c").unwrap_err() {
            Error::Missing { path, tried } => {
                assert_eq!((path.as_str(), tried.len()), ("c", 2));
                assert_eq!(tried[1], second.path().join("c"));
            }
            other => panic!("{other}"),
        }
        assert!(matches!(roots.resolve(""), Err(Error::Missing { .. })));
    }
}
