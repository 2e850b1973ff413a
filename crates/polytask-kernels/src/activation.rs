//! Which functions are fused behind a product? The monotone ones whose derivative follows from their result.

use crate::math::{tanh1, vectorize};

/// A function applied to every element of a kernel's result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Activation {
    /// The identity.
    #[default]
    None,
    /// `max(x, 0)`, where NaN stays NaN.
    Relu,
    /// The hyperbolic tangent.
    Tanh,
}

impl Activation {
    /// Replaces every value by the function of it.
    pub fn apply(self, values: &mut [f32]) {
        match self {
            Self::None => {}
            Self::Relu => values.iter_mut().for_each(|value| *value = relu1(*value)),
            Self::Tanh => crate::math::tanh(values),
        }
    }

    /// Adds `bias` to `row` and applies the function to the sum; both have as many elements.
    #[inline(always)]
    pub(crate) fn apply_with_bias(self, row: &mut [f32], bias: &[f32]) {
        let pairs = row.iter_mut().zip(bias);
        match self {
            Self::None => pairs.for_each(|(value, bias)| *value += bias),
            Self::Relu => pairs.for_each(|(value, bias)| *value = relu1(*value + bias)),
            Self::Tanh => pairs.for_each(|(value, bias)| *value = tanh1(*value + bias)),
        }
    }

    /// Writes `dy` times the derivative to `out`, given the results `y` of the function.
    ///
    /// Panics unless the three slices have one length.
    pub fn backward(self, y: &[f32], dy: &[f32], out: &mut [f32]) {
        assert!(y.len() == dy.len() && y.len() == out.len(), "results, gradients and destination differ in length");
        vectorize(
            #[inline(always)]
            || self.backward_row(y, dy, out),
        );
    }

    /// Does the work of [`Self::backward`], inside a vectorised loop.
    #[inline(always)]
    pub(crate) fn backward_row(self, y: &[f32], dy: &[f32], out: &mut [f32]) {
        let triples = out.iter_mut().zip(y).zip(dy);
        match self {
            Self::None => triples.for_each(|((out, _), dy)| *out = *dy),
            Self::Relu => triples.for_each(|((out, y), dy)| *out = if *y <= 0.0 { 0.0 } else { *dy }),
            Self::Tanh => triples.for_each(|((out, y), dy)| *out = dy * (1.0 - y * y)),
        }
    }
}

/// A comparison, as `max` would lose NaN.
#[inline(always)]
fn relu1(x: f32) -> f32 {
    if x < 0.0 { 0.0 } else { x }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Lcg, activate, assert_close, assert_gradient, weighted_sum, widen};

    const ALL: [Activation; 3] = [Activation::None, Activation::Relu, Activation::Tanh];

    #[test]
    fn forward_and_backward_agree_with_f64() {
        let mut random = Lcg::new(1);
        let (x, dy) = (random.vec(37), random.vec(37));
        for activation in ALL {
            let reference = |x: &[f64]| x.iter().map(|x| activate(activation, *x)).collect::<Vec<_>>();
            let mut y = x.clone();
            activation.apply(&mut y);
            assert_close(&y, &reference(&widen(&x)), 1e-6);
            let mut dx = vec![f32::NAN; x.len()];
            activation.backward(&y, &dy, &mut dx);
            assert_gradient(&dx, &x, |x| weighted_sum(&dy, &reference(x)));
        }
    }

    #[test]
    fn nan_stays_nan_both_ways() {
        for activation in ALL {
            let (mut y, mut dx) = ([f32::NAN], [0.0]);
            activation.apply(&mut y);
            assert!(y[0].is_nan());
            activation.backward(&y, &[f32::NAN], &mut dx);
            assert!(dx[0].is_nan());
        }
    }
}
