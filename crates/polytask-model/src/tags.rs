//! Which tags does a tagger know, and which may follow which?

use std::collections::BTreeSet;

use polytask_data::table::Ragged;
use polytask_kernels::crf::Legal;
use polytask_metrics::{Scheme, convert, detect, legal, spans};
use polytask_spec::task::{SpanEncoding, TagScheme, TagTask};
use serde::{Deserialize, Serialize};

/// The tags of a task as the network writes them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TagSet {
    /// Tag names in the order of the output.
    pub names: Vec<String>,
    /// How spans are written; `None` where tags are no spans.
    pub scheme: Option<Scheme>,
}

impl TagSet {
    /// The tags that the training set of a task asks for.
    ///
    /// `file_names` are the tags as the file writes them, and `tags` the training tags as indices into them.
    pub fn from_training(spec: &TagTask, file_names: &[String], tags: &Ragged<u32>) -> TagSet {
        let is_span = match spec.scheme {
            TagScheme::None => false,
            TagScheme::Iob1 | TagScheme::Iob2 | TagScheme::Bioes => true,
            TagScheme::Auto => {
                let known = |tag: &u32| file_names.get(*tag as usize);
                detect(tags.iter().map(|sentence| sentence.iter().filter_map(known))).is_some()
            }
        };
        if !is_span {
            return TagSet { names: file_names.to_vec(), scheme: None };
        }
        let (scheme, prefixes) = match spec.encode {
            SpanEncoding::Iob2 => (Scheme::Iob2, &["B", "I"][..]),
            SpanEncoding::Bioes => (Scheme::Bioes, &["B", "I", "E", "S"][..]),
        };
        let kinds: BTreeSet<String> = file_names.iter().flat_map(|tag| spans(&[tag])).map(|span| span.kind).collect();
        let tags = kinds.iter().flat_map(|kind| prefixes.iter().map(move |prefix| format!("{prefix}-{kind}")));
        TagSet { names: std::iter::once("O".to_owned()).chain(tags).collect(), scheme: Some(scheme) }
    }

    /// A training tag that does not fit the others or the configured scheme: an index into `file_names`.
    ///
    /// Where the scheme is `auto`, tags are spans if any of them begins with a span prefix and `-`; then all must.
    pub fn odd_tag(spec: &TagTask, file_names: &[String]) -> Option<usize> {
        let is_span_tag = |name: &String| name == "O" || prefixed(name);
        let spans = match spec.scheme {
            TagScheme::None => false,
            TagScheme::Auto => file_names.iter().any(|name| prefixed(name)),
            TagScheme::Iob1 | TagScheme::Iob2 | TagScheme::Bioes => true,
        };
        if spans { file_names.iter().position(|name| !is_span_tag(name)) } else { None }
    }

    /// Rewrites tags of a file in the network's own writing; a sentence with a missing tag is missing as a whole.
    pub fn encode(&self, file_names: &[String], tags: &Ragged<u32>) -> Ragged<u32> {
        let mut encoded = Ragged::default();
        for index in 0..tags.len() {
            let sentence = tags.get(index);
            if self.scheme.is_none() || sentence.contains(&u32::MAX) {
                encoded.push(sentence);
                continue;
            }
            encoded.push(&self.encode_sentence(file_names, sentence));
        }
        encoded
    }

    fn encode_sentence(&self, file_names: &[String], sentence: &[u32]) -> Vec<u32> {
        let Some(scheme) = self.scheme else { return sentence.to_vec() };
        let text: Vec<&str> = sentence.iter().map(|&tag| file_names[tag as usize].as_str()).collect();
        let position = |tag: &String| self.names.iter().position(|name| name == tag);
        let tags = convert(&text, scheme);
        tags.iter().map(|tag| position(tag).expect("every type of span has all its tags") as u32).collect()
    }

    /// The names of some tags.
    pub fn text(&self, tags: &[u32]) -> Vec<&str> {
        tags.iter().map(|&tag| self.names[tag as usize].as_str()).collect()
    }

    /// Which tags may start, follow each other and end.
    pub fn legal(&self) -> Legal {
        let Some(scheme) = self.scheme else { return Legal::all(self.names.len()) };
        let names = || self.names.iter().map(|name| Some(name.as_str()));
        Legal {
            transitions: names().flat_map(|from| names().map(move |to| legal(scheme, from, to))).collect(),
            start: names().map(|to| legal(scheme, None, to)).collect(),
            end: names().map(|from| legal(scheme, from, None)).collect(),
        }
    }
}

/// Whether a tag is a span prefix, `-` and a type.
fn prefixed(name: &str) -> bool {
    name.split_once('-')
        .is_some_and(|(prefix, kind)| "BIESLU".contains(prefix) && prefix.len() == 1 && !kind.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ragged(rows: &[&[u32]]) -> Ragged<u32> {
        let mut ragged = Ragged::default();
        rows.iter().for_each(|row| ragged.push(row));
        ragged
    }

    #[test]
    fn iob1_becomes_bioes() {
        let names: Vec<String> = ["B-LOC", "I-LOC", "I-PER", "O"].map(String::from).to_vec();
        let tags = ragged(&[&[1, 1, 0, 3, 2]]);
        let set = TagSet::from_training(&TagTask::default(), &names, &tags);
        assert_eq!(set.scheme, Some(Scheme::Bioes));
        assert_eq!(set.names, ["O", "B-LOC", "I-LOC", "E-LOC", "S-LOC", "B-PER", "I-PER", "E-PER", "S-PER"]);
        let encoded = set.encode(&names, &tags);
        assert_eq!(set.text(encoded.get(0)), ["B-LOC", "E-LOC", "S-LOC", "O", "S-PER"]);
    }

    #[test]
    fn parts_of_speech_stay_as_they_are() {
        let names: Vec<String> = ["DT", "NN"].map(String::from).to_vec();
        let tags = ragged(&[&[0, 1]]);
        let set = TagSet::from_training(&TagTask::default(), &names, &tags);
        assert_eq!((set.scheme, set.names.len()), (None, 2));
        assert_eq!(set.encode(&names, &tags).get(0), [0, 1]);
    }

    #[test]
    fn a_sentence_with_a_missing_tag_stays_missing() {
        let names: Vec<String> = ["B-X", "O"].map(String::from).to_vec();
        let tags = ragged(&[&[0, u32::MAX]]);
        let set = TagSet { names: vec!["O".into(), "B-X".into(), "I-X".into()], scheme: Some(Scheme::Iob2) };
        assert!(set.encode(&names, &tags).get(0).contains(&u32::MAX));
    }
}
