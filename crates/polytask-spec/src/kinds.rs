//! What does a schema want of a value, and how is that put in words?

use std::ops::RangeInclusive;

use serde_json::Value as Json;

use crate::error::list;
use crate::node::Value;
use crate::schema;

/// Whether a value is of the type that a schema names; bounds and keys are looked at later.
pub(crate) fn fits(value: &Value, schema: &Json) -> bool {
    if let Some(variants) = schema::variants(schema) {
        return variants.iter().any(|variant| fits(value, variant));
    }
    if schema.get("const").is_some() || schema.get("enum").is_some() {
        return matches!(value, Value::String(_));
    }
    let named = |kind: &Json| match kind.as_str().unwrap_or_default() {
        "string" => matches!(value, Value::String(_)),
        "boolean" => matches!(value, Value::Boolean(_)),
        "integer" => matches!(value, Value::Integer(_)),
        "number" => matches!(value, Value::Integer(_) | Value::Float(_)),
        "array" => matches!(value, Value::Array(_)),
        "object" => matches!(value, Value::Table(_)),
        _ => false,
    };
    match schema.get("type") {
        Some(Json::Array(kinds)) => kinds.iter().any(named),
        Some(kind) => named(kind),
        None if schema.get("properties").is_some() => matches!(value, Value::Table(_)),
        None => !matches!(value, Value::Date(_)),
    }
}

/// What a schema wants, in words: "a string or a list of strings".
pub(crate) fn wanted(schema: &Json) -> String {
    if let Some(accepted) = schema::constants(schema) {
        return format!("one of {}", list(accepted));
    }
    if schema::tagged(schema).is_some() {
        return "a table".into();
    }
    if let Some(variants) = schema::variants(schema) {
        return variants.iter().map(wanted).collect::<Vec<_>>().join(" or ");
    }
    let named = |kind: &Json| match kind.as_str().unwrap_or_default() {
        "string" => "a string".to_string(),
        "boolean" => "true or false".into(),
        "integer" => "an integer".into(),
        "number" => "a number".into(),
        "object" => "a table".into(),
        "array" => match schema.pointer("/items/type").and_then(Json::as_str) {
            Some(item @ ("string" | "integer" | "number")) => format!("a list of {item}s"),
            _ if schema.pointer("/items/oneOf").is_some() => "a list of tables".into(),
            _ => "a list".into(),
        },
        _ => "a value".into(),
    };
    match schema.get("type") {
        Some(Json::Array(kinds)) => kinds.iter().map(named).collect::<Vec<_>>().join(" or "),
        Some(kind) => named(kind),
        None => "a value other than a date".into(),
    }
}

/// The description of a key, and its default.
pub(crate) fn about(schema: &Json) -> Option<String> {
    let text = schema.get("description")?.as_str()?;
    match schema.get("default").filter(|default| !default.is_object()) {
        Some(default) => Some(format!("{text} Default: {default}.")),
        None => Some(text.into()),
    }
}

/// The integers that fit the type behind a schema.
pub(crate) fn width(schema: &Json) -> Option<RangeInclusive<i128>> {
    match schema.get("format")?.as_str()? {
        "uint8" => Some(0..=u8::MAX.into()),
        "uint16" => Some(0..=u16::MAX.into()),
        "uint32" => Some(0..=u32::MAX.into()),
        "uint" => Some(0..=usize::MAX as i128),
        "uint64" => Some(0..=u64::MAX.into()),
        "int32" => Some(i32::MIN.into()..=i32::MAX.into()),
        "int" | "int64" => Some(i64::MIN.into()..=i64::MAX.into()),
        _ => None,
    }
}
