//! RMSprop: gradients divided by the root of their mean square; with momentum, and centred.
//!
//! ```text
//! s = α s + (1 - α) g²        d = g / (√s + ε)             w -= learning_rate d
//!     momentum:               b = momentum b + d           w -= learning_rate b
//!     centred:                a = α a + (1 - α) g          d = g / (√(s - a²) + ε)
//! ```
//!
//! Weight decay is in the gradient.
//!
//! Reference: Tieleman and Hinton, "Lecture 6.5: RMSprop", COURSERA, 2012; centred: Graves, "Generating sequences with
//! recurrent neural networks", arXiv 1308.0850, 2013; α as in PyTorch (the lecture has 0.9).

use super::step::Decay;
use super::walk::elementwise;
use super::{Rule, Step};

/// Hyper-parameters of RMSprop.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rmsprop {
    /// Decay of the means, in `[0, 1)`.
    pub alpha: f64,
    /// Added to the root.
    pub epsilon: f64,
    /// The momentum, in `[0, 1)`; the plain rule has none.
    pub momentum: f64,
}

impl Default for Rmsprop {
    fn default() -> Self {
        Rmsprop { alpha: 0.99, epsilon: 1e-8, momentum: 0.0 }
    }
}

impl Rmsprop {
    /// The rule of a step without momentum; updates weights and mean square.
    pub fn rule(&self, step: &Step) -> impl Rule<2> + use<> {
        PlainRule(self.common(step))
    }

    /// The rule of a step with momentum; updates weights, mean square and velocity.
    pub fn momentum_rule(&self, step: &Step) -> impl Rule<3> + use<> {
        MomentumRule(self.common(step))
    }

    /// The centred rule of a step, with momentum; updates weights, mean square, velocity and mean.
    pub fn centered_rule(&self, step: &Step) -> impl Rule<4> + use<> {
        CenteredRule(self.common(step))
    }

    fn common(&self, step: &Step) -> Common {
        Common {
            step: *step,
            mean: Decay::new(self.alpha),
            epsilon: self.epsilon as f32,
            momentum: self.momentum as f32,
        }
    }
}

struct Common {
    step: Step,
    mean: Decay,
    epsilon: f32,
    momentum: f32,
}

struct PlainRule(Common);

impl PlainRule {
    #[inline(always)]
    fn element(&self, [w, squares]: [&mut f32; 2], gradient: f32) {
        let gradient = self.0.step.penalized(gradient, *w);
        *squares = self.0.mean.blend(*squares, gradient * gradient);
        *w -= self.0.step.learning_rate * gradient / (squares.sqrt() + self.0.epsilon);
    }
}

elementwise!(PlainRule, 2, w, squares);

struct MomentumRule(Common);

impl MomentumRule {
    #[inline(always)]
    fn element(&self, [w, squares, velocity]: [&mut f32; 3], gradient: f32) {
        let gradient = self.0.step.penalized(gradient, *w);
        *squares = self.0.mean.blend(*squares, gradient * gradient);
        *velocity = self.0.momentum * *velocity + gradient / (squares.sqrt() + self.0.epsilon);
        *w -= self.0.step.learning_rate * *velocity;
    }
}

elementwise!(MomentumRule, 3, w, squares, velocity);

struct CenteredRule(Common);

impl CenteredRule {
    #[inline(always)]
    fn element(&self, [w, squares, velocity, mean]: [&mut f32; 4], gradient: f32) {
        let gradient = self.0.step.penalized(gradient, *w);
        *squares = self.0.mean.blend(*squares, gradient * gradient);
        *mean = self.0.mean.blend(*mean, gradient);
        // Rounding may leave a variance below zero; `max` would hide NaN, which the comparison lets through.
        let variance = *squares - *mean * *mean;
        let variance = if variance < 0.0 { 0.0 } else { variance };
        *velocity = self.0.momentum * *velocity + gradient / (variance.sqrt() + self.0.epsilon);
        *w -= self.0.step.learning_rate * *velocity;
    }
}

elementwise!(CenteredRule, 4, w, squares, velocity, mean);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::optim::apply;
    use crate::optim::tests::follows;

    #[test]
    fn steps_are_pytorchs() {
        // torch.optim.RMSprop(lr=0.1, weight_decay=0.1), then with momentum=0.9, then with centered=True as well
        let plain = [-0.678943220, -1.216467925, -1.148927208, 0.659987871];
        follows(plain, |step, [w, s], g, reach| apply(&Rmsprop::default().rule(step), [w, s], g, reach));
        let method = Rmsprop { momentum: 0.9, ..Rmsprop::default() };
        let momentum = [-4.406973629, 0.648648279, -6.429906161, 2.134050682];
        follows(momentum, |step, [w, s, v], g, reach| apply(&method.momentum_rule(step), [w, s, v], g, reach));
        let centered = [-4.439265191, 0.665299077, -6.473400145, 2.154099614];
        follows(centered, |step, [w, s, v, a], g, reach| apply(&method.centered_rule(step), [w, s, v, a], g, reach));
    }

    #[test]
    fn a_constant_gradient_has_no_variance_and_the_step_stays_finite() {
        let (mut w, mut s, mut v, mut a) = ([1.0], [0.0], [0.0], [0.0]);
        for count in 1..2000 {
            let step = Step { learning_rate: 1e-12, weight_decay: 0.0, gradient_scale: 1.0, count };
            let rule = Rmsprop { alpha: 0.9, ..Rmsprop::default() }.centered_rule(&step);
            apply(&rule, [&mut w, &mut s, &mut v, &mut a], &[0.3], crate::optim::Reach::All);
        }
        assert!(w[0].is_finite() && v[0].is_finite());
    }
}
