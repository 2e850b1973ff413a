//! What is each column of a table good for?
//!
//! Names count first (`text`, `label`, ...), then values: texts are long and hardly repeat, classes repeat, numbers are
//! many. What names every row alone is no target.

use std::collections::BTreeMap;

use polytask_spec::data::NamedColumns;

use super::found::{ColumnFound, Role, TargetKind};
use crate::record::ColumnKind;

/// Columns that are likely to be what is predicted, the likeliest first.
const TARGET_NAMES: [&str; 14] = [
    "label",
    "labels",
    "class",
    "category",
    "target",
    "sentiment",
    "polarity",
    "topic",
    "intent",
    "y",
    "ner_tags",
    "ner",
    "tags",
    "upos",
];

/// Columns that name rows.
const ID_NAMES: [&str; 12] =
    ["id", "idx", "index", "guid", "uid", "uuid", "url", "asin", "user_id", "timestamp", "date", "unnamed: 0"];

/// Most classes that are taken for classes.
const CLASSES_MAX: usize = 200;

/// A value that was looked at.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Cell {
    /// Nothing.
    Missing,
    /// A string, a truth value, or the name of a class.
    Text(String),
    /// A number.
    Number(f64),
    /// A list of strings.
    Words(Vec<String>),
    /// A list of numbers, as tags by number are.
    Numbers(Vec<String>),
    /// What no column of a record holds.
    Other,
}

impl Cell {
    /// The value of a cell that is all text: a number where it is one.
    pub fn of_text(text: &str) -> Cell {
        match text.trim() {
            "" => Cell::Missing,
            trimmed => match trimmed.parse::<f64>() {
                Ok(number) if number.is_finite() => Cell::Number(number),
                _ => Cell::Text(text.to_string()),
            },
        }
    }
}

/// What each column may be good for; `rows` are values by column.
pub(crate) fn columns(names: &[String], rows: &[Vec<Cell>]) -> Vec<ColumnFound> {
    let column = |index: usize| rows.iter().map(move |row| &row[index]);
    let tokens = tokens_column(names, &|index| column(index).collect());
    let text = match tokens {
        Some(_) => None,
        None => text_column(names, &|index| column(index).collect()),
    };
    let mut found: Vec<ColumnFound> = names
        .iter()
        .enumerate()
        .map(|(index, name)| {
            let values: Vec<&Cell> = column(index).collect();
            let (kind, role) = match index {
                _ if tokens == Some(index) => (ColumnKind::Tokens, Role::Tokens),
                _ if text == Some(index) => (ColumnKind::Text, Role::Text),
                _ => {
                    let words: Option<Vec<&Cell>> = tokens.map(|tokens| column(tokens).collect());
                    role(name, &values, words.as_deref())
                }
            };
            ColumnFound { name: name.clone(), kind, role, suggested: false }
        })
        .collect();
    suggest(&mut found);
    found
}

/// Marks the column that is the likeliest to be predicted.
pub(crate) fn suggest(columns: &mut [ColumnFound]) {
    let is_target = |column: &ColumnFound| matches!(column.role, Role::Target(_));
    let named = TARGET_NAMES
        .iter()
        .find_map(|name| columns.iter().position(|found| is_target(found) && found.name.eq_ignore_ascii_case(name)));
    // Else classes and spans before numbers and other tags.
    let is_likely =
        |column: &ColumnFound| matches!(column.role, Role::Target(TargetKind::Classify(_) | TargetKind::TagSpans));
    let best = named.or_else(|| columns.iter().position(is_likely)).or_else(|| columns.iter().position(is_target));
    if let Some(index) = best {
        columns[index].suggested = true;
    }
}

