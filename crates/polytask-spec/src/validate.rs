//! Does the file have the shape that the schema asks for?
//!
//! Understands what schemars emits for the crate's types once [`schema`](crate::schema) has flattened it: tables, maps,
//! lists, tagged choices, constants, untagged choices, and bounds. Nothing stops at the first fault.

use std::collections::BTreeSet;

use indexmap::IndexMap;
use serde_json::Value as Json;

use crate::error::{did_you_mean, list, suggest};
use crate::kinds::{about, fits, wanted, width};
use crate::node::{Entry, Node, Origin, Value, describe};
use crate::schema;
use crate::shape::{Shape, misspelt, shape_of, shape_of_any, top_level_table_with};

/// A fault: its place in the tree, where to show it, and what to say.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Fault {
    /// Keys and positions down to the value at fault; for a missing key the table.
    pub path: Vec<String>,
    pub origin: Origin,
    pub message: String,
    pub help: Option<String>,
}

/// All faults of a tree.
pub(crate) fn validate(root: &Node, schema: &Json) -> Vec<Fault> {
    let mut walk = Walk { root: schema, path: Vec::new(), faults: Vec::new() };
    walk.value(root, schema, &root.origin);
    walk.faults
}

enum Step {
    Key(String),
    Position(usize),
}

struct Walk<'a> {
    root: &'a Json,
    path: Vec<Step>,
    faults: Vec<Fault>,
}

