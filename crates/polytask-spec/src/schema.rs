//! Which keys does the file accept, as JSON Schema?
//!
//! The types' own schema is flattened: references are put in place, the keys that surround a tagged choice move into
//! each of its variants, null (which TOML lacks) goes away, and every table that is no map refuses other keys. What
//! editors are given and what [`parse`](crate::parse) checks is therefore the same document, without `$ref`.

use std::sync::LazyLock;

use serde_json::{Map, Value};

use crate::Spec;

/// What another crate says a top-level table accepts.
#[derive(Debug, Clone, PartialEq)]
pub struct Extension {
    /// The top-level key whose schema is replaced (`balance`); a key that the file does not have changes nothing. Where the new
    /// schema is a choice, the old one's keys are in every variant that does not have them.
    pub pointer: &'static str,
    /// The new schema; it may hold `$defs` of its own.
    pub schema: Value,
}

/// References within references deeper than this are cut: a recursive schema has no flat form.
const DEPTH_MAX: usize = 24;

/// The schema of the types alone, which is the same at every call.
static BASE: LazyLock<Value> = LazyLock::new(|| {
    let base = schemars::schema_for!(Spec).to_value();
    flatten(&base, &definitions(&base), 0)
});

/// The JSON Schema (draft 2020-12) of the configuration file.
pub fn schema(extensions: &[Extension]) -> Value {
    let mut schema = BASE.clone();
    for extension in extensions {
        let mut replaced = flatten(&extension.schema, &definitions(&extension.schema), 0);
        let Some(property) = schema.pointer_mut("/properties").and_then(|keys| keys.get_mut(extension.pointer)) else {
            continue;
        };
        if let (Value::Object(new), Value::Object(old)) = (&mut replaced, &*property) {
            for key in ["$schema", "title"] {
                new.shift_remove(key);
            }
            if let Some(default) = old.get("default") {
                new.entry("default").or_insert_with(|| default.clone());
            }
            new.insert("description".into(), old.get("description").cloned().unwrap_or_default());
            let own = old.get("properties").and_then(Value::as_object);
            let variants = new.get_mut("oneOf").and_then(Value::as_array_mut).into_iter().flatten();
            for keys in variants.filter_map(|variant| variant.get_mut("properties")?.as_object_mut()) {
                for (key, schema) in own.into_iter().flatten() {
                    keys.entry(key.clone()).or_insert_with(|| schema.clone());
                }
            }
        }
        *property = replaced;
    }
    if let Value::Object(root) = &mut schema {
        root.insert("title".into(), "polytask configuration".into());
        root.insert("description".into(), "One network, many tasks: data, inputs, encoders, tasks, training.".into());
    }
    schema
}

/// Writes the defaults of keys that a table lacks, and of tables within it.
pub(crate) fn fill_defaults(value: &mut Value, schema: &Value) {
    let Value::Object(table) = value else { return };
    let chosen = match tagged(schema) {
        Some((tag, variants)) => {
            let wanted = table.get(tag);
            variants.iter().find(|variant| wanted == variant.pointer(&format!("/properties/{tag}/const")))
        }
        None => Some(schema),
    };
    let Some(keys) = chosen.and_then(|schema| schema.get("properties")).and_then(Value::as_object) else { return };
    for (key, schema) in keys {
        if !table.contains_key(key)
            && let Some(default) = schema.get("default").filter(|default| !default.is_null())
        {
            table.insert(key.clone(), default.clone());
        }
        if let Some(inner) = table.get_mut(key) {
            fill_defaults(inner, schema);
        }
    }
}

/// The variants of a schema that is a choice.
pub(crate) fn variants(schema: &Value) -> Option<&[Value]> {
    schema.get("oneOf").or_else(|| schema.get("anyOf"))?.as_array().map(Vec::as_slice)
}

/// The discriminating key and the variants of a choice between tables.
pub(crate) fn tagged(schema: &Value) -> Option<(&str, &[Value])> {
    let variants = variants(schema)?;
    let is_tag = |variant: &Value, key: &str| {
        variant.get("properties").and_then(|keys| keys.get(key)?.get("const")).is_some_and(Value::is_string)
    };
    let first = variants.first()?.get("properties")?.as_object()?;
    let tag = first.keys().find(|key| variants.iter().all(|variant| is_tag(variant, key)))?;
    Some((tag, variants))
}

