//! Which characters does a word encoder know? Those of the training words, numbered in code-point order.

use serde::{Deserialize, Serialize};

/// The id that fills a word up to its batch's longest.
pub const PADDING: u32 = 0;

/// The id of every character that no training word holds.
pub const UNKNOWN: u32 = 1;

/// The first id of a known character.
const FIRST: u32 = 2;

/// The characters of the training words; ids are [`PADDING`], [`UNKNOWN`], then code-point order.
///
/// It is saved as one string of its characters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CharacterSet {
    characters: Vec<char>,
}

/// A stored set whose characters are not in strict code-point order, so that ids would not be what they were.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the character set is damaged: character {position} ({found:?}) does not stand after {previous:?}")]
pub struct CharacterSetError {
    /// Position of the character out of order, from 1.
    pub position: usize,
    /// That character.
    pub found: char,
    /// The character before it.
    pub previous: char,
}

impl CharacterSet {
    /// Collects the characters of the words that occur in training: those with a count of at least 1.
    pub fn from_words<'a>(words: impl IntoIterator<Item = (&'a str, u64)>) -> CharacterSet {
        let words = words.into_iter().filter(|&(_, count)| count > 0);
        let distinct: std::collections::BTreeSet<char> = words.flat_map(|(word, _)| word.chars()).collect();
        CharacterSet { characters: distinct.into_iter().collect() }
    }

    /// Number of ids, padding and unknown included: the rows of a table of character vectors.
    pub fn rows(&self) -> usize {
        self.characters.len() + FIRST as usize
    }

    /// The id of a character, [`UNKNOWN`] for one that training did not hold.
    pub fn id(&self, character: char) -> u32 {
        self.characters.binary_search(&character).map_or(UNKNOWN, |position| position as u32 + FIRST)
    }

    /// The ids of the same character, or of padding and of the unknown one, in this set and in another.
    pub fn shared_ids(&self, other: &CharacterSet) -> Vec<(u32, u32)> {
        let known = self.characters.iter().filter_map(|&character| match other.id(character) {
            UNKNOWN => None,
            id => Some((self.id(character), id)),
        });
        [(PADDING, PADDING), (UNKNOWN, UNKNOWN)].into_iter().chain(known).collect()
    }

    /// Turns a word into ids, at most `max_len`: of a longer word the first and the last half are kept.
    ///
    /// The first half is the longer one where `max_len` is odd.
    pub fn encode(&self, word: &str, max_len: usize) -> Vec<u32> {
        let mut ids: Vec<u32> = word.chars().map(|character| self.id(character)).collect();
        if ids.len() > max_len {
            let tail = max_len / 2;
            let head = max_len - tail;
            ids.drain(head..ids.len() - tail);
        }
        ids
    }
}

impl From<CharacterSet> for String {
    fn from(set: CharacterSet) -> String {
        set.characters.into_iter().collect()
    }
}

impl TryFrom<String> for CharacterSet {
    type Error = CharacterSetError;

    fn try_from(stored: String) -> Result<CharacterSet, CharacterSetError> {
        let characters: Vec<char> = stored.chars().collect();
        match characters.windows(2).position(|pair| pair[0] >= pair[1]) {
            None => Ok(CharacterSet { characters }),
            Some(at) => {
                Err(CharacterSetError { position: at + 2, found: characters[at + 1], previous: characters[at] })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set() -> CharacterSet {
        CharacterSet::from_words([("cab", 2), ("bé", 1), ("xyz", 0)])
    }

    #[test]
    fn ids_follow_code_points_after_padding_and_unknown() {
        let set = set();
        assert_eq!(set.rows(), 6);
        assert_eq!(set.encode("abcé", 10), [2, 3, 4, 5]);
        assert_eq!(set.encode("xa😀", 10), [UNKNOWN, 2, UNKNOWN]);
    }

    #[test]
    fn long_words_keep_both_ends() {
        let set = set();
        assert_eq!(set.encode("aabbcc", 4), [2, 2, 4, 4]);
        assert_eq!(set.encode("aabbcc", 3), [2, 2, 4]);
        assert_eq!(set.encode("aabbcc", 6), [2, 2, 3, 3, 4, 4]);
        assert_eq!(set.encode("abc", 1), [2]);
        assert!(set.encode("abc", 0).is_empty());
        assert!(set.encode("", 5).is_empty());
    }

    #[test]
    fn is_saved_as_a_string() {
        let json = serde_json::to_string(&set()).unwrap();
        assert_eq!(json, r#""abcé""#);
        assert_eq!(serde_json::from_str::<CharacterSet>(&json).unwrap(), set());
    }

    #[test]
    fn a_damaged_set_is_refused() {
        for (stored, position) in [("\"acb\"", 3), ("\"aa\"", 2)] {
            let message = serde_json::from_str::<CharacterSet>(stored).unwrap_err().to_string();
            assert!(message.contains(&format!("character {position}")), "{message}");
        }
    }

    #[test]
    fn without_training_words_all_is_unknown() {
        let set = CharacterSet::from_words([]);
        assert_eq!((set.rows(), set.encode("ab", 9)), (2, vec![UNKNOWN, UNKNOWN]));
    }
}
