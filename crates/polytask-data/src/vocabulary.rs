//! Which row of the table does a word get? Its vector's, that of a simpler form, one of its own, or the unknown row.

use crate::rng::Rng;
use crate::vectors::WordVectors;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap, HashSet};

/// Words and their rows: row 0 is the unknown word, then the words with vectors, then those with a row of their own.
///
/// Both parts are in byte order, so that rows depend on neither the order of the data nor that of the vectors file.
/// It is saved as its words in the order of rows and the number of those with vectors.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Stored")]
pub struct Vocabulary {
    /// How many words have vectors: rows `1..=vectors`.
    vectors: usize,
    /// The words of rows 1 and up.
    words: Vec<String>,
}

/// How a word came to its row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Match {
    /// The word has a vector as it stands.
    Exact,
    /// Its lower-cased form has a vector.
    Lowercase,
    /// Its lower-cased form with every ASCII digit as `0` has a vector.
    Digits,
    /// Its normal form has a row of its own, without a vector.
    Own,
    /// It shares row 0 with all unknown words.
    Unknown,
}

/// A vocabulary that is damaged, or does not fit the vectors.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VocabularyError {
    /// A stored vocabulary tells of more vectors than it has words.
    #[error("the vocabulary is damaged: {vectors} vectors for {words} words")]
    Count {
        /// Words with vectors that it tells of.
        vectors: usize,
        /// Words that it holds.
        words: usize,
    },
    /// The words of a stored vocabulary are not in order, so that lookups would fail.
    #[error("the vocabulary is damaged: {word:?} of row {row} is out of order")]
    Order {
        /// The row.
        row: usize,
        /// Its word.
        word: String,
    },
    /// A word of the vocabulary has no vector in the file.
    #[error(
        "no vector for {word:?}, which had one when the vocabulary was built\n  help: is this the same vectors file?"
    )]
    Missing {
        /// The word.
        word: String,
    },
    /// The vectors are not as wide as the table.
    #[error("the vectors have {found} numbers, the table has {expected}")]
    Width {
        /// Numbers in a vector.
        found: usize,
        /// Width of the table.
        expected: usize,
    },
}

/// The forms under which words are looked for among the vectors: as they stand, lower-cased, and with digits as `0`.
///
/// The set answers what [`read_vectors`](crate::vectors::read_vectors) asks; its order is never seen.
pub fn needed<'a>(words: impl IntoIterator<Item = &'a str>) -> HashSet<String> {
    words.into_iter().flat_map(|word| [word.to_owned(), word.to_lowercase(), normal_form(word)]).collect()
}

/// The form that words without a vector share: lower-cased, every ASCII digit as `0`.
pub fn normal_form(word: &str) -> String {
    zero_digits(&word.to_lowercase())
}

fn zero_digits(word: &str) -> String {
    word.chars().map(|character| if character.is_ascii_digit() { '0' } else { character }).collect()
}

impl Vocabulary {
    /// Gives rows to all words that have a vector, and to normal forms that occur often enough without one.
    ///
    /// `counts` are distinct words and how often each stands in training. The count of a normal form sums over the
    /// words that come down to it, that is, those without a vector in any form; it has to reach `min_count` (at least 1).
    pub fn build<'a>(
        counts: impl IntoIterator<Item = (&'a str, u64)>,
        vector_words: &[String],
        min_count: usize,
    ) -> Vocabulary {
        let mut words = vector_words.to_vec();
        words.sort_unstable();
        words.dedup();
        let mut vocabulary = Vocabulary { vectors: words.len(), words };
        let mut own: BTreeMap<String, u64> = BTreeMap::new();
        for (word, count) in counts {
            if vocabulary.lookup(word).1 == Match::Unknown {
                *own.entry(normal_form(word)).or_default() += count;
            }
        }
        own.retain(|_, count| *count >= min_count.max(1) as u64);
        vocabulary.words.extend(own.into_keys());
        vocabulary
    }

    /// Number of rows, the unknown one included.
    pub fn rows(&self) -> usize {
        self.words.len() + 1
    }

    /// Number of rows with vectors: rows `1..=vectors`.
    pub fn vectors(&self) -> usize {
        self.vectors
    }

    /// The word of a row; none for row 0 and for rows that there are not.
    pub fn word(&self, row: u32) -> Option<&str> {
        self.words.get((row as usize).checked_sub(1)?).map(String::as_str)
    }

