//! Muon: momentum whose matrix is made nearly orthogonal, so that every direction of a weight matrix moves alike.
//!
//! ```text
//! b = μ b + (1 - μ) g        u = (1 - μ) g + μ b  (Nesterov), or b
//! o = NS5(u)                 w = (1 - learning_rate decay) w - learning_rate s o
//! ```
//!
//! NS5 scales u to norm 1 and applies `x = a x + b (x xᵀ) x + c (x xᵀ)² x` five times, with (a, b, c) = (3.4445, -4.7750,
//! 2.0315): singular values end between about 0.7 and 1.2. The factor s is, for a matrix from `in` to `out` features,
//! `0.2 √max(in, out)` ([`RateMatch::Adamw`]: the size of AdamW's steps, so that one rate does for both) or
//! `√max(1, out / in)` ([`RateMatch::Original`]). For matrices only; other parameters take another method.
//!
//! Cost: `15 · 2 · min(in, out)² · max(in, out)` operations a step, about.
//! Reference: Jordan, Jin, Boza, You, Cesista, Newhouse and Bernstein, "Muon: An optimizer for hidden layers in neural
//! networks", 2024; the factor that matches AdamW: Liu, Su, Yao et al., "Muon is scalable for LLM training", arXiv
//! 2502.16982, 2025. PyTorch iterates in 16 bits, here it is 32.

use super::walk::elementwise;
use super::{Reach, Step, apply, sum_of_squares};
use crate::matrix::{Accumulate, MatMut, MatRef, matmul_parallel};

/// Hyper-parameters of Muon.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Muon {
    /// The momentum (μ), in `[0, 1)`.
    pub momentum: f64,
    /// Which direction is made orthogonal.
    pub direction: Momentum,
    /// How the rate follows the matrix's shape.
    pub rate: RateMatch,
    /// Rounds of the Newton-Schulz iteration.
    pub iterations: usize,
}

/// Which direction a momentum method takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Momentum {
    /// The momentum.
    Heavy,
    /// The momentum with the gradient once more ahead.
    Nesterov,
}

/// How the rate follows a matrix's shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RateMatch {
    /// Steps as large as those of AdamW.
    Adamw,
    /// As first published.
    Original,
}

impl Default for Muon {
    fn default() -> Self {
        Muon { momentum: 0.95, direction: Momentum::Nesterov, rate: RateMatch::Adamw, iterations: 5 }
    }
}

/// Updates weights and momentum of a matrix of `shape` `[in, out]`, row-major.
///
/// # Panics
/// If the lengths do not fit the shape.
pub fn muon(method: &Muon, step: &Step, slices: [&mut [f32]; 2], shape: [usize; 2], gradient: &[f32]) {
    let [w, b] = slices;
    let mut direction = vec![0.0; gradient.len()];
    let momentum = Velocity {
        step: *step,
        momentum: method.momentum as f32,
        fresh: (1.0 - method.momentum) as f32,
        ahead: match method.direction {
            Momentum::Heavy => [0.0, 1.0],
            Momentum::Nesterov => [(1.0 - method.momentum) as f32, method.momentum as f32],
        },
    };
    apply(&momentum, [&mut *b, &mut direction], gradient, Reach::All);
    let [inputs, outputs] = shape.map(|extent| extent as f64);
    let factor = match method.rate {
        RateMatch::Adamw => 0.2 * inputs.max(outputs).sqrt(),
        RateMatch::Original => (outputs / inputs).max(1.0).sqrt(),
    };
    let direction = orthogonal(direction, shape, method.iterations);
    let stride = Stride { kept: step.kept(), rate: (f64::from(step.learning_rate) * factor) as f32 };
    apply(&stride, [w], &direction, Reach::All);
}

/// The Newton-Schulz iteration on a matrix of `shape`, row-major.
fn orthogonal(x: Vec<f32>, shape: [usize; 2], iterations: usize) -> Vec<f32> {
    const COEFFICIENTS: [f32; 3] = [3.4445, -4.7750, 2.0315];
    const NORM_MIN: f64 = 1e-7;
    let [a, b, c] = COEFFICIENTS;
    let [rows, cols] = shape;
    let side = rows.min(cols);
    let mut x = x;
    let norm = sum_of_squares(&x).sqrt();
    // `max` would hide NaN.
    let scale = (1.0 / if norm < NORM_MIN { NORM_MIN } else { norm }) as f32;
    x.iter_mut().for_each(|x| *x *= scale);
    let (mut gram, mut square, mut next) = (vec![0.0; side * side], vec![0.0; side * side], vec![0.0; x.len()]);
    for _ in 0..iterations {
        let view = MatRef::new(&x, rows, cols);
        let (left, right) = if rows <= cols { (view, view.t()) } else { (view.t(), view) };
        matmul_parallel(MatMut::new(&mut gram, side, side), left, right, Accumulate::Overwrite);
        let of = MatRef::new(&gram, side, side);
        matmul_parallel(MatMut::new(&mut square, side, side), of, of, Accumulate::Overwrite);
        square.iter_mut().zip(&gram).for_each(|(square, gram)| *square = b * gram + c * *square);
        let polynomial = MatRef::new(&square, side, side);
        let (left, right) = if rows <= cols { (polynomial, view) } else { (view, polynomial) };
        matmul_parallel(MatMut::new(&mut next, rows, cols), left, right, Accumulate::Overwrite);
        x.iter_mut().zip(&next).for_each(|(x, next)| *x = a * *x + next);
    }
    x
}

