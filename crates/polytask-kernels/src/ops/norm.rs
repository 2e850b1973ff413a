//! Layer normalisation.

use burn::tensor::Tensor;

/// Brings each row of `x` `[rows, d]` to mean 0 and variance 1, then scales by `weight` `[d]` and adds `bias` `[d]`.
///
/// ```text
/// y = weight ⊙ (x - mean(x)) / sqrt(variance(x) + epsilon) + bias
/// ```
///
/// The variance is that of the row itself, divided by `d`. Made of burn's operations: there is no kernel.
///
/// Reference: Ba, Kiros and Hinton, "Layer normalization", 2016.
pub fn layer_norm(x: Tensor<2>, weight: Tensor<1>, bias: Tensor<1>, epsilon: f64) -> Tensor<2> {
    if x.dims()[0] == 0 {
        return x;
    }
    let mean = x.clone().mean_dim(1);
    let centred = x - mean;
    let variance = (centred.clone() * centred.clone()).mean_dim(1);
    centred / (variance + epsilon).sqrt() * weight.unsqueeze::<2>() + bias.unsqueeze::<2>()
}
