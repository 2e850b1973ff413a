//! Which keys does a table accept?

use indexmap::IndexMap;
use serde_json::{Map, Value as Json};

use crate::error::did_you_mean;
use crate::node::Entry;
use crate::schema::variants;

/// What a table accepts: its keys, the required ones, and what other keys hold (nothing where absent).
pub(crate) struct Shape<'a> {
    pub keys: IndexMap<&'a str, &'a Json>,
    pub required: Vec<&'a str>,
    pub others: Option<&'a Json>,
}

/// What a schema of a table accepts.
pub(crate) fn shape_of(schema: &Json) -> Shape<'_> {
    let keys = schema.get("properties").and_then(Json::as_object).map_or_else(IndexMap::new, borrowed);
    let others = schema.get("additionalProperties").unwrap_or(&Json::Bool(true));
    Shape { keys, required: required(schema), others: (others != &Json::Bool(false)).then_some(others) }
}

/// What can be said of a table whose variant is not known: a key is checked where all variants agree about it.
pub(crate) fn shape_of_any<'a>(tag: &'a str, variants: &'a [Json], skip: Option<&'a str>) -> Shape<'a> {
    let mut keys: IndexMap<&str, &Json> = IndexMap::from([(tag, &Json::Bool(true))]);
    keys.extend(skip.map(|key| (key, &Json::Bool(true))));
    for (name, schema) in variants.iter().filter_map(|variant| variant["properties"].as_object()).flatten() {
        let known = keys.entry(name).or_insert(schema);
        if *known != schema {
            *known = &Json::Bool(true);
        }
    }
    let mut lists = variants.iter().map(required);
    let mut needed = lists.next().unwrap_or_default();
    lists.for_each(|names| needed.retain(|name| names.contains(name)));
    needed.retain(|name| *name != tag);
    let open = variants.iter().any(|variant| shape_of(variant).others.is_some());
    Shape { keys, required: needed, others: open.then_some(&Json::Bool(true)) }
}

/// The key that was probably meant to be the tag: one that no variant knows.
pub(crate) fn misspelt<'a>(tag: &str, entries: &'a IndexMap<String, Entry>, variants: &[Json]) -> Option<&'a str> {
    let unknown = |key: &&String| variants.iter().all(|variant| variant["properties"].get(key.as_str()).is_none());
    entries.keys().filter(unknown).map(String::as_str).find(|key| did_you_mean(key, [tag]).is_some())
}

fn borrowed(keys: &Map<String, Json>) -> IndexMap<&str, &Json> {
    keys.iter().map(|(key, value)| (key.as_str(), value)).collect()
}

fn required(schema: &Json) -> Vec<&str> {
    let names = schema.get("required").and_then(Json::as_array);
    names.map(|names| names.iter().filter_map(Json::as_str).collect()).unwrap_or_default()
}

/// The table of the file, no map, that has a key.
pub(crate) fn top_level_table_with<'a>(root: &'a Json, key: &str) -> Option<&'a str> {
    let tables = root.get("properties")?.as_object()?;
    tables
        .iter()
        .find(|(_, schema)| {
            let variants = variants(schema).unwrap_or(std::slice::from_ref(*schema));
            variants.iter().any(|table| table.get("properties").is_some_and(|keys| keys.get(key).is_some()))
        })
        .map(|(name, _)| name.as_str())
}
