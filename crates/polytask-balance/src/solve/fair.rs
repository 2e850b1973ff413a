//! Bargaining: the weights at which every task's gain is worth the same.
//!
//! ```text
//! G w = w^(-1/alpha),  w > 0            alpha = 1: Nash bargaining, G w = 1 / w
//! ```
//!
//! These are the conditions of a strictly convex problem, `min wᵀ G w / 2 - Σ ∫ w^(-1/alpha)`, so the weights are
//! unique, also where the Gramian is singular. Newton's method with a line search solves it, in variables in which a
//! task alone would have the value 1: `w_t = x_t s_t / ‖g_t‖` with `s_t = ‖g_t‖^((p - 1) / (p + 1))`, `p = 1 / alpha`.
//! The matrix of each step is the identity plus a positive semidefinite one, so no Gramian is too ill-conditioned.
//!
//! There is no solution where a convex combination of the gradients is zero: no direction then gains anything for all.
//! The answer is that combination: direction zero. A gradient of length 0 has no gain to bargain for: its weight is the
//! mean of the others'.

use super::factor::solve_definite;
use super::min_norm::min_norm;
use crate::Gramian;

/// The squared length of the shortest convex combination of unit gradients below which it counts as zero.
const STATIONARY: f64 = 1e-13;
/// Steps of Newton's method; 5 to 30 are taken, and up to 60 for large alpha.
const STEPS_MAX: usize = 500;

/// The weights `w` with `G w = w^(-1/alpha)`, `[task]`; `alpha` above 0.
///
/// The search starts from `start` where that has a value above 0 for every task; the result does not depend on it
/// but for rounding.
pub fn fair(gramian: &Gramian, alpha: f64, start: &[f64]) -> Vec<f64> {
    let (norms, cosines) = gramian.unit();
    let tasks: Vec<usize> = (0..norms.len()).filter(|&task| norms[task] > 0.0).collect();
    let rows: Vec<Vec<f64>> =
        tasks.iter().map(|&row| tasks.iter().map(|&column| cosines.get(row, column)).collect()).collect();
    let power = 1.0 / alpha;
    let lengths: Vec<f64> = tasks.iter().map(|&task| norms[task]).collect();
    let start = (0..norms.len()).map(|task| start.get(task).copied().unwrap_or(0.0)).collect::<Vec<_>>();
    let start: Vec<f64> = tasks.iter().zip(&lengths).map(|(&task, length)| start[task] * length).collect();
    let solution = bargain(rows, &lengths, power, &start);
    let found: Vec<f64> = solution.iter().zip(&lengths).map(|(solution, length)| solution / length).collect();
    let mean = if found.is_empty() { 1.0 } else { found.iter().map(|weight| weight / found.len() as f64).sum() };
    let mut weights = vec![mean; norms.len()];
    tasks.iter().zip(found).for_each(|(&task, weight)| weights[task] = weight);
    weights
}

/// Solves `‖g_t‖ (C u)_t = (u_t / ‖g_t‖)^-power` for `u`.
fn bargain(cosines: Vec<Vec<f64>>, lengths: &[f64], power: f64, start: &[f64]) -> Vec<f64> {
    let Ok(gramian) = Gramian::new(&cosines) else { return Vec::new() };
    let shortest = min_norm(&gramian);
    if gramian.squared_norm(&shortest) <= STATIONARY {
        return shortest.iter().map(|weight| weight * lengths.len() as f64).collect();
    }
    let alone: Vec<f64> = lengths.iter().map(|length| length.powf((power - 1.0) / (power + 1.0))).collect();
    let unit = alone.iter().copied().fold(0.0, f64::max);
    let scale: Vec<f64> = alone.iter().map(|alone| alone / unit).collect();
    let problem = Problem { cosines: &gramian, scale: &scale, power };
    let usable = start.iter().all(|start| start.is_finite() && *start > 0.0);
    let started: Vec<f64> =
        start.iter().zip(&alone).map(|(start, alone)| if usable { start / alone } else { 1.0 }).collect();
    let solution = problem.solve(problem.rescaled(started));
    solution.iter().zip(&alone).map(|(x, alone)| x * alone).collect()
}

