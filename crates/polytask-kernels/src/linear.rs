//! How is a dense layer computed? One product with the bias and the activation behind it.

use crate::activation::Activation;
use crate::math::vectorize;
use crate::matrix::{Accumulate, MatMut, MatRef, matmul, matmul_parallel, rows_per_block};
use crate::rows::column_sums;
use rayon::prelude::*;
use std::borrow::Cow;

/// A dense layer: `y = activation(x W + b)`.
#[derive(Debug, Clone, Copy)]
pub struct Linear<'a> {
    /// The values of an input row.
    pub inputs: usize,
    /// The values of an output row, at least one.
    pub outputs: usize,
    /// `[inputs, outputs]`.
    pub weights: &'a [f32],
    /// `[outputs]`.
    pub bias: &'a [f32],
    /// What is applied to the sums.
    pub activation: Activation,
}

/// The derivatives of a loss with respect to a [`Linear`] layer.
#[derive(Debug, Clone, PartialEq)]
pub struct LinearGradients {
    /// `[inputs, outputs]`.
    pub weights: Vec<f32>,
    /// `[outputs]`.
    pub bias: Vec<f32>,
}

/// Computes `y` `[rows, outputs]` from `x` `[rows, inputs]`, replacing what is in `y`.
///
/// Panics if a slice has another size.
pub fn forward(layer: &Linear<'_>, x: &[f32], y: &mut [f32]) {
    let rows = layer.check(x, y);
    let (inputs, outputs) = (layer.inputs, layer.outputs);
    let (x, weights) = (MatRef::new(x, rows, inputs), MatRef::new(layer.weights, inputs, outputs));
    let block = rows_per_block(rows, outputs, inputs);
    y.par_chunks_mut(block * outputs).enumerate().for_each(|(index, y)| {
        let count = y.len() / outputs;
        let part = x.row_range(index * block, count);
        matmul(MatMut::new(y, count, outputs), part, weights, Accumulate::Overwrite);
        vectorize(
            #[inline(always)]
            || y.chunks_exact_mut(outputs).for_each(|row| layer.activation.apply_with_bias(row, layer.bias)),
        );
    });
}

/// Returns the gradients of the layer, given `x`, the output `y` and the gradient `dy` `[rows, outputs]` of the output.
///
/// `dx` `[rows, inputs]`, if asked for, is replaced. Panics if a slice has another size.
pub fn backward(layer: &Linear<'_>, x: &[f32], y: &[f32], dy: &[f32], dx: Option<&mut [f32]>) -> LinearGradients {
    let rows = layer.check(x, y);
    assert_eq!(dy.len(), y.len(), "gradients of a dense layer's output");
    let (inputs, outputs) = (layer.inputs, layer.outputs);
    let sums = sum_gradients(layer, y, dy);
    let gradient = MatRef::new(&sums, rows, outputs);
    if let Some(dx) = dx {
        assert_eq!(dx.len(), x.len(), "gradients of a dense layer's input");
        let weights = MatRef::new(layer.weights, inputs, outputs);
        matmul_parallel(MatMut::new(dx, rows, inputs), gradient, weights.t(), Accumulate::Overwrite);
    }
    let mut gradients = LinearGradients { weights: vec![0.0; inputs * outputs], bias: vec![0.0; outputs] };
    let x = MatRef::new(x, rows, inputs);
    matmul_parallel(MatMut::new(&mut gradients.weights, inputs, outputs), x.t(), gradient, Accumulate::Overwrite);
    column_sums(&sums, &mut gradients.bias);
    gradients
}

/// Returns the gradients of the sums that the activation is applied to.
fn sum_gradients<'a>(layer: &Linear<'_>, y: &[f32], dy: &'a [f32]) -> Cow<'a, [f32]> {
    const CHUNK: usize = 1 << 14;
    if layer.activation == Activation::None {
        return Cow::Borrowed(dy);
    }
    let mut sums = vec![0.0; dy.len()];
    let chunks = sums.par_chunks_mut(CHUNK).zip(y.par_chunks(CHUNK)).zip(dy.par_chunks(CHUNK));
    chunks.for_each(|((out, y), dy)| layer.activation.backward(y, dy, out));
    Cow::Owned(sums)
}

