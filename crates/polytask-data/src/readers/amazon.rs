//! Amazon product reviews: JSON lines, or the Blitzer pseudo-XML.
//!
//! A file is told apart by its first character (`<` is pseudo-XML), whatever its name; both may be compressed. A
//! folder stands for all its `.review`, `.json` and `.jsonl` files, those of its sub-folders too, sorted by path;
//! `unlabeled.review` is skipped.
//!
//! JSON lines have `reviewText` and `overall`, or `text` and `rating`, and may have `category` or `main_category`;
//! without one, the file's name is the category. The text is the body of the review: titles are not read.
//! More than three stars are `pos`, fewer are `neg`, three are neither.
//!
//! References: Blitzer, Dredze and Pereira, "Biographies, Bollywood, Boom-boxes and Blenders", ACL, 2007;
//! Ni, Li and McAuley, "Justifying Recommendations using Distantly-Labeled Reviews", EMNLP, 2019.

use std::io::BufRead;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Deserialize;

use super::{Entry, Reader, Sink, blitzer};
use crate::error::{Error, Malformed, Result, excerpt};
use crate::open::{self, Lines};
use crate::record::{Column, ColumnKind, Part, Place, Record, Value, number_label};

pub(super) const ENTRY: Entry = Entry {
    key: "amazon",
    summary: "product reviews: JSON lines, or the Blitzer pseudo-XML",
    targets: &[
        ("polarity", "label: neg, pos; unknown for three stars"),
        ("stars", "number: 1 to 5; also a label"),
        ("category", "label: the kind of product"),
    ],
    options: &[],
};

/// Reads Amazon product reviews.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Amazon;

impl Reader for Amazon {
    fn columns(&self) -> Vec<Column> {
        vec![
            Column::new("text", ColumnKind::Text),
            Column::new("polarity", ColumnKind::Label),
            Column::new("stars", ColumnKind::Number),
            Column::new("category", ColumnKind::Label),
        ]
    }

    fn stratum(&self) -> Option<&str> {
        Some("polarity")
    }

    fn read(&self, path: &Path, _part: Part, sink: Sink<'_>) -> Result<Vec<String>> {
        let mut notes = Vec::new();
        let mut files = Vec::new();
        if path.is_dir() {
            const DEPTH: usize = 3;
            collect(path, DEPTH, &mut files)?;
            files.sort();
        } else {
            files.push(path.to_path_buf());
        }
        for file in files {
            let name = file.display().to_string();
            let mut reader = open::open(&file)?;
            let start = reader.fill_buf().map_err(|source| Error::io(&name, source))?;
            let start = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start);
            notes.extend(match start.trim_ascii_start().first() {
                Some(b'<') => blitzer::reviews(Lines::new(reader, &name), &name, &folder_name(&file), sink)?,
                _ => json_lines(Lines::new(reader, &name), &name, &stem(&file), sink)?,
            });
        }
        Ok(notes)
    }
}

/// Whether a review may have this many stars.
pub(super) fn is_rating(stars: f64) -> bool {
    (1.0..=5.0).contains(&stars)
}

/// The record of a review.
pub(super) fn record(text: String, stars: Option<f64>, category: &str, place: Place) -> Record {
    let polarity = match stars {
        Some(stars) if stars > 3.0 => Value::Label("pos".to_string()),
        Some(stars) if stars < 3.0 => Value::Label("neg".to_string()),
        _ => Value::Missing,
    };
    let stars = stars.map_or(Value::Missing, Value::Number);
    let values = vec![Value::Text(text), polarity, stars, Value::Label(category.to_string())];
    Record { values, place, part: Part::All, order: 0 }
}

fn collect(dir: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<()> {
    let failed = |source| Error::io(dir.display().to_string(), source);
    for entry in std::fs::read_dir(dir).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
        if name.starts_with('.') {
            continue;
        }
        if path.is_dir() {
            if depth > 1 {
                collect(&path, depth - 1, files)?;
            }
            continue;
        }
        let plain = name.strip_suffix(".gz").unwrap_or(&name);
        let known = [".review", ".json", ".jsonl"].iter().any(|end| plain.ends_with(end));
        if known && plain != "unlabeled.review" {
            files.push(path);
        }
    }
    Ok(())
}

