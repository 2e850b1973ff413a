//! How do rows of cells become records?

use std::sync::Arc;

use super::Sink;
use super::asked::{Asked, list};
use crate::error::{Malformed, Result, excerpt};
use crate::record::{ColumnKind, Part, Place, Record, Value};

/// The cells of a row.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Row {
    /// All cells, one after the other.
    text: String,
    /// Where each cell ends.
    ends: Vec<usize>,
    /// Where the row begins, from 1.
    pub line: u32,
}

impl Row {
    /// Makes it a row without cells that begins at a line.
    pub fn begin(&mut self, line: u32) {
        self.text.clear();
        self.ends.clear();
        self.line = line;
    }

    /// Adds text to the cell that is not ended yet.
    pub fn push(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// Ends a cell.
    pub fn end_cell(&mut self) {
        self.ends.push(self.text.len());
    }

    /// The bytes of all cells together.
    pub fn bytes(&self) -> usize {
        self.text.len()
    }

    /// The cells from left to right.
    pub fn cells(&self) -> impl Iterator<Item = &str> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, &end)| &self.text[start..end])
    }
}

/// Fills a row with the next one; `false` at the end.
pub(super) type NextRow<'a> = &'a mut dyn FnMut(&mut Row) -> Result<bool>;

/// Passes the rows of a file to `sink` as records; the first row names the columns where `columns` does not.
///
/// # Errors
/// [`Malformed`] for a column that is asked for and not there, and for a row with more or fewer cells than columns;
/// what `next` and `sink` return.
pub(super) fn records(
    next: NextRow<'_>,
    asked: &Asked,
    columns: Option<&[String]>,
    file: &str,
    sink: Sink<'_>,
) -> Result<()> {
    let mut row = Row::default();
    let names: Vec<String> = match columns {
        Some(columns) => columns.to_vec(),
        None if next(&mut row)? => row.cells().map(|name| name.trim().to_string()).collect(),
        None => return Ok(()),
    };
    let file: Arc<str> = file.into();
    let positions = asked.find(&names, &file, row.line.max(1))?;
    let kinds: Vec<ColumnKind> = asked.columns().iter().map(|column| column.kind).collect();
    while next(&mut row)? {
        let cells: Vec<&str> = row.cells().collect();
        if cells.len() != names.len() {
            return Err(ragged(&file, &row, &names).into());
        }
        let value = |(position, kind): (&Option<usize>, &ColumnKind)| match (position, kind) {
            (Some(position), ColumnKind::Text) => Value::Text(cells[*position].to_string()),
            (Some(position), _) if !cells[*position].trim().is_empty() => {
                Value::Label(cells[*position].trim().to_string())
            }
            _ => Value::Missing,
        };
        let values = positions.iter().zip(&kinds).map(value).collect();
        let place = Place { file: Arc::clone(&file), line: row.line };
        sink(Record { values, place, part: Part::All, order: 0 })?;
    }
    Ok(())
}

fn ragged(file: &str, row: &Row, names: &[String]) -> Malformed {
    let plural = |count: usize| if count == 1 { "" } else { "s" };
    let (expected, found) = (names.len(), row.ends.len());
    Malformed {
        file: file.to_string(),
        line: u64::from(row.line),
        column: None,
        accepted: format!("{expected} cell{} ({})", plural(expected), list(names)),
        found: format!("{found}: {}", excerpt(&row.cells().collect::<Vec<_>>().join(" | "))),
        help: "give every row a cell for each column, empty where its value is not known".to_string(),
    }
}
