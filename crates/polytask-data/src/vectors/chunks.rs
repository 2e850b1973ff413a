//! How does a file become lines? Its text is read and decompressed in chunks of whole lines, on a thread of its own.

use super::VectorsProblem;
use crate::open::inflated;
use std::fs::File;
use std::io::{BufRead, BufReader, Cursor, ErrorKind, Read};
use std::path::Path;
use std::sync::mpsc::SyncSender;

/// Text in a chunk, before what is left of the last line is added.
const CHUNK_BYTES: usize = 1 << 20;

/// Longest line: 65,536 numbers of 16 characters.
pub(super) const LINE_BYTES_MAX: usize = 1 << 20;

/// How models of fastText start: 793712314, little-endian.
const FASTTEXT_MAGIC: [u8; 4] = [0xba, 0x16, 0x4f, 0x2f];

/// A file of text, decompressed where it is compressed.
pub(super) struct Text {
    reader: Box<dyn Read + Send>,
    compressed: bool,
    /// The beginning of a line whose end was not read yet.
    rest: Vec<u8>,
    /// Why the chunk that was read last is the last one.
    stopped: Option<Stop>,
    ended: bool,
}

/// Whole lines, or why there are no more.
pub(super) type Chunk = Result<Vec<u8>, Stop>;

/// Why the text ended before its end.
pub(super) enum Stop {
    /// The file cannot be read.
    Io(std::io::Error),
    /// The compressed data are cut.
    Truncated,
    /// The compressed data are damaged.
    Damaged(std::io::Error),
    /// No line ended for [`LINE_BYTES_MAX`] bytes.
    LongLine,
}

/// Opens a file, plain or gzip, whatever its name says.
pub(super) fn open(path: &Path) -> Result<Text, VectorsProblem> {
    if path.is_dir() {
        let source = std::io::Error::new(ErrorKind::IsADirectory, "it is a folder, a file is needed");
        return Err(VectorsProblem::Io(source));
    }
    let file = File::open(path).map_err(VectorsProblem::Io)?;
    let about = file.metadata().map_err(VectorsProblem::Io)?;
    // A pipe does not tell its length.
    let length = if about.is_file() { about.len() } else { u64::MAX };
    let mut file = BufReader::with_capacity(1 << 17, file);
    let start = file.fill_buf().map_err(VectorsProblem::Io)?;
    if start.starts_with(&[0x1f, 0x8b]) {
        return Ok(Text::new(Box::new(inflated(file, length)), true));
    }
    if start.starts_with(&FASTTEXT_MAGIC) {
        return Err(VectorsProblem::FastText);
    }
    let archives: [(&[u8], &'static str); 4] =
        [(b"PK\x03\x04", "zip"), (b"\xfd7zXZ", "xz"), (b"BZh", "bzip2"), (b"\x28\xb5\x2f\xfd", "zstd")];
    // `BZh` may start a word; a bzip2 file goes on with its level and the digits of pi.
    let is_archive = |magic: &[u8]| start.starts_with(magic) && (magic != b"BZh" || start.get(4) == Some(&0x31));
    match archives.iter().find(|(magic, _)| is_archive(magic)) {
        Some((_, kind)) => Err(VectorsProblem::Archive { kind }),
        None => Ok(Text::new(Box::new(file), false)),
    }
}

/// The end of what could be read ahead, and why it is one.
struct Ended(Option<std::io::Error>);

impl Read for Ended {
    fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}

impl Text {
    fn new(reader: Box<dyn Read + Send>, compressed: bool) -> Text {
        Text { reader, compressed, rest: Vec::new(), stopped: None, ended: false }
    }

    /// The first bytes, as many as there are up to `count`; they are read again afterwards.
    pub(super) fn peek(&mut self, count: usize) -> Vec<u8> {
        let mut start = Vec::new();
        let read = (&mut self.reader).take(count as u64).read_to_end(&mut start);
        let rest = std::mem::replace(&mut self.reader, Box::new(Ended(None)));
        let again = Cursor::new(start.clone());
        // What cannot be read is told to who reads as far.
        self.reader = match read {
            Ok(_) => Box::new(again.chain(rest)),
            Err(error) => Box::new(again.chain(Ended(Some(error)))),
        };
        start
    }

    /// Whether the file is compressed.
    pub(super) fn is_compressed(&self) -> bool {
        self.compressed
    }

    /// The bytes themselves.
    pub(super) fn into_reader(self) -> Box<dyn Read + Send> {
        self.reader
    }

    /// The next chunk, of whole lines; only the last may lack its final line end. Nothing after that, or after a stop.
    pub(super) fn next(&mut self) -> Option<Chunk> {
        if self.ended {
            return None;
        }
        if let Some(stop) = self.stopped.take() {
            self.ended = true;
            return Some(Err(stop));
        }
        let mut chunk = Vec::with_capacity(self.rest.len() + CHUNK_BYTES);
        chunk.append(&mut self.rest);
        let read = (&mut self.reader).take(CHUNK_BYTES as u64).read_to_end(&mut chunk);
        let line_end = chunk.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
        let is_long = chunk.len() - line_end > LINE_BYTES_MAX;
        if matches!(read, Ok(count) if count < CHUNK_BYTES) && !is_long {
            self.ended = true;
            return Some(Ok(chunk));
        }
        self.rest = chunk.split_off(line_end);
        self.stopped = match read {
            Err(error) => Some(self.stop(error)),
            Ok(_) => is_long.then_some(Stop::LongLine),
        };
        Some(Ok(chunk))
    }

    /// Whether there are no more chunks.
    pub(super) fn is_ended(&self) -> bool {
        self.ended
    }

    /// Sends `first` and the chunks after it; returns early where nobody receives any more.
    pub(super) fn send(mut self, first: Option<Chunk>, chunks: &SyncSender<Chunk>) {
        let mut next = first;
        while let Some(chunk) = next {
            if chunks.send(chunk).is_err() {
                return;
            }
            next = self.next();
        }
    }

    fn stop(&self, error: std::io::Error) -> Stop {
        match error.kind() {
            ErrorKind::UnexpectedEof if self.compressed => Stop::Truncated,
            // What the decoder complains about comes without a number of the operating system.
            _ if self.compressed && error.raw_os_error().is_none() => Stop::Damaged(error),
            _ => Stop::Io(error),
        }
    }
}
