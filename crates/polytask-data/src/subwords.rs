//! How is text cut by a tokenizer that was made elsewhere? As its `tokenizer.json` (Hugging Face tokenizers) says: byte
//! pair encoding, WordPiece, Unigram or whole words, with their normalizers and pre-tokenizers.
//!
//! Every token of the file has a row of its own. The tokens that a post-processor would put around a text (`[CLS]`) are
//! left out, and its truncation and padding too: `max_tokens` cuts texts, and batches are padded on their own.
//!
//! Byte pair encoding: Sennrich, Haddow and Birch, ACL 2016; WordPiece: Schuster and Nakajima, ICASSP 2012; Unigram:
//! Kudo, ACL 2018.

mod check;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::fmt;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tokenizers::Tokenizer;

use crate::error::{Error, Result};
use crate::hash::Hash;
use crate::rng::Rng;
use crate::vectors::WordVectors;
use crate::vocabulary::draw;

/// A tokenizer and its tokens. It is saved as the text of its file; clones share one tokenizer.
#[derive(Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Subwords(Arc<Parts>);

struct Parts {
    /// The file as it was read.
    text: String,
    tokenizer: Tokenizer,
    /// The token of each row.
    tokens: Vec<String>,
    rows: HashMap<String, u32>,
    unknown: Option<u32>,
}

/// Why a text is no tokenizer that can be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SubwordsError(String);

const HELP: &str = "give a `tokenizer.json` as Hugging Face tokenizers writes it: BPE, WordPiece, Unigram or WordLevel";

impl Subwords {
    /// Reads a `tokenizer.json`.
    ///
    /// # Errors
    /// The file cannot be read, is not UTF-8 or is no tokenizer that can be used.
    pub fn read(path: &Path) -> Result<Subwords> {
        let name = path.display().to_string();
        let bytes = std::fs::read(path).map_err(|error| Error::io(name.as_str(), error))?;
        let unusable = |message: String| Error::Tokenizer { path: name.clone(), message, help: HELP.into() };
        let text = String::from_utf8(bytes).map_err(|error| {
            let at = error.utf8_error().valid_up_to();
            unusable(format!("expected UTF-8, found the byte 0x{:02X} at offset {at}", error.as_bytes()[at]))
        })?;
        Subwords::try_from(text).map_err(|error| unusable(error.to_string()))
    }

    /// Calls `f` with the byte range in `text` and the name of each token, from first to last.
    ///
    /// # Errors
    /// The tokenizer cannot cut the text; says why.
    pub fn cut(&self, text: &str, mut f: impl FnMut(Range<usize>, &str)) -> Result<(), SubwordsError> {
        let Parts { tokenizer, tokens, .. } = &*self.0;
        let encoding = guarded(|| tokenizer.encode(text, false))?;
        for (&id, &(start, end)) in encoding.get_ids().iter().zip(encoding.get_offsets()) {
            if let Some(token) = tokens.get(id as usize) {
                f(start..end, token);
            }
        }
        Ok(())
    }

    /// Number of rows that a table of token vectors has.
    pub fn rows(&self) -> usize {
        self.0.tokens.len()
    }

    /// A hash of the file: it changes where the tokenizer does.
    pub fn fingerprint(&self) -> u64 {
        let mut hash = Hash::new();
        hash.word(&self.0.text);
        hash.finish()
    }

    /// The row of a token by its name; that of the unknown token, or the first, where there is no such token.
    pub fn row(&self, token: &str) -> u32 {
        self.0.rows.get(token).copied().or(self.0.unknown).unwrap_or(0)
    }

    /// The row of the token that stands for what no other does, where there is one.
    pub fn unknown(&self) -> Option<u32> {
        self.0.unknown
    }

    /// Rows of the tokens that another tokenizer has too, ours and the other's, in the order of ours.
    pub fn shared_rows(&self, other: &Subwords) -> impl Iterator<Item = (u32, u32)> {
        self.0.tokens.iter().zip(0..).filter_map(|(token, row)| Some((row, *other.0.rows.get(token)?)))
    }

