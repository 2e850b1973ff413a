//! Which pages of a column may be decoded? Those that hold about as much as they say.
//!
//! The decoder reserves what headers announce: bytes of a page, values of a dictionary, lengths of texts. A header that
//! lies would fill memory, so that each is looked at before the decoder sees it.
//!
//! Reference: Apache Parquet, "parquet-format", `parquet.thrift` and `Encodings.md`, version 2.12, 2025.

use std::fs::File;
use std::io::Read;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use flate2::read::MultiGzDecoder;
use parquet::basic::{Compression, Encoding};
use parquet::column::page::{Page, PageMetadata, PageReader};
use parquet::column::reader::{ColumnReader, get_column_reader};
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::RowGroupMetaData;
use parquet::file::reader::{ChunkReader, Length};
use parquet::file::serialized_reader::SerializedPageReader;

use super::metadata::STATISTICS;
use super::thrift::Shape::{self, Fields, Of, Truth};
use super::thrift::{self, I32, STRUCT};
use crate::open::inflation_max;

/// Values that a page may have in any case: a run of equal ones takes no bytes to speak of.
const VALUES_MAX: u64 = 1 << 21;

/// Opens a column of a row group.
///
/// # Errors
/// What the decoder says about its metadata.
pub(super) fn column(file: &Arc<File>, group: &RowGroupMetaData, index: usize) -> Result<ColumnReader> {
    let chunk = group.column(index);
    let description = chunk.column_descr_ptr();
    let levels = [description.max_rep_level(), description.max_def_level()].map(|level| level > 0);
    let compression = chunk.compression();
    let checked = Checked { file: Arc::clone(file), compression, next: Mutex::new(None) };
    let rows = usize::try_from(group.num_rows())?;
    let inner = SerializedPageReader::new(Arc::new(checked), chunk, rows, None)?;
    Ok(get_column_reader(description, Box::new(Pages { inner, levels })))
}

/// A file whose page headers are looked at before they are believed.
struct Checked {
    file: Arc<File>,
    compression: Compression,
    /// The next page, where its header was looked at and the page was not read.
    next: Mutex<Option<Announced>>,
}

/// A page whose header was looked at.
struct Announced {
    /// Where it begins, behind its header.
    start: u64,
    /// Bytes that it inflates to.
    inflated: u64,
}

/// Fields of a page's header: its kind and sizes, a checksum, and what belongs to each kind.
const PAGE_HEADER: &[Shape] = &[
    Of(I32),
    Of(I32),
    Of(I32),
    Of(I32),
    Fields(&[Of(I32), Of(I32), Of(I32), Of(I32), STATISTICS]),
    Of(STRUCT),
    Fields(&[Of(I32), Of(I32), Truth]),
    Fields(&[Of(I32), Of(I32), Of(I32), Of(I32), Of(I32), Of(I32), Truth, STATISTICS]),
];

/// A reader that counts.
struct Counted<R> {
    inner: R,
    count: u64,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.count += count as u64;
        Ok(count)
    }
}

impl Length for Checked {
    fn len(&self) -> u64 {
        self.file.len()
    }
}

impl ChunkReader for Checked {
    type T = <File as ChunkReader>::T;

    /// Is asked for where a page's header begins, and once more behind a header that was looked at ahead, where nothing is read.
    fn get_read(&self, start: u64) -> Result<Self::T> {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        if next.as_ref().is_some_and(|next| next.start == start) {
            return self.file.get_read(self.len());
        }
        let (mut rest, mut header) = (self.file.get_read(start)?.take(HEADER_BYTES_MAX), Vec::new());
        (&mut rest).take(HEADER_BYTES).read_to_end(&mut header)?;
        let sizes = sizes(&header).ok_or_else(|| general("a page has no header"))?;
        if sizes.inflated > inflation_max(sizes.compressed) {
            return Err(general("a page inflates without end"));
        }
        let mut walked = Counted { inner: header.chain(rest), count: 0 };
        thrift::walk(&mut walked, PAGE_HEADER).map_err(|_| general("a page's header claims more than it holds"))?;
        *next = Some(Announced { start: start + walked.count, inflated: sizes.inflated });
        self.file.get_read(start)
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        if start.saturating_add(length as u64) > self.len() {
            return Err(general("a page goes on behind the end of the file"));
        }
        let next = self.next.lock().unwrap_or_else(PoisonError::into_inner).take();
        let next = next.filter(|next| next.start == start);
        let inflated = next.ok_or_else(|| general("a page has no header"))?.inflated;
        let bytes = self.file.get_bytes(start, length)?;
        // This decoder alone reads on to the end, however far that is.
        if let Compression::GZIP(_) = self.compression {
            let found = std::io::copy(&mut MultiGzDecoder::new(&bytes[..]).take(inflated + 1), &mut std::io::sink());
            // What is no gzip the decoder complains about, unless it is levels, which are not compressed.
            if found.is_ok_and(|found| found > inflated) {
                return Err(general("a page is longer than its header says"));
            }
        }
        Ok(bytes)
    }
}

