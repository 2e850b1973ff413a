//! Does a structure hold as much as it claims?
//!
//! The decoder passes over what it does not know element by element, two billion of them if so many are claimed, and does not
//! notice where the file ends; what it knows it believes to be of the right type. Each structure is therefore walked first, and
//! no byte is believed that is not there.
//!
//! Reference: Apache Thrift, "Thrift compact protocol encoding".

use std::io::{ErrorKind, Read, Result, copy, sink};

/// What is known of a value.
#[derive(Debug)]
pub(super) enum Shape {
    /// A truth value, which is the type of its field.
    Truth,
    /// It is of this type.
    Of(u8),
    /// A structure whose fields from 1 on look like these, and further ones like anything.
    Fields(&'static [Shape]),
    /// A list of such values.
    Each(&'static Shape),
}

/// A number of 32 bits, as the type of a value.
pub(super) const I32: u8 = 5;
/// One of 64 bits.
pub(super) const I64: u8 = 6;
/// Bytes, or a text.
pub(super) const BINARY: u8 = 8;
/// A list.
pub(super) const LIST: u8 = 9;
/// A structure.
pub(super) const STRUCT: u8 = 12;

/// Structures and lists within each other.
const DEPTH_MAX: u32 = 32;

/// Walks a structure of such fields to its end.
///
/// # Errors
/// What is read fails or ends within the structure; a field that is known has another type, or one has a type that is not; it is
/// nested too deep; or a list holds truth values, which the decoder passes over as if they took no bytes.
pub(super) fn walk<R: Read>(reader: &mut R, shapes: &[Shape]) -> Result<()> {
    structure(reader, shapes, DEPTH_MAX)
}

fn structure<R: Read>(reader: &mut R, shapes: &[Shape], depth: u32) -> Result<()> {
    let depth = depth.checked_sub(1).ok_or(ErrorKind::InvalidData)?;
    fields(reader, |reader, id, kind| field_at(reader, shapes, (id, kind), depth))
}

/// Passes over the value of a field of a structure whose other fields are read by the caller.
///
/// # Errors
/// As [`walk`].
pub(super) fn field<R: Read>(reader: &mut R, shapes: &[Shape], id: i16, kind: u8) -> Result<()> {
    field_at(reader, shapes, (id, kind), DEPTH_MAX)
}

fn field_at<R: Read>(reader: &mut R, shapes: &[Shape], (id, kind): (i16, u8), depth: u32) -> Result<()> {
    let place = usize::try_from(id).ok().and_then(|id| id.checked_sub(1));
    match place.and_then(|place| shapes.get(place)) {
        Some(shape) => known(reader, shape, kind, depth),
        // A truth value is the type of its field.
        None if matches!(kind, 1 | 2) => Ok(()),
        None => value(reader, kind, depth),
    }
}

fn known<R: Read>(reader: &mut R, shape: &Shape, kind: u8, depth: u32) -> Result<()> {
    let depth = depth.checked_sub(1).ok_or(ErrorKind::InvalidData)?;
    match (shape, kind) {
        (Shape::Truth, 1 | 2) => Ok(()),
        (Shape::Of(of), _) if *of == kind => value(reader, kind, depth),
        (Shape::Fields(shapes), STRUCT) => structure(reader, shapes, depth),
        (Shape::Each(shape), LIST) => {
            let (kind, count) = list(reader)?;
            (0..count).try_for_each(|_| known(reader, shape, kind, depth))
        }
        _ => Err(ErrorKind::InvalidData.into()),
    }
}

/// Reads the beginnings of a structure's fields up to its end, and lets `each` read or pass over the value of each, given the
/// field's number and type; the value of a truth is its type.
///
/// # Errors
/// As `each`, and where what is read fails or ends.
pub(super) fn fields<R: Read>(reader: &mut R, mut each: impl FnMut(&mut R, i16, u8) -> Result<()>) -> Result<()> {
    let mut id = 0_i16;
    loop {
        let head = byte(reader)?;
        let kind = head & 15;
        if kind == 0 {
            return Ok(());
        }
        id = match head >> 4 {
            0 => signed(number(reader)?) as i16,
            step => id.checked_add(i16::from(step)).ok_or(ErrorKind::InvalidData)?,
        };
        each(reader, id, kind)?;
    }
}

/// The type of a list's elements and their number.
///
/// # Errors
/// What is read fails or ends.
pub(super) fn list(reader: &mut impl Read) -> Result<(u8, u64)> {
    let head = byte(reader)?;
    let count = if head >> 4 == 15 { number(reader)? } else { u64::from(head >> 4) };
    Ok((head & 15, count))
}

/// A number with its sign in the last bit.
pub(super) fn signed(number: u64) -> i64 {
    (number >> 1) as i64 ^ -((number & 1) as i64)
}

fn value<R: Read>(reader: &mut R, kind: u8, depth: u32) -> Result<()> {
    let depth = depth.checked_sub(1).ok_or(ErrorKind::InvalidData)?;
    match kind {
        3 => pass(reader, 1),
        4..=6 => number(reader).map(drop),
        7 => pass(reader, 8),
        8 => number(reader).and_then(|length| pass(reader, length)),
        9 | 10 => {
            let (kind, count) = list(reader)?;
            (0..count).try_for_each(|_| value(reader, kind, depth))
        }
        11 => {
            let count = number(reader)?;
            let kinds = if count > 0 { byte(reader)? } else { 0 };
            (0..count)
                .try_for_each(|_| [kinds >> 4, kinds & 15].iter().try_for_each(|kind| value(reader, *kind, depth)))
        }
        STRUCT => structure(reader, &[], depth),
        13 => pass(reader, 16),
        _ => Err(ErrorKind::InvalidData.into()),
    }
}

/// A number of seven bits a byte, least first.
///
/// # Errors
/// What is read fails or ends, or the number does not.
pub(super) fn number(reader: &mut impl Read) -> Result<u64> {
    let mut number = 0;
    for place in 0..10 {
        let byte = byte(reader)?;
        number |= u64::from(byte & 0x7f) << (7 * place);
        if byte & 0x80 == 0 {
            return Ok(number);
        }
    }
    Err(ErrorKind::InvalidData.into())
}

fn byte(reader: &mut impl Read) -> Result<u8> {
    let mut byte = [0];
    reader.read_exact(&mut byte)?;
    Ok(byte[0])
}

fn pass(reader: &mut impl Read, count: u64) -> Result<()> {
    let passed = copy(&mut reader.take(count), &mut sink())?;
    if passed == count { Ok(()) } else { Err(ErrorKind::UnexpectedEof.into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ends(bytes: &[u8]) -> Option<usize> {
        let mut rest = bytes;
        walk(&mut rest, &[]).ok().map(|()| bytes.len() - rest.len())
    }

    #[test]
    fn structures_end_where_their_last_value_does() {
        assert_eq!(ends(&[0, 9]), Some(1));
        // A number, a truth with its own place, a text, and a structure within.
        assert_eq!(
            ends(&[0x15, 0x80, 1, 0x01, 8, 0x18, 2, b'a', b'b', 0x1c, 0x13, 7, 0, 0x17, 1, 2, 3, 4, 5, 6, 7, 8, 0]),
            Some(23)
        );
        // Lists of numbers, one longer than fourteen, an empty one without a type; a map, an empty one, and sixteen bytes.
        let long = [&[0x19, 0xf5, 16][..], &[2; 16], &[0x1a, 0x25, 1, 1, 0x19, 0]].concat();
        let rest = [&[0x1b, 1, 0x58, 3, 1, b'a', 0x1b, 0, 0x1d][..], &[0; 16], &[0]].concat();
        let whole = [long, rest].concat();
        assert_eq!(ends(&whole), Some(whole.len()));
        for length in 0..whole.len() {
            assert_eq!(ends(&whole[..length]), None, "{length}");
        }
    }

    #[test]
    fn what_claims_more_than_it_holds_is_no_structure() {
        const MANY: [u8; 5] = [0xff, 0xff, 0xff, 0xff, 7];
        for kind in [3, 5, 7, 8, 9, 11, 12, 13] {
            assert_eq!(ends(&[&[0x19, 0xf0 | kind][..], &MANY, &[0; 100]].concat()), None, "{kind}");
        }
        assert_eq!(ends(&[&[0x18][..], &MANY, &[0; 100]].concat()), None, "a text");
        // Truth values in a list or a map, types that there are not, a number without an end, and lists in lists in lists.
        let (map, deep) = ([&[0x1b][..], &MANY, &[0x11, 0]].concat(), [&[0x19][..], &[0x19; 200], &[0]].concat());
        for bytes in [&[0x19, 0x21, 1, 1, 0][..], &[0x19, 0x12, 1, 0], &map, &[0x1e, 0], &[0x15, 0xff], &deep] {
            assert_eq!(ends(bytes), None, "{bytes:?}");
        }
        assert_eq!(ends(&[&[0x15][..], &[0x80; 10], &[0, 0]].concat()), None);
    }

    #[test]
    fn what_is_known_has_the_type_that_is_known() {
        const SHAPES: &[Shape] = &[
            Shape::Of(I32),
            Shape::Truth,
            Shape::Each(&Shape::Fields(&[Shape::Of(BINARY)])),
            Shape::Fields(&[Shape::Of(I64)]),
        ];
        let is_sound = |bytes: &[u8]| walk(&mut &bytes[..], SHAPES).is_ok();
        assert!(is_sound(&[0x15, 2, 0x11, 0x19, 0x2c, 0x18, 1, b'a', 0, 0, 0x1c, 0x16, 4, 0, 0x13, 7, 0]));
        assert!(is_sound(&[0x39, 0, 0]), "an empty list has no type");
        for other in [
            &[0x16, 2, 0][..],
            &[0x11, 0],
            &[0x25, 2, 0],
            &[0x3c, 0, 0],
            &[0x39, 0x15, 2, 0],
            &[0x39, 0x1c, 0x15, 2, 0, 0],
        ] {
            assert!(!is_sound(other), "{other:?}");
        }
        assert!(!is_sound(&[0x4c, 0x15, 4, 0, 0]), "within a structure");
    }
}
