//! Spans: which stretches of tokens do tags mark?
//!
//! The rules are those of `conlleval` (CoNLL-2000 and 2003), which seqeval's default mode follows: they read IOB1,
//! IOB2, IOBES and mixtures, and give a meaning to every ill-formed sequence too. BILOU's `L` and `U` read as `E` and
//! `S`.

use serde::{Deserialize, Serialize};

/// A stretch of tokens of one type.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Span {
    /// The type, such as `PER`; `_` where the tags name none (`B`, `I-`).
    pub kind: String,
    /// Index of the first token.
    pub first: usize,
    /// Index of the last token, itself inside the span.
    pub last: usize,
}

/// Reads the spans that the tags of one sequence mark, in order.
///
/// A tag is a prefix, `-`, and a type that may itself hold `-`. `O` is outside, and so is a tag that has neither a
/// known prefix nor a `-`. An unknown prefix before a `-` reads as `I`.
pub fn spans<S: AsRef<str>>(tags: &[S]) -> Vec<Span> {
    let mut found = Vec::new();
    let mut open: Option<(usize, &str)> = None;
    let mut previous = Tag::OUTSIDE;
    for (index, tag) in tags.iter().enumerate() {
        let tag = Tag::read(tag.as_ref());
        if let Some((first, kind)) = open
            && ends(previous, tag)
        {
            found.push(Span { kind: kind.to_owned(), first, last: index - 1 });
            open = None;
        }
        if starts(previous, tag) {
            open = Some((index, tag.kind));
        }
        previous = tag;
    }
    if let Some((first, kind)) = open {
        found.push(Span { kind: kind.to_owned(), first, last: tags.len() - 1 });
    }
    found
}

/// The place of a token in its span, as its tag tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Prefix {
    Begin,
    Inside,
    End,
    Single,
    Outside,
}

/// A tag taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tag<'a> {
    pub prefix: Prefix,
    pub kind: &'a str,
}

impl<'a> Tag<'a> {
    pub const OUTSIDE: Tag<'static> = Tag { prefix: Prefix::Outside, kind: "" };

    /// Takes a tag apart; `None` where it is no span tag.
    pub fn parse(tag: &'a str) -> Option<Self> {
        let (prefix, kind) = tag.split_once('-').unwrap_or((tag, ""));
        let prefix = match prefix {
            "B" => Prefix::Begin,
            "I" => Prefix::Inside,
            "E" | "L" => Prefix::End,
            "S" | "U" => Prefix::Single,
            "O" if tag == "O" => return Some(Self::OUTSIDE),
            _ => return None,
        };
        Some(Tag { prefix, kind: if kind.is_empty() { "_" } else { kind } })
    }

    fn read(tag: &'a str) -> Self {
        Self::parse(tag).unwrap_or_else(|| match tag.split_once('-') {
            Some((_, kind)) if !kind.is_empty() && !tag.starts_with("O-") => Tag { prefix: Prefix::Inside, kind },
            _ => Self::OUTSIDE,
        })
    }
}

/// Whether a span that holds the previous token ends before this one.
fn ends(previous: Tag, tag: Tag) -> bool {
    matches!(previous.prefix, Prefix::End | Prefix::Single)
        || matches!(tag.prefix, Prefix::Begin | Prefix::Single | Prefix::Outside)
        || previous.kind != tag.kind
}

/// Whether a span starts at this token.
pub(crate) fn starts(previous: Tag, tag: Tag) -> bool {
    match tag.prefix {
        Prefix::Outside => false,
        Prefix::Begin | Prefix::Single => true,
        Prefix::Inside | Prefix::End => {
            matches!(previous.prefix, Prefix::Outside | Prefix::End | Prefix::Single) || previous.kind != tag.kind
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(tags: &str) -> Vec<(String, usize, usize)> {
        let tags: Vec<&str> = tags.split_whitespace().collect();
        spans(&tags).into_iter().map(|span| (span.kind, span.first, span.last)).collect()
    }

    #[test]
    fn spans_as_conlleval_counts_them() {
        type Expected = &'static [(&'static str, usize, usize)];
        let cases: &[(&str, Expected)] = &[
            ("", &[]),
            ("O O", &[]),
            // IOB1: `B` only where a span of the same type ends.
            ("I-A I-A O I-A B-A I-B", &[("A", 0, 1), ("A", 3, 3), ("A", 4, 4), ("B", 5, 5)]),
            // IOB2.
            ("B-A I-A B-A B-B O B-B", &[("A", 0, 1), ("A", 2, 2), ("B", 3, 3), ("B", 5, 5)]),
            // IOBES and BILOU.
            ("B-A I-A E-A S-B S-B O B-A E-A", &[("A", 0, 2), ("B", 3, 3), ("B", 4, 4), ("A", 6, 7)]),
            ("B-A I-A L-A U-B U-B", &[("A", 0, 2), ("B", 3, 3), ("B", 4, 4)]),
            // Ill-formed: a change of type starts a span, whatever the prefix.
            ("B-A I-B I-B", &[("A", 0, 0), ("B", 1, 2)]),
            ("O I-A", &[("A", 1, 1)]),
            ("O E-A O", &[("A", 1, 1)]),
            ("E-A E-A I-A", &[("A", 0, 0), ("A", 1, 1), ("A", 2, 2)]),
            ("S-A I-A E-A", &[("A", 0, 0), ("A", 1, 2)]),
            ("B-A S-A E-A", &[("A", 0, 0), ("A", 1, 1), ("A", 2, 2)]),
            ("B-A E-B", &[("A", 0, 0), ("B", 1, 1)]),
            // The type is all that follows the first dash.
            ("B-A-x I-A-x I-A-y", &[("A-x", 0, 1), ("A-y", 2, 2)]),
            // No type, no prefix, unknown prefix.
            ("B I I- O I", &[("_", 0, 2), ("_", 4, 4)]),
            ("B-A NN I-A . -", &[("A", 0, 0), ("A", 2, 2)]),
            ("B-A X-A X-B", &[("A", 0, 1), ("B", 2, 2)]),
        ];
        for (tags, expected) in cases {
            let expected: Vec<_> = expected.iter().map(|&(kind, a, b)| (kind.to_owned(), a, b)).collect();
            assert_eq!(read(tags), expected, "{tags}");
        }
    }

    #[test]
    fn a_sentence_of_ten_thousand_tokens() {
        let tags: Vec<&str> = (0..10_000).map(|i| if i % 2 == 0 { "B-A" } else { "I-A" }).collect();
        let found = spans(&tags);
        assert_eq!(found.len(), 5_000);
        assert_eq!(found[4_999], Span { kind: "A".into(), first: 9_998, last: 9_999 });
    }
}
