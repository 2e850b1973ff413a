//! The best direction for the worst task within a ball around the mean gradient.
//!
//! ```text
//! d* = argmax min_t g_t · d    subject to  ‖d - g_0‖ <= κ        g_0 = Σ g_t / T,  κ = c ‖g_0‖
//! dual:  w* = argmin g_w · g_0 + κ ‖g_w‖ over the simplex,       d* = g_0 + κ g_w / ‖g_w‖
//! ```
//!
//! For a given gain μ of the worst task, the nearest direction to `g_0` with `g_t · d >= μ` is a problem of least
//! squares with non-negative multipliers. Its distance from `g_0` grows with μ, is convex, and on one set of active
//! tasks is the root of a quadratic polynomial: so each step solves for the μ at which the active set of the step
//! before reaches distance κ, and a bracket keeps it safe. A handful of steps give the exact μ.
//!
//! No direction gains for all where a convex combination of the gradients is zero. Where the ball then holds
//! directions that make no task worse, the answer is the one nearest to `g_0`.

use super::factor::Factor;
use super::nonneg::{Outcome, nonneg, nonneg_bounded};
use crate::Gramian;
use crate::gramian::dot;

/// Steps of the search; 1 to 10 are taken, and some 60 halvings where rounding hides the answer.
const STEPS_MAX: usize = 200;

/// The weights of `d*`, `[task]`, for a ball of radius `radius` times the length of the mean gradient.
pub fn best_in_ball(gramian: &Gramian, radius: f64) -> Vec<f64> {
    let (norms, cosines) = gramian.unit();
    let tasks = norms.len() as f64;
    let mean = 1.0 / tasks;
    let longest = norms.iter().copied().fold(0.0, f64::max);
    let shortest = norms.iter().copied().filter(|norm| *norm > 0.0).fold(f64::INFINITY, f64::min);
    let center: Vec<f64> = norms.iter().map(|norm| norm / longest / tasks).collect();
    let center_norm = if longest > 0.0 { cosines.squared_norm(&center).sqrt() } else { 0.0 };
    // Lengths whose mean is rounding have no mean direction.
    if radius * center_norm <= 4.0 * f64::EPSILON {
        return vec![mean; norms.len()];
    }
    let reciprocal = |norm: &f64| if *norm > 0.0 { shortest / norm } else { 0.0 };
    let ball = Ball {
        cosines: &cosines,
        slopes: cosines.times(&center),
        gains: norms.iter().map(reciprocal).collect(),
        radius: radius * center_norm,
        zero: norms.contains(&0.0),
    };
    let added = ball.search();
    let weight = |(added, norm): (f64, &f64)| if *norm > 0.0 { mean + added * longest / norm } else { mean };
    added.into_iter().zip(&norms).map(weight).collect()
}

/// The problem with gradients of length 1, and lengths in units of the longest gradient.
struct Ball<'a> {
    cosines: &'a Gramian,
    /// The product of each unit gradient with the center.
    slopes: Vec<f64>,
    /// What `μ` asks of each unit gradient, in units of what it asks of the shortest.
    gains: Vec<f64>,
    radius: f64,
    /// Whether some gradient is zero: then no direction gains for all.
    zero: bool,
}

