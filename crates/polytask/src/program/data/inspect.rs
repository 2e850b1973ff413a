//! `polytask data inspect`: what a file or folder holds.

use std::fmt::Write;
use std::path::Path;

use polytask::data::inspect::{ColumnInspected, Inspected, PartInspected, inspect};
use polytask::data::recognise::{VectorsFound, recognise};
use polytask::data::vectors::read_vectors;
use serde::Serialize;

use super::super::failure::Failure;
use super::super::table::{Table, count};
use super::super::{print, print_json};
use super::Form;

/// Words of vectors that are shown.
const WORDS: usize = 8;

#[derive(Debug, Serialize)]
struct Report {
    datasets: Vec<Inspected>,
    vectors: Vec<Vectors>,
    passed_over: Vec<Passed>,
}

#[derive(Debug, Serialize)]
struct Vectors {
    file: String,
    why: String,
    words: Option<usize>,
    dim: usize,
    first_words: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
}

#[derive(Debug, Serialize)]
struct Passed {
    file: String,
    why: String,
}

/// Reads everything at a path and prints the figures.
pub fn run(path: &Path, form: Form) -> Result<(), Failure> {
    let found = recognise(path)?;
    let datasets = found.datasets.iter().map(inspect).collect::<Result<Vec<_>, _>>()?;
    let vectors = found.vectors.iter().map(vectors).collect::<Result<Vec<_>, Failure>>()?;
    let passed = found.passed.iter().map(|(file, why)| Passed { file: file.display().to_string(), why: why.clone() });
    let report = Report { datasets, vectors, passed_over: passed.collect() };
    if form == Form::Json {
        return print_json(&report);
    }
    let mut parts: Vec<String> = report.datasets.iter().map(dataset).collect();
    parts.extend(report.vectors.iter().map(|vectors| {
        let words = vectors.words.map_or_else(|| "words".to_owned(), |words| format!("{} words", count(words)));
        let note = vectors.note.as_ref().map_or_else(String::new, |note| format!("  note: {note}\n"));
        let first = vectors.first_words.join(" ");
        format!("{}: {}\n  {words} of {} numbers: {first} ...\n{note}", vectors.file, vectors.why, vectors.dim)
    }));
    for passed in &report.passed_over {
        parts.push(format!("passed over: {}: {}\n", passed.file, passed.why));
    }
    print(&parts.join("\n"))
}

/// Reads word vectors to their end.
fn vectors(found: &VectorsFound) -> Result<Vectors, Failure> {
    let (mut words, mut first) = (found.words, Vec::new());
    if found.is_readable() {
        let seen = std::sync::Mutex::new((0_usize, Vec::new()));
        // No vector is kept: the words are only looked at.
        read_vectors(&found.path, &|word| {
            let mut seen = seen.lock().expect("no thread panics");
            seen.0 += 1;
            if seen.1.len() < WORDS {
                seen.1.push(word.to_owned());
            }
            false
        })
        .map_err(|error| Failure::Data(error.to_string()))?;
        let (count, start) = seen.into_inner().expect("no thread panics");
        (words, first) = (Some(count), start);
    }
    let (file, why) = (found.path.display().to_string(), found.why.clone());
    Ok(Vectors { file, why, words, dim: found.dim, first_words: first, note: found.unreadable.clone() })
}

fn dataset(inspected: &Inspected) -> String {
    let mut text = format!("{}: format {}\n", inspected.dataset, inspected.format);
    for why in &inspected.why {
        let _ = writeln!(text, "  {why}");
    }
    let mut table = Table::new(["part", "examples", "words", "median", "95 %", "longest"]);
    for part in &inspected.parts {
        let lengths = part.lengths.map(|lengths| [lengths.total, lengths.median, lengths.p95, lengths.max].map(count));
        let start = [part.part.to_owned(), count(part.examples)];
        table.row(start.into_iter().chain(lengths.into_iter().flatten()));
    }
    let _ = write!(text, "\n{table}\n{}", columns(&inspected.parts));
    if let Some(part) = inspected.parts.first() {
        text.push_str("\nthe first examples:\n");
        part.shown.iter().for_each(|example| {
            let _ = writeln!(text, "  {example}");
        });
    }
    for note in &inspected.notes {
        let _ = writeln!(text, "note: {note}");
    }
    text
}

fn columns(parts: &[PartInspected]) -> String {
    let mut table = Table::new(["part", "column", "kind", "missing", "distinct", "values"]);
    for part in parts {
        for column in &part.columns {
            let distinct = match column.distinct {
                Some(distinct) => count(distinct),
                None if matches!(column.kind, "text" | "tokens") => String::new(),
                None => "many".to_owned(),
            };
            let start = [part.part, &column.name, column.kind].map(str::to_owned);
            table.row(start.into_iter().chain([count(column.missing), distinct, values(column)]));
        }
    }
    table.to_string()
}

/// The most frequent values, with how often they come; the range of many numbers.
fn values(column: &ColumnInspected) -> String {
    const SHOWN: usize = 6;
    if let Some([least, most]) = column.range.filter(|_| column.values.len() > 12) {
        return format!("{least} to {most}");
    }
    let shown: Vec<String> =
        column.values.iter().take(SHOWN).map(|(value, times)| format!("{value} {}", count(*times))).collect();
    let rest = column.values.len().saturating_sub(SHOWN);
    if rest > 0 { format!("{} and {rest} more", shown.join(", ")) } else { shown.join(", ") }
}
