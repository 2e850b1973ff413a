//! What looks odd and is right all the same?

use super::CHECK;
use super::project::{Project, gzip};

const BOM: &[u8] = b"\xef\xbb\xbf";
const FILES: [&str; 7] = [
    "polytask.toml",
    "reviews.tsv",
    "reviews-valid.tsv",
    "reviews-test.tsv",
    "names.conll",
    "names-valid.conll",
    "vectors.txt",
];

/// Changes every file of a project, and checks it.
fn check_with(change: impl Fn(&str, Vec<u8>) -> Vec<u8>) {
    let project = Project::new();
    let plain = project.run(CHECK, None);
    for file in FILES {
        project.write(file, &change(file, project.read(file)));
    }
    let ended = project.run(CHECK, None);
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    assert_eq!(ended.stdout, plain.stdout, "the same is read");
}

fn crlf(bytes: &[u8]) -> Vec<u8> {
    String::from_utf8_lossy(bytes).replace('\n', "\r\n").into_bytes()
}

#[test]
fn byte_order_marks_and_crlf_are_accepted() {
    check_with(|_, bytes| [BOM, &bytes].concat());
    check_with(|_, bytes| crlf(&bytes));
    check_with(|_, bytes| [BOM, &crlf(&bytes)].concat());
}

#[test]
fn a_missing_last_line_end_is_accepted() {
    check_with(|_, bytes| bytes.strip_suffix(b"\n").unwrap_or(&bytes).to_vec());
}

#[test]
fn compressed_files_are_accepted_whatever_their_names() {
    check_with(|file, bytes| if file.ends_with(".toml") { bytes } else { gzip(&bytes) });
}

#[test]
fn stray_bytes_in_reviews_are_read_and_told() {
    let project = Project::new();
    project.write("reviews.tsv", b"good\ta na\xefve film\nbad\ta dull film\n");
    let ended = project.run(CHECK, None);
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    assert!(ended.stdout.contains("reviews.tsv: line 1 is not UTF-8; its stray bytes were read as Windows-1252"));
}

#[test]
fn texts_with_a_byte_order_mark_and_crlf_are_predicted() {
    let project = Project::trained();
    let plain = project.run("predict run --task names", Some(b"Anna sings\nOslo\n"));
    let odd = project.run("predict run --task names", Some(b"\xef\xbb\xbfAnna sings\r\nOslo"));
    assert_eq!((plain.code, plain.stdout.lines().count()), (Some(0), 2));
    assert_eq!((odd.code, odd.stdout, odd.stderr), (Some(0), plain.stdout, String::new()));
}
