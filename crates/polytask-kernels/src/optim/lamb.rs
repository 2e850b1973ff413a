//! LAMB: Adam whose step is as long, against the weights of a layer, as the learning rate says.
//!
//! ```text
//! r = m̂ / (√v̂ + ε) + decay w          w -= learning_rate (‖w‖ / ‖r‖) r
//! ```
//!
//! The ratio of norms is taken over a parameter; it is 1 where either norm is 0. Of a table of word vectors whose rows are
//! updated lazily, the rows of the batch are what the norms are taken over. It is made for very large batches.
//!
//! Cost: three passes where Adam has one.
//! Reference: You, Li, Reddi, Hseu, Kumar, Bhojanapalli, Song, Demmel, Keutzer and Hsieh, "Large batch optimization for
//! deep learning: Training BERT in 76 minutes", ICLR 2020, with φ the identity.

use rayon::prelude::*;

use super::step::Decay;
use super::walk::elementwise;
use super::{CHUNK, Reach, Step, apply};

/// Hyper-parameters of LAMB.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lamb {
    /// Decay of the first moment, in `[0, 1)`.
    pub beta1: f64,
    /// Decay of the second moment, in `[0, 1)`.
    pub beta2: f64,
    /// Added to the root of the second moment.
    pub epsilon: f64,
}

impl Default for Lamb {
    fn default() -> Self {
        Lamb { beta1: 0.9, beta2: 0.999, epsilon: 1e-6 }
    }
}

/// Updates weights and both moments `[w, m, v]` of a parameter by LAMB.
///
/// # Panics
/// As [`apply`].
pub fn lamb(method: &Lamb, step: &Step, slices: [&mut [f32]; 3], gradient: &[f32], reach: Reach<'_>) {
    let [w, m, v] = slices;
    let moments = Moments { step: *step, first: Decay::new(method.beta1), second: Decay::new(method.beta2) };
    apply(&moments, [&mut *m, &mut *v], gradient, reach);
    let direction = Direction {
        decay: step.weight_decay,
        epsilon: method.epsilon as f32,
        first_correction: (1.0 / step.mass(method.beta1)) as f32,
        second_correction_root: (1.0 / step.mass(method.beta2)).sqrt() as f32,
    };
    let [weights, length] = match reach {
        Reach::Lazy { d, rows } => {
            let rows: Vec<usize> = rows.iter().map(|row| *row as usize * d).collect();
            let of = |at: &usize| direction.squares(&w[*at..at + d], &m[*at..at + d], &v[*at..at + d]);
            sum(rows.par_chunks((CHUNK / d.max(1)).max(1)).map(|rows| sum_of(rows.iter().map(of))).collect())
        }
        _ => sum((w.par_chunks(CHUNK), m.par_chunks(CHUNK), v.par_chunks(CHUNK))
            .into_par_iter()
            .map(|(w, m, v)| direction.squares(w, m, v))
            .collect()),
    };
    let ratio = if weights > 0.0 && length > 0.0 { (weights / length).sqrt() as f32 } else { 1.0 };
    let stride = Stride { direction, rate: step.learning_rate * ratio };
    match reach {
        Reach::Lazy { .. } => apply(&stride, [w, m, v], gradient, reach),
        // Every element moves, and the gradient is in the moments already.
        _ => apply(&stride, [w, m, v], &[], Reach::Dense { d: 1, rows: &[] }),
    }
}

/// The update of the moments `[m, v]`.
struct Moments {
    step: Step,
    first: Decay,
    second: Decay,
}

impl Moments {
    #[inline(always)]
    fn element(&self, [m, v]: [&mut f32; 2], gradient: f32) {
        let gradient = self.step.scaled(gradient);
        *m = self.first.blend(*m, gradient);
        *v = self.second.blend(*v, gradient * gradient);
    }
}

elementwise!(Moments, 2, m, v);

/// The direction `r`.
struct Direction {
    decay: f32,
    epsilon: f32,
    first_correction: f32,
    second_correction_root: f32,
}

impl Direction {
    #[inline(always)]
    fn of(&self, w: f32, m: f32, v: f32) -> f32 {
        m * self.first_correction / (v.sqrt() * self.second_correction_root + self.epsilon) + self.decay * w
    }

    /// The squared norms of weights and direction.
    fn squares(&self, w: &[f32], m: &[f32], v: &[f32]) -> [f64; 2] {
        let elements = w.iter().zip(m).zip(v).map(|((w, m), v)| (f64::from(*w), f64::from(self.of(*w, *m, *v))));
        sum_of(elements.map(|(w, r)| [w * w, r * r]))
    }
}

/// The step along the direction, of `[w, m, v]`.
struct Stride {
    direction: Direction,
    rate: f32,
}

impl Stride {
    #[inline(always)]
    fn element(&self, [w, m, v]: [&mut f32; 3], _: f32) {
        *w -= self.rate * self.direction.of(*w, *m, *v);
    }
}

elementwise!(Stride, 3, w, m, v);

fn sum(parts: Vec<[f64; 2]>) -> [f64; 2] {
    sum_of(parts.into_iter())
}

fn sum_of(parts: impl Iterator<Item = [f64; 2]>) -> [f64; 2] {
    parts.fold([0.0; 2], |[a, b], [c, d]| [a + c, b + d])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::optim::tests::follows_densely;

    #[test]
    fn steps_are_the_papers() {
        // The equations above in 64 bits (numpy), learning rate 0.1, decay 0.1
        let values = [0.133037452, -1.559550428, -0.227702116, 0.956024689];
        follows_densely(values, |step, slices, g, reach| lamb(&Lamb::default(), step, slices, g, reach));
    }

    #[test]
    fn a_step_is_as_long_as_the_rate_says() {
        let (mut w, mut m, mut v) = (vec![3.0, -4.0, 7.0, 7.0], vec![0.0; 4], vec![0.0; 4]);
        let step = Step { learning_rate: 0.1, weight_decay: 0.0, gradient_scale: 1.0, count: 1 };
        let reach = Reach::Lazy { d: 2, rows: &[0] };
        lamb(&Lamb::default(), &step, [&mut w, &mut m, &mut v], &[0.5, 2.0], reach);
        // The first direction is the gradient's signs, of norm √2; the row's norm is 5.
        let each = 0.1 * 5.0 / 2.0_f32.sqrt();
        assert!((w[0] - (3.0 - each)).abs() < 1e-5 && (w[1] - (-4.0 - each)).abs() < 1e-5, "{w:?}");
        assert_eq!((&w[2..], &m[2..], &v[2..]), (&[7.0, 7.0][..], &[0.0, 0.0][..], &[0.0, 0.0][..]));
    }

    #[test]
    fn weights_of_zero_move_by_the_rate() {
        let (mut w, mut m, mut v) = (vec![0.0; 2], vec![0.0; 2], vec![0.0; 2]);
        let step = Step { learning_rate: 0.1, weight_decay: 0.1, gradient_scale: 1.0, count: 1 };
        lamb(&Lamb::default(), &step, [&mut w, &mut m, &mut v], &[0.5, -2.0], Reach::All);
        assert!((w[0] + 0.1).abs() < 1e-5 && (w[1] - 0.1).abs() < 1e-5, "{w:?}");
    }
}
