//! What is said about word vectors that are wrong?

use super::project::gzip;
use super::{CHECK, Case, case};

/// The cases of word vectors.
pub fn vectors() -> Vec<Case> {
    vec![
        case("Vectors that are not there", CHECK, 3, |p| p.remove("vectors.txt"), &["vectors.txt: no such file"]),
        case(
            "A folder in the place of vectors",
            CHECK,
            3,
            |p| {
                p.remove("vectors.txt");
                p.folder("vectors.txt");
            },
            &["vectors.txt", "folder"],
        ),
        case(
            "Vectors that are empty",
            CHECK,
            3,
            |p| p.write("vectors.txt", b""),
            &["vectors.txt", "holds no word vectors"],
        ),
        case(
            "A vector of the wrong width",
            CHECK,
            3,
            |p| p.edit("vectors.txt", "bad -0.4 -0.5 -0.6", "bad -0.4 -0.5"),
            &["vectors.txt:3", "\"bad\" has 2 numbers", "3 were expected"],
        ),
        case(
            "A vector with a word for a number",
            CHECK,
            3,
            |p| p.edit("vectors.txt", "-0.5", "zero"),
            &["vectors.txt:3:10", "\"zero\" is no number"],
        ),
        case(
            "A vector with NaN",
            CHECK,
            3,
            |p| p.edit("vectors.txt", "0.5", "NaN"),
            &["vectors.txt:2:10", "\"NaN\" is not a finite number"],
        ),
        case(
            "A word that is not UTF-8",
            CHECK,
            3,
            |p| p.write("vectors.txt", b"film 1 2 3\nna\xefve 1 2 3\n"),
            &["vectors.txt:2", "not UTF-8"],
        ),
        case(
            "Vectors with bytes that are no text",
            CHECK,
            3,
            |p| p.write("vectors.txt", b"film 1 2 3\nbad \x00\x01\x02\x03\n"),
            &["vectors.txt:2", "bytes that are no text"],
        ),
        case(
            "Binary vectors that end too early",
            CHECK,
            3,
            |p| p.write("vectors.txt", b"3 3\nfilm \x00\x01\x02\x03\x00\x01\xfe\x03\n"),
            &["vectors.txt", "ends in vector 1 of the 3"],
        ),
        case(
            "Binary vectors with a header that lies",
            CHECK,
            3,
            |p| p.write("vectors.txt", b"3 99999999999\nfilm \x00\x01\x02\x03\x00\x01\xfe\x03\n"),
            &["vectors.txt", "vectors of 99999999999 numbers"],
        ),
        case(
            "A model of fastText for vectors",
            CHECK,
            3,
            |p| p.write("vectors.txt", b"\xba\x16\x4f\x2f\x0c\x00\x00\x00"),
            &["vectors.txt", "model of fastText", ".vec"],
        ),
        case(
            "Vectors in a zip file",
            CHECK,
            3,
            |p| p.write("vectors.txt", b"PK\x03\x04rest"),
            &["vectors.txt", "zip", "unpack it first"],
        ),
        case(
            "Compressed vectors that are cut off",
            CHECK,
            3,
            |p| {
                let text: String = (0..5000).map(|n| format!("w{n} 0.{n} 0.{} 1\n", n * 7919 % 9973)).collect();
                p.write("vectors.txt", &gzip(text.as_bytes()));
                p.cut("vectors.txt", 0.5);
            },
            &["vectors.txt", "truncated", "after line"],
        ),
    ]
}
