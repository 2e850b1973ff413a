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

impl Sequence {
    /// One token of each text, `[batch, d]`, at the place that follows from the text's length; zeros for an empty text.
    ///
    /// # Panics
    ///
    /// Where a place is not below the padded extent.
    pub fn token(self, place: impl Fn(usize) -> usize) -> Tensor<2> {
        let [batch, time, dim] = self.values.dims();
        let row = |(text, &length): (usize, &usize)| match length {
            0 => u32::MAX,
            length => (text * time + place(length)) as u32,
        };
        let index: Vec<u32> = self.lengths.iter().enumerate().map(row).collect();
        ops::gather(self.values.reshape([batch * time, dim]), Arc::new(index))
    }
}

/// Which token has read the whole text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ends {
    /// The last one.
    Last,
    /// In the first half of the features the last one, in the second half the first one: two directions side by side.
    Both,
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
    ///
    /// # Panics
    ///
    /// Where tokens are to be pooled by attention: that is done by the `Pooler` that holds its parameters.
    pub fn pooled(self, pool: Pool) -> Tensor<2> {
        match self {
            Representation::Vector(values) => values,
            tokens => {
                let Sequence { values, lengths } = tokens.into_sequence();
                match pool {
                    Pool::Max => ops::max_over_time(values, lengths),
                    Pool::Mean => ops::mean_over_time(values, lengths),
                    Pool::First => Sequence { values, lengths }.token(|_| 0),
                    Pool::Last => Sequence { values, lengths }.token(|length| length - 1),
                    Pool::Attention => panic!("what has parameters is pooled by the `Pooler` that holds them"),
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

    /// The sum of two representations of one form.
    pub fn plus(self, other: Representation) -> Representation {
        match (self, other) {
            (Representation::Vector(a), Representation::Vector(b)) => Representation::Vector(a + b),
            (Representation::Words(a), Representation::Words(b)) if Arc::ptr_eq(&a.index, &b.index) => {
                Representation::Words(Words { rows: a.rows + b.rows, ..a })
            }
            (a, b) => {
                let (Sequence { values, lengths }, other) = (a.into_sequence(), b.into_sequence());
                Representation::Sequence(Sequence { values: values + other.values, lengths })
            }
        }
    }

    /// Zeroes a share of the features in training, the same ones at every token of a text, and scales up the rest.
    ///
    /// Gal and Ghahramani, "A theoretically grounded application of dropout in recurrent neural networks", NeurIPS 2016.
    pub fn locked_dropout(self, pass: &Pass<'_>, rate: f64) -> Representation {
        if !pass.drops(rate) {
            return self;
        }
        let Sequence { values, lengths } = self.into_sequence();
        let [batch, _, dim] = values.dims();
        let factors = pass.dropout_factors(batch * dim, rate).expect("the pass drops");
        let factors = Tensor::<3>::from_data(TensorData::new(factors, [batch, 1, dim]), &values.device());
        Representation::Sequence(Sequence { values: values * factors, lengths })
    }

    /// Zeroes the whole vector of a share of the tokens in training, and scales up the others.
    ///
    /// The scale makes the expected mean over tokens that of the tokens that remain, as Iyyer et al. take it ("Deep
    /// unordered composition rivals syntactic methods for text classification", ACL 2015). Every token is drawn for
    /// itself, whatever its word; a dropped one stays in its place.
    pub fn word_dropout(self, pass: &Pass<'_>, rate: f64) -> Representation {
        if !pass.drops(rate) {
            return self;
        }
        match self {
            Representation::Words(Words { rows, index, lengths }) => {
                let factors = pass.dropout_factors(index.len(), rate).expect("the pass drops");
                let [distinct, dim] = rows.dims();
                // One more row, of zeros, is what dropped tokens read: no token need be spelled out.
                let nothing = Tensor::zeros([1, dim], &rows.device());
                let rows = Tensor::cat(vec![rows.mul_scalar(1.0 / (1.0 - rate)), nothing], 0);
                let dropped = |row: u32, factor: f32| row != u32::MAX && factor == 0.0;
                let read = |(&row, factor): (&u32, f32)| if dropped(row, factor) { distinct as u32 } else { row };
                let index = index.iter().zip(factors).map(read).collect();
                Representation::Words(Words { rows, index: Arc::new(index), lengths })
            }
            tokens => {
                let Sequence { values, lengths } = tokens.into_sequence();
                let [batch, time, _] = values.dims();
                let factors = pass.dropout_factors(batch * time, rate).expect("the pass drops");
                let factors = Tensor::<3>::from_data(TensorData::new(factors, [batch, time, 1]), &values.device());
                Representation::Sequence(Sequence { values: values * factors, lengths })
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

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;
    use crate::parameters::Parameters;
    use crate::pass::Mode;

    const RATE: f64 = 0.25;

    /// 30 texts of up to 20 tokens and 40 features, all of them one, padding too.
    fn ones() -> Sequence {
        let lengths = (0..30).map(|text| 20 - text % 7).collect();
        Sequence { values: Tensor::ones([30, 20, 40], &Device::flex().autodiff()), lengths: Arc::new(lengths) }
    }

    /// The same texts, of two words, each of which is a row of ones.
    fn words() -> Words {
        let Sequence { lengths, .. } = ones();
        let row = |at: usize, length: usize| if at < length { (at % 2) as u32 } else { u32::MAX };
        let index = lengths.iter().flat_map(|&length| (0..20).map(move |at| row(at, length))).collect();
        Words { rows: Tensor::ones([2, 40], &Device::flex().autodiff()), index: Arc::new(index), lengths }
    }

    /// The values of texts, by text and token, after a dropout at a step.
    fn dropped(mode: Mode, x: Representation, drop: fn(Representation, &Pass<'_>, f64) -> Representation) -> Vec<f32> {
        let parameters = Parameters::new(Device::flex().autodiff());
        let pass = Pass::new(&parameters, mode);
        drop(x, &pass, RATE).into_sequence().values.into_data().try_into_vec().expect("values are f32")
    }

    fn step(step: u64) -> Mode {
        Mode::Train { seed: 3, step }
    }

    /// Panics unless a share of `RATE` is dropped, to five standard deviations, and the others are scaled.
    #[track_caller]
    fn assert_rate(factors: impl Iterator<Item = f32>) {
        let factors: Vec<f32> = factors.collect();
        let scale = (1.0 / (1.0 - RATE)) as f32;
        assert!(factors.iter().all(|factor| *factor == 0.0 || (*factor - scale).abs() < 1e-6));
        let share = factors.iter().filter(|factor| **factor == 0.0).count() as f64 / factors.len() as f64;
        let deviation = (RATE * (1.0 - RATE) / factors.len() as f64).sqrt();
        assert!((share - RATE).abs() < 5.0 * deviation, "{share} of {} dropped", factors.len());
    }

    #[test]
    fn locked_dropout_is_one_mask_for_all_tokens_of_a_text() {
        for x in [Representation::Sequence(ones()), Representation::Words(words())] {
            let values = dropped(step(1), x, Representation::locked_dropout);
            let Sequence { lengths, .. } = ones();
            for (text, &length) in values.chunks(20 * 40).zip(lengths.iter()) {
                assert!(text[..length * 40].chunks(40).all(|token| token == &text[..40]));
            }
            assert_rate(values.chunks(20 * 40).flat_map(|text| text[..40].iter().copied()));
            let masks: Vec<&[f32]> = values.chunks(20 * 40).map(|text| &text[..40]).collect();
            assert!(masks.windows(2).all(|pair| pair[0] != pair[1]));
        }
    }

    #[test]
    fn word_dropout_takes_whole_tokens() {
        let by_token = dropped(step(1), Representation::Sequence(ones()), Representation::word_dropout);
        assert!(by_token.chunks(40).all(|token| token.iter().all(|value| *value == token[0])));
        assert_rate(by_token.chunks(40).map(|token| token[0]));
        // Words that are not spelled out drop the same tokens.
        let by_word = dropped(step(1), Representation::Words(words()), Representation::word_dropout);
        let Sequence { lengths, .. } = ones();
        for (text, &length) in lengths.iter().enumerate() {
            let (start, end) = (text * 20 * 40, (text * 20 + length) * 40);
            assert_eq!(by_word[start..end], by_token[start..end]);
            assert!(by_word[end..(text + 1) * 20 * 40].iter().all(|value| *value == 0.0));
        }
    }

    #[test]
    fn dropout_follows_from_the_step_alone_and_ends_with_training() {
        for drop in [Representation::locked_dropout, Representation::word_dropout] {
            let at = |mode| dropped(mode, Representation::Words(words()), drop);
            assert_eq!(at(step(1)), at(step(1)));
            assert_ne!(at(step(1)), at(step(2)));
            let untouched = at(Mode::Infer);
            let lengths = words().lengths;
            let expected = |at: usize| if at / 40 % 20 < lengths[at / 800] { 1.0 } else { 0.0 };
            assert!(untouched.iter().enumerate().all(|(at, value)| *value == expected(at)));
        }
    }

    #[test]
    fn a_sum_of_words_stays_one_of_words() {
        let words = words();
        let sum = Representation::Words(words.clone()).plus(Representation::Words(words.clone()));
        assert!(matches!(&sum, Representation::Words(sum) if Arc::ptr_eq(&sum.index, &words.index)));
        let spelled = Representation::Sequence(words.clone().into_sequence()).plus(Representation::Words(words));
        let values = |x: Representation| x.into_sequence().values.into_data().try_into_vec::<f32>().expect("f32");
        assert_eq!(values(sum), values(spelled));
    }

    #[test]
    fn tokens_are_read_at_the_place_that_a_length_says() {
        let values: Vec<f32> = (0..12).map(|value| value as f32).collect();
        let values = Tensor::from_data(TensorData::new(values, [3, 2, 2]), &Device::flex());
        let texts = Sequence { values, lengths: Arc::new(vec![2, 0, 1]) };
        let read = |pool: Pool| Representation::Sequence(texts.clone()).pooled(pool).into_data().try_into_vec::<f32>();
        assert_eq!(read(Pool::First).expect("f32"), [0.0, 1.0, 0.0, 0.0, 8.0, 9.0]);
        assert_eq!(read(Pool::Last).expect("f32"), [2.0, 3.0, 0.0, 0.0, 8.0, 9.0]);
    }
}
