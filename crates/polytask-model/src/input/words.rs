//! Word vectors, joined by features of the word's characters and a vector of its shape where asked.
//!
//! Characters are encoded once for every distinct word of a batch, and word vectors are read once for every distinct
//! row; tokens then gather from the small matrix of distinct words.

use std::path::Path;
use std::sync::Arc;

use burn::tensor::Tensor;
use polytask_data::characters::CharacterSet;
use polytask_data::interner::Interner;
use polytask_data::shapes::Shape;
use polytask_data::vectors::{WordVectors, read_vectors};
use polytask_data::vocabulary::{Vocabulary, needed};
use polytask_kernels::ops;
use polytask_spec::network::WordsInput;
use serde::{Deserialize, Serialize};

use super::characters::Characters;
use super::distinct::Distinct;
use super::{Feed, FitError, Fitted, InputKnowledge, Lexicon, Side};
use crate::parameters::{Group, Init, Owner, ParameterId, Parameters, TableId};
use crate::pass::Pass;
use crate::representation::{self as tokens, Form, Representation};

/// Width of a word vector where neither a file nor the configuration says.
const DIM: usize = 100;

/// What a words input learned from the data.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct WordsKnowledge {
    /// Words and their rows.
    pub vocabulary: Vocabulary,
    /// Known characters, where characters are encoded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub characters: Option<CharacterSet>,
    /// Width of a word vector.
    pub dim: usize,
}

impl WordsKnowledge {
    /// Looks up every word of an interner.
    pub fn lexicon(&self, words: &Interner) -> Lexicon {
        Lexicon::new(words, &self.vocabulary, self.characters.as_ref())
    }

    /// What the network has to know.
    pub(super) fn known(&self) -> Known<'_> {
        Known { rows: self.vocabulary.rows(), dim: self.dim, characters: self.characters.as_ref() }
    }
}

/// Reads the vectors that the words need, and gives rows to the others that occur often enough.
///
/// # Errors
///
/// Where the vectors file is wrong, or its width is not the configured one.
pub fn fit(spec: &WordsInput, words: &Interner, file: Option<&Path>, seed: u64) -> Result<Fitted, FitError> {
    let needed = needed(words.words());
    let (vectors, dim) = vectors(spec, file, &|word| needed.contains(word))?;
    let counts = || words.words().zip(words.counts().iter().copied());
    let found = vectors.as_ref().map_or(&[][..], |vectors| &vectors.words);
    let vocabulary = Vocabulary::build(counts(), found, spec.min_count);
    let initial =
        vocabulary.initial_values(vectors.as_ref(), dim, seed).map_err(|error| width_differs(error.to_string()))?;
    let characters = spec.characters.as_ref().map(|_| CharacterSet::from_words(counts()));
    let knowledge = InputKnowledge::Words(WordsKnowledge { vocabulary, characters, dim });
    Ok(Fitted { knowledge, initial })
}

/// The vectors of the words that are needed, where there is a file, and the width of a vector.
pub(super) fn vectors(
    spec: &WordsInput,
    file: Option<&Path>,
    needed: &(dyn Fn(&str) -> bool + Sync),
) -> Result<(Option<WordVectors>, usize), FitError> {
    let Some(path) = file else { return Ok((None, spec.dim.unwrap_or(DIM))) };
    let vectors = read_vectors(path, needed).map_err(polytask_data::Error::from)?;
    match spec.dim.filter(|&dim| dim != vectors.dim) {
        Some(dim) => {
            let file = spec.vectors.as_deref().unwrap_or_default();
            Err(width_differs(format!("{dim}, but the vectors in {file} are {} wide", vectors.dim)))
        }
        None => {
            let dim = vectors.dim;
            Ok((Some(vectors), dim))
        }
    }
}

fn width_differs(message: String) -> FitError {
    FitError::Option { option: "dim", message, help: "leave `dim` out".into() }
}

/// What the network has to know to be built.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    /// Rows of the table.
    pub rows: usize,
    /// Width of a row.
    pub dim: usize,
    /// Known characters, where characters are encoded.
    pub characters: Option<&'a CharacterSet>,
}

/// The words input.
#[derive(Debug)]
pub struct Words {
    table: TableId,
    dim: usize,
    dropout: f64,
    locked_dropout: f64,
    word_dropout: f64,
    characters: Option<Characters>,
    shapes: Option<Shapes>,
}

/// Vectors of the shapes of words, `[Shape::COUNT, dim]`.
#[derive(Debug)]
struct Shapes {
    vectors: ParameterId,
    dim: usize,
}