impl Linear<'_> {
    /// Returns the number of rows; panics if a slice has the wrong size.
    #[track_caller]
    fn check(&self, x: &[f32], y: &[f32]) -> usize {
        assert!(self.outputs > 0, "a dense layer without outputs");
        assert_eq!(self.weights.len(), self.inputs * self.outputs, "weights of a dense layer");
        assert_eq!(self.bias.len(), self.outputs, "bias of a dense layer");
        let rows = y.len() / self.outputs;
        assert!(y.len() == rows * self.outputs && x.len() == rows * self.inputs, "rows of a dense layer");
        rows
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Lcg, activate, assert_close, assert_gradient, same_on_all_pools, weighted_sum, widen};

    fn reference(shape: (usize, usize, usize), activation: Activation, x: &[f64], w: &[f64], b: &[f64]) -> Vec<f64> {
        let (rows, inputs, outputs) = shape;
        let cell = |row: usize, col: usize| {
            let sum: f64 = (0..inputs).map(|i| x[row * inputs + i] * w[i * outputs + col]).sum();
            activate(activation, sum + b[col])
        };
        (0..rows).flat_map(|row| (0..outputs).map(move |col| cell(row, col))).collect()
    }

    #[test]
    fn forward_and_backward_agree_with_f64() {
        let mut random = Lcg::new(1);
        for shape in [(5, 7, 3), (1, 1, 1), (0, 4, 2), (3, 0, 2), (19, 5, 33)] {
            for activation in [Activation::None, Activation::Relu, Activation::Tanh] {
                let (rows, inputs, outputs) = shape;
                let (x, dy) = (random.vec(rows * inputs), random.vec(rows * outputs));
                let (weights, bias) = (random.vec(inputs * outputs), random.vec(outputs));
                let layer = Linear { inputs, outputs, weights: &weights, bias: &bias, activation };
                let (mut y, mut dx) = (vec![f32::NAN; rows * outputs], vec![f32::NAN; rows * inputs]);
                forward(&layer, &x, &mut y);
                let (x64, w64, b64) = (widen(&x), widen(&weights), widen(&bias));
                assert_close(&y, &reference(shape, activation, &x64, &w64, &b64), 1e-5);
                let gradients = backward(&layer, &x, &y, &dy, Some(&mut dx));
                let loss = |x: &[f64], w: &[f64], b: &[f64]| weighted_sum(&dy, &reference(shape, activation, x, w, b));
                assert_gradient(&dx, &x, |x| loss(x, &w64, &b64));
                assert_gradient(&gradients.weights, &weights, |w| loss(&x64, w, &b64));
                assert_gradient(&gradients.bias, &bias, |b| loss(&x64, &w64, b));
                assert_eq!(backward(&layer, &x, &y, &dy, None), gradients);
            }
        }
    }

    #[test]
    fn the_number_of_threads_changes_no_bit() {
        let mut random = Lcg::new(2);
        let (inputs, outputs, rows) = (170, 133, 300);
        let (x, weights, bias) = (random.vec(rows * inputs), random.vec(inputs * outputs), random.vec(outputs));
        let dy = random.vec(rows * outputs);
        let layer = Linear { inputs, outputs, weights: &weights, bias: &bias, activation: Activation::Tanh };
        same_on_all_pools(|| {
            let (mut y, mut dx) = (vec![0.0; rows * outputs], vec![0.0; rows * inputs]);
            forward(&layer, &x, &mut y);
            let gradients = backward(&layer, &x, &y, &dy, Some(&mut dx));
            [y, dx, gradients.weights, gradients.bias].concat()
        });
    }
}
