//! How is a report laid out that is not about a single run? As a sheet of sections, each of sentences, tables and drawings, which is
//! text and a page alike.

use crate::markup::{Element, element, text_element};
use crate::page::parts::{legend, note, scrolling, section, table_element};
use crate::page::whole;
use crate::svg::{interval_plot, task_map};
use crate::table::Table;

/// A report of sections.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sheet {
    /// What it is about.
    pub name: String,
    /// What was found, in sentences; the first one is the answer.
    pub sentences: Vec<String>,
    /// What it is made of, in a few words each.
    pub facts: Vec<String>,
    /// The sections from top to bottom.
    pub sections: Vec<SheetSection>,
}

/// A section of a sheet.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SheetSection {
    /// Its title.
    pub title: String,
    /// What its figures mean.
    pub note: String,
    /// Its table.
    pub table: SheetTable,
    /// What is drawn of it on a page.
    pub drawing: Drawing,
}

/// A table of text: columns of names, then columns of figures.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SheetTable {
    /// Columns aligned to the left.
    pub names: Vec<String>,
    /// Columns aligned to the right.
    pub figures: Vec<String>,
    /// Rows, a cell a column.
    pub rows: Vec<Vec<String>>,
}

/// What is drawn beside a table.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Drawing {
    /// Nothing.
    #[default]
    None,
    /// Intervals around values, one below the other.
    Intervals {
        /// What the values are.
        what: String,
        /// A row a value.
        rows: Vec<IntervalRow>,
    },
    /// Values of pairs of tasks.
    Square(Square),
}

/// Values of pairs of tasks, of which neighbours on a map are the most positive.
#[derive(Debug, Clone, PartialEq)]
pub struct Square {
    /// What the values are.
    pub what: String,
    /// The word that stands between the tasks of a row and of a column: `and`, or another one where the direction matters.
    pub link: String,
    /// What positive and negative values mean, in a word or two.
    pub signs: [String; 2],
    /// The tasks.
    pub names: Vec<String>,
    /// `[row, column]` in the order of the names.
    pub values: Vec<Vec<Option<f64>>>,
}

/// A value, the interval that it may lie in, and what is said of it.
#[derive(Debug, Clone, PartialEq)]
pub struct IntervalRow {
    /// What the value is of.
    pub name: String,
    /// The value.
    pub value: f64,
    /// The ends of the interval.
    pub interval: [f64; 2],
    /// The word for it.
    pub verdict: String,
}

impl SheetTable {
    fn table(&self) -> Table {
        let names: Vec<&str> = self.names.iter().map(String::as_str).collect();
        let mut table = Table::new(&names, self.figures.iter().map(String::as_str));
        self.rows.iter().for_each(|row| table.row(row.iter().map(|cell| cell.as_str().into())));
        table
    }
}

/// Lays a sheet out as text: tables below their titles, then what was found.
pub fn sheet_text(sheet: &Sheet) -> String {
    let clean = |text: &str| -> String { text.chars().filter(|c| !c.is_control()).collect() };
    let mut out = format!("{}: {}\n", clean(&sheet.name), sheet.facts.join(", "));
    for section in &sheet.sections {
        out.push_str(&format!("\n{}\n", clean(&section.title)));
        if !section.note.is_empty() {
            out.push_str(&format!("{}\n", clean(&section.note)));
        }
        out.push_str(&section.table.table().to_string());
    }
    out.push('\n');
    sheet.sentences.iter().for_each(|sentence| out.push_str(&format!("{}\n", clean(sentence))));
    out
}

/// A sentence in which names between backticks are code, as they are in text.
pub(crate) fn paragraph(sentence: &str) -> Element {
    sentence.split('`').enumerate().fold(element("p"), |paragraph, (index, part)| match index % 2 {
        0 => paragraph.text(part),
        _ => paragraph.child(text_element("code", part)),
    })
}

/// Lays a sheet out as one HTML page that opens from disk, well-formed XML as well.
pub fn sheet_page(sheet: &Sheet) -> String {
    let mut header = element("header").child(text_element("h1", &sheet.name));
    for (index, sentence) in sheet.sentences.iter().enumerate() {
        let paragraph = paragraph(sentence);
        header = header.child(if index == 0 { paragraph.class("verdict") } else { paragraph });
    }
    header = header.child(text_element("p", sheet.facts.join(" · ")).class("facts"));
    let main = element("main").child(header).children(sheet.sections.iter().map(laid_out));
    whole(&sheet.name, main)
}

