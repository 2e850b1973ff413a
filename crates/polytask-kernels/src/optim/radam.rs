//! RAdam: Adam that waits with its second moment until that has seen enough to be trusted.
//!
//! ```text
//! ρ∞ = 2 / (1 - β2) - 1          ρ = ρ∞ - 2 t β2^t / (1 - β2^t)
//! r = √((ρ - 4)(ρ - 2) ρ∞ / ((ρ∞ - 4)(ρ∞ - 2) ρ))
//! w -= learning_rate r m̂ √(1 - β2^t) / (√v + ε)     where ρ > 5, else  w -= learning_rate m̂
//! ```
//!
//! It needs no warm-up. Weight decay is in the gradient.
//!
//! Reference: Liu, Jiang, He, Chen, Liu, Gao and Han, "On the variance of the adaptive learning rate and beyond", ICLR
//! 2020; the threshold 5 as in their code and PyTorch.

use super::step::Decay;
use super::walk::elementwise;
use super::{Rule, Step};

/// Hyper-parameters of RAdam; updates weights and both moments.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Radam {
    /// Decay of the first moment, in `[0, 1)`.
    pub beta1: f64,
    /// Decay of the second moment, in `[0, 1)`.
    pub beta2: f64,
    /// Added to the root of the second moment.
    pub epsilon: f64,
}

impl Default for Radam {
    fn default() -> Self {
        Radam { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 }
    }
}

impl Radam {
    /// The rule of a step.
    pub fn rule(&self, step: &Step) -> impl Rule<3> + use<> {
        let (count, mass) = (step.count.max(1) as f64, step.mass(self.beta2));
        let longest = 2.0 / (1.0 - self.beta2) - 1.0;
        let length = longest - 2.0 * count * (1.0 - mass) / mass;
        let rate = f64::from(step.learning_rate) / step.mass(self.beta1);
        let trusted = length > 5.0;
        let rectified = (length - 4.0) * (length - 2.0) * longest / ((longest - 4.0) * (longest - 2.0) * length) * mass;
        RadamRule {
            step: *step,
            first: Decay::new(self.beta1),
            second: Decay::new(self.beta2),
            // Without trust the root is taken to the power 0: it counts for nothing, and 1 takes its place.
            root_share: if trusted { 1.0 } else { 0.0 },
            offset: if trusted { self.epsilon as f32 } else { 1.0 },
            rate: if trusted { rate * rectified.sqrt() } else { rate } as f32,
        }
    }
}

struct RadamRule {
    step: Step,
    first: Decay,
    second: Decay,
    root_share: f32,
    offset: f32,
    rate: f32,
}

impl RadamRule {
    #[inline(always)]
    fn element(&self, [w, m, v]: [&mut f32; 3], gradient: f32) {
        let gradient = self.step.penalized(gradient, *w);
        *m = self.first.blend(*m, gradient);
        *v = self.second.blend(*v, gradient * gradient);
        *w -= self.rate * *m / (self.root_share * v.sqrt() + self.offset);
    }
}

elementwise!(RadamRule, 3, w, m, v);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::optim::apply;
    use crate::optim::tests::follows;

    #[test]
    fn steps_are_pytorchs_before_and_after_trust() {
        // torch.optim.RAdam(lr=0.1, weight_decay=0.1); the second moment is trusted from step 6 on
        let values = [0.774016201, -1.785379969, 0.276028326, 0.376634518];
        follows(values, |step, [w, m, v], g, reach| apply(&Radam::default().rule(step), [w, m, v], g, reach));
    }
}
