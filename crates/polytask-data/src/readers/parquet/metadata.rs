//! Do the metadata at the end of a file hold what they claim?
//!
//! The decoder reserves as many columns as a group says that it has, and calls itself once a level of groups in groups.

use std::fs::File;
use std::io::{BufReader, Error, ErrorKind, Read, Result, Seek, SeekFrom};

use super::thrift::Shape::{self, Each, Fields, Of, Truth};
use super::thrift::{BINARY, I32, I64, LIST, STRUCT, field, fields, list, number, signed};

/// Groups of columns in each other.
const LEVELS_MAX: usize = 64;

/// Looks at the metadata of a file of `length` bytes, at least twelve.
///
/// # Errors
/// They are not whole, or the groups of columns are no tree; the file cannot be read.
pub(super) fn check(mut file: &File, length: u64) -> Result<()> {
    file.seek(SeekFrom::End(-8))?;
    let mut size = [0; 4];
    file.read_exact(&mut size)?;
    let size = u64::from(u32::from_le_bytes(size));
    let start = (length - 8).checked_sub(size).ok_or_else(|| damaged("its metadata are longer than the file"))?;
    file.seek(SeekFrom::Start(start))?;
    let children = children(&mut BufReader::new(file.take(size)));
    let children = children.map_err(|_| damaged("its metadata claim more than they hold"))?;
    if is_tree(&children) { Ok(()) } else { Err(damaged("its groups of columns claim more columns than there are")) }
}

fn damaged(what: &str) -> Error {
    Error::new(ErrorKind::InvalidData, what)
}

/// A number of 16 bits, as the type of a value.
const I16: u8 = 4;
const ENCODING_STATS: Shape = Fields(&[Of(I32), Of(I32), Of(I32)]);
const KEY_VALUE: Shape = Fields(&[Of(BINARY), Of(BINARY)]);
const SIZE_STATISTICS: Shape = Fields(&[Of(I64), Each(&Of(I64)), Each(&Of(I64))]);
const SORTING_COLUMN: Shape = Fields(&[Of(I32), Truth, Truth]);
/// Of the values of a column in a group of rows, or in a page.
pub(super) const STATISTICS: Shape =
    Fields(&[Of(BINARY), Of(BINARY), Of(I64), Of(I64), Of(BINARY), Of(BINARY), Truth, Truth, Of(I64)]);
const COLUMN_METADATA: Shape = Fields(&[
    Of(I32),
    Each(&Of(I32)),
    Each(&Of(BINARY)),
    Of(I32),
    Of(I64),
    Of(I64),
    Of(I64),
    Each(&KEY_VALUE),
    Of(I64),
    Of(I64),
    Of(I64),
    STATISTICS,
    Each(&ENCODING_STATS),
    Of(I64),
    Of(I32),
    SIZE_STATISTICS,
    Of(STRUCT),
]);
const COLUMN_CHUNK: Shape =
    Fields(&[Of(BINARY), Of(I64), COLUMN_METADATA, Of(I64), Of(I32), Of(I64), Of(I32), Of(STRUCT), Of(BINARY)]);
const ROW_GROUP: Shape =
    Fields(&[Each(&COLUMN_CHUNK), Of(I64), Of(I64), Each(&SORTING_COLUMN), Of(I64), Of(I64), Of(I16)]);
const SCHEMA_ELEMENT: &[Shape] =
    &[Of(I32), Of(I32), Of(I32), Of(BINARY), Of(I32), Of(I32), Of(I32), Of(I32), Of(I32), Of(STRUCT)];
/// Fields of the metadata of a file; the second one is read element by element.
const FILE: &[Shape] = &[
    Of(I32),
    Each(&Fields(SCHEMA_ELEMENT)),
    Of(I64),
    Each(&ROW_GROUP),
    Each(&KEY_VALUE),
    Of(BINARY),
    Each(&Of(STRUCT)),
    Of(STRUCT),
    Of(BINARY),
];

/// How many columns and groups each column or group says that it has, in the order of the file; the whole structure is walked.
fn children<R: Read>(reader: &mut R) -> Result<Vec<i32>> {
    /// Places among the fields of a file and of a column or group.
    const SCHEMA: i16 = 2;
    const NUM_CHILDREN: i16 = 5;
    let mut children = Vec::new();
    fields(reader, |reader, id, kind| {
        if id != SCHEMA {
            return field(reader, FILE, id, kind);
        }
        let (element, count) = list(reader)?;
        if kind != LIST || element != STRUCT || !children.is_empty() {
            return Err(ErrorKind::InvalidData.into());
        }
        for _ in 0..count {
            let mut own = 0;
            fields(reader, |reader, id, kind| match (id, kind) {
                (NUM_CHILDREN, I32) => {
                    own = signed(number(reader)?) as i32;
                    Ok(())
                }
                _ => field(reader, SCHEMA_ELEMENT, id, kind),
            })?;
            children.push(own);
        }
        Ok(())
    })?;
    Ok(children)
}

/// Whether these are the numbers of children of one root and all below it, level by level within each other.
fn is_tree(children: &[i32]) -> bool {
    let mut open: Vec<usize> = Vec::new();
    for (place, count) in children.iter().enumerate() {
        while open.pop_if(|left| *left == 0).is_some() {}
        match open.last_mut() {
            Some(left) => *left -= 1,
            None if place > 0 => return false,
            None => {}
        }
        let Ok(count) = usize::try_from(*count) else { return false };
        if count > children.len() - place - 1 {
            return false;
        }
        if count > 0 {
            open.push(count);
        }
        if open.len() > LEVELS_MAX {
            return false;
        }
    }
    open.iter().all(|left| *left == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_in_one_tree() {
        let levels = |count: usize| [vec![1; count], vec![0]].concat();
        for tree in [&[0][..], &[2, 0, 0], &[2, 1, 0, 1, 0], &levels(LEVELS_MAX)] {
            assert!(is_tree(tree), "{tree:?}");
        }
        for other in [&[1][..], &[0, 0], &[-1, 0], &[i32::MAX, 0, 0], &[2, 0], &[2, 2, 0, 0], &[1, 0, 0]] {
            assert!(!is_tree(other), "{other:?}");
        }
        assert!(!is_tree(&levels(LEVELS_MAX + 1)));
    }

    #[test]
    fn children_are_read_where_the_decoder_reads_them() {
        // A version; a group with a name and two children, a column with its type, repetition and name, another one; a number.
        let group = [0x48, 1, b'm', 0x15, 4, 0];
        let column = [0x15, 2, 0x25, 0, 0x18, 1, b'a', 0];
        let schema = [&[0x15, 2, 0x19, 0x3c][..], &group, &column, &column, &[0x16, 6, 0]].concat();
        assert_eq!(children(&mut &schema[..]).unwrap(), [2, 0, 0]);
        for length in 0..schema.len() {
            assert!(children(&mut &schema[..length]).is_err(), "{length}");
        }
        // A number of children that is a text, a schema that is no list, and one that is there twice.
        let text = [&[0x29, 0x1c][..], &[0x58, 1, b'a', 0], &[0]].concat();
        let number = [0x25, 2, 0];
        let twice = [&[0x29, 0x1c][..], &group, &[0x02, 4, 0x09, 4, 0x1c], &group, &[0]].concat();
        for bytes in [&text[..], &number, &twice] {
            assert!(children(&mut &bytes[..]).is_err(), "{bytes:?}");
        }
    }
}
