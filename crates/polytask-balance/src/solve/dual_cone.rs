//! The projection of a combination of gradients on the directions that make no task worse.
//!
//! ```text
//! project:  d* = argmin ‖d - Σ p_t g_t‖    subject to  g_t · d >= 0 for every t
//!           d* = Σ (p_t + z_t) g_t,  z = argmin zᵀ G z / 2 + zᵀ G p  subject to  z >= 0
//! ```
//!
//! The multipliers `z` are the weights that have to be added.

use super::nonneg::nonneg_bounded;
use crate::Gramian;

/// The weights of the projection of `Σ preference_t g_t`, `[task]`.
pub fn project(gramian: &Gramian, preference: &[f64]) -> Vec<f64> {
    let (norms, cosines) = gramian.unit();
    let scaled: Vec<f64> = preference.iter().zip(&norms).map(|(weight, norm)| weight * norm).collect();
    let pull: Vec<f64> = cosines.times(&scaled).iter().map(|product| -product).collect();
    let added = nonneg_bounded(&cosines, &pull, &[]);
    let lengths = norms.iter().zip(added);
    preference.iter().zip(lengths).map(|(weight, (norm, added))| weight + per(added, *norm)).collect()
}

/// The weights of the mean of the projections of each gradient, `[task]`.
///
/// Each search starts with the rows that the one before ended with.
pub fn project_each(gramian: &Gramian) -> Vec<f64> {
    let (norms, cosines) = gramian.unit();
    let share = 1.0 / norms.len() as f64;
    let mut lengths = norms.clone();
    let mut added = Vec::new();
    for (task, norm) in norms.iter().enumerate() {
        let pull: Vec<f64> = cosines.row(task).iter().map(|cosine| -cosine).collect();
        added = nonneg_bounded(&cosines, &pull, &added);
        lengths.iter_mut().zip(&added).for_each(|(length, added)| *length += norm * added);
    }
    let weight = |(length, norm): (&f64, &f64)| if *norm == 0.0 { share } else { share * length / norm };
    lengths.iter().zip(&norms).map(weight).collect()
}

/// A length in units of another; 0 in units of 0.
fn per(length: f64, unit: f64) -> f64 {
    if unit == 0.0 { 0.0 } else { length / unit }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::solve::samples::{hostile, random};

    fn size(gramian: &Gramian, weights: &[f64]) -> f64 {
        weights.iter().enumerate().map(|(task, weight)| weight.abs() * gramian.get(task, task).sqrt()).sum()
    }

    /// The smallest slope of a task's loss along the direction of `weights`, relative to the terms that are summed.
    fn worst_slope(gramian: &Gramian, preference: &[f64], weights: &[f64]) -> f64 {
        let norm = |task: usize| gramian.get(task, task).sqrt();
        let size = size(gramian, preference) + size(gramian, weights);
        let slope = |(task, product): (usize, f64)| product / (norm(task) * size).max(f64::MIN_POSITIVE);
        gramian.times(weights).into_iter().enumerate().map(slope).fold(f64::INFINITY, f64::min)
    }

    #[test]
    fn projections_meet_their_conditions_on_hostile_gradients() {
        for (name, gramian, _) in hostile() {
            let tasks = gramian.size();
            for seed in 0..10 {
                let preference = random(seed, tasks);
                let weights = project(&gramian, &preference);
                assert!(worst_slope(&gramian, &preference, &weights) >= -1e-9, "{name}: {weights:?}");
                // What was added is not negative, and is at right angles to the projection.
                let added: Vec<f64> = weights.iter().zip(&preference).map(|(weight, given)| weight - given).collect();
                assert!(added.iter().all(|added| *added >= 0.0), "{name}");
                let products = gramian.times(&weights);
                let size = size(&gramian, &preference) + size(&gramian, &weights);
                for task in 0..tasks {
                    let length = gramian.get(task, task).sqrt();
                    let inner = added[task] * products[task];
                    assert!(inner.abs() <= 1e-9 * (added[task] * length * size).max(1e-300), "{name}: {inner}");
                }
            }
            let each = project_each(&gramian);
            assert!(worst_slope(&gramian, &each, &each) >= -1e-9, "{name}: {each:?}");
            assert!(each.iter().all(|weight| weight.is_finite() && *weight >= 0.0), "{name}: {each:?}");
        }
    }

    #[test]
    fn agrees_with_the_closed_form_for_two() {
        // Each of two conflicting gradients loses its part along the other.
        let gramian = Gramian::new(&[vec![1.0, -0.5], vec![-0.5, 4.0]]).unwrap();
        let weights = project_each(&gramian);
        for (found, expected) in weights.iter().zip([0.5 * (1.0 + 0.5), 0.5 * (1.0 + 0.125)]) {
            assert!((found - expected).abs() < 1e-15, "{weights:?}");
        }
        // The mean is already good for both.
        assert_eq!(project(&gramian, &[0.5, 0.5]), [0.5, 0.5]);
        // Here it is not: the first gradient is made longer until it no longer conflicts.
        let gramian = Gramian::new(&[vec![1.0, -2.0], vec![-2.0, 100.0]]).unwrap();
        let weights = project(&gramian, &[0.5, 0.5]);
        assert!((weights[0] - 1.0).abs() < 1e-15 && weights[1] == 0.5, "{weights:?}");
    }

    #[test]
    fn each_agrees_with_single_projections() {
        for (name, gramian, _) in hostile() {
            let tasks = gramian.size();
            let mut expected = vec![0.0; tasks];
            for task in 0..tasks {
                let alone: Vec<f64> = (0..tasks).map(|other| f64::from(other == task)).collect();
                let projection = project(&gramian, &alone);
                expected.iter_mut().zip(projection).for_each(|(sum, weight)| *sum += weight / tasks as f64);
            }
            let found = project_each(&gramian);
            let size: f64 =
                expected.iter().enumerate().map(|(task, weight)| weight * gramian.get(task, task).sqrt()).sum();
            let apart: Vec<f64> = found.iter().zip(&expected).map(|(found, expected)| found - expected).collect();
            assert!(gramian.squared_norm(&apart).sqrt() <= 1e-7 * size, "{name}: {found:?}, {expected:?}");
        }
    }
}
