//! Tagging schemes: how are spans written as one tag a token?

use serde::{Deserialize, Serialize};

use crate::span::{Prefix, Span, Tag, spans, starts};

/// A way to write spans as tags.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scheme {
    /// `I-X` in a span; `B-X` only for the first token of a span that follows another of the same type.
    Iob1,
    /// `B-X` for the first token of every span, `I-X` for the others.
    Iob2,
    /// As IOB2, with `E-X` for the last token and `S-X` for a span of one token. BILOU is the same with other letters.
    Bioes,
}

/// Writes spans as `len` tags.
///
/// Spans may come in any order. What cannot be written is left out: the part of a span at or past `len`, and a span
/// that overlaps one that begins before it.
pub fn encode(spans: &[Span], len: usize, scheme: Scheme) -> Vec<String> {
    let mut tags = vec!["O".to_owned(); len];
    let mut ordered: Vec<&Span> = spans.iter().filter(|span| span.first < len && span.first <= span.last).collect();
    ordered.sort_by_key(|span| (span.first, span.last));
    let mut before: Option<(&str, usize)> = None;
    for span in ordered {
        let (kind, last) = (span.kind.as_str(), span.last.min(len - 1));
        if before.is_some_and(|(_, end)| span.first <= end) {
            continue;
        }
        let touches_same = before.is_some_and(|(other, end)| other == kind && end + 1 == span.first);
        for (index, tag) in tags.iter_mut().enumerate().take(last + 1).skip(span.first) {
            *tag = format!("{}-{kind}", letter(scheme, index == span.first, index == last, touches_same));
        }
        before = Some((kind, last));
    }
    tags
}

/// Rewrites the tags of one sequence, well-formed or not, in a scheme: the spans stay the same.
pub fn convert<S: AsRef<str>>(tags: &[S], scheme: Scheme) -> Vec<String> {
    encode(&spans(tags), tags.len(), scheme)
}

/// Finds out which scheme a stream of tag sequences is written in.
///
/// `None` where some tag is no span tag, or all are `O`. BIOES where a prefix `E` or `S` (or BILOU's `L` or `U`)
/// occurs; else IOB1 where some span begins with `I`; else IOB2.
pub fn detect<I>(sequences: I) -> Option<Scheme>
where
    I: IntoIterator,
    I::Item: IntoIterator<Item: AsRef<str>>,
{
    let (mut any, mut begins_inside, mut has_ends) = (false, false, false);
    for sequence in sequences {
        let mut previous: Option<<I::Item as IntoIterator>::Item> = None;
        for text in sequence {
            let tag = Tag::parse(text.as_ref())?;
            let before = previous.as_ref().and_then(|text| Tag::parse(text.as_ref())).unwrap_or(Tag::OUTSIDE);
            any |= tag.prefix != Prefix::Outside;
            has_ends |= matches!(tag.prefix, Prefix::End | Prefix::Single);
            begins_inside |= tag.prefix == Prefix::Inside && starts(before, tag);
            previous = Some(text);
        }
    }
    match (any, has_ends, begins_inside) {
        (false, _, _) => None,
        (_, true, _) => Some(Scheme::Bioes),
        (_, _, true) => Some(Scheme::Iob1),
        _ => Some(Scheme::Iob2),
    }
}

/// Tells whether tag `to` may follow tag `from` in a scheme; `None` is the edge of the sentence.
///
/// A tag that the scheme does not have may follow, and be followed by, nothing.
pub fn legal(scheme: Scheme, from: Option<&str>, to: Option<&str>) -> bool {
    let (Some(from), Some(to)) = (known(scheme, from), known(scheme, to)) else {
        return false;
    };
    let same = from.kind == to.kind;
    let from_in_span = matches!(from.prefix, Prefix::Begin | Prefix::Inside);
    match scheme {
        Scheme::Iob1 => to.prefix != Prefix::Begin || (from_in_span && same),
        Scheme::Iob2 => to.prefix != Prefix::Inside || (from_in_span && same),
        Scheme::Bioes => {
            let continues = matches!(to.prefix, Prefix::Inside | Prefix::End);
            continues == from_in_span && (!continues || same)
        }
    }
}

fn letter(scheme: Scheme, is_first: bool, is_last: bool, touches_same: bool) -> char {
    match scheme {
        Scheme::Iob1 if is_first && touches_same => 'B',
        Scheme::Iob2 if is_first => 'B',
        Scheme::Bioes if is_first && is_last => 'S',
        Scheme::Bioes if is_first => 'B',
        Scheme::Bioes if is_last => 'E',
        _ => 'I',
    }
}

