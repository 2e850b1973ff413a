//! Adagrad: every weight's rate falls with the sum of its squared gradients.
//!
//! ```text
//! s += g²        w -= learning_rate g / (√s + ε)
//! ```
//!
//! Weights that seldom have a gradient keep a high rate. Weight decay is in the gradient; the rate's own decay of PyTorch
//! is left to the schedule.
//!
//! Reference: Duchi, Hazan and Singer, "Adaptive subgradient methods for online learning and stochastic optimization",
//! JMLR, 2011.

use super::walk::elementwise;
use super::{Rule, Step};

/// Hyper-parameters of Adagrad; updates weights and sum.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Adagrad {
    /// Added to the root of the sum.
    pub epsilon: f64,
}

impl Default for Adagrad {
    fn default() -> Self {
        Adagrad { epsilon: 1e-10 }
    }
}

impl Adagrad {
    /// The rule of a step.
    pub fn rule(&self, step: &Step) -> impl Rule<2> + use<> {
        AdagradRule { step: *step, epsilon: self.epsilon as f32 }
    }
}

struct AdagradRule {
    step: Step,
    epsilon: f32,
}

impl AdagradRule {
    #[inline(always)]
    fn element(&self, [w, sum]: [&mut f32; 2], gradient: f32) {
        let gradient = self.step.penalized(gradient, *w);
        // A sum that would be infinite stays, so that it can still be written down.
        *sum = (*sum + gradient * gradient).min(f32::MAX);
        *w -= self.step.learning_rate * gradient / (sum.sqrt() + self.epsilon);
    }
}

elementwise!(AdagradRule, 2, w, sum);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::optim::apply;
    use crate::optim::tests::follows;

    #[test]
    fn steps_are_pytorchs() {
        // torch.optim.Adagrad(lr=0.1, weight_decay=0.1)
        let values = [0.792686442, -1.898534600, 0.305530852, 0.294355664];
        follows(values, |step, [w, sum], g, reach| apply(&Adagrad::default().rule(step), [w, sum], g, reach));
    }
}
