//! Which values does the file hold once overrides are merged, and where does each come from?

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use indexmap::IndexMap;
use toml::de::{DeTable, DeValue};

/// A value given on the command line, which wins over the file: `train.epochs=3`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Override {
    /// The key, with dots; elements of a list are named by position from 0 (`encoder.trunk.layers.0.hidden`).
    pub key: String,
    /// The value in TOML; text that is no TOML value is taken as a string.
    pub value: String,
}

impl FromStr for Override {
    type Err = String;

    /// Reads `key=value`; the first `=` divides.
    ///
    /// # Errors
    /// Text without `=`, or a key with an empty part.
    fn from_str(text: &str) -> Result<Self, String> {
        let (key, value) = text.split_once('=').ok_or_else(|| format!("`{text}` is not of the form `key=value`"))?;
        let key = key.trim();
        if key.split('.').any(str::is_empty) {
            return Err(format!("`{text}` has an empty part in its key; write it like `train.epochs=3`"));
        }
        Ok(Override { key: key.into(), value: value.trim().into() })
    }
}

impl fmt::Display for Override {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "--set {}={}", self.key, self.value)
    }
}

/// Where a key or value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    /// Bytes of the file.
    File(Range<usize>),
    /// An override, by position.
    Override(usize),
}

/// A value and where it comes from.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Node {
    pub value: Value,
    pub origin: Origin,
}

/// What a file may hold.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    String(String),
    Integer(i128),
    Float(f64),
    Boolean(bool),
    /// Dates and times, which no key takes, as written.
    Date(String),
    Array(Vec<Node>),
    Table(IndexMap<String, Entry>),
}

/// A key's value, and where the key stands.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Entry {
    pub key: Origin,
    pub node: Node,
}

impl Node {
    /// The entries of a table.
    pub fn table(&self) -> Option<&IndexMap<String, Entry>> {
        match &self.value {
            Value::Table(entries) => Some(entries),
            _ => None,
        }
    }

    /// The elements of a list.
    pub fn array(&self) -> Option<&[Node]> {
        match &self.value {
            Value::Array(nodes) => Some(nodes),
            _ => None,
        }
    }

