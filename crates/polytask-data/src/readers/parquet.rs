//! Parquet, as `datasets` of Hugging Face writes it.
//!
//! Read are columns of strings, numbers and truth values, and lists of them, compressed with snappy, gzip or zstd; a
//! column within a group is named with a dot (`chunks.tag`). Where the file's metadata name the classes of a column
//! (`ClassLabel`), these are its labels and -1 is a missing one. Null is a missing label. Messages count rows from 1,
//! and so do the places of examples.
//!
//! A file is read by batches of rows, one page of each column at a time. What a file repeats takes no bytes in it, so
//! that a small one may say that it has any number of rows: they and their texts may take so many bytes only.

mod classes;
mod columns;
mod metadata;
mod pages;
mod thrift;

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;

use parquet::basic::Compression;
use parquet::errors::ParquetError;
use parquet::file::metadata::RowGroupMetaData;
use parquet::file::reader::FileReader;
use parquet::file::serialized_reader::SerializedFileReader;
use serde_json::{Map, Value as Json};

use self::classes::Classes;
use self::columns::{Batches, Leaf};
use super::asked::Asked;
use super::fields::Fields;
use super::{Entry, Reader, Sink};
use crate::error::{Error, Malformed, Result};
use crate::guard::caught;
use crate::open::{inflation_max, is_member};
use crate::record::{Column, ColumnKind, Part};

pub(super) const ENTRY: Entry = Entry {
    key: "parquet",
    summary: "columns of strings, numbers and lists, as Hugging Face datasets are stored",
    targets: &[(
        "<column>",
        "label: any column but the text, `group.column` for one within a group; tags or a set of labels where it is a \
         list; a number where every label is one; columns of 0 and 1 are a set of labels",
    )],
    options: &[super::TEXT_OPTION, super::STRATUM_OPTION],
};

/// Rows that are in memory at a time.
const BATCH: usize = 256;

/// Reads Parquet files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parquet {
    /// The columns that are read.
    pub asked: Asked,
}

impl Reader for Parquet {
    fn columns(&self) -> Vec<Column> {
        self.asked.columns()
    }

    fn stratum(&self) -> Option<&str> {
        Some(self.asked.stratum())
    }

    fn read(&self, path: &Path, _part: Part, sink: Sink<'_>) -> Result<Vec<String>> {
        let file = path.display().to_string();
        let Some(mut opened) = Opened::new(path, &file)? else { return Ok(Vec::new()) };
        let leaves = opened.leaves();
        let classes = opened.classes();
        let wanted = wanted(&self.asked, &leaves, &classes, &file)?;
        let mut fields = Fields::new(&self.asked, &file);
        for index in 0..opened.reader.num_row_groups() {
            opened.group(index, &wanted, usize::MAX, &mut |object, row| sink(fields.record(object, row)?))?;
        }
        Ok(Vec::new())
    }
}

/// The names of the columns, and rows by those names.
pub(crate) type FirstRows = (Vec<String>, Vec<Map<String, Json>>);

/// The names of a file's columns, and its first rows, without columns that hold what is not read.
///
/// # Errors
/// As reading the file, as far as it is read.
pub(crate) fn first_rows(path: &Path, count: usize) -> Result<FirstRows> {
    let file = path.display().to_string();
    let Some(mut opened) = Opened::new(path, &file)? else { return Ok((Vec::new(), Vec::new())) };
    let leaves = opened.leaves();
    let classes = opened.classes();
    let readable = leaves.iter().filter(|leaf| leaf.is_readable());
    let wanted: Vec<Wanted<'_>> = readable.map(|leaf| Wanted { leaf, classes: classes.of(&leaf.name) }).collect();
    let mut rows = Vec::new();
    for index in 0..opened.reader.num_row_groups() {
        let left = count - rows.len();
        opened.group(index, &wanted, left, &mut |object, _| {
            rows.push(object.clone());
            Ok(())
        })?;
        if rows.len() >= count {
            break;
        }
    }
    Ok((leaves.into_iter().map(|leaf| leaf.name).collect(), rows))
}

