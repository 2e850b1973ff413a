//! The shortest convex combination of gradients.
//!
//! ```text
//! w* = argmin  wᵀ G w    subject to  w >= 0,  Σ w = 1
//! ```
//!
//! With z = w / ‖Σ w_t g_t‖² the conditions of the minimum are those of `min zᵀ G z / 2 - Σ z`, `z >= 0`, where the sum
//! is free: the active-set method solves that. It has no minimum where some combination of the gradients is zero, and
//! the ray that it then finds is that combination.

use super::nonneg::{Outcome, nonneg};
use crate::Gramian;

/// The weights of the shortest convex combination of the gradients, `[task]`: at least 0, sum 1.
///
/// They need not be the only ones, but the combination is. Where gradients are zero, those have all the weight, in
/// equal parts.
pub fn min_norm(gramian: &Gramian) -> Vec<f64> {
    let (norms, cosines) = gramian.unit();
    let shortest = norms.iter().copied().fold(f64::INFINITY, f64::min);
    let pull: Vec<f64> = if shortest == 0.0 {
        norms.iter().map(|norm| f64::from(*norm == 0.0)).collect()
    } else {
        norms.iter().map(|norm| shortest / norm).collect()
    };
    let weights: Vec<f64> = if shortest == 0.0 {
        pull
    } else {
        let (Outcome::Minimum(scaled) | Outcome::Ray(scaled)) = nonneg(&cosines, &pull);
        scaled.iter().zip(&pull).map(|(weight, pull)| weight * pull).collect()
    };
    let sum: f64 = weights.iter().sum();
    weights.iter().map(|weight| weight / sum).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::solve::samples::{hostile, random};

    #[test]
    fn meets_the_conditions_of_a_minimum_on_hostile_gradients() {
        for (name, gramian, _) in hostile() {
            let weights = min_norm(&gramian);
            assert!(weights.iter().all(|weight| *weight >= 0.0), "{name}");
            assert!((weights.iter().sum::<f64>() - 1.0).abs() < 1e-12, "{name}");
            // No gradient lies behind the point: g_t · d >= ‖d‖², relative to the terms that are summed.
            let products = gramian.times(&weights);
            let squared = gramian.squared_norm(&weights);
            for (task, product) in products.iter().enumerate() {
                let norm = gramian.get(task, task).sqrt();
                let terms = |at: usize| weights[at] * gramian.get(at, at).sqrt();
                let size: f64 = norm * (0..weights.len()).map(terms).sum::<f64>();
                assert!(squared - product <= 1e-9 * size.max(squared), "{name}: {squared} - {product}, {size}");
            }
        }
    }

    #[test]
    fn no_other_combination_is_shorter() {
        for (name, gramian, _) in hostile() {
            let found = gramian.squared_norm(&min_norm(&gramian));
            let longest = (0..gramian.size()).map(|task| gramian.get(task, task)).fold(0.0, f64::max);
            for seed in 0..200 {
                let values =
                    random(seed, gramian.size()).iter().map(|value| (1.0 - value.abs()).powi(4)).collect::<Vec<_>>();
                let sum: f64 = values.iter().sum();
                let other: Vec<f64> = values.iter().map(|value| value / sum).collect();
                let other = gramian.squared_norm(&other);
                assert!(found <= other * (1.0 + 1e-12) + 1e-13 * longest, "{name}: {found} > {other}");
            }
        }
    }

    #[test]
    fn agrees_with_the_closed_form_for_two() {
        // The foot of the perpendicular from the origin, or the nearer end.
        for (squared_a, product, squared_b) in [(4.0, 1.0, 3.0), (1.0, -0.5, 1e4), (1e-4, 0.3, 1e4), (1.0, 2.0, 9.0)] {
            let gramian = Gramian::new(&[vec![squared_a, product], vec![product, squared_b]]).unwrap();
            let foot: f64 = (squared_b - product) / (squared_a + squared_b - 2.0 * product);
            let expected = foot.clamp(0.0, 1.0);
            let weights = min_norm(&gramian);
            assert!((weights[0] - expected).abs() < 1e-14, "{weights:?}, {expected}");
        }
    }

    #[test]
    fn opposite_gradients_cancel() {
        for factor in [1e-25, 0.3, 1.0, 1e25] {
            let gramian = Gramian::new(&[vec![1.0, -factor], vec![-factor, factor * factor]]).unwrap();
            let weights = min_norm(&gramian);
            assert!((weights[0] - factor * weights[1]).abs() <= 1e-15 * weights[0], "{weights:?}");
        }
        let with_zero = Gramian::new(&[vec![0.0, 0.0, 0.0], vec![0.0, 2.0, 0.0], vec![0.0; 3]]).unwrap();
        assert_eq!(min_norm(&with_zero), [0.5, 0.0, 0.5]);
    }
}
