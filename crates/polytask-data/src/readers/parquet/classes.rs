//! Which names have the classes of a column?
//!
//! `datasets` writes the features of a dataset as JSON under the key `huggingface` of a file's metadata. There a column
//! of classes is `{"names": [...], "_type": "ClassLabel"}`, and a list of them has it as its `feature`.

use parquet::file::metadata::KeyValue;
use serde_json::Value as Json;

/// The features that a file's metadata describe.
#[derive(Debug, Clone, Default)]
pub(super) struct Classes {
    /// A class label, and the names of its classes.
    named: Vec<(String, Vec<String>)>,
}

impl Classes {
    /// What the metadata of a file say; nothing where they are not those of `datasets`.
    pub fn new(metadata: &[KeyValue]) -> Classes {
        let text = metadata.iter().find(|entry| entry.key == "huggingface").and_then(|entry| entry.value.as_deref());
        let json: Json = text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
        let mut classes = Classes::default();
        if let Some(features) = json.pointer("/info/features") {
            classes.collect(features, String::new());
        }
        classes
    }

    /// The names of the classes of a column by number; never empty.
    pub fn of(&self, column: &str) -> Option<&[String]> {
        self.named.iter().find(|(name, _)| name == column).map(|(_, names)| names.as_slice())
    }

    fn collect(&mut self, feature: &Json, name: String) {
        if feature["_type"] == "ClassLabel" {
            let names = feature["names"].as_array().into_iter().flatten();
            let names: Vec<String> = names.filter_map(Json::as_str).map(str::to_string).collect();
            if !names.is_empty() {
                self.named.push((name, names));
            }
            return;
        }
        match feature {
            // A list: of what `feature` says, or as older versions write it.
            Json::Object(fields) if fields.contains_key("_type") => self.collect(&feature["feature"], name),
            Json::Array(items) => items.iter().take(1).for_each(|item| self.collect(item, name.clone())),
            Json::Object(fields) => {
                for (inner, feature) in fields {
                    self.collect(feature, if name.is_empty() { inner.clone() } else { format!("{name}.{inner}") });
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn classes(features: &str) -> Classes {
        let value = format!("{{\"info\": {{\"features\": {features}}}}}");
        Classes::new(&[KeyValue::new("pandas".into(), "{}".to_string()), KeyValue::new("huggingface".into(), value)])
    }

    #[test]
    fn names_are_found_wherever_features_stand() {
        let label = r#"{"names": ["a", "b"], "_type": "ClassLabel"}"#;
        let features = format!(
            r#"{{"label": {label}, "text": {{"dtype": "string", "_type": "Value"}}, "old": [{label}],
            "tags": {{"feature": {label}, "_type": "Sequence"}}, "group": {{"inner": {label}}},
            "list": {{"feature": {{"x": {label}}}, "_type": "List"}}, "none": {{"names": [], "_type": "ClassLabel"}}}}"#
        );
        let classes = classes(&features);
        for name in ["label", "old", "tags", "group.inner", "list.x"] {
            assert_eq!(classes.of(name), Some(&["a".to_string(), "b".to_string()][..]), "{name}");
        }
        assert_eq!((classes.of("text"), classes.of("none"), classes.of("group")), (None, None, None));
    }

    #[test]
    fn other_metadata_name_nothing() {
        for features in ["", "[]", "{\"label\": 1}", "{\"label\": {\"_type\": \"ClassLabel\"}}"] {
            assert_eq!(classes(features).of("label"), None);
        }
        assert_eq!(Classes::new(&[]).of("label"), None);
    }
}