/// The columns that are asked for.
fn wanted<'a>(asked: &Asked, leaves: &'a [Leaf], classes: &'a Classes, file: &'a str) -> Result<Vec<Wanted<'a>>> {
    let names: Vec<String> = leaves.iter().map(|leaf| leaf.name.clone()).collect();
    let positions = asked.find(&names, file, 0)?;
    let mut wanted = Vec::new();
    for (column, position) in asked.columns().iter().zip(positions) {
        let Some(position) = position else { continue };
        let leaf = &leaves[position];
        leaf.check(column.kind, file)?;
        let named = matches!(column.kind, ColumnKind::Label | ColumnKind::Tags | ColumnKind::Labels);
        wanted.push(Wanted { leaf, classes: if named { classes.of(&leaf.name) } else { None } });
    }
    Ok(wanted)
}

/// Takes a row as an object, and its number.
type Take<'a> = &'a mut dyn FnMut(&Map<String, Json>, u32) -> Result<()>;

/// A file that is read.
struct Opened<'a> {
    reader: SerializedFileReader<File>,
    data: Arc<File>,
    file: &'a str,
    /// Rows that were read.
    row: u32,
    /// Bytes that rows may still take.
    left: u64,
}

/// Bytes that a row takes besides its texts.
const ROW_BYTES: u64 = 8;

impl<'a> Opened<'a> {
    /// Reads the metadata; `None` for an empty file.
    fn new(path: &Path, file: &'a str) -> Result<Option<Opened<'a>>> {
        let Some(opened) = open(path, file)? else { return Ok(None) };
        let failed = |source| Error::io(file, source);
        let data = Arc::new(opened.try_clone().map_err(failed)?);
        let left = inflation_max(opened.metadata().map_err(failed)?.len());
        let reader = guarded(file, || SerializedFileReader::new(opened))?;
        Ok(Some(Opened { reader, data, file, row: 0, left }))
    }

    fn leaves(&self) -> Vec<Leaf> {
        Leaf::all(self.reader.metadata().file_metadata().schema_descr())
    }

    fn classes(&self) -> Classes {
        Classes::new(self.reader.metadata().file_metadata().key_value_metadata().map_or(&[], Vec::as_slice))
    }

    /// Passes on the rows of a group, at most some of them.
    fn group(&mut self, index: usize, wanted: &[Wanted<'_>], most: usize, take: Take<'_>) -> Result<()> {
        let file = self.file;
        let group = self.reader.metadata().row_group(index).clone();
        let mut columns = Vec::new();
        for wanted in wanted {
            check_chunk(&group, wanted.leaf, file)?;
            let column = guarded(file, || pages::column(&self.data, &group, wanted.leaf.index))?;
            columns.push(Batches::new(column, wanted.leaf, file));
        }
        let mut left = usize::try_from(group.num_rows()).unwrap_or(0).min(most);
        while left > 0 {
            let count = left.min(BATCH);
            let mut batch = Vec::new();
            for column in &mut columns {
                batch.push(column.read(count, self.row)?);
            }
            for _ in 0..count {
                self.row = self.row.saturating_add(1);
                let mut object = Map::new();
                for (wanted, values) in wanted.iter().zip(&mut batch) {
                    let (value, bytes) = values.next().unwrap_or_else(|| Err(wanted.ends(file)))?;
                    self.spend(bytes as u64)?;
                    object.insert(wanted.leaf.name.clone(), wanted.named(value, file, self.row)?);
                }
                self.spend(ROW_BYTES)?;
                take(&object, self.row)?;
            }
            left -= count;
        }
        Ok(())
    }

    fn spend(&mut self, bytes: u64) -> Result<()> {
        self.left = self.left.checked_sub(bytes).ok_or_else(|| {
            let accepted = "rows of at most 200 times the size of the file".to_string();
            let help = "check where the file comes from: it inflates without end";
            malformed(self.file, self.row, accepted, "more".to_string(), help)
        })?;
        Ok(())
    }
}

/// A column that is read.
struct Wanted<'a> {
    leaf: &'a Leaf,
    /// The names of its classes by number.
    classes: Option<&'a [String]>,
}

impl Wanted<'_> {
    /// The error of a column that has no value for a row.
    fn ends(&self, file: &str) -> Error {
        let message = format!("`{}` has fewer values than there are rows", self.leaf.name);
        damaged(file, ParquetError::General(message))
    }

    /// A value with the names of classes for their numbers.
    fn named(&self, value: Json, file: &str, row: u32) -> Result<Json> {
        let Some(classes) = self.classes else { return Ok(value) };
        match value {
            Json::Array(items) => items.into_iter().map(|item| self.named(item, file, row)).collect(),
            Json::Number(number) if number.as_i64() == Some(-1) => Ok(Json::Null),
            Json::Number(number) => {
                let name = number.as_u64().and_then(|number| classes.get(usize::try_from(number).ok()?));
                name.map(|name| Json::from(name.as_str())).ok_or_else(|| {
                    let accepted = format!("a class of `{}`, 0 to {}, or -1", self.leaf.name, classes.len() - 1);
                    malformed(file, row, accepted, number.to_string(), "correct the value, or the names of classes")
                })
            }
            other => Ok(other),
        }
    }
}

