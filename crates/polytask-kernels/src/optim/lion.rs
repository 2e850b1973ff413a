//! Lion: the sign of a momentum, which makes every weight's step as long as the learning rate.
//!
//! ```text
//! c = β1 m + (1 - β1) g       w -= learning_rate (sign(c) + decay w)       m = β2 m + (1 - β2) g
//! ```
//!
//! One array of state. Its rate should be 3 to 10 times smaller than that of AdamW, its weight decay as much larger, and
//! batches large. Weight decay is taken from the weights.
//!
//! Reference: Chen, Liang, Huang, Real, Wang, Liu, Pham, Dong, Luong, Hsieh, Lu and Le, "Symbolic discovery of
//! optimization algorithms", NeurIPS 2023.

use super::step::Decay;
use super::walk::elementwise;
use super::{Rule, Step};

/// Hyper-parameters of Lion; updates weights and momentum.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lion {
    /// Share of the momentum in the direction, in `[0, 1)`.
    pub beta1: f64,
    /// Decay of the momentum, in `[0, 1)`.
    pub beta2: f64,
}

impl Default for Lion {
    fn default() -> Self {
        Lion { beta1: 0.9, beta2: 0.99 }
    }
}

impl Lion {
    /// The rule of a step.
    pub fn rule(&self, step: &Step) -> impl Rule<2> + use<> {
        LionRule { step: *step, kept: step.kept(), direction: Decay::new(self.beta1), momentum: Decay::new(self.beta2) }
    }
}

struct LionRule {
    step: Step,
    kept: f32,
    direction: Decay,
    momentum: Decay,
}

impl LionRule {
    #[inline(always)]
    fn element(&self, [w, m]: [&mut f32; 2], gradient: f32) {
        let gradient = self.step.scaled(gradient);
        let direction = self.direction.blend(*m, gradient);
        // `signum` gives 1 for 0, the paper's sign 0; NaN is neither and passes through.
        let sign = if direction == 0.0 { 0.0 } else { direction.signum() };
        *w = *w * self.kept - self.step.learning_rate * sign;
        *m = self.momentum.blend(*m, gradient);
    }
}

elementwise!(LionRule, 2, w, m);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::optim::tests::follows;
    use crate::optim::{Reach, apply};

    #[test]
    fn steps_are_the_papers() {
        // The equations above in 64 bits (numpy), learning rate 0.1, decay 0.1
        let values = [0.730547469, -1.845411365, 0.271136503, 0.525774885];
        follows(values, |step, [w, m], g, reach| apply(&Lion::default().rule(step), [w, m], g, reach));
    }

    #[test]
    fn nothing_moves_without_a_gradient() {
        let (mut w, mut m) = ([1.0], [0.0]);
        let step = Step { learning_rate: 0.1, weight_decay: 0.0, gradient_scale: 1.0, count: 1 };
        apply(&Lion::default().rule(&step), [&mut w, &mut m], &[0.0], Reach::All);
        assert_eq!((w, m), ([1.0], [0.0]));
    }
}
