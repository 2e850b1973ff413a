//! What do all sections of a page share?

use crate::markup::{Element, element, text_element};
use crate::table::{Holds, Mark, Table};

/// A section with its title.
pub fn section(title: &str) -> Element {
    element("section").child(text_element("h2", title))
}

/// A paragraph that explains what follows.
pub fn note(text: &str) -> Element {
    text_element("p", text).class("note")
}

/// What is shown when its title is opened.
pub fn details(title: &str, inside: impl IntoIterator<Item = Element>) -> Element {
    element("details").child(text_element("summary", title)).children(inside)
}

/// Something wide that scrolls where the screen is narrow.
pub fn scrolling(inside: Element) -> Element {
    element("div").class("scroll").child(inside)
}

/// A table in which rows are named by their first cell.
pub fn table_element(table: &Table) -> Element {
    let class = |holds| match holds {
        Holds::Names => "name",
        Holds::Figures => "figure",
    };
    let header = table
        .columns
        .iter()
        .map(|column| text_element("th", &column.name).with("scope", "col").class(class(column.holds)));
    let rows = table.rows.iter().map(|row| {
        let cells = row.iter().zip(&table.columns).enumerate();
        element("tr").children(cells.map(|(index, (cell, column))| {
            let element = match (index, column.holds) {
                (0, Holds::Names) => text_element("th", &cell.text).with("scope", "row"),
                _ => text_element("td", &cell.text),
            };
            match cell.mark {
                Mark::Best => element.text(" ★").class(&format!("{} best", class(column.holds))),
                Mark::Plain => element.class(class(column.holds)),
            }
        }))
    });
    let head = element("thead").child(element("tr").children(header));
    scrolling(element("table").child(head).child(element("tbody").children(rows)))
}

/// The names of colours.
pub fn legend<'a>(entries: impl IntoIterator<Item = (String, &'a str)>) -> Element {
    let entry = |(class, name): (String, &str)| {
        let key = element("span").class(&format!("key {class}"));
        element("span").class("entry").child(key).text(" ").child(text_element("span", name))
    };
    element("p").class("legend").children(entries.into_iter().map(entry))
}