fn tokens_column<'a>(names: &[String], values: &dyn Fn(usize) -> Vec<&'a Cell>) -> Option<usize> {
    let is_words = |&index: &usize| {
        let values = values(index);
        values.iter().any(|cell| matches!(cell, Cell::Words(_)))
            && values.iter().all(|cell| matches!(cell, Cell::Words(_) | Cell::Missing))
    };
    let lists: Vec<usize> = (0..names.len()).filter(is_words).collect();
    let named = NamedColumns::likely_texts(true)
        .find_map(|name| lists.iter().copied().find(|&index| names[index].eq_ignore_ascii_case(name)));
    // Else the list with the most distinct words.
    named.or_else(|| {
        lists.into_iter().max_by_key(|&index| {
            let mut words: Vec<&String> = Vec::new();
            for cell in values(index) {
                if let Cell::Words(list) = cell {
                    words.extend(list);
                }
            }
            words.sort_unstable();
            words.dedup();
            (words.len(), std::cmp::Reverse(index))
        })
    })
}

fn text_column<'a>(names: &[String], values: &dyn Fn(usize) -> Vec<&'a Cell>) -> Option<usize> {
    let is_text = |index: usize| {
        let values = values(index);
        let strings = values.iter().filter(|cell| matches!(cell, Cell::Text(_))).count();
        strings > 0 && 2 * strings >= values.iter().filter(|cell| ***cell != Cell::Missing).count()
    };
    let named = NamedColumns::likely_texts(false)
        .find_map(|name| names.iter().position(|known| known.eq_ignore_ascii_case(name)).filter(|&at| is_text(at)));
    named.or_else(|| {
        let words = |index: usize| -> usize {
            let values = values(index);
            let words = values.iter().map(|cell| match cell {
                Cell::Text(text) => text.split_whitespace().count(),
                _ => 0,
            });
            words.sum::<usize>()
        };
        let longest = (0..names.len()).filter(|&index| is_text(index)).max_by_key(|&index| words(index))?;
        // A text has some words more than a label.
        (words(longest) >= 2 * values(longest).len()).then_some(longest)
    })
}

/// What a column that is no text may be good for; `words` are those of each row where tokens are tagged.
fn role(name: &str, values: &[&Cell], words: Option<&[&Cell]>) -> (ColumnKind, Role) {
    let known: Vec<&&Cell> = values.iter().filter(|cell| **cell != &Cell::Missing).collect();
    if known.is_empty() {
        return (ColumnKind::Label, Role::Ignored("it is empty"));
    }
    if known.iter().any(|cell| matches!(cell, Cell::Other)) {
        return (ColumnKind::Label, Role::Ignored("it holds neither text, numbers nor lists of them"));
    }
    if known.iter().any(|cell| matches!(cell, Cell::Words(_) | Cell::Numbers(_))) {
        return (ColumnKind::Tags, tags(values, words));
    }
    let mut counts = BTreeMap::<String, usize>::new();
    let mut numbers = Vec::new();
    for cell in &known {
        let text = match cell {
            Cell::Number(number) => {
                numbers.push(*number);
                crate::record::number_label(*number)
            }
            Cell::Text(text) => text.trim().to_string(),
            _ => continue,
        };
        *counts.entry(text).or_default() += 1;
    }
    let is_number = numbers.len() == known.len();
    let whole = numbers.iter().all(|number| number.fract() == 0.0);
    let (rows, distinct) = (known.len(), counts.len());
    let ascending = is_number && numbers.len() > 2 && numbers.windows(2).all(|pair| pair[1] - pair[0] == 1.0);
    if ID_NAMES.iter().any(|id| name.eq_ignore_ascii_case(id)) || ascending {
        return (ColumnKind::Label, Role::Ignored("it names the rows"));
    }
    if distinct == 1 && rows > 1 {
        return (ColumnKind::Label, Role::Ignored("it has the same value everywhere"));
    }
    let few = if is_number { distinct <= 20 && whole } else { distinct <= CLASSES_MAX };
    match (few && (2 * distinct <= rows || rows < 10 && distinct < rows), is_number) {
        (true, _) => (ColumnKind::Label, Role::Target(TargetKind::Classify(distinct))),
        (false, true) => (ColumnKind::Number, Role::Target(TargetKind::Regress)),
        (false, false) => (ColumnKind::Label, Role::Ignored("its values hardly repeat")),
    }
}