/// The variant of a choice that tables without the discriminating key are: the one that does not require it.
pub(crate) fn untold<'a>(tag: &str, variants: &'a [Value]) -> Option<&'a Value> {
    let requires = |variant: &&Value| {
        variant.get("required").and_then(Value::as_array).is_some_and(|names| names.iter().any(|name| name == tag))
    };
    variants.iter().find(|variant| !requires(variant))
}

/// Writes the discriminating key of top-level tables that lack it and may.
pub(crate) fn fill_tags(root: &mut Map<String, Value>, schema: &Value) {
    for (key, schema) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
        let (Some(Value::Object(table)), Some((tag, variants))) = (root.get_mut(key), tagged(schema)) else { continue };
        if let Some(name) = untold(tag, variants).and_then(|variant| variant["properties"][tag].get("const")) {
            table.entry(tag).or_insert_with(|| name.clone());
        }
    }
}

/// The strings that a schema of constants accepts.
pub(crate) fn constants(schema: &Value) -> Option<Vec<&str>> {
    if let Some(value) = schema.get("const") {
        return value.as_str().map(|text| vec![text]);
    }
    if let Some(values) = schema.get("enum") {
        return values.as_array()?.iter().map(Value::as_str).collect();
    }
    let lists = variants(schema)?.iter().map(constants).collect::<Option<Vec<_>>>()?;
    Some(lists.into_iter().flatten().collect())
}

fn definitions(schema: &Value) -> Map<String, Value> {
    schema.get("$defs").and_then(Value::as_object).cloned().unwrap_or_default()
}

fn flatten(schema: &Value, defs: &Map<String, Value>, depth: usize) -> Value {
    let Value::Object(schema) = schema else { return schema.clone() };
    if depth > DEPTH_MAX {
        return Value::Bool(true);
    }
    let mut flat = merge_parts(schema, defs, depth);
    for key in ["properties", "patternProperties"] {
        if let Some(Value::Object(keys)) = flat.get_mut(key) {
            keys.values_mut().for_each(|value| *value = flatten(value, defs, depth + 1));
        }
    }
    for key in ["additionalProperties", "items"] {
        if let Some(value) = flat.get_mut(key) {
            *value = flatten(value, defs, depth + 1);
        }
    }
    drop_null_type(&mut flat);
    for choice in ["oneOf", "anyOf"] {
        let Some(Value::Array(variants)) = flat.shift_remove(choice) else { continue };
        let mut variants: Vec<Value> =
            variants.into_iter().filter(|variant| variant.get("type") != Some(&Value::from("null"))).collect();
        if variants.len() == 1 && choice == "anyOf" {
            let Value::Object(only) = flatten(&variants[0], defs, depth + 1) else { continue };
            merge(&mut flat, only);
            continue;
        }
        let mut around = Map::new();
        for key in ["properties", "required", "additionalProperties"] {
            around.extend(flat.shift_remove(key).map(|value| (key.to_string(), value)));
        }
        if !around.is_empty() {
            flat.shift_remove("type");
        }
        for variant in &mut variants {
            if let Value::Object(variant) = variant {
                *variant = merge_parts(variant, defs, depth + 1);
                merge(variant, around.clone());
            }
            *variant = flatten(variant, defs, depth + 1);
        }
        flat.insert(choice.into(), variants.into());
    }
    let is_table = flat.contains_key("properties") || flat.get("type") == Some(&Value::from("object"));
    if is_table && !flat.contains_key("oneOf") && !flat.contains_key("anyOf") {
        flat.entry("additionalProperties").or_insert(Value::Bool(false));
    }
    flat.into()
}

/// A schema with its `$ref` and `allOf` merged into it; what stands beside them wins.
fn merge_parts(schema: &Map<String, Value>, defs: &Map<String, Value>, depth: usize) -> Map<String, Value> {
    let mut whole = schema.clone();
    whole.shift_remove("$defs");
    let mut parts = Vec::new();
    if let Some(Value::String(reference)) = whole.shift_remove("$ref") {
        parts.extend(reference.strip_prefix("#/$defs/").and_then(|name| defs.get(name)).cloned());
    }
    if let Some(Value::Array(all)) = whole.shift_remove("allOf") {
        parts.extend(all);
    }
    if depth <= DEPTH_MAX {
        for part in parts.iter().filter_map(Value::as_object) {
            merge(&mut whole, merge_parts(part, defs, depth + 1));
        }
    }
    whole
}

