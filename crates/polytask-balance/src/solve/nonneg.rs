//! The quadratic programme behind the others: least squares with weights that are not negative.
//!
//! ```text
//! z* = argmin  zᵀ C z / 2 - cᵀ z    subject to  z >= 0          C: cosines, so positive semidefinite
//! at the minimum:  z >= 0,  C z - c >= 0,  zᵀ (C z - c) = 0
//! ```
//!
//! The active-set method of Lawson and Hanson ("Solving least squares problems", 1974, chapter 23), on the matrix of
//! products and with any linear term. It ends after finitely many steps with the exact minimum, up to rounding. Where
//! gradients are dependent, a step along which nothing curves goes on until a weight becomes 0. Where none does, the
//! objective has no minimum, and that ray is the answer: `v >= 0`, `C v = 0`, `cᵀ v > 0`.

use super::factor::Factor;
use crate::Gramian;
use crate::gramian::dot;

/// An entry of a flat direction that is smaller, relative to the largest, is rounding.
const FLAT_MIN: f64 = 1e-12;

/// What the search ended with.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Outcome {
    /// The minimum.
    Minimum(Vec<f64>),
    /// There is none: along this direction the objective falls for ever.
    Ray(Vec<f64>),
}

/// Minimises the objective.
pub(super) fn nonneg(matrix: &Gramian, pull: &[f64]) -> Outcome {
    let mut search = Search::new(matrix, pull);
    for _ in 0..search.steps_max() {
        let Some(entering) = search.steepest() else { break };
        if let Some(ray) = search.enter(entering) {
            return Outcome::Ray(ray);
        }
    }
    search.polish();
    Outcome::Minimum(search.weights)
}

/// Minimises an objective that is known to have a minimum, as where `pull` is a combination of the rows.
///
/// The rows where `start` is above 0 are tried first: where those are the minimum's, the search ends at once. An empty
/// `start` tries none.
pub(super) fn nonneg_bounded(matrix: &Gramian, pull: &[f64], start: &[f64]) -> Vec<f64> {
    let mut search = Search::new(matrix, pull);
    search.warm_up(start);
    for _ in 0..search.steps_max() {
        let Some(entering) = search.steepest() else { break };
        if search.enter(entering).is_some() {
            // Only rounding can have made this row look worth adding.
            search.refused[entering] = true;
        }
    }
    search.polish();
    search.weights
}

struct Search<'a> {
    matrix: &'a Gramian,
    pull: &'a [f64],
    weights: Vec<f64>,
    /// Rows that only rounding made look worth adding, until the weights change.
    refused: Vec<bool>,
    /// Of the rows whose weights are above 0.
    factor: Factor<'a>,
}

impl<'a> Search<'a> {
    fn new(matrix: &'a Gramian, pull: &'a [f64]) -> Self {
        let size = matrix.size();
        Search { matrix, pull, weights: vec![0.0; size], refused: vec![false; size], factor: Factor::new(matrix) }
    }

    /// Far more steps than the method ever takes: rounding must not make it go in circles.
    fn steps_max(&self) -> usize {
        50 * (self.matrix.size() + 1)
    }

    fn warm_up(&mut self, start: &[f64]) {
        for (row, _) in start.iter().enumerate().filter(|(_, weight)| **weight > 0.0) {
            self.factor.push(row);
        }
        let solution = self.solve();
        if solution.iter().all(|weight| *weight > 0.0) {
            self.store(&solution);
        } else {
            self.factor = Factor::new(self.matrix);
        }
    }

    /// The row along which the objective falls most, if it falls by more than rounding.
    fn steepest(&self) -> Option<usize> {
        let rounding = 4.0 * f64::EPSILON * (self.matrix.size() as f64);
        let mut best = None;
        for row in 0..self.matrix.size() {
            if self.refused[row] || self.factor.chosen().contains(&row) {
                continue;
            }
            let products = || self.matrix.row(row).iter().zip(&self.weights).map(|(entry, weight)| entry * weight);
            let slope = self.pull[row] - products().sum::<f64>();
            let terms = self.pull[row].abs() + products().map(f64::abs).sum::<f64>();
            if slope > rounding * terms && best.is_none_or(|(_, highest)| slope > highest) {
                best = Some((row, slope));
            }
        }
        best.map(|(row, _)| row)
    }

    /// Adds a row and moves to the minimum over the rows that then remain; gives the ray where there is none.
    fn enter(&mut self, entering: usize) -> Option<Vec<f64>> {
        while !self.factor.push(entering) {
            let mut flat: Vec<f64> = self.factor.closest(entering).iter().map(|weight| -weight).collect();
            flat.push(1.0);
            // What is 0 but for rounding must not stop the step, nor let it go absurdly far.
            let least = FLAT_MIN * flat.iter().fold(1.0, |most: f64, entry| most.max(entry.abs()));
            flat.iter_mut().filter(|entry| entry.abs() < least).for_each(|entry| *entry = 0.0);
            let mut rows = self.factor.chosen().to_vec();
            rows.push(entering);
            let Some((step, place)) = self.first_to_vanish(&rows, &flat) else {
                let mut ray = vec![0.0; self.matrix.size()];
                rows.iter().zip(&flat).for_each(|(&row, &flat)| ray[row] = flat.max(0.0));
                return Some(ray);
            };
            rows.iter()
                .zip(&flat)
                .for_each(|(&row, &flat)| self.weights[row] = (self.weights[row] + step * flat).max(0.0));
            self.drop_place(place);
        }
        let solution = self.solve();
        if self.weights[entering] == 0.0 && solution.last().is_some_and(|weight| *weight <= 0.0) {
            self.factor.remove(solution.len() - 1);
            self.refused[entering] = true;
            return None;
        }
        self.settle();
        self.refused.fill(false);
        None
    }

