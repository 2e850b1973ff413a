use super::*;
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::Write;

fn file(bytes: &[u8]) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    file
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn all(bytes: &[u8]) -> Result<WordVectors, VectorsProblem> {
    read_vectors(file(bytes).path(), &|_| true).map_err(|error| error.problem)
}

fn words(bytes: &[u8]) -> Vec<String> {
    all(bytes).unwrap().words
}

/// What is said about a file, from the place in it on and without help.
fn message(bytes: &[u8]) -> String {
    let file = file(bytes);
    let message = read_vectors(file.path(), &|_| true).unwrap_err().to_string();
    let place = message.strip_prefix(&file.path().display().to_string()).unwrap();
    place.split_once("\n  help: ").unwrap().0.to_string()
}

const PLAIN: &[u8] = b"the 0.5 -1e-2 3\ncat 1 .25 -0\n";

#[test]
fn reads_words_and_numbers() {
    let expected = WordVectors {
        dim: 3,
        words: vec!["the".into(), "cat".into()],
        values: vec![0.5, -0.01, 3.0, 1.0, 0.25, 0.0],
        lines_read: 2,
    };
    assert_eq!(all(PLAIN).unwrap(), expected);
    assert_eq!(all(&gzip(PLAIN)).unwrap(), expected);
    assert_eq!(expected.vector(1), [1.0, 0.25, 0.0]);
    let crlf = String::from_utf8_lossy(PLAIN).replace('\n', "\r\n");
    assert_eq!(all(format!("\u{FEFF}{crlf}").as_bytes()).unwrap(), expected);
    assert_eq!(all(&PLAIN[..PLAIN.len() - 1]).unwrap(), expected);
    // Gzip members one after the other are one file.
    let members = [gzip(&PLAIN[..20]), gzip(&PLAIN[20..])].concat();
    assert_eq!(all(&members).unwrap(), expected);
}

#[test]
fn reads_wanted_words_only() {
    let read = read_vectors(file(b"a 1 2\nb x y\nc 5 6\n").path(), &|word| word == "c").unwrap();
    assert_eq!((read.words, read.values, read.lines_read), (vec!["c".into()], vec![5.0, 6.0], 3));
}

#[test]
fn a_header_tells_the_width() {
    let read = all(b"2 3\nthe 1 2 3 \nof 4 5 6 \n").unwrap();
    assert_eq!((read.dim, read.words.len(), read.lines_read), (3, 2, 3));
    assert_eq!(message(b"2 4\nthe 1 2 3\n"), ":2: the vector of \"the\" has 3 numbers, where 4 were expected");
    assert!(matches!(all(b"2 3\n"), Err(VectorsProblem::Empty)));
}

#[test]
fn words_may_hold_spaces() {
    let read = all(b". . 0.1 0.2\na 0.3 0.4\n. . . 0.5 0.6\nto me@a.org 0.7 0.8\nb\t1\t2\n").unwrap();
    assert_eq!(read.words, [". .", "a", ". . .", "to me@a.org", "b"]);
    assert_eq!(read.values, [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 1.0, 2.0]);
    assert_eq!(words(b"1998 0.1 0.2\n2 3 4\n"), ["1998", "2"]);
    assert_eq!(words("\u{a0} 1 2\n\u{85}x 1 2\n".as_bytes()), ["\u{a0}", "\u{85}x"]);
    // Runs of spaces separate as one does.
    assert_eq!(all(b"a 1 2\nb  3   4\n").unwrap().values, [1.0, 2.0, 3.0, 4.0]);
}

#[test]
fn the_first_of_two_vectors_counts() {
    let read = all(b"a 1 2\nb 3 4\na 5 6\n").unwrap();
    assert_eq!((read.words.len(), read.values), (2, vec![1.0, 2.0, 3.0, 4.0]));
}

