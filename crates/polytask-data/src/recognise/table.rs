//! Is it a table of cells, and do its first cells name the columns?

use polytask_spec::data::{CsvData, Data, Files, NamedColumns, Texts, TsvData};

use super::columns::{Cell, columns};
use super::found::{ColumnFound, Layout, Role};
use super::{Format, Guess, Sample};
use crate::error::Result;
use crate::readers::csv;

pub(super) const CSV: Format = Format { key: "csv", summary: "CSV with a column of texts", guess: guess_csv };
pub(super) const TSV: Format = Format { key: "tsv", summary: "TSV with a column of texts", guess: guess_tsv };

/// Rows that are looked at.
const ROWS: usize = 2_000;

fn guess_csv(sample: &Sample) -> Result<Option<Guess>> {
    if sample.is_binary() || sample.name.ends_with(".tsv") {
        return Ok(None);
    }
    // Those that cut every row into the same number of cells; the most cells win.
    let tables = [',', ';', '\t', '|'].map(|delimiter| (delimiter, rows(sample, delimiter)));
    let best = tables.into_iter().filter(|(_, rows)| !rows.is_empty()).max_by_key(|(_, rows)| rows[0].len());
    let Some((delimiter, rows)) = best else { return Ok(None) };
    let names = |columns, named| {
        let delimiter = delimiter.to_string();
        Data::Csv(CsvData { files: Files::default(), named, delimiter, columns })
    };
    // Tabs without quotes are TSV, in which a quote is a letter like others.
    if delimiter == '\t' && !sample.bytes.contains(&b'"') {
        return Ok(None);
    }
    Ok(table(&rows, &format!("CSV: {} cells in each row, separated by {delimiter:?}", rows[0].len()), names))
}

fn guess_tsv(sample: &Sample) -> Result<Option<Guess>> {
    if sample.is_binary() {
        return Ok(None);
    }
    let texts = sample.texts();
    let rows: Vec<Vec<String>> = texts
        .iter()
        .filter(|line| !line.is_empty())
        .take(ROWS)
        .map(|line| line.split('\t').map(str::to_string).collect())
        .collect();
    if !is_even(&rows) {
        return Ok(None);
    }
    let names = |columns, named| Data::Tsv(TsvData { files: Files::default(), named, columns });
    Ok(table(&rows, &format!("TSV: {} cells in each row", rows[0].len()), names))
}

/// The rows of a sample, none where the delimiter does not cut them evenly.
fn rows(sample: &Sample, delimiter: char) -> Vec<Vec<String>> {
    let mut bytes = Vec::new();
    for line in sample.lines() {
        bytes.extend_from_slice(line);
        bytes.push(b'\n');
    }
    let mut rows = csv::first_rows(&bytes, delimiter, ROWS);
    // The last row of a beginning may be cut within a quoted cell: then it is not among them.
    if !sample.complete && rows.len() > 2 {
        rows.pop();
    }
    if is_even(&rows) { rows } else { Vec::new() }
}

fn is_even(rows: &[Vec<String>]) -> bool {
    rows.len() > 1 && rows[0].len() > 1 && rows.iter().all(|row| row.len() == rows[0].len())
}

fn table(rows: &[Vec<String>], why: &str, data: impl Fn(Option<Vec<String>>, NamedColumns) -> Data) -> Option<Guess> {
    let header = has_header(rows);
    let mut names: Vec<String> = match header {
        true => rows[0].iter().map(|name| name.trim().to_string()).collect(),
        false => (1..=rows[0].len()).map(|number| format!("column{number}")).collect(),
    };
    let body = &rows[usize::from(header)..];
    let cells: Vec<Vec<Cell>> = body.iter().map(|row| row.iter().map(|cell| Cell::of_text(cell)).collect()).collect();
    let mut found = columns(&names, &cells);
    let text = found.iter().position(|column| column.role == Role::Text)?;
    if !header {
        let names_of = |columns: &mut [ColumnFound], names: &mut [String], index: usize, name: &str| {
            columns[index].name = name.to_string();
            names[index] = name.to_string();
        };
        names_of(&mut found, &mut names, text, "text");
        if let Some(target) = found.iter().position(|column| column.suggested) {
            names_of(&mut found, &mut names, target, "label");
        }
    }
    let named = named(&found);
    let texts: Vec<&str> = body.iter().map(|row| row[text].as_str()).collect();
    let why = format!("{why}; {}", if header { "the first row names the columns" } else { "no row names the columns" });
    let data = data((!header).then(|| names.clone()), named);
    Some(Guess::Examples(Box::new(Layout::new(data, why, found, &texts))))
}

/// What is read of the columns, as far as readers would not choose it by themselves.
pub(super) fn named(columns: &[ColumnFound]) -> NamedColumns {
    let text = columns.iter().find(|column| matches!(column.role, Role::Text | Role::Tokens));
    let target = columns.iter().find(|column| column.suggested);
    let is_class = |column: &&ColumnFound| matches!(column.role, Role::Target(super::TargetKind::Classify(_)));
    let stratum = target.filter(is_class).map(|column| column.name.clone()).filter(|name| name != "label");
    NamedColumns { text: text.map(|column| Texts::One(column.name.clone())), stratum }
}

/// Whether the first row names the columns: its cells are short words, and no number or value of the rows below.
fn has_header(rows: &[Vec<String>]) -> bool {
    let header: Vec<&str> = rows[0].iter().map(|cell| cell.trim()).collect();
    let plain = header.iter().all(|cell| {
        !cell.is_empty() && cell.len() <= 60 && cell.parse::<f64>().is_err() && cell.split_whitespace().count() <= 4
    });
    let distinct = header.iter().enumerate().all(|(index, cell)| !header[..index].contains(cell));
    let repeats = (0..header.len()).any(|index| rows[1..].iter().any(|row| row[index].trim() == header[index]));
    plain && distinct && !repeats
}
