//! Which sizes does a measurement have? `key=value` arguments, the same for both sides.

use std::collections::BTreeMap;

/// Sizes by name, with the workload's own where none is given.
#[derive(Debug, Clone)]
pub struct Sizes(BTreeMap<String, String>);

impl Sizes {
    /// Reads `key=value` words; of two with the same key the last holds.
    ///
    /// # Errors
    ///
    /// Where a word has no `=`.
    pub fn parse<S: AsRef<str>>(words: &[S]) -> Result<Sizes, String> {
        let pairs = words.iter().map(|word| {
            let word = word.as_ref();
            let (key, value) = word.split_once('=').ok_or_else(|| format!("expected key=value, found `{word}`"))?;
            Ok((key.to_owned(), value.to_owned()))
        });
        Ok(Sizes(pairs.collect::<Result<_, String>>()?))
    }

    /// The same sizes with one set anew.
    pub fn with(&self, key: &str, value: &str) -> Sizes {
        let mut sizes = self.clone();
        sizes.0.insert(key.to_owned(), value.to_owned());
        sizes
    }

    /// A number.
    ///
    /// # Errors
    ///
    /// Where it is given, but is none.
    pub fn number(&self, key: &str, default: usize) -> Result<usize, String> {
        match self.0.get(key) {
            None => Ok(default),
            Some(value) => value.parse().map_err(|_| format!("{key}={value} is no whole number")),
        }
    }

    /// A word.
    pub fn word<'a>(&'a self, key: &str, default: &'a str) -> &'a str {
        self.0.get(key).map_or(default, String::as_str)
    }

    /// A word that has no default.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }

    /// A word that must be given.
    ///
    /// # Errors
    ///
    /// Where it is not.
    pub fn required(&self, key: &str) -> Result<&str, String> {
        self.get(key).ok_or_else(|| format!("the workload needs {key}=PATH"))
    }
}
