use std::path::PathBuf;
use std::sync::Arc;

use parquet::data_type::{ByteArray, ByteArrayType, Int64Type};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;

use super::super::asked::tests::asked;
use super::super::tests::{label, read_all, rows, text};
use super::*;
use crate::record::Value;

fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

/// The row and the values of each record of a file that `datasets` or `pyarrow` wrote.
fn read(name: &str, texts: &[&str], targets: &[(&str, ColumnKind)]) -> Result<Vec<(u32, Vec<Value>)>, String> {
    let reader = Parquet { asked: asked(texts, targets) };
    let folder = format!("{}{}", fixture("").display(), std::path::MAIN_SEPARATOR);
    let folder = folder.replace("//", "/");
    let read = read_all(&reader, &fixture(name), Part::All).map_err(|error| error.to_string().replace(&folder, ""));
    Ok(read?.0.into_iter().map(|record| (record.place.line, record.values)).collect())
}

fn words(text: &str) -> Vec<String> {
    text.split(' ').map(str::to_string).collect()
}

#[test]
fn classes_have_the_names_that_datasets_gave_them() {
    let targets = [("label", ColumnKind::Label), ("stars", ColumnKind::Number), ("spam", ColumnKind::Label)];
    let expected = [
        vec![text("A fine book."), label("pos"), Value::Number(4.5), label("false")],
        vec![text("naïve – dull"), label("neg"), Value::Missing, label("true")],
        vec![Value::Missing, label("pos"), Value::Number(3.0), label("false")],
        vec![text(""), Value::Missing, Value::Number(1.0), Value::Missing],
        vec![text("so so\nreally"), Value::Missing, Value::Number(2.0), label("false")],
    ];
    let found = read("reviews.parquet", &[], &targets).unwrap();
    assert!(found.iter().map(|(row, _)| *row).eq(1..=5));
    assert!(found.into_iter().map(|(_, values)| values).eq(expected));
    // As a number a class is its position.
    let found =
        read("reviews.parquet", &["text"], &[("label", ColumnKind::Number), ("id", ColumnKind::Label)]).unwrap();
    assert_eq!(found[0].1[1..], [Value::Number(1.0), label("10")]);
    assert_eq!(found[4].1[1], Value::Number(-1.0));
}

#[test]
fn lists_are_words_and_tags() {
    let targets = [("ner_tags", ColumnKind::Tags), ("chunks.tag", ColumnKind::Tags), ("id", ColumnKind::Label)];
    let tokens = |text| Value::Tokens(words(text));
    let tags = |text| Value::Tags(words(text));
    let found = read("sentences.parquet", &[], &targets).unwrap();
    let expected = [
        vec![tokens("EU rejects call"), tags("B-ORG O O"), tags("B I I"), label("0"), Value::Missing],
        vec![tokens("Peter"), tags("B-PER"), tags("B"), label("1"), Value::Missing],
        vec![Value::Tokens(vec![]), Value::Tags(vec![]), Value::Tags(vec![]), label("2"), Value::Missing],
        vec![tokens("a b"), Value::Missing, tags("B I"), label("3"), Value::Missing],
    ];
    assert!(found.into_iter().map(|(_, values)| values).eq(expected));
}

#[test]
fn lists_are_sets_of_labels() {
    let found = read("sentences.parquet", &[], &[("ner_tags", ColumnKind::Labels)]).unwrap();
    let sets: Vec<Value> = found.into_iter().map(|(_, values)| values[1].clone()).collect();
    let of = |text| Value::Labels(words(text));
    assert_eq!(sets, [of("B-ORG O O"), of("B-PER"), Value::Labels(vec![]), Value::Missing]);
    let message = read("plain.parquet", &[], &[("topic", ColumnKind::Labels)]).unwrap_err();
    assert!(message.contains("expected lists of labels in the column `topic`, found strings"), "{message}");
}

#[test]
fn files_of_other_writers_are_read() {
    let targets = [("topic", ColumnKind::Label), ("score", ColumnKind::Number)];
    let found = read("plain.parquet", &[], &targets).unwrap();
    assert_eq!(found.len(), 1500);
    for (index, (row, values)) in found.into_iter().enumerate() {
        assert_eq!(row as usize, index + 1);
        let topic = ["art", "law", "sport"][index % 3];
        assert_eq!(values[0], text(&format!("text number {index}")));
        assert_eq!(values[1..3], [label(topic), Value::Number((index % 7) as f64)]);
    }
}

