//! Eigenvalues and eigenvectors of a Gramian.
//!
//! Jacobi's rotations: each makes one entry off the diagonal zero, until all are. For positive semidefinite matrices
//! they find small eigenvalues beside large ones to many digits, where methods that first make the matrix tridiagonal
//! lose them (Demmel and Veselić, "Jacobi's method is more accurate than QR", SIAM J. Matrix Anal. Appl., 1992).

use crate::Gramian;

/// A matrix as `Σ values_k vectors_k vectors_kᵀ`.
#[derive(Debug, Clone, PartialEq)]
pub struct Eigen {
    /// The eigenvalues, largest first; rounding can make those that are 0 slightly negative.
    pub values: Vec<f64>,
    /// An eigenvector of length 1 for each, `[value][task]`.
    pub vectors: Vec<Vec<f64>>,
}

impl Eigen {
    /// How many eigenvalues are above 0 by more than rounding.
    pub fn rank(&self) -> usize {
        let largest = self.values.first().copied().unwrap_or(0.0);
        let least = 8.0 * f64::EPSILON * self.values.len() as f64 * largest;
        self.values.iter().filter(|value| **value > least).count()
    }
}

/// Sweeps over the whole matrix; convergence is quadratic, and 6 to 10 are enough for any matrix of 32 tasks.
const SWEEPS_MAX: usize = 60;

/// Decomposes a Gramian.
pub fn eigen(gramian: &Gramian) -> Eigen {
    let size = gramian.size();
    let mut matrix: Vec<Vec<f64>> = (0..size).map(|row| gramian.row(row).to_vec()).collect();
    let mut vectors: Vec<Vec<f64>> =
        (0..size).map(|row| (0..size).map(|column| f64::from(row == column)).collect()).collect();
    for _ in 0..SWEEPS_MAX {
        let mut rotated = false;
        for left in 0..size {
            for right in left + 1..size {
                rotated |= rotate(&mut matrix, &mut vectors, left, right);
            }
        }
        if !rotated {
            break;
        }
    }
    let mut order: Vec<usize> = (0..size).collect();
    order.sort_by(|&left, &right| matrix[right][right].total_cmp(&matrix[left][left]));
    Eigen {
        values: order.iter().map(|&place| matrix[place][place]).collect(),
        vectors: order.iter().map(|&place| std::mem::take(&mut vectors[place])).collect(),
    }
}

/// Makes one entry zero, unless it already is beside the two on the diagonal; says whether it did.
fn rotate(matrix: &mut [Vec<f64>], vectors: &mut [Vec<f64>], left: usize, right: usize) -> bool {
    let entry = matrix[left][right];
    let (a, b) = (matrix[left][left], matrix[right][right]);
    if entry.abs() <= 0.1 * f64::EPSILON * (a.abs().sqrt() * b.abs().sqrt()) || entry == 0.0 {
        return false;
    }
    // The smaller of the two angles that do it; `theta` is the cotangent of twice that.
    let theta = (b - a) / (2.0 * entry);
    let tangent = if theta.is_finite() { theta.signum() / (theta.abs() + theta.hypot(1.0)) } else { 0.0 };
    let cosine = 1.0 / tangent.hypot(1.0);
    let sine = tangent * cosine;
    let turn = |first: &mut f64, second: &mut f64| {
        let (x, y) = (*first, *second);
        *first = cosine * x - sine * y;
        *second = sine * x + cosine * y;
    };
    for row in (0..matrix.len()).filter(|row| *row != left && *row != right) {
        let (mut x, mut y) = (matrix[row][left], matrix[row][right]);
        turn(&mut x, &mut y);
        (matrix[row][left], matrix[left][row]) = (x, x);
        (matrix[row][right], matrix[right][row]) = (y, y);
    }
    matrix[left][left] = a - tangent * entry;
    matrix[right][right] = b + tangent * entry;
    (matrix[left][right], matrix[right][left]) = (0.0, 0.0);
    let (before, after) = vectors.split_at_mut(right);
    before[left].iter_mut().zip(&mut after[0]).for_each(|(x, y)| turn(x, y));
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gramian::dot;
    use crate::solve::samples::hostile;

    #[test]
    fn decomposes_hostile_gramians() {
        for (name, gramian, _) in hostile() {
            let Eigen { values, vectors } = eigen(&gramian);
            assert!(values.windows(2).all(|pair| pair[0] >= pair[1]), "{name}");
            for (place, vector) in vectors.iter().enumerate() {
                for (other, against) in vectors.iter().enumerate() {
                    let expected = f64::from(place == other);
                    assert!((dot(vector, against) - expected).abs() < 1e-13, "{name}");
                }
            }
            for row in 0..gramian.size() {
                for column in 0..gramian.size() {
                    let sum: f64 = values.iter().zip(&vectors).map(|(value, v)| value * v[row] * v[column]).sum();
                    let error = (sum - gramian.get(row, column)).abs();
                    assert!(error <= 1e-13 * values[0].max(1e-300), "{name}: {error}");
                }
            }
        }
    }

    #[test]
    fn agrees_with_the_closed_form() {
        // 2 - 2 cos(k π / 6): the second difference of five points.
        let row = |at: usize| (0..5).map(|to| [2.0, -1.0].get(at.abs_diff(to)).copied().unwrap_or(0.0)).collect();
        let found = eigen(&Gramian::new(&(0..5).map(row).collect::<Vec<_>>()).unwrap());
        for (k, value) in found.values.iter().rev().enumerate() {
            let expected = 2.0 - 2.0 * ((k + 1) as f64 * std::f64::consts::PI / 6.0).cos();
            assert!((value - expected).abs() < 1e-14, "{value}, {expected}");
        }
        assert_eq!(found.rank(), 5);
    }

    #[test]
    fn small_eigenvalues_beside_large_ones_keep_their_digits() {
        // Gradients of length 1e15 and 1e-10 at 60 degrees: the small eigenvalue is 3/4 of the short one's square.
        let gramian = Gramian::new(&[vec![1e30, 0.5e5], vec![0.5e5, 1e-20]]).unwrap();
        let found = eigen(&gramian);
        assert!((found.values[1] / 0.75e-20 - 1.0).abs() < 1e-12, "{:?}", found.values);
    }
}
