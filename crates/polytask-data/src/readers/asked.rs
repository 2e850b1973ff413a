//! Which columns of a table does a dataset need?
//!
//! Files name their columns themselves, so what is read follows from what is asked: the columns that tasks predict, the
//! text, and the stratum. Other columns are passed over.

use polytask_spec::data::NamedColumns;
use polytask_spec::suggest;

use crate::error::{Error, Malformed, Result};
use crate::record::{Column, ColumnKind};
use crate::table::TEXT;

/// The stratum where the configuration names none and the files have such a column.
const STRATUM: &str = "label";

/// The columns that a dataset needs of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The columns that hold text; empty where the files decide.
    texts: Vec<String>,
    /// The column whose values are strata, where the configuration names it.
    stratum: Option<String>,
    /// The columns that tasks predict, each once.
    targets: Vec<Column>,
}

impl Asked {
    /// What a configuration and the targets of tasks ask for.
    pub fn new(named: &NamedColumns, targets: &[Column]) -> Asked {
        let mut once = Vec::<Column>::new();
        for target in targets {
            if !once.iter().any(|column| column.name == target.name) {
                once.push(target.clone());
            }
        }
        Asked { texts: named.texts().to_vec(), stratum: named.stratum.clone(), targets: once }
    }

    /// The columns of a record: texts, targets, and the stratum where it is not among them.
    pub fn columns(&self) -> Vec<Column> {
        let texts = match self.texts.as_slice() {
            [] => vec![Column::new(TEXT, ColumnKind::Text)],
            names => names.iter().map(|name| Column::new(name, ColumnKind::Text)).collect(),
        };
        let mut columns: Vec<Column> = texts.into_iter().chain(self.targets.iter().cloned()).collect();
        if !columns.iter().any(|column| column.name == self.stratum()) {
            columns.push(Column::new(self.stratum(), ColumnKind::Label));
        }
        columns
    }

    /// The column whose values are strata, if the files have it.
    pub fn stratum(&self) -> &str {
        self.stratum.as_deref().unwrap_or(STRATUM)
    }

    /// Whether a file may lack the stratum.
    pub fn may_lack(&self, column: &Column) -> bool {
        self.stratum.is_none() && column.name == STRATUM && !self.targets.contains(column)
    }

    /// The name of each column of a record in a table that has some columns: what [`columns`](Asked::columns) says,
    /// with the text by its name in the table.
    ///
    /// `None` if the text has no name yet and the table no column that is likely to be it.
    pub fn names(&self, has: impl Fn(&str) -> bool) -> Option<Vec<String>> {
        let mut names: Vec<String> = self.columns().into_iter().map(|column| column.name).collect();
        if self.texts.is_empty() {
            let tagged = self.targets.iter().any(|target| target.kind == ColumnKind::Tags);
            let is_target = |name: &str| self.targets.iter().any(|target| target.name == name);
            names[0] = NamedColumns::likely_texts(tagged).find(|name| has(name) && !is_target(name))?.to_string();
        }
        Some(names)
    }

    /// The position in a header of each column of a record; `None` for a stratum that may be absent, and is.
    ///
    /// # Errors
    /// [`Error::Malformed`] at `line` of `file` for a column that is not there, or is there twice.
    pub fn find(&self, header: &[String], file: &str, line: u32) -> Result<Vec<Option<usize>>> {
        let names = self.names(|name| header.iter().any(|known| known == name));
        let names = names.ok_or_else(|| no_text(header, file, line))?;
        let place = |(name, column): (&String, &Column)| {
            let mut places = header.iter().enumerate().filter(|(_, known)| *known == name).map(|(place, _)| place);
            match (places.next(), places.next()) {
                (Some(place), None) => Ok(Some(place)),
                (None, _) if self.may_lack(column) => Ok(None),
                (None, _) => Err(no_column(name, header, file, line)),
                (Some(_), Some(_)) => Err(malformed(
                    format!("one column `{name}`"),
                    "several of that name".to_string(),
                    "give each column a name of its own".to_string(),
                    (file, line),
                )),
            }
        };
        names.iter().zip(&self.columns()).map(place).collect()
    }
}

/// The error of a table that lacks a column.
pub(super) fn no_column(name: &str, known: &[String], file: &str, line: u32) -> Error {
    let help = suggest(name, known.iter().map(String::as_str).take(SHOWN).collect::<Vec<_>>());
    malformed(format!("a column `{name}`"), list(known), help, (file, line))
}