#[test]
fn a_wrong_type_names_the_column() {
    let label = ColumnKind::Label;
    let table = [
        (
            ("when", label),
            "plain.parquet: expected strings, numbers, truth values, or lists of them in the column `when`, found Timestamp\n  help: name another",
        ),
        (("image", label), "in the column `image`, found bytes that are not marked as text"),
        (("grid", label), "in the column `grid`, found a list of lists"),
        (
            ("score", ColumnKind::Tags),
            "plain.parquet: expected lists of tags in the column `score`, found numbers or truth values",
        ),
        (
            ("scores", label),
            "plain.parquet: expected a column `scores`, found `sentence`, `topic`, `score`, `when`, `image`, `grid`\n  help: did you mean `score`?",
        ),
    ];
    for (target, expected) in table {
        let message = read("plain.parquet", &[], &[target]).unwrap_err();
        assert!(message.contains(expected), "{message}");
    }
    let message = read("plain.parquet", &["score"], &[("topic", label)]).unwrap_err();
    assert!(
        message.starts_with("plain.parquet: expected strings or lists of strings in the column `score`"),
        "{message}"
    );
    let message = read("sentences.parquet", &[], &[("ner_tags", label)]).unwrap_err();
    assert!(
        message.contains("strings, numbers or truth values in the column `ner_tags`, found a list of"),
        "{message}"
    );
    let message = read("brotli.parquet", &[], &[("topic", label)]).unwrap_err();
    assert!(message.contains("brotli.parquet: expected `sentence` compressed with snappy, gzip, zstd"), "{message}");
}

#[test]
fn what_is_no_parquet_file_says_so() {
    let reader = Parquet { asked: asked(&[], &[("label", ColumnKind::Label)]) };
    let whole = std::fs::read(fixture("reviews.parquet")).unwrap();
    assert!(rows(&reader, "a.parquet", b"").unwrap().is_empty());
    let table: [(&[u8], &str); 5] = [
        (b"PAR1", "a.parquet: expected a Parquet file, found a file that begins with"),
        (b"text,label\nx,y\n", "a.parquet: expected a Parquet file, found a file that begins with \"text\"\n  help: "),
        (b"\x1f\x8b\x08 and so on, and on", "a.parquet: expected a Parquet file, found a gzip file"),
        (&whole[..whole.len() / 2], "a.parquet: the file ends too early, it is cut off"),
        (b"PAR1 nothing of it PAR1", "a.parquet: the compressed data are damaged: "),
    ];
    for (bytes, expected) in table {
        let message = rows(&reader, "a.parquet", bytes).unwrap_err();
        assert!(message.starts_with(expected), "{message}");
    }
    assert!(read("", &[], &[]).unwrap_err().contains("it is a folder"));
}

/// Damaged files are an error or other values, never a panic.
#[test]
fn damaged_files_do_no_harm() {
    let targets = [("ner_tags", ColumnKind::Tags), ("chunks.tag", ColumnKind::Tags), ("label", ColumnKind::Label)];
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.parquet");
    let mut rng = crate::rng::Rng::new(3);
    for (name, targets) in [("reviews.parquet", &targets[2..]), ("sentences.parquet", &targets[..2])] {
        let whole = std::fs::read(fixture(name)).unwrap();
        let reader = Parquet { asked: asked(&[], targets) };
        for round in 0..500 {
            let mut bytes = whole.clone();
            for _ in 0..1 + round % 3 {
                let at = rng.below(whole.len() as u64) as usize;
                bytes[at] = rng.below(256) as u8;
            }
            std::fs::write(&path, &bytes).unwrap();
            let read = std::panic::catch_unwind(|| read_all(&reader, &path, Part::All).map(|_| ()));
            assert!(read.is_ok(), "{name}, round {round}");
        }
    }
}

/// A file of a required string and a required list, as older writers lay lists out.
fn write(path: &std::path::Path, texts: &[&[u8]], labels: &[i64]) {
    let schema = "message m { required binary text (UTF8); required group tags (LIST) { repeated int64 array; } }";
    let schema = Arc::new(parse_message_type(schema).unwrap());
    let metadata = r#"{"info": {"features": {"tags": [{"names": ["a", "b"], "_type": "ClassLabel"}]}}}"#;
    let metadata = parquet::file::metadata::KeyValue::new("huggingface".to_string(), metadata.to_string());
    let properties = WriterProperties::builder().set_key_value_metadata(Some(vec![metadata])).build();
    let mut writer = SerializedFileWriter::new(File::create(path).unwrap(), schema, properties.into()).unwrap();
    let mut group = writer.next_row_group().unwrap();
    let mut column = group.next_column().unwrap().unwrap();
    let texts: Vec<_> = texts.iter().map(|text| text.to_vec().into()).collect();
    column.typed::<ByteArrayType>().write_batch(&texts, None, None).unwrap();
    column.close().unwrap();
    let mut column = group.next_column().unwrap().unwrap();
    let definitions = vec![1; labels.len()];
    let repetitions = vec![0; labels.len()];
    column.typed::<Int64Type>().write_batch(labels, Some(&definitions), Some(&repetitions)).unwrap();
    column.close().unwrap();
    group.close().unwrap();
    writer.close().unwrap();
}

