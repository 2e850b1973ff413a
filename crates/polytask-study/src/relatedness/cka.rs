//! Linear CKA: how alike are two representations of the same examples?
//!
//! ```text
//! CKA(X, Y) = ||Y^T X||_F^2 / (||X^T X||_F ||Y^T Y||_F),   columns of X and Y centred
//! ```
//!
//! It is 1 where one is a rotation and a scaling of the other, and 0 where no column of one correlates with any of the other.
//! Reference: Kornblith, Norouzi, Lee and Hinton, "Similarity of neural network representations revisited", ICML 2019.

/// Representations of examples, `[example, feature]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Matrix {
    /// The values of each feature, example after example.
    columns: Vec<Vec<f64>>,
}

impl Matrix {
    /// Rows of one example each; `None` where there are no values, or rows differ in length.
    pub fn new(rows: &[Vec<f64>]) -> Option<Matrix> {
        let features = rows.first()?.len();
        let sound = features > 0 && rows.iter().all(|row| row.len() == features);
        let column = |feature: usize| rows.iter().map(|row| row[feature]).collect();
        sound.then(|| Matrix { columns: (0..features).map(column).collect() })
    }

    /// Number of examples.
    pub fn examples(&self) -> usize {
        self.columns[0].len()
    }

    fn centred(&self) -> Matrix {
        let centred = |column: &Vec<f64>| {
            let mean = column.iter().sum::<f64>() / column.len() as f64;
            column.iter().map(|value| value - mean).collect()
        };
        Matrix { columns: self.columns.iter().map(centred).collect() }
    }

    /// `||other^T self||_F^2`.
    fn squared_product(&self, other: &Matrix) -> f64 {
        let product = |left: &[f64], right: &[f64]| left.iter().zip(right).map(|(a, b)| a * b).sum::<f64>();
        let with_all = |left: &Vec<f64>| other.columns.iter().map(|right| product(left, right).powi(2)).sum::<f64>();
        self.columns.iter().map(with_all).sum()
    }
}

/// Linear CKA, from 0 to 1, of two representations of the same examples in the same order.
///
/// `None` where the numbers of examples differ, a representation is the same for all examples, or a value is not finite.
/// Costs examples times features times features.
pub fn linear_cka(left: &Matrix, right: &Matrix) -> Option<f64> {
    if left.examples() != right.examples() {
        return None;
    }
    let (left, right) = (left.centred(), right.centred());
    let scale = left.squared_product(&left).sqrt() * right.squared_product(&right).sqrt();
    let cka = left.squared_product(&right) / scale;
    cka.is_finite().then(|| cka.clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matrix(rows: &[&[f64]]) -> Matrix {
        Matrix::new(&rows.iter().map(|row| row.to_vec()).collect::<Vec<_>>()).unwrap()
    }

    #[test]
    fn the_value_that_numpy_gives() {
        // X -= X.mean(0); Y -= Y.mean(0)
        // norm(Y.T @ X)**2 / (norm(X.T @ X) * norm(Y.T @ Y)) = 0.8243264114981474
        let x = matrix(&[&[1.0, 2.0], &[3.0, -1.0], &[0.0, 4.0], &[2.0, 2.0], &[-1.0, 0.5]]);
        let y = matrix(&[&[2.0, 1.0, 0.0], &[0.0, 3.0, 1.0], &[1.0, -2.0, 2.0], &[1.0, 1.0, 1.0], &[4.0, 0.0, -1.0]]);
        assert!((linear_cka(&x, &y).unwrap() - 0.824_326_411_498_147_4).abs() < 1e-12);
        assert_eq!(linear_cka(&x, &y), linear_cka(&y, &x));
    }

    #[test]
    fn turned_scaled_and_shifted_it_is_the_same() {
        let x = [[1.0, 2.0], [3.0, -1.0], [0.0, 4.0], [2.0, 2.0]];
        let (sin, cos) = (0.6, 0.8);
        let turned: Vec<Vec<f64>> =
            x.iter().map(|[a, b]| vec![7.0 * (cos * a - sin * b) + 3.0, 7.0 * (sin * a + cos * b) - 1.0]).collect();
        let x: Vec<Vec<f64>> = x.iter().map(|row| row.to_vec()).collect();
        let found = linear_cka(&Matrix::new(&x).unwrap(), &Matrix::new(&turned).unwrap()).unwrap();
        assert!((found - 1.0).abs() < 1e-12);
        let (left, right) = (matrix(&[&[1.0], &[-1.0], &[0.0], &[0.0]]), matrix(&[&[0.0], &[0.0], &[2.0], &[-2.0]]));
        assert_eq!(linear_cka(&left, &right), Some(0.0));
    }

    #[test]
    fn hostile_matrices_are_none() {
        assert_eq!((Matrix::new(&[]), Matrix::new(&[vec![]]), Matrix::new(&[vec![1.0], vec![]])), (None, None, None));
        let (two, three) = (matrix(&[&[1.0], &[2.0]]), matrix(&[&[1.0], &[2.0], &[3.0]]));
        assert_eq!(linear_cka(&two, &three), None);
        assert_eq!(linear_cka(&two, &matrix(&[&[5.0], &[5.0]])), None);
        assert_eq!(linear_cka(&two, &matrix(&[&[f64::NAN], &[5.0]])), None);
    }
}
