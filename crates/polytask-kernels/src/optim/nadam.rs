//! NAdam: Adam with Nesterov's momentum, on a schedule of the momentum.
//!
//! ```text
//! μ_t = β1 (1 - 0.96^(ψ t) / 2)        m = β1 m + (1 - β1) g        v = β2 v + (1 - β2) g²
//! w -= learning_rate (μ_{t+1} m / (1 - Π_{i ≤ t+1} μ_i) + (1 - μ_t) g / (1 - Π_{i ≤ t} μ_i)) / (√v̂ + ε)
//! ```
//!
//! Weight decay is in the gradient.
//!
//! Reference: Dozat, "Incorporating Nesterov momentum into Adam", ICLR workshop, 2016.

use super::step::Decay;
use super::walk::elementwise;
use super::{Rule, Step};

/// Hyper-parameters of NAdam; updates weights and both moments.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Nadam {
    /// Decay of the first moment, in `[0, 1)`.
    pub beta1: f64,
    /// Decay of the second moment, in `[0, 1)`.
    pub beta2: f64,
    /// Added to the root of the second moment.
    pub epsilon: f64,
    /// How fast the momentum rises from half of β1 to it (ψ).
    pub momentum_decay: f64,
}

impl Default for Nadam {
    fn default() -> Self {
        Nadam { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, momentum_decay: 4e-3 }
    }
}

impl Nadam {
    /// The rule of a step.
    ///
    /// `mass` is `1 - Π μ_i` over the parameter's steps so far: zero before the first, and state like the moments. (The
    /// product itself would lose the digits that its complement needs.)
    pub fn rule(&self, step: &Step, mass: &mut f32) -> impl Rule<3> + use<> {
        let momentum = |count: u64| self.beta1 * (1.0 - 0.5 * 0.96_f64.powf(count as f64 * self.momentum_decay));
        let count = step.count.max(1);
        let (now, next) = (momentum(count), momentum(count + 1));
        let grown = |mass: f64, momentum: f64| mass + (1.0 - mass) * (1.0 - momentum);
        let after = grown(f64::from(*mass), now);
        *mass = after as f32;
        let rate = f64::from(step.learning_rate);
        NadamRule {
            step: *step,
            first: Decay::new(self.beta1),
            second: Decay::new(self.beta2),
            epsilon: self.epsilon as f32,
            second_correction_root: (1.0 / step.mass(self.beta2)).sqrt() as f32,
            gradient_rate: (rate * (1.0 - now) / after) as f32,
            moment_rate: (rate * next / grown(after, next)) as f32,
        }
    }
}

struct NadamRule {
    step: Step,
    first: Decay,
    second: Decay,
    epsilon: f32,
    second_correction_root: f32,
    gradient_rate: f32,
    moment_rate: f32,
}

impl NadamRule {
    #[inline(always)]
    fn element(&self, [w, m, v]: [&mut f32; 3], gradient: f32) {
        let gradient = self.step.penalized(gradient, *w);
        *m = self.first.blend(*m, gradient);
        *v = self.second.blend(*v, gradient * gradient);
        let change = self.gradient_rate * gradient + self.moment_rate * *m;
        *w -= change / (v.sqrt() * self.second_correction_root + self.epsilon);
    }
}

elementwise!(NadamRule, 3, w, m, v);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::optim::apply;
    use crate::optim::tests::follows;

    #[test]
    fn steps_are_pytorchs() {
        // torch.optim.NAdam(lr=0.1, weight_decay=0.1)
        let values = [0.702273897, -1.854288300, 0.248864390, 0.340470276];
        let mut mass = 0.0;
        follows(values, |step, [w, m, v], g, reach| {
            if step.count == 1 {
                mass = 0.0;
            }
            apply(&Nadam::default().rule(step, &mut mass), [w, m, v], g, reach);
        });
    }
}
