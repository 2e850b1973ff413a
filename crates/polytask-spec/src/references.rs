//! Do names name something?
//!
//! Looks at the tree rather than at the types, so that a fault elsewhere in an entry does not hide a wrong name.

use std::collections::BTreeMap;

use crate::error::suggest;
use crate::node::{Node, Value};
use crate::parse::MAPS;
use crate::validate::Fault;

/// Faults of names and of what they refer to.
pub(crate) fn check(root: &Node) -> Vec<Fault> {
    let mut look = Look { root, faults: Vec::new() };
    MAPS.iter().for_each(|section| look.entry_names(section));
    for encoder in names(root, "encoder") {
        look.layer_names(encoder);
        look.choice(&["encoder", encoder], "input");
    }
    for task in names(root, "task") {
        let path = ["task", task];
        look.reference(&path, "data", "data");
        look.choice(&path, "encoder");
        look.attach(task);
    }
    look.faults
}

/// The names in a section, in the order of the file.
pub(crate) fn names<'a>(root: &'a Node, section: &str) -> Vec<&'a str> {
    root.get(section).and_then(Node::table).map(|items| items.keys().map(String::as_str).collect()).unwrap_or_default()
}

/// A fault at the end of a path, or at the nearest table above it.
pub(crate) fn fault_at(root: &Node, path: &[&str], message: String, help: Option<String>) -> Fault {
    let origin = root.trace(path).0.clone();
    Fault { path: path.iter().map(|step| step.to_string()).collect(), origin, message, help }
}

struct Look<'a> {
    root: &'a Node,
    faults: Vec<Fault>,
}

impl<'a> Look<'a> {
    fn fault(&mut self, path: &[&str], message: String, help: impl Into<Option<String>>) {
        self.faults.push(fault_at(self.root, path, message, help.into()));
    }

    fn entry_names(&mut self, section: &str) {
        let Some(items) = self.root.get(section).and_then(Node::table) else { return };
        if items.is_empty() {
            self.fault(&[section], format!("[{section}] is empty"), format!("add a table `[{section}.NAME]`"));
        }
        for (name, entry) in items {
            if !is_name(name) {
                let message = format!("{name:?} is no name for a table in [{section}]");
                let mut fault = fault_at(self.root, &[section, name], message, Some(NAME_HELP.into()));
                fault.origin = entry.key.clone();
                self.faults.push(fault);
            }
        }
    }

    fn layer_names(&mut self, encoder: &str) {
        let layers = self.root.get("encoder").and_then(|encoders| encoders.get(encoder)?.get("layers")?.array());
        let mut seen = BTreeMap::new();
        for (index, layer) in layers.unwrap_or_default().iter().enumerate() {
            let position = index.to_string();
            let path = ["encoder", encoder, "layers", &position, "name"];
            if let Some(name) = layer.get("name").and_then(Node::str)
                && !is_name(name)
            {
                self.fault(&path, format!("{name:?} is no name for a layer"), NAME_HELP.to_string());
            }
            if let Some(reads) = layer.get("reads").and_then(Node::str) {
                self.layer_before(encoder, layers.unwrap_or_default(), index, reads);
            }
            let Some(name) = layer_name(layer, index) else { continue };
            if let Some(first) = seen.insert(name.clone(), index) {
                let message =
                    format!("[encoder.{encoder}] has two layers named `{name}`: layers[{first}] and layers[{index}]");
                self.fault(&path, message, "give each layer a name of its own".to_string());
            }
        }
    }

    /// What a layer reads must stand before it; layers without a name (their kind is wrong or absent) may be what is meant.
    fn layer_before(&mut self, encoder: &str, layers: &[Node], index: usize, reads: &str) {
        let before: Option<Vec<String>> = (0..index).map(|at| layer_name(&layers[at], at)).collect();
        let Some(before) = before.filter(|before| !before.iter().any(|name| name == reads)) else { return };
        let position = index.to_string();
        let message =
            format!("layers[{index}] of [encoder.{encoder}] reads `{reads}`, and no layer before it is called so");
        let help = match before.as_slice() {
            [] => "the first layer reads the input: remove `reads`".to_string(),
            some => suggest(reads, some.iter().map(String::as_str)),
        };
        self.fault(&["encoder", encoder, "layers", &position, "reads"], message, help);
    }

