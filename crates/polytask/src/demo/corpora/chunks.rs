//! How do spans become tags, and parts of speech become chunks?

/// The IOB1 tags of spans: `spans[i]` is the kind and the number of the span that token `i` belongs to.
///
/// As in CoNLL-2003, `B-` stands only where a span follows another of the same kind without a gap.
pub(super) fn iob1(spans: &[Option<(&'static str, usize)>]) -> Vec<String> {
    let tag = |index: usize| {
        let Some((kind, number)) = spans[index] else { return "O".to_string() };
        let before = index.checked_sub(1).and_then(|before| spans[before]);
        match before {
            Some((same, other)) if same == kind && other != number => format!("B-{kind}"),
            _ => format!("I-{kind}"),
        }
    };
    (0..spans.len()).map(tag).collect()
}

/// The phrases of a sentence with these parts of speech, by rules that hold for simple sentences.
pub(super) fn chunk(tokens: &[(&str, &str)]) -> Vec<Option<(&'static str, usize)>> {
    let mut chunks: Vec<Option<(&'static str, usize)>> = Vec::with_capacity(tokens.len());
    for (index, &(word, pos)) in tokens.iter().enumerate() {
        let next = tokens.get(index + 1).map_or("", |&(_, pos)| pos);
        let before = chunks.last().copied().flatten();
        let kind = match pos {
            "DT" | "PRP" | "PRP$" | "JJ" | "NN" | "NNS" | "NNP" | "CD" | "POS" => Some("NP"),
            "VB" | "VBD" | "VBZ" | "VBN" | "VBG" | "VBP" | "MD" => Some("VP"),
            "TO" if next == "VB" => Some("VP"),
            "RB" if next.starts_with("VB") || before.is_some_and(|(kind, _)| kind == "VP") => Some("VP"),
            "RB" => Some("ADVP"),
            "IN" if word == "that" => Some("SBAR"),
            "IN" | "TO" => Some("PP"),
            _ => None,
        };
        let opens = matches!(pos, "DT" | "PRP" | "PRP$" | "POS") || kind == Some("PP");
        chunks.push(kind.map(|kind| match before {
            Some((same, number)) if same == kind && !opens => (kind, number),
            _ => (kind, index),
        }));
    }
    adjective_phrases(tokens, &mut chunks);
    chunks
}

/// A noun phrase of adjectives alone is an adjective phrase.
fn adjective_phrases(tokens: &[(&str, &str)], chunks: &mut [Option<(&'static str, usize)>]) {
    let mut start = 0;
    while start < chunks.len() {
        let length = chunks[start..].iter().take_while(|chunk| **chunk == chunks[start]).count();
        let range = start..start + length;
        if chunks[start].is_some_and(|(kind, _)| kind == "NP")
            && tokens[range.clone()].iter().all(|(_, pos)| *pos == "JJ")
        {
            chunks[range].fill(Some(("ADJP", start)));
        }
        start += length;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_touching_spans_of_one_kind_begin_with_b() {
        let spans = [Some(("PER", 0)), Some(("PER", 0)), Some(("PER", 1)), Some(("LOC", 2)), None, Some(("LOC", 3))];
        assert_eq!(iob1(&spans), ["I-PER", "I-PER", "B-PER", "I-LOC", "O", "I-LOC"]);
        assert!(iob1(&[]).is_empty());
    }

    #[test]
    fn a_simple_sentence_is_chunked_as_in_the_shared_task() {
        let tokens = [
            ("China", "NNP"),
            ("'s", "POS"),
            ("new", "JJ"),
            ("bank", "NN"),
            ("agreed", "VBD"),
            ("to", "TO"),
            ("sell", "VB"),
            ("bonds", "NNS"),
            ("to", "TO"),
            ("Peru", "NNP"),
            (".", "."),
        ];
        let expected = ["I-NP", "B-NP", "I-NP", "I-NP", "I-VP", "I-VP", "I-VP", "I-NP", "I-PP", "I-NP", "O"];
        assert_eq!(iob1(&chunk(&tokens)), expected);
        let tokens = [("It", "PRP"), ("was", "VBD"), ("late", "JJ"), (".", ".")];
        assert_eq!(iob1(&chunk(&tokens)), ["I-NP", "I-VP", "I-ADJP", "O"]);
    }
}
