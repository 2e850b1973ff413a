//! How do the fields of an object become a record?
//!
//! A name with dots means a field within a field (`meta.label`), unless a field has that very name. A field that is
//! null or absent is a missing label; so is an empty string. A text may be a list of words, and tags are a list as long
//! as that.

use std::sync::Arc;

use serde_json::{Map, Value as Json};

use super::asked::{Asked, no_column, no_text};
use crate::error::{Error, Malformed, Result, excerpt};
use crate::record::{Column, ColumnKind, Part, Place, Record, Value, number_label};

/// The objects of a file, as far as they were read.
pub(super) struct Fields<'a> {
    asked: &'a Asked,
    file: Arc<str>,
    columns: Vec<Column>,
    first: Option<First>,
    /// Whether any object has had the field of a column.
    seen: Vec<bool>,
}

/// What the first object of a file decides.
struct First {
    /// The field of each column.
    names: Vec<String>,
    /// All fields of the object, for messages.
    known: Vec<String>,
    line: u32,
}

impl<'a> Fields<'a> {
    pub fn new(asked: &'a Asked, file: &str) -> Fields<'a> {
        let columns = asked.columns();
        Fields { asked, file: file.into(), seen: vec![false; columns.len()], columns, first: None }
    }

    /// The record of an object that begins at `line`.
    ///
    /// # Errors
    /// [`Malformed`] for an object without text, a field that holds something else than its column does, and tags that
    /// are more or fewer than the words.
    pub fn record(&mut self, object: &Map<String, Json>, line: u32) -> Result<Record> {
        if self.first.is_none() {
            let known = leaves(object);
            let names = self.asked.names(|name| lookup(object, name).is_some());
            let names = names.ok_or_else(|| no_text(&known, &self.file, line))?;
            self.first = Some(First { names, known, line });
        }
        let names = self.first.as_ref().map_or(&[][..], |first| &first.names);
        let mut values = Vec::with_capacity(names.len());
        for ((name, column), seen) in names.iter().zip(&self.columns).zip(&mut self.seen) {
            let found = lookup(object, name);
            *seen |= found.is_some();
            values.push(match found {
                Some(found) => {
                    value(found, column.kind).map_err(|accepted| unfit(found, accepted, name, &self.file, line))?
                }
                None if column.kind == ColumnKind::Text => {
                    return Err(no_column(name, &leaves(object), &self.file, line));
                }
                None => Value::Missing,
            });
        }
        self.check_tags(names, &values, line)?;
        let place = Place { file: Arc::clone(&self.file), line };
        Ok(Record { values, place, part: Part::All, order: 0 })
    }

    /// Tells what no object had.
    ///
    /// # Errors
    /// [`Malformed`] at the first object for a target, or a stratum that the configuration names, that no object has.
    pub fn finish(&self) -> Result<()> {
        let Some(First { names, known, line }) = &self.first else { return Ok(()) };
        let mut columns = names.iter().zip(&self.columns).zip(&self.seen);
        match columns.find(|((_, column), seen)| !**seen && !self.asked.may_lack(column)) {
            Some(((name, _), _)) => Err(no_column(name, known, &self.file, *line)),
            None => Ok(()),
        }
    }

    fn check_tags(&self, names: &[String], values: &[Value], line: u32) -> Result<()> {
        let words = match &values[0] {
            Value::Tokens(tokens) => Some(tokens.len()),
            Value::Missing => return Ok(()),
            _ => None,
        };
        for (name, value) in names.iter().zip(values) {
            let Value::Tags(tags) = value else { continue };
            let (accepted, found) = match words {
                Some(words) if words == tags.len() => continue,
                Some(words) => (format!("{words} tags as `{name}`, one for each word"), tags.len().to_string()),
                None => (format!("a list of words as `{}`, because `{name}` tags them", names[0]), "a string".into()),
            };
            let help = "give each word a tag, or null for the whole list where none is known".to_string();
            return Err(malformed(&self.file, line, accepted, found, help));
        }
        Ok(())
    }
}

/// The field that a name means.
fn lookup<'j>(object: &'j Map<String, Json>, name: &str) -> Option<&'j Json> {
    object.get(name).or_else(|| {
        let (outer, inner) = name.split_once('.')?;
        lookup(object.get(outer)?.as_object()?, inner)
    })
}

/// The names of all fields that hold no further fields.
fn leaves(object: &Map<String, Json>) -> Vec<String> {
    object
        .iter()
        .flat_map(|(name, value)| match value {
            Json::Object(inner) if !inner.is_empty() => {
                leaves(inner).into_iter().map(|inner| format!("{name}.{inner}")).collect()
            }
            _ => vec![name.clone()],
        })
        .collect()
}

