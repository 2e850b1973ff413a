//! What is said about files that were made to fill memory, or that claim to be larger than they are?

use std::io::Write;

use flate2::write::{DeflateEncoder, GzEncoder};
use flate2::{Compression, Crc};

use super::project::Project;
use super::{CHECK, Case, case};

/// The cases of files that lie.
pub fn hostile() -> Vec<Case> {
    vec![
        case(
            "A compressed file that inflates without end",
            CHECK,
            3,
            |p| p.write("reviews.tsv", &gzip(&lines())),
            &["reviews.tsv: the compressed data are damaged", "inflate to more than 200 times their size"],
        ),
        case(
            "A zip archive that inflates without end",
            CHECK,
            3,
            |p| p.write("reviews.tsv", &zip(&lines(), |size| size)),
            &["reviews.tsv/a.tsv: expected at most 67108864 bytes in", "found 67108865"],
        ),
        case(
            "A zip archive that says less than it holds",
            CHECK,
            3,
            |p| p.write("reviews.tsv", &zip(&lines(), |_| 9)),
            &["reviews.tsv", "a member is longer than the archive says"],
        ),
        case(
            "A compressed file in a zip archive that inflates without end",
            CHECK,
            3,
            |p| p.write("reviews.tsv", &zip(&gzip(&lines()), |size| size)),
            &["reviews.tsv", "inflate to more than 200 times their size"],
        ),
        case(
            "A zip archive in a zip archive",
            CHECK,
            3,
            |p| p.write("reviews.tsv", &zip(&zip(b"good\tfine\n", |size| size), |size| size)),
            &["reviews.tsv:1: expected LABEL<TAB>TEXT"],
        ),
        case(
            "Compressed vectors that inflate without end",
            CHECK,
            3,
            |p| p.write("vectors.txt", &gzip(&lines())),
            &["vectors.txt", "inflate to more than 200 times their size"],
        ),
        case(
            "Vectors with a header that lies",
            CHECK,
            3,
            |p| p.write("vectors.txt", b"99999999999 99999999999\nfilm 0.1 0.2 0.3\n"),
            &["vectors.txt:2: the vector of \"film\" has 3 numbers, where 99999999999 were expected"],
        ),
        case(
            "Binary vectors that are fewer than their header says",
            CHECK,
            3,
            |p| p.write("vectors.txt", &[b"99999999999 1\nfilm ".as_slice(), &0.5_f32.to_le_bytes(), b"\n"].concat()),
            &["vectors.txt: ends in vector 2 of the 99999999999 that its header announces"],
        ),
        case(
            "A Parquet column of a wrong type",
            CHECK,
            3,
            |p| parquet(p, "plain.parquet", "", "kind = \"tag\"\ntarget = \"topic\""),
            &["rows.parquet: expected lists of tags in the column `topic`, found strings"],
        ),
        case(
            "A Parquet column of numbers for the text",
            CHECK,
            3,
            |p| parquet(p, "plain.parquet", "text = \"score\"", "kind = \"classify\"\ntarget = \"topic\""),
            &["rows.parquet: expected strings or lists of strings in the column `score`, found numbers"],
        ),
        case(
            "Parquet that is cut off",
            CHECK,
            3,
            |p| {
                parquet(p, "plain.parquet", "", "kind = \"classify\"\ntarget = \"topic\"");
                p.cut("rows.parquet", 0.5);
            },
            &["rows.parquet: the file ends too early, it is cut off"],
        ),
        case(
            "Parquet compressed in a way that is not read",
            CHECK,
            3,
            |p| parquet(p, "brotli.parquet", "", "kind = \"classify\"\ntarget = \"topic\""),
            &["rows.parquet: expected `", "compressed with snappy, gzip, zstd, or not at all, found BROTLI"],
        ),
    ]
}

/// A byte more than any file may inflate to, in empty lines.
fn lines() -> Vec<u8> {
    vec![b'\n'; (1 << 26) + 1]
}

/// Compressed as far as it goes: the bound on what a file may inflate to grows with its size.
fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).expect("memory can be written to");
    encoder.finish().expect("memory can be written to")
}

/// An archive of one member, about whose size it says what it is told to.
fn zip(bytes: &[u8], says: fn(u32) -> u32) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).expect("memory can be written to");
    let packed = encoder.finish().expect("memory can be written to");
    let mut sum = Crc::new();
    sum.update(bytes);
    let mut common = b"\x14\0\0\0\x08\0\0\0\0\0".to_vec();
    for number in [sum.sum(), packed.len() as u32, says(bytes.len() as u32), 5] {
        common.extend(number.to_le_bytes());
    }
    let member = [b"PK\x03\x04".as_slice(), &common, b"a.tsv", &packed].concat();
    let directory = [b"PK\x01\x02\x14\0".as_slice(), &common, &[0; 14], b"a.tsv"].concat();
    let end = [directory.len() as u32, member.len() as u32].map(u32::to_le_bytes).concat();
    [&member, &directory, b"PK\x05\x06\0\0\0\0\x01\0\x01\0".as_slice(), &end, &[0, 0]].concat()
}

/// Makes the reviews those of a Parquet file that another program wrote.
fn parquet(project: &Project, name: &str, options: &str, kind_and_target: &str) {
    let fixtures = concat!(env!("CARGO_MANIFEST_DIR"), "/../polytask-data/tests/fixtures");
    let bytes = std::fs::read(format!("{fixtures}/{name}")).unwrap_or_else(|error| panic!("{name}: {error}"));
    project.write("rows.parquet", &bytes);
    let data = format!("format = \"parquet\"\npath = \"rows.parquet\"\nsplit = {{ valid = 0.2 }}\n{options}");
    project.reviews_from(&data, kind_and_target);
}
