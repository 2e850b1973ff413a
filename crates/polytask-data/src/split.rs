//! Which examples are for training, which for validation and test?
//!
//! An example's side follows from its text and the seed. Within each stratum examples are ranked by a hash of both;
//! the first ones are the test set, the next ones the validation set, and training has the rest. So two configurations
//! that read the same files with the same seed and test share test on the same examples, whatever they call the
//! dataset, predict, or validate on. Equal texts have one rank and stay together, those of different strata in the
//! lowest of them.
//!
//! Each stratum gives its share, rounded by largest remainder, and keeps its last text for training. A share is missed
//! only as far as equal texts demand.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::interner::Interner;
use crate::rng::hash64;
use crate::table::MISSING_LABEL;

/// Shares of all examples, in `[0, 1)`.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Shares {
    /// Drawn for validation.
    pub valid: f64,
    /// Drawn for the test.
    pub test: f64,
}

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

/// The stratum of each example from its identifier in `names`, [`MISSING_LABEL`] where it has none: its name's place
/// in the sorted names; the tenth that it falls into where there are many names and all are numbers.
pub fn strata(names: &Interner, ids: &[u32]) -> Vec<u32> {
    const FEW: usize = 20;
    let numbers = || -> Option<Vec<f64>> {
        names.words().map(|name| name.parse().ok().filter(|number: &f64| number.is_finite())).collect()
    };
    let by_name = match numbers() {
        Some(numbers) if numbers.len() > FEW => tenths(&numbers, ids),
        _ => {
            let mut sorted: Vec<u32> = (0..names.len() as u32).collect();
            sorted.sort_unstable_by_key(|&id| names.word(id));
            let mut places = vec![0; sorted.len()];
            sorted.iter().zip(0..).for_each(|(&id, place)| places[id as usize] = place);
            places
        }
    };
    ids.iter().map(|&id| if id == MISSING_LABEL { MISSING_LABEL } else { by_name[id as usize] }).collect()
}

/// Draws shares of the examples, each given by the hash of its text and its stratum.
///
/// A share above zero draws at least one text where that leaves one for training. The test set does not depend on the
/// validation share.
pub fn draw(seed: u64, hashes: &[u64], strata: &[u32], shares: Shares) -> Drawn {
    let order = ranked(seed, hashes);
    let mut left = groups(&order, hashes, strata);
    let sizes: Vec<usize> = left.iter().map(|groups| size(groups)).collect();
    let mut take = |share: f64| -> Vec<usize> {
        if share <= 0.0 {
            return Vec::new();
        }
        let wanted = ((share * hashes.len() as f64).round() as usize).max(1);
        let most: Vec<usize> = left.iter().map(|groups| size(&groups[..groups.len() - 1])).collect();
        let mut taken = Vec::new();
        for (groups, count) in left.iter_mut().zip(allocate(&sizes, &most, wanted)) {
            taken.extend(pick(groups, count).into_iter().flat_map(|group| &order[group]));
        }
        taken.sort_unstable();
        taken
    };
    let (test, valid) = (take(shares.test), take(shares.valid));
    let mut train: Vec<usize> = left.into_iter().flatten().flat_map(|group| &order[group]).copied().collect();
    train.sort_unstable();
    Drawn { train, valid, test }
}

/// Chooses `count` examples, as many of each stratum as its share; ascending.
///
/// Those that a split would draw last are chosen first, so that the choice depends little on the shares drawn before.
pub fn limit(seed: u64, hashes: &[u64], strata: &[u32], count: usize) -> Vec<usize> {
    let mut groups = BTreeMap::<u32, Vec<usize>>::new();
    for index in ranked(seed, hashes).into_iter().rev() {
        groups.entry(strata[index]).or_default().push(index);
    }
    let sizes: Vec<usize> = groups.values().map(Vec::len).collect();
    let counts = allocate(&sizes, &sizes, count);
    let mut chosen: Vec<usize> =
        groups.values().zip(counts).flat_map(|(group, count)| &group[..count]).copied().collect();
    chosen.sort_unstable();
    chosen
}

/// All positions by rank; equal texts stand side by side, as they came.
fn ranked(seed: u64, hashes: &[u64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..hashes.len()).collect();
    order.sort_by_cached_key(|&index| hash64(seed, hashes[index]));
    order
}

