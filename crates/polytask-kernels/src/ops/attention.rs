//! Attention: means over the tokens of a text, weighted by what the tokens say.

use std::sync::Arc;

use burn::tensor::{Bool, Device, Tensor, TensorData, activation};

use super::plain::within;

/// Lower than any score that counts: its exponential is zero beside theirs.
const LOWEST: f32 = f32::MIN;

/// Scaled dot-product self-attention of several heads: `[batch * time, width]`.
///
/// ```text
/// softmax(q kᵀ / sqrt(width / heads)) v
/// ```
///
/// `qkv` is `[batch * time, 3 width]`: queries, keys and values side by side, each head a slice of `width / heads` columns.
/// Keys past a text's length have the weight 0; what stands in queries there gives rows that nobody reads. `drop` is
/// applied to the weights `[batch, heads, time, time]`. Made of burn's operations: there is no kernel.
///
/// Reference: Vaswani et al., "Attention is all you need", NeurIPS 2017, sections 3.2.1 and 3.2.2.
///
/// # Panics
///
/// Where shapes do not fit.
pub fn self_attention(
    qkv: Tensor<2>,
    lengths: &Arc<Vec<usize>>,
    heads: usize,
    drop: impl FnOnce(Tensor<4>) -> Tensor<4>,
) -> Tensor<2> {
    let ([rows, columns], batch) = (qkv.dims(), lengths.len());
    let (time, width) = (rows / batch.max(1), columns / 3);
    assert!(batch * time == rows && 3 * width == columns && width.is_multiple_of(heads), "attention: shapes differ");
    let part = |index: usize| {
        let columns = qkv.clone().narrow(1, index * width, width);
        columns.reshape([batch, time, heads, width / heads]).swap_dims(1, 2)
    };
    let queries = part(0).mul_scalar(((width / heads) as f32).sqrt().recip());
    let scores = queries.matmul(part(1).swap_dims(2, 3));
    let past = past(lengths, time, &scores.device()).reshape([batch, 1, 1, time]).expand([batch, heads, time, time]);
    let weights = drop(activation::softmax(scores.mask_fill(past, LOWEST), 3));
    weights.matmul(part(2)).swap_dims(1, 2).reshape([rows, width])
}

/// The mean of the tokens of each text, weighted by the softmax of their scores: `[batch, d]`.
///
/// `x` is `[batch, time, d]`, `scores` `[batch, time]`. What stands past a length is not read; a text without tokens gives
/// zeros. Made of burn's operations: there is no kernel.
///
/// # Panics
///
/// Where shapes do not fit.
pub fn weighted_mean(x: Tensor<3>, scores: Tensor<2>, lengths: &Arc<Vec<usize>>) -> Tensor<2> {
    let [batch, time, d] = x.dims();
    assert!(scores.dims() == [batch, time] && lengths.len() == batch, "a weighted mean: shapes differ");
    let past = past(lengths, time, &x.device());
    let weights = activation::softmax(scores.mask_fill(past.clone(), LOWEST), 1).mask_fill(past, 0.0);
    weights.reshape([batch, 1, time]).matmul(within(x, lengths, 0.0)).reshape([batch, d])
}

/// Which places stand past their text's length, `[batch, time]`.
fn past(lengths: &[usize], time: usize, device: &Device) -> Tensor<2, Bool> {
    let past: Vec<bool> = lengths.iter().flat_map(|&length| (0..time).map(move |at| at >= length)).collect();
    Tensor::from_data(TensorData::new(past, [lengths.len(), time]), device)
}
