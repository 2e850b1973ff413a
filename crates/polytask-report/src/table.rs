//! What is a table before it is text or HTML?

use std::fmt;

/// A table of rows under named columns.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Table {
    /// The columns.
    pub columns: Vec<Column>,
    /// The rows, a cell a column.
    pub rows: Vec<Vec<Cell>>,
}

/// A column's name and how its cells stand.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// What stands above it.
    pub name: String,
    /// How its cells are aligned.
    pub holds: Holds,
}

/// What the cells of a column are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holds {
    /// Words, aligned to the left.
    Names,
    /// Numbers, aligned to the right.
    Figures,
}

/// A cell.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Cell {
    /// What stands in it.
    pub text: String,
    /// Whether it stands out.
    pub mark: Mark,
}

/// Whether a cell stands out among its neighbours.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Mark {
    /// One among others.
    #[default]
    Plain,
    /// The best.
    Best,
}

impl Table {
    /// An empty table: columns of names, then columns of figures.
    pub fn new<'a>(names: &[&str], figures: impl IntoIterator<Item = &'a str>) -> Table {
        let column = |name: &str, holds| Column { name: name.to_owned(), holds };
        let names = names.iter().map(|name| column(name, Holds::Names));
        let figures = figures.into_iter().map(|name| column(name, Holds::Figures));
        Table { columns: names.chain(figures).collect(), rows: Vec::new() }
    }

    /// Adds a row.
    pub fn row(&mut self, cells: impl IntoIterator<Item = Cell>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// Leaves out columns of figures in which nothing stands.
    pub fn without_empty_columns(mut self) -> Table {
        for index in (0..self.columns.len()).rev() {
            let is_empty = self.rows.iter().all(|row| row.get(index).is_none_or(|cell| cell.text.is_empty()));
            if is_empty && self.columns[index].holds == Holds::Figures {
                self.columns.remove(index);
                self.rows.iter_mut().filter(|row| row.len() > index).for_each(|row| drop(row.remove(index)));
            }
        }
        self
    }
}

impl Cell {
    /// A marked cell.
    pub fn best(text: String) -> Cell {
        Cell { text, mark: Mark::Best }
    }
}

impl<S: Into<String>> From<S> for Cell {
    fn from(text: S) -> Cell {
        Cell { text: text.into(), mark: Mark::Plain }
    }
}

/// Rows of text under each other; a star stands behind what is marked.
impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let any_marked =
            |column: usize| self.rows.iter().any(|row| row.get(column).is_some_and(|cell| cell.mark == Mark::Best));
        let starred: Vec<bool> = (0..self.columns.len()).map(any_marked).collect();
        let header = self.columns.iter().map(|column| Cell::from(column.name.clone())).collect();
        let lines: Vec<Vec<String>> = std::iter::once(&header)
            .chain(&self.rows)
            .map(|row: &Vec<Cell>| {
                let cells = row.iter().zip(&starred).map(|(cell, &starred)| {
                    let star = match (starred, cell.mark) {
                        (true, Mark::Best) => "*",
                        (true, Mark::Plain) => " ",
                        (false, _) => "",
                    };
                    // A name may hold line breaks and control characters, which would break the table or the terminal.
                    let text = cell.text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c });
                    text.collect::<String>() + star
                });
                cells.collect()
            })
            .collect();
        let length = |text: &String| text.chars().count();
        let width = |column: usize| lines.iter().filter_map(|line| line.get(column)).map(length).max().unwrap_or(0);
        let widths: Vec<usize> = (0..self.columns.len()).map(width).collect();
        for line in &lines {
            let mut out = String::new();
            for ((text, &width), column) in line.iter().zip(&widths).zip(&self.columns) {
                let gap = " ".repeat(width - length(text));
                let (before, after) =
                    if column.holds == Holds::Figures { (gap, String::new()) } else { (String::new(), gap) };
                out.extend([&before, text, &after, "  "]);
            }
            writeln!(f, "{}", out.trim_end())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_stand_to_the_right_and_the_best_has_a_star() {
        let mut table = Table::new(&["task"], ["f1", "mae"]);
        table.row(["ner".into(), Cell::best("0.9000".to_owned()), Cell::default()]);
        table.row(["a\nb".into(), "0.85".into(), Cell::default()]);
        let table = table.without_empty_columns();
        assert_eq!(table.to_string(), "task      f1\nner   0.9000*\na\u{fffd}b     0.85\n");
    }
}
