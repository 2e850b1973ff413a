use super::*;
use crate::activation::Activation;
use crate::gather::PADDING;
use crate::testing::{Lcg, RandomFilters, assert_close, same_on_all_pools, widen};

/// Texts of these lengths over a few distinct words.
fn index(random: &mut Lcg, lengths: &[usize], time: usize, distinct: usize) -> Vec<u32> {
    let text = |random: &mut Lcg, length: usize| -> Vec<u32> {
        (0..time).map(|at| if at < length { random.below(distinct) as u32 } else { PADDING }).collect()
    };
    lengths.iter().flat_map(|length| text(random, *length)).collect()
}

const LENGTHS: [&[usize]; 5] = [&[6, 0, 1, 9, 2, 4], &[1], &[], &[0, 0], &[9, 9, 9, 9]];

#[test]
fn values_and_gradients_are_those_of_the_texts_spelled_out() {
    let mut random = Lcg::new(1);
    for lengths in LENGTHS {
        // Few words and many features repeat enough, three features do not.
        for (distinct, features) in [(3, 40), (5, 17), (4, 3), (1, 12)] {
            for (widths, count) in [(&[1][..], 1), (&[3, 4, 5], 9), (&[2, 2], 40), (&[6, 1], 33), (&[11], 3)] {
                for activation in [Activation::None, Activation::Relu, Activation::Tanh] {
                    let index = index(&mut random, lengths, 9, distinct);
                    let rows = random.vec(distinct * features);
                    let lookup = Lookup { rows: &rows, features, index: &index, lengths, time: 9 };
                    let own = RandomFilters::new(&mut random, widths, count, features, activation);
                    let dy = random.vec(lengths.len() * widths.len() * count);
                    own.with(|filters| agree(&lookup, filters, &dy));
                }
            }
        }
    }
}

fn agree(lookup: &Lookup<'_>, filters: &Filters<'_>, dy: &[f32]) {
    let (mut y, mut argmax) = (vec![f32::NAN; dy.len()], vec![7; dy.len()]);
    forward(lookup, filters, &mut y, &mut argmax);
    let shape = lookup.shape();
    let mut x = vec![f32::NAN; shape.elements()];
    gather(lookup.rows, lookup.features, lookup.index, &mut x);
    let (mut want, mut places) = (vec![f32::NAN; dy.len()], vec![7; dy.len()]);
    conv_max::forward(&shape, &x, filters, &mut want, &mut places);
    assert_close(&y, &widen(&want), 1e-5);
    // A word that repeats makes equal windows, of which the first is taken on both ways, up to rounding.
    for (at, (place, other)) in argmax.iter().zip(&places).enumerate() {
        assert!(place == other || (y[at] - want[at]).abs() < 1e-5, "{at}: {place}, {other}");
    }
    let mut drows = vec![f32::NAN; lookup.rows.len()];
    let gradients = backward(lookup, filters, (&y, &argmax), dy, Some(&mut drows), &OnceLock::new());
    assert_eq!(backward(lookup, filters, (&y, &argmax), dy, None, &OnceLock::new()), gradients);
    let mut dx = vec![f32::NAN; x.len()];
    let spelled = conv_max::backward(&shape, &x, filters, (&y, &argmax), dy, Some(&mut dx));
    let mut scattered = vec![0.0; drows.len()];
    crate::gather::scatter_add(&dx, lookup.features, lookup.index, &mut scattered);
    assert_close(&drows, &widen(&scattered), 1e-4);
    assert_close(&gradients.bias, &widen(&spelled.bias), 1e-5);
    assert_close(&gradients.weights.concat(), &widen(&spelled.weights.concat()), 1e-4);
}

#[test]
fn words_that_repeat_go_through_products() {
    let (index, lengths) = ([0, 1, 0, 1, 0, 1, 0, 1], [8]);
    let of = |features: usize| {
        let rows = vec![0.0; 2 * features];
        repeats(&Lookup { rows: &rows, features, index: &index, lengths: &lengths, time: 8 })
    };
    assert!(of(40) && !of(3));
}

#[test]
fn a_nan_wins_and_stays() {
    let rows = [vec![1.0; 40], vec![f32::NAN; 40], vec![2.0; 40]].concat();
    let (index, lengths) = ([0, 2, 1, 2, 0, 0, 0, 0], [8]);
    let lookup = Lookup { rows: &rows, features: 40, index: &index, lengths: &lengths, time: 8 };
    let (weights, bias): ([&[f32]; 1], _) = ([&[1.0; 40]], [0.0]);
    let filters = Filters { widths: &[1], count: 1, weights: &weights, bias: &bias, activation: Activation::None };
    let (mut y, mut argmax) = ([0.0], [0]);
    forward(&lookup, &filters, &mut y, &mut argmax);
    assert!(repeats(&lookup) && y[0].is_nan() && argmax == [2]);
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    let mut random = Lcg::new(2);
    let lengths: Vec<usize> = (0..41).map(|_| random.below(40)).collect();
    let index = index(&mut random, &lengths, 40, 300);
    let (rows, dy) = (random.vec(300 * 24), random.vec(41 * 102));
    let lookup = Lookup { rows: &rows, features: 24, index: &index, lengths: &lengths, time: 40 };
    assert!(repeats(&lookup));
    let own = RandomFilters::new(&mut random, &[2, 3, 5], 34, 24, Activation::Relu);
    own.with(|filters| {
        same_on_all_pools(|| {
            let (mut y, mut argmax, mut drows) = (vec![0.0; dy.len()], vec![0; dy.len()], vec![0.0; rows.len()]);
            forward(&lookup, filters, &mut y, &mut argmax);
            let gradients = backward(&lookup, filters, (&y, &argmax), &dy, Some(&mut drows), &OnceLock::new());
            [y, drows, gradients.weights.concat(), gradients.bias].concat()
        });
    });
}

#[test]
#[should_panic(expected = "past a text's length")]
fn a_row_past_a_length_panics() {
    let own = RandomFilters::new(&mut Lcg::new(1), &[1], 1, 1, Activation::None);
    let lookup = Lookup { rows: &[1.0], features: 1, index: &[0, 0], lengths: &[1], time: 2 };
    own.with(|filters| forward(&lookup, filters, &mut [0.0], &mut [0]));
}