    /// A key that names an entry of a section; gives the name where it is a string.
    fn reference(&mut self, path: &[&str; 2], key: &str, section: &str) -> Option<&'a str> {
        let name = self.root.get(path[0])?.get(path[1])?.get(key)?.str()?;
        let known = names(self.root, section);
        if !known.is_empty() && !known.contains(&name) {
            let message = format!("`{}.{}.{key}` names `{name}`, but there is no [{section}.{name}]", path[0], path[1]);
            self.fault(&[path[0], path[1], key], message, suggest(name, known));
        }
        Some(name)
    }

    /// A reference that may be absent where there is one entry only; `key` is the section's name as well.
    fn choice(&mut self, path: &[&str; 2], key: &str) {
        let Some(entries) = self.root.get(path[0]).and_then(|items| items.get(path[1])?.table()) else { return };
        let known = names(self.root, key);
        if !entries.contains_key(key) && known.len() > 1 {
            let message = format!("[{}.{}] has no `{key}`, and there are several", path[0], path[1]);
            let known: Vec<String> = known.iter().map(|name| format!("`{key} = \"{name}\"`")).collect();
            self.fault(path, message, format!("add one of {}", known.join(", ")));
        }
        self.reference(path, key, key);
    }

    fn attach(&mut self, task: &str) {
        let Some(node) = self.root.get("task").and_then(|tasks| tasks.get(task)) else { return };
        let encoders = names(self.root, "encoder");
        let encoder = match (node.get("encoder"), encoders.as_slice()) {
            (Some(encoder), _) => encoder.str(),
            (None, [only]) => Some(*only),
            (None, _) => None,
        };
        let layers = encoder
            .and_then(|encoder| self.root.get("encoder")?.get(encoder)?.get("layers")?.array())
            .map(|layers| layers.iter().enumerate().map(|(index, layer)| layer_name(layer, index)).collect::<Vec<_>>());
        // Layers without a name (their kind is wrong or absent) may be what is meant: say nothing.
        let layers: Option<Vec<String>> = layers.and_then(|layers| layers.into_iter().collect());
        let (Some(encoder), Some(layers), Some(attach)) = (encoder, layers, node.get("attach")) else { return };
        match &attach.value {
            Value::Array(items) => {
                if items.is_empty() {
                    let message = format!("`task.{task}.attach` names no layer");
                    self.fault(&["task", task, "attach"], message, suggest("", layers.iter().map(String::as_str)));
                }
                for (index, item) in items.iter().enumerate() {
                    let position = index.to_string();
                    let path = ["task", task, "attach", &position];
                    self.layer_exists(&path, item, encoder, &layers);
                    if item.str().is_some() && items[..index].iter().any(|before| before.str() == item.str()) {
                        let name = item.str().unwrap_or_default();
                        self.fault(&path, format!("`task.{task}.attach` names `{name}` twice"), None);
                    }
                }
            }
            _ => self.layer_exists(&["task", task, "attach"], attach, encoder, &layers),
        }
    }

    fn layer_exists(&mut self, path: &[&str], node: &Node, encoder: &str, layers: &[String]) {
        let Some(name) = node.str() else { return };
        if !layers.iter().any(|layer| layer == name) {
            let message =
                format!("`task.{}.attach` names `{name}`, but [encoder.{encoder}] has no such layer", path[1]);
            self.fault(path, message, suggest(name, layers.iter().map(String::as_str)));
        }
    }
}

/// What names are made of.
pub(crate) const NAME_HELP: &str = "names are letters a-z, digits, `_` and `-`";

/// Whether a text may be part of a parameter's name.
pub(crate) fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
}

/// The counterpart of [`Layer::name_at`](crate::network::Layer::name_at) for a layer that may be faulty.
pub(crate) fn layer_name(layer: &Node, index: usize) -> Option<String> {
    match layer.get("name") {
        Some(name) => name.str().map(str::to_string),
        None => Some(format!("{}{}", layer.get("kind")?.str()?, index + 1)),
    }
}

#[cfg(test)]
mod tests {
    use crate::test_support::{THREE_TASKS, messages};

    fn with(from: &str, to: &str) -> Vec<String> {
        assert!(THREE_TASKS.contains(from), "{from}");
        messages(&THREE_TASKS.replacen(from, to, 1))
    }

    #[test]
    fn names_must_name_something() {
        let table = [
            (
                "data    = \"conll\"",
                "data = \"conl\"",
                "names `conl`, but there is no [data.conl]",
                "did you mean `conll`?",
            ),
            (
                "data    = \"conll\"",
                "encoder = \"trunc\"\ndata = \"conll\"",
                "no [encoder.trunc]",
                "did you mean `trunk`?",
            ),
            ("attach  = \"low\"", "attach = \"lo\"", "[encoder.trunk] has no such layer", "did you mean `low`?"),
            ("attach  = \"low\"", "attach = [\"low\", \"x\"]", "names `x`, but [encoder.trunk]", "`low`, `high`"),
            ("attach  = \"low\"", "attach = [\"low\", \"low\"]", "names `low` twice", ""),
            ("attach  = \"low\"", "attach = []", "names no layer", "accepted: `low`, `high`"),
            (
                "layers = [",
                "input = \"word\"\nlayers = [",
                "`encoder.trunk.input` names `word`",
                "did you mean `words`?",
            ),
            ("name = \"high\"", "name = \"low\"", "two layers named `low`: layers[0] and layers[1]", ""),
            ("name = \"high\"", "name = \"a b\"", "\"a b\" is no name for a layer", "letters a-z"),
            ("[data.conll]", "[data.\"a/b\"]", "\"a/b\" is no name for a table in [data]", "letters a-z"),
            ("[data.conll]", "[data.\"\"]", "\"\" is no name for a table in [data]", "letters a-z"),
        ];
        for (from, to, message, help) in table {
            let found = with(from, to);
            assert!(found.iter().any(|text| text.contains(message) && text.contains(help)), "{to}: {found:#?}");
        }
    }

    #[test]
    fn several_choices_need_a_decision() {
        let found = with("[sharing]", "[input.other]\nkind = \"words\"\n[sharing]");
        assert_eq!(found.len(), 1, "{found:#?}");
        assert!(found[0].contains("[encoder.trunk] has no `input`, and there are several"));
        assert!(found[0].contains("`input = \"words\"`, `input = \"other\"`"));
        let found = with("[sharing]", "[encoder.other]\nlayers = [{ kind = \"conv\" }]\n[sharing]");
        assert_eq!(found.len(), 3, "{found:#?}");
        assert!(found.iter().all(|text| text.contains("has no `encoder`, and there are several")));
    }

    #[test]
    fn a_layer_without_a_name_takes_kind_and_position() {
        let found = with("name = \"high\", ", "");
        assert!(found.len() == 2 && found[0].contains("accepted: `low`, `conv2`"), "{found:#?}");
        let unnamed = THREE_TASKS.replace("name = \"low\",", "").replace("name = \"high\"", "name = \"bilstm1\"");
        assert!(messages(&unnamed)[0].contains("two layers named `bilstm1`: layers[0] and layers[1]"));
    }
}
