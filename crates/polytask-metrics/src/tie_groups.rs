//! Examples in the order of their scores, equal scores together: what ranking metrics see of a class.

/// Examples with one score.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct TieGroup {
    /// How many of them are of the class.
    pub positives: u64,
    /// How many of them are not.
    pub negatives: u64,
}

/// Groups (score, whether of the class) by score, the highest first; `None` where a score is NaN, which has no place.
///
/// Only equal scores tie, -0 and 0 among them. Infinite scores are first or last.
pub(crate) fn tie_groups(examples: impl Iterator<Item = (f32, bool)>) -> Option<Vec<TieGroup>> {
    let mut sorted: Vec<(f32, bool)> = examples.collect();
    if sorted.iter().any(|(score, _)| score.is_nan()) {
        return None;
    }
    sorted.sort_unstable_by(|(left, _), (right, _)| right.total_cmp(left));
    let groups = sorted.chunk_by(|(left, _), (right, _)| left == right).map(|group| {
        let positives = group.iter().filter(|(_, positive)| *positive).count() as u64;
        TieGroup { positives, negatives: group.len() as u64 - positives }
    });
    Some(groups.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn groups(examples: &[(f32, bool)]) -> Option<Vec<(u64, u64)>> {
        let groups = tie_groups(examples.iter().copied())?;
        Some(groups.into_iter().map(|group| (group.positives, group.negatives)).collect())
    }

    #[test]
    fn equal_scores_stand_together_highest_first() {
        let examples = [(0.5, true), (0.0, false), (1e-45, true), (0.5, false), (-0.0, true), (0.5, false)];
        assert_eq!(groups(&examples).unwrap(), [(1, 2), (1, 0), (1, 1)]);
        let extremes = [(f32::NEG_INFINITY, true), (f32::MAX, false), (f32::INFINITY, true)];
        assert_eq!(groups(&extremes).unwrap(), [(1, 0), (0, 1), (1, 0)]);
    }

    #[test]
    fn nothing_and_nan() {
        assert_eq!(groups(&[]).unwrap(), []);
        assert_eq!(groups(&[(0.5, true), (f32::NAN, false)]), None);
        assert_eq!(groups(&[(-f32::NAN, true)]), None);
    }
}