/// Adds keys, requirements and whatever is absent.
fn merge(into: &mut Map<String, Value>, from: Map<String, Value>) {
    for (key, value) in from {
        match (key.as_str(), into.get_mut(&key), value) {
            ("properties", Some(Value::Object(keys)), Value::Object(more)) => {
                more.into_iter().for_each(|(key, value)| {
                    keys.entry(key).or_insert(value);
                });
            }
            ("required", Some(Value::Array(names)), Value::Array(more)) => {
                more.into_iter().for_each(|name| {
                    if !names.contains(&name) {
                        names.push(name);
                    }
                });
            }
            (_, Some(_), _) => {}
            (_, None, value) => {
                into.insert(key, value);
            }
        }
    }
}

fn drop_null_type(schema: &mut Map<String, Value>) {
    let Some(Value::Array(types)) = schema.get("type") else { return };
    let kept: Vec<Value> = types.iter().filter(|kind| *kind != "null").cloned().collect();
    let kept = if kept.len() == 1 { kept[0].clone() } else { kept.into() };
    schema.insert("type".into(), kept);
    if schema.get("default").is_some_and(Value::is_null) {
        schema.shift_remove("default");
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn visit(schema: &Value, see: &mut dyn FnMut(&Map<String, Value>)) {
        match schema {
            Value::Object(keys) => {
                see(keys);
                keys.values().for_each(|value| visit(value, see));
            }
            Value::Array(values) => values.iter().for_each(|value| visit(value, see)),
            _ => {}
        }
    }

    #[test]
    fn nothing_is_referenced_and_every_table_is_closed() {
        let schema = schema(&[]);
        assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
        assert!(schema["title"].is_string() && schema.get("$id").is_none());
        visit(&schema, &mut |keys| {
            assert!(!keys.contains_key("$ref") && !keys.contains_key("$defs") && !keys.contains_key("allOf"));
            assert_ne!(keys.get("type"), Some(&json!("null")));
            if keys.get("type") == Some(&json!("object")) {
                assert!(keys.contains_key("additionalProperties"), "{keys:?}");
            }
        });
    }

    #[test]
    fn the_keys_around_a_tagged_choice_are_in_every_variant() {
        let schema = schema(&[]);
        let (tag, tasks) = tagged(&schema["properties"]["task"]["additionalProperties"]).unwrap();
        assert_eq!((tag, tasks.len()), ("kind", 4));
        for task in tasks {
            assert!(task["properties"].get("attach").is_some() && task["required"].as_array().unwrap().len() == 3);
            assert_eq!(task["additionalProperties"], false);
        }
        assert_eq!(constants(&tasks[3]["properties"]["decoder"]).unwrap(), ["softmax", "crf"]);
    }

    #[test]
    fn extensions_replace_a_table_and_bring_their_defaults() {
        let replaced = json!({
            "$defs": { "Gamma": { "type": "object", "properties": { "gamma": { "type": "number", "default": 1.5 } } } },
            "oneOf": [
                { "type": "object", "properties": { "method": { "const": "equal" } }, "required": ["method"] },
                { "$ref": "#/$defs/Gamma", "properties": { "method": { "const": "gradnorm" } }, "required": ["method"] },
            ],
        });
        let schema = schema(&[Extension { pointer: "balance", schema: replaced }]);
        let balance = &schema["properties"]["balance"];
        assert_eq!(tagged(balance).unwrap().0, "method");
        assert_eq!(balance["default"]["method"], "equal");
        let mut value = json!({ "method": "gradnorm", "watch": 7 });
        fill_defaults(&mut value, balance);
        assert_eq!(value, json!({ "method": "gradnorm", "watch": 7, "gamma": 1.5, "gradients": "parameters" }));
    }

    #[test]
    fn a_recursive_schema_ends() {
        let endless =
            json!({ "$defs": { "A": { "$ref": "#/$defs/A" } }, "properties": { "a": { "$ref": "#/$defs/A" } } });
        let nested =
            json!({ "$defs": { "A": { "properties": { "a": { "$ref": "#/$defs/A" } } } }, "$ref": "#/$defs/A" });
        for schema in [endless, nested] {
            assert!(flatten(&schema, &definitions(&schema), 0).is_object());
        }
    }
}
