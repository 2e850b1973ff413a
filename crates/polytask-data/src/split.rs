//! Which examples are for training, which for validation and test?
//!
//! Shares are drawn in strata: each class gives its share, rounded by largest remainder, and keeps at least one
//! example for training. The same seed and dataset name draw the same examples.

use std::collections::{BTreeMap, BTreeSet};

use crate::rng::Rng;
use crate::table::ColumnStore;

/// Positions of the examples of each set, ascending.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Drawn {
    /// Kept for training.
    pub train: Vec<usize>,
    /// Drawn for validation.
    pub valid: Vec<usize>,
    /// Drawn for the test.
    pub test: Vec<usize>,
}

/// The stratum of each example: its label; its number, or the tenth that it falls into where most numbers differ;
/// one for all where there is no such target.
pub fn strata(target: Option<&ColumnStore>, count: usize) -> Vec<u32> {
    match target {
        Some(ColumnStore::Labels(labels)) => labels.clone(),
        Some(ColumnStore::Numbers(numbers)) => number_strata(numbers),
        _ => vec![0; count],
    }
}

/// Draws `valid` and `test` shares of the examples.
///
/// A share above zero draws at least one example where that leaves one for training.
pub fn draw(strata: &[u32], valid: f64, test: f64, rng: &mut Rng) -> Drawn {
    let mut groups = groups(strata, rng);
    let sizes: Vec<usize> = groups.iter().map(Vec::len).collect();
    let mut take = |share: f64| -> Vec<usize> {
        if share <= 0.0 {
            return Vec::new();
        }
        let wanted = ((share * strata.len() as f64).round() as usize).max(1);
        let most: Vec<usize> = groups.iter().map(|group| group.len().saturating_sub(1)).collect();
        let mut taken = Vec::new();
        for (group, count) in groups.iter_mut().zip(allocate(&sizes, &most, wanted)) {
            taken.extend(group.drain(group.len() - count..));
        }
        taken.sort_unstable();
        taken
    };
    let (valid, test) = (take(valid), take(test));
    let mut train = groups.concat();
    train.sort_unstable();
    Drawn { train, valid, test }
}

/// Chooses `count` examples, as many of each stratum as its share; ascending.
pub fn limit(strata: &[u32], count: usize, rng: &mut Rng) -> Vec<usize> {
    let groups = groups(strata, rng);
    let sizes: Vec<usize> = groups.iter().map(Vec::len).collect();
    let counts = allocate(&sizes, &sizes, count);
    let mut chosen: Vec<usize> =
        groups.iter().zip(counts).flat_map(|(group, count)| group[..count].iter().copied()).collect();
    chosen.sort_unstable();
    chosen
}

/// Moves drawn examples back to training until it has every label and tag that the drawn ones have.
///
/// Returns how many were moved. The first example that holds a value is the one that moves.
pub fn keep_values(drawn: &mut Drawn, columns: &[&ColumnStore]) -> usize {
    let before = drawn.train.len();
    for column in columns {
        let values = |index: usize| match column {
            ColumnStore::Labels(labels) => &labels[index..=index],
            ColumnStore::Tags(rows) => rows.get(index),
            ColumnStore::Tokens(_) | ColumnStore::Numbers(_) => &[],
        };
        let mut known: BTreeSet<u32> = drawn.train.iter().flat_map(|&index| values(index)).copied().collect();
        for set in [&mut drawn.valid, &mut drawn.test] {
            set.retain(|&index| {
                let stays = values(index).iter().all(|value| known.contains(value));
                if !stays {
                    known.extend(values(index));
                    drawn.train.push(index);
                }
                stays
            });
        }
    }
    drawn.train.sort_unstable();
    drawn.train.len() - before
}

/// The shuffled members of each stratum, strata in order.
fn groups(strata: &[u32], rng: &mut Rng) -> Vec<Vec<usize>> {
    let mut groups = BTreeMap::<u32, Vec<usize>>::new();
    for (index, &stratum) in strata.iter().enumerate() {
        groups.entry(stratum).or_default().push(index);
    }
    let mut groups: Vec<Vec<usize>> = groups.into_values().collect();
    groups.iter_mut().for_each(|group| rng.shuffle(group));
    groups
}

/// Divides `wanted` in proportion to `sizes` by largest remainder, never more than `most` from each.
fn allocate(sizes: &[usize], most: &[usize], wanted: usize) -> Vec<usize> {
    let total = sizes.iter().sum::<usize>().max(1) as u128;
    let quota = |size: usize| wanted as u128 * size as u128;
    let mut counts: Vec<usize> =
        sizes.iter().zip(most).map(|(&size, &most)| ((quota(size) / total) as usize).min(most)).collect();
    let mut order: Vec<usize> = (0..sizes.len()).collect();
    order.sort_by_key(|&index| std::cmp::Reverse(quota(sizes[index]) % total));
    let mut left = wanted.saturating_sub(counts.iter().sum());
    while left > 0 {
        let before = left;
        for &index in &order {
            if left > 0 && counts[index] < most[index] {
                counts[index] += 1;
                left -= 1;
            }
        }
        if left == before {
            break;
        }
    }
    counts
}

