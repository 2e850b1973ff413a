//! Which formats are known and not read?

use super::{Format, Guess, Sample};
use crate::error::Result;

pub(super) const FORMAT: Format = Format { key: "", summary: "", guess };

const TEXTS: &str = "polytask learns from texts: give it one of conll, imdb, amazon, lines, csv, tsv, jsonl or parquet";

/// How files of a format begin, what they are, and what to do about it.
const BEGINNINGS: [(&[u8], &str, &str); 22] = [
    (b"\x89PNG", "a PNG image", TEXTS),
    (b"\xff\xd8\xff", "a JPEG image", TEXTS),
    (b"GIF8", "a GIF image", TEXTS),
    (b"BM", "a bitmap image", TEXTS),
    (b"MATLAB 5.0", "a MATLAB file", TEXTS),
    (b"\x89HDF", "an HDF5 file (MATLAB 7.3, Keras, ...)", TEXTS),
    (b"\x93NUMPY", "a NumPy array", TEXTS),
    (b"\x80\x02", "a Python pickle", "export the data as JSON lines"),
    (b"\x80\x03", "a Python pickle", "export the data as JSON lines"),
    (b"\x80\x04", "a Python pickle", "export the data as JSON lines"),
    (b"\x80\x05", "a Python pickle", "export the data as JSON lines"),
    (b"%PDF", "a PDF document", "extract its text"),
    (b"\xd0\xcf\x11\xe0", "an old Office document", "export the data as CSV"),
    (b"SQLite format 3", "an SQLite database", "export the data as CSV"),
    (b"ARROW1", "an Arrow file", "write it as Parquet"),
    (b"Obj\x01", "an Avro file", "write it as Parquet"),
    (b"ORC", "an ORC file", "write it as Parquet"),
    (b"\xba\x16\x4f\x2f", "a fastText model", "use its .vec file: word vectors as text"),
    (b"FiFu", "finalfusion word vectors", "export them as word2vec text or binary"),
    (b"\xfd7zXZ", "an xz file", "unpack it, and name the file"),
    (b"BZh", "a bzip2 file", "unpack it, and name the file"),
    (b"\x28\xb5\x2f\xfd", "a zstd file", "unpack it, and name the file"),
];

fn guess(sample: &Sample) -> Result<Option<Guess>> {
    let refuse = |what: &str, help: &str| Ok(Some(Guess::Refused(what.to_string(), help.to_string())));
    let start = sample.bytes.as_slice();
    if start.is_empty() {
        return refuse("an empty file", "check where it comes from");
    }
    if start.starts_with(b"\xff\xfe") || start.starts_with(b"\xfe\xff") {
        return refuse("text in UTF-16", "convert it: `iconv -f utf-16 -t utf-8`");
    }
    if let [0, 0, 8, dimensions @ 1..=4, ..] = start {
        let what = if *dimensions == 1 { "labels" } else { "images" };
        return refuse(&format!("{what} in the idx format of MNIST"), TEXTS);
    }
    if !sample.is_binary() {
        let start = sample.bytes.trim_ascii_start();
        let page = start.get(..14).is_some_and(|start| start.to_ascii_lowercase().starts_with(b"<!doctype html"));
        return if page {
            refuse("a web page", "check where it comes from: a download may have failed")
        } else {
            Ok(None)
        };
    }
    match BEGINNINGS.iter().find(|(beginning, ..)| start.starts_with(beginning)) {
        Some((_, what, help)) => refuse(what, help),
        None => refuse(&format!("a binary file that begins with {}", sample.start()), TEXTS),
    }
}
