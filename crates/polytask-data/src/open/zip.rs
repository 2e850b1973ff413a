//! How is a member of a zip archive read?
//!
//! `reviews.zip` is its only member, `reviews.zip/train.csv` the one of that name. Members are stored or deflated, and
//! are read as streams. What the archive says of a member is held against what is read: its size, which bounds what it
//! may inflate to, and its checksum.
//!
//! Reference: PKWARE, ".ZIP File Format Specification", version 6.3.10, 2022.

use std::fs::File;
use std::io::{BufReader, Error as IoError, ErrorKind, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use flate2::Crc;
use flate2::bufread::DeflateDecoder;

use super::{BUFFER, inflation_max};
use crate::error::{Error, Malformed, Result};

/// How a zip archive begins.
pub(super) const MAGIC: &[u8; 4] = b"PK\x03\x04";

/// The longest list of members that is read.
const DIRECTORY_BYTES_MAX: u64 = 1 << 26;

/// The archive that a path leads into, and the member that it names there.
pub(super) fn split(path: &Path) -> Option<(PathBuf, String)> {
    let archive = path.ancestors().skip(1).find(|above| above.exists())?;
    let mut start = [0; 4];
    File::open(archive).ok()?.read_exact(&mut start).ok()?;
    let member = path.strip_prefix(archive).ok()?;
    let names: Vec<_> = member.iter().map(|name| name.to_string_lossy()).collect();
    (archive.is_file() && start == *MAGIC).then(|| (archive.to_path_buf(), names.join("/")))
}

/// Opens a member of an archive, the only one where `wanted` names none; the bytes that it takes there come with it.
///
/// # Errors
/// The archive is damaged or cut off; it has no such member, or several; the member is encrypted, compressed in a way
/// that is not read, or inflates to more than [`inflation_max`].
pub(super) fn member(archive: &Path, wanted: Option<&str>) -> Result<(impl Read + use<>, u64)> {
    let path = archive.display().to_string();
    let failed = |source| Error::io(&path, source);
    let mut file = File::open(archive).map_err(failed)?;
    let entries = entries(&mut file).map_err(failed)?;
    let entry = choose(&path, entries, wanted)?;
    let name = format!("{path}/{}", entry.name);
    let refuse = |accepted: &str, found: String, help: &str| {
        let (file, help) = (name.clone(), help.to_string());
        Err(Malformed { file, line: 0, column: None, accepted: accepted.to_string(), found, help }.into())
    };
    if entry.encrypted {
        return refuse("a member without password", "an encrypted one".to_string(), "unpack the archive");
    }
    if entry.size > inflation_max(entry.compressed) {
        let accepted = format!("at most {} bytes in {}", inflation_max(entry.compressed), entry.compressed);
        return refuse(&accepted, entry.size.to_string(), "check where the archive comes from, or unpack it");
    }
    let start = data_start(&mut file, &entry).map_err(failed)?;
    file.seek(SeekFrom::Start(start)).map_err(failed)?;
    let packed = BufReader::with_capacity(BUFFER, file.take(entry.compressed));
    let inner: Box<dyn Read> = match entry.method {
        0 => Box::new(packed),
        8 => Box::new(DeflateDecoder::new(packed)),
        other => return refuse("a stored or deflated member", format!("method {other}"), "unpack the archive"),
    };
    Ok((Member { inner, left: entry.size, sum: Crc::new(), expected: entry.sum }, entry.compressed))
}

/// The names of the members of an archive.
///
/// # Errors
/// The archive is damaged or cut off.
pub(super) fn names(archive: &Path) -> Result<Vec<String>> {
    let failed = |source| Error::io(archive.display().to_string(), source);
    let entries = File::open(archive).and_then(|mut file| entries(&mut file)).map_err(failed)?;
    Ok(entries.into_iter().filter(is_data).map(|entry| entry.name).collect())
}

/// Whether a member is neither a folder nor what some systems leave in archives.
fn is_data(entry: &Entry) -> bool {
    let mut names = entry.name.split('/').rev();
    !entry.name.ends_with('/')
        && !entry.name.starts_with("__MACOSX/")
        && !names.next().is_some_and(|name| name.starts_with('.'))
}

fn choose(path: &str, entries: Vec<Entry>, wanted: Option<&str>) -> Result<Entry> {
    let mut members: Vec<Entry> = entries.into_iter().filter(is_data).collect();
    let chosen = match wanted {
        Some(wanted) => members.iter().position(|entry| entry.name == wanted),
        None => (members.len() == 1).then_some(0),
    };
    if let Some(chosen) = chosen {
        return Ok(members.swap_remove(chosen));
    }
    const SHOWN: usize = 20;
    let names: Vec<&str> = members.iter().map(|entry| entry.name.as_str()).collect();
    let shown: Vec<String> = names.iter().take(SHOWN).map(|name| format!("`{name}`")).collect();
    let found = match names.len() {
        0 => "none".to_string(),
        count => format!("{count}: {}", shown.join(", ")),
    };
    let accepted = wanted.map_or("one member".to_string(), |wanted| format!("a member `{wanted}`"));
    let help = match names.first() {
        Some(first) => format!("name one of them: `{path}/{first}`"),
        None => "check the archive".to_string(),
    };
    Err(Malformed { file: path.to_string(), line: 0, column: None, accepted, found, help }.into())
}

/// A member as the archive lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    name: String,
    method: u16,
    encrypted: bool,
    sum: u32,
    compressed: u64,
    size: u64,
    /// Where its own header begins.
    header: u64,
}

fn damaged(what: &str) -> IoError {
    IoError::new(ErrorKind::InvalidData, what)
}

