//! What is each distinct word of a dataset to the network?

use polytask_data::characters::CharacterSet;
use polytask_data::interner::Interner;
use polytask_data::shapes::Shape;
use polytask_data::table::{Examples, Ragged};
use polytask_data::vocabulary::{Match, Vocabulary};

/// Longest word in characters that the character encoder reads; longer words keep their first and last halves.
pub const MAX_CHARACTERS: usize = 40;

/// For every interned word: its row in the table of word vectors and its characters.
#[derive(Debug, Clone, Default)]
pub struct Lexicon {
    /// Row of the table, by interned word id.
    pub rows: Vec<u32>,
    /// How the row was found, by interned word id.
    pub matches: Vec<Match>,
    /// Character ids, by interned word id; empty without a character encoder.
    pub characters: Ragged<u32>,
    /// Shape of each word, by interned word id.
    pub shapes: Vec<u32>,
}

impl Lexicon {
    /// Looks up every word of an interner.
    pub fn new(words: &Interner, vocabulary: &Vocabulary, characters: Option<&CharacterSet>) -> Lexicon {
        let mut lexicon = Lexicon::default();
        for id in 0..words.len() as u32 {
            let word = words.word(id);
            let (row, found) = vocabulary.lookup(word);
            lexicon.rows.push(row);
            lexicon.matches.push(found);
            lexicon.shapes.push(Shape::of(word).id());
            if let Some(characters) = characters {
                lexicon.characters.push(&characters.encode(word, MAX_CHARACTERS));
            }
        }
        lexicon
    }

    /// Share of tokens by how they find their vector.
    pub fn coverage(&self, examples: &Examples) -> Vec<(&'static str, f64)> {
        let mut shares = [("vector", 0.0), ("lower-cased", 0.0), ("digits", 0.0), ("own row", 0.0), ("unknown", 0.0)];
        let count: usize = examples.texts().map(|tokens| tokens.values().len()).sum();
        for &token in examples.texts().flat_map(|tokens| tokens.values()) {
            let found = match self.matches[token as usize] {
                Match::Exact => 0,
                Match::Lowercase => 1,
                Match::Digits => 2,
                Match::Own => 3,
                Match::Unknown => 4,
            };
            shares[found].1 += 1.0 / count as f64;
        }
        shares.to_vec()
    }
}