impl Walk<'_> {
    fn value(&mut self, node: &Node, schema: &Json, key: &Origin) {
        if let Some(accepted) = schema::constants(schema) {
            return self.constant(node, schema, &accepted);
        }
        if let Some((tag, variants)) = schema::tagged(schema) {
            return match node.table() {
                Some(entries) => self.tagged(entries, tag, variants, key),
                None => self.unexpected(node, schema),
            };
        }
        if let Some(variants) = schema::variants(schema) {
            return match variants.iter().find(|variant| fits(&node.value, variant)) {
                Some(variant) => self.value(node, variant, key),
                None => self.unexpected(node, schema),
            };
        }
        if !fits(&node.value, schema) {
            return self.unexpected(node, schema);
        }
        match &node.value {
            Value::Table(entries) => {
                let shape = shape_of(schema);
                self.table(entries, &shape, key, None);
            }
            Value::Array(nodes) => {
                self.length(node, schema, nodes.len(), ["minItems", "maxItems"], "element");
                let items = schema.get("items").unwrap_or(&Json::Bool(true));
                for (position, element) in nodes.iter().enumerate() {
                    self.path.push(Step::Position(position));
                    self.value(element, items, &element.origin);
                    self.path.pop();
                }
            }
            Value::String(text) => {
                self.length(node, schema, text.chars().count(), ["minLength", "maxLength"], "character");
            }
            Value::Integer(integer) => self.bounds(node, schema, *integer as f64),
            Value::Float(float) => self.bounds(node, schema, *float),
            Value::Boolean(_) | Value::Date(_) => {}
        }
    }

    fn constant(&mut self, node: &Node, schema: &Json, accepted: &[&str]) {
        let Some(text) = node.str() else { return self.unexpected(node, schema) };
        if !accepted.contains(&text) {
            let message = format!("{} cannot be {}", self.name(), describe(&node.value));
            self.fault(node.origin.clone(), message, Some(suggest(text, accepted.iter().copied())));
        }
    }

    fn tagged(&mut self, entries: &IndexMap<String, Entry>, tag: &str, variants: &[Json], key: &Origin) {
        let constant = |variant: &Json| variant["properties"][tag]["const"].as_str().map(str::to_string);
        let names: Vec<String> = variants.iter().filter_map(constant).collect();
        let accepted = || names.iter().map(String::as_str);
        let found = entries.get(tag).map(|entry| &entry.node);
        let chosen = match found {
            Some(Node { value: Value::String(text), .. }) => {
                variants.iter().find(|variant| constant(variant).as_ref() == Some(text))
            }
            Some(_) => None,
            None => schema::untold(tag, variants),
        };
        if let Some(variant) = chosen {
            // The variants' own keys may hold a further choice.
            return match schema::tagged(variant) {
                Some((inner, variants)) => self.tagged(entries, inner, variants, key),
                None => self.table(entries, &shape_of(variant), key, Some((tag, variants))),
            };
        }
        match found {
            None => {
                let message = format!("{} has no `{tag}`", self.table_name());
                let help = match misspelt(tag, entries, variants) {
                    Some(typo) => format!("is `{typo}` meant to be `{tag}`? accepted: {}", list(accepted())),
                    None => format!("add `{tag} = \"...\"`; accepted: {}", list(accepted())),
                };
                self.fault(key.clone(), message, Some(help));
            }
            Some(node) => {
                self.path.push(Step::Key(tag.into()));
                let message = format!("{} cannot be {}", self.name(), describe(&node.value));
                let help = node
                    .str()
                    .map_or_else(|| format!("accepted: {}", list(accepted())), |text| suggest(text, accepted()));
                self.fault(node.origin.clone(), message, Some(help));
                self.path.pop();
            }
        }
        let skip = found.is_none().then(|| misspelt(tag, entries, variants)).flatten().map(str::to_string);
        self.table(entries, &shape_of_any(tag, variants, skip.as_deref()), key, None);
    }

    fn table(
        &mut self,
        entries: &IndexMap<String, Entry>,
        shape: &Shape<'_>,
        key: &Origin,
        choice: Option<(&str, &[Json])>,
    ) {
        let mut meant = BTreeSet::new();
        for (name, entry) in entries {
            self.path.push(Step::Key(name.clone()));
            match shape.keys.get(name.as_str()).copied().or(shape.others) {
                Some(schema) => self.value(&entry.node, schema, &entry.key),
                None => meant.extend(self.unknown(name, entry, entries, shape, choice)),
            }
            self.path.pop();
        }
        for &name in &shape.required {
            // A misspelt key is one fault, not two.
            if entries.contains_key(name) || meant.contains(name) {
                continue;
            }
            let schema = shape.keys.get(name).copied().unwrap_or(&Json::Null);
            let message = format!("{} has no `{name}`", self.table_name());
            let what = schema.get("description").and_then(Json::as_str).unwrap_or("required");
            let help = match (self.path.is_empty(), schema.get("additionalProperties").is_some_and(Json::is_object)) {
                (true, true) => format!("add a table `[{name}.NAME]`: {what}"),
                _ => format!("add `{name} = ...` ({}): {what}", wanted(schema)),
            };
            self.fault(key.clone(), message, Some(help));
        }
    }

    /// Reports an unknown key; gives the key that was probably meant.
    fn unknown<'k>(
        &mut self,
        name: &str,
        entry: &Entry,
        entries: &IndexMap<String, Entry>,
        shape: &Shape<'k>,
        choice: Option<(&str, &[Json])>,
    ) -> Option<&'k str> {
        let step = self.path.pop();
        let table = self.table_name();
        let at_top = self.path.is_empty();
        self.path.extend(step);
        let message = match at_top {
            true => format!("unknown key `{name}` at the top level"),
            false => format!("unknown key `{name}` in {table}"),
        };
        let elsewhere = match choice {
            Some((tag, variants)) => variants
                .iter()
                .filter(|variant| variant["properties"].get(name).is_some())
                .find_map(|variant| variant["properties"][tag]["const"].as_str())
                .map(|other| format!("`{name}` belongs to `{tag} = \"{other}\"`; accepted here: ")),
            None if at_top => top_level_table_with(self.root, name)
                .map(|table| format!("`{name}` belongs into `[{table}]`; accepted here: ")),
            None => None,
        };
        let accepted = list(shape.keys.keys().copied());
        // A key that is present already cannot be what a second one was meant to be, unless that one overrides it.
        let overrides = matches!(entry.key, Origin::Override(_));
        let free = shape.keys.keys().copied().filter(|key| overrides || !entries.contains_key(*key));
        let meant = did_you_mean(name, free);
        let help = match (elsewhere, meant) {
            (Some(elsewhere), _) => elsewhere + &accepted,
            (None, Some(meant)) => format!("did you mean `{meant}`? accepted: {accepted}"),
            (None, None) if shape.keys.is_empty() => "no keys are accepted here".into(),
            (None, None) => format!("accepted: {accepted}"),
        };
        self.fault(entry.key.clone(), message, Some(help));
        meant
    }

    fn bounds(&mut self, node: &Node, schema: &Json, found: f64) {
        let bound = |key: &str| schema.get(key).and_then(Json::as_f64);
        let [low, high, above, below] = ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"].map(bound);
        // Integers are compared with their width exactly, which a float could not do near 2^64.
        let too_wide = match &node.value {
            Value::Integer(integer) => width(schema).filter(|width| !width.contains(integer)),
            _ => None,
        };
        let inside = found.is_finite()
            && too_wide.is_none()
            && low.is_none_or(|low| found >= low)
            && high.is_none_or(|high| found <= high)
            && above.is_none_or(|above| found > above)
            && below.is_none_or(|below| found < below);
        if inside {
            return;
        }
        let range = match (low, high) {
            (Some(low), Some(high)) if low == high => low.to_string(),
            (Some(low), Some(high)) => format!("between {low} and {high}"),
            _ => {
                let width = too_wide.map(|width| format!("between {} and {}", width.start(), width.end()));
                let limits = [("at least", low), ("more than", above), ("at most", high), ("less than", below)];
                let limits = limits.iter().filter_map(|(word, limit)| limit.map(|limit| format!("{word} {limit}")));
                width.unwrap_or_else(|| limits.collect::<Vec<_>>().join(" and "))
            }
        };
        let range = if range.is_empty() || found.is_nan() { "a finite number".into() } else { range };
        let shown = match &node.value {
            Value::Integer(integer) => integer.to_string(),
            _ => format!("{found:?}"),
        };
        let infinite = if found.is_infinite() { ", which is not finite" } else { "" };
        let message = format!("{} must be {range}, found {shown}{infinite}", self.name());
        self.fault(node.origin.clone(), message, about(schema));
    }

    fn length(&mut self, node: &Node, schema: &Json, found: usize, keys: [&str; 2], unit: &str) {
        let bound = |key: &str| schema.get(key).and_then(Json::as_u64).map(|bound| bound as usize);
        let plural = |count: usize| if count == 1 { "" } else { "s" };
        let wanted = match (bound(keys[0]), bound(keys[1])) {
            (Some(least), _) if found < least => format!("at least {least} {unit}{}", plural(least)),
            (_, Some(most)) if found > most => format!("at most {most} {unit}{}", plural(most)),
            _ => return,
        };
        let message = format!("{} must have {wanted}, found {found}", self.name());
        self.fault(node.origin.clone(), message, about(schema));
    }

    fn unexpected(&mut self, node: &Node, schema: &Json) {
        let message = format!("{} must be {}, found {}", self.name(), wanted(schema), describe(&node.value));
        let wants_text = fits(&Value::String(String::new()), schema);
        let help = match (&node.origin, schema::constants(schema)) {
            (_, Some(accepted)) => Some(format!("accepted: {}", list(accepted))),
            (Origin::Override(_), None) if wants_text => {
                Some("quote text that looks like another value: `'\"...\"'`".into())
            }
            _ => about(schema),
        };
        self.fault(node.origin.clone(), message, help);
    }

    fn fault(&mut self, origin: Origin, message: String, help: Option<String>) {
        let path = self.path.iter().map(|step| match step {
            Step::Key(key) => key.clone(),
            Step::Position(position) => position.to_string(),
        });
        self.faults.push(Fault { path: path.collect(), origin, message, help });
    }

    fn dotted(&self) -> String {
        let mut text = String::new();
        for step in &self.path {
            match step {
                Step::Key(key) if text.is_empty() => text += key,
                Step::Key(key) => text += &format!(".{key}"),
                Step::Position(position) => text += &format!("[{position}]"),
            }
        }
        text
    }

    fn name(&self) -> String {
        format!("`{}`", self.dotted())
    }

    /// `[train]` for what has a header, `encoder.trunk.layers[0]` for what is written in a list.
    fn table_name(&self) -> String {
        match self.path.iter().any(|step| matches!(step, Step::Position(_))) {
            _ if self.path.is_empty() => "the file".into(),
            true => self.name(),
            false => format!("[{}]", self.dotted()),
        }
    }
}
