//! Adamax: Adam with the largest gradient of late in the place of the second moment's root.
//!
//! ```text
//! m = β1 m + (1 - β1) g       u = max(β2 u, |g| + ε)       w -= learning_rate / (1 - β1^t) m / u
//! ```
//!
//! Weight decay is in the gradient.
//!
//! Reference: Kingma and Ba, "Adam: A method for stochastic optimization", section 7.1, ICLR 2015; ε as in PyTorch.

use super::step::Decay;
use super::walk::elementwise;
use super::{Rule, Step};

/// Hyper-parameters of Adamax; updates weights, first moment and norm.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Adamax {
    /// Decay of the first moment, in `[0, 1)`.
    pub beta1: f64,
    /// Decay of the norm, in `[0, 1)`.
    pub beta2: f64,
    /// Added to the gradient's magnitude.
    pub epsilon: f64,
}

impl Default for Adamax {
    fn default() -> Self {
        Adamax { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 }
    }
}

impl Adamax {
    /// The rule of a step.
    pub fn rule(&self, step: &Step) -> impl Rule<3> + use<> {
        AdamaxRule {
            step: *step,
            first: Decay::new(self.beta1),
            beta2: self.beta2 as f32,
            epsilon: self.epsilon as f32,
            rate: (f64::from(step.learning_rate) / step.mass(self.beta1)) as f32,
        }
    }
}

struct AdamaxRule {
    step: Step,
    first: Decay,
    beta2: f32,
    epsilon: f32,
    rate: f32,
}

impl AdamaxRule {
    #[inline(always)]
    fn element(&self, [w, m, norm]: [&mut f32; 3], gradient: f32) {
        let gradient = self.step.penalized(gradient, *w);
        *m = self.first.blend(*m, gradient);
        *norm = (self.beta2 * *norm).max(gradient.abs() + self.epsilon);
        *w -= self.rate * *m / *norm;
    }
}

elementwise!(AdamaxRule, 3, w, m, norm);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::optim::apply;
    use crate::optim::tests::follows;

    #[test]
    fn steps_are_pytorchs() {
        // torch.optim.Adamax(lr=0.1, weight_decay=0.1)
        let values = [0.722926080, -1.783766642, 0.254460843, 0.304435276];
        follows(values, |step, [w, m, u], g, reach| apply(&Adamax::default().rule(step), [w, m, u], g, reach));
    }
}
