//! Archives and compressed files.

use std::io::Write;

use flate2::write::{DeflateEncoder, GzEncoder};
use flate2::{Compression, Crc};

fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).expect("memory can be written to");
    encoder.finish().expect("memory can be written to")
}

/// For compressed files.
pub fn gzip() -> Vec<Vec<u8>> {
    let one = packed(b"a\nb\r\n\nc");
    let two = [one.clone(), packed(b"d\n")].concat();
    vec![one.clone(), one[..one.len() - 6].to_vec(), two, packed(&[b'\n'; 3000]), b"plain\r\n\ntext".to_vec()]
}

/// For archives of reviews.
pub fn imdb() -> Vec<Vec<u8>> {
    let files: [(&str, &[u8]); 5] = [
        ("aclImdb/train/pos/0_9.txt", b"fine<br /><br />so"),
        ("aclImdb/train/neg/1_2.txt", b"caf\xe9"),
        ("aclImdb/test/pos/2_10.txt", b"\xef\xbb\xbfx"),
        ("aclImdb/train/unsup/3_0.txt", b"no label"),
        ("aclImdb/README", b"x"),
    ];
    let archive = |files: &[(&str, &[u8])]| {
        let mut builder = tar::Builder::new(Vec::new());
        for (name, bytes) in files {
            let mut header = tar::Header::new_gnu();
            header.set_size(bytes.len() as u64);
            header.set_mode(0o644);
            header.set_cksum();
            builder.append_data(&mut header, name, *bytes).expect("memory can be written to");
        }
        builder.into_inner().expect("memory can be written to")
    };
    let long = format!("aclImdb/train/pos/{}/0_1.txt", "deep/".repeat(30));
    let whole = archive(&files);
    let mut sparse = archive(&files[..1]);
    // A sparse file of GNU tar: one piece of 18 bytes, and a size of which the archive holds almost nothing.
    sparse[156] = b'S';
    sparse[386..410].copy_from_slice(b"00000000000\x0000000000022\0");
    sparse[483..495].copy_from_slice(b"00077777777\0");
    right_checksums(&mut sparse);
    vec![
        whole.clone(),
        whole[..700].to_vec(),
        packed(&whole),
        archive(&[(&long, b"x")]),
        sparse,
        b"no archive".to_vec(),
    ]
}

/// Gives every block that looks like a header of a tar archive its right checksum.
pub fn right_checksums(archive: &mut [u8]) {
    for block in archive.chunks_exact_mut(512).filter(|block| block[257..262] == *b"ustar") {
        block[148..156].fill(b' ');
        let sum: u32 = block.iter().map(|&byte| u32::from(byte)).sum();
        block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    }
}

/// For zip archives: one member, several, one stored, one inside another, and sizes of 64 bits.
pub fn zip() -> Vec<Vec<u8>> {
    let one = archive(&[("a.txt", b"some text\n", 8)]);
    let several =
        archive(&[("a.txt", b"text,label\na,b\n", 8), ("deep/b.txt", b"x\ty\n", 0), ("__MACOSX/._a", b"", 0)]);
    let nested = archive(&[("a.txt", &one, 0)]);
    let long = archive(&[("a.txt", &[b'a'; 5000], 8)]);
    let mut large = archive(&[("a.txt", b"x", 0)]);
    // The last record says that the true numbers stand in a record of 64 bits before it.
    let end = large.len() - 22;
    let directory = u32::from_le_bytes(large[end + 16..end + 20].try_into().expect("four bytes"));
    let mut record = b"PK\x06\x06\x2c\0\0\0\0\0\0\0\x2d\0\x2d\0\0\0\0\0\0\0\0\0".to_vec();
    for number in [1, 1, (end as u64) - u64::from(directory), u64::from(directory)] {
        record.extend(number.to_le_bytes());
    }
    record.extend(b"PK\x06\x07\0\0\0\0");
    record.extend((end as u64).to_le_bytes());
    record.extend(1_u32.to_le_bytes());
    large[end + 10..end + 20].fill(0xff);
    large.splice(end..end, record);
    vec![one.clone(), one[..one.len() - 8].to_vec(), several, nested, long, large]
}

/// An archive of members: name, bytes, and method 0 (stored) or 8 (deflated).
fn archive(members: &[(&str, &[u8], u16)]) -> Vec<u8> {
    let (mut whole, mut directory) = (Vec::new(), Vec::new());
    for (name, bytes, method) in members {
        let data = match method {
            0 => bytes.to_vec(),
            _ => {
                let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
                encoder.write_all(bytes).expect("memory can be written to");
                encoder.finish().expect("memory can be written to")
            }
        };
        let mut sum = Crc::new();
        sum.update(bytes);
        let mut common = vec![20, 0, 0, 0];
        common.extend(method.to_le_bytes());
        common.extend([0; 4]);
        for number in [sum.sum(), data.len() as u32, bytes.len() as u32, name.len() as u32] {
            common.extend(number.to_le_bytes());
        }
        directory.extend([b"PK\x01\x02\x14\0".as_slice(), &common, &[0; 10]].concat());
        directory.extend((whole.len() as u32).to_le_bytes());
        directory.extend(name.as_bytes());
        whole.extend([b"PK\x03\x04".as_slice(), &common, name.as_bytes(), &data].concat());
    }
    let count = (members.len() as u16).to_le_bytes();
    let (size, offset) = (directory.len() as u32, whole.len() as u32);
    whole.extend(directory);
    whole.extend([b"PK\x05\x06\0\0\0\0".as_slice(), &count, &count].concat());
    whole.extend([size.to_le_bytes(), offset.to_le_bytes()].concat());
    whole.extend([0, 0]);
    whole
}
