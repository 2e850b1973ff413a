//! The Gramian: how long are the tasks' gradients, and how do they lie to each other?

use crate::{Error, Result};

/// The products `g_iᵀ g_j` of task gradients: square, symmetric, finite, with no negative squared norm.
#[derive(Debug, Clone, PartialEq)]
pub struct Gramian {
    size: usize,
    /// Row by row.
    entries: Vec<f64>,
}

/// How far two mirrored entries may differ, relative to the norms of the two gradients. They are one number, but sums
/// in
/// `f32` taken in another order differ in their last bits.
const ASYMMETRY_MAX: f64 = 1e-5;

impl Gramian {
    /// Checks a matrix given by its rows, one a task. Entries that differ from their mirror by rounding are averaged.
    ///
    /// # Errors
    /// Where the matrix is not square, not symmetric or not finite, or has a negative entry on its diagonal.
    pub fn new(rows: &[Vec<f64>]) -> Result<Self> {
        let size = rows.len();
        for (row, entries) in rows.iter().enumerate() {
            if entries.len() != size {
                return Err(Error::GramianShape { row, expected: size, found: entries.len() });
            }
            for (column, &value) in entries.iter().enumerate() {
                if !value.is_finite() || (row == column && value < 0.0) {
                    return Err(Error::GramianEntry { row, column, value });
                }
            }
        }
        let mut entries = Vec::with_capacity(size * size);
        for row in 0..size {
            for column in 0..size {
                let (value, mirror) = (rows[row][column], rows[column][row]);
                let norms = rows[row][row].sqrt() * rows[column][column].sqrt();
                // Not `>`, so that a difference that overflows to infinity is found too.
                let is_rounding = (value - mirror).abs() <= ASYMMETRY_MAX * norms;
                if value != mirror && !is_rounding {
                    return Err(Error::GramianSymmetry { row, column, value, mirror });
                }
                entries.push(if value == mirror { value } else { 0.5 * value + 0.5 * mirror });
            }
        }
        Ok(Gramian { size, entries })
    }

    /// Number of tasks.
    pub fn size(&self) -> usize {
        self.size
    }

    /// The products of task `row`'s gradient with every task's, `[task]`.
    ///
    /// # Panics
    /// Where `row` is not below [`Gramian::size`].
    pub fn row(&self, row: usize) -> &[f64] {
        &self.entries[row * self.size..(row + 1) * self.size]
    }

    /// The lengths of the gradients, `[task]`, and the Gramian of the gradients scaled to length 1: their cosines.
    ///
    /// A gradient of length 0 keeps it: its row and column are 0.
    pub fn unit(&self) -> (Vec<f64>, Gramian) {
        let norms: Vec<f64> = (0..self.size).map(|task| self.get(task, task).sqrt()).collect();
        let cosine = |row: usize, column: usize| match (norms[row], norms[column]) {
            (left, right) if left == 0.0 || right == 0.0 => 0.0,
            _ if row == column => 1.0,
            (left, right) => (self.get(row, column) / left / right).clamp(-1.0, 1.0),
        };
        let entries = (0..self.size * self.size).map(|place| cosine(place / self.size, place % self.size)).collect();
        (norms, Gramian { size: self.size, entries })
    }

    /// The Gramian of the gradients multiplied by one factor each.
    ///
    /// # Errors
    /// Where a product is infinite or NaN.
    pub fn scaled(&self, factors: &[f64]) -> Result<Self> {
        let row =
            |row: usize| factors.iter().enumerate().map(move |(at, factor)| factors[row] * self.get(row, at) * factor);
        Gramian::new(&(0..self.size).map(|at| row(at).collect()).collect::<Vec<_>>())
    }

    /// The product with a vector, `[task]`: how each task's loss falls along `Σ weights_t g_t`.
    pub fn times(&self, weights: &[f64]) -> Vec<f64> {
        (0..self.size).map(|row| dot(self.row(row), weights)).collect()
    }

    /// The squared length of `Σ weights_t g_t`, at least 0.
    pub fn squared_norm(&self, weights: &[f64]) -> f64 {
        dot(&self.times(weights), weights).max(0.0)
    }

    /// The product of two tasks' gradients.
    ///
    /// # Panics
    /// Where one is not below [`Gramian::size`].
    pub fn get(&self, row: usize, column: usize) -> f64 {
        self.row(row)[column]
    }
}

/// The inner product of two vectors of the same length.
pub(crate) fn dot(left: &[f64], right: &[f64]) -> f64 {
    left.iter().zip(right).map(|(left, right)| left * right).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unit_gramian_has_the_cosines() {
        let gramian = Gramian::new(&[vec![4.0, 3.0, 0.0], vec![3.0, 9.0, 0.0], vec![0.0; 3]]).unwrap();
        let (norms, cosines) = gramian.unit();
        assert_eq!(norms, [2.0, 3.0, 0.0]);
        assert_eq!(cosines, Gramian::new(&[vec![1.0, 0.5, 0.0], vec![0.5, 1.0, 0.0], vec![0.0; 3]]).unwrap());
        assert_eq!(gramian.times(&[1.0, -1.0, 5.0]), [1.0, -6.0, 0.0]);
        assert_eq!(gramian.squared_norm(&[1.0, -1.0, 5.0]), 7.0);
        // Squares that underflow: no length is left, and no cosine.
        let (norms, cosines) = Gramian::new(&[vec![0.0, 1e-280], vec![1e-280, 1e30]]).unwrap().unit();
        assert_eq!((norms[0], cosines.get(0, 1)), (0.0, 0.0));
    }

    #[test]
    fn keeps_a_symmetric_matrix_and_averages_rounding() {
        let gramian = Gramian::new(&[vec![1.0, 0.5], vec![0.5 + 1e-9, 4.0]]).unwrap();
        assert_eq!(gramian.size(), 2);
        assert_eq!(gramian.get(0, 1).to_bits(), gramian.get(1, 0).to_bits());
        assert!((gramian.get(0, 1) - 0.5).abs() < 1e-9);
        assert_eq!(gramian.row(1)[1], 4.0);
        assert_eq!(Gramian::new(&[]).unwrap().size(), 0);
        assert_eq!(Gramian::new(&[vec![0.0, 0.0], vec![0.0, 0.0]]).unwrap().get(1, 0), 0.0);
        assert_eq!(Gramian::new(&[vec![1e300, -1e300], vec![-1e300, 1e300]]).unwrap().get(1, 0), -1e300);
    }

    #[test]
    fn refuses_what_is_no_gramian() {
        assert_eq!(
            Gramian::new(&[vec![1.0, 2.0], vec![1.0]]),
            Err(Error::GramianShape { row: 1, expected: 2, found: 1 })
        );
        assert_eq!(
            Gramian::new(&[vec![1.0, 0.2], vec![0.3, 1.0]]),
            Err(Error::GramianSymmetry { row: 0, column: 1, value: 0.2, mirror: 0.3 })
        );
        assert_eq!(Gramian::new(&[vec![-1.0]]), Err(Error::GramianEntry { row: 0, column: 0, value: -1.0 }));
        let infinite = Gramian::new(&[vec![1.0, f64::INFINITY], vec![f64::INFINITY, 1.0]]);
        assert_eq!(infinite, Err(Error::GramianEntry { row: 0, column: 1, value: f64::INFINITY }));
        assert!(Gramian::new(&[vec![f64::NAN]]).is_err());
        assert!(Gramian::new(&[vec![f64::MAX, f64::MAX], vec![-f64::MAX, f64::MAX]]).is_err());
    }
}
