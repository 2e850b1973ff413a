//! Do two measures put things in the same order?
//!
//! References: Spearman, "The proof and measurement of association between two things", 1904; Kendall, "The treatment of ties
//! in ranking problems", Biometrika, 1945 (tau-b).

use polytask_metrics::Spearman;

/// Spearman's rank correlation of two lists of one length; ties share their mean rank.
///
/// `None` where lengths differ, a list has one value only, or a value is NaN.
pub fn spearman(left: &[f64], right: &[f64]) -> Option<f64> {
    let mut ranking = Spearman::new();
    left.iter().zip(right).for_each(|(&left, &right)| ranking.update(left, right));
    (left.len() == right.len()).then(|| ranking.result().spearman).flatten()
}

/// Kendall's tau-b of two lists of one length: pairs in the same order less pairs in the opposite one, over the geometric mean
/// of the pairs that are tied in neither list.
///
/// `None` where lengths differ, all values of a list are tied, or a value is NaN.
pub fn kendall(left: &[f64], right: &[f64]) -> Option<f64> {
    if left.len() != right.len() || left.iter().chain(right).any(|value| value.is_nan()) {
        return None;
    }
    let (mut balance, mut untied_left, mut untied_right) = (0i64, 0i64, 0i64);
    for later in 1..left.len() {
        for earlier in 0..later {
            let a = order(left[earlier], left[later]);
            let b = order(right[earlier], right[later]);
            balance += a * b;
            untied_left += a.abs();
            untied_right += b.abs();
        }
    }
    let scale = (untied_left as f64 * untied_right as f64).sqrt();
    (scale > 0.0).then(|| balance as f64 / scale)
}

fn order(earlier: f64, later: f64) -> i64 {
    i64::from(later > earlier) - i64::from(later < earlier)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agreement_by_hand() {
        let up = [1.0, 2.0, 3.0, 4.0];
        assert_eq!((kendall(&up, &up), spearman(&up, &up)), (Some(1.0), Some(1.0)));
        let down = [4.0, 3.0, 2.0, 1.0];
        assert_eq!((kendall(&up, &down), spearman(&up, &down)), (Some(-1.0), Some(-1.0)));
        // One neighbouring exchange of four: (5 - 1) / 6, and 1 - 6 * 2 / (4 * 15).
        let exchanged = [2.0, 1.0, 3.0, 4.0];
        assert!((kendall(&up, &exchanged).unwrap() - 4.0 / 6.0).abs() < 1e-15);
        assert!((spearman(&up, &exchanged).unwrap() - 0.8).abs() < 1e-15);
        // A tie on the right: five pairs in order, one tied: 5 / sqrt(6 * 5).
        let tied = [1.0, 1.0, 3.0, 4.0];
        assert!((kendall(&up, &tied).unwrap() - 5.0 / 30.0_f64.sqrt()).abs() < 1e-15);
    }

    #[test]
    fn hostile_lists_are_none() {
        assert_eq!((kendall(&[], &[]), spearman(&[], &[])), (None, None));
        assert_eq!((kendall(&[1.0, 2.0], &[1.0]), spearman(&[1.0, 2.0], &[1.0])), (None, None));
        assert_eq!((kendall(&[1.0, 1.0], &[1.0, 2.0]), kendall(&[1.0, f64::NAN], &[1.0, 2.0])), (None, None));
    }
}
