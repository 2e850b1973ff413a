//! Adadelta: updates in the units of the weights, from the sizes of gradients and of earlier updates.
//!
//! ```text
//! s = ρ s + (1 - ρ) g²      Δ = √(a + ε) / √(s + ε) g      a = ρ a + (1 - ρ) Δ²      w -= learning_rate Δ
//! ```
//!
//! The paper has no learning rate, which is a rate of 1. Weight decay is in the gradient.
//!
//! Reference: Zeiler, "ADADELTA: An adaptive learning rate method", arXiv 1212.5701, 2012; ρ and ε as in PyTorch (the
//! paper tries ρ = 0.95 and ε from 1e-8 to 1e-2).

use super::step::Decay;
use super::walk::elementwise;
use super::{Rule, Step};

/// Hyper-parameters of Adadelta; updates weights, mean square of gradients and mean square of updates.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Adadelta {
    /// Decay of both means, in `[0, 1)`.
    pub rho: f64,
    /// Added to both means before their roots are taken.
    pub epsilon: f64,
}

impl Default for Adadelta {
    fn default() -> Self {
        Adadelta { rho: 0.9, epsilon: 1e-6 }
    }
}

impl Adadelta {
    /// The rule of a step.
    pub fn rule(&self, step: &Step) -> impl Rule<3> + use<> {
        AdadeltaRule { step: *step, mean: Decay::new(self.rho), epsilon: self.epsilon as f32 }
    }
}

struct AdadeltaRule {
    step: Step,
    mean: Decay,
    epsilon: f32,
}

impl AdadeltaRule {
    #[inline(always)]
    fn element(&self, [w, squares, changes]: [&mut f32; 3], gradient: f32) {
        let gradient = self.step.penalized(gradient, *w);
        *squares = self.mean.blend(*squares, gradient * gradient);
        let change = (*changes + self.epsilon).sqrt() / (*squares + self.epsilon).sqrt() * gradient;
        *changes = self.mean.blend(*changes, change * change);
        *w -= self.step.learning_rate * change;
    }
}

elementwise!(AdadeltaRule, 3, w, squares, changes);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::optim::apply;
    use crate::optim::tests::follows;

    #[test]
    fn steps_are_pytorchs() {
        // torch.optim.Adadelta(lr=1.0, weight_decay=0.1)
        let values = [0.990322125, -1.995743444, 0.492483566, 0.253547609];
        follows(values, |step, [w, s, a], g, reach| {
            let step = Step { learning_rate: 1.0, ..*step };
            apply(&Adadelta::default().rule(&step), [w, s, a], g, reach);
        });
    }
}