impl Words {
    /// Builds the input and adds its parameters; without initial values the table is zero.
    pub fn build(
        (name, owner): (&str, Owner),
        spec: &WordsInput,
        (known, initial): (Known<'_>, Vec<f32>),
        parameters: &mut Parameters,
        init: Init,
    ) -> Words {
        let mut values = initial;
        values.resize(known.rows * known.dim, 0.0);
        let table = parameters.add_table(format!("input.{name}.vectors"), known.dim, spec.tune, owner, values);
        parameters.hold(table, spec.tune_after.unwrap_or(0));
        let characters = known.characters.zip(spec.characters.as_ref()).map(|(set, spec)| {
            let prefix = format!("input.{name}.characters");
            Characters::build((&prefix, owner), spec, set, parameters, init)
        });
        let shapes = spec.shape.as_ref().map(|spec| {
            let (name, dim) = (format!("input.{name}.shape"), spec.dim);
            let values = init.uniform(&name, Shape::COUNT * dim, (3.0 / dim as f64).sqrt());
            Shapes { vectors: parameters.add(name, &[Shape::COUNT, dim], Group::Vectors, owner, values), dim }
        });
        let (dropout, locked_dropout, word_dropout) = (spec.dropout, spec.locked_dropout, spec.word_dropout);
        Words { table, dim: known.dim, dropout, locked_dropout, word_dropout, characters, shapes }
    }

    /// `Sequence` of word, character and shape features.
    pub fn form(&self) -> Form {
        let characters = self.characters.as_ref().map_or(0, Characters::features);
        Form::Sequence(self.dim + characters + self.shapes.as_ref().map_or(0, |shapes| shapes.dim))
    }

    /// Whether the pass drops anything of it.
    pub fn drops(&self, pass: &Pass<'_>) -> bool {
        let characters = self.characters.as_ref().is_some_and(|characters| characters.drops(pass));
        characters || [self.dropout, self.locked_dropout, self.word_dropout].iter().any(|&rate| pass.drops(rate))
    }

    /// `[batch, token, dim + character features + shape features]`.
    pub fn forward(&self, pass: &Pass<'_>, (feeds, side): (&[Feed<'_>], Side), lexicon: &Lexicon) -> Representation {
        let texts: Vec<&[u32]> = feeds.iter().flat_map(|feed| texts(feed, side)).collect();
        let lengths: Vec<usize> = texts.iter().map(|text| text.len()).collect();
        let time = lengths.iter().copied().max().unwrap_or(0).max(1);
        let tokens = || texts.iter().flat_map(|text| text.iter().copied());

        let row_of = |word: u32| lexicon.rows[word as usize];
        let rows = Distinct::new(tokens().map(row_of), pass.parameters().table(self.table).rows());
        let vectors = pass.rows(self.table, &rows.values());
        let (features, index) = if self.characters.is_none() && self.shapes.is_none() {
            (vectors, padded_index(&texts, time, |word| rows.position(row_of(word))))
        } else {
            let words = Distinct::new(tokens(), lexicon.rows.len());
            let listed = words.values();
            let rows_of_words = listed.iter().map(|&word| rows.position(row_of(word))).collect();
            let vectors: Tensor<2> = ops::gather(vectors, Arc::new(rows_of_words));
            (self.joined(pass, vectors, &listed, lexicon), padded_index(&texts, time, |word| words.position(word)))
        };
        let words = tokens::Words { rows: features, index: Arc::new(index), lengths: Arc::new(lengths) };
        Representation::Words(words)
            .word_dropout(pass, self.word_dropout)
            .dropout(pass, self.dropout)
            .locked_dropout(pass, self.locked_dropout)
    }

    /// The vectors of distinct words, `[words, dim]`, with what else is known of them.
    fn joined(&self, pass: &Pass<'_>, vectors: Tensor<2>, words: &[u32], lexicon: &Lexicon) -> Tensor<2> {
        let mut parts = vec![vectors];
        if let Some(characters) = &self.characters {
            let letters: Vec<&[u32]> = words.iter().map(|&word| lexicon.characters.get(word as usize)).collect();
            parts.push(characters.forward(pass, &letters));
        }
        if let Some(shapes) = &self.shapes {
            let index = words.iter().map(|&word| lexicon.shapes[word as usize]).collect();
            parts.push(ops::gather(pass.get(shapes.vectors), Arc::new(index)));
        }
        Tensor::cat(parts, 1)
    }
}

/// The words of each example of a feed.
fn texts<'a>(feed: &Feed<'a>, side: Side) -> impl Iterator<Item = &'a [u32]> + use<'a> {
    let tokens = match side {
        Side::First => feed.examples.tokens(),
        Side::Second => feed.examples.second(),
    };
    let tokens = tokens.expect("a words input reads a dataset that has as many texts");
    feed.index.iter().map(|&example| tokens.get(example as usize))
}

/// `[batch * time]`: the place of each word, and `u32::MAX` behind a text.
pub(super) fn padded_index(texts: &[&[u32]], time: usize, place: impl Fn(u32) -> u32) -> Vec<u32> {
    let mut index = vec![u32::MAX; texts.len() * time];
    for (text, slots) in texts.iter().zip(index.chunks_mut(time)) {
        slots.iter_mut().zip(*text).for_each(|(slot, &word)| *slot = place(word));
    }
    index
}
