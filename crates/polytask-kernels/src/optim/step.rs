//! What is every method told of a step?

/// Gradients are held within this bound, so that their square is finite; NaN stays NaN.
pub(super) const GRADIENT_MAX: f32 = 1.8e19;

/// What every method is told of a step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// The learning rate.
    pub learning_rate: f32,
    /// Weight decay; 0 for none.
    pub weight_decay: f32,
    /// Factor of the gradient; 1 for none.
    pub gradient_scale: f32,
    /// Number of this step, counted from 1 (0 is taken as 1).
    pub count: u64,
}

impl Step {
    /// The scaled gradient with an L2 penalty in it.
    #[inline(always)]
    pub(super) fn penalized(&self, gradient: f32, w: f32) -> f32 {
        (gradient * self.gradient_scale + self.weight_decay * w).clamp(-GRADIENT_MAX, GRADIENT_MAX)
    }

    /// The scaled gradient.
    #[inline(always)]
    pub(super) fn scaled(&self, gradient: f32) -> f32 {
        (gradient * self.gradient_scale).clamp(-GRADIENT_MAX, GRADIENT_MAX)
    }

    /// What weight decay leaves of a weight, where it is taken from the weight itself: `1 - learning_rate * decay`.
    pub(super) fn kept(&self) -> f32 {
        1.0 - self.learning_rate * self.weight_decay
    }

    /// The sum of the weights that a moving average of decay `beta` has given so far: `1 - beta^count`.
    pub(super) fn mass(&self, beta: f64) -> f64 {
        // Beyond i32 the powers are zero to the last bit; `powf` in 64 bits is exact enough before.
        1.0 - beta.powf(self.count.max(1) as f64)
    }
}

/// A moving average's decay and the share of what is new.
#[derive(Debug, Clone, Copy)]
pub(super) struct Decay {
    old: f32,
    new: f32,
}

impl Decay {
    pub(super) fn new(beta: f64) -> Decay {
        Decay { old: beta as f32, new: (1.0 - beta) as f32 }
    }

    #[inline(always)]
    pub(super) fn blend(self, old: f32, new: f32) -> f32 {
        self.old * old + self.new * new
    }
}
