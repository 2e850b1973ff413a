use std::io::Write;

use flate2::Compression;
use flate2::write::DeflateEncoder;

use super::super::{Roots, open, read};
use super::*;

fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

fn message(path: &Path) -> String {
    let folder = path.ancestors().find(|above| above.is_dir()).unwrap().display().to_string();
    read(path).map(|_| ()).unwrap_err().to_string().replace(&format!("{folder}/"), "")
}

/// What `make.py` packed.
fn rows() -> String {
    (0..200).fold("text,label\n".to_string(), |rows, row| rows + &format!("text {row},{}\n", ["a", "b"][row % 2]))
}

/// An archive of one member.
fn archive(name: &str, bytes: &[u8], edit: impl Fn(&mut Entry)) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    let packed = encoder.finish().unwrap();
    let mut sum = Crc::new();
    sum.update(bytes);
    let mut entry = Entry {
        name: name.to_string(),
        method: 8,
        encrypted: false,
        sum: sum.sum(),
        compressed: packed.len() as u64,
        size: bytes.len() as u64,
        header: 0,
    };
    edit(&mut entry);
    let common = |flags: u16| {
        let mut fields = vec![20, 0];
        fields.extend(flags.to_le_bytes());
        fields.extend(entry.method.to_le_bytes());
        fields.extend([0; 4]);
        for value in [entry.sum, entry.compressed as u32, entry.size as u32] {
            fields.extend(value.to_le_bytes());
        }
        fields.extend((entry.name.len() as u16).to_le_bytes());
        fields.extend([0; 2]);
        fields
    };
    let flags = u16::from(entry.encrypted);
    let mut whole = [MAGIC.as_slice(), &common(flags), entry.name.as_bytes(), &packed].concat();
    let offset = whole.len() as u32;
    whole.extend([b"PK\x01\x02\x14\0".as_slice(), &common(flags), &[0; 10]].concat());
    whole.extend((entry.header as u32).to_le_bytes());
    whole.extend(entry.name.as_bytes());
    let size = whole.len() as u32 - offset;
    whole.extend(b"PK\x05\x06\0\0\0\0\x01\0\x01\0");
    whole.extend([size.to_le_bytes(), offset.to_le_bytes()].concat());
    whole.extend([0, 0]);
    whole
}

#[test]
fn members_are_named_by_the_path() {
    assert_eq!(read(&fixture("single.zip")).unwrap(), rows().as_bytes());
    assert_eq!(read(&fixture("single.zip/train.csv")).unwrap(), rows().as_bytes());
    assert_eq!(read(&fixture("several.zip/data/train.csv")).unwrap(), rows().as_bytes());
    assert_eq!(read(&fixture("several.zip/data/données.csv")).unwrap(), "text,label\né,a\n".as_bytes());
    let roots = Roots { dirs: vec![fixture("none"), fixture("")] };
    assert!(roots.resolve("several.zip/data/train.csv").is_ok() && roots.resolve("make.py/train.csv").is_err());
    assert!(matches!(open(&fixture("make.py/train.csv")).err(), Some(Error::Missing { .. } | Error::Io { .. })));
}

#[test]
fn what_the_archive_does_not_have_is_told() {
    let several = message(&fixture("several.zip"));
    let names = "`data/train.csv`, `data/données.csv`, `data/other.csv`";
    assert!(several.starts_with(&format!("several.zip: expected one member, found 3: {names}\n  help: ")), "{several}");
    assert!(several.ends_with("several.zip/data/train.csv`"), "{several}");
    let other = message(&fixture("several.zip/train.csv"));
    assert!(other.starts_with(&format!("several.zip: expected a member `train.csv`, found 3: {names}")), "{other}");
    let method = message(&fixture("several.zip/data/other.csv"));
    let expected = "several.zip/data/other.csv: expected a stored or deflated member, found method 12\n  help: ";
    assert!(method.starts_with(expected), "{method}");
}

