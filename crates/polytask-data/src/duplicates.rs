//! Which test examples stand in a training set as well? Exact duplicates make a test score too good.

/// A training set and another set that share examples.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Overlap {
    /// The dataset whose training examples are meant.
    pub train: String,
    /// The dataset whose validation or test examples are meant.
    pub other: String,
    /// Distinct examples of `other` that also stand in the training set.
    pub count: usize,
}

/// Finds exact duplicates between any training set and any other set, each a name and the hashes of its examples.
///
/// Pairs without a duplicate are left out. The order is that of `train`, and within it that of `other`.
/// Cost: sorting each set once, then one merge a pair.
pub fn duplicates(train: &[(&str, &[u64])], other: &[(&str, &[u64])]) -> Vec<Overlap> {
    let others: Vec<(&str, Vec<u64>)> = other.iter().map(|&(name, hashes)| (name, distinct(hashes))).collect();
    let mut overlaps = Vec::new();
    for &(train_name, train_hashes) in train {
        let train_hashes = distinct(train_hashes);
        for (other_name, other_hashes) in &others {
            let count = common(&train_hashes, other_hashes);
            if count > 0 {
                overlaps.push(Overlap { train: train_name.into(), other: (*other_name).into(), count });
            }
        }
    }
    overlaps
}

fn distinct(hashes: &[u64]) -> Vec<u64> {
    let mut sorted = hashes.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    sorted
}

/// Counts the numbers in both of two sorted slices without repeats.
fn common(left: &[u64], right: &[u64]) -> usize {
    let (mut i, mut j, mut count) = (0, 0, 0);
    while i < left.len() && j < right.len() {
        match left[i].cmp(&right[j]) {
            std::cmp::Ordering::Less => i += 1,
            std::cmp::Ordering::Greater => j += 1,
            std::cmp::Ordering::Equal => (i, j, count) = (i + 1, j + 1, count + 1),
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    fn overlap(train: &str, other: &str, count: usize) -> Overlap {
        Overlap { train: train.into(), other: other.into(), count }
    }

    #[test]
    fn finds_duplicates_across_datasets() {
        let train: [(&str, &[u64]); 3] = [("books", &[5, 1, 9, 1]), ("dvd", &[7, u64::MAX]), ("none", &[])];
        let test: [(&str, &[u64]); 2] = [("books test", &[1, 2, 7, 1, 5]), ("dvd test", &[u64::MAX, 0, 3])];
        let expected =
            [overlap("books", "books test", 2), overlap("dvd", "books test", 1), overlap("dvd", "dvd test", 1)];
        assert_eq!(duplicates(&train, &test), expected);
    }

    #[test]
    fn repeats_within_a_set_count_once() {
        assert_eq!(duplicates(&[("a", &[4, 4, 4])], &[("b", &[4, 4])]), [overlap("a", "b", 1)]);
    }

    #[test]
    fn nothing_in_common_is_no_overlap() {
        assert_eq!(duplicates(&[("a", &[1, 3])], &[("b", &[2, 4]), ("c", &[])]), []);
        assert_eq!(duplicates(&[], &[("b", &[2])]), []);
    }

    #[test]
    fn agrees_with_counting_one_by_one() {
        let mut rng = crate::rng::Rng::new(1);
        let mut draw = |len: usize| (0..len).map(|_| rng.below(200)).collect::<Vec<u64>>();
        let (left, right) = (draw(150), draw(300));
        let expected = (0..200).filter(|hash| left.contains(hash) && right.contains(hash)).count();
        assert_eq!(duplicates(&[("l", &left)], &[("r", &right)]), [overlap("l", "r", expected)]);
    }
}
