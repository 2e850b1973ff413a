//! `polytask list`: what a config can name, from the code itself.

use polytask::spec::schema;
use polytask::train::extensions;
use serde::Serialize;
use serde_json::Value;

use super::args::{Catalogue, ListArgs};
use super::failure::Failure;
use super::table::Table;
use super::{print, print_json};

/// One entry of a catalogue.
#[derive(Debug, Clone, Serialize)]
struct Entry {
    key: String,
    summary: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    more: String,
}

/// Prints a catalogue.
pub fn run(args: &ListArgs) -> Result<(), Failure> {
    let (entries, more) = match args.catalogue {
        Catalogue::Balancers => (balancers(), "reference"),
        Catalogue::Encoders => {
            (variants("/properties/encoder/additionalProperties/properties/layers/items", "kind"), "")
        }
        Catalogue::Sharing => (choices("/properties/sharing/properties/scheme"), ""),
        Catalogue::Tasks => (variants("/properties/task/additionalProperties", "kind"), ""),
        Catalogue::Metrics => (metrics(), "for"),
        Catalogue::Readers => (readers(), "targets"),
    };
    if args.json {
        return print_json(&entries);
    }
    let mut table = Table::new(["name", "what", more]);
    for entry in entries {
        table.row([entry.key, entry.summary, entry.more]);
    }
    print(&table.to_string())
}

fn balancers() -> Vec<Entry> {
    let entries = polytask::balance::all().iter();
    entries
        .map(|entry| Entry { key: entry.key.into(), summary: entry.summary.into(), more: entry.reference.into() })
        .collect()
}

fn metrics() -> Vec<Entry> {
    let kind = |kind| serde_json::to_value(kind).ok().and_then(|kind| kind.as_str().map(str::to_owned));
    let entries = polytask::metrics::catalogue::all().iter();
    entries
        .map(|entry| {
            let kinds: Vec<String> = entry.kinds.iter().filter_map(kind).collect();
            Entry { key: entry.key.into(), summary: entry.summary.into(), more: kinds.join(", ") }
        })
        .collect()
}

fn readers() -> Vec<Entry> {
    let entries = polytask::data::readers::all().iter();
    entries
        .map(|entry| {
            let targets: Vec<&str> = entry.targets.iter().map(|(target, _)| *target).collect();
            Entry { key: entry.key.into(), summary: entry.summary.into(), more: targets.join(", ") }
        })
        .collect()
}

/// The variants of a tagged table in the config's schema.
fn variants(pointer: &str, tag: &str) -> Vec<Entry> {
    let schema = schema(&extensions());
    let variants = schema.pointer(pointer).and_then(|node| node.get("oneOf")).and_then(Value::as_array);
    variants
        .into_iter()
        .flatten()
        .filter_map(|variant| {
            let key = variant.pointer(&format!("/properties/{tag}/const"))?.as_str()?;
            Some(Entry { key: key.into(), summary: description(variant), more: String::new() })
        })
        .collect()
}

/// The named values of a key in the config's schema.
fn choices(pointer: &str) -> Vec<Entry> {
    let schema = schema(&extensions());
    let Some(node) = schema.pointer(pointer) else { return Vec::new() };
    let variants = node.get("oneOf").and_then(Value::as_array).cloned().unwrap_or_else(|| vec![node.clone()]);
    variants
        .iter()
        .filter_map(|variant| {
            let key = variant.get("const")?.as_str()?;
            Some(Entry { key: key.into(), summary: description(variant), more: String::new() })
        })
        .collect()
}

fn description(node: &Value) -> String {
    node.get("description").and_then(Value::as_str).unwrap_or_default().lines().next().unwrap_or_default().to_owned()
}