    /// The forms under which a token is looked for among vectors: as it stands, then without a mark that a word begins
    /// (`Ġ` of byte-level encodings, `▁` of SentencePiece).
    fn forms(token: &str) -> impl Iterator<Item = &str> {
        let unmarked = ['Ġ', '▁'].iter().find_map(|mark| token.strip_prefix(*mark));
        std::iter::once(token).chain(unmarked.filter(|word| !word.is_empty()))
    }

    /// Every form of every token, in an order of no meaning.
    pub fn needed(&self) -> std::collections::HashSet<&str> {
        self.0.tokens.iter().flat_map(|token| Subwords::forms(token)).collect()
    }

    /// The table's first values `[rows, dim]`, and the rows that have their vector: the others are uniform in
    /// `±sqrt(3 / dim)` and depend on the seed and their token alone.
    pub fn initial_values(&self, vectors: Option<&WordVectors>, dim: usize, seed: u64) -> (Vec<f32>, Vec<u32>) {
        let words = vectors.map_or(&[][..], |vectors| &vectors.words);
        let index: HashMap<&str, usize> = words.iter().enumerate().map(|(at, word)| (word.as_str(), at)).collect();
        let (mut values, mut found) = (Vec::with_capacity(self.rows() * dim), Vec::new());
        for (row, token) in self.0.tokens.iter().enumerate() {
            let known = Subwords::forms(token).find_map(|form| index.get(form));
            match vectors.zip(known) {
                Some((vectors, &at)) => {
                    values.extend(vectors.vector(at));
                    found.push(row as u32);
                }
                None => draw(&mut values, dim, Rng::derive(seed, &format!("vector of token {token}"), 0)),
            }
        }
        (values, found)
    }
}

impl TryFrom<String> for Subwords {
    type Error = SubwordsError;

    fn try_from(text: String) -> Result<Subwords, SubwordsError> {
        let unknown = check::check(&text).map_err(SubwordsError)?;
        let mut tokenizer = guarded(|| Tokenizer::from_bytes(&text))?;
        tokenizer.with_padding(None);
        tokenizer.with_truncation(None).map_err(|error| SubwordsError(error.to_string()))?;
        let rows = tokenizer.get_vocab(true);
        let mut tokens = vec![String::new(); rows.len()];
        for (token, &id) in &rows {
            let count = rows.len();
            let row = tokens.get_mut(id as usize);
            let row = row.ok_or_else(|| SubwordsError(format!("{token:?} is number {id} of {count} tokens")))?;
            row.clone_from(token);
        }
        let unknown = unknown.and_then(|token| rows.get(&token).copied());
        let subwords = Subwords(Arc::new(Parts { text, tokenizer, tokens, rows, unknown }));
        // What fails on any text fails here, where the file can be named.
        subwords.cut("A text, with 1 number: é.", |_, _| {})?;
        Ok(subwords)
    }
}

impl From<Subwords> for String {
    fn from(subwords: Subwords) -> String {
        subwords.0.text.clone()
    }
}

impl fmt::Debug for Subwords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Subwords({} tokens)", self.rows())
    }
}

impl PartialEq for Subwords {
    fn eq(&self, other: &Subwords) -> bool {
        self.0.text == other.0.text
    }
}

/// Runs the tokenizers library, whose indices into damaged tables are not all checked: a panic of it is an error here.
fn guarded<T>(run: impl FnOnce() -> tokenizers::Result<T>) -> Result<T, SubwordsError> {
    match catch_unwind(AssertUnwindSafe(run)) {
        Ok(result) => result.map_err(|error| SubwordsError(format!("the tokenizers library refuses it: {error}"))),
        Err(_) => Err(SubwordsError("the tokenizers library fails on it".into())),
    }
}