fn laid_out(part: &SheetSection) -> Element {
    let mut out = section(&part.title);
    if !part.note.is_empty() {
        out = out.child(note(&part.note));
    }
    match &part.drawing {
        Drawing::None => {}
        Drawing::Intervals { what, rows } => {
            let figure = |plot| element("figure").class("wide").child(text_element("h3", what)).child(plot);
            out = out.children(interval_plot(what, rows).map(figure));
        }
        Drawing::Square(Square { what, link, signs, names, values }) => {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            if let Some(map) = task_map(what, link, &names, values).filter(|_| names.len() > 2) {
                let [positive, negative] = signs.each_ref().map(String::as_str);
                let entries = [("positive-key".to_owned(), positive), ("negative-key".to_owned(), negative)];
                let size = format!("width:{0:.0}px;min-width:{1:.0}px", map.width, 0.8 * map.width);
                out = out.child(legend(entries)).child(scrolling(map.drawing.with("style", size)));
            }
        }
    }
    out.child(table_element(&part.table.table()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sheet() -> Sheet {
        let row = |name: &str, value, interval, verdict: &str| IntervalRow {
            name: name.into(),
            value,
            interval,
            verdict: verdict.into(),
        };
        let cosines =
            vec![vec![None, Some(0.4), Some(-0.2)], vec![Some(0.4), None, None], vec![Some(-0.2), None, None]];
        let table = SheetTable {
            names: vec!["task".into()],
            figures: vec!["gain".into()],
            rows: vec![vec!["a<b".into(), "+0.1".into()], vec!["c&d".into(), "-0.20".into()]],
        };
        let intervals = vec![row("a<b", 0.1, [0.05, 0.15], "helped"), row("c&d", -0.2, [-0.3, f64::NAN], "undecided")];
        let square = Drawing::Square(Square {
            what: "mean cosine".into(),
            link: "and".into(),
            signs: ["agree", "disagree"].map(String::from),
            names: ["a", "b", "c"].map(String::from).to_vec(),
            values: cosines,
        });
        let section = |title: &str, drawing| SheetSection {
            title: title.into(),
            note: "What it is.".into(),
            table: table.clone(),
            drawing,
        };
        Sheet {
            name: "a \u{7}study".into(),
            sentences: vec!["Share <all>.".into(), "Because of `a<b`.".into()],
            facts: vec!["2 tasks".into(), "5 seeds".into()],
            sections: vec![
                section("Gains", Drawing::Intervals { what: "gain in accuracy".into(), rows: intervals }),
                section("Cosines", square),
                section("Cost", Drawing::None),
            ],
        }
    }

    #[test]
    fn the_page_is_well_formed_and_holds_what_the_text_holds() {
        let (page, text) = (sheet_page(&sheet()), sheet_text(&sheet()));
        let body = page.strip_prefix("<!DOCTYPE html>\n").unwrap();
        let document = roxmltree::Document::parse(body).unwrap();
        let said: String = document.descendants().filter_map(|node| node.text()).collect::<Vec<_>>().join(" ");
        for part in ["Share <all>.", "Because of", "a<b", "c&d", "+0.1", "Gains", "Cosines", "Cost", "5 seeds"] {
            assert!(said.contains(part) && text.contains(part), "{part:?} in\n{text}\n{said}");
        }
        assert_eq!(document.descendants().filter(|node| node.has_tag_name("svg")).count(), 2);
        let code = document.descendants().find(|node| node.has_tag_name("code"));
        assert_eq!(code.and_then(|code| code.text()), Some("a<b"));
        assert!(text.contains("Because of `a<b`."), "{text}");
        assert!(text.starts_with("a study: 2 tasks, 5 seeds\n"), "{text}");
        assert!(!page.contains("NaN"), "{page}");
    }

    #[test]
    fn nothing_is_laid_out_as_nothing() {
        assert!(sheet_page(&Sheet::default()).contains("<main>"));
        assert_eq!(sheet_text(&Sheet::default()), ": \n\n");
    }
}
