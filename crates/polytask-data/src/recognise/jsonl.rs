//! Are they JSON objects, and what are their fields?

use polytask_spec::data::{Data, Files, JsonlData};
use serde_json::{Map, Value as Json};

use super::columns::{Cell, columns};
use super::found::{Layout, Role};
use super::{Format, Guess, Sample, table};
use crate::error::Result;
use crate::record::number_label;

pub(super) const FORMAT: Format = Format { key: "jsonl", summary: "JSON lines, or a JSON list of objects", guess };

/// Objects that are looked at.
const OBJECTS: usize = 2_000;

fn guess(sample: &Sample) -> Result<Option<Guess>> {
    let start = sample.bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&sample.bytes).trim_ascii_start();
    let objects: Vec<Map<String, Json>> = match start.first() {
        Some(b'{') => {
            let lines = sample.lines();
            let lines = lines.iter().filter(|line| !line.trim_ascii().is_empty()).take(OBJECTS);
            let parsed: serde_json::Result<Vec<_>> = lines.map(|line| serde_json::from_slice(line)).collect();
            match parsed {
                Ok(objects) => objects,
                Err(_) => return Ok(None),
            }
        }
        Some(b'[') => list(start),
        _ => return Ok(None),
    };
    if objects.is_empty() {
        return Ok(None);
    }
    let why = format!("JSON: objects with the fields {}", shown(&objects[0]));
    Ok(of_objects(&objects, why, |named| Data::Jsonl(JsonlData { files: Files::default(), named })))
}

/// The objects of a list that may be cut off.
fn list(start: &[u8]) -> Vec<Map<String, Json>> {
    let mut rest = &start[1..];
    let mut objects = Vec::new();
    while objects.len() < OBJECTS {
        rest = rest.trim_ascii_start();
        rest = rest.strip_prefix(b",").unwrap_or(rest);
        let mut stream = serde_json::Deserializer::from_slice(rest).into_iter::<Map<String, Json>>();
        match stream.next() {
            Some(Ok(object)) => objects.push(object),
            _ => break,
        }
        rest = &rest[stream.byte_offset()..];
    }
    objects
}

fn shown(object: &Map<String, Json>) -> String {
    let names: Vec<&str> = object.keys().take(8).map(String::as_str).collect();
    names.join(", ")
}

/// What objects hold, as JSON lines and Parquet have them.
pub(super) fn of_objects(
    objects: &[Map<String, Json>],
    why: String,
    data: impl Fn(polytask_spec::data::NamedColumns) -> Data,
) -> Option<Guess> {
    let mut names: Vec<String> = Vec::new();
    let rows: Vec<Vec<(String, Cell)>> = objects.iter().map(|object| cells(object, "")).collect();
    for (name, _) in rows.iter().flatten() {
        if !names.contains(name) {
            names.push(name.clone());
        }
    }
    let value = |row: &[(String, Cell)], name: &String| {
        row.iter().find(|(known, _)| known == name).map_or(Cell::Missing, |(_, cell)| cell.clone())
    };
    let table: Vec<Vec<Cell>> = rows.iter().map(|row| names.iter().map(|name| value(row, name)).collect()).collect();
    let found = columns(&names, &table);
    let text = found.iter().position(|column| matches!(column.role, Role::Text | Role::Tokens))?;
    let texts: Vec<String> = table
        .iter()
        .map(|row| match &row[text] {
            Cell::Text(text) => text.clone(),
            Cell::Words(words) => words.join(" "),
            _ => String::new(),
        })
        .collect();
    let named = table::named(&found);
    Some(Guess::Examples(Box::new(Layout::new(data(named), why, found, &texts))))
}

/// The fields of an object, those of objects within it by `outer.inner`.
fn cells(object: &Map<String, Json>, outer: &str) -> Vec<(String, Cell)> {
    object
        .iter()
        .flat_map(|(name, value)| {
            let name = if outer.is_empty() { name.clone() } else { format!("{outer}.{name}") };
            match value {
                Json::Object(inner) if !inner.is_empty() => cells(inner, &name),
                value => vec![(name, cell(value))],
            }
        })
        .collect()
}

fn cell(value: &Json) -> Cell {
    match value {
        Json::Null => Cell::Missing,
        Json::Bool(truth) => Cell::Text(truth.to_string()),
        Json::String(text) if text.is_empty() => Cell::Missing,
        Json::String(text) => Cell::Text(text.clone()),
        Json::Number(number) => number.as_f64().map_or(Cell::Other, Cell::Number),
        Json::Array(items) => {
            let words = items.iter().map(|item| item.as_str().map(str::to_string)).collect::<Option<Vec<_>>>();
            let numbers = items.iter().map(|item| item.as_f64().map(number_label)).collect::<Option<Vec<_>>>();
            words.map(Cell::Words).or(numbers.map(Cell::Numbers)).unwrap_or(Cell::Other)
        }
        Json::Object(_) => Cell::Other,
    }
}
