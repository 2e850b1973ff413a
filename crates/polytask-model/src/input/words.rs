//! Word vectors, joined by a character CNN where asked.
//!
//! Characters are encoded once for every distinct word of a batch, and word vectors are read once for every distinct
//! row; tokens then gather from the small matrix of distinct words. Character CNN: Ma and Hovy, "End-to-end sequence
//! labeling via bi-directional LSTM-CNNs-CRF", ACL 2016.

use std::sync::Arc;

use burn::tensor::Tensor;
use polytask_data::characters::CharacterSet;
use polytask_data::vocabulary::Vocabulary;
use polytask_kernels::activation::Activation;
use polytask_kernels::ops;
use polytask_spec::network::WordsInput;

use super::Feed;
use crate::parameters::{Group, Init, Owner, ParameterId, Parameters, TableId};
use crate::pass::Pass;
use crate::representation::{Form, Representation, Sequence};

/// What a words input was built from: its vocabulary, its characters and the initial table.
#[derive(Debug, Clone)]
pub struct WordsResources {
    /// Words and their rows.
    pub vocabulary: Vocabulary,
    /// Known characters, where characters are encoded.
    pub characters: Option<CharacterSet>,
    /// Width of a word vector.
    pub dim: usize,
    /// Initial table, `[rows, dim]`.
    pub table: Vec<f32>,
}

/// The words input.
#[derive(Debug, Clone)]
pub struct Words {
    table: TableId,
    dim: usize,
    dropout: f64,
    characters: Option<CharacterCnn>,
}

impl Words {
    /// Builds the input and adds its parameters.
    pub fn build(
        name: &str,
        spec: &WordsInput,
        resources: &WordsResources,
        parameters: &mut Parameters,
        init: Init,
    ) -> Words {
        let table =
            parameters.add_table(format!("input.{name}.vectors"), resources.dim, spec.tune, resources.table.clone());
        let characters = resources.characters.as_ref().zip(spec.characters.as_ref()).map(|(set, spec)| {
            let prefix = format!("input.{name}.characters");
            let mut add = |part: &str, shape: &[usize], group, values| {
                parameters.add(format!("{prefix}.{part}"), shape, group, Owner::Shared, values)
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
        Words { table, dim: resources.dim, dropout: spec.dropout, characters }
    }

    /// `Sequence` of word and character features.
    pub fn form(&self) -> Form {
        Form::Sequence(self.dim + self.characters.as_ref().map_or(0, |cnn| cnn.filters))
    }

    /// `[batch, token, dim + character filters]`.
    pub fn forward(&self, pass: &Pass<'_>, feed: Feed<'_>) -> Representation {
        let tokens = feed.examples.tokens().expect("a words input reads a dataset that has text");
        let texts: Vec<&[u32]> = feed.index.iter().map(|&example| tokens.get(example as usize)).collect();
        let lengths: Vec<usize> = texts.iter().map(|text| text.len()).collect();
        let time = lengths.iter().copied().max().unwrap_or(0).max(1);

        let words = distinct(texts.iter().flat_map(|text| text.iter().copied()));
        let rows = distinct(words.iter().map(|&word| feed.lexicon.rows[word as usize]));
        let row_of_word: Vec<u32> =
            words.iter().map(|&word| position(&rows, feed.lexicon.rows[word as usize])).collect();
        let vectors = pass.rows(self.table, &rows);
        let (features, places) = match &self.characters {
            None => (vectors, row_of_word),
            Some(cnn) => {
                let vectors: Tensor<2> = ops::gather(vectors, Arc::new(row_of_word));
                let letters: Vec<&[u32]> =
                    words.iter().map(|&word| feed.lexicon.characters.get(word as usize)).collect();
                let joined = Tensor::cat(vec![vectors, cnn.forward(pass, &letters)], 1);
                (joined, (0..words.len() as u32).collect())
            }
        };

        let mut index = vec![u32::MAX; texts.len() * time];
        for (text, slots) in texts.iter().zip(index.chunks_mut(time)) {
            for (slot, &word) in slots.iter_mut().zip(*text) {
                *slot = places[position(&words, word) as usize];
            }
        }
        let width = self.form().dim();
        let values = ops::gather(features, Arc::new(index)).reshape([texts.len(), time, width]);
        Representation::Sequence(Sequence { values: pass.dropout(values, self.dropout), lengths: Arc::new(lengths) })
    }
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
        let mut index = vec![u32::MAX; words.len() * time];
        for (word, slots) in words.iter().zip(index.chunks_mut(time)) {
            slots[..word.len()].copy_from_slice(word);
        }
        let vectors: Tensor<2> = pass.get(self.vectors);
        let dim = vectors.dims()[1];
        let letters = ops::gather(vectors, Arc::new(index)).reshape([words.len(), time, dim]);
        ops::conv_max(
            pass.dropout(letters, self.dropout),
            Arc::new(lengths),
            vec![pass.get(self.weight)],
            pass.get(self.bias),
            Activation::Tanh,
        )
    }
}

/// The distinct values, ascending.
fn distinct(values: impl Iterator<Item = u32>) -> Vec<u32> {
    let mut values: Vec<u32> = values.collect();
    values.sort_unstable();
    values.dedup();
    values
}

/// Where `value` stands in `sorted`.
fn position(sorted: &[u32], value: u32) -> u32 {
    sorted.binary_search(&value).expect("every value was collected before") as u32
}
