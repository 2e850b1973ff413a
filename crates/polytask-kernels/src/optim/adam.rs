//! Adam, and AdamW.
//!
//! ```text
//! m = β1 m + (1 - β1) g       v = β2 v + (1 - β2) g²
//! w -= learning_rate m̂ / (√v̂ + ε)          m̂ = m / (1 - β1^t)    v̂ = v / (1 - β2^t)
//! ```
//!
//! With AdamW, weight decay is taken from the weights themselves.
//!
//! Reference: Kingma and Ba, "Adam: A method for stochastic optimization", ICLR 2015; Loshchilov and Hutter, "Decoupled
//! weight decay regularization", ICLR 2019.

use super::step::GRADIENT_MAX;
use super::{Rule, Step};
use crate::math::vectorize;

/// Where weight decay enters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WeightDecay {
    /// `decay * w` is added to the gradient, as the derivative of an L2 penalty.
    #[default]
    Gradient,
    /// `learning_rate * decay * w` is taken from the weight itself, so that the moments do not scale it (AdamW).
    Weights,
}

/// Hyper-parameters of Adam; updates weights and both moments.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Adam {
    /// Decay of the first moment, in `[0, 1)`.
    pub beta1: f64,
    /// Decay of the second moment, in `[0, 1)`.
    pub beta2: f64,
    /// Added to the root of the second moment.
    pub epsilon: f64,
    /// Where weight decay enters.
    pub decay: WeightDecay,
}

impl Default for Adam {
    fn default() -> Self {
        Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, decay: WeightDecay::Gradient }
    }
}

impl Adam {
    /// The rule of a step.
    pub fn rule(&self, step: &Step) -> impl Rule<3> + use<> {
        AdamRule::new(self, step)
    }
}

struct AdamRule {
    learning_rate: f32,
    gradient_scale: f32,
    beta1: f32,
    beta2: f32,
    epsilon: f32,
    /// Share of the weight that is added to the gradient.
    penalty: f32,
    /// What is left of the weight before the moments move it.
    kept: f32,
    first_correction: f32,
    second_correction_root: f32,
}

impl AdamRule {
    fn new(method: &Adam, step: &Step) -> Self {
        let (penalty, kept) = match method.decay {
            WeightDecay::Gradient => (step.weight_decay, 1.0),
            WeightDecay::Weights => (0.0, step.kept()),
        };
        let (beta1, beta2) = (method.beta1 as f32, method.beta2 as f32);
        let correction = |beta: f32| 1.0 / step.mass(f64::from(beta));
        Self {
            learning_rate: step.learning_rate,
            gradient_scale: step.gradient_scale,
            beta1,
            beta2,
            epsilon: method.epsilon as f32,
            penalty,
            kept,
            first_correction: correction(beta1) as f32,
            second_correction_root: correction(beta2).sqrt() as f32,
        }
    }

    #[inline(always)]
    fn element(&self, w: &mut f32, m: &mut f32, v: &mut f32, gradient: f32) {
        let AdamRule { learning_rate, gradient_scale, beta1, beta2, epsilon, .. } = *self;
        let gradient = (gradient * gradient_scale + self.penalty * *w).clamp(-GRADIENT_MAX, GRADIENT_MAX);
        *m = beta1 * *m + (1.0 - beta1) * gradient;
        *v = beta2 * *v + (1.0 - beta2) * gradient * gradient;
        let change = learning_rate * (*m * self.first_correction) / (v.sqrt() * self.second_correction_root + epsilon);
        *w = *w * self.kept - change;
    }
}

impl Rule<3> for AdamRule {
    fn update(&self, [w, m, v]: [&mut [f32]; 3], gradient: &[f32]) {
        vectorize(
            #[inline(always)]
            || {
                for (((w, m), v), gradient) in w.iter_mut().zip(m).zip(v).zip(gradient) {
                    self.element(w, m, v, *gradient);
                }
            },
        );
    }

    fn update_zero(&self, [w, m, v]: [&mut [f32]; 3]) {
        vectorize(
            #[inline(always)]
            || {
                for ((w, m), v) in w.iter_mut().zip(m).zip(v) {
                    self.element(w, m, v, 0.0);
                }
            },
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::optim::apply;
    use crate::optim::tests::follows;

    #[test]
    fn steps_are_pytorchs() {
        // torch.optim.Adam(lr=0.1, weight_decay=0.1) and torch.optim.AdamW with the same
        let adam = Adam::default();
        let values = [0.600918309, -1.737470558, 0.170118368, 0.430280194];
        follows(values, |step, [w, m, v], g, reach| apply(&adam.rule(step), [w, m, v], g, reach));
        let adamw = Adam { decay: WeightDecay::Weights, ..adam };
        let values = [0.604641131, -1.741750810, 0.163239175, 0.523300019];
        follows(values, |step, [w, m, v], g, reach| apply(&adamw.rule(step), [w, m, v], g, reach));
    }
}
