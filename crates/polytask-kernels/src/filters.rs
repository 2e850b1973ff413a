//! What does a convolution over time learn? Filters of one or more widths, and their gradients.

use crate::activation::Activation;
use crate::padded::Padded;
use crate::rows::transposed;

/// Filters of several widths, as many of each, followed by one activation.
#[derive(Debug, Clone, Copy)]
pub struct Filters<'a> {
    /// The number of positions each kind of filter covers, each at least one.
    pub widths: &'a [usize],
    /// The number of filters of each width, at least one.
    pub count: usize,
    /// One matrix a width, `[width * features, count]`: row `offset * features + feature`.
    pub weights: &'a [&'a [f32]],
    /// One value a filter, `[widths * count]`, those of the first width first.
    pub bias: &'a [f32],
    /// What is applied to the sums.
    pub activation: Activation,
}

/// The derivatives of a loss with respect to [`Filters`].
#[derive(Debug, Clone, PartialEq)]
pub struct FilterGradients {
    /// One matrix a width, `[width * features, count]`.
    pub weights: Vec<Vec<f32>>,
    /// One value a filter, `[widths * count]`.
    pub bias: Vec<f32>,
}

/// What a convolution works on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Convolution<'a> {
    pub shape: &'a Padded<'a>,
    /// `[batch, time, features]`.
    pub x: &'a [f32],
    pub filters: &'a Filters<'a>,
}

impl Filters<'_> {
    /// Returns the number of filters of all widths.
    pub fn columns(&self) -> usize {
        self.widths.len() * self.count
    }

    /// Returns the largest width.
    pub(crate) fn widest(&self) -> usize {
        self.widths.iter().copied().max().unwrap_or(1)
    }

    /// Panics unless the slices have the sizes that the widths and `features` ask for.
    #[track_caller]
    pub(crate) fn check(&self, features: usize) {
        assert!(self.columns() > 0 && self.widths.iter().all(|width| *width > 0), "no filters, or a width of zero");
        assert_eq!(self.weights.len(), self.widths.len(), "weight matrices and widths");
        for (weights, width) in self.weights.iter().zip(self.widths) {
            assert_eq!(weights.len(), width * features * self.count, "weights of width {width}");
        }
        assert_eq!(self.bias.len(), self.columns(), "bias");
    }

    /// Returns the weights of each width filter by filter: `[count, width * features]`.
    pub(crate) fn by_filter(&self) -> Vec<Vec<f32>> {
        self.weights.iter().map(|weights| transposed(weights, weights.len() / self.count, self.count)).collect()
    }

    /// Returns the weights of each width that carry gradients back: `[width * count, features]`, the offsets reversed.
    pub(crate) fn reversed(&self, features: usize) -> Vec<Vec<f32>> {
        let one = |weights: &&[f32]| -> Vec<f32> {
            let offsets = weights.chunks_exact(features * self.count).rev();
            offsets.flat_map(|offset| transposed(offset, features, self.count)).collect()
        };
        self.weights.iter().map(one).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layouts_hold_the_same_weights() {
        // Width 2, one feature, two filters: [[1, 2], [3, 4]].
        let (weights, bias): ([&[f32]; 1], _) = ([&[1., 2., 3., 4.]], [0.0; 2]);
        let filters = Filters { widths: &[2], count: 2, weights: &weights, bias: &bias, activation: Activation::None };
        filters.check(1);
        assert_eq!(filters.by_filter(), [[1., 3., 2., 4.]]);
        assert_eq!(filters.reversed(1), [[3., 4., 1., 2.]]);
    }

    #[test]
    #[should_panic(expected = "weights of width 3")]
    fn weights_of_another_size_panic() {
        let filters =
            Filters { widths: &[3], count: 1, weights: &[&[0.0]], bias: &[0.0], activation: Activation::None };
        filters.check(1);
    }
}