    /// Finds the row of a word: by its vector, its lower-cased form's, its form's with digits as `0`, then its own row.
    pub fn lookup(&self, word: &str) -> (u32, Match) {
        if let Some(row) = self.vector_row(word) {
            return (row, Match::Exact);
        }
        let lower = word.to_lowercase();
        if let Some(row) = self.vector_row(&lower) {
            return (row, Match::Lowercase);
        }
        let normal = zero_digits(&lower);
        if let Some(row) = self.vector_row(&normal) {
            return (row, Match::Digits);
        }
        let own = self.words[self.vectors..].binary_search_by(|known| known.as_str().cmp(&normal));
        own.map_or((0, Match::Unknown), |position| ((self.vectors + position) as u32 + 1, Match::Own))
    }

    fn vector_row(&self, word: &str) -> Option<u32> {
        let position = self.words[..self.vectors].binary_search_by(|known| known.as_str().cmp(word)).ok()?;
        Some(position as u32 + 1)
    }

    /// The table's first values `[rows, dim]`: vectors where there are, else uniform in `±sqrt(3 / dim)`.
    ///
    /// What is drawn for a row depends on the seed and the row's word only, not on the other words.
    ///
    /// # Errors
    /// A word of the vocabulary has no vector, or vectors are not `dim` wide.
    pub fn initial_values(
        &self,
        vectors: Option<&WordVectors>,
        dim: usize,
        seed: u64,
    ) -> Result<Vec<f32>, VocabularyError> {
        if let Some(found) = vectors.map(|vectors| vectors.dim).filter(|&found| found != dim) {
            return Err(VocabularyError::Width { found, expected: dim });
        }
        let index: HashMap<&str, usize> = match vectors {
            Some(vectors) => vectors.words.iter().enumerate().map(|(index, word)| (word.as_str(), index)).collect(),
            None => HashMap::new(),
        };
        let mut values = Vec::with_capacity(self.rows() * dim);
        draw(&mut values, dim, Rng::derive(seed, "vector of unknown words", 0));
        let (with_vector, own) = self.words.split_at(self.vectors);
        for word in with_vector {
            let vector = vectors.zip(index.get(word.as_str())).map(|(vectors, &index)| vectors.vector(index));
            values.extend(vector.ok_or_else(|| VocabularyError::Missing { word: word.clone() })?);
        }
        for word in own {
            draw(&mut values, dim, Rng::derive(seed, &format!("vector of word {word}"), 0));
        }
        Ok(values)
    }
}

/// Appends a vector of the same expected length as one with `dim` numbers of unit variance, over `sqrt(dim)`.
pub(crate) fn draw(values: &mut Vec<f32>, dim: usize, mut rng: Rng) {
    let bound = (3.0 / dim as f64).sqrt();
    values.extend((0..dim).map(|_| ((2.0 * rng.uniform() - 1.0) * bound) as f32));
}

/// What a saved vocabulary holds, unchecked.
#[derive(Deserialize)]
struct Stored {
    vectors: usize,
    words: Vec<String>,
}

impl TryFrom<Stored> for Vocabulary {
    type Error = VocabularyError;

