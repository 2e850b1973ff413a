//! What flows between inputs, layers and heads?

use std::ops::Range;
use std::sync::Arc;

use burn::tensor::{Tensor, TensorData};
use polytask_kernels::ops;
use polytask_spec::network::Pool;

use crate::pass::Pass;

/// What an input or a layer hands on.
#[derive(Debug, Clone)]
pub enum Representation {
    /// One vector an example, `[batch, d]`.
    Vector(Tensor<2>),
    /// One vector a token.
    Sequence(Sequence),
    /// One vector a token, as a row among those of the batch's distinct words.
    Words(Words),
}

/// A padded batch of token sequences, not yet spelled out.
#[derive(Debug, Clone)]
pub struct Words {
    /// `[distinct, d]`: the distinct words.
    pub rows: Tensor<2>,
    /// `[batch * token]`: the row of each token; `u32::MAX` past a length.
    pub index: Arc<Vec<u32>>,
    /// Tokens of each example.
    pub lengths: Arc<Vec<usize>>,
}

impl Words {
    /// Spells the tokens out.
    pub fn into_sequence(self) -> Sequence {
        let Words { rows, index, lengths } = self;
        let (batch, dim) = (lengths.len(), rows.dims()[1]);
        let time = index.len() / batch.max(1);
        Sequence { values: ops::gather(rows, index).reshape([batch, time, dim]), lengths }
    }
}

/// A padded batch of token sequences.
#[derive(Debug, Clone)]
pub struct Sequence {
    /// `[batch, token, d]`; what stands past a length is never read.
    pub values: Tensor<3>,
    /// Tokens of each example.
    pub lengths: Arc<Vec<usize>>,
}

/// The shape of a representation, less its batch and token extents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// `[batch, d]`.
    Vector(usize),
    /// `[batch, token, d]`.
    Sequence(usize),
}

impl Form {
    /// Number of features.
    pub fn dim(self) -> usize {
        match self {
            Form::Vector(dim) | Form::Sequence(dim) => dim,
        }
    }

    /// The same kind with another number of features.
    pub fn with_dim(self, dim: usize) -> Form {
        match self {
            Form::Vector(_) => Form::Vector(dim),
            Form::Sequence(_) => Form::Sequence(dim),
        }
    }
}

impl Representation {
    /// One vector an example: tokens are pooled, a vector stays as it is.
    pub fn pooled(self, pool: Pool) -> Tensor<2> {
        match self {
            Representation::Vector(values) => values,
            tokens => {
                let Sequence { values, lengths } = tokens.into_sequence();
                match pool {
                    Pool::Max => ops::max_over_time(values, lengths),
                    Pool::Mean => ops::mean_over_time(values, lengths),
                }
            }
        }
    }

    /// The same values, where a tape begins.
    pub fn leaf(&self) -> Representation {
        match self.clone() {
            Representation::Vector(values) => Representation::Vector(values.detach().require_grad()),
            Representation::Sequence(Sequence { values, lengths }) => {
                Representation::Sequence(Sequence { values: values.detach().require_grad(), lengths })
            }
            Representation::Words(Words { rows, index, lengths }) => {
                Representation::Words(Words { rows: rows.detach().require_grad(), index, lengths })
            }
        }
    }

    /// The sum of the products with so many numbers, `[1]`.
    ///
    /// # Panics
    ///
    /// Where there are more or fewer numbers.
    pub fn times(&self, numbers: Vec<f32>) -> Tensor<1> {
        let values = match self.clone() {
            Representation::Vector(values) => values.flatten::<1>(0, 1),
            Representation::Sequence(Sequence { values, .. }) => values.flatten::<1>(0, 2),
            Representation::Words(Words { rows, .. }) => rows.flatten::<1>(0, 1),
        };
        let count = numbers.len();
        let numbers = Tensor::from_data(TensorData::new(numbers, [count]), &values.device());
        (values * numbers).sum()
    }

    /// Some of the examples, in their order.
    pub fn examples(self, rows: Range<usize>) -> Representation {
        match self {
            Representation::Vector(values) => Representation::Vector(values.narrow(0, rows.start, rows.len())),
            tokens => {
                let Sequence { values, lengths } = tokens.into_sequence();
                Representation::Sequence(Sequence {
                    values: values.narrow(0, rows.start, rows.len()),
                    lengths: Arc::new(lengths[rows].to_vec()),
                })
            }
        }
    }

    /// The tokens.
    ///
    /// # Panics
    ///
    /// Where it is a vector: the configuration's check lets no layer or head that reads tokens follow one.
    pub fn into_sequence(self) -> Sequence {
        match self {
            Representation::Sequence(sequence) => sequence,
            Representation::Words(words) => words.into_sequence(),
            Representation::Vector(_) => {
                panic!("the configuration's check lets nothing that reads tokens follow a pool")
            }
        }
    }

    /// Zeroes a share of the features in training.
    pub fn dropout(self, pass: &Pass<'_>, rate: f64) -> Representation {
        match self {
            words @ Representation::Words(_) if !pass.drops(rate) => words,
            Representation::Vector(values) => Representation::Vector(pass.dropout(values, rate)),
            tokens => {
                let Sequence { values, lengths } = tokens.into_sequence();
                Representation::Sequence(Sequence { values: pass.dropout(values, rate), lengths })
            }
        }
    }
}
