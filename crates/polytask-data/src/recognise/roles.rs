//! What is a file for, by its name?
//!
//! `eng.train`, `test.csv`, `books.task.unlabel`, `train-00000-of-00002.parquet`: a word of the name says what its
//! examples are for, and the rest says which dataset they belong to.

use std::path::Path;

/// What a file is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum FileRole {
    /// Training.
    Train,
    /// Validation.
    Valid,
    /// The test.
    Test,
    /// Nothing that is said.
    Whole,
    /// It has no labels.
    Unlabelled,
}

const WORDS: [(&str, FileRole); 20] = [
    ("train", FileRole::Train),
    ("training", FileRole::Train),
    ("trn", FileRole::Train),
    ("traindata", FileRole::Train),
    ("valid", FileRole::Valid),
    ("validation", FileRole::Valid),
    ("val", FileRole::Valid),
    ("dev", FileRole::Valid),
    ("devel", FileRole::Valid),
    ("development", FileRole::Valid),
    ("testa", FileRole::Valid),
    ("test", FileRole::Test),
    ("testing", FileRole::Test),
    ("tst", FileRole::Test),
    ("testb", FileRole::Test),
    ("unlabel", FileRole::Unlabelled),
    ("unlabeled", FileRole::Unlabelled),
    ("unlabelled", FileRole::Unlabelled),
    ("unsup", FileRole::Unlabelled),
    ("unsupervised", FileRole::Unlabelled),
];

/// Endings that say how a file is written.
const ENDINGS: [&str; 16] = [
    "gz", "zip", "tar", "tgz", "txt", "csv", "tsv", "json", "jsonl", "ndjson", "parquet", "conll", "conllu", "bio",
    "iob", "tab",
];

/// What a file is for, and the name of its dataset; the name is empty where the file's name says nothing more.
pub(crate) fn role(path: &Path) -> (FileRole, String) {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    let mut role = FileRole::Whole;
    let mut words: Vec<&str> = name.split(|c: char| !c.is_alphanumeric() && c != '&').collect();
    while words.len() > 1 && words.last().is_some_and(|last| ENDINGS.contains(last)) {
        words.pop();
    }
    // The last word that says it: `train` in `test-suite.train`.
    if let Some(at) = words.iter().rposition(|word| WORDS.iter().any(|(known, _)| known == word)) {
        role = WORDS.iter().find(|(known, _)| *known == words[at]).map_or(role, |(_, role)| *role);
        words.remove(at);
    }
    // The parts of a file that was cut: `00000 of 00002`.
    if let Some(at) = words.iter().rposition(|word| *word == "of").filter(|&at| at > 0 && at + 1 < words.len()) {
        let is_count = |word: &str| word.len() >= 4 && word.chars().all(|c| c.is_ascii_digit());
        if is_count(words[at - 1]) && is_count(words[at + 1]) {
            words.drain(at - 1..=at + 1);
        }
    }
    // Words that say nothing about the dataset.
    words.retain(|word| !word.is_empty() && *word != "task");
    (role, words.join("-"))
}

/// A name for a configuration.
pub(crate) fn plain_name(text: &str) -> String {
    let mut name = String::new();
    for letter in text.to_lowercase().chars() {
        if letter.is_ascii_alphanumeric() {
            name.push(letter);
        } else if !name.is_empty() && !name.ends_with('-') {
            name.push('-');
        }
    }
    let name = name.trim_end_matches('-');
    if name.is_empty() { "data".to_string() } else { name.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_what_files_are_for() {
        let table = [
            ("eng.train", FileRole::Train, "eng"),
            ("eng.testa", FileRole::Valid, "eng"),
            ("eng.testb", FileRole::Test, "eng"),
            ("books.task.unlabel", FileRole::Unlabelled, "books"),
            ("toys_games.task.test", FileRole::Test, "toys-games"),
            ("train.csv.gz", FileRole::Train, ""),
            ("train-00000-of-00002.parquet", FileRole::Train, ""),
            ("en_ewt-ud-dev.conllu", FileRole::Valid, "en-ewt-ud"),
            ("latest_news.csv", FileRole::Whole, "latest-news"),
            ("test-suite.train.txt", FileRole::Train, "test-suite"),
            ("reviews", FileRole::Whole, "reviews"),
        ];
        for (name, expected, stem) in table {
            assert_eq!(role(Path::new(name)), (expected, stem.to_string()), "{name}");
        }
    }

    #[test]
    fn names_of_configurations_are_plain() {
        let table = [("kitchen_&_housewares", "kitchen-housewares"), ("IMDB", "imdb"), ("é", "data"), ("--a--", "a")];
        for (text, expected) in table {
            assert_eq!(plain_name(text), expected);
        }
    }
}