/// What a field means in a column of a kind; what the column accepts, where it means nothing.
fn value(found: &Json, kind: ColumnKind) -> Result<Value, &'static str> {
    match (kind, found) {
        (_, Json::Null) => Ok(Value::Missing),
        (ColumnKind::Text | ColumnKind::Tokens, Json::String(text)) => Ok(Value::Text(text.clone())),
        (ColumnKind::Text | ColumnKind::Tokens, Json::Array(items)) => {
            let words = items.iter().map(|item| item.as_str().map(str::to_string)).collect::<Option<_>>();
            words.map(Value::Tokens).ok_or("a list of strings alone")
        }
        (ColumnKind::Text | ColumnKind::Tokens, _) => Err("a string or a list of strings"),
        (ColumnKind::Tags, Json::Array(items)) => {
            let tags = items.iter().map(scalar).collect::<Option<_>>();
            tags.map(Value::Tags).ok_or("a list of strings or numbers alone")
        }
        (ColumnKind::Tags, _) => Err("a list of tags"),
        (ColumnKind::Labels, Json::Array(items)) => {
            let labels = items.iter().map(scalar).collect::<Option<_>>();
            labels.map(Value::Labels).ok_or("a list of strings or numbers alone")
        }
        (ColumnKind::Labels, _) => Err("a list of labels, or null"),
        (ColumnKind::Number, Json::Number(number)) => Ok(number.as_f64().map_or(Value::Missing, Value::Number)),
        (ColumnKind::Label | ColumnKind::Number, _) => match scalar(found) {
            Some(label) if label.is_empty() => Ok(Value::Missing),
            Some(label) => Ok(Value::Label(label)),
            None => Err("a string, a number, true, false or null"),
        },
    }
}

/// The label that a string, number or truth value means.
fn scalar(found: &Json) -> Option<String> {
    match found {
        Json::String(text) => Some(text.trim().to_string()),
        Json::Bool(truth) => Some(truth.to_string()),
        // 1 and 1.0 are one label.
        Json::Number(number) if number.is_f64() => number.as_f64().map(number_label),
        Json::Number(number) => Some(number.to_string()),
        Json::Null | Json::Array(_) | Json::Object(_) => None,
    }
}

fn unfit(found: &Json, accepted: &str, name: &str, file: &str, line: u32) -> Error {
    let help = match found {
        Json::Object(inner) if !inner.is_empty() => {
            let inner = leaves(inner).first().cloned().unwrap_or_default();
            format!("name a field within it: `{name}.{inner}`")
        }
        _ => "correct the value, or name another column".to_string(),
    };
    malformed(file, line, format!("{accepted} as `{name}`"), excerpt_json(found), help)
}

/// The beginning of a value that may be large.
fn excerpt_json(found: &Json) -> String {
    let what = match found {
        Json::Array(items) => format!("a list of {}: ", items.len()),
        Json::Object(_) => "an object: ".to_string(),
        _ => String::new(),
    };
    match found {
        Json::String(text) => excerpt(text),
        Json::Array(items) => {
            format!("{what}{}", excerpt(&Json::from(items[..items.len().min(30)].to_vec()).to_string()))
        }
        _ => format!("{what}{}", excerpt(&found.to_string())),
    }
}

fn malformed(file: &str, line: u32, accepted: String, found: String, help: String) -> Error {
    Malformed { file: file.to_string(), line: u64::from(line), column: None, accepted, found, help }.into()
}

#[cfg(test)]
mod tests {
    use super::super::asked::tests::asked;
    use super::super::tests::{label, text};
    use super::*;

    /// The values of objects, each on a line, or the message about them.
    fn read(asked: &Asked, objects: &str) -> Result<Vec<Vec<Value>>, String> {
        let mut fields = Fields::new(asked, "f");
        let read = |(line, object): (usize, &str)| {
            let object: Map<String, Json> = serde_json::from_str(object).unwrap();
            fields.record(&object, line as u32 + 1).map(|record| record.values)
        };
        let values = objects.lines().enumerate().map(read).collect::<Result<Vec<_>>>();
        values.and_then(|values| fields.finish().map(|()| values)).map_err(|error| error.to_string())
    }

    #[test]
    fn values_become_labels_and_numbers() {
        let asked = asked(&["body"], &[("label", ColumnKind::Label), ("stars", ColumnKind::Number)]);
        let objects = r#"{"body": "a", "label": " pos ", "stars": 4.5}
{"label": true, "body": "b", "stars": 3, "other": [{}]}
{"body": "c", "label": 1.0, "stars": "2"}
{"body": "d", "label": 12345678901234567890, "stars": null}
{"body": null, "label": ""}"#;
        let expected = [
            vec![text("a"), label("pos"), Value::Number(4.5)],
            vec![text("b"), label("true"), Value::Number(3.0)],
            vec![text("c"), label("1"), label("2")],
            vec![text("d"), label("12345678901234567890"), Value::Missing],
            vec![Value::Missing; 3],
        ];
        assert_eq!(read(&asked, objects).unwrap(), expected);
    }

