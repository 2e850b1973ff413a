//! What does a file begin with?

use std::borrow::Cow;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::open;

/// Bytes that are looked at.
const BYTES: u64 = 1 << 20;

/// Lines that are looked at.
const LINES: usize = 20_000;

/// The beginning of a file.
#[derive(Debug, Clone)]
pub struct Sample {
    /// Where it is.
    pub path: PathBuf,
    /// Its name in lower case, without `.gz` and `.zip`.
    pub name: String,
    /// Its first bytes as they are on the disk, up to 512.
    pub raw: Vec<u8>,
    /// Its first bytes, inflated where it is compressed.
    pub bytes: Vec<u8>,
    /// Whether these are all its bytes.
    pub complete: bool,
}

impl Sample {
    /// Looks at a file.
    ///
    /// # Errors
    /// It cannot be read, is cut off early, or is an archive of several files.
    pub fn read(path: &Path) -> Result<Sample> {
        let failed = |source| Error::io(path.display().to_string(), source);
        let mut raw = Vec::new();
        if path.is_file() {
            File::open(path).and_then(|file| file.take(512).read_to_end(&mut raw)).map_err(failed)?;
        }
        let mut bytes = Vec::new();
        open::open(path)?.take(BYTES + 1).read_to_end(&mut bytes).map_err(failed)?;
        let complete = bytes.len() as u64 <= BYTES;
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
        let name = name.strip_suffix(".gz").or(name.strip_suffix(".zip")).unwrap_or(&name).to_string();
        Ok(Sample { path: path.to_path_buf(), name, raw, bytes, complete })
    }

    /// Its whole lines as bytes, without CR, and without a byte order mark.
    pub fn lines(&self) -> Vec<&[u8]> {
        let bytes = self.bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&self.bytes);
        let mut lines: Vec<&[u8]> = bytes.split(|&byte| byte == b'\n').take(LINES + 1).collect();
        if lines.len() > LINES || !self.complete || bytes.ends_with(b"\n") {
            lines.pop();
        }
        lines.into_iter().map(|line| line.strip_suffix(b"\r").unwrap_or(line)).collect()
    }

    /// Its whole lines as text.
    pub fn texts(&self) -> Vec<Cow<'_, str>> {
        self.lines().into_iter().map(open::decode).collect()
    }

    /// Whether it holds bytes that no text does.
    pub fn is_binary(&self) -> bool {
        let start = &self.bytes[..self.bytes.len().min(1 << 14)];
        start.iter().any(|&byte| byte < 32 && !matches!(byte, b'\t' | b'\n' | b'\r' | 0x0b | 0x0c | 0x1b | 0x1a | 8))
    }

    /// Its first bytes, for messages.
    pub fn start(&self) -> String {
        let start = &self.bytes[..self.bytes.len().min(40)];
        format!("\"{}\"", start.escape_ascii())
    }
}