/// The ranges of equal texts in `order` by stratum, strata in order; none is empty.
fn groups(order: &[usize], hashes: &[u64], strata: &[u32]) -> Vec<Vec<Range<usize>>> {
    let mut groups = BTreeMap::<u32, Vec<Range<usize>>>::new();
    let mut start = 0;
    for equal in order.chunk_by(|&left, &right| hashes[left] == hashes[right]) {
        let stratum = equal.iter().map(|&index| strata[index]).min().unwrap_or_default();
        groups.entry(stratum).or_default().push(start..start + equal.len());
        start += equal.len();
    }
    groups.into_values().collect()
}

fn size(groups: &[Range<usize>]) -> usize {
    groups.iter().map(Range::len).sum()
}

/// Removes groups of `wanted` examples together, or as near to it as whole groups come; the last group stays.
fn pick(groups: &mut Vec<Range<usize>>, wanted: usize) -> Vec<Range<usize>> {
    let Some(last) = groups.pop() else { return Vec::new() };
    let (mut missing, mut picked) = (wanted, Vec::new());
    groups.retain(|group| {
        let fits = group.len() <= missing;
        if fits {
            missing -= group.len();
            picked.push(group.clone());
        }
        !fits
    });
    // All that are left are too large; one of them may still come nearer than none.
    if missing > 0
        && let Some(position) = groups.iter().position(|group| group.len() <= 2 * missing)
    {
        picked.push(groups.remove(position));
    }
    groups.push(last);
    picked
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

/// The tenth of the examples that each number falls into.
fn tenths(numbers: &[f64], ids: &[u32]) -> Vec<u32> {
    let known = ids.iter().filter(|&&id| id != MISSING_LABEL);
    let mut sorted: Vec<f64> = known.map(|&id| numbers[id as usize]).collect();
    sorted.sort_by(f64::total_cmp);
    let bounds: Vec<f64> = match sorted.len() {
        0 => Vec::new(),
        len => (0..10).map(|tenth| sorted[tenth * len / 10]).collect(),
    };
    numbers.iter().map(|number| bounds.partition_point(|bound| bound <= number) as u32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::Hash;

    const SEED: u64 = 7;

    fn hashes(count: usize) -> Vec<u64> {
        (0..count).map(|number| Hash::of_words([&*format!("text {number}")])).collect()
    }

    fn shares(valid: f64, test: f64) -> Shares {
        Shares { valid, test }
    }

    fn sizes(drawn: &Drawn) -> [usize; 3] {
        [&drawn.train, &drawn.valid, &drawn.test].map(Vec::len)
    }

    #[test]
    fn shares_are_drawn_in_strata() {
        let labels: Vec<u32> = (0..1000).map(|index| u32::from(index % 4 == 0)).collect();
        let hashes = hashes(1000);
        let drawn = draw(SEED, &hashes, &labels, shares(0.1, 0.2));
        assert_eq!(sizes(&drawn), [700, 100, 200]);
        assert_eq!(drawn.valid.iter().filter(|&&index| labels[index] == 1).count(), 25);
        assert_eq!(drawn.test.iter().filter(|&&index| labels[index] == 1).count(), 50);
        let mut all = [drawn.train.clone(), drawn.valid.clone(), drawn.test.clone()].concat();
        assert!(drawn.train.is_sorted() && drawn.valid.is_sorted());
        all.sort_unstable();
        assert!(all.into_iter().eq(0..1000));
        assert_eq!(drawn, draw(SEED, &hashes, &labels, shares(0.1, 0.2)));
        assert_ne!(drawn, draw(8, &hashes, &labels, shares(0.1, 0.2)));
    }

    #[test]
    fn the_test_set_depends_on_texts_and_seed_only() {
        let (hashes, labels) = (hashes(500), (0..500).map(|index| index % 3).collect::<Vec<u32>>());
        let test = draw(SEED, &hashes, &labels, shares(0.0, 0.2)).test;
        for valid in [0.01, 0.1, 0.5, 0.9] {
            assert_eq!(draw(SEED, &hashes, &labels, shares(valid, 0.2)).test, test);
        }
        assert!(test.iter().all(|index| draw(SEED, &hashes, &labels, shares(0.1, 0.3)).test.contains(index)));
        let reversed: Vec<u64> = hashes.iter().rev().copied().collect();
        let turned: Vec<u32> = labels.iter().rev().copied().collect();
        let again = draw(SEED, &reversed, &turned, shares(0.1, 0.2)).test;
        assert!(again.iter().rev().map(|index| 499 - index).eq(test));
    }

    #[test]
    fn equal_texts_stay_together_and_shares_are_met() {
        let mut rng = crate::rng::Rng::new(1);
        let texts = hashes(600);
        let examples: Vec<u64> = (0..1000).map(|_| texts[(rng.below(600) * rng.below(600) / 600) as usize]).collect();
        let strata: Vec<u32> = (0..1000).map(|_| rng.below(3) as u32).collect();
        for seed in 0..20 {
            let drawn = draw(seed, &examples, &strata, shares(0.1, 0.2));
            for (found, wanted) in sizes(&drawn).into_iter().zip([700, 100, 200]) {
                assert!(found.abs_diff(wanted) <= 10, "{:?}", sizes(&drawn));
            }
            let of = |set: &[usize]| -> std::collections::BTreeSet<u64> { set.iter().map(|&i| examples[i]).collect() };
            let sets = [&drawn.train, &drawn.valid, &drawn.test].map(|set| of(set));
            assert!(sets[0].is_disjoint(&sets[1]) && sets[0].is_disjoint(&sets[2]) && sets[1].is_disjoint(&sets[2]));
        }
        let drawn = draw(SEED, &[5, 5, 5, 5, 9, 9, 8, 8], &[0, 0, 1, 0, 0, 0, 0, 0], shares(0.0, 0.25));
        assert_eq!(sizes(&drawn), [6, 0, 2]);
        assert_eq!(sizes(&draw(SEED, &[5; 20], &[0; 20], shares(0.2, 0.2))), [20, 0, 0]);
    }

    #[test]
    fn a_class_of_one_stays_in_training() {
        let drawn = draw(SEED, &hashes(5), &[0, 1, 2, 2, 2], shares(0.4, 0.0));
        assert_eq!(drawn.valid.len(), 2);
        assert!(drawn.train.contains(&0) && drawn.train.contains(&1));
        assert_eq!(draw(SEED, &hashes(2), &[0, 1], shares(0.9, 0.0)).train, [0, 1]);
        assert_eq!(draw(SEED, &hashes(10), &[0; 10], shares(0.01, 0.0)).valid.len(), 1);
        assert_eq!(draw(SEED, &[], &[], shares(0.5, 0.5)), Drawn::default());
    }

    #[test]
    fn a_limit_keeps_order_and_shares() {
        let labels: Vec<u32> = (0..90).map(|index| index % 3).collect();
        let hashes = hashes(90);
        let chosen = limit(SEED, &hashes, &labels, 10);
        assert_eq!(chosen.len(), 10);
        assert!(chosen.is_sorted());
        for label in 0..3 {
            let count = chosen.iter().filter(|&&index| labels[index] == label).count();
            assert!((3..=4).contains(&count));
        }
        let more = limit(SEED, &hashes, &labels, 20);
        assert!(chosen.iter().all(|index| more.contains(index)));
        let train = draw(SEED, &hashes, &labels, shares(0.1, 0.2)).train;
        assert!(chosen.iter().all(|index| train.contains(index)));
        assert_eq!(limit(SEED, &hashes, &labels, 500).len(), 90);
    }

    #[test]
    fn strata_are_names_or_tenths() {
        let of = |labels: &[String]| {
            let mut names = Interner::new();
            let mut ids: Vec<u32> = labels.iter().map(|label| names.intern(label)).collect();
            ids.push(MISSING_LABEL);
            strata(&names, &ids)
        };
        assert_eq!(of(&["pos", "neg", "pos"].map(String::from)), [1, 0, 1, MISSING_LABEL]);
        let many: Vec<String> = (0..1000).map(|number| format!("{}", 0.5 - f64::from(number))).collect();
        let many = of(&many);
        assert_eq!((many[0], many[999], many[1000]), (10, 1, MISSING_LABEL));
        assert!((1..=10).all(|tenth| many.iter().filter(|&&stratum| stratum == tenth).count() == 100));
        assert_eq!(strata(&Interner::new(), &[MISSING_LABEL; 2]), [MISSING_LABEL; 2]);
    }
}