#[test]
fn a_wrong_width_is_told() {
    let expected = "has 1 number, where 2 were expected";
    assert_eq!(message(b"a 1 2\nb 3\n"), format!(":2: the vector of \"b\" {expected}"));
    let message_long = message(b"a 1 2\nb 3.5 4.5 5.5\n");
    assert_eq!(message_long, ":2: the vector of \"b\" has 3 numbers, where 2 were expected");
    assert!(message(b"a 1 2\nb  3\n").contains(expected));
    assert!(message(b"a\n").contains("has 0 numbers"));
    let unwanted = read_vectors(file(b"a 1 2\nb 3\n").path(), &|_| false).unwrap_err();
    assert!(unwanted.to_string().contains(":2: "), "{unwanted}");
}

#[test]
fn what_is_no_number_is_told() {
    assert_eq!(message("a 1 2\nbé 3 4,5\n".as_bytes()), ":2:6: \"4,5\" is no number");
    assert_eq!(message(b"a 0.1 x 0.2\n"), ":1:7: \"x\" is no number");
    assert_eq!(message(b"a b\n"), ":1:3: \"b\" is no number");
    for token in ["nan", "-inf", "Infinity", "1e39"] {
        let expected = format!(":2:5: \"{token}\" is not a finite number");
        assert_eq!(message(format!("a 1 2\nb 3 {token}\n").as_bytes()), expected);
    }
}

#[test]
fn bad_utf8_is_told() {
    assert_eq!(message(b"a 1 2\nb\xff 3 4\n"), ":2: the word \"b\u{FFFD}\" is not UTF-8");
    assert_eq!(message(b"a 1 2\nb 3 \xff\n"), ":2:5: \"\u{FFFD}\" is no number");
}

#[test]
fn an_empty_file_is_told() {
    for empty in [&b""[..], b"\n\n", b"\xef\xbb\xbf"] {
        assert!(matches!(all(empty), Err(VectorsProblem::Empty)));
        assert!(matches!(all(&gzip(empty)), Err(VectorsProblem::Empty)));
    }
}

#[test]
fn a_truncated_or_damaged_gz_is_told() {
    let mut rng = crate::rng::Rng::new(4);
    let text: String = (0..20_000).map(|word| format!("w{word} {} {}\n", rng.uniform(), rng.uniform())).collect();
    let compressed = gzip(text.as_bytes());
    assert_eq!(all(&compressed).unwrap().lines_read, 20_000);
    let Err(VectorsProblem::Truncated { line }) = all(&compressed[..compressed.len() / 2]) else { panic!() };
    assert!((9_000..11_000).contains(&line), "{line}");
    assert!(matches!(all(&compressed[..compressed.len() - 3]), Err(VectorsProblem::Truncated { line: 20_000 })));
    assert!(matches!(all(&compressed[..5]), Err(VectorsProblem::Truncated { line: 0 })));
    let middle = compressed.len() / 2;
    for damage in [&[0xff; 1][..], &[0; 9], &[0xff; 1000]] {
        let mut damaged = compressed.clone();
        damaged[middle..][..damage.len()].copy_from_slice(damage);
        let problem = all(&damaged).unwrap_err();
        assert!(matches!(problem, VectorsProblem::Damaged { line: 8_000.., .. }), "{problem}");
    }
}

#[test]
fn other_formats_are_told() {
    assert!(message(b"PK\x03\x04rest").contains("is a zip file"));
    assert!(message(b"the 1 2 3\ncat \x00\x01\xff\x7f\n").contains(":2: holds bytes that are no text"));
    assert!(message(b"\xba\x16\x4f\x2f\x0c\x00").contains("is a model of fastText"));
    assert!(matches!(all(&[b'x'; 3 << 20]), Err(VectorsProblem::LongLine { line: 1, .. })));
    assert_eq!(words(b"BZhx 1 2\n"), ["BZhx"]);
}

