//! Convolution over time, token by token or with the maximum over the text.

use std::ops::Range;
use std::sync::{Arc, Mutex, OnceLock};

use burn::tensor::Tensor;

use super::host::{HostOp, Input, Keep, Operand, Outcome, apply};
use super::plain;
use super::pool::padded;
use super::switch::uses_kernels;
use crate::activation::Activation;
use crate::filters::{FilterGradients, Filters};
use crate::lookup::Lookup;
use crate::{conv, conv_max, word_conv};

/// Convolution that keeps the length: `[batch, time, widths * filters]`, zero past each length.
///
/// `x` is `[batch, time, d]`; `weights` has one matrix `[width * d, filters]` a width, at most six; `bias` is
/// `[widths * filters]`. Outside its length a text reads zero.
///
/// # Panics
///
/// Where shapes do not fit, or there are more than six widths.
pub fn conv(
    x: Tensor<3>,
    lengths: Arc<Vec<usize>>,
    weights: Vec<Tensor<2>>,
    bias: Tensor<1>,
    activation: Activation,
) -> Tensor<3> {
    if !uses_kernels(&x) {
        return plain::conv(x, &lengths, weights, bias, activation);
    }
    apply(Conv { lengths, activation }, inputs(x, weights, bias))
}

/// The maximum over time of [`conv()`], in one operation: `[batch, widths * filters]`.
///
/// # Panics
///
/// As [`conv()`].
pub fn conv_max(
    x: Tensor<3>,
    lengths: Arc<Vec<usize>>,
    weights: Vec<Tensor<2>>,
    bias: Tensor<1>,
    activation: Activation,
) -> Tensor<2> {
    if !uses_kernels(&x) {
        return plain::max_over_time(plain::conv(x, &lengths, weights, bias, activation), &lengths);
    }
    apply(ConvMax { lengths, activation, argmax: Mutex::default() }, inputs(x, weights, bias))
}

/// [`conv_max()`] over texts whose positions are rows of `rows` `[n, d]`, `u32::MAX` past a length: `[batch, widths * filters]`.
///
/// `index` is `[batch * time]`. What words that repeat have in common is computed once ([`word_conv`](crate::word_conv)).
///
/// # Panics
///
/// As [`conv()`], or where an index is no row.
pub fn word_conv_max(
    rows: Tensor<2>,
    index: Arc<Vec<u32>>,
    lengths: Arc<Vec<usize>>,
    weights: Vec<Tensor<2>>,
    bias: Tensor<1>,
    activation: Activation,
) -> Tensor<2> {
    if !uses_kernels(&rows) {
        let x = plain::gather(rows, &index);
        let [places, d] = x.dims();
        let x = x.reshape([lengths.len(), places / lengths.len().max(1), d]);
        return plain::max_over_time(plain::conv(x, &lengths, weights, bias, activation), &lengths);
    }
    apply(WordConvMax { index, lengths, activation, known: None, argmax: Arc::default() }, inputs(rows, weights, bias))
}

/// The largest responses of filters to texts and where they are: what [`word_conv_max()`] computes on the way there.
#[derive(Debug, Clone)]
pub struct Strongest {
    /// `[batch, widths * filters]`.
    responses: Vec<f32>,
    /// `[batch, widths * filters]`.
    positions: Vec<u32>,
    columns: usize,
    /// The filters one by one, once the way back of some of the texts needed them.
    turned: Arc<OnceLock<Vec<f32>>>,
}

impl Strongest {
    /// Those of some of the texts.
    ///
    /// # Panics
    ///
    /// Where there are fewer texts.
    pub fn texts(&self, texts: Range<usize>) -> Strongest {
        let part = texts.start * self.columns..texts.end * self.columns;
        Strongest {
            responses: self.responses[part.clone()].to_vec(),
            positions: self.positions[part].to_vec(),
            columns: self.columns,
            turned: Arc::clone(&self.turned),
        }
    }
}