    #[test]
    fn fields_within_fields_are_named_with_dots() {
        let asked = asked(&["review.body"], &[("meta.label", ColumnKind::Label), ("a.b", ColumnKind::Label)]);
        let objects =
            r#"{"review": {"body": "x"}, "meta": {"label": 0, "more": {"deep": 1}}, "a.b": "own", "a": {"b": 1}}"#;
        assert_eq!(read(&asked, objects).unwrap(), [vec![text("x"), label("0"), label("own"), Value::Missing]]);
        let message = read(&asked, &objects.replace("label", "lable")).unwrap_err();
        let expected = "f:1: expected a column `meta.label`, found `review.body`, `meta.lable`, `meta.more.deep`, \
                        `a.b`, `a.b`\n  help: did you mean `meta.lable`?";
        assert!(message.starts_with(expected), "{message}");
    }

    #[test]
    fn words_have_as_many_tags() {
        let asked = asked(&[], &[("ner_tags", ColumnKind::Tags), ("topic", ColumnKind::Label)]);
        let good = r#"{"tokens": ["EU", "rejects"], "ner_tags": ["B-ORG", "O"]}
{"tokens": ["a"], "ner_tags": null, "topic": "t"}
{"tokens": [], "ner_tags": []}
{"tokens": ["b"], "ner_tags": [0]}"#;
        let of = |words: &[&str]| words.iter().map(ToString::to_string).collect::<Vec<_>>();
        let values = read(&asked, good).unwrap();
        let expected = [Value::Tokens(of(&["EU", "rejects"])), Value::Tags(of(&["B-ORG", "O"]))];
        assert_eq!(values[0][..2], expected);
        assert_eq!(values[1][1..3], [Value::Missing, label("t")]);
        assert_eq!(values[3][1], Value::Tags(of(&["0"])));
        let table = [
            (
                r#"{"tokens": ["a", "b"], "ner_tags": ["O"]}"#,
                "f:1: expected 2 tags as `ner_tags`, one for each word, found 1",
            ),
            (
                r#"{"text": "a b", "ner_tags": ["O"]}"#,
                "f:1: expected a list of words as `text`, because `ner_tags` tags",
            ),
            (
                r#"{"tokens": ["a"], "ner_tags": "O"}"#,
                "f:1: expected a list of tags as `ner_tags`, found \"O\"\n  help",
            ),
            (
                r#"{"tokens": ["a"], "ner_tags": [null]}"#,
                "f:1: expected a list of strings or numbers alone as `ner_tags`",
            ),
            (
                r#"{"tokens": [1], "ner_tags": ["O"]}"#,
                "f:1: expected a list of strings alone as `tokens`, found a list of 1",
            ),
        ];
        for (object, expected) in table {
            let message = read(&asked, object).unwrap_err();
            assert!(message.starts_with(expected), "{message}");
        }
    }

    #[test]
    fn sets_of_labels_are_lists() {
        let asked = asked(&[], &[("topics", ColumnKind::Labels)]);
        let objects = r#"{"text": "a", "topics": [" x ", 2, true]}
{"text": "b", "topics": []}
{"text": "c", "topics": null}
{"text": "d"}"#;
        let of = |labels: &[&str]| Value::Labels(labels.iter().map(ToString::to_string).collect());
        let found: Vec<Value> = read(&asked, objects).unwrap().into_iter().map(|values| values[1].clone()).collect();
        assert_eq!(found, [of(&["x", "2", "true"]), of(&[]), Value::Missing, Value::Missing]);
        for (object, expected) in [
            (
                r#"{"text": "a", "topics": "x, y"}"#,
                "f:1: expected a list of labels, or null as `topics`, found \"x, y\"",
            ),
            (r#"{"text": "a", "topics": [["x"]]}"#, "f:1: expected a list of strings or numbers alone as `topics`"),
        ] {
            let message = read(&asked, object).unwrap_err();
            assert!(message.starts_with(expected), "{message}");
        }
    }

    #[test]
    fn what_does_not_fit_is_told_with_its_line() {
        let asked = asked(&[], &[("label", ColumnKind::Label)]);
        let first = r#"{"text": "a", "label": "x"}"#;
        let table = [
            (r#"{"text": 1}"#, "f:2: expected a string or a list of strings as `text`, found \"1\"\n  help"),
            (
                r#"{"text": "b", "label": {"id": 1}}"#,
                "found an object: \"{\\\"id\\\":1}\"\n  help: name a field within it: `label.id`",
            ),
            (
                r#"{"text": "b", "label": [1]}"#,
                "f:2: expected a string, a number, true, false or null as `label`, found a list",
            ),
            (r#"{"body": "b"}"#, "f:2: expected a column `text`, found `body`"),
        ];
        for (object, expected) in table {
            let message = read(&asked, &format!("{first}\n{object}")).unwrap_err();
            assert!(message.contains(expected), "{message}");
        }
        let message = read(&asked, r#"{"title": "b", "label": 1}"#).unwrap_err();
        assert!(message.starts_with("f:1: expected a column that holds the text, called `text`"), "{message}");
        let message = read(&asked, "{\"text\": \"a\"}\n{\"text\": \"b\", \"lable\": 1}").unwrap_err();
        assert!(message.starts_with("f:1: expected a column `label`, found `text`\n  help: accepted"), "{message}");
    }
}
