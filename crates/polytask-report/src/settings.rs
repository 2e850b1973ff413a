//! What does a run's configuration say that a reader of its report wants to see at once?

use std::path::Path;

use indexmap::IndexMap;
use toml::{Table, Value};

use crate::error::ReportError;

/// The keys shown above all others.
const SHOWN: [&str; 9] = [
    "seed",
    "sharing.scheme",
    "balance.method",
    "optimizer.method",
    "optimizer.learning_rate",
    "train.epochs",
    "train.batch_size",
    "train.sampling",
    "train.select",
];

/// The settings of a run.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    root: Table,
}

impl Settings {
    /// Reads the text of a configuration that stands in a file.
    ///
    /// # Errors
    ///
    /// Where it is no TOML, with the line.
    pub fn parse(path: &Path, text: &str) -> Result<Settings, ReportError> {
        let root = text.parse().map_err(|error: toml::de::Error| {
            let start = error.span().map_or(0, |span| span.start.min(text.len()));
            let line = 1 + text.as_bytes()[..start].iter().filter(|&&byte| byte == b'\n').count();
            ReportError::Line { path: path.into(), line, what: error.message().trim_end().replace('\n', "; ") }
        })?;
        Ok(Settings { root })
    }

    /// The values of the most telling keys, by key, as far as the configuration has them.
    pub fn shown(&self) -> IndexMap<String, String> {
        let value = |key: &str| {
            let (table, name) = key.rsplit_once('.').unwrap_or(("", key));
            let table = if table.is_empty() { Some(&self.root) } else { self.root.get(table)?.as_table() };
            Some((key.to_owned(), plain(table?.get(name)?)))
        };
        SHOWN.into_iter().filter_map(value).collect()
    }

    /// A key of a task.
    pub fn of_task(&self, task: &str, key: &str) -> Option<String> {
        self.root.get("task")?.get(task)?.get(key).map(plain)
    }

    /// Names of the tasks.
    pub fn tasks(&self) -> impl Iterator<Item = &str> {
        self.root.get("task").and_then(Value::as_table).into_iter().flat_map(Table::keys).map(String::as_str)
    }
}

/// A value as it stands in a sentence: text without quotes.
fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_found_and_what_is_absent_is_not_shown() {
        let text = "seed = 7\n[balance]\nmethod = \"mgda\"\n[task.\"a.b\"]\nkind = \"tag\"\n";
        let settings = Settings::parse(Path::new("config.toml"), text).unwrap();
        let shown = settings.shown();
        assert_eq!(
            shown.iter().collect::<Vec<_>>(),
            [(&"seed".to_owned(), &"7".to_owned()), (&"balance.method".to_owned(), &"mgda".to_owned())]
        );
        assert_eq!(settings.of_task("a.b", "kind").as_deref(), Some("tag"));
        assert_eq!((settings.of_task("a", "kind"), settings.tasks().collect::<Vec<_>>()), (None, vec!["a.b"]));
    }

    #[test]
    fn damage_is_named_with_its_line() {
        let error = Settings::parse(Path::new("config.toml"), "seed = 7\nname = \n").unwrap_err().to_string();
        assert!(error.starts_with("config.toml:2: "), "{error}");
        assert!(Settings::parse(Path::new("c"), "task = 1").unwrap().of_task("a", "kind").is_none());
    }
}