/// What [`word_conv_max()`] computes, without a way back; `None` where no kernel computes it.
///
/// # Panics
///
/// As [`word_conv_max()`].
pub fn strongest_words(
    rows: Tensor<2>,
    index: Arc<Vec<u32>>,
    lengths: Arc<Vec<usize>>,
    weights: Vec<Tensor<2>>,
    bias: Tensor<1>,
    activation: Activation,
) -> Option<Strongest> {
    if !uses_kernels(&rows) {
        return None;
    }
    let argmax = Arc::default();
    let op = WordConvMax { index, lengths, activation, known: None, argmax: Arc::clone(&argmax) };
    let output: Tensor<2> = apply(op, inputs(rows, weights, bias));
    let columns = output.dims()[1];
    let responses = output.into_data().try_into_vec::<f32>().expect("responses are f32");
    let positions = std::mem::take(&mut *argmax.lock().expect("no panic while it is held"));
    Some(Strongest { responses, positions, columns, turned: Arc::default() })
}

/// [`word_conv_max()`] of texts whose strongest responses are known; on the way back it is the same operation.
///
/// # Panics
///
/// As [`word_conv_max()`], or where `known` is of another shape.
pub fn word_conv_max_known(
    rows: Tensor<2>,
    index: Arc<Vec<u32>>,
    lengths: Arc<Vec<usize>>,
    weights: Vec<Tensor<2>>,
    bias: Tensor<1>,
    activation: Activation,
    known: Strongest,
) -> Tensor<2> {
    let known = Some(known);
    apply(WordConvMax { index, lengths, activation, known, argmax: Arc::default() }, inputs(rows, weights, bias))
}

fn inputs(x: impl Into<Input>, weights: Vec<Tensor<2>>, bias: Tensor<1>) -> Vec<Input> {
    [x.into(), bias.into()].into_iter().chain(weights.into_iter().map(Input::from)).collect()
}

/// Hands the filters among the inputs (`x`, `bias`, one weight matrix a width) to a kernel.
fn with_filters<R>(inputs: &[Operand<'_>], activation: Activation, run: impl FnOnce(&Filters<'_>) -> R) -> R {
    let d = inputs[0].shape[inputs[0].shape.len() - 1];
    let widths: Vec<usize> = inputs[2..].iter().map(|weights| weights.dim(0) / d).collect();
    let weights: Vec<&[f32]> = inputs[2..].iter().map(|weights| weights.data).collect();
    let count = inputs[2].dim(1);
    run(&Filters { widths: &widths, count, weights: &weights, bias: inputs[1].data, activation })
}

fn gradients(dx: Option<Vec<f32>>, filters: FilterGradients) -> Vec<Option<Vec<f32>>> {
    [dx, Some(filters.bias)].into_iter().chain(filters.weights.into_iter().map(Some)).collect()
}

struct Conv {
    lengths: Arc<Vec<usize>>,
    activation: Activation,
}