fn number_strata(numbers: &[f32]) -> Vec<u32> {
    const FEW: usize = 20;
    let mut sorted: Vec<f32> = numbers.iter().copied().filter(|number| !number.is_nan()).collect();
    sorted.sort_by(f32::total_cmp);
    let mut values = sorted.clone();
    values.dedup();
    let bounds: Vec<f32> = match values.len() <= FEW {
        true => values,
        false => (0..10).map(|tenth| sorted[tenth * sorted.len() / 10]).collect(),
    };
    let stratum = |number: &f32| match number.is_nan() {
        true => u32::MAX,
        false => bounds.partition_point(|bound| bound <= number) as u32,
    };
    numbers.iter().map(stratum).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::Ragged;

    fn rng() -> Rng {
        Rng::derive(7, "split/test", 0)
    }

    #[test]
    fn shares_are_drawn_in_strata() {
        let labels: Vec<u32> = (0..1000).map(|index| u32::from(index % 4 == 0)).collect();
        let drawn = draw(&labels, 0.1, 0.2, &mut rng());
        let sizes = [&drawn.train, &drawn.valid, &drawn.test].map(Vec::len);
        assert_eq!(sizes, [700, 100, 200]);
        assert_eq!(drawn.valid.iter().filter(|&&index| labels[index] == 1).count(), 25);
        assert_eq!(drawn.test.iter().filter(|&&index| labels[index] == 1).count(), 50);
        let mut all = [drawn.train.clone(), drawn.valid.clone(), drawn.test.clone()].concat();
        assert!(drawn.train.is_sorted() && drawn.valid.is_sorted());
        all.sort_unstable();
        assert!(all.into_iter().eq(0..1000));
        assert_eq!(drawn, draw(&labels, 0.1, 0.2, &mut rng()));
        assert_ne!(drawn, draw(&labels, 0.1, 0.2, &mut Rng::derive(8, "split/test", 0)));
    }

    #[test]
    fn a_class_of_one_stays_in_training() {
        let drawn = draw(&[0, 1, 2, 2, 2], 0.4, 0.0, &mut rng());
        assert_eq!(drawn.valid.len(), 2);
        assert!(drawn.train.contains(&0) && drawn.train.contains(&1));
        let drawn = draw(&[0, 1], 0.9, 0.0, &mut rng());
        assert_eq!(drawn.train, [0, 1]);
        assert_eq!(draw(&[0; 10], 0.01, 0.0, &mut rng()).valid.len(), 1);
        assert_eq!(draw(&[], 0.5, 0.5, &mut rng()), Drawn::default());
    }

    #[test]
    fn a_limit_keeps_order_and_shares() {
        let labels: Vec<u32> = (0..90).map(|index| index % 3).collect();
        let chosen = limit(&labels, 10, &mut rng());
        assert_eq!(chosen.len(), 10);
        assert!(chosen.is_sorted());
        for label in 0..3 {
            let count = chosen.iter().filter(|&&index| labels[index] == label).count();
            assert!((3..=4).contains(&count));
        }
        assert_eq!(limit(&labels, 500, &mut rng()).len(), 90);
    }

    #[test]
    fn values_that_only_drawn_examples_have_come_back() {
        let labels = ColumnStore::Labels(vec![0, 0, 1, 1]);
        let mut tags = Ragged::new();
        [&[0][..], &[0, 5], &[], &[5]].into_iter().for_each(|row| tags.push(row));
        let tags = ColumnStore::Tags(tags);
        let mut drawn = Drawn { train: vec![0], valid: vec![1, 2], test: vec![3] };
        assert_eq!(keep_values(&mut drawn, &[&labels, &tags]), 2);
        assert_eq!(drawn, Drawn { train: vec![0, 1, 2], valid: vec![], test: vec![3] });
    }

    #[test]
    fn numbers_are_strata_by_value_or_by_tenth() {
        let few = strata(Some(&ColumnStore::Numbers(vec![3.0, f32::NAN, -1.0, 3.0])), 4);
        assert_eq!(few, [2, u32::MAX, 1, 2]);
        let many: Vec<f32> = (0..1000).map(|index| index as f32).collect();
        let many = strata(Some(&ColumnStore::Numbers(many)), 1000);
        assert_eq!((many[0], many[999]), (1, 10));
        assert!((1..=10).all(|tenth| many.iter().filter(|&&stratum| stratum == tenth).count() == 100));
        assert_eq!(strata(None, 2), [0, 0]);
    }
}
