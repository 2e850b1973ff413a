//! How is markup written that is well formed whatever text it holds? As a tree that escapes when it is rendered.
//!
//! The result is HTML and, except for the line before it, XML: both read it alike.

use std::fmt::{Display, Write};

/// Elements that HTML closes by themselves.
const VOID: [&str; 3] = ["br", "meta", "hr"];

/// An element with its attributes and what stands in it.
#[derive(Debug, Clone, PartialEq)]
pub struct Element {
    name: &'static str,
    attributes: Vec<(&'static str, String)>,
    inside: Vec<Node>,
}

#[derive(Debug, Clone, PartialEq)]
enum Node {
    Element(Element),
    Text(String),
    /// A style sheet of our own, which HTML and XML read alike as it holds no `<` and no `&`.
    Style(&'static str),
}

/// An element without attributes and content.
pub fn element(name: &'static str) -> Element {
    Element { name, attributes: Vec::new(), inside: Vec::new() }
}

/// An element of text.
pub fn text_element(name: &'static str, text: impl Display) -> Element {
    element(name).text(text)
}

impl Element {
    /// Sets an attribute.
    pub fn with(mut self, attribute: &'static str, value: impl Display) -> Element {
        self.attributes.push((attribute, value.to_string()));
        self
    }

    /// Sets the class.
    pub fn class(self, class: &str) -> Element {
        self.with("class", class)
    }

    /// Adds text.
    pub fn text(mut self, text: impl Display) -> Element {
        self.inside.push(Node::Text(text.to_string()));
        self
    }

    /// Adds a style sheet.
    pub fn style(mut self, sheet: &'static str) -> Element {
        debug_assert!(!sheet.contains(['<', '&']));
        self.inside.push(Node::Style(sheet));
        self
    }

    /// Adds an element.
    pub fn child(mut self, child: Element) -> Element {
        self.inside.push(Node::Element(child));
        self
    }

    /// Adds elements, or the one of an option.
    pub fn children(mut self, children: impl IntoIterator<Item = Element>) -> Element {
        self.inside.extend(children.into_iter().map(Node::Element));
        self
    }

    /// Writes the element out.
    pub fn render(&self, out: &mut String) {
        out.push('<');
        out.push_str(self.name);
        for (attribute, value) in &self.attributes {
            // Writing to a string cannot fail.
            let _ = write!(out, " {attribute}=\"");
            escape(value, out);
            out.push('"');
        }
        if VOID.contains(&self.name) {
            out.push_str(" />");
            return;
        }
        out.push('>');
        for node in &self.inside {
            match node {
                Node::Element(element) => element.render(out),
                Node::Text(text) => escape(text, out),
                Node::Style(sheet) => out.push_str(sheet),
            }
        }
        let _ = write!(out, "</{}>", self.name);
        if matches!(self.name, "tr" | "section" | "table" | "svg" | "h2" | "p" | "details") {
            out.push('\n');
        }
    }
}

/// Writes text so that it is text in markup and in attributes; what XML cannot hold becomes U+FFFD.
fn escape(text: &str, out: &mut String) {
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\r' => out.push_str("&#13;"),
            '\t' | '\n' => out.push(character),
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            control if control.is_control() => out.push('\u{fffd}'),
            other => out.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_text_survives_as_text() {
        let hostile = "</td><script>alert(\"1\" & '2')</script>]]>\u{e9}\u{1f600}\t\n";
        let mut out = String::new();
        text_element("td", hostile).with("title", hostile).render(&mut out);
        let document = roxmltree::Document::parse(&out).unwrap();
        let root = document.root_element();
        assert_eq!(root.text(), Some(hostile));
        assert_eq!(root.children().count(), 1);
        // XML makes blanks of line breaks and tabs in attributes.
        assert_eq!(root.attribute("title"), Some(hostile.replace(['\t', '\n'], " ").as_str()));
    }

    #[test]
    fn what_xml_cannot_hold_is_replaced() {
        let mut out = String::new();
        text_element("b", "a\0b\u{1b}[0m\u{ffff}c\r").render(&mut out);
        assert_eq!(out, "<b>a\u{fffd}b\u{fffd}[0m\u{fffd}c&#13;</b>");
        assert!(roxmltree::Document::parse(&out).is_ok());
    }

    #[test]
    fn empty_elements_are_closed_as_html_wants_it() {
        let mut out = String::new();
        element("div").child(element("br")).child(element("span")).render(&mut out);
        assert_eq!(out, "<div><br /><span></span></div>");
    }
}