impl HostOp for Conv {
    fn name(&self) -> &'static str {
        "conv"
    }

    fn forward(&self, inputs: &[Operand<'_>], _keep: Keep) -> Outcome {
        let shape = padded(&inputs[0], &self.lengths);
        with_filters(inputs, self.activation, |filters| {
            let mut data = vec![0.0; shape.batch() * shape.time * filters.columns()];
            conv::forward(&shape, inputs[0].data, filters, &mut data);
            Outcome { data, shape: vec![shape.batch(), shape.time, filters.columns()] }
        })
    }

    fn backward(&self, inputs: &[Operand<'_>], y: &[f32], dy: &[f32], needs: &[bool]) -> Vec<Option<Vec<f32>>> {
        let mut dx = needs[0].then(|| vec![0.0; inputs[0].data.len()]);
        let filters = with_filters(inputs, self.activation, |filters| {
            let shape = padded(&inputs[0], &self.lengths);
            conv::backward(&shape, inputs[0].data, filters, y, dy, dx.as_deref_mut())
        });
        gradients(dx, filters)
    }
}

struct ConvMax {
    lengths: Arc<Vec<usize>>,
    activation: Activation,
    argmax: Mutex<Vec<u32>>,
}

impl HostOp for ConvMax {
    fn name(&self) -> &'static str {
        "conv_max"
    }

    fn forward(&self, inputs: &[Operand<'_>], keep: Keep) -> Outcome {
        let shape = padded(&inputs[0], &self.lengths);
        with_filters(inputs, self.activation, |filters| {
            let len = shape.batch() * filters.columns();
            let (mut data, mut argmax) = (vec![0.0; len], vec![0; len]);
            conv_max::forward(&shape, inputs[0].data, filters, &mut data, &mut argmax);
            if keep == Keep::ForBackward {
                *self.argmax.lock().expect("no panic while it is held") = argmax;
            }
            Outcome { data, shape: vec![shape.batch(), filters.columns()] }
        })
    }

    fn backward(&self, inputs: &[Operand<'_>], y: &[f32], dy: &[f32], needs: &[bool]) -> Vec<Option<Vec<f32>>> {
        let mut dx = needs[0].then(|| vec![0.0; inputs[0].data.len()]);
        let argmax = self.argmax.lock().expect("no panic while it is held");
        let filters = with_filters(inputs, self.activation, |filters| {
            let shape = padded(&inputs[0], &self.lengths);
            conv_max::backward(&shape, inputs[0].data, filters, (y, &argmax), dy, dx.as_deref_mut())
        });
        gradients(dx, filters)
    }
}

/// Texts whose positions are rows of an operand.
pub(super) fn lookup<'a>(rows: &Operand<'a>, index: &'a [u32], lengths: &'a [usize]) -> Lookup<'a> {
    let time = index.len() / lengths.len().max(1);
    Lookup { rows: rows.data, features: rows.dim(1), index, lengths, time }
}

struct WordConvMax {
    index: Arc<Vec<u32>>,
    lengths: Arc<Vec<usize>>,
    activation: Activation,
    known: Option<Strongest>,
    argmax: Arc<Mutex<Vec<u32>>>,
}

impl WordConvMax {
    fn lookup<'a>(&'a self, rows: &Operand<'a>) -> Lookup<'a> {
        lookup(rows, &self.index, &self.lengths)
    }
}

impl HostOp for WordConvMax {
    fn name(&self) -> &'static str {
        "word_conv_max"
    }

    fn forward(&self, inputs: &[Operand<'_>], _keep: Keep) -> Outcome {
        with_filters(inputs, self.activation, |filters| {
            let (batch, columns) = (self.lengths.len(), filters.columns());
            let (data, argmax) = match &self.known {
                Some(known) => (known.responses.clone(), known.positions.clone()),
                None => {
                    let (mut data, mut argmax) = (vec![0.0; batch * columns], vec![0; batch * columns]);
                    word_conv::forward(&self.lookup(&inputs[0]), filters, &mut data, &mut argmax);
                    (data, argmax)
                }
            };
            *self.argmax.lock().expect("no panic while it is held") = argmax;
            Outcome { data, shape: vec![batch, columns] }
        })
    }

    fn backward(&self, inputs: &[Operand<'_>], y: &[f32], dy: &[f32], needs: &[bool]) -> Vec<Option<Vec<f32>>> {
        let mut drows = needs[0].then(|| vec![0.0; inputs[0].data.len()]);
        let argmax = self.argmax.lock().expect("no panic while it is held");
        let filters = with_filters(inputs, self.activation, |filters| {
            let turned = self.known.as_ref().map(|known| Arc::clone(&known.turned)).unwrap_or_default();
            word_conv::backward(&self.lookup(&inputs[0]), filters, (y, &argmax), dy, drows.as_deref_mut(), &turned)
        });
        gradients(drows, filters)
    }
}
