//! Cholesky factors: of a part of a matrix that grows and shrinks, and of a whole one.

use crate::Gramian;
use crate::gramian::dot;

/// What is left of a unit vector's squared length outside the span of others when it counts as one of their
/// combinations: rounding leaves about 32 tasks times 2e-16.
const DEPENDENT: f64 = 1e-13;

/// The Cholesky factor of the chosen rows and columns of a matrix whose diagonal is 1, or 0 where a row is zero.
pub(super) struct Factor<'a> {
    matrix: &'a Gramian,
    /// The chosen rows, in the order in which they were added.
    chosen: Vec<usize>,
    /// The rows of the lower triangle, one a chosen row.
    rows: Vec<Vec<f64>>,
}

impl<'a> Factor<'a> {
    /// Chooses nothing yet.
    pub(super) fn new(matrix: &'a Gramian) -> Self {
        Factor { matrix, chosen: Vec::new(), rows: Vec::new() }
    }

    /// The chosen rows.
    pub(super) fn chosen(&self) -> &[usize] {
        &self.chosen
    }

    /// Adds a row, unless it is a combination of the chosen ones; says whether it did.
    pub(super) fn push(&mut self, index: usize) -> bool {
        let (row, pivot) = self.reduce(index);
        if pivot <= DEPENDENT {
            return false;
        }
        self.append(index, row, pivot);
        true
    }

    /// Takes the row at that place among the chosen ones out.
    pub(super) fn remove(&mut self, place: usize) {
        let later = self.chosen.split_off(place);
        self.rows.truncate(place);
        for &index in &later[1..] {
            // A row was independent of more rows than these: its pivot can only have grown.
            let (row, pivot) = self.reduce(index);
            self.append(index, row, pivot.max(f64::EPSILON));
        }
    }

    /// Solves for the chosen rows and columns: `[place]` in, `[place]` out.
    pub(super) fn solve(&self, right: &[f64]) -> Vec<f64> {
        backward(&self.rows, forward(&self.rows, right))
    }

    /// The combination of the chosen gradients that is closest to gradient `index`, `[place]`.
    pub(super) fn closest(&self, index: usize) -> Vec<f64> {
        backward(&self.rows, self.reduce(index).0)
    }

    fn reduce(&self, index: usize) -> (Vec<f64>, f64) {
        let products: Vec<f64> = self.chosen.iter().map(|&other| self.matrix.get(index, other)).collect();
        let row = forward(&self.rows, &products);
        let pivot = self.matrix.get(index, index) - dot(&row, &row);
        (row, pivot)
    }

    fn append(&mut self, index: usize, mut row: Vec<f64>, pivot: f64) {
        row.push(pivot.sqrt());
        self.rows.push(row);
        self.chosen.push(index);
    }
}

/// Solves a system with a symmetric positive definite matrix, given by its rows.
pub(super) fn solve_definite(matrix: &[Vec<f64>], right: &[f64]) -> Vec<f64> {
    let mut rows: Vec<Vec<f64>> = Vec::with_capacity(matrix.len());
    for (place, entries) in matrix.iter().enumerate() {
        let mut row = forward(&rows, &entries[..place]);
        let pivot = entries[place] - dot(&row, &row);
        row.push(pivot.max(f64::EPSILON * entries[place]).sqrt());
        rows.push(row);
    }
    backward(&rows, forward(&rows, right))
}

/// Solves with the lower triangle.
fn forward(rows: &[Vec<f64>], right: &[f64]) -> Vec<f64> {
    let mut solution: Vec<f64> = Vec::with_capacity(rows.len() + 1);
    for (row, right) in rows.iter().zip(right) {
        let value = (right - dot(row, &solution)) / row[solution.len()];
        solution.push(value);
    }
    solution
}

/// Solves with the transpose of the lower triangle.
fn backward(rows: &[Vec<f64>], mut right: Vec<f64>) -> Vec<f64> {
    for place in (0..rows.len()).rev() {
        right[place] /= rows[place][place];
        for earlier in 0..place {
            right[earlier] -= rows[place][earlier] * right[place];
        }
    }
    right
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matrix() -> Gramian {
        Gramian::new(&[
            vec![1.0, 0.5, 0.0, 0.5],
            vec![0.5, 1.0, 0.5, -0.5],
            vec![0.0, 0.5, 1.0, -0.5],
            vec![0.5, -0.5, -0.5, 1.0],
        ])
        .unwrap()
    }

    #[test]
    fn solves_for_what_is_chosen() {
        let matrix = matrix();
        let mut factor = Factor::new(&matrix);
        assert!(factor.push(2) && factor.push(0) && factor.push(1));
        // Row 3 is row 0 minus row 1.
        assert!(!factor.push(3));
        let closest = factor.closest(3);
        for (found, expected) in closest.iter().zip([0.0, 1.0, -1.0]) {
            assert!((found - expected).abs() < 1e-14, "{closest:?}");
        }
        factor.remove(0);
        assert_eq!(factor.chosen(), [0, 1]);
        let solution = factor.solve(&[1.0, 0.0]);
        assert!((solution[0] - 4.0 / 3.0).abs() < 1e-15 && (solution[1] + 2.0 / 3.0).abs() < 1e-15);
    }

    #[test]
    fn solves_a_whole_system() {
        let rows = [vec![4.0, 2.0, 0.0], vec![2.0, 5.0, 1.0], vec![0.0, 1.0, 1e10]];
        let solution = solve_definite(&rows, &[8.0, 9.0, 1e10 + 1.0]);
        for (found, expected) in solution.iter().zip([1.5, 1.0, 1.0]) {
            assert!((found - expected).abs() < 1e-14, "{solution:?}");
        }
    }
}