impl Ball<'_> {
    /// Finds the multipliers at the gain where the distance is the radius.
    fn search(&self) -> Vec<f64> {
        let nothing = vec![0.0; self.gains.len()];
        let (mut low, mut high) = self.bracket();
        if low >= high {
            return nothing;
        }
        let mut best = nothing;
        let mut gain = high;
        for _ in 0..STEPS_MAX {
            let next = match self.multipliers(gain) {
                // No gain above 0 is possible for all. Is 0 in reach?
                Outcome::Ray(_) => {
                    high = if low < 0.0 { gain.min(0.0) } else { gain };
                    Some(high).filter(|high| *high < gain)
                }
                Outcome::Minimum(found) => {
                    let distance = self.cosines.squared_norm(&found).sqrt();
                    let next = self.gain_at_radius(&found);
                    let fixed = next.is_some_and(|next| (next - gain).abs() <= 1e-15 * gain.abs());
                    let reached = (distance / self.radius - 1.0).abs() <= 1e-14;
                    if fixed || reached || (distance <= self.radius && gain >= high) {
                        return found;
                    }
                    if distance <= self.radius {
                        low = gain;
                        best = found;
                    } else {
                        high = gain;
                    }
                    next.filter(|next| *next > low && *next < high)
                }
            };
            let middle = 0.5 * low + 0.5 * high;
            let is_zero = low.abs().max(high.abs()) <= f64::EPSILON * self.radius;
            if is_zero || (next.is_none() && (middle <= low || middle >= high)) {
                break;
            }
            gain = next.unwrap_or(middle);
        }
        best
    }

    /// A gain that the center has, and one that no direction in the ball has more of.
    fn bracket(&self) -> (f64, f64) {
        let (mut low, mut high) = (f64::INFINITY, f64::INFINITY);
        for (slope, gain) in self.slopes.iter().zip(&self.gains).filter(|(_, gain)| **gain > 0.0) {
            low = low.min(slope / gain);
            high = high.min((slope + self.radius) / gain);
        }
        if self.zero { (low, high.min(0.0)) } else { (low, high) }
    }

    /// The multipliers of the nearest direction to the center with this gain for all.
    fn multipliers(&self, gain: f64) -> Outcome {
        let pull: Vec<f64> = self.gains.iter().zip(&self.slopes).map(|(share, slope)| gain * share - slope).collect();
        // The zero direction gains 0 for all, so there is a nearest one; only rounding could deny it.
        if gain <= 0.0 {
            Outcome::Minimum(nonneg_bounded(self.cosines, &pull, &[]))
        } else {
            nonneg(self.cosines, &pull)
        }
    }

    /// The gain at which the active tasks alone ask for a distance of the radius.
    fn gain_at_radius(&self, multipliers: &[f64]) -> Option<f64> {
        let mut factor = Factor::new(self.cosines);
        for (task, _) in multipliers.iter().enumerate().filter(|(_, multiplier)| **multiplier > 0.0) {
            factor.push(task);
        }
        let chosen = |values: &[f64]| factor.chosen().iter().map(|&task| values[task]).collect::<Vec<f64>>();
        let (gains, slopes) = (chosen(&self.gains), chosen(&self.slopes));
        let (by_gains, by_slopes) = (factor.solve(&gains), factor.solve(&slopes));
        // distance² = a gain² - 2 b gain + c
        let (a, b) = (dot(&gains, &by_gains), dot(&gains, &by_slopes));
        let c = dot(&slopes, &by_slopes);
        let root = (b * b - a * (c - self.radius * self.radius)).sqrt();
        Some((b + root) / a).filter(|gain| gain.is_finite())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::solve::{min_norm, project, samples::hostile};

    /// The gain of the worst task, and what it can at most be by duality, in units of the terms that are summed.
    fn gap(gramian: &Gramian, radius: f64, weights: &[f64]) -> f64 {
        let tasks = weights.len();
        let mean = vec![1.0 / tasks as f64; tasks];
        let center_norm = gramian.squared_norm(&mean).sqrt();
        let products = gramian.times(weights);
        let added: Vec<f64> = weights.iter().zip(&mean).map(|(weight, mean)| (weight - mean).max(0.0)).collect();
        let sum: f64 = added.iter().sum();
        if sum == 0.0 {
            return 0.0;
        }
        let dual: Vec<f64> = added.iter().map(|added| added / sum).collect();
        let bound = dot(&gramian.times(&dual), &mean) + radius * center_norm * gramian.squared_norm(&dual).sqrt();
        // Complementary: the dual's tasks are the worst ones.
        let worst = products.iter().copied().fold(f64::INFINITY, f64::min);
        let norm = |task: usize| gramian.get(task, task).sqrt();
        let length: f64 = (0..tasks).map(|task| weights[task].abs() * norm(task)).sum();
        let dual_length: f64 = (0..tasks).map(|task| dual[task] * norm(task)).sum();
        let worst_norm = (0..tasks).filter(|&task| products[task] == worst).map(norm).fold(0.0, f64::max);
        (bound - worst) / (length * dual_length.max(worst_norm)).max(1e-300)
    }

    fn longest(gramian: &Gramian) -> f64 {
        (0..gramian.size()).map(|task| gramian.get(task, task)).fold(0.0, f64::max)
    }

    #[test]
    fn has_no_duality_gap_on_hostile_gradients() {
        for (name, gramian, _) in hostile() {
            for radius in [0.0, 0.1, 0.4, 0.9, 1.5] {
                let weights = best_in_ball(&gramian, radius);
                assert!(weights.iter().all(|weight| weight.is_finite() && *weight > 0.0), "{name}: {weights:?}");
                let found = gap(&gramian, radius, &weights);
                // Where the ball holds a direction that makes no task worse, and none gains for all, the gain is 0.
                let stationary = gramian.squared_norm(&min_norm(&gramian)) <= 1e-12 * longest(&gramian);
                let none_worse = gramian.times(&weights).iter().all(|gain| *gain >= -1e-9 * longest(&gramian));
                assert!(
                    radius == 0.0 || found.abs() <= 1e-9 || (stationary && none_worse),
                    "{name}, radius {radius}: {found}, {weights:?}"
                );
                let tasks = weights.len();
                let added: Vec<f64> = weights.iter().map(|weight| weight - 1.0 / tasks as f64).collect();
                let center = gramian.squared_norm(&vec![1.0 / tasks as f64; tasks]).sqrt();
                let sizes: f64 = (0..tasks).map(|task| added[task] * gramian.get(task, task).sqrt()).sum();
                assert!(
                    gramian.squared_norm(&added).sqrt() <= radius * center + 1e-7 * sizes,
                    "{name}: out of the ball"
                );
            }
        }
    }

    #[test]
    fn a_large_ball_holds_the_projection_where_gradients_are_stationary() {
        let gramian = Gramian::new(&[vec![1.0, -2.0], vec![-2.0, 4.0]]).unwrap();
        let weights = best_in_ball(&gramian, 1.5);
        assert!((weights[0] - 2.0 * weights[1]).abs() < 1e-12, "{weights:?}");
        let projection = project(&gramian, &[0.5, 0.5]);
        assert!(weights.iter().zip(projection).all(|(found, expected)| (found - expected).abs() < 1e-12));
        // A small one does not: it goes as far as it can towards the worse task, here from -1/2 g to -3/10 g.
        let weights = best_in_ball(&gramian, 0.4);
        assert!((weights[0] - 2.0 * weights[1] + 0.3).abs() < 1e-12, "{weights:?}");
    }

    #[test]
    fn agrees_with_the_closed_form_for_equal_angles() {
        // Symmetric tasks: the mean is already the best direction, and the whole radius lies along it.
        let gramian = Gramian::new(&[vec![1.0, 0.2], vec![0.2, 1.0]]).unwrap();
        for weight in best_in_ball(&gramian, 0.4) {
            assert!((weight - 0.7).abs() < 1e-12, "{weight}");
        }
    }
}