/// The members that the list at the archive's end names.
fn entries(file: &mut File) -> Result<Vec<Entry>, IoError> {
    let length = file.metadata()?.len();
    let tail = at(file, length.saturating_sub(65_557 + 20), length.min(65_557 + 20))?;
    let cut_off = || IoError::new(ErrorKind::UnexpectedEof, "no list of members");
    let end = tail.windows(4).rposition(|bytes| bytes == b"PK\x05\x06").ok_or_else(cut_off)?;
    let fields = Fields(&tail[end..]);
    fields.slice(0, 22)?;
    let (mut size, mut offset) = (u64::from(fields.u32(12)?), u64::from(fields.u32(16)?));
    if size == u64::from(u32::MAX) || offset == u64::from(u32::MAX) || fields.u16(10)? == u16::MAX {
        // A large archive has a second end, and before this one a pointer to it.
        let pointer = Fields(&tail[end.checked_sub(20).ok_or_else(cut_off)?..]);
        if pointer.u32(0)? == u32::from_le_bytes(*b"PK\x06\x07") {
            let end = at(file, pointer.u64(8)?, 56)?;
            (size, offset) = (Fields(&end).u64(40)?, Fields(&end).u64(48)?);
        }
    }
    if size > DIRECTORY_BYTES_MAX {
        return Err(damaged("the list of members is too long"));
    }
    let directory = at(file, offset, size)?;
    let (mut entries, mut rest) = (Vec::new(), directory.as_slice());
    while !rest.is_empty() {
        let (entry, length) = entry(Fields(rest))?;
        entries.push(entry);
        rest = rest.get(length..).ok_or_else(|| damaged("the list of members ends within one"))?;
    }
    Ok(entries)
}

/// The member that the list goes on with, and the bytes that it takes there.
fn entry(fields: Fields<'_>) -> Result<(Entry, usize), IoError> {
    if fields.u32(0)? != u32::from_le_bytes(*b"PK\x01\x02") {
        return Err(damaged("the list of members is not where it should be"));
    }
    let [name, extra, comment] = [fields.u16(28)?, fields.u16(30)?, fields.u16(32)?].map(usize::from);
    let mut entry = Entry {
        name: super::decode(fields.slice(46, name)?).into_owned(),
        method: fields.u16(10)?,
        encrypted: fields.u16(8)? & 1 == 1,
        sum: fields.u32(16)?,
        compressed: fields.u32(20)?.into(),
        size: fields.u32(24)?.into(),
        header: fields.u32(42)?.into(),
    };
    // What takes more than 32 bits stands in an extra field, in this order.
    let mut extras = fields.slice(46 + name, extra)?;
    while extras.len() >= 4 {
        let [id, length] = [Fields(extras).u16(0)?, Fields(extras).u16(2)?];
        let large = Fields(Fields(extras).slice(4, length.into())?);
        if id == 1 {
            let mut position = 0;
            for value in [&mut entry.size, &mut entry.compressed, &mut entry.header] {
                if *value == u64::from(u32::MAX) {
                    *value = large.u64(position)?;
                    position += 8;
                }
            }
        }
        extras = &extras[4 + usize::from(length)..];
    }
    Ok((entry, 46 + name + extra + comment))
}

/// Where the bytes of a member begin.
fn data_start(file: &mut File, entry: &Entry) -> Result<u64, IoError> {
    let header = at(file, entry.header, 30)?;
    let fields = Fields(&header);
    if header[..4] != *MAGIC {
        return Err(damaged("a member is not where the list says"));
    }
    Ok(entry.header + 30 + u64::from(fields.u16(26)?) + u64::from(fields.u16(28)?))
}

fn at(file: &mut File, start: u64, length: u64) -> Result<Vec<u8>, IoError> {
    file.seek(SeekFrom::Start(start))?;
    let mut bytes = Vec::new();
    file.take(length).read_to_end(&mut bytes)?;
    match bytes.len() as u64 == length {
        true => Ok(bytes),
        false => Err(IoError::new(ErrorKind::UnexpectedEof, "the archive ends before")),
    }
}

/// Numbers at fixed places, least byte first.
#[derive(Clone, Copy)]
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn slice(self, start: usize, length: usize) -> Result<&'a [u8], IoError> {
        self.0.get(start..start + length).ok_or_else(|| damaged("the list of members ends within one"))
    }

    fn array<const N: usize>(self, start: usize) -> Result<[u8; N], IoError> {
        Ok(self.slice(start, N)?.try_into().expect("a slice of N bytes"))
    }

    fn u16(self, start: usize) -> Result<u16, IoError> {
        self.array(start).map(u16::from_le_bytes)
    }

    fn u32(self, start: usize) -> Result<u32, IoError> {
        self.array(start).map(u32::from_le_bytes)
    }

    fn u64(self, start: usize) -> Result<u64, IoError> {
        self.array(start).map(u64::from_le_bytes)
    }
}

/// The bytes of a member, which are as many as the archive says and have its checksum.
struct Member {
    inner: Box<dyn Read>,
    left: u64,
    sum: Crc,
    expected: u32,
}

impl Read for Member {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, IoError> {
        let count = self.inner.read(buffer)?;
        self.sum.update(&buffer[..count]);
        match self.left.checked_sub(count as u64) {
            Some(left) => self.left = left,
            None => return Err(damaged("a member is longer than the archive says")),
        }
        if count == 0 && !buffer.is_empty() {
            if self.left > 0 {
                return Err(ErrorKind::UnexpectedEof.into());
            }
            if self.sum.sum() != self.expected {
                return Err(damaged("a member has another checksum than the archive says"));
            }
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests;