/// The bytes of a page.
struct Sizes {
    inflated: u64,
    compressed: u64,
}

/// The most bytes of a header: it may hold a page's least and greatest texts.
const HEADER_BYTES_MAX: u64 = 1 << 24;

/// Three fields of up to five bytes, and what each begins with.
const HEADER_BYTES: u64 = 18;

/// The second and third field of a page's header, which begins with the kind of page.
fn sizes(header: &[u8]) -> Option<Sizes> {
    // A field begins with its distance from the one before and with its type: here 1, and a number of 32 bits.
    const FIELD: u8 = 0x15;
    let mut rest = header;
    let mut fields = [0; 3];
    for field in &mut fields {
        let (begin, number) = rest.split_first()?;
        (*field, rest) = varint(number).filter(|_| *begin == FIELD)?;
    }
    // The sign is in the last bit. Kinds are data, dictionary and data of the second version; indices have no pages here.
    let [kind, inflated, compressed] = fields;
    let is_known = matches!(kind, 0 | 4 | 6) && inflated % 2 == 0 && compressed % 2 == 0;
    is_known.then_some(Sizes { inflated: inflated / 2, compressed: compressed / 2 })
}

/// A number of seven bits a byte, least first, and what follows it.
fn varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let length = bytes.iter().take(10).position(|byte| byte & 0x80 == 0)? + 1;
    let number = bytes[..length]
        .iter()
        .rev()
        .try_fold(0_u64, |number, byte| number.checked_mul(128).map(|number| number | u64::from(byte & 0x7f)))?;
    Some((number, &bytes[length..]))
}

/// The pages of a column, those that claim too much left out.
struct Pages {
    inner: SerializedPageReader<Checked>,
    /// Whether repetition and definition levels stand before the values.
    levels: [bool; 2],
}

impl PageReader for Pages {
    fn get_next_page(&mut self) -> Result<Option<Page>> {
        self.inner.get_next_page()?.map(|page| check(page, self.levels)).transpose()
    }

    fn peek_next_page(&mut self) -> Result<Option<PageMetadata>> {
        self.inner.peek_next_page()
    }

    fn skip_next_page(&mut self) -> Result<()> {
        self.inner.skip_next_page()
    }

    fn at_record_boundary(&mut self) -> Result<bool> {
        self.inner.at_record_boundary()
    }
}

impl Iterator for Pages {
    type Item = Result<Page>;

    fn next(&mut self) -> Option<Self::Item> {
        self.get_next_page().transpose()
    }
}

/// A page that holds as many values as it announces, as far as that can be told without decoding it.
///
/// # Errors
/// It holds fewer.
fn check(page: Page, levels: [bool; 2]) -> Result<Page> {
    let (bytes, values) = (page.buffer(), u64::from(page.num_values()));
    let lies = match &page {
        // A value takes four bytes at least, the length of a text.
        Page::DictionaryPage { .. } => values * 4 > bytes.len() as u64,
        _ if values > VALUES_MAX.max(bytes.len() as u64 * 16) => true,
        Page::DataPage { encoding, rep_level_encoding, def_level_encoding, .. } if is_delta(*encoding) => {
            let run_lengths = [rep_level_encoding, def_level_encoding].iter().all(|way| **way == Encoding::RLE);
            let start = levels_end(bytes, levels).filter(|_| run_lengths || levels == [false; 2]);
            start.is_none_or(|start| !holds(bytes, start, *encoding, values))
        }
        Page::DataPageV2 { encoding, rep_levels_byte_len, def_levels_byte_len, .. } if is_delta(*encoding) => {
            let start = *rep_levels_byte_len as usize + *def_levels_byte_len as usize;
            // A page of nulls alone may hold nothing.
            start != bytes.len() && !holds(bytes, start, *encoding, values)
        }
        _ => false,
    };
    if lies { Err(general("a page announces more values than it holds")) } else { Ok(page) }
}