fn tags(values: &[&Cell], words: Option<&[&Cell]>) -> Role {
    let length = |cell: &Cell| match cell {
        Cell::Words(list) | Cell::Numbers(list) => Some(list.len()),
        _ => None,
    };
    let Some(words) = words else { return Role::Ignored("it is a list, and no column holds words") };
    let fits = values.iter().zip(words).all(|(tags, words)| **tags == Cell::Missing || length(tags) == length(words));
    if !fits {
        return Role::Ignored("its lists are not as long as those of the words");
    }
    let mut all: Vec<&str> = Vec::new();
    for cell in values {
        if let Cell::Words(list) | Cell::Numbers(list) = cell {
            all.extend(list.iter().map(String::as_str));
        }
    }
    Role::Target(if is_spans(&all) { TargetKind::TagSpans } else { TargetKind::Tag })
}

/// Whether tags are those of spans: `O`, `B-PER`, `I-PER`, ...
pub(crate) fn is_spans(tags: &[&str]) -> bool {
    let is_span = |tag: &str| {
        tag.split_once(['-', '_'])
            .is_some_and(|(prefix, kind)| !kind.is_empty() && matches!(prefix, "B" | "I" | "E" | "S" | "L" | "U" | "M"))
    };
    tags.iter().any(|tag| is_span(tag)) && tags.iter().all(|tag| *tag == "O" || is_span(tag))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(names: &str, rows: &[&str]) -> Vec<(String, Role, bool)> {
        let names: Vec<String> = names.split('|').map(str::to_string).collect();
        let rows: Vec<Vec<Cell>> = rows.iter().map(|row| row.split('|').map(Cell::of_text).collect()).collect();
        columns(&names, &rows).into_iter().map(|column| (column.name, column.role, column.suggested)).collect()
    }

    #[test]
    fn texts_classes_numbers_and_ids_are_told_apart() {
        let rows = [
            "1|a very good film indeed|pos|4.5|x1",
            "2|a very bad film indeed|neg|1.25|x2",
            "3|nobody should see this|neg|1.5|x3",
            "4|everybody should see this|pos|4.75|x4",
        ];
        let expected = [
            ("id", Role::Ignored("it names the rows"), false),
            ("body of it", Role::Text, false),
            ("verdict", Role::Target(TargetKind::Classify(2)), true),
            ("stars", Role::Target(TargetKind::Regress), false),
            ("code", Role::Ignored("its values hardly repeat"), false),
        ];
        let found = table("id|body of it|verdict|stars|code", &rows);
        let expected: Vec<(String, Role, bool)> =
            expected.iter().map(|(name, role, suggested)| (name.to_string(), *role, *suggested)).collect();
        assert_eq!(found, expected);
        let found = table("label|text", &["0|good film here", "1|bad film here", "0|good one here", "1|bad one here"]);
        assert_eq!(found[0], ("label".into(), Role::Target(TargetKind::Classify(2)), true));
    }

    #[test]
    fn tags_are_as_many_as_words() {
        let words = |text: &str| Cell::Words(text.split(' ').map(str::to_string).collect());
        let names: Vec<String> = ["tokens", "ner_tags", "numbers", "short"].map(String::from).to_vec();
        let rows = vec![
            vec![words("EU rejects"), words("B-ORG O"), Cell::Numbers(vec!["3".into(), "0".into()]), words("O")],
            vec![words("Peter"), words("B-PER"), Cell::Missing, words("O")],
        ];
        let found = columns(&names, &rows);
        let roles: Vec<Role> = found.iter().map(|column| column.role).collect();
        assert_eq!(roles[..3], [Role::Tokens, Role::Target(TargetKind::TagSpans), Role::Target(TargetKind::Tag)]);
        assert_eq!(roles[3], Role::Ignored("its lists are not as long as those of the words"));
        assert!(found[1].suggested);
    }

    #[test]
    fn spans_are_known_by_their_prefixes() {
        assert!(is_spans(&["O", "B-PER", "I-PER"]) && is_spans(&["S-A", "O"]));
        assert!(!is_spans(&["O"]) && !is_spans(&["NNP", "O"]) && !is_spans(&["B-", "O"]) && !is_spans(&["X-PER"]));
    }
}
