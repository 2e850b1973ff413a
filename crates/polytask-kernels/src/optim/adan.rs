//! Adan: adaptive Nesterov momentum, from the differences of successive gradients.
//!
//! ```text
//! m = β1 m + (1 - β1) g          d = β2 d + (1 - β2)(g - g')        n = β3 n + (1 - β3)(g + β2 (g - g'))²
//! w = (w - learning_rate (m̂ + β2 d̂) / (√n̂ + ε)) / (1 + learning_rate decay)         g' = the gradient before
//! ```
//!
//! The βs are those of the authors' code, one minus the paper's (0.02, 0.08, 0.01), and so is the bias correction, in the
//! place of the paper's first moments; at the first step g' is g. The restart of the paper is off in their code and absent
//! here. Four arrays of state.
//!
//! Reference: Xie, Zhou, Li, Lin and Yan, "Adan: Adaptive Nesterov momentum algorithm for faster optimizing deep models",
//! IEEE TPAMI, 2024.

use super::step::Decay;
use super::walk::elementwise;
use super::{Rule, Step};

/// Hyper-parameters of Adan; updates weights, first moment, difference, second moment and last gradient.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Adan {
    /// Decay of the first moment, in `[0, 1)`.
    pub beta1: f64,
    /// Decay of the moment of differences, in `[0, 1)`.
    pub beta2: f64,
    /// Decay of the second moment, in `[0, 1)`.
    pub beta3: f64,
    /// Added to the root of the second moment.
    pub epsilon: f64,
}

impl Default for Adan {
    fn default() -> Self {
        Adan { beta1: 0.98, beta2: 0.92, beta3: 0.99, epsilon: 1e-8 }
    }
}

impl Adan {
    /// The rule of a step.
    pub fn rule(&self, step: &Step) -> impl Rule<5> + use<> {
        let rate = f64::from(step.learning_rate);
        AdanRule {
            step: *step,
            first: Decay::new(self.beta1),
            differences: Decay::new(self.beta2),
            second: Decay::new(self.beta3),
            beta2: self.beta2 as f32,
            epsilon: self.epsilon as f32,
            // At the first step there is no gradient before, and no difference.
            difference_share: if step.count <= 1 { 0.0 } else { 1.0 },
            first_rate: (rate / step.mass(self.beta1)) as f32,
            difference_rate: (rate * self.beta2 / step.mass(self.beta2)) as f32,
            second_correction_root: (1.0 / step.mass(self.beta3)).sqrt() as f32,
            kept: (1.0 / (1.0 + rate * f64::from(step.weight_decay))) as f32,
        }
    }
}

struct AdanRule {
    step: Step,
    first: Decay,
    differences: Decay,
    second: Decay,
    beta2: f32,
    epsilon: f32,
    difference_share: f32,
    first_rate: f32,
    difference_rate: f32,
    second_correction_root: f32,
    kept: f32,
}

impl AdanRule {
    #[inline(always)]
    fn element(&self, [w, m, d, n, last]: [&mut f32; 5], gradient: f32) {
        let gradient = self.step.scaled(gradient);
        let difference = self.difference_share * (gradient - *last);
        let ahead = gradient + self.beta2 * difference;
        *m = self.first.blend(*m, gradient);
        *d = self.differences.blend(*d, difference);
        // Three times the bound of a gradient has no finite square.
        *n = self.second.blend(*n, (ahead * ahead).min(f32::MAX));
        let change = self.first_rate * *m + self.difference_rate * *d;
        *w = (*w - change / (n.sqrt() * self.second_correction_root + self.epsilon)) * self.kept;
        *last = gradient;
    }
}

elementwise!(AdanRule, 5, w, m, d, n, last);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::optim::apply;
    use crate::optim::tests::follows;

    #[test]
    fn steps_are_those_of_the_authors_code() {
        // The equations above in 64 bits (numpy), learning rate 0.1, decay 0.1
        let values = [0.768820452, -1.837101854, 0.253108659, 0.403367641];
        follows(values, |step, [w, m, d, n, last], g, reach| {
            apply(&Adan::default().rule(step), [w, m, d, n, last], g, reach);
        });
    }
}