#[test]
fn an_archive_that_lies_is_damaged() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.zip");
    let said = |edit: fn(&mut Entry)| {
        std::fs::write(&path, archive("a.txt", &b"some text ".repeat(100), edit)).unwrap();
        message(&path)
    };
    std::fs::write(&path, archive("a.txt", b"x", |_| {})).unwrap();
    assert_eq!(read(&path).unwrap(), b"x");
    type Case = (fn(&mut Entry), &'static str);
    let table: [Case; 6] = [
        (|entry| entry.sum ^= 1, "a.zip: the compressed data are damaged: a member has another checksum"),
        (|entry| entry.size -= 1, "a.zip: the compressed data are damaged: a member is longer than the archive says"),
        (|entry| entry.size += 1, "a.zip: the file ends too early"),
        (|entry| entry.header = 1, "a.zip: the compressed data are damaged: a member is not where the list says"),
        (|entry| entry.encrypted = true, "a.zip/a.txt: expected a member without password, found an encrypted one"),
        (|entry| entry.size = 1 << 31, "a.zip/a.txt: expected at most 67108864 bytes in "),
    ];
    for (edit, expected) in table {
        let message = said(edit);
        assert!(message.starts_with(expected), "{message}");
    }
    let whole = archive("a.txt", b"some text", |_| {});
    for length in 4..whole.len() {
        std::fs::write(&path, &whole[..length]).unwrap();
        assert!(matches!(read(&path), Err(Error::Truncated { .. } | Error::Damaged { .. })), "{length}");
    }
}

#[test]
fn a_bomb_is_refused_by_what_it_says_or_does() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.zip");
    let zeros = vec![0; (1 << 26) + 1];
    std::fs::write(&path, archive("a.txt", &zeros, |_| {})).unwrap();
    assert!(message(&path).contains("expected at most 67108864 bytes in "), "{}", message(&path));
    std::fs::write(&path, archive("a.txt", &zeros, |entry| entry.size = 10)).unwrap();
    assert!(message(&path).contains("a member is longer than the archive says"), "{}", message(&path));
}

#[test]
fn a_bomb_within_a_member_is_bounded_by_what_it_takes_on_the_disk() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.zip");
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(&vec![b'\n'; 1 << 26]).unwrap();
    // 1 GiB in 1 MiB, which is ever the same and takes next to nothing in the archive.
    let inner = encoder.finish().unwrap().repeat(16);
    let whole = archive("a.txt", &inner, |_| {});
    assert!(inner.len() > 1 << 19 && whole.len() < 1 << 17, "{} in {}", inner.len(), whole.len());
    std::fs::write(&path, whole).unwrap();
    let (mut reader, mut total, mut buffer) = (open(&path).unwrap(), 0, vec![0; 1 << 16]);
    let message = loop {
        match reader.read(&mut buffer) {
            Ok(0) => panic!("the bomb was read to its end"),
            Ok(count) => total += count as u64,
            Err(error) => break error.to_string(),
        }
    };
    assert!(message.contains("inflate to more than 200 times their size") && total <= inflation_max(0), "{message}");
    // A zip within a zip is a file like others, and no text.
    std::fs::write(&path, archive("b.zip", &archive("a.txt", b"x", |_| {}), |_| {})).unwrap();
    assert!(read(&path).unwrap().starts_with(MAGIC));
}

#[test]
fn damaged_archives_do_no_harm() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.zip");
    let mut rng = crate::rng::Rng::new(3);
    for name in ["single.zip", "several.zip"] {
        let whole = std::fs::read(fixture(name)).unwrap();
        for at in (0..whole.len()).step_by(3) {
            let mut bytes = whole.clone();
            bytes[at] = rng.below(256) as u8;
            std::fs::write(&path, &bytes).unwrap();
            let (one, named) = (read(&path), read(&path.join("data/train.csv")));
            for read in [one, named].into_iter().flatten().filter(|read| read != rows().as_bytes()) {
                // A byte that no longer says what the file is.
                assert!(read == bytes, "{name}, {at}");
            }
        }
    }
}