fn is_delta(encoding: Encoding) -> bool {
    use Encoding::{DELTA_BINARY_PACKED, DELTA_BYTE_ARRAY, DELTA_LENGTH_BYTE_ARRAY};
    matches!(encoding, DELTA_BINARY_PACKED | DELTA_BYTE_ARRAY | DELTA_LENGTH_BYTE_ARRAY)
}

/// Where the values begin behind levels that have their length before them.
fn levels_end(bytes: &[u8], levels: [bool; 2]) -> Option<usize> {
    levels.iter().filter(|has| **has).try_fold(0_usize, |start, _| {
        let length = bytes.get(start..start.checked_add(4)?)?.try_into().ok().map(u32::from_le_bytes)?;
        start.checked_add(4)?.checked_add(length as usize)
    })
}

/// Whether numbers stored as differences are as many as the page has values, at most.
fn holds(bytes: &[u8], start: usize, encoding: Encoding, values: u64) -> bool {
    let of = |bytes: &[u8]| delta(bytes).filter(|(count, _)| *count <= values);
    let first = bytes.get(start..).and_then(|bytes| Some((of(bytes)?.1, bytes)));
    match (encoding, first) {
        // The lengths of what a text has in common with the one before, then those of what it has not.
        (Encoding::DELTA_BYTE_ARRAY, Some((end, bytes))) => bytes.get(end..).is_some_and(|bytes| of(bytes).is_some()),
        (_, first) => first.is_some(),
    }
}

/// How many numbers are stored as differences, and where they end.
fn delta(bytes: &[u8]) -> Option<(u64, usize)> {
    let (block, rest) = varint(bytes)?;
    let (parts, rest) = varint(rest)?;
    let (count, rest) = varint(rest)?;
    let (_, mut rest) = varint(rest)?;
    let in_part = block.checked_div(parts)?;
    let mut left = count.saturating_sub(1);
    while left > 0 {
        (_, rest) = varint(rest)?;
        let parts = usize::try_from(parts).ok()?;
        let (widths, numbers) = rest.split_at_checked(parts)?;
        rest = numbers;
        for width in widths {
            if left == 0 || in_part == 0 {
                break;
            }
            left = left.saturating_sub(in_part);
            let length = u64::from(*width).checked_mul(in_part)? / 8;
            // The last numbers need not fill their part.
            rest = &rest[rest.len().min(usize::try_from(length).ok()?)..];
        }
        if in_part == 0 {
            return None;
        }
    }
    Some((count, bytes.len() - rest.len()))
}