/// The name of the folder that a file stands in.
fn folder_name(file: &Path) -> String {
    let folder = file.parent().and_then(Path::file_name).unwrap_or_default();
    if folder.is_empty() { stem(file) } else { folder.to_string_lossy().into_owned() }
}

/// A file's name without its endings.
fn stem(file: &Path) -> String {
    let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let plain = name.strip_suffix(".gz").unwrap_or(&name);
    [".review", ".json", ".jsonl"].iter().find_map(|end| plain.strip_suffix(end)).unwrap_or(plain).to_string()
}

/// A line of JSON. Every key is optional here, because the published dumps name them differently.
#[derive(Deserialize)]
struct Review {
    #[serde(rename = "reviewText")]
    review_text: Option<String>,
    text: Option<String>,
    overall: Option<f64>,
    rating: Option<f64>,
    category: Option<Category>,
    main_category: Option<String>,
}

/// Some dumps write a list, the widest category last or first: the first one counts.
#[derive(Deserialize)]
#[serde(untagged)]
enum Category {
    One(String),
    Many(Vec<String>),
}

impl Category {
    fn first(self) -> Option<String> {
        match self {
            Category::One(name) => Some(name),
            Category::Many(names) => names.into_iter().next(),
        }
    }
}

fn json_lines(mut lines: Lines<impl BufRead>, name: &str, stem: &str, sink: Sink<'_>) -> Result<Vec<String>> {
    let file: Arc<str> = name.into();
    let (mut read, mut without_text) = (0_usize, 0_usize);
    while let Some((line, bytes)) = lines.next_line()? {
        if bytes.trim_ascii().is_empty() {
            continue;
        }
        let text = open::utf8(bytes, name, line)?;
        let review: Review = serde_json::from_str(text).map_err(|error| not_json(name, line, text, &error))?;
        let Some(body) = review.review_text.or(review.text) else {
            without_text += 1;
            continue;
        };
        read += 1;
        let category = review.category.and_then(Category::first).or(review.main_category);
        let (key, stars) = match review.overall {
            Some(stars) => ("overall", Some(stars)),
            None => ("rating", review.rating),
        };
        if let Some(stars) = stars.filter(|&stars| !is_rating(stars)) {
            return Err(no_rating(name, line, key, stars));
        }
        sink(record(body, stars, category.as_deref().unwrap_or(stem), Place { file: Arc::clone(&file), line }))?;
    }
    match (read, without_text) {
        (_, 0) => Ok(Vec::new()),
        (0, _) => Err(Error::Empty {
            path: name.to_string(),
            help: "a line needs `reviewText` and `overall`, or `text` and `rating`".to_string(),
        }),
        _ => Ok(vec![format!("{name}: {without_text} reviews without a text were left out")]),
    }
}

fn no_rating(file: &str, line: u32, key: &str, stars: f64) -> Error {
    Error::from(Malformed {
        file: file.to_string(),
        line: u64::from(line),
        column: None,
        accepted: format!("a rating of 1 to 5 as `{key}`"),
        found: number_label(stars),
        help: "correct or remove the review; write null where the rating is not known".to_string(),
    })
}