    fn try_from(Stored { vectors, words }: Stored) -> Result<Vocabulary, VocabularyError> {
        if vectors > words.len() {
            return Err(VocabularyError::Count { vectors, words: words.len() });
        }
        let is_disordered = |at: &usize| *at != vectors && words[at - 1] >= words[*at];
        match (1..words.len()).find(is_disordered) {
            Some(at) => Err(VocabularyError::Order { row: at + 1, word: words[at].clone() }),
            None => Ok(Vocabulary { vectors, words }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COUNTS: [(&str, u64); 12] = [
        ("The", 5),
        ("the", 9),
        ("Paris", 2),
        ("PARIS", 1),
        ("1996-08-22", 1),
        ("2,000", 1),
        ("3,500", 1),
        ("Zorp", 1),
        ("zorp", 1),
        ("rare", 1),
        ("unseen", 0),
        ("Unseen", 0),
    ];

    fn vectors() -> WordVectors {
        let words: Vec<String> = ["the", "0000-00-00", "Paris", "paris"].map(String::from).to_vec();
        WordVectors { dim: 2, values: (0..8).map(|x| x as f32).collect(), words, lines_read: 4 }
    }

    fn vocabulary() -> Vocabulary {
        Vocabulary::build(COUNTS, &vectors().words, 2)
    }

    #[test]
    fn words_fall_back_step_by_step() {
        let vocabulary = vocabulary();
        let rows: Vec<Option<&str>> = (0..8).map(|row| vocabulary.word(row)).collect();
        let expected = ["0000-00-00", "Paris", "paris", "the", "0,000", "zorp"].map(Some);
        assert_eq!((rows[0], &rows[1..7], rows[7]), (None, &expected[..], None));
        assert_eq!((vocabulary.rows(), vocabulary.vectors()), (7, 4));
        for (word, expected) in [
            ("Paris", (2, Match::Exact)),
            ("PARIS", (3, Match::Lowercase)),
            ("THE", (4, Match::Lowercase)),
            ("0000-00-00", (1, Match::Exact)),
            ("1996-08-30", (1, Match::Digits)),
            ("9,999", (5, Match::Own)),
            ("0,000", (5, Match::Own)),
            ("ZORP", (6, Match::Own)),
            ("rare", (0, Match::Unknown)),
            ("unseen", (0, Match::Unknown)),
            ("", (0, Match::Unknown)),
        ] {
            assert_eq!(vocabulary.lookup(word), expected, "{word}");
        }
    }

    #[test]
    fn rows_do_not_depend_on_order() {
        let mut words = vectors().words;
        words.reverse();
        assert_eq!(Vocabulary::build(COUNTS.into_iter().rev(), &words, 2), vocabulary());
    }

    #[test]
    fn words_with_a_vector_do_not_count_for_own_rows() {
        let counts = [("1996", 8), ("2087", 1)];
        assert_eq!(Vocabulary::build(counts, &["1996".into()], 2).rows(), 2);
        assert_eq!(Vocabulary::build([("unseen", 0)], &[], 0).rows(), 1);
    }

    #[test]
    fn needed_holds_every_form() {
        let mut forms: Vec<String> = needed(["B-17", "the"]).into_iter().collect();
        forms.sort();
        assert_eq!(forms, ["B-17", "b-00", "b-17", "the"]);
    }

    #[test]
    fn a_loaded_vocabulary_looks_up_the_same() {
        let json = serde_json::to_string(&vocabulary()).unwrap();
        assert_eq!(json, r#"{"vectors":4,"words":["0000-00-00","Paris","paris","the","0,000","zorp"]}"#);
        assert_eq!(serde_json::from_str::<Vocabulary>(&json).unwrap(), vocabulary());
    }

    #[test]
    fn a_damaged_vocabulary_is_refused() {
        for (json, expected) in [
            (r#"{"vectors":2,"words":["a"]}"#, "2 vectors for 1 words"),
            (r#"{"vectors":2,"words":["b","a"]}"#, "\"a\" of row 2"),
            (r#"{"vectors":0,"words":["a","a"]}"#, "\"a\" of row 2"),
            (r#"{"vectors":1,"words":["b","a","c","c"]}"#, "\"c\" of row 4"),
        ] {
            let message = serde_json::from_str::<Vocabulary>(json).unwrap_err().to_string();
            assert!(message.contains(expected), "{message}");
        }
        assert!(serde_json::from_str::<Vocabulary>(r#"{"vectors":1,"words":["b","a","c"]}"#).is_ok());
    }

    #[test]
    fn initial_values_copy_vectors_and_draw_the_rest() {
        let values = vocabulary().initial_values(Some(&vectors()), 2, 7).unwrap();
        assert_eq!(values.len(), 14);
        assert_eq!(values[2..10], [2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 0.0, 1.0]);
        assert!(values[..2].iter().chain(&values[10..]).all(|value| value.abs() <= 1.5f32.sqrt()));
        // Another vocabulary, the same value for the same word.
        let other = Vocabulary::build([("zorp", 2), ("aardvark", 2)], &[], 2);
        let others = other.initial_values(None, 2, 7).unwrap();
        assert_eq!((&others[..2], &others[4..]), (&values[..2], &values[12..]));
        assert_ne!(others[2..4], others[4..]);
        assert_ne!(others, other.initial_values(None, 2, 8).unwrap());
    }

    #[test]
    fn drawn_values_have_unit_expected_length() {
        let words: Vec<String> = (0..200).map(|word| format!("w{}", "x".repeat(word))).collect();
        let vocabulary = Vocabulary::build(words.iter().map(|word| (word.as_str(), 1)), &[], 1);
        let values = vocabulary.initial_values(None, 50, 1).unwrap();
        let squares: f32 = values.iter().map(|value| value * value).sum::<f32>() / vocabulary.rows() as f32;
        assert!((squares - 1.0).abs() < 0.03, "{squares}");
    }

    #[test]
    fn vectors_that_do_not_fit_are_refused() {
        let width = vocabulary().initial_values(Some(&vectors()), 3, 7).unwrap_err();
        assert_eq!(width, VocabularyError::Width { found: 2, expected: 3 });
        let missing = vocabulary().initial_values(None, 2, 7).unwrap_err();
        assert_eq!(missing, VocabularyError::Missing { word: "0000-00-00".into() });
    }
}