fn general(message: &str) -> ParquetError {
    ParquetError::General(message.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three numbers as differences: blocks of 128 in 4 parts, of which the first takes a bit a number.
    const DELTA: [u8; 14] = [0x80, 1, 4, 3, 10, 0, 1, 0, 0, 0, 0b11, 0, 0, 0];

    fn data(bytes: &[u8], values: u32, encoding: Encoding) -> Page {
        Page::DataPage {
            buf: Bytes::copy_from_slice(bytes),
            num_values: values,
            encoding,
            def_level_encoding: Encoding::RLE,
            rep_level_encoding: Encoding::RLE,
            statistics: None,
        }
    }

    #[test]
    fn pages_that_announce_more_than_they_hold_are_refused() {
        let dictionary = |values| Page::DictionaryPage {
            buf: Bytes::from_static(b"\x01\0\0\0a\x01\0\0\0b"),
            num_values: values,
            encoding: Encoding::PLAIN,
            is_sorted: false,
        };
        let none = [false; 2];
        assert!(check(dictionary(2), none).is_ok() && check(dictionary(u32::MAX), none).is_err());
        // A run of equal values takes no bytes, which is no reason to believe any number of them.
        assert!(check(data(b"\0", 1 << 21, Encoding::RLE_DICTIONARY), none).is_ok());
        assert!(check(data(b"\0", (1 << 21) + 1, Encoding::RLE_DICTIONARY), none).is_err());
        assert!(check(data(&[0; 1 << 18], 1 << 22, Encoding::RLE_DICTIONARY), none).is_ok());
    }

    #[test]
    fn numbers_stored_as_differences_are_counted() {
        assert_eq!(delta(&DELTA), Some((3, 14)));
        assert_eq!(delta(&[0x80, 1, 4, 1, 10, 7]), Some((1, 5)));
        for length in 0..10 {
            assert_eq!(delta(&DELTA[..length]), None, "{length}");
        }
        // No parts, and a number of values that runs of zero bits could make up.
        assert_eq!(delta(&[0x80, 1, 0, 3, 10, 0]), None);
        let lying = [&[0x80, 1, 4, 0xff, 0xff, 0xff, 0xff, 7, 10], &[0; 20][..]].concat();
        assert_eq!(delta(&lying), None);
        let levels = [&[2, 0, 0, 0, 6, 1][..], &DELTA].concat();
        for encoding in [Encoding::DELTA_BINARY_PACKED, Encoding::DELTA_LENGTH_BYTE_ARRAY] {
            assert!(check(data(&levels, 3, encoding), [false, true]).is_ok());
            assert!(check(data(&levels, 2, encoding), [false, true]).is_err());
            assert!(check(data(&levels, 3, encoding), [true; 2]).is_err());
            assert!(check(data(&DELTA, 3, encoding), [false; 2]).is_ok());
        }
        let texts = [&DELTA[..], &DELTA].concat();
        assert!(check(data(&texts, 3, Encoding::DELTA_BYTE_ARRAY), [false; 2]).is_ok());
        assert!(check(data(&DELTA, 3, Encoding::DELTA_BYTE_ARRAY), [false; 2]).is_err());
    }

    #[test]
    fn headers_tell_their_sizes_or_are_none() {
        let told = |bytes: &[u8]| sizes(bytes).map(|sizes| (sizes.inflated, sizes.compressed));
        assert_eq!(told(&[0x15, 0, 0x15, 0x80, 2, 0x15, 20, 0x2c]), Some((128, 10)));
        assert_eq!(told(&[0x15, 4, 0x15, 0xfe, 0xff, 0xff, 0xff, 0x0f, 0x15, 2]), Some((i32::MAX as u64, 1)));
        for bytes in [
            &[][..],
            &[0x15, 0, 0x15],
            &[0x15, 2, 0x15, 2, 0x15, 2],
            &[0x15, 0, 0x15, 1, 0x15, 2],
            &[0x25, 0, 0x15, 2, 0x15, 2],
            &[0x15, 0xff],
        ] {
            assert_eq!(told(bytes), None, "{bytes:?}");
        }
    }

    #[test]
    fn a_header_that_claims_more_than_it_holds_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.parquet");
        // Two billion of sixteen bytes each in a field that is not known: the decoder would pass over all of them.
        let header = [0x15, 0, 0x15, 20, 0x15, 20, 0x29, 0xfd, 0xff, 0xff, 0xff, 0xff, 7];
        std::fs::write(&path, header).unwrap();
        let file = Arc::new(File::open(&path).unwrap());
        let checked = Checked { file, compression: Compression::SNAPPY, next: Mutex::new(None) };
        assert!(checked.get_read(0).err().unwrap().to_string().contains("header claims more than it holds"));
        // A checksum that is a list, and a whole header, behind which its page stands.
        std::fs::write(&path, [0x15, 0, 0x15, 4, 0x15, 4, 0x19, 0x15, 2, 0]).unwrap();
        assert!(checked.get_read(0).err().unwrap().to_string().contains("header claims more than it holds"));
        std::fs::write(&path, [0x15, 0, 0x15, 4, 0x15, 4, 0x15, 2, 0, b'a', b'b']).unwrap();
        assert!(checked.get_read(0).is_ok());
        assert!(checked.get_bytes(8, 2).is_err());
        assert!(checked.get_read(0).is_ok() && checked.get_read(9).is_ok());
        assert_eq!(checked.get_bytes(9, 2).unwrap(), &b"ab"[..]);
    }

    #[test]
    fn a_page_that_inflates_without_end_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.parquet");
        std::fs::write(&path, [0x15, 0, 0x15, 0xfe, 0xff, 0xff, 0xff, 0x0f, 0x15, 2, 0]).unwrap();
        let file = Arc::new(File::open(&path).unwrap());
        let checked = Checked { file, compression: Compression::SNAPPY, next: Mutex::new(None) };
        assert!(checked.get_read(0).err().unwrap().to_string().contains("a page inflates without end"));
        assert!(checked.get_read(1).err().unwrap().to_string().contains("a page has no header"));
        assert!(checked.get_bytes(4, 1).unwrap_err().to_string().contains("a page has no header"));
        assert!(checked.get_bytes(4, usize::MAX).unwrap_err().to_string().contains("behind the end"));
    }
}