/// `Σ_j C_ij s_j x_j = s_i x_i^-p` for every task i.
struct Problem<'a> {
    /// C
    cosines: &'a Gramian,
    /// s, the largest 1
    scale: &'a [f64],
    /// p
    power: f64,
}

impl Problem<'_> {
    fn solve(&self, mut x: Vec<f64>) -> Vec<f64> {
        let mut last_change = f64::INFINITY;
        for _ in 0..STEPS_MAX {
            let (step, decrease) = self.newton_step(&x);
            let change = x.iter().zip(&step).map(|(x, step)| (step / x).abs()).fold(0.0, f64::max);
            // Close to the solution each change is about the square of the last one, until only rounding is left.
            if !change.is_finite() || (change < 1e-4 && change > 0.5 * last_change) {
                break;
            }
            // Where no term of the Hessian can change by more than a third, the full step lowers the objective.
            let length = if change <= 0.25 / (1.0 + self.power) { 1.0 } else { self.search(&x, &step, decrease) };
            x.iter_mut().zip(&step).for_each(|(x, step)| *x += length * step);
            if change <= f64::EPSILON {
                break;
            }
            last_change = change;
        }
        x
    }

    /// Newton's step, and how fast the objective falls along it.
    fn newton_step(&self, x: &[f64]) -> (Vec<f64>, f64) {
        let lengths: Vec<f64> = x.iter().zip(self.scale).map(|(x, scale)| x * scale).collect();
        let gains = self.cosines.times(&lengths);
        let left: Vec<f64> =
            (0..x.len()).map(|task| self.scale[task] * x[task].powf(-self.power) - gains[task]).collect();
        let root: Vec<f64> = x.iter().map(|x| (self.power * x.powf(-self.power - 1.0)).sqrt().recip()).collect();
        let rows: Vec<Vec<f64>> = (0..x.len())
            .map(|row| {
                let entries = self.cosines.row(row).iter().zip(&root);
                let scaled = entries.map(|(entry, other)| root[row] * entry * other);
                scaled.enumerate().map(|(column, entry)| entry + f64::from(row == column)).collect()
            })
            .collect();
        let right: Vec<f64> = left.iter().zip(&root).map(|(left, root)| left * root).collect();
        let solution = solve_definite(&rows, &right);
        let decrease = solution.iter().zip(&right).map(|(solution, right)| solution * right).sum();
        (
            solution
                .iter()
                .zip(&root)
                .zip(self.scale)
                .map(|((solution, root), scale)| solution * root / scale)
                .collect(),
            decrease,
        )
    }

    /// Halves the step until all values stay above 0 and the objective falls.
    fn search(&self, x: &[f64], step: &[f64], decrease: f64) -> f64 {
        let steepest = x.iter().zip(step).map(|(x, step)| -step / x).fold(0.0, f64::max);
        let mut length = if steepest > 0.95 { 0.95 / steepest } else { 1.0 };
        let before = self.objective(x);
        for _ in 0..60 {
            let moved: Vec<f64> = x.iter().zip(step).map(|(x, step)| x + length * step).collect();
            let rounding = 1e-14 * before.abs();
            if self.objective(&moved) <= before - 1e-4 * length * decrease + rounding {
                break;
            }
            length *= 0.5;
        }
        length
    }

    fn objective(&self, x: &[f64]) -> f64 {
        let lengths: Vec<f64> = x.iter().zip(self.scale).map(|(x, scale)| x * scale).collect();
        let worth = |x: f64| if self.power == 1.0 { x.ln() } else { x.powf(1.0 - self.power) / (1.0 - self.power) };
        let total: f64 = x.iter().zip(self.scale).map(|(&x, scale)| scale * scale * worth(x)).sum();
        0.5 * self.cosines.squared_norm(&lengths) - total
    }

    /// Multiplies all values by the factor at which the equations, summed with the values as weights, hold.
    fn rescaled(&self, x: Vec<f64>) -> Vec<f64> {
        let lengths: Vec<f64> = x.iter().zip(self.scale).map(|(x, scale)| x * scale).collect();
        let wanted: f64 = x.iter().zip(self.scale).map(|(x, scale)| scale * scale * x.powf(1.0 - self.power)).sum();
        let factor = (wanted / self.cosines.squared_norm(&lengths)).powf(1.0 / (1.0 + self.power));
        if factor.is_finite() && factor > 0.0 { x.iter().map(|x| x * factor).collect() } else { x }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::solve::samples::{hostile, random};

    const ALPHAS: [f64; 5] = [0.25, 0.5, 1.0, 2.0, 5.0];

    /// By how much the equations are violated, relative to the terms that they sum.
    fn residual(gramian: &Gramian, alpha: f64, weights: &[f64]) -> f64 {
        let one = |task: usize| {
            let terms = || gramian.row(task).iter().zip(weights).map(|(entry, weight)| entry * weight);
            let wanted = weights[task].powf(-1.0 / alpha);
            (terms().sum::<f64>() - wanted).abs() / (wanted + terms().map(f64::abs).sum::<f64>())
        };
        (0..weights.len()).filter(|&task| gramian.get(task, task) > 0.0).map(one).fold(0.0, f64::max)
    }

    fn is_stationary(gramian: &Gramian) -> bool {
        let (_, unit) = gramian.unit();
        let tasks: Vec<usize> = (0..unit.size()).filter(|&task| unit.get(task, task) > 0.0).collect();
        let rows: Vec<Vec<f64>> =
            tasks.iter().map(|&row| tasks.iter().map(|&column| unit.get(row, column)).collect()).collect();
        let unit = Gramian::new(&rows).unwrap();
        unit.squared_norm(&min_norm(&unit)) <= STATIONARY
    }

    #[test]
    fn equations_hold_on_hostile_gradients() {
        for (name, gramian, _) in hostile() {
            for alpha in ALPHAS {
                let weights = fair(&gramian, alpha, &[]);
                assert!(weights.iter().all(|weight| weight.is_finite() && *weight >= 0.0), "{name}: {weights:?}");
                if is_stationary(&gramian) {
                    let size: f64 =
                        weights.iter().enumerate().map(|(task, weight)| weight * gramian.get(task, task).sqrt()).sum();
                    assert!(gramian.squared_norm(&weights).sqrt() <= 1e-6 * size, "{name}");
                    continue;
                }
                let found = residual(&gramian, alpha, &weights);
                assert!(found <= 1e-9, "{name}, alpha {alpha}: {found}");
            }
        }
    }

    #[test]
    fn the_start_does_not_matter() {
        for (name, gramian, _) in hostile().into_iter().filter(|(_, gramian, _)| !is_stationary(gramian)) {
            let cold = fair(&gramian, 1.0, &[]);
            for seed in 0..5 {
                let start: Vec<f64> = random(seed, cold.len())
                    .iter()
                    .zip(&cold)
                    .map(|(value, cold)| cold * (3.0 * value).exp())
                    .collect();
                let warm = fair(&gramian, 1.0, &start);
                assert!(residual(&gramian, 1.0, &warm) <= 1e-9, "{name}");
            }
        }
    }

    #[test]
    fn agrees_with_closed_forms() {
        // Orthogonal gradients: n² w = w^(-1/alpha).
        for alpha in ALPHAS {
            let lengths: [f64; 4] = [1e-10, 0.3, 2.0, 1e15];
            let row = |at: usize| (0..4).map(|to| if at == to { lengths[at].powi(2) } else { 0.0 }).collect::<Vec<_>>();
            let weights = fair(&Gramian::new(&(0..4).map(row).collect::<Vec<_>>()).unwrap(), alpha, &[]);
            for (weight, length) in weights.iter().zip(lengths) {
                let expected = length.powf(-2.0 * alpha / (1.0 + alpha));
                assert!((weight / expected - 1.0).abs() < 1e-12, "{weight}, {expected}");
            }
        }
        // Two unit gradients with cosine c have equal weights: (1 + c) w² = 1, also close to c = -1.
        for cosine in [0.9, 0.0, -0.9, -1.0 + 1e-9] {
            let weights = fair(&Gramian::new(&[vec![1.0, cosine], vec![cosine, 1.0]]).unwrap(), 1.0, &[]);
            for weight in weights {
                assert!((weight * weight * (1.0 + cosine) - 1.0).abs() < 1e-6, "{weight}");
            }
        }
    }
}