    /// Moves to the minimum over the chosen rows, dropping those whose weights reach 0 on the way.
    fn settle(&mut self) {
        loop {
            let solution = self.solve();
            let rows = self.factor.chosen().to_vec();
            let change: Vec<f64> =
                rows.iter().zip(&solution).map(|(&row, target)| target - self.weights[row]).collect();
            match self.first_to_vanish(&rows, &change) {
                Some((step, place)) if step < 1.0 || solution[place] <= 0.0 => {
                    let step = step.min(1.0);
                    for (&row, change) in rows.iter().zip(&change) {
                        self.weights[row] = (self.weights[row] + step * change).max(0.0);
                    }
                    self.drop_place(place);
                }
                _ => return self.store(&solution),
            }
        }
    }

    /// How far one can go until a chosen row's weight is 0, and the place of that row.
    fn first_to_vanish(&self, rows: &[usize], change: &[f64]) -> Option<(f64, usize)> {
        let mut first: Option<(f64, usize)> = None;
        for (place, (&row, &change)) in rows.iter().zip(change).enumerate() {
            let step = -self.weights[row] / change;
            if change < 0.0 && first.is_none_or(|(least, _)| step < least) {
                first = Some((step, place));
            }
        }
        first
    }

    fn drop_place(&mut self, place: usize) {
        self.weights[self.factor.chosen()[place]] = 0.0;
        self.factor.remove(place);
    }

    /// The minimum over the chosen rows, were weights free to be negative.
    fn solve(&self) -> Vec<f64> {
        let pull: Vec<f64> = self.factor.chosen().iter().map(|&row| self.pull[row]).collect();
        self.factor.solve(&pull)
    }

    fn store(&mut self, solution: &[f64]) {
        for (&row, &weight) in self.factor.chosen().iter().zip(solution) {
            self.weights[row] = weight;
        }
    }

    /// Solves once more for what rounding has left.
    fn polish(&mut self) {
        let left = |row: &usize| self.pull[*row] - dot(self.matrix.row(*row), &self.weights);
        let left: Vec<f64> = self.factor.chosen().iter().map(left).collect();
        let rows = self.factor.chosen().iter();
        let polished: Vec<f64> =
            rows.zip(self.factor.solve(&left)).map(|(&row, change)| self.weights[row] + change).collect();
        if polished.iter().all(|weight| *weight > 0.0) {
            self.store(&polished);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::solve::samples::{hostile, random};

    /// By how much the conditions of a minimum are violated, relative to the terms that they sum.
    fn residual(matrix: &Gramian, pull: &[f64], weights: &[f64]) -> f64 {
        let mut worst: f64 = 0.0;
        for row in 0..matrix.size() {
            let products = || matrix.row(row).iter().zip(weights).map(|(entry, weight)| entry * weight);
            let slope = pull[row] - products().sum::<f64>();
            let terms = pull[row].abs() + products().map(f64::abs).sum::<f64>();
            let violation = if weights[row] > 0.0 { slope.abs() } else { slope };
            worst = worst.max(violation / terms.max(f64::MIN_POSITIVE));
        }
        worst
    }

    #[test]
    fn meets_the_conditions_of_a_minimum_on_hostile_gradients() {
        for (name, gramian, _) in hostile() {
            let (_, cosines) = gramian.unit();
            for seed in 0..20 {
                let pull = cosines.times(&random(seed, cosines.size()));
                let weights = nonneg_bounded(&cosines, &pull, &[]);
                assert!(weights.iter().all(|weight| *weight >= 0.0));
                let found = residual(&cosines, &pull, &weights);
                assert!(found <= 1e-9, "{name}: {found}");
                let again = nonneg_bounded(&cosines, &pull, &weights);
                let found = residual(&cosines, &pull, &again);
                assert!(found <= 1e-9, "{name}, warm start: {found}");
            }
        }
    }

    #[test]
    fn finds_a_ray_where_there_is_no_minimum() {
        // Opposite gradients: z = (t, t) costs nothing and gains without end.
        let matrix = Gramian::new(&[vec![1.0, -1.0], vec![-1.0, 1.0]]).unwrap();
        assert_eq!(nonneg(&matrix, &[1.0, 0.5]), Outcome::Ray(vec![1.0, 1.0]));
        // Equal gradients with different pulls: only the stronger is used, in whatever order they come.
        let matrix = Gramian::new(&[vec![1.0, 1.0], vec![1.0, 1.0]]).unwrap();
        for pull in [[0.5, 1.0], [1.0, 0.5]] {
            let expected = pull.map(|pull| f64::from(pull == 1.0)).to_vec();
            assert_eq!(nonneg(&matrix, &pull), Outcome::Minimum(expected.clone()));
            assert_eq!(nonneg_bounded(&matrix, &pull, &[0.5, 0.5]), expected);
        }
    }
}
