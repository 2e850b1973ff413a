//! Word vectors, joined by a character CNN where asked.
//!
//! Characters are encoded once for every distinct word of a batch, and word vectors are read once for every distinct
//! row; tokens then gather from the small matrix of distinct words. Character CNN: Ma and Hovy, "End-to-end sequence
//! labeling via bi-directional LSTM-CNNs-CRF", ACL 2016.

use std::path::Path;
use std::sync::Arc;

use burn::tensor::Tensor;
use polytask_data::characters::CharacterSet;
use polytask_data::interner::Interner;
use polytask_data::vectors::read_vectors;
use polytask_data::vocabulary::{Vocabulary, needed};
use polytask_kernels::activation::Activation;
use polytask_kernels::ops;
use polytask_spec::network::WordsInput;
use serde::{Deserialize, Serialize};

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
}

/// Reads the vectors that the words need, and gives rows to the others that occur often enough.
///
/// # Errors
///
/// Where the vectors file is wrong, or its width is not the configured one.
pub fn fit(spec: &WordsInput, words: &Interner, file: Option<&Path>, seed: u64) -> Result<Fitted, FitError> {
    let vectors = match file {
        None => None,
        Some(path) => {
            let needed = needed(words.words());
            Some(read_vectors(path, &|word| needed.contains(word)).map_err(polytask_data::Error::from)?)
        }
    };
    let width_differs = |message: String| FitError::Option { option: "dim", message, help: "leave `dim` out".into() };
    let dim = match (&vectors, spec.dim) {
        (Some(vectors), Some(dim)) if vectors.dim != dim => {
            let file = spec.vectors.as_deref().unwrap_or_default();
            return Err(width_differs(format!("{dim}, but the vectors in {file} are {} wide", vectors.dim)));
        }
        (Some(vectors), _) => vectors.dim,
        (None, dim) => dim.unwrap_or(DIM),
    };
    let counts = || words.words().zip(words.counts().iter().copied());
    let found = vectors.as_ref().map_or(&[][..], |vectors| &vectors.words);
    let vocabulary = Vocabulary::build(counts(), found, spec.min_count);
    let initial =
        vocabulary.initial_values(vectors.as_ref(), dim, seed).map_err(|error| width_differs(error.to_string()))?;
    let characters = spec.characters.as_ref().map(|_| CharacterSet::from_words(counts()));
    let knowledge = InputKnowledge::Words(WordsKnowledge { vocabulary, characters, dim });
    Ok(Fitted { knowledge, initial })
}

/// The words input.
#[derive(Debug, Clone)]
pub struct Words {
    table: TableId,
    dim: usize,
    dropout: f64,
    locked_dropout: f64,
    word_dropout: f64,
    characters: Option<CharacterCnn>,
}

impl Words {
    /// Builds the input and adds its parameters; without initial values the table is zero.
    pub fn build(
        (name, owner): (&str, Owner),
        spec: &WordsInput,
        (knowledge, initial): (&WordsKnowledge, Vec<f32>),
        parameters: &mut Parameters,
        init: Init,
    ) -> Words {
        let mut values = initial;
        values.resize(knowledge.vocabulary.rows() * knowledge.dim, 0.0);
        let table = parameters.add_table(format!("input.{name}.vectors"), knowledge.dim, spec.tune, owner, values);
        let characters = knowledge.characters.as_ref().zip(spec.characters.as_ref()).map(|(set, spec)| {
            let prefix = format!("input.{name}.characters");
            let mut add = |part: &str, shape: &[usize], group, values| {
                parameters.add(format!("{prefix}.{part}"), shape, group, owner, values)
            };
            let (dim, filters, width) = (spec.dim, spec.filters, spec.width);
            let bound = (3.0 / dim as f64).sqrt();
            let vectors = init.uniform(&format!("{prefix}.vectors"), set.rows() * dim, bound);
            let weight = init.glorot(&format!("{prefix}.weight"), width * dim * filters, width * dim, filters);
            CharacterCnn {
                vectors: add("vectors", &[set.rows(), dim], Group::Vectors, vectors),
                weight: add("weight", &[width * dim, filters], Group::Trunk, weight),
                bias: add("bias", &[filters], Group::Trunk, vec![0.0; filters]),
                filters,
                dropout: spec.dropout,
            }
        });
        let (dropout, locked_dropout, word_dropout) = (spec.dropout, spec.locked_dropout, spec.word_dropout);
        Words { table, dim: knowledge.dim, dropout, locked_dropout, word_dropout, characters }
    }