    /// The text of a string.
    pub fn str(&self) -> Option<&str> {
        match &self.value {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// The value of a table's key.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.table()?.get(key).map(|entry| &entry.node)
    }

    /// Follows keys and positions; gives the origin to show for the last one and whether all of the path exists.
    ///
    /// A table is shown at its key (its own span may be a whole header or nothing), other values at the value.
    pub fn trace(&self, path: &[&str]) -> (&Origin, bool) {
        let mut node = self;
        let mut origin = &self.origin;
        for step in path {
            let next = match &node.value {
                Value::Table(entries) => entries.get(*step).map(|entry| (&entry.key, &entry.node)),
                Value::Array(nodes) => {
                    step.parse::<usize>().ok().and_then(|index| nodes.get(index)).map(|node| (&node.origin, node))
                }
                _ => None,
            };
            let Some((key, child)) = next else { return (origin, false) };
            origin = if child.table().is_some() { key } else { &child.origin };
            node = child;
        }
        (origin, true)
    }

    /// The tree as JSON; what JSON cannot hold becomes null.
    pub fn to_json(&self) -> serde_json::Value {
        use serde_json::Value as Json;
        match &self.value {
            Value::String(text) | Value::Date(text) => Json::from(text.as_str()),
            Value::Integer(integer) => match (u64::try_from(*integer), i64::try_from(*integer)) {
                (Ok(integer), _) => Json::from(integer),
                (_, Ok(integer)) => Json::from(integer),
                _ => Json::from(*integer as f64),
            },
            Value::Float(float) => Json::from(*float),
            Value::Boolean(boolean) => Json::from(*boolean),
            Value::Array(nodes) => nodes.iter().map(Node::to_json).collect(),
            Value::Table(entries) => entries
                .iter()
                .map(|(key, entry)| (key.clone(), entry.node.to_json()))
                .collect::<serde_json::Map<_, _>>()
                .into(),
        }
    }
}

/// The tree of a parsed table; keys stand in the order of the file.
pub(crate) fn from_table(table: &DeTable<'_>, at: &dyn Fn(Range<usize>) -> Origin, span: Range<usize>) -> Node {
    let mut keys: Vec<_> = table.iter().collect();
    keys.sort_by_key(|(key, _)| key.span().start);
    let entries = keys
        .into_iter()
        .map(|(key, value)| {
            let node = from_value(value.get_ref(), at, value.span());
            (key.get_ref().to_string(), Entry { key: at(key.span()), node })
        })
        .collect();
    Node { value: Value::Table(entries), origin: at(span) }
}

fn from_value(value: &DeValue<'_>, at: &dyn Fn(Range<usize>) -> Origin, span: Range<usize>) -> Node {
    let value = match value {
        DeValue::String(text) => Value::String(text.to_string()),
        // An integer beyond 128 bits is beyond every range; a float keeps its size for the message.
        DeValue::Integer(integer) => match i128::from_str_radix(integer.as_str(), integer.radix()) {
            Ok(integer) => Value::Integer(integer),
            Err(_) => Value::Float(integer.as_str().parse().unwrap_or(f64::INFINITY)),
        },
        DeValue::Float(float) => Value::Float(float.as_str().parse().unwrap_or(f64::NAN)),
        DeValue::Boolean(boolean) => Value::Boolean(*boolean),
        DeValue::Datetime(date) => Value::Date(date.to_string()),
        DeValue::Array(values) => {
            Value::Array(values.iter().map(|value| from_value(value.get_ref(), at, value.span())).collect())
        }
        DeValue::Table(table) => return from_table(table, at, span),
    };
    Node { value, origin: at(span) }
}

/// Puts an override, the `index`th, into the tree.
///
/// # Errors
/// A part of the key that is neither a table nor a list, or a position that a list does not have.
pub(crate) fn apply(root: &mut Node, index: usize, set: &Override) -> Result<(), String> {
    let origin = Origin::Override(index);
    let value = match DeValue::parse(&set.value) {
        Ok(value) => from_value(value.get_ref(), &|_| origin.clone(), 0..0),
        Err(_) => Node { value: Value::String(set.value.clone()), origin: origin.clone() },
    };
    let steps: Vec<&str> = set.key.split('.').collect();
    // No key is this deep, and a tree that recursive functions walk must not be deeper than their stack.
    if steps.len() > 16 || steps.iter().any(|step| step.is_empty()) {
        return Err(format!("`{}` is no key", set.key));
    }
    let mut node = root;
    for (depth, &step) in steps.iter().enumerate() {
        let parent = steps[..depth].join(".");
        node = match &mut node.value {
            Value::Table(entries) => {
                let empty = || Node { value: Value::Table(IndexMap::new()), origin: origin.clone() };
                let entry = entries.entry(step.to_string());
                &mut entry.or_insert_with(|| Entry { key: origin.clone(), node: empty() }).node
            }
            Value::Array(nodes) => {
                let count = nodes.len();
                step.parse::<usize>().ok().and_then(|position| nodes.get_mut(position)).ok_or_else(|| {
                    format!(
                        "`{parent}` is a list of {count}: `{step}` is not a position from 0 to {}",
                        count.saturating_sub(1)
                    )
                })?
            }
            other => return Err(format!("`{parent}` is {}, which has no keys", describe(other))),
        };
    }
    *node = value;
    Ok(())
}

/// What a value is, for messages: "the string `x`".
pub(crate) fn describe(value: &Value) -> String {
    match value {
        Value::String(text) if text.chars().count() > 60 => {
            format!("the string `\"{}...\"`", text.chars().take(57).collect::<String>())
        }
        Value::String(text) => format!("the string `{text:?}`"),
        Value::Integer(integer) => format!("the integer {integer}"),
        Value::Float(float) => format!("the number {float:?}"),
        Value::Boolean(boolean) => format!("`{boolean}`"),
        Value::Date(date) => format!("the date or time {date}"),
        Value::Array(_) => "a list".into(),
        Value::Table(_) => "a table".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(text: &str) -> Node {
        let table = DeTable::parse(text).unwrap();
        from_table(table.get_ref(), &Origin::File, 0..0)
    }

    #[test]
    fn keys_keep_the_order_of_the_file() {
        let root = tree("z = 1\n[t.b]\nx = 1\n[s]\n[t.a]\n");
        assert_eq!(root.table().unwrap().keys().collect::<Vec<_>>(), ["z", "t", "s"]);
        assert_eq!(root.get("t").unwrap().table().unwrap().keys().collect::<Vec<_>>(), ["b", "a"]);
    }

    #[test]
    fn overrides_replace_create_and_index() {
        let mut root = tree("a = 1\nlist = [{ x = 1 }, { x = 2 }]\n");
        for (index, text) in ["a=2.5", "b.c=plain text", "list.1.x=[1, 2]", "d=\"q\"", "e=", "f=a=b"].iter().enumerate()
        {
            apply(&mut root, index, &text.parse().unwrap()).unwrap();
        }
        let expected = serde_json::json!({
            "a": 2.5, "list": [{ "x": 1 }, { "x": [1, 2] }], "b": { "c": "plain text" }, "d": "q", "e": "", "f": "a=b"
        });
        assert_eq!(root.to_json(), expected);
        assert_eq!(*root.trace(&["list", "1", "x"]).0, Origin::Override(2));
        assert!(matches!(root.trace(&["list", "0", "x"]).0, Origin::File(_)));
        let failed = |text: &str| apply(&mut root.clone(), 9, &text.parse().unwrap()).unwrap_err();
        assert!(failed("a.b=1").contains("`a` is the number 2.5"));
        assert!(failed("list.2.x=1").contains("from 0 to 1"));
        assert!("novalue".parse::<Override>().is_err() && "a..b=1".parse::<Override>().is_err());
        assert!("=1".parse::<Override>().is_err());
    }
}
