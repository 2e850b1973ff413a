//! The direction that makes equal angles with all gradients.
//!
//! ```text
//! C u = 1  (C: cosines)        Σ u_t g_t / ‖g_t‖ then has product 1 with every g_t / ‖g_t‖
//! ```
//!
//! Where the gradients are dependent, `u` is the shortest least-squares solution: it still makes equal angles where
//! any direction does.

use super::eigen::eigen;
use crate::Gramian;
use crate::gramian::dot;

/// The solution `u` of `cosines u = 1`, `[task]`; 0 for gradients of length 0.
///
/// Takes the second value of [`Gramian::unit`].
pub fn equiangular(cosines: &Gramian) -> Vec<f64> {
    let ones: Vec<f64> = (0..cosines.size()).map(|task| cosines.get(task, task)).collect();
    let parts = eigen(cosines);
    let solve = |right: &[f64]| {
        let mut solution = vec![0.0; cosines.size()];
        for (value, vector) in parts.values.iter().zip(&parts.vectors).take(parts.rank()) {
            let factor = dot(vector, right) / value;
            solution.iter_mut().zip(vector).for_each(|(sum, entry)| *sum += factor * entry);
        }
        solution
    };
    let first = solve(&ones);
    // Once more for what rounding has left.
    let left: Vec<f64> = ones.iter().zip(cosines.times(&first)).map(|(one, product)| one - product).collect();
    first.iter().zip(solve(&left)).map(|(solution, change)| solution + change).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::solve::samples::hostile;

    #[test]
    fn angles_are_equal_wherever_they_can_be() {
        for (name, gramian, gradients) in hostile() {
            let (norms, cosines) = gramian.unit();
            let solution = equiangular(&cosines);
            assert!(solution.iter().all(|weight| weight.is_finite()), "{name}");
            // More gradients than dimensions, or opposite ones, have no such direction.
            let independent = eigen(&cosines).rank() == norms.len();
            let terms: f64 = solution.iter().map(|weight| weight.abs()).sum();
            for (task, product) in cosines.times(&solution).iter().enumerate() {
                assert!(!independent || (product - 1.0).abs() <= 1e-9 * terms, "{name}: task {task} {product}");
            }
            assert_eq!(gradients.len(), solution.len());
        }
        // Dependent, but with such a direction.
        let equal = Gramian::new(&[vec![1.0; 3], vec![1.0; 3], vec![1.0; 3]]).unwrap();
        assert!(equiangular(&equal).iter().all(|weight| (weight - 1.0 / 3.0).abs() < 1e-15));
    }

    #[test]
    fn agrees_with_the_closed_form_for_two() {
        let solution = equiangular(&Gramian::new(&[vec![1.0, -0.6], vec![-0.6, 1.0]]).unwrap());
        assert!(solution.iter().all(|weight| (weight - 2.5).abs() < 1e-14), "{solution:?}");
    }
}