    /// `Sequence` of word and character features.
    pub fn form(&self) -> Form {
        Form::Sequence(self.dim + self.characters.as_ref().map_or(0, |cnn| cnn.filters))
    }

    /// `[batch, token, dim + character filters]`.
    pub fn forward(&self, pass: &Pass<'_>, (feeds, side): (&[Feed<'_>], Side), lexicon: &Lexicon) -> Representation {
        let texts: Vec<&[u32]> = feeds.iter().flat_map(|feed| texts(feed, side)).collect();
        let lengths: Vec<usize> = texts.iter().map(|text| text.len()).collect();
        let time = lengths.iter().copied().max().unwrap_or(0).max(1);
        let tokens = || texts.iter().flat_map(|text| text.iter().copied());

        let row_of = |word: u32| lexicon.rows[word as usize];
        let rows = Distinct::new(tokens().map(row_of), pass.parameters().table(self.table).rows());
        let vectors = pass.rows(self.table, &rows.values());
        let (features, index) = match &self.characters {
            None => (vectors, padded_index(&texts, time, |word| rows.position(row_of(word)))),
            Some(cnn) => {
                let words = Distinct::new(tokens(), lexicon.rows.len());
                let listed = words.values();
                let rows_of_words = listed.iter().map(|&word| rows.position(row_of(word))).collect();
                let vectors: Tensor<2> = ops::gather(vectors, Arc::new(rows_of_words));
                let letters: Vec<&[u32]> = listed.iter().map(|&word| lexicon.characters.get(word as usize)).collect();
                let joined = Tensor::cat(vec![vectors, cnn.forward(pass, &letters)], 1);
                (joined, padded_index(&texts, time, |word| words.position(word)))
            }
        };
        let words = tokens::Words { rows: features, index: Arc::new(index), lengths: Arc::new(lengths) };
        Representation::Words(words)
            .word_dropout(pass, self.word_dropout)
            .dropout(pass, self.dropout)
            .locked_dropout(pass, self.locked_dropout)
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
fn padded_index(texts: &[&[u32]], time: usize, place: impl Fn(u32) -> u32) -> Vec<u32> {
    let mut index = vec![u32::MAX; texts.len() * time];
    for (text, slots) in texts.iter().zip(index.chunks_mut(time)) {
        slots.iter_mut().zip(*text).for_each(|(slot, &word)| *slot = place(word));
    }
    index
}

/// Convolution over the characters of each word, and the maximum over the word.
#[derive(Debug, Clone)]
struct CharacterCnn {
    vectors: ParameterId,
    weight: ParameterId,
    bias: ParameterId,
    filters: usize,
    dropout: f64,
}

impl CharacterCnn {
    /// `[words, filters]`.
    fn forward(&self, pass: &Pass<'_>, words: &[&[u32]]) -> Tensor<2> {
        let lengths: Vec<usize> = words.iter().map(|word| word.len()).collect();
        let time = lengths.iter().copied().max().unwrap_or(0).max(1);
        let index = padded_index(words, time, |character| character);
        let vectors: Tensor<2> = pass.get(self.vectors);
        let dim = vectors.dims()[1];
        let (index, lengths) = (Arc::new(index), Arc::new(lengths));
        let (weights, bias) = (vec![pass.get(self.weight)], pass.get(self.bias));
        if !pass.drops(self.dropout) {
            return ops::word_conv_max(vectors, index, lengths, weights, bias, Activation::Tanh);
        }
        let letters = ops::gather(vectors, index).reshape([words.len(), time, dim]);
        ops::conv_max(pass.dropout(letters, self.dropout), lengths, weights, bias, Activation::Tanh)
    }
}