#[test]
fn flaws_of_values_have_their_row() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.parquet");
    let reader = |kind| Parquet { asked: asked(&["text"], &[("tags", kind)]) };
    let message = |kind| read_all(&reader(kind), &path, Part::All).unwrap_err().to_string();
    write(&path, &[b"x", b"y"], &[0, 1]);
    assert!(message(ColumnKind::Tags).contains("a.parquet:1: expected a list of words as `text`, because `tags` tags"));
    assert!(message(ColumnKind::Label).contains("in the column `tags`, found a list of numbers"));
    write(&path, &[b"x", b"caf\xe9"], &[0, 1]);
    let plain = Parquet { asked: asked(&["text"], &[]) };
    let message = |path| read_all(&plain, path, Part::All).unwrap_err().to_string();
    assert!(message(&path).contains("a.parquet:2: expected UTF-8 as `text`, found other bytes"), "{}", message(&path));
    let file = SerializedFileReader::new(File::open(&path).unwrap()).unwrap();
    let leaves = Leaf::all(file.metadata().file_metadata().schema_descr());
    let reader = Wanted { leaf: &leaves[1], classes: Some(&["a".to_string(), "b".to_string()]) };
    let message = reader.named(Json::from(vec![0, 2]), "f", 7).unwrap_err().to_string();
    assert!(message.starts_with("f:7: expected a class of `tags`, 0 to 1, or -1, found 2\n  help: "), "{message}");
    assert_eq!(reader.named(Json::from(vec![0, -1]), "f", 7).unwrap(), serde_json::json!(["a", null]));
}

#[test]
fn rows_that_a_file_only_repeats_are_bounded() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.parquet");
    let schema = Arc::new(parse_message_type("message m { required binary text (UTF8); }").unwrap());
    let properties = WriterProperties::builder().set_dictionary_page_size_limit(1 << 24).build();
    let mut writer = SerializedFileWriter::new(File::create(&path).unwrap(), schema, properties.into()).unwrap();
    let mut group = writer.next_row_group().unwrap();
    let mut column = group.next_column().unwrap().unwrap();
    let text: ByteArray = vec![b'a'; 1 << 20].into();
    column.typed::<ByteArrayType>().write_batch(&vec![text; 500], None, None).unwrap();
    column.close().unwrap();
    group.close().unwrap();
    writer.close().unwrap();
    assert!(std::fs::metadata(&path).unwrap().len() < 1 << 21);
    let reader = Parquet { asked: asked(&["text"], &[]) };
    let mut rows = 0;
    let read = reader.read(&path, Part::All, &mut |_| {
        rows += 1;
        Ok(())
    });
    let message = read.unwrap_err().to_string();
    assert!(message.contains("expected rows of at most 200 times the size of the file, found more"), "{message}");
    // 200 times a file that holds the text once.
    assert!((200..=202).contains(&rows), "{rows}");
}

#[test]
fn metadata_that_claim_more_than_they_hold_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.parquet");
    // A list of two billion of truth values, and metadata that are longer than the file.
    let many = [&[0x19, 0xf1][..], &[0xff, 0xff, 0xff, 0xff, 7, 0]].concat();
    for (size, metadata, message) in [
        (many.len() as u32, many, "its metadata claim more than they hold"),
        (1 << 30, vec![0; 9], "its metadata are longer than the file"),
        // A group of two billion of columns.
        (
            14,
            [&[0x29, 0x1c, 0x48, 1, b'm', 0x15][..], &[0xfe, 0xff, 0xff, 0xff, 0x0f, 0, 0, 0]].concat(),
            "more columns than",
        ),
    ] {
        let file = [&b"PAR1"[..], &metadata, &size.to_le_bytes(), b"PAR1"].concat();
        std::fs::write(&path, file).unwrap();
        let reader = Parquet { asked: asked(&["text"], &[]) };
        let found = reader.read(&path, Part::All, &mut |_| Ok(())).unwrap_err().to_string();
        let source = reader.read(&path, Part::All, &mut |_| Ok(())).unwrap_err();
        let source = std::error::Error::source(&source).map(ToString::to_string).unwrap_or_default();
        assert!(found.contains("a.parquet") && format!("{found} {source}").contains(message), "{found} {source}");
    }
}
