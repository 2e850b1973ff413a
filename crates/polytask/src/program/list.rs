//! `polytask list`: what a config can name, from the code itself.

use polytask::spec::schema;
use polytask::train::extensions;
use serde::Serialize;
use serde_json::Value;

use super::args::{Catalogue, ListArgs};
use super::failure::Failure;
use super::table::Table;
use super::{print, print_json};

/// Where the config's schema describes a layer.
const LAYERS: &str = "/properties/encoder/additionalProperties/properties/layers/items";

/// One entry of a catalogue.
#[derive(Debug, Clone, Serialize)]
struct Entry {
    key: String,
    summary: String,
    /// What a balancer needs to see of a step.
    #[serde(skip_serializing_if = "String::is_empty")]
    needs: String,
    /// What a balancer costs a step.
    #[serde(skip_serializing_if = "String::is_empty")]
    cost: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    more: String,
}

impl Entry {
    fn new(key: &str, summary: &str, more: String) -> Self {
        Entry { key: key.to_owned(), summary: summary.to_owned(), needs: String::new(), cost: String::new(), more }
    }
}

/// Prints a catalogue.
pub fn run(args: &ListArgs) -> Result<(), Failure> {
    let (entries, more) = match args.catalogue {
        Catalogue::Balancers => (balancers(), "reference"),
        Catalogue::Encoders => (variants(LAYERS, "kind"), ""),
        Catalogue::Pools => (pools(), ""),
        Catalogue::Sharing => (choices("/properties/sharing/properties/scheme"), ""),
        Catalogue::Tasks => (variants("/properties/task/additionalProperties", "kind"), ""),
        Catalogue::Metrics => (metrics(), "for"),
        Catalogue::Readers => (readers(), "targets"),
        Catalogue::Optimizers => (with_options("/properties/optimizer", "method"), "options"),
        Catalogue::Schedules => {
            (with_options("/properties/optimizer/oneOf/0/properties/decay/anyOf/1", "kind"), "options")
        }
        Catalogue::Sampling => (choices("/properties/train/properties/sampling"), ""),
    };
    if args.json {
        return print_json(&entries);
    }
    if matches!(args.catalogue, Catalogue::Balancers) {
        let mut table = Table::new(["name", "what", "needs", "cost a step", more]);
        for entry in entries {
            table.row([entry.key, entry.summary, entry.needs, entry.cost, entry.more]);
        }
        return print(&table.to_string());
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
        .map(|entry| Entry {
            needs: entry.needs.key().to_owned(),
            cost: entry.cost.to_owned(),
            ..Entry::new(entry.key, entry.summary, entry.reference.to_owned())
        })
        .collect()
}

fn metrics() -> Vec<Entry> {
    let kind = |kind| serde_json::to_value(kind).ok().and_then(|kind| kind.as_str().map(str::to_owned));
    let entries = polytask::metrics::catalogue::all().iter();
    entries
        .map(|entry| {
            let kinds: Vec<String> = entry.kinds.iter().filter_map(kind).collect();
            Entry::new(entry.key, entry.summary, kinds.join(", "))
        })
        .collect()
}

fn readers() -> Vec<Entry> {
    let entries = polytask::data::readers::all().iter();
    entries
        .map(|entry| {
            let targets: Vec<&str> = entry.targets.iter().map(|(target, _)| *target).collect();
            Entry::new(entry.key, entry.summary, targets.join(", "))
        })
        .collect()
}

/// What the layer `pool` can be told to do, which is what heads can be told.
fn pools() -> Vec<Entry> {
    let layer = variants(LAYERS, "kind").iter().position(|layer| layer.key == "pool");
    layer.map_or_else(Vec::new, |layer| choices(&format!("{LAYERS}/oneOf/{layer}/properties/pool")))
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
            Some(Entry::new(key, &description(variant), String::new()))
        })
        .collect()
}

/// The variants of a tagged table with the options that not all of them have.
fn with_options(pointer: &str, tag: &str) -> Vec<Entry> {
    let schema = schema(&extensions());
    let variants = schema.pointer(pointer).and_then(|node| node.get("oneOf")).and_then(Value::as_array);
    let tables: Vec<_> =
        variants.into_iter().flatten().filter_map(|table| table.get("properties")?.as_object()).collect();
    let own = |key: &&String| *key != tag && !tables.iter().all(|table| table.contains_key(*key));
    let options = tables.iter().map(|table| table.keys().filter(own).cloned().collect::<Vec<_>>().join(", "));
    self::variants(pointer, tag).into_iter().zip(options).map(|(entry, more)| Entry { more, ..entry }).collect()
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
            Some(Entry::new(key, &description(variant), String::new()))
        })
        .collect()
}

fn description(node: &Value) -> String {
    let text = node.get("description").and_then(Value::as_str).unwrap_or_default();
    // The first paragraph, whose lines end where the source's do.
    let paragraph: Vec<&str> = text.lines().map(str::trim).take_while(|line| !line.is_empty()).collect();
    paragraph.join(" ")
}
