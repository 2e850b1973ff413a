//! What does a configuration look like with every default written out?

use serde_json::{Map, Value};

use crate::Spec;

impl Spec {
    /// The configuration as TOML with every default written out; it parses back to an equal [`Spec`].
    ///
    /// Numbers that are not finite, which [`parse`](crate::parse) never gives, are left out.
    pub fn to_toml(&self) -> String {
        let Ok(Value::Object(root)) = serde_json::to_value(self) else {
            // Serialising to JSON fails for maps without string keys only, and no type here has one.
            return String::new();
        };
        let mut text = String::new();
        for (key, value) in root.iter().filter(|(_, value)| !value.is_object()) {
            line(&mut text, key, value);
        }
        for (name, value) in &root {
            let Value::Object(entries) = value else { continue };
            if matches!(name.as_str(), "data" | "input" | "encoder" | "task") {
                for (item, value) in entries {
                    section(&mut text, &format!("{name}.{}", key(item)), value.as_object());
                }
            } else {
                section(&mut text, name, Some(entries));
            }
        }
        text
    }
}

fn section(text: &mut String, header: &str, entries: Option<&Map<String, Value>>) {
    *text += &format!("\n[{header}]\n");
    for (key, value) in entries.into_iter().flatten() {
        line(text, key, value);
    }
}

fn line(text: &mut String, name: &str, value: &Value) {
    match value {
        Value::Null => {}
        Value::Array(values) if values.iter().any(Value::is_object) => {
            *text += &format!("{} = [\n", key(name));
            for value in values {
                *text += &format!("    {},\n", inline(value));
            }
            *text += "]\n";
        }
        value => *text += &format!("{} = {}\n", key(name), inline(value)),
    }
}

fn inline(value: &Value) -> String {
    match value {
        // TOML has no null; within a list it has no better spelling than an empty string.
        Value::Null => "\"\"".into(),
        Value::Bool(boolean) => boolean.to_string(),
        Value::Number(number) => match number.as_f64() {
            Some(float) if number.is_f64() => format!("{float:?}"),
            _ => number.to_string(),
        },
        Value::String(text) => quoted(text),
        Value::Array(values) => {
            format!("[{}]", values.iter().map(inline).collect::<Vec<_>>().join(", "))
        }
        Value::Object(entries) if entries.is_empty() => "{}".into(),
        Value::Object(entries) => {
            let pairs = entries.iter().filter(|(_, value)| !value.is_null());
            let pairs = pairs.map(|(name, value)| format!("{} = {}", key(name), inline(value)));
            format!("{{ {} }}", pairs.collect::<Vec<_>>().join(", "))
        }
    }
}

fn key(name: &str) -> String {
    let bare = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    if bare { name.into() } else { quoted(name) }
}

fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => quoted += "\\\"",
            '\\' => quoted += "\\\\",
            '\n' => quoted += "\\n",
            '\t' => quoted += "\\t",
            c if c.is_control() => quoted += &format!("\\u{:04X}", u32::from(c)),
            c => quoted.push(c),
        }
    }
    quoted + "\""
}

#[cfg(test)]
mod tests {
    use crate::test_support::{THREE_TASKS, spec};

    #[test]
    fn the_resolved_configuration_parses_back() {
        let mut first = spec(THREE_TASKS);
        first.name = "tab\t, quote \", \\ , \u{7f}, \u{1}, ü, line\nend".into();
        first.seed = u64::MAX;
        *first.optimizer.method.learning_rate_mut() = 1e-8;
        first.optimizer.weight_decay = 1e20;
        first.balance.options.insert("list".into(), serde_json::json!([1, 2.0, { "a b": true }]));
        let text = first.to_toml();
        let second = spec(&text);
        assert_eq!(first, second, "{text}");
        assert_eq!(text, second.to_toml());
        for written in
            ["patience = 5", "beta1 = 0.9", "method = \"adam\"", "[sharing]\nscheme = \"hard\"", "min_count = 2"]
        {
            assert!(text.contains(written), "{written} is not in\n{text}");
        }
    }
}
