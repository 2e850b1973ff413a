//! The pseudo-XML of the Blitzer multi-domain sentiment data.
//!
//! It looks like XML and is none: texts hold bare `<` and `&`, and no element spans the file. So a tag counts only
//! where it begins or ends a line, and only `review`, `rating` and `review_text` matter. Texts keep their entities.
//! Bytes that are not UTF-8 are decoded as Windows-1252. The category is the name of the file's folder.

use std::borrow::Cow;
use std::io::BufRead;
use std::sync::Arc;

use super::{Sink, amazon};
use crate::error::{Error, Malformed, Result, excerpt};
use crate::open::{Lines, decode};
use crate::record::Place;

/// The element that the reading is in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Inside {
    Nothing,
    Review,
    Rating,
    Text,
}

/// The review that is being read.
#[derive(Default)]
struct Review {
    line: u32,
    stars: Option<f64>,
    text: Option<String>,
}

/// Passes the reviews of a file to `sink`, and returns notes about it.
///
/// # Errors
/// [`Error::Malformed`] for a rating that is no number, a review without rating or text, and a review without end.
pub(super) fn reviews(
    mut lines: Lines<impl BufRead>,
    name: &str,
    category: &str,
    sink: Sink<'_>,
) -> Result<Vec<String>> {
    let file: Arc<str> = name.into();
    let (mut inside, mut review, mut decoded) = (Inside::Nothing, Review::default(), 0);
    while let Some((number, bytes)) = lines.next_line()? {
        let line = decode(bytes);
        decoded += usize::from(matches!(line, Cow::Owned(_)));
        let tag = line.trim();
        match inside {
            Inside::Nothing if tag == "<review>" => {
                review = Review { line: number, ..Review::default() };
                inside = Inside::Review;
            }
            Inside::Nothing => {}
            Inside::Review if tag == "</review>" => {
                let Review { line, stars: Some(stars), text: Some(text) } = std::mem::take(&mut review) else {
                    let accepted = "a review with <rating> and <review_text>";
                    return Err(malformed(name, number, accepted, "</review> without both"));
                };
                sink(amazon::record(text, Some(stars), category, Place { file: Arc::clone(&file), line }))?;
                inside = Inside::Nothing;
            }
            Inside::Review if tag == "<review>" => {
                return Err(malformed(name, number, "</review> before the next review", "<review>"));
            }
            Inside::Review => {
                if let Some(rest) = tag.strip_prefix("<review_text>") {
                    review.text = Some(String::new());
                    inside = text(&mut review, rest);
                } else if let Some(rest) = tag.strip_prefix("<rating>") {
                    inside = rating(&mut review, rest, name, number)?;
                }
            }
            Inside::Rating => inside = rating(&mut review, tag, name, number)?,
            Inside::Text => inside = text(&mut review, &line),
        }
    }
    if inside != Inside::Nothing {
        return Err(malformed(name, review.line, "a review with an end", "<review> without </review>"));
    }
    Ok(match decoded {
        0 => Vec::new(),
        _ => vec![format!("{name}: {decoded} lines are not UTF-8; their stray bytes were read as Windows-1252")],
    })
}

/// Adds a line to the text, which may end with the element's end.
fn text(review: &mut Review, line: &str) -> Inside {
    let text = review.text.get_or_insert_default();
    let (line, inside) = match line.trim_end().strip_suffix("</review_text>") {
        Some(line) => (line, Inside::Review),
        None => (line, Inside::Text),
    };
    if !text.is_empty() && (inside == Inside::Text || !line.is_empty()) {
        text.push('\n');
    }
    text.push_str(line);
    inside
}

/// Reads the content of `<rating>`, whose end may be on the same line.
fn rating(review: &mut Review, line: &str, name: &str, number: u32) -> Result<Inside> {
    let (content, inside) = match line.strip_suffix("</rating>") {
        Some(content) => (content.trim(), Inside::Review),
        None => (line.trim(), Inside::Rating),
    };
    if !content.is_empty() {
        match content.parse() {
            Ok(stars) if amazon::is_rating(stars) => review.stars = Some(stars),
            _ => return Err(malformed(name, number, "a rating of 1.0 to 5.0", &excerpt(content))),
        }
    }
    Ok(inside)
}

fn malformed(file: &str, line: u32, accepted: &str, found: &str) -> Error {
    Error::from(Malformed {
        file: file.to_string(),
        line: u64::from(line),
        column: None,
        accepted: accepted.to_string(),
        found: found.to_string(),
        help: "correct or remove the review; each tag stands on a line of its own".to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::label;
    use super::*;
    use crate::record::{Record, Value};

    fn read(bytes: &[u8]) -> Result<(Vec<Record>, Vec<String>)> {
        let mut records = Vec::new();
        let notes = reviews(Lines::new(bytes, "f"), "f", "books", &mut |record| {
            records.push(record);
            Ok(())
        })?;
        Ok((records, notes))
    }

    #[test]
    fn reviews_are_read_though_they_are_no_xml() {
        let text = b"junk\n<review>\n<title>\na < b & c <review_text> \n</title>\n<rating>\n4.0\n</rating>\n\
            <review_text>\nI <3 it & \x93you\x94.\n\n<rating> &quot;\n</review_text>\n</review>\n\
            <review>\r\n<rating>2</rating>\r\n<review_text>short</review_text>\r\n</review>\r\n";
        let (records, notes) = read(text).unwrap();
        let values = |record: &Record| record.values.clone();
        let long = Value::Text("I <3 it & “you”.\n\n<rating> &quot;".into());
        assert_eq!(values(&records[0]), [long, label("pos"), Value::Number(4.0), label("books")]);
        let short = Value::Text("short".into());
        assert_eq!(values(&records[1]), [short, label("neg"), Value::Number(2.0), label("books")]);
        assert_eq!((records[0].place.line, records[1].place.line), (2, 15));
        assert_eq!(notes, ["f: 1 lines are not UTF-8; their stray bytes were read as Windows-1252"]);
    }

    #[test]
    fn errors_have_their_line() {
        let table: [(&[u8], &str); 6] = [
            (b"<review>\n<rating>\nfive\n", "f:3: expected a rating of 1.0 to 5.0, found \"five\"\n  help: "),
            (b"<review>\n<rating>0.5</rating>\n", "f:2: expected a rating of 1.0 to 5.0, found \"0.5\"\n  help: "),
            (b"<review>\n<rating>NaN</rating>\n", "f:2: expected a rating of 1.0 to 5.0, found \"NaN\"\n  help: "),
            (
                b"<review>\n<rating>\n5\n</rating>\n</review>\n",
                "f:5: expected a review with <rating> and <review_text>",
            ),
            (b"<review>\n<review>\n", "f:2: expected </review> before the next review, found <review>"),
            (b"\n<review>\n<review_text>\nx\n", "f:2: expected a review with an end, found <review> without"),
        ];
        for (bytes, expected) in table {
            let message = read(bytes).unwrap_err().to_string();
            assert!(message.starts_with(expected), "{message}");
        }
    }
}
