//! The nearest point of a simplex.
//!
//! ```text
//! argmin ‖w - v‖    subject to  w >= 0,  Σ w = total
//! ```
//!
//! The point is `max(v - θ, 0)` for the θ at which the sum is right; sorting the values finds it in O(T log T).
//! Reference: Held, Wolfe and Crowder, "Validation of subgradient optimization", Mathematical Programming, 1974.

/// The nearest point to `values` with non-negative entries that sum to `total`, at least 0.
pub fn nearest_on_simplex(values: &[f64], total: f64) -> Vec<f64> {
    let highest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    // Relative to the highest: adding one number to all values does not move the point.
    let mut sorted: Vec<f64> = values.iter().map(|value| value - highest).collect();
    sorted.sort_by(|left, right| right.total_cmp(left));
    let mut sum = 0.0;
    let mut threshold = 0.0;
    for (place, value) in sorted.iter().enumerate() {
        sum += value;
        let candidate = (sum - total) / (place + 1) as f64;
        if *value < candidate {
            break;
        }
        threshold = candidate;
    }
    values.iter().map(|value| (value - highest - threshold).max(0.0)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::solve::samples::random;

    #[test]
    fn meets_the_conditions_of_the_nearest_point() {
        for seed in 0..200 {
            let scale = [1e-3, 1.0, 1e6][seed as usize % 3];
            let values: Vec<f64> = random(seed, 1 + seed as usize % 9).iter().map(|value| value * scale).collect();
            for total in [0.0, 0.3, 1.0] {
                let point = nearest_on_simplex(&values, total);
                let rounding = 1e-15 * (scale + total) * 10.0;
                assert!((point.iter().sum::<f64>() - total).abs() <= 10.0 * rounding, "{values:?}, {total}: {point:?}");
                // What was taken away is the same from all that are left, and more than those that are not had.
                let taken = |task: usize| values[task] - point[task];
                let kept: Vec<usize> = (0..values.len()).filter(|&task| point[task] > 0.0).collect();
                for &task in &kept {
                    assert!((taken(task) - taken(kept[0])).abs() <= rounding);
                    assert!(
                        (0..values.len()).all(|other| point[other] > 0.0 || values[other] <= taken(task) + rounding)
                    );
                }
            }
        }
    }

    #[test]
    fn points_of_the_simplex_stay() {
        assert_eq!(nearest_on_simplex(&[0.25, 0.75, 0.0], 1.0), [0.25, 0.75, 0.0]);
        assert_eq!(nearest_on_simplex(&[-1e300, 1e300], 1.0), [0.0, 1.0]);
        assert!(nearest_on_simplex(&[], 1.0).is_empty());
    }
}