/// Opens a file that begins and ends as Parquet does; `None` for an empty one.
fn open(path: &Path, file: &str) -> Result<Option<File>> {
    const MAGIC: &[u8; 4] = b"PAR1";
    let failed = |source| Error::io(file, source);
    if path.is_dir() {
        let source = std::io::Error::new(std::io::ErrorKind::IsADirectory, "it is a folder, a file is needed");
        return Err(Error::Io { path: file.to_string(), source });
    }
    if is_member(path) {
        let accepted = "a Parquet file by itself".to_string();
        return Err(malformed(file, 0, accepted, "a member of an archive".to_string(), "unpack the archive"));
    }
    let mut opened = File::open(path).map_err(failed)?;
    let length = opened.metadata().map_err(failed)?.len();
    if length == 0 {
        return Ok(None);
    }
    let mut ends = [[0; 4]; 2];
    if length >= 12 {
        opened.read_exact(&mut ends[0]).map_err(failed)?;
        opened.seek(SeekFrom::End(-4)).map_err(failed)?;
        opened.read_exact(&mut ends[1]).map_err(failed)?;
    }
    match ends {
        [start, end] if start == *MAGIC && end == *MAGIC => {
            metadata::check(&opened, length).map_err(|source| Error::Damaged { path: file.to_string(), source })?;
            Ok(Some(opened))
        }
        [start, _] if start == *MAGIC => Err(Error::Truncated { path: file.to_string() }),
        [start, _] => {
            let found = match start {
                [0x1f, 0x8b, ..] => "a gzip file".to_string(),
                [b'P', b'K', ..] => "a zip file".to_string(),
                _ => format!("a file that begins with {:?}", start.escape_ascii().to_string()),
            };
            let help = "Parquet files begin with PAR1; unpack the file, or name another format";
            Err(malformed(file, 0, "a Parquet file".to_string(), found, help))
        }
    }
}

/// Checks what the metadata of a column's pages say before any is read.
fn check_chunk(group: &RowGroupMetaData, leaf: &Leaf, file: &str) -> Result<()> {
    let chunk = group.column(leaf.index);
    let start = chunk.dictionary_page_offset().unwrap_or_else(|| chunk.data_page_offset());
    if start < 0 || chunk.compressed_size() < 0 {
        return Err(damaged(file, ParquetError::General(format!("`{}` begins before the file does", leaf.name))));
    }
    let compressed = u64::try_from(chunk.compressed_size()).unwrap_or(0);
    let inflated = u64::try_from(chunk.uncompressed_size()).unwrap_or(u64::MAX);
    let accepted = match chunk.compression() {
        Compression::UNCOMPRESSED | Compression::SNAPPY | Compression::GZIP(_) | Compression::ZSTD(_) => {
            if inflated <= inflation_max(compressed) {
                return Ok(());
            }
            format!("at most {} bytes of `{}` in {compressed}", inflation_max(compressed), leaf.name)
        }
        other => {
            let accepted = format!("`{}` compressed with snappy, gzip, zstd, or not at all", leaf.name);
            let help = "write the file anew with one of these";
            return Err(malformed(file, 0, accepted, format!("{other:?}"), help));
        }
    };
    Err(malformed(file, 0, accepted, inflated.to_string(), "check where the file comes from: it inflates without end"))
}

/// What the decoder says; it panics over some damaged data, which is an error here.
fn guarded<T>(file: &str, read: impl FnOnce() -> Result<T, ParquetError>) -> Result<T> {
    caught(read)
        .unwrap_or_else(|| Err(ParquetError::General("the decoder gave up".to_string())))
        .map_err(|error| damaged(file, error))
}

fn damaged(file: &str, error: ParquetError) -> Error {
    Error::Damaged { path: file.to_string(), source: std::io::Error::other(error) }
}

fn malformed(file: &str, row: u32, accepted: String, found: String, help: &str) -> Error {
    let (file, help) = (file.to_string(), help.to_string());
    Malformed { file, line: u64::from(row), column: None, accepted, found, help }.into()
}

#[cfg(test)]
mod tests;