fn not_json(file: &str, line: u32, text: &str, error: &serde_json::Error) -> Error {
    let message = error.to_string();
    // The line that serde_json counts is always 1 here.
    let message = message.rsplit_once(" at line ").map_or(message.as_str(), |(message, _)| message);
    let message = message.replace("expected f64", "expected a number");
    Error::from(Malformed {
        file: file.to_string(),
        line: u64::from(line),
        column: Some(error.column() as u64),
        accepted: "a review as one JSON object".to_string(),
        found: format!("{}: {message}", excerpt(text)),
        help: "write one object a line, with `reviewText` and `overall`, or `text` and `rating`".to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::{label, read_all};
    use super::*;

    fn read(name: &str, bytes: &[u8]) -> Result<(Vec<Record>, Vec<String>)> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        read_all(&Amazon, &path, Part::All)
    }

    fn values(text: &str, polarity: Value, stars: Value, category: &str) -> Vec<Value> {
        vec![Value::Text(text.into()), polarity, stars, label(category)]
    }

    #[test]
    fn both_kinds_of_json_lines_are_read() {
        let text = r#"{"reviewText": "Good\n", "overall": 5.0, "title": "t", "extra": {"a": []}}

{"text": "so so", "rating": 3, "main_category": "Books"}
{"text": "bad", "rating": 1.0, "category": ["Toys", "Games"], "main_category": null}
{"text": "?", "category": "Music"}
{"text": null, "rating": 4}"#;
        let (records, notes) = read("Tools.jsonl", text.as_bytes()).unwrap();
        let expected = [
            values("Good\n", label("pos"), Value::Number(5.0), "Tools"),
            values("so so", Value::Missing, Value::Number(3.0), "Books"),
            values("bad", label("neg"), Value::Number(1.0), "Toys"),
            values("?", Value::Missing, Value::Missing, "Music"),
        ];
        assert!(records.iter().map(|record| &record.values).eq(&expected));
        assert!(records.iter().map(|record| record.place.line).eq([1, 3, 4, 5]));
        assert!(notes[0].ends_with("Tools.jsonl: 1 reviews without a text were left out"), "{notes:?}");
    }

    #[test]
    fn a_json_error_has_line_and_column() {
        let message = read("a.json", b"{\"text\": \"x\"}\n{\"text\": }\n").unwrap_err().to_string();
        assert!(
            message.contains(
                "a.json:2:10: expected a review as one JSON object, found \"{\\\"text\\\": }\": expected value"
            ),
            "{message}"
        );
        let message = read("a.json", b"{\"text\": \"x\", \"rating\": \"5\"}").unwrap_err().to_string();
        assert!(message.contains("a.json:1:") && message.contains("invalid type: string"), "{message}");
        let message = read("a.json", b"[{\"text\": 1}]").unwrap_err().to_string();
        assert!(message.contains("a.json:1:") && message.contains("help: write one object a line"), "{message}");
        for (key, stars) in [("overall", "0"), ("rating", "5.5"), ("rating", "-1")] {
            let text = format!("{{\"text\": \"x\"}}\n{{\"text\": \"x\", \"{key}\": {stars}}}\n");
            let message = read("a.json", text.as_bytes()).unwrap_err().to_string();
            let expected = format!("a.json:2: expected a rating of 1 to 5 as `{key}`, found {stars}\n  help: ");
            assert!(message.contains(&expected), "{message}");
        }
        let error = read("a.json", b"{\"body\": \"x\"}\n").unwrap_err();
        assert!(matches!(&error, Error::Empty { help, .. } if help.contains("reviewText")), "{error}");
    }

    #[test]
    fn a_folder_stands_for_its_files() {
        let dir = tempfile::tempdir().unwrap();
        let review = |stars, text| {
            format!("<review>\n<rating>\n{stars}\n</rating>\n<review_text>\n{text}\n</review_text>\n</review>\n")
        };
        for domain in ["dvd", "books"] {
            let folder = dir.path().join(domain);
            std::fs::create_dir(&folder).unwrap();
            std::fs::write(folder.join("positive.review"), review("5.0", "good")).unwrap();
            std::fs::write(folder.join("negative.review"), review("2.0", "bad")).unwrap();
            std::fs::write(folder.join("unlabeled.review"), review("2.0", "none")).unwrap();
            std::fs::write(folder.join("notes.txt"), "x").unwrap();
        }
        let (records, _) = read_all(&Amazon, dir.path(), Part::All).unwrap();
        let expected = [
            values("bad", label("neg"), Value::Number(2.0), "books"),
            values("good", label("pos"), Value::Number(5.0), "books"),
            values("bad", label("neg"), Value::Number(2.0), "dvd"),
            values("good", label("pos"), Value::Number(5.0), "dvd"),
        ];
        assert!(records.iter().map(|record| &record.values).eq(&expected));
        let (records, _) = read_all(&Amazon, &dir.path().join("dvd"), Part::All).unwrap();
        assert_eq!(records.len(), 2);
        let (records, _) = read_all(&Amazon, &dir.path().join("dvd/positive.review"), Part::All).unwrap();
        assert_eq!(records[0].values, expected[3]);
    }
}