/// A tag of the scheme, an edge being outside; `None` for a tag that the scheme lacks.
fn known(scheme: Scheme, tag: Option<&str>) -> Option<Tag<'_>> {
    let Some(tag) = tag else {
        return Some(Tag::OUTSIDE);
    };
    let tag = Tag::parse(tag)?;
    let foreign = scheme != Scheme::Bioes && matches!(tag.prefix, Prefix::End | Prefix::Single);
    (!foreign).then_some(tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCHEMES: [Scheme; 3] = [Scheme::Iob1, Scheme::Iob2, Scheme::Bioes];

    fn words(tags: &str) -> Vec<&str> {
        tags.split_whitespace().collect()
    }

    #[test]
    fn converts_well_and_ill_formed_tags() {
        let cases = [
            // (any tags, IOB1, IOB2, BIOES)
            ("I-A I-A B-A O I-B", "I-A I-A B-A O I-B", "B-A I-A B-A O B-B", "B-A E-A S-A O S-B"),
            ("B-A I-B I-B", "I-A I-B I-B", "B-A B-B I-B", "S-A B-B E-B"),
            ("O E-A E-A", "O I-A B-A", "O B-A B-A", "O S-A S-A"),
            ("", "", "", ""),
        ];
        for (tags, iob1, iob2, bioes) in cases {
            for (scheme, expected) in SCHEMES.into_iter().zip([iob1, iob2, bioes]) {
                assert_eq!(convert(&words(tags), scheme), words(expected), "{tags} as {scheme:?}");
            }
        }
    }

    #[test]
    fn every_short_sequence_survives_every_scheme() {
        let all = ["O", "B-A", "I-A", "E-A", "S-A", "B-B", "I-B", "E-B", "S-B"];
        for code in 0..all.len().pow(4) {
            let tags: Vec<&str> = (0..4).map(|place| all[code / all.len().pow(place) % all.len()]).collect();
            let expected = spans(&tags);
            for scheme in SCHEMES {
                let written = convert(&tags, scheme);
                assert_eq!(spans(&written), expected, "{tags:?} as {scheme:?}");
                let edges = std::iter::once(None).chain(written.iter().map(|tag| Some(tag.as_str())));
                let next = written.iter().map(|tag| Some(tag.as_str())).chain(std::iter::once(None));
                assert!(edges.zip(next).all(|(from, to)| legal(scheme, from, to)), "{written:?} in {scheme:?}");
            }
        }
    }

    #[test]
    fn spans_that_cannot_be_written_are_left_out() {
        let span = |first, last| Span { kind: "A".into(), first, last };
        let out = encode(&[span(5, 9), span(3, 7), span(0, 1), span(1, 2), span(2, 1)], 5, Scheme::Iob2);
        assert_eq!(out, words("B-A I-A O B-A I-A"));
        assert_eq!(encode(&[span(0, usize::MAX)], 2, Scheme::Bioes), words("B-A E-A"));
        assert!(encode(&[span(0, 0)], 0, Scheme::Iob1).is_empty());
    }

    #[test]
    fn detects_the_scheme() {
        let detect = |sequences: &[&str]| detect(sequences.iter().map(|tags| tags.split_whitespace()));
        assert_eq!(detect(&["O O", "B-A I-A O B-A"]), Some(Scheme::Iob2));
        assert_eq!(detect(&["B-A I-A", "O I-A"]), Some(Scheme::Iob1));
        assert_eq!(detect(&["B-A I-A", "I-A"]), Some(Scheme::Iob1));
        assert_eq!(detect(&["B-A I-B"]), Some(Scheme::Iob1));
        assert_eq!(detect(&["B-A E-A", "S-A I-B"]), Some(Scheme::Bioes));
        assert_eq!(detect(&["B-A L-A", "O"]), Some(Scheme::Bioes));
        assert_eq!(detect(&["B I O"]), Some(Scheme::Iob2));
        assert_eq!(detect(&["B-A", "NN VB"]), None);
        assert_eq!(detect(&["-LRB- O"]), None);
        assert_eq!(detect(&["O O"]), None);
        assert_eq!(detect(&[]), None);
    }

    #[test]
    fn legal_transitions() {
        use Scheme::{Bioes, Iob1, Iob2};
        let yes = [
            (Iob2, "B-A", "I-A"),
            (Iob2, "I-A", "I-A"),
            (Iob2, "I-A", "B-A"),
            (Iob2, "", "B-A"),
            (Iob2, "I-A", ""),
            (Bioes, "B-A", "E-A"),
            (Bioes, "I-A", "I-A"),
            (Bioes, "S-A", "B-B"),
            (Bioes, "E-A", ""),
            (Bioes, "", "O"),
            (Bioes, "B-A", "L-A"),
            (Iob1, "", "I-A"),
            (Iob1, "I-A", "B-A"),
            (Iob1, "I-A", "I-B"),
        ];
        let no = [
            (Iob2, "O", "I-A"),
            (Iob2, "", "I-A"),
            (Iob2, "B-B", "I-A"),
            (Iob2, "O", "E-A"),
            (Iob2, "NN", "O"),
            (Bioes, "B-A", "O"),
            (Bioes, "B-A", "E-B"),
            (Bioes, "I-A", ""),
            (Bioes, "", "I-A"),
            (Bioes, "", "E-A"),
            (Bioes, "E-A", "I-A"),
            (Bioes, "B-A", "S-A"),
            (Iob1, "O", "B-A"),
            (Iob1, "I-B", "B-A"),
        ];
        let edge = |tag: &'static str| (!tag.is_empty()).then_some(tag);
        for (cases, expected) in [(&yes[..], true), (&no[..], false)] {
            for &(scheme, from, to) in cases {
                assert_eq!(legal(scheme, edge(from), edge(to)), expected, "{scheme:?}: {from} then {to}");
            }
        }
    }
}
