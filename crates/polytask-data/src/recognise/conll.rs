//! Are they tagged sentences, one token a line?
//!
//! Every line has as many columns as the others, and blank lines end sentences. The words are in the column with the
//! most distinct values; tags of spans are called `chunk` where their types are those of phrases, else `ner`.

use std::collections::BTreeSet;

use polytask_spec::data::{ConllData, Data, Files};

use super::columns::is_spans;
use super::found::{ColumnFound, Layout, Role, TargetKind};
use super::{Format, Guess, Sample};
use crate::error::Result;
use crate::record::ColumnKind;

pub(super) const FORMAT: Format =
    Format { key: "conll", summary: "CoNLL (one token a line, a blank line after each sentence)", guess };

/// The names of the ten columns of CoNLL-U.
const UNIVERSAL: [&str; 10] = ["id", "token", "lemma", "upos", "xpos", "feats", "head", "deprel", "deps", "misc"];

/// Types of phrases (Tjong Kim Sang and Buchholz, "Introduction to the CoNLL-2000 Shared Task: Chunking", 2000).
const PHRASES: [&str; 11] = ["NP", "VP", "PP", "ADVP", "ADJP", "SBAR", "PRT", "CONJP", "INTJ", "LST", "UCP"];

/// Most distinct values of a column that is taken for tags.
const TAGS_MAX: usize = 300;

const COLUMNS_MAX: usize = 20;

fn guess(sample: &Sample) -> Result<Option<Guess>> {
    if sample.is_binary() {
        return Ok(None);
    }
    let texts = sample.texts();
    let (mut rows, mut sentences, mut inside) = (Vec::<Vec<&str>>::new(), Vec::<usize>::new(), false);
    let mut comments = 0;
    for line in &texts {
        let cells: Vec<&str> = line.split_ascii_whitespace().collect();
        match cells.first() {
            None => inside = false,
            Some(&"-DOCSTART-") => {}
            Some(&"#") if cells.contains(&"=") => comments += 1,
            Some(_) => {
                if !inside {
                    sentences.push(0);
                }
                inside = true;
                *sentences.last_mut().expect("a sentence has begun") += 1;
                rows.push(cells);
            }
        }
    }
    let Some(width) = rows.first().map(Vec::len) else { return Ok(None) };
    if comments > 0 && width == UNIVERSAL.len() && rows[0][0].parse::<u32>().is_ok() {
        return Ok(Some(universal()));
    }
    // A table without blank lines is something else; so is text, whose lines have all kinds of lengths.
    let blank = sentences.len() > 1 || texts.last().is_some_and(|line| line.trim().is_empty()) && rows.len() > 1;
    let even = rows.iter().all(|row| row.len() == width);
    if !even || !blank || !(2..=COLUMNS_MAX).contains(&width) || rows.len() < 2 * sentences.len() {
        return Ok(None);
    }
    let Some(columns) = columns(&rows, width) else { return Ok(None) };
    let names: Vec<String> = columns.iter().map(|column| column.name.clone()).collect();
    let why =
        format!("CoNLL: {width} columns in each line, blank lines between sentences; columns {}", names.join(" "));
    let mut layout =
        Layout::new::<&str>(Data::Conll(ConllData { files: Files::default(), columns: names }), why, columns, &[]);
    layout.lengths = sentences;
    Ok(Some(Guess::Examples(Box::new(layout))))
}

fn universal() -> Guess {
    Guess::Refused(
        "CoNLL-U, whose comments and word ranges are not read".to_string(),
        "keep the lines of words: `grep -v '^#' FILE | grep -vE '^[0-9]+[-.]'`, and name the columns \
         id token lemma upos xpos feats head deprel deps misc"
            .to_string(),
    )
}

fn columns(rows: &[Vec<&str>], width: usize) -> Option<Vec<ColumnFound>> {
    let distinct: Vec<BTreeSet<&str>> = (0..width).map(|index| rows.iter().map(|row| row[index]).collect()).collect();
    let counter = rows.iter().all(|row| row[0].parse::<u32>().is_ok());
    if counter && width == UNIVERSAL.len() {
        let column = |index: usize| {
            let (kind, role) = match UNIVERSAL[index] {
                "token" => (ColumnKind::Tokens, Role::Tokens),
                "upos" | "xpos" | "deprel" if distinct[index].len() > 1 => {
                    (ColumnKind::Tags, Role::Target(TargetKind::Tag))
                }
                _ => (ColumnKind::Tags, Role::Ignored("it is no tag")),
            };
            ColumnFound { name: UNIVERSAL[index].into(), kind, role, suggested: UNIVERSAL[index] == "upos" }
        };
        return Some((0..width).map(column).collect());
    }
    let start = usize::from(counter);
    // The first of those with the most distinct values: lemmas have fewer than words.
    let token = (start..width).max_by_key(|&index| (distinct[index].len(), std::cmp::Reverse(index)))?;
    let mut found: Vec<ColumnFound> = Vec::new();
    for (index, values) in distinct.iter().enumerate() {
        let tags: Vec<&str> = values.iter().copied().collect();
        let (name, role) = match () {
            () if index == token => ("token".to_string(), Role::Tokens),
            () if counter && index == 0 => ("id".to_string(), Role::Ignored("it counts the words")),
            () if values.len() < 2 => ("constant".to_string(), Role::Ignored("it has the same value everywhere")),
            () if values.len() > TAGS_MAX => ("lemma".to_string(), Role::Ignored("it has too many values for tags")),
            () if is_spans(&tags) => {
                let name = if is_phrases(&tags) { "chunk" } else { "ner" };
                (name.to_string(), Role::Target(TargetKind::TagSpans))
            }
            () => ("pos".to_string(), Role::Target(TargetKind::Tag)),
        };
        let kind = if index == token { ColumnKind::Tokens } else { ColumnKind::Tags };
        let mut unique = name.clone();
        let mut number = 2;
        while found.iter().any(|column| column.name == unique) {
            unique = format!("{name}{number}");
            number += 1;
        }
        found.push(ColumnFound { name: unique, kind, role, suggested: false });
    }
    let rank = |column: &ColumnFound| match (column.role, column.name.as_str()) {
        (Role::Target(TargetKind::TagSpans), name) if name.starts_with("ner") => 3,
        (Role::Target(TargetKind::TagSpans), _) => 2,
        (Role::Target(_), _) => 1,
        _ => 0,
    };
    let best = (0..found.len()).max_by_key(|&index| rank(&found[index])).filter(|&index| rank(&found[index]) > 0)?;
    found[best].suggested = true;
    Some(found)
}

fn is_phrases(tags: &[&str]) -> bool {
    let kinds: Vec<&str> = tags.iter().filter_map(|tag| tag.split_once('-')).map(|(_, kind)| kind).collect();
    !kinds.is_empty() && kinds.iter().all(|kind| PHRASES.contains(kind))
}