#[test]
fn a_missing_file_is_told_with_its_path() {
    let error = read_vectors(Path::new("/no/such.txt"), &|_| true).unwrap_err();
    assert!(error.to_string().starts_with("/no/such.txt: cannot be read: "), "{error}");
    let folder = tempfile::tempdir().unwrap();
    assert!(matches!(read_vectors(folder.path(), &|_| true).unwrap_err().problem, VectorsProblem::Io(_)));
}

#[test]
fn lines_that_cross_chunks_are_whole() {
    let text: String = (0..60_000).map(|word| format!("a-long-word-{word} {word}.5 0.125 -3 {word}\n")).collect();
    assert!(text.len() > 2 << 20);
    let read = all(text.as_bytes()).unwrap();
    assert_eq!(read.words.len(), 60_000);
    for (index, vector) in read.values.chunks(4).enumerate() {
        assert_eq!(vector, [index as f32 + 0.5, 0.125, -3.0, index as f32]);
    }
}

/// A binary file of word2vec: words and vectors, and what ends a record.
fn binary(header: &str, vectors: &[(&[u8], &[f32])], end: &str) -> Vec<u8> {
    let mut bytes = format!("{header}\n").into_bytes();
    for (word, values) in vectors {
        bytes.extend_from_slice(word);
        bytes.push(b' ');
        bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
        bytes.extend_from_slice(end.as_bytes());
    }
    bytes
}

/// The second one holds the bytes of a space and a line end in its numbers.
const PAIRS: [(&[u8], &[f32]); 3] =
    [(b"the", &[0.5, -1.25]), (b"z\xc3\xbcrich", &[f32::from_bits(0x0a20_0a20), 3.0]), (b"the", &[9.0, 9.0])];

#[test]
fn binary_vectors_are_read_with_and_without_line_ends_plain_and_compressed() {
    for end in ["", "\n"] {
        let bytes = binary("3 2", &PAIRS, end);
        for bytes in [gzip(&bytes), bytes] {
            let read = all(&bytes).unwrap();
            assert_eq!((read.dim, read.words.as_slice()), (2, &["the".to_owned(), "z\u{fc}rich".to_owned()][..]));
            assert_eq!(read.values, [PAIRS[0].1, PAIRS[1].1].concat());
            let one = read_vectors(file(&bytes).path(), &|word| word != "the").unwrap();
            assert_eq!((one.words.len(), one.lines_read), (1, 4));
        }
    }
    let cut = binary("2 1", &[(b"na\xc3", &[1.0]), (b"naive", &[2.0])], "\n");
    assert_eq!(words(&cut), ["naive"]);
}

#[test]
fn damaged_binary_vectors_are_told() {
    let good = binary("3 2", &PAIRS, "\n");
    for end in 20..good.len() - 1 {
        assert!(matches!(
            all(&good[..end]),
            Err(VectorsProblem::Word2vec(Word2vecProblem::Ends { vector: 1..=3, of: 3 }))
        ));
    }
    assert!(message(&binary("2 2", &PAIRS, "\n")).contains("goes on after the 2 vectors"));
    assert!(message(&binary("9000000000 2", &PAIRS, "")).contains("ends in vector 4 of the 9000000000"));
    assert!(message(&binary("3 99999999999", &PAIRS, "")).contains("announces vectors of 99999999999 numbers"));
    assert!(message(&binary("3 0", &PAIRS, "")).contains("announces vectors of 0 numbers"));
    assert!(message(&binary("1 1", &[(b"a", &[f32::NAN])], "")).contains("vector 1, of \"a\""));
    let long = [vec![b'x'; 5000], vec![0; 5000]].concat();
    assert!(message(&[b"1 2\n\x00".as_slice(), &long].concat()).contains("vector 1 has no word"));
    let compressed = gzip(&good);
    assert!(matches!(
        all(&compressed[..compressed.len() - 12]),
        Err(VectorsProblem::Word2vec(Word2vecProblem::Ends { .. }))
    ));
}
