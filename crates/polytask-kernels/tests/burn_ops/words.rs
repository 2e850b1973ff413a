//! Are operations on looked-up words those on the words spelled out?

use std::sync::Arc;

use burn::tensor::Tensor;
use polytask_kernels::ops;

use crate::support::{Leaves, same};
use crate::{ACTIVATIONS, batches, direction, plain, weights};

/// For each position of a batch one of `distinct` rows, none past a length.
fn index(lengths: &[usize], time: usize, distinct: usize) -> Arc<Vec<u32>> {
    let place =
        |text: usize, at: usize| if at < lengths[text] { ((7 * text + at * at) % distinct) as u32 } else { u32::MAX };
    Arc::new((0..lengths.len()).flat_map(|text| (0..time).map(move |at| place(text, at))).collect())
}

fn spelled_out(rows: Tensor<2>, index: &[u32], batch: usize, time: usize) -> Tensor<3> {
    let d = rows.dims()[1];
    plain::gather(rows, index).reshape([batch, time, d])
}

#[test]
fn word_conv_max_is_conv_max_of_the_words_spelled_out() {
    for (lengths, time, d) in batches() {
        // Two rows repeat enough for their products to be shared, nine do not.
        for (distinct, (activation, widths)) in [2, 9].into_iter().flat_map(|distinct| {
            ACTIVATIONS.into_iter().zip([&[3, 1][..], &[2, 4, 5], &[1]]).map(move |kind| (distinct, kind))
        }) {
            let index = index(&lengths, time, distinct);
            let columns = 3 * widths.len();
            let shapes: Vec<Vec<usize>> = [vec![distinct, d], vec![columns]]
                .into_iter()
                .chain(widths.iter().map(|width| vec![width * d, 3]))
                .collect();
            same(
                &shapes.iter().map(Vec::as_slice).collect::<Vec<_>>(),
                |l| {
                    ops::word_conv_max(
                        l.get(0),
                        index.clone(),
                        lengths.clone(),
                        weights(l, widths),
                        l.get(1),
                        activation,
                    )
                },
                |l| {
                    let x = spelled_out(l.get(0), &index, lengths.len(), time);
                    plain::max_over_time(plain::conv(x, &lengths, weights(l, widths), l.get(1), activation), &lengths)
                },
            );
            // The same in two steps: what responds most, and the way back from there.
            same(
                &shapes.iter().map(Vec::as_slice).collect::<Vec<_>>(),
                |l| {
                    let (texts, filters) = (|| (index.clone(), lengths.clone()), || (weights(l, widths), l.get(1)));
                    let ((places, spans), (weights, bias)) = (texts(), filters());
                    let (rows, bare) = (l.get::<2>(0).detach(), weights.into_iter().map(Tensor::detach).collect());
                    let known = ops::strongest_words(rows, places, spans, bare, bias.detach(), activation);
                    let ((places, spans), (weights, bias)) = (texts(), filters());
                    match known.map(|known| known.texts(0..lengths.len())) {
                        Some(known) => {
                            ops::word_conv_max_known(l.get(0), places, spans, weights, bias, activation, known)
                        }
                        // There is no kernel on this path.
                        None => ops::word_conv_max(l.get(0), places, spans, weights, bias, activation),
                    }
                },
                |l| {
                    let x = spelled_out(l.get(0), &index, lengths.len(), time);
                    plain::max_over_time(plain::conv(x, &lengths, weights(l, widths), l.get(1), activation), &lengths)
                },
            );
        }
    }
}

#[test]
fn bilstm_of_words_is_that_of_the_words_spelled_out() {
    for ((lengths, time, d), hidden) in batches().into_iter().zip([1, 4, 2, 3, 9]) {
        let index = index(&lengths, time, 4);
        let (input, recurrent, bias) = ([d, 4 * hidden], [hidden, 4 * hidden], [4 * hidden]);
        same(
            &[&[4, d], &input, &recurrent, &bias, &input, &recurrent, &bias],
            |l: &Leaves| ops::bilstm_words(l.get(0), index.clone(), lengths.clone(), direction(l, 1), direction(l, 4)),
            |l| {
                let x = spelled_out(l.get(0), &index, lengths.len(), time);
                plain::bilstm(x, &lengths, direction(l, 1), direction(l, 4))
            },
        );
    }
}
