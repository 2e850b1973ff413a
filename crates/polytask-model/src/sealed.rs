//! Does a file of arrays hold what was written? A checksum in its header tells.
//!
//! The metadata of a safetensors file hold `crc32`: the CRC-32 (ISO 3309) of its arrays, and, of a model, that of the file
//! that stands beside it. A file without one, as earlier versions wrote them, is taken as it is.

use std::collections::HashMap;

use flate2::Crc;
use safetensors::tensor::{SafeTensors, View, serialize};

/// The key in the metadata.
const KEY: &str = "crc32";

/// Eight digits for the arrays, eight for a file beside them.
const EMPTY: &str = "00000000 00000000";

/// The bytes of some arrays, with their checksum and that of the bytes `beside` them; the same arrays give the same bytes.
///
/// # Panics
///
/// Where a name holds what no JSON can.
pub fn seal<'a, V: View>(arrays: impl IntoIterator<Item = (&'a str, V)>, beside: &[u8]) -> Vec<u8> {
    let metadata = HashMap::from([(KEY.to_owned(), EMPTY.to_owned())]);
    let mut file = serialize(arrays, Some(metadata)).expect("named views are serialisable");
    let start = data_start(&file).expect("a file that was just written has a header");
    let sums = format!("{:08x} {:08x}", sum(&file[start..]), sum(beside));
    // The metadata stand first, so that no name of an array can look like them.
    let at = file.windows(EMPTY.len()).position(|window| window == EMPTY.as_bytes()).expect("the checksum was written");
    file[at..at + sums.len()].copy_from_slice(sums.as_bytes());
    file
}

/// The arrays of a file, whose checksum is right where it has one.
///
/// # Errors
///
/// Where the bytes are no safetensors file, or not those that were written.
pub fn open(file: &[u8]) -> Result<SafeTensors<'_>, String> {
    let arrays = SafeTensors::deserialize(file).map_err(|error| error.to_string())?;
    match (sums(file), data_start(file)) {
        (Some([expected, _]), Some(start)) if sum(&file[start..]) != expected => {
            Err("its arrays are not those that were written (their checksum differs)".to_owned())
        }
        _ => Ok(arrays),
    }
}

/// Whether the bytes beside a file of arrays may be those that it was written with.
pub fn fits(file: &[u8], beside: &[u8]) -> bool {
    sums(file).is_none_or(|[_, expected]| sum(beside) == expected)
}

fn sums(file: &[u8]) -> Option<[u32; 2]> {
    let (_, metadata) = SafeTensors::read_metadata(file).ok()?;
    let text = metadata.metadata().as_ref()?.get(KEY)?;
    let (arrays, beside) = text.split_once(' ')?;
    Some([u32::from_str_radix(arrays, 16).ok()?, u32::from_str_radix(beside, 16).ok()?])
}

fn data_start(file: &[u8]) -> Option<usize> {
    let length = u64::from_le_bytes(*file.first_chunk()?);
    usize::try_from(length).ok()?.checked_add(8).filter(|start| *start <= file.len())
}

fn sum(bytes: &[u8]) -> u32 {
    let mut sum = Crc::new();
    sum.update(bytes);
    sum.sum()
}

#[cfg(test)]
mod tests {
    use safetensors::tensor::{Dtype, TensorView};

    use super::*;

    fn file() -> Vec<u8> {
        let bytes: Vec<u8> = [1.0_f32, 2.0].iter().flat_map(|value| value.to_le_bytes()).collect();
        let view = TensorView::new(Dtype::F32, vec![2], &bytes).unwrap();
        // A name that looks like the placeholder comes behind it.
        seal([("00000000 00000000", view)], b"beside")
    }

    #[test]
    fn every_bit_that_flips_is_noticed() {
        let whole = file();
        assert_eq!(open(&whole).unwrap().names(), ["00000000 00000000"]);
        assert!(fits(&whole, b"beside") && !fits(&whole, b"besides"));
        let start = data_start(&whole).unwrap();
        for at in start..whole.len() {
            for bit in 0..8 {
                let mut flipped = whole.clone();
                flipped[at] ^= 1 << bit;
                assert!(open(&flipped).unwrap_err().contains("checksum"), "{at}");
            }
        }
        // In the header a name or a place changes, or the checksum itself.
        for at in 0..start {
            let mut flipped = whole.clone();
            flipped[at] ^= 1;
            let names = open(&flipped).map(|arrays| arrays.names() == ["00000000 00000000"]);
            let untouched = names == Ok(true) && sums(&flipped) == sums(&whole);
            assert!(!untouched, "{at}");
        }
    }

    #[test]
    fn the_checksum_is_that_of_iso_3309() {
        // `python3 -c "import zlib; print(hex(zlib.crc32(b'123456789')))"`, the check value of every table of CRCs.
        assert_eq!(sum(b"123456789"), 0xcbf4_3926);
        let arrays = [0_u8, 0, 0x80, 0x3f, 0, 0, 0, 0x40];
        assert_eq!(sums(&file()), Some([sum(&arrays), sum(b"beside")]));
    }

    #[test]
    fn a_file_without_a_checksum_is_taken_as_it_is() {
        let bytes = 1.0_f32.to_le_bytes();
        let view = TensorView::new(Dtype::F32, vec![1], &bytes).unwrap();
        let plain = serialize([("a", view)], None).unwrap();
        assert!(open(&plain).is_ok() && fits(&plain, b"anything"));
        assert!(open(b"").is_err() && open(&plain[..20]).is_err());
    }
}