/// The error of a table in which no column is likely to be the text.
pub(super) fn no_text(known: &[String], file: &str, line: u32) -> Error {
    let likely: Vec<String> = NamedColumns::likely_texts(false).map(|name| format!("`{name}`")).collect();
    let accepted = format!("a column that holds the text, called {}", likely.join(", "));
    let help = "name the column that holds the text: `text = \"COLUMN\"`".to_string();
    malformed(accepted, list(known), help, (file, line))
}

const SHOWN: usize = 20;

/// Names in back ticks, the first ones of many.
pub(super) fn list(names: &[String]) -> String {
    let shown: Vec<String> = names.iter().take(SHOWN).map(|name| format!("`{name}`")).collect();
    match names.len() {
        0 => "none".to_string(),
        count if count > SHOWN => format!("{} and {} more", shown.join(", "), count - SHOWN),
        _ => shown.join(", "),
    }
}

fn malformed(accepted: String, found: String, help: String, (file, line): (&str, u32)) -> Error {
    Malformed { file: file.to_string(), line: u64::from(line), column: None, accepted, found, help }.into()
}

#[cfg(test)]
pub(super) mod tests {
    use polytask_spec::data::Texts;

    use super::*;

    /// What is asked for by the names of texts and the names and kinds of targets.
    pub(in crate::readers) fn asked(texts: &[&str], targets: &[(&str, ColumnKind)]) -> Asked {
        let names = || texts.iter().map(ToString::to_string).collect();
        let text = (!texts.is_empty()).then(|| Texts::Many(names()));
        let targets: Vec<Column> = targets.iter().map(|(name, kind)| Column::new(*name, *kind)).collect();
        Asked::new(&NamedColumns { text, stratum: None }, &targets)
    }

    fn header(names: &str) -> Vec<String> {
        names.split(' ').map(str::to_string).collect()
    }

    #[test]
    fn columns_are_texts_targets_and_stratum() {
        let names = |asked: &Asked| asked.columns().into_iter().map(|column| column.name).collect::<Vec<_>>();
        let both = [("stars", ColumnKind::Number), ("stars", ColumnKind::Label)];
        assert_eq!(names(&asked(&[], &both)), ["text", "stars", "label"]);
        assert_eq!(names(&asked(&["a", "b"], &[("label", ColumnKind::Label)])), ["a", "b", "label"]);
        let named = NamedColumns { text: None, stratum: Some("topic".into()) };
        assert_eq!(names(&Asked::new(&named, &[])), ["text", "topic"]);
    }

    #[test]
    fn columns_are_found_in_a_header() {
        let label = [("label", ColumnKind::Label)];
        let find = |asked: Asked, names: &str| asked.find(&header(names), "f", 3).map_err(|error| error.to_string());
        assert_eq!(find(asked(&[], &label), "id label review").unwrap(), [Some(2), Some(1)]);
        assert_eq!(find(asked(&[], &[("text", ColumnKind::Label)]), "review text").unwrap(), [Some(0), Some(1), None]);
        assert_eq!(find(asked(&["b", "a"], &label), "a b label").unwrap(), [Some(1), Some(0), Some(2)]);
        let tags = [("ner", ColumnKind::Tags)];
        assert_eq!(find(asked(&[], &tags), "text tokens ner").unwrap(), [Some(1), Some(2), None]);
        assert_eq!(
            find(asked(&[], &label), "text labels id").unwrap_err(),
            "f:3: expected a column `label`, found `text`, `labels`, `id`\n  help: did you mean `labels`? accepted: \
             `text`, `labels`, `id`"
        );
        let message = find(asked(&[], &label), "premise hypothesis label").unwrap_err();
        assert!(message.starts_with("f:3: expected a column that holds the text, called `text`, "), "{message}");
        assert!(
            message.ends_with(
                "found `premise`, `hypothesis`, `label`\n  help: name the column that holds the text: \
            `text = \"COLUMN\"`"
            ),
            "{message}"
        );
        let message = find(asked(&[], &label), "text label label").unwrap_err();
        assert!(message.starts_with("f:3: expected one column `label`, found several"), "{message}");
        let many = vec!["x"; 30].join(" ");
        assert!(find(asked(&[], &label), &many).unwrap_err().contains("`x` and 10 more"));
    }

    #[test]
    fn a_stratum_that_is_named_must_be_there() {
        let asked = Asked::new(&NamedColumns { text: None, stratum: Some("topic".into()) }, &[]);
        let message = asked.find(&header("text"), "f", 1).unwrap_err().to_string();
        assert!(message.starts_with("f:1: expected a column `topic`, found `text`"), "{message}");
    }
}