/// The update of momentum and direction.
struct Velocity {
    step: Step,
    momentum: f32,
    fresh: f32,
    /// Shares of gradient and momentum in the direction.
    ahead: [f32; 2],
}

impl Velocity {
    #[inline(always)]
    fn element(&self, [b, direction]: [&mut f32; 2], gradient: f32) {
        let gradient = self.step.scaled(gradient);
        *b = self.momentum * *b + self.fresh * gradient;
        *direction = self.ahead[0] * gradient + self.ahead[1] * *b;
    }
}

elementwise!(Velocity, 2, b, direction);

/// The step of the weights along a direction.
struct Stride {
    kept: f32,
    rate: f32,
}

impl Stride {
    #[inline(always)]
    fn element(&self, [w]: [&mut f32; 1], direction: f32) {
        *w = *w * self.kept - self.rate * direction;
    }
}

elementwise!(Stride, 1, w);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Lcg;

    const GRADIENTS: [[f32; 6]; 3] =
        [[0.5, -1.0, 0.25, 0.0, 0.75, 2.0], [-0.25, 0.75, 2.0, -0.5, 1.5, -0.5], [1.5, -0.5, -1.0, 0.125, 0.0, 0.25]];

    fn close(found: &[f32], expected: &[f64]) {
        assert!(found.iter().zip(expected).all(|(a, b)| (f64::from(*a) - b).abs() < 2e-5), "{found:?}, {expected:?}");
    }

    #[test]
    fn the_iteration_is_the_polynomial() {
        // numpy in 64 bits: x = a x + (b x xᵀ + c (x xᵀ)²) x, five times from x / ‖x‖
        let found = orthogonal(GRADIENTS[0].to_vec(), [2, 3], 5);
        close(&found, &[0.437388814, -0.844379422, 0.299756288, 0.020265470, 0.220375611, 0.705883540]);
        let tall = orthogonal(vec![0.5, 0.0, -1.0, 0.75, 0.25, 2.0], [3, 2], 5);
        close(&tall, &[0.437388814, 0.020265470, -0.844379422, 0.220375611, 0.299756288, 0.705883540]);
    }

    #[test]
    fn steps_are_the_papers() {
        // The equations above in 64 bits (numpy), learning rate 0.1, decay 0.1. torch.optim.Muon, whose matrices are
        // turned and whose iteration has 16 bits, gives 0.882054 for the first and 0.703900 for the second value.
        let original = Muon { direction: Momentum::Heavy, rate: RateMatch::Original, ..Muon::default() };
        let cases = [
            (Muon::default(), [0.881690702, -1.853742924, 0.395046247, 0.256159939, 0.608295157, -1.044723719]),
            (original, [0.702761830, -1.693448136, 0.173099493, 0.303541906, 0.301263615, -1.348628230]),
        ];
        for (method, expected) in cases {
            let (mut w, mut b) = ([1.0, -2.0, 0.5, 0.25, 0.75, -1.0], [0.0; 6]);
            for count in 1..=5 {
                let step = Step { learning_rate: 0.1, weight_decay: 0.1, gradient_scale: 1.0, count };
                muon(&method, &step, [&mut w, &mut b], [2, 3], &GRADIENTS[(count as usize - 1) % 3]);
            }
            close(&w, &expected);
        }
    }

    #[test]
    fn singular_values_come_near_one_for_any_shape_and_threads() {
        for [rows, cols] in [[40, 7], [7, 40], [130, 260]] {
            let x = Lcg::new(3).uniform(rows * cols, -1e-3, 1e-3);
            let found: Vec<Vec<f32>> = [1, 3]
                .map(|threads| {
                    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                    pool.install(|| orthogonal(x.clone(), [rows, cols], 5))
                })
                .to_vec();
            assert_eq!(found[0], found[1]);
            // The sum of the squared singular values, of which there are min(rows, cols).
            let mean = sum_of_squares(&found[0]) / rows.min(cols) as f64;
            assert!((0.5..1.4).contains(&mean), "{rows} x {cols}: {mean}");
        }
    }

    #[test]
    fn no_gradient_is_no_direction() {
        assert_eq!(orthogonal(vec![0.0; 6], [2, 3], 5), [0.0; 6]);
        assert!(orthogonal(vec![f32::NAN; 6], [2, 3], 5)[0].is_nan());
    }
}
