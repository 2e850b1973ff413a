//! Vectors of subwords: a row for every token of a tokenizer that was made elsewhere.

use std::path::Path;

use polytask_data::interner::Interner;
use polytask_data::subwords::Subwords;
use polytask_data::vocabulary::Match;
use polytask_spec::network::WordsInput;
use serde::{Deserialize, Serialize};

use super::words::{Known, vectors};
use super::{FitError, Fitted, InputKnowledge, Lexicon};

/// What a words input with a tokenizer knows.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SubwordsKnowledge {
    /// The tokenizer: its rows are those of the table.
    pub tokenizer: Subwords,
    /// Width of a token's vector.
    pub dim: usize,
    /// Rows that began with a vector of the vectors file, ascending.
    pub vectors: Vec<u32>,
}

impl SubwordsKnowledge {
    /// Looks up every token of an interner.
    pub fn lexicon(&self, tokens: &Interner) -> Lexicon {
        let mut lexicon = Lexicon::default();
        for token in tokens.words() {
            let row = self.tokenizer.row(token);
            lexicon.rows.push(row);
            lexicon.matches.push(match self.vectors.binary_search(&row) {
                Ok(_) => Match::Exact,
                Err(_) if self.tokenizer.unknown() == Some(row) => Match::Unknown,
                Err(_) => Match::Own,
            });
        }
        lexicon
    }

    /// What the network has to know.
    pub(super) fn known(&self) -> Known<'_> {
        Known { rows: self.tokenizer.rows(), dim: self.dim, characters: None }
    }
}

/// Gives every token its row, with the vector of its name where there is one.
///
/// # Errors
///
/// Where the vectors file is wrong, or its width is not the configured one.
pub fn fit(spec: &WordsInput, tokenizer: &Subwords, file: Option<&Path>, seed: u64) -> Result<Fitted, FitError> {
    let needed = tokenizer.needed();
    let (vectors, dim) = vectors(spec, file, &|word| needed.contains(word))?;
    let (initial, found) = tokenizer.initial_values(vectors.as_ref(), dim, seed);
    let knowledge = SubwordsKnowledge { tokenizer: tokenizer.clone(), dim, vectors: found };
    Ok(Fitted { knowledge: InputKnowledge::Subwords(knowledge), initial })
}
