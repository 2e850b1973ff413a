//! Stochastic gradient descent with momentum.
//!
//! ```text
//! v = momentum v + g          w -= learning_rate v
//!             Nesterov:       w -= learning_rate (g + momentum v)
//! ```
//!
//! Weight decay is in the gradient. The velocity holds no learning rate, as in PyTorch, so a schedule acts at once.
//!
//! Reference: Polyak, "Some methods of speeding up the convergence of iteration methods", 1964; Nesterov, 1983, in the
//! form of Sutskever, Martens, Dahl and Hinton, "On the importance of initialization and momentum in deep learning",
//! ICML 2013.

use super::walk::elementwise;
use super::{Rule, Step};
use crate::math::vectorize;

/// Hyper-parameters of gradient descent; updates weights and velocity.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sgd {
    /// The momentum, in `[0, 1)`.
    pub momentum: f64,
}

/// Hyper-parameters of gradient descent with Nesterov's momentum; updates weights and velocity.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Nesterov {
    /// The momentum, in `[0, 1)`.
    pub momentum: f64,
}

impl Default for Sgd {
    fn default() -> Self {
        Sgd { momentum: 0.9 }
    }
}

impl Default for Nesterov {
    fn default() -> Self {
        Nesterov { momentum: 0.9 }
    }
}

impl Sgd {
    /// The rule of a step.
    pub fn rule(&self, step: &Step) -> impl Rule<2> + use<> {
        SgdRule { step: *step, momentum: self.momentum as f32 }
    }
}

impl Nesterov {
    /// The rule of a step.
    pub fn rule(&self, step: &Step) -> impl Rule<2> + use<> {
        NesterovRule { step: *step, momentum: self.momentum as f32 }
    }
}

struct SgdRule {
    step: Step,
    momentum: f32,
}

impl SgdRule {
    #[inline(always)]
    fn element(&self, w: &mut f32, velocity: &mut f32, gradient: f32) {
        let gradient = gradient * self.step.gradient_scale + self.step.weight_decay * *w;
        *velocity = self.momentum * *velocity + gradient;
        *w -= self.step.learning_rate * *velocity;
    }
}

impl Rule<2> for SgdRule {
    fn update(&self, [w, velocity]: [&mut [f32]; 2], gradient: &[f32]) {
        vectorize(
            #[inline(always)]
            || {
                for ((w, velocity), gradient) in w.iter_mut().zip(velocity).zip(gradient) {
                    self.element(w, velocity, *gradient);
                }
            },
        );
    }

    fn update_zero(&self, [w, velocity]: [&mut [f32]; 2]) {
        vectorize(
            #[inline(always)]
            || {
                for (w, velocity) in w.iter_mut().zip(velocity) {
                    self.element(w, velocity, 0.0);
                }
            },
        );
    }
}

struct NesterovRule {
    step: Step,
    momentum: f32,
}

impl NesterovRule {
    #[inline(always)]
    fn element(&self, [w, velocity]: [&mut f32; 2], gradient: f32) {
        let gradient = self.step.penalized(gradient, *w);
        *velocity = self.momentum * *velocity + gradient;
        *w -= self.step.learning_rate * (gradient + self.momentum * *velocity);
    }
}

elementwise!(NesterovRule, 2, w, velocity);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::optim::apply;
    use crate::optim::tests::follows;

    #[test]
    fn steps_are_pytorchs() {
        // torch.optim.SGD(lr=0.1, momentum=0.9, weight_decay=0.1), without and with nesterov=True
        let plain = [0.031862696, -1.428783233, -0.498661948, 0.982559936];
        follows(plain, |step, [w, v], g, reach| apply(&Sgd::default().rule(step), [w, v], g, reach));
        let nesterov = [-0.148152151, -1.365996114, -0.608570677, 1.051248393];
        follows(nesterov, |step, [w, v], g, reach| {
            apply(&Nesterov::default().rule(step), [w, v], g, reach);
        });
    }
}
